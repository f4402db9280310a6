//! Metadata on the way out: what is a well-formed list of properties goes byte for byte, and the rest is escaped
//! until it is one.

use crate::octets::{TCHAR, UNESCAPED};
use percent_encoding::percent_encode_byte;

/// Where wire text goes: into a header, or only through a count.
pub(crate) trait Sink {
    /// Takes text as it is.
    fn raw(&mut self, text: &str);
    /// Takes one byte as its percent-escape: <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>.
    fn escaped(&mut self, byte: u8) {
        self.raw(percent_encode_byte(byte));
    }
}

impl Sink for String {
    fn raw(&mut self, text: &str) {
        self.push_str(text);
    }
}

/// The length of what would be written.
#[derive(Default)]
struct Length(usize);

impl Sink for Length {
    fn raw(&mut self, text: &str) {
        self.0 += text.len();
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
pub(crate) fn is_plain(metadata: &[u8]) -> bool {
    metadata.is_empty()
        || matches!(metadata.iter().fold(Plain::Start, |at, &byte| at.then(byte)), Plain::Key | Plain::Value)
}

/// Where in plain metadata the next byte stands.
#[derive(Clone, Copy)]
enum Plain {
    /// A property begins.
    Start,
    /// In or behind the key of a property.
    Key,
    /// In or behind its value, which may be empty.
    Value,
    /// The metadata is not plain.
    No,
}

impl Plain {
    #[inline]
    fn then(self, byte: u8) -> Self {
        let next = NEXT.get(self as usize).and_then(|next| next.get(usize::from(byte)));
        next.copied().unwrap_or(Self::No)
    }

    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Key | Self::Value, b';') => Self::Start,
            (Self::Key, b'=') => Self::Value,
            (Self::Start | Self::Key, _) if TCHAR.has(byte) => Self::Key,
            (Self::Value, _) if UNESCAPED.has(byte) => Self::Value,
            _ => Self::No,
        }
    }

    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn after_each_byte(self) -> [Self; 256] {
        let mut next = [Self::No; 256];
        let mut byte = u8::MAX;
        // Zero is in no set.
        while byte > 0 {
            next[byte as usize] = self.after(byte);
            byte -= 1;
        }
        next
    }
}

/// What [`Plain::after`] says of each state and byte.
static NEXT: [[Plain; 256]; 4] = [
    Plain::Start.after_each_byte(),
    Plain::Key.after_each_byte(),
    Plain::Value.after_each_byte(),
    Plain::No.after_each_byte(),
];

/// Whether there is any property, so that something is written.
pub(crate) fn any(metadata: &str) -> bool {
    metadata.bytes().any(|byte| !matches!(byte, b';' | b' ' | b'\t'))
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// Here from after the first `;`. Whitespace around `;` is kept, but not at either end, where a reader trims it;
/// empty properties, which the grammar does not have, are dropped.
///
/// <https://www.w3.org/TR/baggage/#definition>
pub(crate) fn write_metadata(out: &mut dyn Sink, metadata: &str) {
    let mut before = None;
    for part in metadata.split(';') {
        let (leading, rest) = split_leading_ows(part);
        let (text, trailing) = split_trailing_ows(rest);
        if text.is_empty() {
            continue;
        }
        if let Some(before) = before.replace(trailing) {
            ows(out, before);
            out.raw(";");
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
fn property(out: &mut dyn Sink, text: &str) {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return key(out, text);
    };
    let (name, trailing) = split_trailing_ows(name);
    let (leading, value) = split_leading_ows(value);
    key(out, name);
    ows(out, trailing);
    out.raw("=");
    ows(out, leading);
    property_value(out, value);
}

/// > key = token ; as defined in RFC 7230, Section 3.2.6
///
/// What is no token is escaped until it is one. A percent sign may stand in a token and begins no escape there.
///
/// <https://www.w3.org/TR/baggage/#key>
fn key(out: &mut dyn Sink, mut text: &str) {
    while !text.is_empty() {
        let (run, rest) = TCHAR.split(text);
        out.raw(run);
        text = escape_first(out, rest);
    }
}

/// Writes the text; what is no baggage-octet is escaped, and a percent sign too unless it begins an escape already.
fn property_value(out: &mut dyn Sink, mut text: &str) {
    while !text.is_empty() {
        let (run, rest) = UNESCAPED.split(text);
        out.raw(run);
        text = match rest.split_at_checked("%41".len()) {
            Some((escape, after)) if is_escape(escape) => {
                out.raw(escape);
                after
            }
            _ => escape_first(out, rest),
        };
    }
}

/// > pct-encoded = "%" HEXDIG HEXDIG
///
/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>
fn is_escape(text: &str) -> bool {
    matches!(text.as_bytes(), [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Writes the first character as escapes, and gives what comes after it.
fn escape_first<'a>(out: &mut dyn Sink, text: &'a str) -> &'a str {
    let mut characters = text.chars();
    if let Some(first) = characters.next() {
        for byte in first.encode_utf8(&mut [0; 4]).bytes() {
            out.escaped(byte);
        }
    }
    characters.as_str()
}

/// Writes whitespace as it is, but each tab as a space: a tab is no byte of a gRPC ASCII value, and
///
/// > a sender SHOULD generate the optional whitespace as a single SP
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3>
fn ows(out: &mut dyn Sink, whitespace: &str) {
    for _ in whitespace.bytes() {
        out.raw(" ");
    }
}

/// > OWS = *( SP / HTAB )
const OWS: [char; 2] = [' ', '\t'];

fn split_leading_ows(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(OWS);
    text.split_at_checked(text.len() - rest.len()).unwrap_or((text, ""))
}

fn split_trailing_ows(text: &str) -> (&str, &str) {
    text.split_at_checked(text.trim_end_matches(OWS).len()).unwrap_or((text, ""))
}

#[cfg(test)]
mod tests {
    use super::{is_plain, write_metadata};
    use proptest::prelude::*;

    fn written(metadata: &str) -> String {
        let mut text = String::new();
        write_metadata(&mut text, metadata);
        text
    }

    #[test]
    fn most_metadata_is_plain_and_seen_to_be() {
        for plain in ["", "p", "p=1", "p;q=2;r", "p=a=b;q==", "p=;q", "p%=1", "-._~=/?@{}"] {
            assert!(is_plain(plain.as_bytes()) && written(plain) == plain, "{plain:?}");
        }
        for well_formed in ["p = 1", "p ;q", "p=%41", "p=%e9;q=a"] {
            assert!(
                !is_plain(well_formed.as_bytes()) && written(well_formed) == well_formed,
                "{well_formed:?}"
            );
        }
        let neither =
            [";", "p;", ";p", "p;;q", "=1", "p;=1", "p q", "p=a b", "p=%", "p=\"", "é", "p=é", " p"];
        for neither in neither.into_iter().chain(["p,q", "p\t;q"]) {
            assert!(!is_plain(neither.as_bytes()) && written(neither) != neither, "{neither:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_goes_as_it_is(metadata in "[-;=%@pq4A \t,\"é]{0,12}") {
            prop_assert!(!is_plain(metadata.as_bytes()) || written(&metadata) == metadata);
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
