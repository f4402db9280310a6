//! The same headers through `opentelemetry_sdk`'s propagator: where the two disagree, a rule says why.

mod common;

use common::{baggage, entries, given, is_strict, received, sent};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
};
use opentelemetry_sdk::propagation::BaggagePropagator as Sdk;
use otel_w3c_baggage::BaggagePropagator;
use std::collections::BTreeSet;

type Entries = std::collections::BTreeMap<String, (String, String)>;

fn read(propagator: &dyn TextMapPropagator, lines: &[&str]) -> Entries {
    entries(propagator.extract_with_context(&given(), &received(lines)).baggage())
}

/// Headers of which both read the same.
const AGREED: &[&str] = &[
    "a=1",
    "a=1,b=2",
    " a = 1 , b = 2 ",
    "a=",
    "a=b%20%2C,c=%C3%A9",
    "a=1;p;q=2",
    "a=1,b",
    "a=1,,b=2,",
    "a=1,a=2",
    "a=+",
    "a=100%",
    "a=%zz",
    "a=1,=2",
    "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
];

/// Rule that decides, lines, what the SDK reads, what we read; each as its keys and values.
type Disagreement = (&'static str, &'static [&'static str], &'static str, &'static str);

const DISAGREED: &[Disagreement] = &[
    (
        "several lines are one header: https://www.w3.org/TR/baggage/#baggage-http-header-format",
        &["a=1", "b=2"],
        "a=1",
        "a=1&b=2",
    ),
    (
        "parsers must not take every equals sign for the one behind the key: https://www.w3.org/TR/baggage/#value",
        &["a=b=c"],
        "a=b",
        "a=b=c",
    ),
    (
        "a key is a token, which is not percent-coded: https://www.w3.org/TR/baggage/#key",
        &["%41=1"],
        "A=1",
        "%41=1",
    ),
    ("as above: what decodes to no token is one", &["a%20b=1"], "", "a%20b=1"),
    (
        "what is not UTF-8 is replaced, not refused: https://www.w3.org/TR/baggage/#value",
        &["a=%ff,b=2"],
        "b=2",
        "a=\u{fffd}&b=2",
    ),
    (
        "whitespace is trimmed before decoding: https://www.w3.org/TR/baggage/#value",
        &["a=%20b%20"],
        "a=b",
        "a= b ",
    ),
    (
        "a value is made of baggage-octets: https://www.w3.org/TR/baggage/#definition",
        &["a=b c,d=4"],
        "a=b c&d=4",
        "d=4",
    ),
    ("as above", &["a=\"b\",d=4"], "a=\"b\"&d=4", "d=4"),
    ("as above", &["a=b\\,d=4"], "a=b\\&d=4", "d=4"),
    ("as above", &["a=é,d=4"], "a=é&d=4", "d=4"),
    (
        "only spaces and tabs are optional whitespace: https://www.w3.org/TR/baggage/#definition",
        &["a=1\n"],
        "a=1",
        "given=stays",
    ),
    (
        "where nothing can be read the given context comes back: \
         https://opentelemetry.io/docs/specs/otel/context/api-propagators/#extract",
        &["a;b"],
        "",
        "given=stays",
    ),
];

fn pairs(entries: &Entries) -> String {
    entries.iter().map(|(key, (value, _))| format!("{key}={value}")).collect::<Vec<_>>().join("&")
}

#[test]
fn both_read_the_same() {
    for &header in AGREED {
        assert_eq!(read(&BaggagePropagator::new(), &[header]), read(&Sdk::new(), &[header]), "{header:?}");
    }
}

#[test]
fn where_reading_differs_a_rule_says_why() {
    for &(rule, lines, theirs, ours) in DISAGREED {
        assert_eq!(pairs(&read(&Sdk::new(), lines)), theirs, "the SDK has changed: {rule}");
        assert_eq!(pairs(&read(&BaggagePropagator::new(), lines)), ours, "{rule}: {lines:?}");
    }
}

#[test]
fn metadata_is_opaque_and_the_sdk_decodes_it() {
    // > Property keys and values are given no specific meaning by this specification.
    let header = "a=1;x%2Cadmin=true";
    assert_eq!(read(&Sdk::new(), &[header])["a"].1, "x,admin=true");
    assert_eq!(read(&BaggagePropagator::new(), &[header])["a"].1, "x%2Cadmin=true");
    // Whitespace around semicolons is part of what is kept; the SDK drops it, and empty properties stay in both.
    let header = "a=1; p ;; q = 2 ";
    assert_eq!(read(&Sdk::new(), &[header])["a"].1, "p;;q = 2");
    assert_eq!(read(&BaggagePropagator::new(), &[header])["a"].1, "p ;; q = 2");
}

#[test]
fn over_the_limit_the_leading_members_stay_and_the_sdk_drops_the_header() {
    let header = format!("a=1,b={}", "x".repeat(8192));
    assert_eq!(pairs(&read(&Sdk::new(), &[&header])), "given=stays");
    assert_eq!(pairs(&read(&BaggagePropagator::new(), &[&header])), "a=1");
}

#[test]
fn empty_members_count_as_members_in_the_sdk() {
    let header = ",".repeat(64) + "a=1";
    assert_eq!(pairs(&read(&Sdk::new(), &[&header])), "");
    assert_eq!(pairs(&read(&BaggagePropagator::new(), &[&header])), "a=1");
}

/// Rule, baggage, what the SDK writes, what we write.
const WRITTEN: &[(&str, [&str; 3], &str, &str)] = &[
    ("the same", ["a", "1", "p=1"], "a=1;p=1", "a=1;p=1"),
    ("the same", ["a", "é, ;\"", ""], "a=%C3%A9%2C%20%3B%22", "a=%C3%A9%2C%20%3B%22"),
    ("an equals sign is a baggage-octet, which may be escaped", ["a", "b=c", ""], "a=b%3Dc", "a=b=c"),
    ("the percent code point MUST be percent-encoded", ["a", "%41", ""], "a=%41", "a=%2541"),
    ("a backslash is no baggage-octet", ["a", "\\", ""], "a=\\", "a=%5C"),
    ("whitespace of a value is part of it", ["a", " b ", ""], "a=b", "a=%20b%20"),
    (
        "a comma in metadata forges no member",
        ["a", "1", "p,admin=true"],
        "a=1;p,admin=true",
        "a=1;p%2Cadmin=true",
    ),
    ("metadata is within the alphabet", ["a", "1", "p=é \"\\"], "a=1;p=é \"\\", "a=1;p=%C3%A9%20%22%5C"),
];

#[test]
fn where_writing_differs_a_rule_says_why() {
    for &(rule, [key, value, metadata], theirs, ours) in WRITTEN {
        let baggage = || baggage([(key, value, metadata)]);
        assert_eq!(sent(&Sdk::new(), baggage()).unwrap(), theirs, "the SDK has changed: {rule}");
        let ours_written = sent(&BaggagePropagator::new(), baggage()).unwrap();
        assert_eq!(ours_written, ours, "{rule}");
        assert!(is_strict(&ours_written), "{rule}");
    }
}

#[test]
fn the_sdk_s_order_changes_and_its_size_has_no_limit() {
    let many = || -> Baggage {
        let value = "é".repeat(60);
        (0..64).map(|i| opentelemetry::KeyValue::new(format!("key{i:02}"), value.clone())).collect()
    };
    let theirs: BTreeSet<_> = (0..20).map(|_| sent(&Sdk::new(), many()).unwrap()).collect();
    let ours: BTreeSet<_> = (0..20).map(|_| sent(&BaggagePropagator::new(), many()).unwrap()).collect();
    assert!(theirs.len() > 1, "the SDK has changed");
    assert!(theirs.iter().all(|header| header.len() > 8192), "the SDK has changed");
    assert_eq!(ours.len(), 1);
    assert!(ours.iter().all(|header| header.len() <= 8192));
}

#[test]
fn what_one_writes_the_other_reads() {
    let cx = Context::new().with_baggage(baggage([("a", "é b,c", "p=1"), ("b", "=;", ""), ("c", "", "")]));
    for (writer, reader) in [
        (&Sdk::new() as &dyn TextMapPropagator, &BaggagePropagator::new() as &dyn TextMapPropagator),
        (&BaggagePropagator::new(), &BaggagePropagator::new()),
    ] {
        let mut carrier = std::collections::HashMap::new();
        writer.inject_context(&cx, &mut carrier);
        let next = reader.extract_with_context(&Context::new(), &carrier);
        assert_eq!(entries(next.baggage()), entries(cx.baggage()), "{carrier:?}");
    }
}
