//! One event for each bad header, which names the rule and holds nothing that the peer sent.
//!
//! The throttles belong to the program, so no rule may occur more often than a burst in all tests together.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code outside of a test function")]

mod common;

use common::{Lines, VALID, context_of, extract, headers, inject, with_tracestate};
use opentelemetry::trace::TraceState;
use opentelemetry_http::HeaderExtractor;
use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The fields of an event, and its name, level and target.
type Fields = BTreeMap<&'static str, String>;

#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Vec<Fields>>>);

struct Visitor<'a>(&'a mut Fields);

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields::from([
            ("name", metadata.name().to_owned()),
            ("target", metadata.target().to_owned()),
            ("level", metadata.level().to_string()),
        ]);
        event.record(&mut Visitor(&mut fields));
        self.0.lock().unwrap().push(fields);
    }
}

fn events_of(act: impl FnOnce()) -> Vec<Fields> {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), act);
    recorder.0.lock().unwrap().clone()
}

/// The header and the rule of each event.
fn rules_of(act: impl FnOnce()) -> Vec<(String, String)> {
    events_of(act).into_iter().map(|event| (event["header"].clone(), event["rule"].clone())).collect()
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
    let events = events_of(|| {
        drop(extract(&Lines(vec![])));
        drop(extract(&Lines(vec![("tracestate", "BAD")])));
        drop(inject(&extract(&with_tracestate(&["foo@@bar=1", "", " , "]))));
        drop(inject(&extract(&with_tracestate(&["a=1", "b=2"]))));
        drop(inject(&opentelemetry::Context::new()));
    });
    assert_eq!(events, Vec::<Fields>::new());
}

#[test]
fn an_event_has_sizes_and_nothing_of_the_value() {
    let events = events_of(|| drop(extract(&traceparent("00-0af7651916cd43dd8448eb211c80319c-SECRET"))));
    let expected = [
        ("name", "propagator.rejected"),
        ("target", "otel_propagator"),
        ("level", "WARN"),
        ("header", "traceparent"),
        ("rule", "parent-id is cut short"),
        ("bytes", "42"),
        ("suppressed", "0"),
        ("message", "traceparent header not used: parent-id is cut short"),
    ];
    let expected = expected.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(events, [Fields::from(expected)]);
}

#[test]
fn local_members_that_are_not_sent_are_one_event() {
    let state =
        TraceState::from_key_value([("a", "SECRET\n"), ("b", "2"), ("c", ""), ("d", "4"), ("e", "5")])
            .unwrap();
    let events = events_of(|| drop(inject(&context_of(1, state))));
    let expected = [
        ("name", "propagator.left_out"),
        ("target", "otel_propagator"),
        ("level", "WARN"),
        ("header", "tracestate"),
        ("direction", "out"),
        ("rule", "key or value is outside the grammar"),
        ("left_out", "2"),
        ("kept", "3"),
        ("bytes", "24"),
        ("suppressed", "0"),
        ("message", "2 member(s) of the tracestate header left out: key or value is outside the grammar"),
    ];
    let expected = expected.map(|(name, value)| (name, value.to_owned()));
    assert_eq!(events, [Fields::from(expected)]);
}
