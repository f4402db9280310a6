//! What is read of a header, by section of <https://www.w3.org/TR/baggage/>.

mod common;

use common::{Entry, entries, expected};
use otel_w3c_baggage::{Limits, Reason, decode};

/// Rule, header, entries.
const ACCEPTED: &[(&str, &str, &[Entry])] = &[
    // https://www.w3.org/TR/baggage/#definition
    ("one member", "a=1", &[("a", "1", "")]),
    ("several members", "a=1,b=2,c=3", &[("a", "1", ""), ("b", "2", ""), ("c", "3", "")]),
    ("whitespace around a member", " \ta=1\t , \tb=2 ", &[("a", "1", ""), ("b", "2", "")]),
    ("whitespace around the equals sign", "a \t=\t 1", &[("a", "1", "")]),
    ("whitespace around the semicolon", "a=1 \t;\t p", &[("a", "1", "p")]),
    ("empty elements of a list", ",,a=1, ,\t,b=2,", &[("a", "1", ""), ("b", "2", "")]),
    // https://www.w3.org/TR/baggage/#baggage-string
    ("the last of several members of one key", "a=1,b=2,a=3;p", &[("a", "3", "p"), ("b", "2", "")]),
    // https://www.w3.org/TR/baggage/#key
    ("every byte of a token", "!#$%&'*+-.^_`|~09azAZ=1", &[("!#$%&'*+-.^_`|~09azAZ", "1", "")]),
    ("a key is not decoded", "%41=1,a%2Cb=2", &[("%41", "1", ""), ("a%2Cb", "2", "")]),
    ("upper and lower case are different keys", "a=1,A=2", &[("a", "1", ""), ("A", "2", "")]),
    // https://www.w3.org/TR/baggage/#value
    ("an empty value", "a=,b= ", &[("a", "", ""), ("b", "", "")]),
    ("equals signs in a value", "a=b=c==", &[("a", "b=c==", "")]),
    ("the first baggage-octets", "a=!#$&'()*+-./", &[("a", "!#$&'()*+-./", "")]),
    ("the other baggage-octets", "a=09:<=>?@AZ[]^_`az{|}~", &[("a", "09:<=>?@AZ[]^_`az{|}~", "")]),
    ("escapes", "a=%20%22%2C%3B%5C%25%0D%0A%00", &[("a", " \",;\\%\r\n\0", "")]),
    ("digits of an escape in either case", "a=%c3%A9%C3%a9", &[("a", "éé", "")]),
    ("whitespace is trimmed before decoding, not after", "a= %20b%09 ", &[("a", " b\t", "")]),
    ("a plus is a plus", "a=1+1", &[("a", "1+1", "")]),
    ("decoded once", "a=%2520", &[("a", "%20", "")]),
    (
        "not UTF-8",
        "a=%ff,b=%C3,c=x%E2%82y",
        &[("a", "\u{fffd}", ""), ("b", "\u{fffd}", ""), ("c", "x\u{fffd}y", "")],
    ),
    (
        "a percent sign that begins no escape",
        "a=100%,b=%zz,c=%4,d=%%41",
        &[("a", "100%", ""), ("b", "%zz", ""), ("c", "%4", ""), ("d", "%A", "")],
    ),
    ("an escape cannot be made of two", "a=%%34%31", &[("a", "%41", "")]),
    (
        "a value longer than sixteen bytes",
        "a=0123456789abcdef0123456789",
        &[("a", "0123456789abcdef0123456789", "")],
    ),
    // https://www.w3.org/TR/baggage/#property
    ("properties", "a=1;p;q=2; r = 3", &[("a", "1", "p;q=2; r = 3")]),
    ("metadata is opaque", "a=1;%2C%zz\\\"=é;;=", &[("a", "1", "%2C%zz\\\"=é;;=")]),
    (
        "escaped metadata is no member",
        "a=1;x%2Cadmin%3Dtrue;y%0D%0Az",
        &[("a", "1", "x%2Cadmin%3Dtrue;y%0D%0Az")],
    ),
    ("an equals sign in metadata is not the member's", "a=;b=c", &[("a", "", "b=c")]),
    ("no property behind the semicolon", "a=1; ", &[("a", "1", "")]),
    // https://www.w3.org/TR/baggage/#example
    (
        "the example",
        "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
        &[
            ("key1", "value1", "property1;property2"),
            ("key2", "value2", ""),
            ("key3", "value3", "propertyKey=propertyValue"),
        ],
    ),
    // https://www.w3.org/TR/baggage/#examples-of-http-headers
    (
        "non-ASCII",
        "userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false",
        &[("userId", "Amélie", ""), ("serverNode", "DF 28", ""), ("isProduction", "false", "")],
    ),
    (
        "spaces",
        "userId =   alice, serverNode = DF%2028, isProduction = false",
        &[("userId", "alice", ""), ("serverNode", "DF 28", ""), ("isProduction", "false", "")],
    ),
];

