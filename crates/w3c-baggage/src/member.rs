//! One member of a received header.

use crate::octets::{BAGGAGE_OCTET, TCHAR};
use memchr::memchr;
use otel_baggage_limits::Reason;
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

impl Member<'_> {
    /// How many bytes it has without the optional whitespace around its parts.
    #[inline]
    pub(crate) const fn len(&self) -> usize {
        let semicolon = !self.metadata.is_empty() as usize;
        self.key.len() + "=".len() + self.value.len() + semicolon + self.metadata.len()
    }
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// <https://www.w3.org/TR/baggage/#definition>
///
/// > Parsers MUST NOT assume that the equal sign is only used to separate key and value.
///
/// <https://www.w3.org/TR/baggage/#value>
#[inline]
pub(crate) fn list_member(text: &str) -> Result<Member<'_>, Reason> {
    let (name, rest) = split_once(text, b'=').ok_or(Reason::NoEqualsSign)?;
    let (content, metadata) = split_once(rest, b';').unwrap_or((rest, ""));
    Ok(Member { key: key(name)?, value: value(content)?, metadata: trim(metadata) })
}

/// > key = token ; as defined in RFC 7230, Section 3.2.6
///
/// <https://www.w3.org/TR/baggage/#key>
#[inline]
fn key(text: &str) -> Result<&str, Reason> {
    let text = trim(text);
    if !text.is_empty() && TCHAR.make(text) { Ok(text) } else { Err(Reason::Key) }
}

/// > value = *baggage-octet
///
/// <https://www.w3.org/TR/baggage/#value>
#[inline]
fn value(text: &str) -> Result<&str, Reason> {
    let text = trim(text);
    if BAGGAGE_OCTET.make(text) { Ok(text) } else { Err(Reason::Value) }
}

#[inline]
fn split_once(text: &str, byte: u8) -> Option<(&str, &str)> {
    let (before, rest) = text.split_at_checked(memchr(byte, text.as_bytes())?)?;
    Some((before, rest.get(1..)?))
}
