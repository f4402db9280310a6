//! The events of `Limited`. In a program of its own, because throttles are static.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator, text_map_propagator::FieldIter},
};
use opentelemetry_sdk::propagation::BaggagePropagator;
use otel_baggage_limits::{Limited, Limits};
use std::{
    collections::HashMap,
    fmt::Write,
    sync::{Arc, Mutex},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context as LayerContext, prelude::*};

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: LayerContext<'_, S>) {
        let mut line = Line(event.metadata().name().to_owned());
        event.record(&mut line);
        if event.metadata().target() == "otel_propagator" {
            self.0.lock().unwrap().push(line.0);
        }
    }
}

struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() != "message" {
            write!(self.0, " {}={value:?}", field.name()).unwrap();
        }
    }
}

fn events(run: impl FnOnce()) -> Vec<String> {
    let recorder = Recorder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), run);
    let events = recorder.0.lock().unwrap();
    events.clone()
}

fn writing(propagator: &dyn TextMapPropagator, value: &str) -> Vec<String> {
    let cx = Context::new()
        .with_baggage([KeyValue::new("a", value.to_owned()), KeyValue::new("b", value.to_owned())]);
    events(|| propagator.inject_context(&cx, &mut HashMap::new()))
}

fn reading(propagator: &dyn TextMapPropagator, header: &str) -> Vec<String> {
    let carrier = HashMap::from([("baggage".to_owned(), header.to_owned())]);
    events(|| drop(propagator.extract_with_context(&Context::new(), &carrier)))
}

/// Writes a header that is too long for any limits.
#[derive(Debug)]
struct Endless;

impl TextMapPropagator for Endless {
    fn inject_context(&self, _: &Context, injector: &mut dyn opentelemetry::propagation::Injector) {
        injector.set("baggage", "x".repeat(10_000));
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn one_event_a_header_names_the_rule_and_no_value() {
    let limited = |limits| Limited::new(BaggagePropagator::new(), limits);
    let left_out = |direction, rule, left_out, kept, bytes| {
        let facts = format!("rule={rule} left_out={left_out} kept={kept} bytes={bytes} suppressed=0");
        [format!("propagator.left_out header=baggage direction={direction} {facts}")]
    };
    assert_eq!(writing(&limited(Limits::new()), "secret"), [""; 0]);
    assert_eq!(reading(&limited(Limits::new()), "a=secret"), [""; 0]);
    assert_eq!(reading(&limited(Limits::new().max_members(0)), ""), [""; 0]);

    let one = limited(Limits::new().max_members(1));
    assert_eq!(writing(&one, "secret"), left_out("out", "more than max_members", 1, 1, 17));
    assert_eq!(reading(&one, "a=secret,b=secret"), left_out("in", "more than max_members", 1, 1, 17));
    let denied = limited(Limits::new().deny(&["a"]));
    assert_eq!(reading(&denied, "a=secret,b=secret"), left_out("in", "the key is denied", 1, 1, 17));

    // Two members of 5 bytes each as we write them, of 11 as the SDK does.
    let bytes = limited(Limits::new().max_bytes(11));
    assert_eq!(writing(&bytes, "==="), left_out("out", "more than max_bytes", 1, 1, 23));
    let endless = Limited::new(Endless, Limits::new());
    assert_eq!(writing(&endless, "secret"), left_out("out", "more than max_bytes", 2, 0, 17));

    let long = "x".repeat(4000);
    assert_eq!(writing(&limited(Limits::new()), &long), [""; 0]);
    let long = "x".repeat(4095);
    let facts = "header=baggage members=1 bytes=4097 suppressed=0";
    assert_eq!(
        events(|| {
            let cx = Context::new().with_baggage([KeyValue::new("a", long)]);
            limited(Limits::new()).inject_context(&cx, &mut HashMap::new());
        }),
        [format!("propagator.at_risk {facts}")]
    );
}
