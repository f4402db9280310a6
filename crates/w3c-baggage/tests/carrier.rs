//! The propagator between a context and HTTP headers.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{baggage, entries, expected, given, received, sent};
use http::{HeaderMap, HeaderValue};
use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use otel_w3c_baggage::{BaggagePropagator, BothWays, Direction, Limits, Observer, Reason};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

fn read(lines: &[&[u8]]) -> Context {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("baggage", HeaderValue::from_bytes(line).unwrap());
    }
    BaggagePropagator::new().extract_with_context(&given(), &HeaderExtractor(&headers))
}

#[test]
fn all_lines_are_read_as_one() {
    let cx = read(&[b"userId=alice", b"serverNode=DF%2028,isProduction=false", b"userId=bob"]);
    let members = [("userId", "bob", ""), ("serverNode", "DF 28", ""), ("isProduction", "false", "")];
    assert_eq!(entries(cx.baggage()), expected(&members));
}

#[test]
fn a_line_that_is_not_text_leaves_the_others() {
    assert_eq!(entries(read(&[b"a=\xff", b"b=2"]).baggage()), expected(&[("b", "2", "")]));
}

#[test]
fn where_nothing_can_be_read_the_given_context_comes_back() {
    let rows: [(&str, &[&[u8]]); 8] = [
        ("absent", &[]),
        ("empty", &[b""]),
        ("only whitespace", &[b" \t "]),
        ("only commas", &[b",,", b","]),
        ("not text", &[b"a=\xff"]),
        ("no member", &[b"a;b"]),
        ("a bad key and a bad value", &[b"a b=1", b"c=d e"]),
        ("longer than what is looked at", &["a".repeat(20_000).leak().as_bytes()]),
    ];
    for (rule, lines) in rows {
        assert_eq!(entries(read(lines).baggage()), expected(&[("given", "stays", "")]), "{rule}");
    }
}

#[test]
fn the_rest_of_the_context_stays() {
    #[derive(Debug, PartialEq)]
    struct Mark(u8);
    let cx = given().with_value(Mark(7));
    let read = BaggagePropagator::new().extract_with_context(&cx, &received(&["a=1"]));
    assert_eq!(read.get::<Mark>(), Some(&Mark(7)));
    assert_eq!(entries(read.baggage()), expected(&[("a", "1", "")]), "baggage is replaced as a whole");
}

#[test]
fn no_baggage_sends_nothing_and_baggage_that_may_not_go_overrides_an_older_header() {
    let propagator = BaggagePropagator::new()
        .with_limits(BothWays { outbound: Limits::new().deny(&["a"]), ..BothWays::new() });
    assert_eq!(sent(&propagator, baggage([])), None);
    assert_eq!(sent(&propagator, baggage([("a", "1", "")])).as_deref(), Some(""));
    // A proxy that copies the headers of a request and then injects.
    let mut copied =
        HeaderMap::from_iter([(http::header::HeaderName::from_static("baggage"), "a=1".parse().unwrap())]);
    let cx = propagator.extract_with_context(&Context::new(), &HeaderExtractor(&copied));
    assert_eq!(cx.baggage().len(), 1);
    propagator.inject_context(&cx, &mut HeaderInjector(&mut copied));
    assert_eq!(copied["baggage"], "", "the denied key does not go out");
    let next = BaggagePropagator::new().extract_with_context(&given(), &HeaderExtractor(&copied));
    assert_eq!(entries(next.baggage()), expected(&[("given", "stays", "")]), "an empty header is none");
}

#[test]
fn a_tab_of_a_peer_leaves_as_a_space() {
    let propagator = BaggagePropagator::new();
    let cx = propagator.extract_with_context(&Context::new(), &received(&["a=1 ;\tp\t=\tq;\tr"]));
    let mut headers = HeaderMap::new();
    propagator.inject_context(&cx, &mut HeaderInjector(&mut headers));
    assert_eq!(headers["baggage"], "a=1;p = q; r");
}

