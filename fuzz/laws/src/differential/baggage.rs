//! `baggage`, ours beside the SDK's, in both directions.

use super::{Class, classify};
use crate::{
    baggage::entries,
    carrier::{Lines, Sent},
    given::{GIVEN, has_given_baggage},
    model::{
        baggage::{decode, is_octet, is_strict_metadata, is_token, member},
        trim,
    },
};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, TextMapPropagator},
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

classes! {
    LINES: "all lines are one list",
        "baggage #baggage-string";
    LENGTH: "of a header over 8192 bytes the leading members are kept",
        "baggage #limits";
    COUNT: "64 members, whatever is empty or broken between them",
        "baggage #limits";
    NOTHING: "bad input leaves the given context as it was",
        "OpenTelemetry api-propagators #extract";
    EQUALS: "a value may hold equals signs",
        "baggage #value";
    KEY: "a key is a token and never percent-decoded",
        "baggage #key";
    ESCAPED_SPACE: "optional whitespace is trimmed before decoding, never after",
        "baggage #value";
    SPACE: "only spaces and tabs are optional whitespace",
        "RFC 9110 5.6.3";
    UTF8: "what is not UTF-8 is replaced",
        "baggage #value";
    PROPERTIES: "properties are kept as they came",
        "OpenTelemetry baggage api #set-value";
    OCTET: "a value holds baggage-octets only",
        "baggage #value";
    SENT_LIMITS: "what is sent is within limits counted on the wire",
        "baggage #limits";
    SENT_VALUE: "percent sign and backslash are always escaped, spaces kept",
        "baggage #value";
    SENT_EQUALS: "an equals sign is a baggage-octet and stands as it is",
        "baggage #value";
    SENT_PROPERTIES: "what may not stand in a property is escaped",
        "baggage #property";
    SENT_TAB: "a tab in a property goes out as the one space that senders are asked for",
        "RFC 9110 5.6.3";
}

/// Every line of the input is a line of `baggage`.
pub fn differential_baggage(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines::of("baggage", text.split('\n'));
    let ours = otel_w3c_baggage::BaggagePropagator::new().with_limits(otel_w3c_baggage::Limits::W3C);
    let theirs = opentelemetry_sdk::propagation::BaggagePropagator::new();
    let cx = ours.extract_with_context(&GIVEN, &lines);
    compare_read(&lines, &cx, &theirs.extract_with_context(&GIVEN, &lines));
    compare_sent(&sent(&ours, &cx), &sent(&theirs, &cx), &cx);
}

/// Upstream reads the first line alone, so beyond that the first lines are compared.
fn compare_read(lines: &Lines<'_>, ours: &Context, theirs: &Context) {
    let line = lines.get("baggage").unwrap_or_default();
    if lines.0.len() == 1 {
        return compare_line(line, ours, theirs);
    }
    let first = Lines::of("baggage", [line]);
    let of_first = otel_w3c_baggage::BaggagePropagator::new().extract_with_context(&GIVEN, &first);
    if entries(ours.baggage()) != entries(of_first.baggage()) {
        classify(&[(true, &LINES)], lines, ours, theirs);
    }
    compare_line(line, &of_first, theirs);
}

fn compare_line(line: &str, ours: &Context, theirs: &Context) {
    let (our_entries, their_entries) = (entries(ours.baggage()), entries(theirs.baggage()));
    if our_entries == their_entries {
        return;
    }
    let keys: BTreeSet<&String> = our_entries.keys().chain(their_entries.keys()).collect();
    for key in keys {
        let (our, their) = (our_entries.get(key), their_entries.get(key));
        if our != their {
            let classes: Vec<_> = whole(line, key, ours).into_iter().chain(of_key(line, key)).collect();
            classify(&classes, &line, &(key, our), &(key, their));
        }
    }
}

/// Why a header as a whole is read otherwise.
fn whole(line: &str, key: &str, ours: &Context) -> [(bool, &'static Class); 3] {
    [
        (line.len() > 8192, &LENGTH),
        (line.split(',').count() > 64, &COUNT),
        (has_given_baggage(ours) && key == "given", &NOTHING),
    ]
}

/// Why the members of one key are read otherwise.
fn of_key<'a>(line: &'a str, key: &'a str) -> impl Iterator<Item = (bool, &'static Class)> + 'a {
    let upstream_key = |pair: &str| decode(pair.split('=').next().unwrap_or_default()).trim().to_owned();
    let texts = line.split(',').map(|text| text.split_once(';').unwrap_or((text, "")));
    let texts: Vec<_> = texts
        .filter(|(pair, _)| {
            trim(pair.split('=').next().unwrap_or_default()) == key || upstream_key(pair) == key
        })
        .collect();
    texts.into_iter().flat_map(move |(pair, metadata)| of_member(pair, metadata))
}

fn of_member(pair: &str, metadata: &str) -> [(bool, &'static Class); 8] {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decoded = decode(trim(value));
    [
        (value.contains('='), &EQUALS),
        (!is_token(trim(key)) || key.contains('%'), &KEY),
        (decoded.contains('\u{fffd}'), &UTF8),
        (decoded.trim() != decoded && trim(value) == value.trim(), &ESCAPED_SPACE),
        (trim(key) != key.trim() || trim(value) != value.trim(), &SPACE),
        (metadata.contains(['%', ' ', '\t', ';']) || metadata.trim() != trim(metadata), &PROPERTIES),
        (metadata.chars().any(char::is_whitespace), &PROPERTIES),
        (!trim(value).bytes().all(is_octet), &OCTET),
    ]
}

fn sent(propagator: &dyn TextMapPropagator, cx: &Context) -> String {
    let mut sent = Sent::default();
    propagator.inject_context(cx, &mut sent);
    sent.get("baggage").unwrap_or_default().to_owned()
}

/// The same context, sent by both.
fn compare_sent(ours: &str, theirs: &str, cx: &Context) {
    let (mut our_members, mut their_members) = (by_key(ours), by_key(theirs));
    our_members.retain(|key, member| their_members.remove(key) != Some(*member));
    let broken = their_members.into_iter().chain(our_members);
    for (key, member) in broken {
        let (value, metadata) = entry(cx.baggage(), key);
        let classes = [
            (theirs.len() > 8192, &SENT_LIMITS),
            (value.contains(['%', '\\']) || value.trim() != value, &SENT_VALUE),
            (value.contains('='), &SENT_EQUALS),
            (!metadata.is_empty() && !is_strict_metadata(metadata), &SENT_PROPERTIES),
            (metadata.contains('\t'), &SENT_TAB),
            // A comma in what upstream sends unescaped begins a member of its own.
            (self::split(theirs), &SENT_PROPERTIES),
        ];
        classify(&classes, &(key, value, metadata), &ours, &(theirs, member));
    }
}

fn entry<'a>(baggage: &'a Baggage, key: &str) -> (&'a str, &'a str) {
    let entry = baggage.get_with_metadata(key);
    entry.map_or(("", ""), |(value, metadata)| (value.as_str(), metadata.as_str()))
}

fn split(theirs: &str) -> bool {
    theirs.split(',').any(|text| member(text).is_none())
}

fn by_key(header: &str) -> BTreeMap<&str, &str> {
    let members = header.split(',').filter(|member| !member.is_empty());
    members.map(|member| (member.split(['=', ';']).next().unwrap_or_default(), member)).collect()
}
