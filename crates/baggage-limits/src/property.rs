//! Metadata on the way out: what is a well-formed list of properties goes byte for byte, and the rest is escaped
//! until it is one.

use crate::wire::{self, Length, Sink, is_token_byte};

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
            _ if in_key => is_token_byte(byte),
            _ => wire::is_plain(byte),
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
/// Here from behind the first `;`. Whitespace around `;` is kept, but not at either end, where a reader trims it;
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
            out.raw(before);
            out.raw(b";");
            out.raw(leading);
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
    out.raw(trailing);
    out.raw(b"=");
    out.raw(leading);
    property_value(out, value);
}

/// > key = token ; as defined in RFC 7230, Section 3.2.6
///
/// What is no token is escaped until it is one. A percent sign may stand in a token and begins no escape there.
///
/// <https://www.w3.org/TR/baggage/#key>
fn key(out: &mut impl Sink, text: &[u8]) {
    for run in text.chunk_by(|&one, &next| is_token_byte(one) == is_token_byte(next)) {
        if run.first().is_some_and(|&byte| is_token_byte(byte)) {
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
        let end = text.iter().position(|&byte| !wire::is_plain(byte)).unwrap_or(text.len());
        let (run, rest) = text.split_at(end);
        out.raw(run);
        text = match rest {
            [] => return,
            [b'%', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.raw(&[b'%', *high, *low]);
                behind
            }
            [byte, behind @ ..] => {
                out.escaped(*byte);
                behind
            }
        };
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
    use super::{is_plain, is_well_formed, sanitised};
    use proptest::prelude::*;

    #[test]
    fn most_metadata_is_plain_and_seen_to_be() {
        for plain in ["", "p", "p=1", "p;q=2;r", "p=a=b;q==", "p=;q", "p%=1", "-._~=/?@{}"] {
            assert!(is_plain(plain) && is_well_formed(plain), "{plain:?}");
        }
        for well_formed in ["p = 1", "p\t;q", "p=%41", "p=%e9;q=a"] {
            assert!(!is_plain(well_formed) && is_well_formed(well_formed), "{well_formed:?}");
        }
        for neither in
            [";", "p;", ";p", "p;;q", "=1", "p;=1", "p q", "p=a b", "p=%", "p=\"", "é", "p=é", " p", "p,q"]
        {
            assert!(!is_plain(neither) && !is_well_formed(neither), "{neither:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_goes_as_it_is(metadata in "[-;=%@pq4A \t,\"é]{0,12}") {
            prop_assert!(!is_plain(&metadata) || is_well_formed(&metadata));
            prop_assert_eq!(is_well_formed(&metadata), sanitised(&metadata) == metadata);
        }
    }

    #[test]
    fn a_percent_sign_stands_for_itself_in_a_key_and_is_escaped_in_a_value() {
        let rows = [
            ("a token may hold a percent sign", "p%;q%zz=1;r%20=2", "p%;q%zz=1;r%20=2"),
            ("a value holds none but of an escape", "p=100%;q=%zz;r=%20", "p=100%25;q=%25zz;r=%20"),
            ("what is no token becomes one", "p q%;=%;(%", "p%20q%;%3D%;%28%"),
        ];
        for (rule, metadata, expected) in rows {
            assert_eq!(sanitised(metadata), expected, "{rule}: {metadata:?}");
            assert_eq!(sanitised(expected), expected, "{rule}: twice");
        }
    }
}
