//! Metadata on the way out: what is a well-formed list of properties goes byte for byte, and the rest is escaped
//! until it is one.

use crate::wire::{Length, Sink, is_plain, is_token_byte};

/// How many bytes [`write_metadata`] writes.
pub(crate) fn metadata_len(metadata: &str) -> usize {
    let mut length = Length::default();
    write_metadata(&mut length, metadata);
    length.0
}

/// Whether [`write_metadata`] changes nothing.
pub(crate) fn is_well_formed(metadata: &str) -> bool {
    let mut unchanged = Unchanged(Some(metadata.as_bytes()));
    write_metadata(&mut unchanged, metadata);
    unchanged.0 == Some(b"")
}

/// The metadata with everything escaped that may not stand in it.
pub(crate) fn sanitised(metadata: &str) -> String {
    let mut bytes = Vec::new();
    write_metadata(&mut bytes, metadata);
    String::from_utf8(bytes).unwrap_or_default()
}

/// What is left of a text while the same text is written again; nothing, once something else was.
struct Unchanged<'a>(Option<&'a [u8]>);

impl Sink for Unchanged<'_> {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 = self.0.and_then(|rest| rest.strip_prefix(bytes));
    }
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// Here from behind the first `;`. Whitespace around `;` is kept, but not at either end, where a reader trims it;
/// empty properties, which the grammar does not have, are dropped.
///
/// <https://www.w3.org/TR/baggage/#definition>
pub(crate) fn write_metadata(out: &mut impl Sink, metadata: &str) {
    let mut before = None;
    for part in metadata.split(';') {
        let (leading, rest) = split_leading_ows(part);
        let (text, trailing) = split_trailing_ows(rest);
        if text.is_empty() {
            continue;
        }
        if let Some(before) = before.replace(trailing) {
            out.raw(before.as_bytes());
            out.raw(b";");
            out.raw(leading.as_bytes());
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
fn property(out: &mut impl Sink, text: &str) {
    let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return escape_unless(out, text, is_token_byte);
    };
    let (name, trailing) = split_trailing_ows(name);
    let (leading, value) = split_leading_ows(value);
    escape_unless(out, name, is_token_byte);
    out.raw(trailing.as_bytes());
    out.raw(b"=");
    out.raw(leading.as_bytes());
    escape_unless(out, value, is_plain);
}

/// Writes the text; what `raw` refuses is escaped, and a percent sign too unless it begins an escape already.
fn escape_unless(out: &mut impl Sink, text: &str, raw: fn(u8) -> bool) {
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.split_at_checked(2)) {
            (b'%', Some((digits, behind))) if digits.iter().all(u8::is_ascii_hexdigit) => {
                out.raw(b"%");
                out.raw(digits);
                rest = behind;
            }
            (b'%', _) => out.escaped(byte),
            _ if raw(byte) => out.raw(&[byte]),
            _ => out.escaped(byte),
        }
    }
}

/// > OWS = *( SP / HTAB )
const OWS: [char; 2] = [' ', '\t'];

fn split_leading_ows(text: &str) -> (&str, &str) {
    let rest = text.trim_start_matches(OWS);
    text.split_at_checked(text.len() - rest.len()).unwrap_or(("", text))
}

fn split_trailing_ows(text: &str) -> (&str, &str) {
    text.split_at_checked(text.trim_end_matches(OWS).len()).unwrap_or((text, ""))
}
