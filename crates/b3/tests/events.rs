//! The events of refused headers. They stand alone because each rule has one throttle in the whole process.

#![allow(
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "the identifiers are ASCII; a poisoned lock fails the test"
)]

mod common;

use common::{Headers, PARENT, SPAN, TRACE, extract, headers};
use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_http::HeaderExtractor;
use otel_b3::{B3Propagator, Sampling, SamplingExt};
use std::collections::HashMap;
use testing::{
    carrier::Attaching,
    events,
    format::{refused, refused_lines},
};

fn told_of(request: &Headers) -> Vec<(String, String, String)> {
    refused(|| drop(extract(request)))
}

#[test]
fn each_bad_form_is_told_of_once_with_its_rule_and_size() {
    let ids = format!("{TRACE}-{SPAN}");
    let zero = "0".repeat(16);
    let single = [
        ("trace id is not 16 or 32 characters", "SECRET".to_owned()),
        ("trace id is not lower-case hex", format!("SECRET{}", &ids[6..])),
        ("trace id is all zeros", format!("{zero}-{SPAN}-1")),
        ("no span id", TRACE.to_owned()),
        ("span id is not 16 characters", format!("{TRACE}-SECRET")),
        ("span id is not lower-case hex", format!("{TRACE}-SECRET{}-1", &SPAN[6..])),
        ("span id is all zeros", format!("{TRACE}-{zero}-1")),
        ("parent span id is not 16 characters", format!("{ids}-1-SECRET")),
        ("parent span id is not lower-case hex", format!("{ids}-1-SECRET{}", &PARENT[6..])),
        ("not a sampling state", format!("{ids}-SECRET")),
    ];
    for (rule, value) in &single {
        let expected = ("b3".to_owned(), (*rule).to_owned(), value.len().to_string());
        assert_eq!(told_of(&headers([("b3", value)])), [expected], "{value:?}");
    }
    let (trace, span) = (("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN));
    let multi = [
        ("no trace id", "x-b3-traceid", vec![span]),
        ("no span id", "x-b3-spanid", vec![trace]),
        ("trace id is not 16 or 32 characters", "x-b3-traceid", vec![("x-b3-traceid", "SECRET"), span]),
        ("span id is not 16 characters", "x-b3-spanid", vec![trace, ("x-b3-spanid", "SECRET")]),
        (
            "parent span id is not 16 characters",
            "x-b3-parentspanid",
            vec![trace, span, ("x-b3-parentspanid", "SECRET")],
        ),
        ("not a sampling state", "x-b3-sampled", vec![("x-b3-sampled", "SECRET")]),
    ];
    for (rule, header, request) in multi {
        let bytes = request.iter().find(|(name, _)| *name == header).map_or(0, |(_, value)| value.len());
        let expected = (header.to_owned(), rule.to_owned(), bytes.to_string());
        assert_eq!(told_of(&headers(request.clone())), [expected], "{request:?}");
    }
}

#[test]
fn a_form_that_is_good_or_absent_is_not_told_of() {
    for request in [
        vec![],
        vec![("b3", "0")],
        vec![("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)],
        vec![("x-b3-flags", "0")],
        vec![("x-b3-parentspanid", SPAN)],
        // The single header is enough, whatever else there is.
        vec![("b3", "1"), ("x-b3-traceid", "?")],
    ] {
        assert_eq!(told_of(&headers(request.clone())), [], "{request:?}");
    }
}

#[test]
fn a_bad_single_header_is_told_of_even_where_the_other_form_is_good_and_so_are_two_bad_ones() {
    let one = told_of(&headers([("b3", "00000000000000000"), ("x-b3-sampled", "0")]));
    assert_eq!(one.len(), 1, "{one:?}");
    let both =
        told_of(&headers([("b3", "00000000000000000"), ("x-b3-traceid", "00"), ("x-b3-spanid", SPAN)]));
    let names: Vec<_> = both.iter().map(|(header, ..)| header.as_str()).collect();
    assert_eq!(names, ["b3", "x-b3-traceid"]);
}

#[test]
fn a_header_that_is_no_text_is_told_of() {
    let expected = ["b3", "value is not visible ASCII", "0"].map(str::to_owned);
    let told = refused_lines(&B3Propagator::new(), "b3", &[b"\xff"]).into_iter();
    assert_eq!(told.map(|(header, rule, bytes)| [header, rule, bytes]).collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_header_of_the_other_form_that_is_no_text_is_told_of_by_its_name() {
    for name in ["x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled"] {
        let mut carrier = http::HeaderMap::new();
        for (name, value) in [("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)] {
            carrier.insert(name, http::HeaderValue::from_static(value));
        }
        carrier.insert(name, http::HeaderValue::from_bytes(b"\xff").unwrap());
        let told = events(|| {
            let cx = B3Propagator::new().extract_with_context(&Context::new(), &HeaderExtractor(&carrier));
            assert!(!cx.has_active_span());
        });
        let [event] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((event.get("header"), event.get("rule")), (name, "value is not visible ASCII"));
    }
}

#[test]
fn a_flood_costs_a_few_events() {
    let request = headers([("x-b3-traceid", "0".repeat(32)), ("x-b3-spanid", SPAN.to_owned())]);
    let told = events(|| (0..10_000).for_each(|_| drop(extract(&request))));
    assert!((1..=10).contains(&told.len()), "{} events", told.len());
}

/// Subscribers, exporters and carriers may attach contexts, which panics under a borrow of the current one.
#[test]
fn the_current_context_is_not_borrowed_while_a_carrier_is_asked() {
    let mut carrier = Attaching::with("1");
    let _guard = extract(&headers([("b3", "0")])).attach();
    B3Propagator::new().inject(&mut carrier);
    assert_eq!(carrier.set, ["b3"], "the current context is sent");
    assert_eq!(B3Propagator::new().extract(&carrier).bare_sampling(), Some(Sampling::Accept));
    let nothing = B3Propagator::new().extract(&HashMap::new());
    assert_eq!(nothing.bare_sampling(), Some(Sampling::Deny), "the current context is given back");
}
