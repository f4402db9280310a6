//! What is written for a baggage, by section of <https://www.w3.org/TR/baggage/>.

mod common;

use common::{baggage, entries, is_strict, is_token};
use otel_w3c_baggage::{Limits, decode, encode};

/// Rule, value, how it is written.
const VALUES: &[(&str, &str, &str)] = &[
    // https://www.w3.org/TR/baggage/#value
    ("empty", "", ""),
    ("baggage-octets as they are", "!#$&'()*+-./09:<=>?@AZ[]^_`az{|}~", "!#$&'()*+-./09:<=>?@AZ[]^_`az{|}~"),
    ("what parts members", "a,b;c", "a%2Cb%3Bc"),
    ("a percent sign", "100%", "100%25"),
    ("what looks like an escape", "%20", "%2520"),
    ("a backslash and a quote", "\\\"", "%5C%22"),
    ("white space", " a\tb ", "%20a%09b%20"),
    ("what would end a header", "a\r\nb: c", "a%0D%0Ab:%20c"),
    ("control characters", "\0\x1f\x7f", "%00%1F%7F"),
    ("non-ASCII", "Amélie €😊", "Am%C3%A9lie%20%E2%82%AC%F0%9F%98%8A"),
    ("more than sixteen bytes", "0123456789abcdef0123456789", "0123456789abcdef0123456789"),
    (
        "an escape behind sixteen bytes",
        "0123456789abcdef 123456789abcdef,",
        "0123456789abcdef%20123456789abcdef%2C",
    ),
];

/// Rule, metadata, how it is written.
const METADATA: &[(&str, &str, &str)] = &[
    // https://www.w3.org/TR/baggage/#property: what is well-formed goes byte for byte
    ("a key", "p", "p"),
    ("a key and a value", "p=1", "p=1"),
    ("several", "p=1;q;r=2=3", "p=1;q;r=2=3"),
    ("an empty value", "p=", "p="),
    ("whitespace between properties, a tab as a space", "p \t;\t q", "p  ;  q"),
    ("whitespace around an equals sign", "p =\t 1;q", "p =  1;q"),
    ("escapes", "p=%2c%2C;%41", "p=%2c%2C;%41"),
    ("escaped members", "x%2Cadmin%3Dtrue", "x%2Cadmin%3Dtrue"),
    ("escaped line breaks", "a%0D%0Ab", "a%0D%0Ab"),
    // the rest is escaped
    ("a comma", "p,admin=true", "p%2Cadmin=true"),
    ("a comma in a value", "p=1,admin=true", "p=1%2Cadmin=true"),
    ("a space in a key", "p q", "p%20q"),
    ("a space in a value", "p=1 2", "p=1%202"),
    ("a tab in a value", "p=1\t2", "p=1%092"),
    ("a quoted value", "p=\"1\"", "p=%221%22"),
    ("a backslash", "p=\\", "p=%5C"),
    ("line breaks", "p=1\r\nx: y", "p=1%0D%0Ax:%20y"),
    ("NUL", "\0", "%00"),
    ("non-ASCII", "é=é", "%C3%A9=%C3%A9"),
    ("a percent sign that begins no escape", "p=100%;q=%4;r=%zz;s=%%41", "p=100%25;q=%254;r=%25zz;s=%25%41"),
    ("a delimiter in a key", "p/q=/", "p%2Fq=/"),
    // until there is nothing but properties
    ("no property at all", ";;", ""),
    ("empty properties", ";p;;q; ;r;", "p;q;r"),
    ("whitespace where an empty property was", "p ; \t; q; ", "p ; q"),
    ("no key", "=1", "%3D1"),
    ("no key but whitespace", " =1", "%3D1"),
    ("two equals signs", "==", "%3D%3D"),
];

#[test]
fn values_are_escaped() {
    for &(rule, value, written) in VALUES {
        let (header, report) = encode(&baggage([("k", value, "")]), &Limits::new());
        assert_eq!(header, format!("k={written}"), "{rule}: {value:?}");
        assert_eq!(report.kept.bytes, header.len(), "{rule}: {value:?}");
        assert_eq!(decode(&header, &Limits::new()).0.get("k").unwrap().as_str(), value, "{rule}: and back");
    }
}

#[test]
fn metadata_is_kept_or_escaped() {
    for &(rule, metadata, written) in METADATA {
        let (header, report) = encode(&baggage([("k", "v", metadata)]), &Limits::new());
        let semicolon = if written.is_empty() { "" } else { ";" };
        assert_eq!(header, format!("k=v{semicolon}{written}"), "{rule}: {metadata:?}");
        assert_eq!(report.kept.bytes, header.len(), "{rule}: {metadata:?}");
        assert!(is_strict(&header), "{rule}: {header:?}");
        let (next, _) = decode(&header, &Limits::new());
        assert_eq!(encode(&next, &Limits::new()).0, header, "{rule}: the second hop");
    }
}

#[test]
fn members_go_in_the_order_of_their_keys() {
    let rows = [
        (&["b", "a", "c"][..], "a=,b=,c="),
        (&["B", "a", "A", "b"], "A=,B=,a=,b="),
        (&["aa", "a", "aaa"], "a=,aa=,aaa="),
        (
            &["shared.prefix.b", "shared.prefix.a", "shared.prefix"],
            "shared.prefix=,shared.prefix.a=,shared.prefix.b=",
        ),
        (
            &["fourteen.bytesz", "fourteen.bytesa", "fourteen.bytes"],
            "fourteen.bytes=,fourteen.bytesa=,fourteen.bytesz=",
        ),
        (&["1234567", "12345678", "123456789"], "1234567=,12345678=,123456789="),
    ];
    for (keys, header) in rows {
        let baggage = baggage(keys.iter().map(|key| (*key, "", "")));
        assert_eq!(encode(&baggage, &Limits::new()).0, header);
    }
}

#[test]
fn no_member_makes_no_header() {
    assert_eq!(encode(&baggage([]), &Limits::new()).0, "");
    assert_eq!(encode(&baggage([("a", "1", "")]), &Limits::new().allow(&[])).0, "");
}

/// The encoder takes every key for a token, because upstream takes no other.
#[test]
fn upstream_holds_no_key_that_is_not_a_token() {
    for character in '\0'..'\u{1000}' {
        let key = format!("a{character}");
        let baggage = baggage([(key.as_str(), "", "")]);
        assert_eq!(baggage.len() == 1, is_token(&key), "{key:?}");
        assert!(entries(&baggage).keys().all(|kept| *kept == key));
    }
    assert!(baggage([("", "", "")]).is_empty());
}
