//! What is measured is what is written, and what is written is of the alphabet.

use otel_baggage_limits::wire::{is_token, is_value, member_len, write_member};
use proptest::prelude::*;

fn written(key: &str, value: &str, metadata: &str) -> String {
    let mut header = Vec::new();
    write_member(&mut header, key, value, metadata);
    String::from_utf8(header).unwrap_or_default()
}

/// <https://www.w3.org/TR/baggage/#definition>, byte by byte.
#[test]
fn every_byte_is_escaped_or_not_as_the_grammar_says() {
    for byte in 0..=0x7f_u8 {
        let text = char::from(byte).to_string();
        let octet = matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
        let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let escaped = format!("%{byte:02X}");
        assert_eq!(is_value(&text), octet, "{byte:#04x}");
        assert_eq!(is_token(&text), token, "{byte:#04x}");
        let raw = octet && byte != b'%';
        for (before, after) in
            [("", ""), ("0123456789abcdef", ""), ("", "0123456789abcdef"), ("01234567", "89abcdef")]
        {
            let value = format!("{before}{text}{after}");
            let expected = format!("k={before}{}{after}", if raw { &text } else { &escaped });
            assert_eq!(written("k", &value, ""), expected, "{byte:#04x} in a value");
            assert_eq!(member_len("k", &value, ""), expected.len(), "{byte:#04x} in a value");
            assert_eq!(is_value(&value), octet, "{byte:#04x}");
        }
    }
    assert!(is_value("") && !is_token("") && !is_value("é") && !is_token("é"));
}

#[test]
fn metadata_without_a_property_is_not_written_and_whitespace_stays_inside_alone() {
    for (metadata, expected) in [
        ("", "k=v"),
        (";", "k=v"),
        (" ; \t;", "k=v"),
        (" p ", "k=v;p"),
        ("\tp = 1 ;\tq\t", "k=v;p = 1 ;\tq"),
        (";p;;q;", "k=v;p;q"),
    ] {
        assert_eq!(written("k", "v", metadata), expected, "{metadata:?}");
        assert_eq!(member_len("k", "v", metadata), expected.len(), "{metadata:?}");
    }
}

proptest! {
    #[test]
    fn what_is_measured_is_what_is_written(value in "\\PC{0,40}|[ -~]{0,60}", metadata in "[-,;=%@+ \t\r\n\0\"\\\\éa4F]{0,30}") {
        let member = written("key", &value, &metadata);
        prop_assert_eq!(member_len("key", &value, &metadata), member.len());
        prop_assert!(member.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~') && byte != b','));
        let (value, metadata) = member.split_once(';').unwrap_or((&member, ""));
        prop_assert!(is_value(value));
        prop_assert_eq!(metadata.split(';').filter(|property| property.trim().is_empty()).count() > 0, !member.contains(';'));
    }
}
