//! Percent-encoding of whole values, as Jaeger's clients decode it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::borrow::Cow;

/// > unreserved = ALPHA / DIGIT / "-" / "." / "_" / "~"
///
/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Writes `%20` for a space, which everyone reads, and `%2B` for a plus sign.
pub(crate) fn encode(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, RESERVED).into()
}

/// A percent sign that begins no escape, or escapes that are not UTF-8.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct NotPercentEncoded;

/// > the baggage values are URL-encoded when using the `HTTP_HEADERS` propagation format
///
/// <https://www.jaegertracing.io/sdk-migration/#value-encoding>
///
/// Jaeger's own clients encode as HTML forms do, so a plus sign is a space.
pub(crate) fn decode(value: &str) -> Result<Cow<'_, str>, NotPercentEncoded> {
    if !value.contains(['%', '+']) {
        return Ok(Cow::Borrowed(value));
    }
    let mut octets = Vec::with_capacity(value.len());
    let mut text = value.as_bytes();
    while let Some((&first, rest)) = text.split_first() {
        let (octet, rest) = match first {
            b'%' => escape(rest).ok_or(NotPercentEncoded)?,
            b'+' => (b' ', rest),
            _ => (first, rest),
        };
        octets.push(octet);
        text = rest;
    }
    String::from_utf8(octets).map(Cow::Owned).map_err(|_| NotPercentEncoded)
}

/// > pct-encoded = "%" HEXDIG HEXDIG
///
/// Here after the percent sign. <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>
fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&[high, low], rest) = text.split_first_chunk()?;
    Some((hexdig(high)? << 4 | hexdig(low)?, rest))
}

const fn hexdig(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded() {
        for (value, text) in [("plain-._~", "plain-._~"), ("a b+c", "a%20b%2Bc"), ("é/%", "%C3%A9%2F%25")] {
            assert_eq!(encode(value), text);
            assert_eq!(decode(text).as_deref(), Ok(value));
        }
    }

    #[test]
    fn decoded() {
        let rows = [
            ("nothing to decode", "plain", Ok("plain")),
            ("empty", "", Ok("")),
            ("Jaeger's own example", "value%201%20%2F%20blah", Ok("value 1 / blah")),
            ("lower case", "%c3%a9%3a", Ok("é:")),
            ("a plus sign is a space", "a+b", Ok("a b")),
            ("its escape is a plus sign", "a%2Bb", Ok("a+b")),
            ("an escaped percent sign is not decoded again", "%2541", Ok("%41")),
            ("beyond ASCII as it is", "é", Ok("é")),
            ("a percent sign at the end", "5%", Err(NotPercentEncoded)),
            ("one digit", "%4", Err(NotPercentEncoded)),
            ("no digit", "%4g", Err(NotPercentEncoded)),
            ("a sign is no digit", "%+4", Err(NotPercentEncoded)),
            ("not UTF-8", "%ff", Err(NotPercentEncoded)),
        ];
        for (rule, value, expected) in rows {
            assert_eq!(decode(value).as_deref(), expected.as_ref().copied(), "{rule}: {value}");
        }
    }
}
