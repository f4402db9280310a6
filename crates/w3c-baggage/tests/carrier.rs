//! The propagator between a context and HTTP headers.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Lines, Sent, baggage, entries, expected, given, sent};
use http::{HeaderMap, HeaderValue};
use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use otel_w3c_baggage::{BaggagePropagator, Limits};
use std::collections::HashMap;

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
        ("longer than the limit", &[&[b'a'; 10_000]]),
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
    let read = BaggagePropagator::new().extract_with_context(&cx, &Lines(vec!["a=1"]));
    assert_eq!(read.get::<Mark>(), Some(&Mark(7)));
    assert_eq!(entries(read.baggage()), expected(&[("a", "1", "")]), "baggage is replaced as a whole");
}

#[test]
fn nothing_to_send_sends_nothing() {
    let propagator = BaggagePropagator::new().with_outbound_limits(Limits::new().deny(&["a"]));
    assert_eq!(sent(&propagator, baggage([])), None);
    assert_eq!(sent(&propagator, baggage([("a", "1", "")])), None);
    let mut headers = Sent::default();
    propagator.inject_context(&Context::new(), &mut headers);
    assert!(headers.0.is_empty());
}

#[test]
fn what_is_received_is_sent_to_every_next_hop() {
    let propagator = BaggagePropagator::new();
    let long: Vec<_> = (10..60).map(|i| format!(",key{i}=a%20value%20with%20spaces;p=1")).collect();
    for header in ["a=1,b=%20;p", &format!("a=1{}", long.concat())] {
        let cx = propagator.extract_with_context(&given(), &Lines(vec![header]));
        for hop in 0..3 {
            let mut headers = HeaderMap::new();
            propagator.inject_context(&cx, &mut HeaderInjector(&mut headers));
            assert_eq!(headers["baggage"], header, "hop {hop}");
        }
        let changed = cx.with_baggage(baggage([("c", "3", "")]));
        let mut headers = HeaderMap::new();
        propagator.inject_context(&changed, &mut HeaderInjector(&mut headers));
        assert_eq!(headers["baggage"], "c=3", "what was received is not sent for something else");
        let one = propagator.with_limits(Limits::new().max_members(1));
        one.inject_context(&cx, &mut HeaderInjector(&mut headers));
        assert_eq!(headers["baggage"], "a=1", "nor by a propagator of other limits");
    }
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
