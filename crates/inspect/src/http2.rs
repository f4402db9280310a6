//! How many bytes a header takes on an HTTP/2 connection: <https://www.rfc-editor.org/rfc/rfc7541>.

/// The bytes of a header that is not indexed: the name in full the first time, later as an index.
///
/// ```
/// let first = otel_inspect::http2_len("b3", "0", false);
/// let later = otel_inspect::http2_len("b3", "0", true);
/// assert_eq!((first, later), (6, 3));
/// ```
#[must_use]
pub fn http2_len(name: &str, value: &str, name_is_indexed: bool) -> usize {
    let name = if name_is_indexed { 0 } else { string(name) };
    1 + name + string(value)
}

/// > String Data: ... as Huffman-encoded or as raw octets
///
/// Whichever is shorter, after its length: <https://www.rfc-editor.org/rfc/rfc7541#section-5.2>.
fn string(text: &str) -> usize {
    let bits: usize = text.bytes().map(huffman_bits).sum();
    let len = bits.div_ceil(8).min(text.len());
    prefix(len) + len
}

/// An integer with a prefix of seven bits: <https://www.rfc-editor.org/rfc/rfc7541#section-5.1>.
const fn prefix(mut value: usize) -> usize {
    let mut bytes = 1;
    if value >= 127 {
        value -= 127;
        while value >= 128 {
            value /= 128;
            bytes += 1;
        }
        bytes += 1;
    }
    bytes
}

/// The length of a byte's code: <https://www.rfc-editor.org/rfc/rfc7541#appendix-B>, as far as it is visible ASCII.
/// Any other byte counts as 30 bits, the longest.
const fn huffman_bits(byte: u8) -> usize {
    match byte {
        b'0'..=b'2' | b'a' | b'c' | b'e' | b'i' | b'o' | b's' | b't' => 5,
        b' '
        | b'%'
        | b'-'
        | b'.'
        | b'/'
        | b'3'..=b'9'
        | b'='
        | b'A'
        | b'_'
        | b'b'
        | b'd'
        | b'f'
        | b'g'
        | b'h'
        | b'l'
        | b'm'
        | b'n'
        | b'p'
        | b'r'
        | b'u' => 6,
        b':' | b'B'..=b'W' | b'Y' | b'j' | b'k' | b'q' | b'v'..=b'z' => 7,
        b'&' | b'*' | b',' | b';' | b'X' | b'Z' => 8,
        b'!' | b'"' | b'(' | b')' | b'?' => 10,
        b'\'' | b'+' | b'|' => 11,
        b'#' | b'>' => 12,
        b'$' | b'@' | b'[' | b']' | b'~' => 13,
        b'^' | b'}' => 14,
        b'<' | b'`' | b'{' => 15,
        b'\\' => 19,
        _ => 30,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_the_specifications_examples() {
        // RFC 7541, C.4 and C.6.
        let rows = [
            ("www.example.com", 12),
            ("no-cache", 6),
            ("custom-key", 8),
            ("custom-value", 9),
            ("302", 2),
            ("private", 5),
        ];
        for (text, huffman) in rows {
            assert_eq!(string(text), 1 + huffman, "{text}");
        }
        assert_eq!(string("Mon, 21 Oct 2013 20:13:21 GMT"), 1 + 22);
        assert_eq!(string("foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"), 1 + 45);
        assert_eq!([prefix(126), prefix(127), prefix(254), prefix(255)], [1, 2, 2, 3]);
    }
}
