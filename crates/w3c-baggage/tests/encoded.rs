//! Received baggage is encoded once and remembered: what is sent is always what encoding would give now.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test")]

use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
    trace::{Span, SpanContext, Status, TraceContextExt},
};
use otel_w3c_baggage::{BaggagePropagator, Limits, encode};
use proptest::{collection::vec, prelude::*};
use std::{borrow::Cow, collections::HashMap, sync::Arc, time::SystemTime};

const TIGHT: Limits = Limits::new().max_bytes(700);

fn received(header: String) -> Context {
    let carrier = HashMap::from([("baggage".to_owned(), header)]);
    BaggagePropagator::new().extract_with_context(&Context::new(), &carrier)
}

fn sent(cx: &Context, limits: Limits) -> Option<String> {
    let mut carrier = HashMap::new();
    BaggagePropagator::new().with_limits(limits).inject_context(cx, &mut carrier);
    carrier.remove("baggage")
}

fn encoded(cx: &Context, limits: Limits) -> Option<String> {
    Some(encode(cx.baggage(), &limits).0).filter(|header| !header.is_empty())
}

/// What a service does with a context between two requests that it sends.
#[derive(Clone, Debug)]
enum Step {
    Insert(u8, String),
    Remove(u8),
    Clear,
    Copy,
    Unrelated,
    Receive(String),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<u8>(), "[ -~]{0,8}").prop_map(|(key, value)| Step::Insert(key % 32, value)),
        any::<u8>().prop_map(|key| Step::Remove(key % 32)),
        Just(Step::Clear),
        Just(Step::Copy),
        Just(Step::Unrelated),
        header().prop_map(Step::Receive),
    ]
}

/// Headers on both sides of the length from which they are remembered.
fn header() -> impl Strategy<Value = String> {
    vec("[a-z%41;]{0,40}", 1..32).prop_map(|values| {
        let members = values.iter().enumerate().map(|(i, value)| format!("{}={value}", key(i)));
        members.collect::<Vec<_>>().join(",")
    })
}

fn key(i: usize) -> String {
    format!("key-{i}")
}

impl Step {
    fn on(self, cx: &Context) -> Context {
        let mut baggage: Baggage =
            cx.baggage().iter().map(|(key, content)| (key.clone(), content.clone())).collect();
        match self {
            Self::Insert(at, value) => drop(baggage.insert(key(at.into()), value)),
            Self::Remove(at) => drop(baggage.remove(key(at.into()))),
            Self::Clear => return cx.with_cleared_baggage(),
            Self::Copy => {}
            Self::Unrelated => return cx.with_value(0_u8),
            Self::Receive(header) => {
                let carrier = HashMap::from([("baggage".to_owned(), header)]);
                return BaggagePropagator::new().extract_with_context(cx, &carrier);
            }
        }
        cx.with_baggage(baggage)
    }
}

proptest! {
    #[test]
    fn changed_baggage_is_never_answered_with_the_old_header(first in header(), steps in vec(step(), 0..8)) {
        let mut cx = received(first);
        for step in steps {
            for limits in [Limits::new(), TIGHT, Limits::new()] {
                prop_assert_eq!(sent(&cx, limits), encoded(&cx, limits));
            }
            cx = step.on(&cx);
        }
        prop_assert_eq!(sent(&cx, TIGHT), encoded(&cx, TIGHT));
        prop_assert_eq!(sent(&cx, Limits::new()), encoded(&cx, Limits::new()));
    }
}

#[test]
fn one_context_changed_in_two_ways_is_sent_in_two_ways() {
    let cx = received(format!("a={}", "x".repeat(600)));
    let before = sent(&cx, Limits::new());
    let [one, other] = ["1", "2"].map(|value| cx.with_baggage([KeyValue::new("a", value)]));
    assert_eq!(sent(&one, Limits::new()).as_deref(), Some("a=1"));
    assert_eq!(sent(&other, Limits::new()).as_deref(), Some("a=2"));
    assert_eq!(sent(&cx, Limits::new()), before);
}

/// A span whose life can be watched.
#[derive(Debug)]
struct Watched(#[allow(dead_code, reason = "held")] Arc<()>, SpanContext);

impl Span for Watched {
    fn add_event_with_timestamp<T: Into<Cow<'static, str>>>(
        &mut self,
        _: T,
        _: SystemTime,
        _: Vec<KeyValue>,
    ) {
    }
    fn span_context(&self) -> &SpanContext {
        &self.1
    }
    fn is_recording(&self) -> bool {
        true
    }
    fn set_attribute(&mut self, _: KeyValue) {}
    fn set_status(&mut self, _: Status) {}
    fn update_name<T: Into<Cow<'static, str>>>(&mut self, _: T) {}
    fn add_link(&mut self, _: SpanContext, _: Vec<KeyValue>) {}
    fn end_with_timestamp(&mut self, _: SystemTime) {}
}

#[test]
fn remembering_does_not_keep_a_span_from_ending() {
    let life = Arc::new(());
    let given = Context::new().with_span(Watched(Arc::clone(&life), SpanContext::NONE));
    let carrier = HashMap::from([("baggage".to_owned(), format!("a={}", "x".repeat(600)))]);
    let next = BaggagePropagator::new()
        .extract_with_context(&given, &carrier)
        .with_remote_span_context(SpanContext::NONE);
    drop(given);
    assert_eq!(Arc::strong_count(&life), 1);
    assert_eq!(sent(&next, Limits::new()), encoded(&next, Limits::new()));
}
