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
/// Here without the whitespace around it. <https://www.w3.org/TR/baggage/#definition>
///
/// > Parsers MUST NOT assume that the equal sign is only used to separate key and value.
///
/// <https://www.w3.org/TR/baggage/#value>
#[inline]
pub(crate) fn list_member(text: &str) -> Result<Member<'_>, Reason> {
    let (key, rest) = TCHAR.split(text);
    let Some(rest) = ows(rest).strip_prefix('=').filter(|_| !key.is_empty()) else {
        return Err(no_key(text));
    };
    let (value, rest) = BAGGAGE_OCTET.split(ows(rest));
    let rest = ows(rest);
    match rest.strip_prefix(';') {
        None if rest.is_empty() => Ok(Member { key, value, metadata: "" }),
        None => Err(Reason::Value),
        Some(properties) => Ok(Member { key, value, metadata: trim(properties) }),
    }
}

/// The same of a header that [`is_plain`](crate::octets::is_plain), where no value has a byte that ends it but `;`: as nearly all
/// are.
#[inline]
pub(crate) fn plain_list_member(text: &str, has_properties: bool) -> Result<Member<'_>, Reason> {
    let (key, rest) = TCHAR.split(text);
    let Some(rest) = rest.strip_prefix('=').filter(|_| !key.is_empty()) else { return Err(no_key(text)) };
    let end = if has_properties { memchr(b';', rest.as_bytes()) } else { None };
    let (value, rest) = end.and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
    Ok(Member { key, value, metadata: rest.get(1..).unwrap_or_default() })
}

fn no_key(text: &str) -> Reason {
    if memchr(b'=', text.as_bytes()).is_some() { Reason::Key } else { Reason::NoEqualsSign }
}

/// > OWS = *( SP / HTAB )
///
/// What comes after it. <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3>
#[inline]
fn ows(text: &str) -> &str {
    match text.as_bytes() {
        [b' ' | b'\t', ..] => text.trim_start_matches([' ', '\t']),
        _ => text,
    }
}
