//! Percent-decoding of values.

use memchr::memchr;

/// > percent-encoded octet sequences that do not match the UTF-8 encoding scheme MUST be replaced with the
/// > replacement code point (`U+FFFD`)
///
/// A percent sign that begins no escape stands for itself. <https://www.w3.org/TR/baggage/#value>
#[inline]
pub(crate) fn decode(value: &str) -> String {
    if memchr(b'%', value.as_bytes()).is_some() { decode_escapes(value) } else { value.to_owned() }
}

fn decode_escapes(value: &str) -> String {
    let percents = value.bytes().filter(|&byte| byte == b'%').count();
    let octets = octets(value.as_bytes(), value.len().saturating_sub(2 * percents));
    String::from_utf8(octets).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn octets(mut text: &[u8], expected: usize) -> Vec<u8> {
    let mut octets = Vec::with_capacity(expected);
    while let Some((&first, rest)) = text.split_first() {
        let escaped = if first == b'%' { escape(rest) } else { None };
        let (octet, after) = escaped.unwrap_or((first, rest));
        octets.push(octet);
        text = after;
    }
    octets
}

/// > pct-encoded = "%" HEXDIG HEXDIG
///
/// Here from after the percent sign. <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>
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
    use super::decode;

    #[test]
    fn well_formed_escapes_are_decoded_into_one_allocation_of_the_exact_size() {
        for (value, text) in [("plain", "plain"), ("%41b%43", "AbC"), ("%E2%82%ac", "\u{20ac}")] {
            let decoded = decode(value);
            assert_eq!((decoded.as_str(), decoded.capacity()), (text, text.len()));
        }
    }
}
