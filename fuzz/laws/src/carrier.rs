//! What the targets read from and write to.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
};
use opentelemetry_http::HeaderExtractor;
use otel_propagator_core::leftover;
use otel_w3c_baggage::RelayExt;
use std::{collections::HashMap, sync::LazyLock};
pub(crate) use testing::carrier::{Lines, Sent};

/// A long line of `baggage`.
pub(crate) static LONG: LazyLock<String> = LazyLock::new(|| format!("long={}", "v".repeat(600)));

/// What the laws ask of header lines of any text, which keep lines and characters apart that HTTP would refuse.
pub(crate) trait LinesExt {
    /// What is read of these headers, which is the same whatever carries them.
    fn one_answer<A: PartialEq>(&self, read: impl Fn(&dyn Extractor) -> A) -> A;
    /// The same headers as an HTTP server holds them, unless one of the lines is not text in HTTP.
    fn to_header_map(&self) -> Option<HeaderMap>;
    /// The same headers with their lines joined, unless a header that is no list has several.
    fn to_hash_map(&self) -> Option<HashMap<String, String>>;
}

impl LinesExt for Lines<'_> {
    fn one_answer<A: PartialEq>(&self, read: impl Fn(&dyn Extractor) -> A) -> A {
        let answer = read(self);
        if let Some(headers) = self.to_hash_map() {
            law!(read(&headers) == answer, "a map gives the same answer", headers);
        }
        if let Some(headers) = self.to_header_map() {
            law!(read(&HeaderExtractor(&headers)) == answer, "HTTP headers give the same answer", headers);
        }
        answer
    }

    fn to_header_map(&self) -> Option<HeaderMap> {
        let mut headers = HeaderMap::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            let value = HeaderValue::from_str(value).ok()?;
            value.to_str().ok()?;
            headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        Some(headers)
    }

    fn to_hash_map(&self) -> Option<HashMap<String, String>> {
        let mut headers = HashMap::<String, String>::with_capacity(self.0.len());
        for (name, value) in &self.0 {
            if let Some(joined) = headers.get_mut(*name) {
                if !matches!(*name, "tracestate" | "baggage") {
                    return None;
                }
                joined.push(',');
                joined.push_str(value);
            } else {
                headers.insert((*name).to_owned(), (*value).to_owned());
            }
        }
        Some(headers)
    }
}

/// What the laws ask of what was sent.
pub(crate) trait SentExt {
    /// The headers that say something: an empty one overrides an older header, and the next service has none to.
    fn telling(&self) -> Vec<&(String, String)>;
    /// The same headers as they are read.
    fn to_lines(&self) -> Lines<'_>;
}

impl SentExt for Sent {
    fn telling(&self) -> Vec<&(String, String)> {
        self.0.iter().filter(|header| !header.1.is_empty()).collect()
    }

    fn to_lines(&self) -> Lines<'_> {
        let known = |sent: &str| crate::composite::NAMES.iter().find(|name| **name == sent).copied();
        Lines(self.0.iter().filter_map(|(name, value)| Some((known(name)?, value.as_str()))).collect())
    }
}

/// Sends, and checks what holds for every propagator: names that were announced and never one twice, and
/// values that are visible ASCII, so that no carrier refuses or splits them.
pub(crate) fn send(propagator: &dyn TextMapPropagator, cx: &opentelemetry::Context) -> Sent {
    let mut sent = Sent::default();
    propagator.inject_context(cx, &mut sent);
    let mut again = Sent::default();
    propagator.inject_context(cx, &mut again);
    law!(again == sent, "the same context is sent in the same bytes", sent, again);
    for (index, (name, value)) in sent.0.iter().enumerate() {
        law!(propagator.fields().any(|field| field == name), "only announced headers are sent", name);
        law!(sent.0.iter().skip(index + 1).all(|later| later.0 != *name), "no header is sent twice", sent);
        let has_baggage = !cx.baggage().is_empty() || !cx.relayed_baggage().is_empty();
        let overrides = name == "baggage" && has_baggage;
        let overrides = overrides || leftover::is_in(cx, name);
        law!(!value.is_empty() || overrides, "no empty header is sent but to override an older one", name);
        law!(value.bytes().all(is_field_byte), "only visible ASCII is sent", value);
        law!(value.trim() == value, "no whitespace around what is sent", value);
    }
    sent
}

/// > field-vchar / SP / HTAB
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.5>
fn is_field_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~')
}
