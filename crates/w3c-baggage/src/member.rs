//! One member of a received header.

use otel_baggage_limits::{
    Reason,
    wire::{is_baggage_octet, is_token_byte},
};
use otel_propagator_core::header::trim;

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
    let (name, rest) = text.split_once('=').ok_or(Reason::NoEqualsSign)?;
    let (content, metadata) = rest.split_once(';').unwrap_or((rest, ""));
    Ok(Member { key: key(trim(name))?, value: value(trim(content))?, metadata: trim(metadata) })
}

/// > key = token ; as defined in RFC 7230, Section 3.2.6
///
/// <https://www.w3.org/TR/baggage/#key>
fn key(text: &str) -> Result<&str, Reason> {
    let is_token = !text.is_empty() && text.bytes().all(is_token_byte);
    is_token.then_some(text).ok_or(Reason::Key)
}

/// > value = *baggage-octet
///
/// <https://www.w3.org/TR/baggage/#value>
fn value(text: &str) -> Result<&str, Reason> {
    text.bytes().all(is_baggage_octet).then_some(text).ok_or(Reason::Value)
}