/// Rule, member, reason.
const REJECTED: &[(&str, &str, Reason)] = &[
    // https://www.w3.org/TR/baggage/#definition
    ("no equals sign", "a", Reason::NoEqualsSign),
    ("only properties", ";p", Reason::NoEqualsSign),
    ("a semicolon before the equals sign", "a;p=1", Reason::Key),
    // https://www.w3.org/TR/baggage/#key
    ("no key", "=1", Reason::Key),
    ("only whitespace for a key", " \t=1", Reason::Key),
    ("whitespace in a key", "a b=1", Reason::Key),
    ("a tab in a key", "a\tb=1", Reason::Key),
    ("a delimiter in a key", "a/b=1", Reason::Key),
    ("a quoted key", "\"a\"=1", Reason::Key),
    ("a key that is not ASCII", "é=1", Reason::Key),
    ("a control character in a key", "a\0=1", Reason::Key),
    ("other white space around a key", "\u{a0}a=1", Reason::Key),
    ("a line feed before a key", "\na=1", Reason::Key),
    // https://www.w3.org/TR/baggage/#value
    ("a space in a value", "a=1 2", Reason::Value),
    ("a tab in a value", "a=1\t2", Reason::Value),
    ("a quoted value", "a=\"1\"", Reason::Value),
    ("a backslash", "a=1\\2", Reason::Value),
    ("a value that is not ASCII", "a=é", Reason::Value),
    ("a carriage return", "a=1\r", Reason::Value),
    ("a line feed", "a=1\nb", Reason::Value),
    ("NUL", "a=\0", Reason::Value),
    ("delete", "a=\x7f", Reason::Value),
    ("other white space around a value", "a=\u{2003}1", Reason::Value),
    ("a space among the first sixteen bytes", "a=0123456789 bcdef0", Reason::Value),
    ("a space behind them", "a=0123456789abcdef 0", Reason::Value),
];

#[test]
fn what_the_grammar_allows_is_read() {
    for &(rule, header, members) in ACCEPTED {
        let (baggage, report) = decode(header, &Limits::new());
        assert_eq!(entries(&baggage), expected(members), "{rule}: {header:?}");
        assert_eq!(report.kept.members, members.len(), "{rule}: {header:?}");
        assert!(report.reasons().all(|(reason, _)| reason == Reason::Superseded), "{rule}: {header:?}");
    }
}

#[test]
fn a_bad_member_is_skipped_and_the_good_ones_beside_it_stay() {
    for &(rule, member, reason) in REJECTED {
        let (baggage, report) = decode(member, &Limits::new());
        assert!(baggage.is_empty(), "{rule}: {member:?} alone");
        assert_eq!(report.reasons().collect::<Vec<_>>(), [(reason, 1)], "{rule}: {member:?}");
        let header = format!("b=1,{member},c=2;p");
        let (baggage, report) = decode(&header, &Limits::new());
        assert_eq!(entries(&baggage), expected(&[("b", "1", ""), ("c", "2", "p")]), "{rule}: {header:?}");
        assert_eq!((report.measured.members, report.kept.members), (3, 2), "{rule}: {header:?}");
        assert_eq!(report.left_out(reason), 1, "{rule}: {header:?}");
    }
}

#[test]
fn nothing_is_made_of_nothing() {
    for header in ["", " ", "\t \t", ",", " , ,\t,"] {
        let (baggage, report) = decode(header, &Limits::new());
        assert!(baggage.is_empty() && report.is_complete(), "{header:?}");
        assert_eq!(report.measured.members, 0, "{header:?}");
    }
}

#[test]
fn several_reasons_are_counted_apart() {
    let header = "a,b,c d=1,e=f g,ok=1,ok=2,=,h=\\";
    let (baggage, report) = decode(header, &Limits::new());
    assert_eq!(entries(&baggage), expected(&[("ok", "2", "")]));
    let reasons: Vec<_> = report.reasons().collect();
    let expected = [(Reason::NoEqualsSign, 2), (Reason::Key, 2), (Reason::Value, 2), (Reason::Superseded, 1)];
    assert_eq!(reasons, expected);
    assert_eq!(report.measured.members, 8);
    assert_eq!(report.measured.bytes, header.len());
}

/// Whatever stands where, only members that are there come out.
#[test]
fn a_structural_byte_in_any_position_makes_no_member_of_anything_else() {
    let header = "key=val%20ue;pro=p%2C,two=2";
    for at in 0..=header.len() {
        for byte in ['-', ',', ';', '=', '%', '@', '+', ' ', '\t', '\r', '\n', '\0', '"', '\\', 'é'] {
            let mut header = header.to_owned();
            header.insert(at, byte);
            let (baggage, report) = decode(&header, &Limits::new());
            let pieces: Vec<_> = header.split(',').map(|member| member.trim_matches([' ', '\t'])).collect();
            for (key, _) in entries(&baggage) {
                assert!(pieces.iter().any(|piece| piece.starts_with(&key)), "{key:?} in {header:?}");
            }
            assert!(report.kept.members <= pieces.len(), "{header:?}");
            assert!(!baggage.is_empty(), "one of the two members is not touched: {header:?}");
        }
    }
}