/// What one request is sent as says nothing about the next.
#[test]
fn one_context_is_sent_within_each_propagators_own_limits() {
    let members = (10..60).map(|i| format!("key{i}=a%20value%20with%20spaces;p=1"));
    let header = members.collect::<Vec<_>>().join(",");
    let propagator = BaggagePropagator::new();
    let cx = propagator.extract_with_context(&given(), &received(&[&header]));
    let (_, others) = header.split_once(',').unwrap();
    for (limits, expected) in [
        (Limits::new(), header.as_str()),
        (Limits::new().deny(&["key10"]), others),
        (Limits::new().allow(&["key10"]), "key10=a%20value%20with%20spaces;p=1"),
        (Limits::new().max_members(1), "key10=a%20value%20with%20spaces;p=1"),
        (Limits::new().deny(&["*"]), ""),
        (Limits::new(), &header),
    ] {
        for hop in 0..3 {
            let mut headers = HeaderMap::new();
            let propagator =
                propagator.clone().with_limits(BothWays { outbound: limits.clone(), ..BothWays::new() });
            propagator.inject_context(&cx, &mut HeaderInjector(&mut headers));
            assert_eq!(headers["baggage"], expected, "hop {hop}, {limits:?}");
        }
    }
    let changed = cx.with_baggage(baggage([("c", "3", "")]));
    let mut headers = HeaderMap::new();
    propagator.inject_context(&changed, &mut HeaderInjector(&mut headers));
    assert_eq!(headers["baggage"], "c=3", "what was received is not sent for something else");
}

#[test]
fn every_header_of_which_something_is_left_out_is_reported() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let seen = reports.clone();
    let observer = Observer::new(move |report| {
        seen.lock().unwrap().push((report.direction, report.reasons().collect()));
    });
    let propagator =
        BaggagePropagator::new().with_limits(BothWays { observer, ..Limits::new().max_members(1).into() });
    let cx = Context::new().with_baggage(baggage([("a", "1", ""), ("b", "2", "")]));
    for _ in 0..100 {
        propagator.inject_context(&cx, &mut HashMap::new());
    }
    propagator.extract_with_context(&cx, &received(&["a=1,b=2,c"]));
    propagator.extract_with_context(&cx, &received(&["a=1"]));
    let mut expected: Vec<(Direction, Vec<_>)> =
        vec![(Direction::Out, vec![(Reason::TooManyMembers, 1)]); 100];
    expected.push((Direction::In, vec![(Reason::NoEqualsSign, 1), (Reason::TooManyMembers, 1)]));
    assert_eq!(*reports.lock().unwrap(), expected);
}

/// Contexts that each come from the one before, as a consumer of messages makes them.
#[test]
fn an_extraction_keeps_nothing_of_the_context_it_was_given() {
    struct Value(#[allow(dead_code, reason = "held")] Arc<()>);
    let propagator = BaggagePropagator::new();
    let header = format!("a={}", "x".repeat(600));
    let carrier = HashMap::from([("baggage".to_owned(), header)]);
    let life = Arc::new(());
    let mut cx = Context::new();
    for _ in 0..30_000 {
        cx = propagator.extract_with_context(&cx.with_value(Value(Arc::clone(&life))), &carrier);
        propagator.inject_context(&cx, &mut HashMap::new());
    }
    assert_eq!(Arc::strong_count(&life), 2, "the test's own, and that of the last context");
    cx = cx.with_value(Value(Arc::new(())));
    assert_eq!(Arc::strong_count(&life), 1, "what was replaced is gone");
    assert_eq!(cx.baggage().len(), 1);
}

/// Metadata that says more than a property may, on its way through one hop.
#[test]
fn metadata_never_becomes_a_member_or_a_header() {
    let propagator = BaggagePropagator::new();
    for metadata in ["x%2Cadmin%3Dtrue", "a%0D%0Ab", "p\r\nx-evil: 1", "p,admin=true", "p%2", "%2", "C"] {
        let mut headers = HeaderMap::new();
        let cx = Context::new().with_baggage(baggage([("a", "1", metadata), ("b", "2", metadata)]));
        propagator.inject_context(&cx, &mut HeaderInjector(&mut headers));
        assert_eq!(headers.len(), 1, "{metadata:?}");
        let next = propagator.extract_with_context(&Context::new(), &HeaderExtractor(&headers));
        assert_eq!(entries(next.baggage()).keys().collect::<Vec<_>>(), ["a", "b"], "{metadata:?}");
    }
}

#[test]
fn a_map_of_strings_is_a_carrier_too() {
    let propagator = BaggagePropagator::default();
    let mut carrier = HashMap::new();
    propagator.inject_context(&given(), &mut carrier);
    assert_eq!(carrier["baggage"], "given=stays");
    let cx = propagator.extract_with_context(&Context::new(), &carrier);
    assert_eq!(entries(cx.baggage()), expected(&[("given", "stays", "")]));
    assert_eq!(propagator.fields().collect::<Vec<_>>(), ["baggage"]);
}
