//! One event for each bad header, which names the rule and holds nothing that the peer sent.
//!
//! The throttles belong to the program, so no rule may occur more often than a burst in all tests together.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code outside of a test function")]

mod common;

use common::{Lines, VALID, context_of, extract, headers, inject, with_tracestate};
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use otel_tracecontext::TraceContextPropagator;
use testing::{carrier::Attaching, events};

/// The header and the rule of each event.
fn rules_of(act: impl FnOnce()) -> Vec<(String, String)> {
    events(act).iter().map(|event| (event.get("header").to_owned(), event.get("rule").to_owned())).collect()
}

fn traceparent(value: &str) -> Lines<'_> {
    Lines(vec![("traceparent", value), ("tracestate", "BAD")])
}

#[test]
fn a_bad_header_is_one_event_that_names_the_rule() {
    let long = format!("a=1{}", " ".repeat(32_768));
    let many = "a=1,".repeat(33);
    for (header, rule, carrier) in [
        ("traceparent", "version is cut short", traceparent("")),
        ("traceparent", "version is cut short", traceparent(" \t")),
        ("traceparent", "version is not lower-case hex", traceparent("zz-")),
        ("traceparent", "version is not followed by a dash", traceparent("00")),
        ("traceparent", "version ff is forbidden", traceparent("ff-")),
        (
            "traceparent",
            "trace-id is all zeroes",
            traceparent("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
        ),
        (
            "traceparent",
            "trace-flags is followed by more than version 00 allows",
            traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"),
        ),
        (
            "traceparent",
            "header came more than once",
            Lines(vec![("traceparent", VALID), ("traceparent", VALID), ("tracestate", "BAD")]),
        ),
        ("tracestate", "list is longer than 32768 bytes", with_tracestate(&[&long])),
        ("tracestate", "list has more than 32 members", with_tracestate(&[&many])),
        ("tracestate", "list-member has no equals sign", with_tracestate(&["a"])),
        ("tracestate", "key is outside the grammar", with_tracestate(&["A=1,B=2"])),
        ("tracestate", "value is outside the grammar", with_tracestate(&["a=,b=\t"])),
    ] {
        let rules = rules_of(|| drop(extract(&carrier)));
        assert_eq!(rules, [(header.to_owned(), rule.to_owned())]);
    }
    a_flood_of_one_mistake_is_a_burst_and_hides_no_other();
}

fn a_flood_of_one_mistake_is_a_burst_and_hides_no_other() {
    let flood = rules_of(|| (0..1000).for_each(|_| drop(extract(&traceparent("ff-")))));
    assert_eq!(flood.len(), 4, "one of a burst of five was in the table");
    let other = rules_of(|| drop(extract(&traceparent("zz-"))));
    assert_eq!(other.len(), 1);
}

#[test]
fn a_header_that_is_not_text_is_one_event() {
    let bad = [("traceparent", &b"\xff"[..]), ("tracestate", b"\xff")];
    let rules = rules_of(|| drop(extract(&HeaderExtractor(&headers(bad)))));
    assert_eq!(rules, [("traceparent".to_owned(), "value is not visible ASCII".to_owned())]);
    let bad = [("traceparent", VALID.as_bytes()), ("tracestate", b"\xff")];
    let rules = rules_of(|| drop(extract(&HeaderExtractor(&headers(bad)))));
    assert_eq!(rules, [("tracestate".to_owned(), "value is not visible ASCII".to_owned())]);
}

#[test]
fn a_good_header_and_an_absent_one_are_no_event() {
    let events = events(|| {
        drop(extract(&Lines(vec![])));
        drop(extract(&Lines(vec![("tracestate", "BAD")])));
        drop(inject(&extract(&with_tracestate(&["foo@@bar=1", "", " , "]))));
        drop(inject(&extract(&with_tracestate(&["a=1", "b=2"]))));
        drop(inject(&opentelemetry::Context::new()));
    });
    assert_eq!(events, []);
}

#[test]
fn an_event_has_sizes_and_nothing_of_the_value() {
    let events = events(|| drop(extract(&traceparent("00-0af7651916cd43dd8448eb211c80319c-SECRET"))));
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        event.to_string(),
        "WARN propagator.rejected header=traceparent rule=parent-id is cut short bytes=42 suppressed=0"
    );
    assert_eq!(event.message, "traceparent header not used: parent-id is cut short");
}

#[test]
fn local_members_that_are_not_sent_are_one_event() {
    let state =
        TraceState::from_key_value([("a", "SECRET\n"), ("b", "2"), ("c", ""), ("d", "4"), ("e", "5")])
            .unwrap();
    let events = events(|| drop(inject(&context_of(1, state))));
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(
        event.to_string(),
        "WARN propagator.left_out header=tracestate direction=out rule=key or value is outside the grammar \
         left_out=2 kept=3 bytes=24 suppressed=0"
    );
    assert_eq!(
        event.message,
        "2 member(s) of the tracestate header left out: key or value is outside the grammar"
    );
}

/// Subscribers, exporters and carriers may attach contexts, which panics under a borrow of the current one.
#[test]
fn the_current_context_is_not_borrowed_while_a_carrier_is_asked() {
    let propagator = TraceContextPropagator::new();
    let mut carrier = Attaching::with(VALID);
    let _guard = context_of(1, TraceState::default()).attach();
    propagator.inject(&mut carrier);
    assert_eq!(carrier.set, ["traceparent"], "the current context is sent");
    let extracted = propagator.extract(&carrier);
    assert!(extracted.span().span_context().is_remote());
    assert_eq!(
        propagator.extract(&Lines(vec![])).span().span_context(),
        Context::current().span().span_context()
    );
}
