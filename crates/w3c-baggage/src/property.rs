//! Metadata on the way out: what is a well-formed list of properties goes byte for byte, and the rest is escaped
//! until it is one.

use crate::octets::{TCHAR, UNESCAPED};
use percent_encoding::percent_encode_byte;

/// Where wire text goes: into a header, or only through a count.
pub(crate) trait Sink {
    /// Takes bytes as they are.
    fn raw(&mut self, bytes: &[u8]);
    /// Takes one byte as its percent-escape: <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>.
    fn escaped(&mut self, byte: u8) {
        self.raw(percent_encode_byte(byte).as_bytes());
    }
}

impl Sink for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The length of what would be written.
#[derive(Default)]
struct Length(usize);

impl Sink for Length {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

/// How many bytes [`write_metadata`] writes.
pub(crate) fn metadata_len(metadata: &str) -> usize {
    let mut length = Length::default();
    write_metadata(&mut length, metadata);
    length.0
}

/// Whether the metadata is well-formed without whitespace and escapes, as nearly all is; one pass tells.
#[inline]
pub(crate) fn is_plain(metadata: &str) -> bool {
    metadata.is_empty() || properties_are_plain(metadata.as_bytes())
}

fn properties_are_plain(metadata: &[u8]) -> bool {
    let mut in_key = true;
    let mut previous = b';';
    for &byte in metadata {
        let well_formed = match byte {
            b';' => previous != b';',
            b'=' if in_key => previous != b';',
            _ if in_key => TCHAR.has(byte),
            _ => UNESCAPED.has(byte),
        };
        if !well_formed {
            return false;
        }
        in_key = byte == b';' || in_key && byte != b'=';
        previous = byte;
    }
    previous != b';'
}

/// Whether there is any property, so that something is written.
pub(crate) fn any(metadata: &str) -> bool {
    metadata.bytes().any(|byte| byte != b';' && !is_ows(byte))
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// Here from after the first `;`. Whitespace around `;` is kept, but not at either end, where a reader trims it;
/// empty properties, which the grammar does not have, are dropped.
///
/// <https://www.w3.org/TR/baggage/#definition>
pub(crate) fn write_metadata(out: &mut impl Sink, metadata: &str) {
    let mut before = None;
    for part in metadata.as_bytes().split(|&byte| byte == b';') {
        let (leading, rest) = split_leading_ows(part);
        let (text, trailing) = split_trailing_ows(rest);
        if text.is_empty() {
            continue;
        }
        if let Some(before) = before.replace(trailing) {
            ows(out, before);
            out.raw(b";");
            ows(out, leading);
        }
        property(out, text);
    }
}

/// > property = key OWS "=" OWS value
/// > property =/ key OWS
///
/// An equals sign with no key before it is part of a key.
///
/// <https://www.w3.org/TR/baggage/#property>
fn property(out: &mut impl Sink, text: &[u8]) {
    let equals = text.iter().position(|&byte| byte == b'=').unwrap_or(0);
    let (name, [_, value @ ..]) = text.split_at(equals) else { return };
    if name.is_empty() {
        return key(out, text);
    }
    let (name, trailing) = split_trailing_ows(name);
    let (leading, value) = split_leading_ows(value);
    key(out, name);
    ows(out, trailing);
    out.raw(b"=");
    ows(out, leading);
    property_value(out, value);
}

/// > key = token ; as defined in RFC 7230, Section 3.2.6
///
/// What is no token is escaped until it is one. A percent sign may stand in a token and begins no escape there.
///
/// <https://www.w3.org/TR/baggage/#key>
fn key(out: &mut impl Sink, text: &[u8]) {
    for run in text.chunk_by(|&one, &next| TCHAR.has(one) == TCHAR.has(next)) {
        if run.first().is_some_and(|&byte| TCHAR.has(byte)) {
            out.raw(run);
        } else {
            for &byte in run {
                out.escaped(byte);
            }
        }
    }
}

/// Writes the text; what is no baggage-octet is escaped, and a percent sign too unless it begins an escape already.
fn property_value(out: &mut impl Sink, mut text: &[u8]) {
    loop {
        let end = text.iter().position(|&byte| !UNESCAPED.has(byte)).unwrap_or(text.len());
        let (run, rest) = text.split_at(end);
        out.raw(run);
        text = match rest {
            [] => return,
            [b'%', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.raw(&[b'%', *high, *low]);
                after
            }
            [byte, after @ ..] => {
                out.escaped(*byte);
                after
            }
        };
    }
}

/// Writes whitespace as it is, but each tab as a space: a tab is no byte of a gRPC ASCII value, and
///
/// > a sender SHOULD generate the optional whitespace as a single SP
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3>
fn ows(out: &mut impl Sink, whitespace: &[u8]) {
    for _ in whitespace {
        out.raw(b" ");
    }
}

/// > OWS = *( SP / HTAB )
const fn is_ows(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn split_leading_ows(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|&&byte| is_ows(byte)).count())
}

fn split_trailing_ows(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.len() - text.iter().rev().take_while(|&&byte| is_ows(byte)).count())
}

#[cfg(test)]
mod tests {
    use super::{is_plain, write_metadata};
    use proptest::prelude::*;

    fn written(metadata: &str) -> String {
        let mut bytes = Vec::new();
        write_metadata(&mut bytes, metadata);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn most_metadata_is_plain_and_seen_to_be() {
        for plain in ["", "p", "p=1", "p;q=2;r", "p=a=b;q==", "p=;q", "p%=1", "-._~=/?@{}"] {
            assert!(is_plain(plain) && written(plain) == plain, "{plain:?}");
        }
        for well_formed in ["p = 1", "p ;q", "p=%41", "p=%e9;q=a"] {
            assert!(!is_plain(well_formed) && written(well_formed) == well_formed, "{well_formed:?}");
        }
        let neither =
            [";", "p;", ";p", "p;;q", "=1", "p;=1", "p q", "p=a b", "p=%", "p=\"", "é", "p=é", " p"];
        for neither in neither.into_iter().chain(["p,q", "p\t;q"]) {
            assert!(!is_plain(neither) && written(neither) != neither, "{neither:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_goes_as_it_is(metadata in "[-;=%@pq4A \t,\"é]{0,12}") {
            prop_assert!(!is_plain(&metadata) || written(&metadata) == metadata);
        }
    }

    #[test]
    fn a_percent_sign_stands_for_itself_in_a_key_and_is_escaped_in_a_value() {
        let rows = [
            ("a token may hold a percent sign", "p%;q%zz=1;r%20=2", "p%;q%zz=1;r%20=2"),
            ("a value holds none but of an escape", "p=100%;q=%zz;r=%20", "p=100%25;q=%25zz;r=%20"),
            ("what is no token becomes one", "p q%;=%;(%", "p%20q%;%3D%;%28%"),
            ("a tab that is whitespace leaves as a space", "p\t=\t1 \t; \tq", "p = 1  ;  q"),
            ("a tab that is not is escaped", "p\tq;r=\t1\t2", "p%09q;r= 1%092"),
        ];
        for (rule, metadata, expected) in rows {
            assert_eq!(written(metadata), expected, "{rule}: {metadata:?}");
            assert_eq!(written(expected), expected, "{rule}: twice");
        }
    }
}
