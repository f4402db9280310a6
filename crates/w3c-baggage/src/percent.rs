//! Percent-decoding of values.

/// > percent-encoded octet sequences that do not match the UTF-8 encoding scheme MUST be replaced with the
/// > replacement code point (`U+FFFD`)
///
/// A percent sign that begins no escape stands for itself. <https://www.w3.org/TR/baggage/#value>
pub(crate) fn decode(value: &str) -> String {
    let escapes = octets(value.as_bytes()).filter(|&(_, escaped)| escaped).count();
    let mut bytes = Vec::with_capacity(value.len() - 2 * escapes);
    bytes.extend(octets(value.as_bytes()).map(|(octet, _)| octet));
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Each octet, and whether it was escaped.
fn octets(mut text: &[u8]) -> impl Iterator<Item = (u8, bool)> {
    core::iter::from_fn(move || {
        let (&first, rest) = text.split_first()?;
        if let (b'%', Some((octet, behind))) = (first, escape(rest)) {
            text = behind;
            return Some((octet, true));
        }
        text = rest;
        Some((first, false))
    })
}

/// > pct-encoded = "%" HEXDIG HEXDIG
///
/// Here from behind the percent sign. <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>
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
