//! What the tests share: carriers, shorthands, and a second opinion on the grammar.

#![allow(dead_code, reason = "every test file is a program of its own and uses a part of this")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
};
use std::collections::BTreeMap;
pub(crate) use testing::carrier::{Lines, Sent};

/// Key, value, metadata.
pub(crate) type Entry = (&'static str, &'static str, &'static str);

/// The entries of a baggage, in the order of their keys.
pub(crate) fn entries(baggage: &Baggage) -> BTreeMap<String, (String, String)> {
    let text = |(key, (value, metadata)): (&opentelemetry::Key, &(opentelemetry::StringValue, _))| {
        let metadata: &opentelemetry::baggage::BaggageMetadata = metadata;
        (key.as_str().to_owned(), (value.as_str().to_owned(), metadata.as_str().to_owned()))
    };
    baggage.iter().map(text).collect()
}

/// What [`entries`] gives for these.
pub(crate) fn expected(entries: &[Entry]) -> BTreeMap<String, (String, String)> {
    entries.iter().map(|(key, value, data)| ((*key).into(), ((*value).into(), (*data).into()))).collect()
}

pub(crate) fn baggage<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str, &'a str)>) -> Baggage {
    let mut baggage = Baggage::new();
    for (key, value, metadata) in entries {
        baggage.insert_with_metadata(key.to_owned(), value.to_owned(), metadata);
    }
    baggage
}

/// A context that already has baggage.
pub(crate) fn given() -> Context {
    Context::new().with_baggage([KeyValue::new("given", "stays")])
}

/// The header on these lines.
pub(crate) fn received<'a>(values: &[&'a str]) -> Lines<'a> {
    Lines::of("baggage", values.iter().copied())
}

/// The value of the only header that is sent for this baggage.
pub(crate) fn sent(propagator: &dyn TextMapPropagator, baggage: Baggage) -> Option<String> {
    let mut sent = Sent::default();
    propagator.inject_context(&Context::new().with_baggage(baggage), &mut sent);
    assert!(sent.0.len() <= 1, "one header at most: {sent:?}");
    let (name, value) = sent.0.pop()?;
    assert_eq!(name, "baggage");
    Some(value)
}

/// `baggage-string` of <https://www.w3.org/TR/baggage/#definition>, written down once more, with every percent sign of
/// a value part of an escape.
pub(crate) fn is_strict(header: &str) -> bool {
    header.split(',').all(is_strict_member)
}

fn is_strict_member(member: &str) -> bool {
    let mut parts = member.split(';');
    let (key, value) = parts.next().unwrap().split_once('=').unwrap_or(("", "\0"));
    is_token(ows(key)) && is_strict_value(ows(value)) && parts.all(is_strict_property)
}

fn is_strict_property(property: &str) -> bool {
    let (key, value) = property.split_once('=').unwrap_or((property, ""));
    is_token(ows(key)) && is_strict_value(ows(value))
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn is_strict_value(text: &str) -> bool {
    let octets = text.chars().all(|c| matches!(c, '!' | '#'..='+' | '-'..=':' | '<'..='[' | ']'..='~'));
    let hex = |after: &str| after.len() >= 2 && after.bytes().take(2).all(|digit| digit.is_ascii_hexdigit());
    octets && text.split('%').skip(1).all(hex)
}

fn ows(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
