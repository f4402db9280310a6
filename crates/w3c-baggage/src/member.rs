//! One member of a received header.

use otel_baggage_limits::{
    Reason,
    wire::{is_baggage_octet, is_token_byte},
};

/// A member as it was received.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Member<'a> {
    pub(crate) key: &'a str,
    /// Not decoded yet.
    pub(crate) value: &'a str,
    /// All properties together; they are opaque.
    pub(crate) metadata: &'a str,
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// <https://www.w3.org/TR/baggage/#definition>
///
/// > Parsers MUST NOT assume that the equal sign is only used to separate key and value.
///
/// <https://www.w3.org/TR/baggage/#value>
pub(crate) fn list_member(text: &str) -> Result<Member<'_>, Reason> {
    let (key, rest) = key(text);
    let (value, rest) = match trim_start(rest).strip_prefix('=') {
        Some(rest) if !key.is_empty() => value(trim_start(rest)),
        _ if text.contains('=') => return Err(Reason::Key),
        _ => return Err(Reason::NoEqualsSign),
    };
    match trim_start(rest) {
        "" => Ok(Member { key, value, metadata: "" }),
        rest => {
            let metadata = rest.strip_prefix(';').ok_or(Reason::Value)?;
            Ok(Member { key, value, metadata: trim(metadata) })
        }
    }
}

/// > key = token ; as defined in RFC 7230, Section 3.2.6
///
/// <https://www.w3.org/TR/baggage/#key>
fn key(text: &str) -> (&str, &str) {
    split_while(text, is_token_byte)
}

/// > value = *baggage-octet
///
/// <https://www.w3.org/TR/baggage/#value>
fn value(text: &str) -> (&str, &str) {
    split_while(text, is_baggage_octet)
}

/// The leading bytes that fulfil the condition, all of which are ASCII, and the rest.
fn split_while(text: &str, condition: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !condition(byte)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// The text without the optional whitespace before it.
fn trim_start(text: &str) -> &str {
    match text.as_bytes() {
        [b' ' | b'\t', ..] => text.trim_start_matches([' ', '\t']),
        _ => text,
    }
}

/// The text without the optional whitespace around it.
pub(crate) fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [.., b' ' | b'\t'] => trim_start(text.trim_end_matches([' ', '\t'])),
        _ => trim_start(text),
    }
}
