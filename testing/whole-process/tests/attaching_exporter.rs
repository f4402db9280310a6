//! Whoever listens to events may attach a context, as every log exporter of OpenTelemetry does. That panics while the
//! current context is borrowed, so no propagator may emit an event under such a borrow.

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    global,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter, SdkLoggerProvider},
    propagation as sdk,
};
use otel_b3::B3Propagator;
use otel_baggage_limits::{Limited, Limits};
use otel_propagator_core::diagnostics;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer, layer::SubscriberExt as _};

/// Attaches a context for each event, and counts them.
#[derive(Clone, Debug, Default)]
struct Attaching(Arc<AtomicUsize>);

impl<S: Subscriber> Layer<S> for Attaching {
    fn on_event(&self, _: &Event<'_>, _: layer::Context<'_, S>) {
        let _attached = Context::new().attach();
        self.0.fetch_add(1, Relaxed);
    }
}

/// Counts the records that are ours.
#[derive(Clone, Debug, Default)]
struct Counting(Arc<AtomicUsize>);

impl LogExporter for Counting {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let names = batch.iter().filter_map(|(record, _)| record.event_name());
        self.0.fetch_add(names.filter(|name| name.starts_with("propagator.")).count(), Relaxed);
        Ok(())
    }
}

/// Each propagator, and a header that it tells of.
fn propagators() -> [(Arc<dyn TextMapPropagator + Send + Sync>, HashMap<String, String>); 4] {
    let bad = |name: &str| HashMap::from([(name.to_owned(), "x".to_owned())]);
    let nothing = Limits::new().max_members(0);
    [
        (Arc::new(TraceContextPropagator::new()), bad("traceparent")),
        (Arc::new(B3Propagator::single_and_multi()), bad("b3")),
        (Arc::new(BaggagePropagator::new()), bad("baggage")),
        (Arc::new(Limited::new(sdk::BaggagePropagator::new(), nothing)), bad("baggage")),
    ]
}

/// For the global, which takes a propagator by value.
#[derive(Debug)]
struct Shared(Arc<dyn TextMapPropagator + Send + Sync>);

impl TextMapPropagator for Shared {
    fn inject(&self, injector: &mut dyn Injector) {
        self.0.inject(injector);
    }
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(cx, injector);
    }
    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.0.extract(extractor)
    }
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(cx, extractor)
    }
    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

/// A span whose trace state may not be sent as it is.
fn with_unsendable_trace_state() -> Context {
    let state = TraceState::from_key_value([("a", ""), ("b", "2")]).unwrap_or_default();
    let (trace_id, span_id) = (TraceId::from(1), SpanId::from(2));
    Context::new().with_remote_span_context(SpanContext::new(
        trace_id,
        span_id,
        TraceFlags::SAMPLED,
        true,
        state,
    ))
}

/// Receives and sends through each propagator in every way there is; says how many events there must have been.
fn receive_and_send() -> usize {
    static GLOBAL: Mutex<()> = Mutex::new(());
    let _alone = GLOBAL.lock().unwrap_or_else(PoisonError::into_inner);
    let mut expected = 0;
    let long = KeyValue::new("long", "x".repeat(5000));
    let _current = with_unsendable_trace_state().with_baggage([long]).attach();
    for (propagator, bad) in propagators() {
        let sends_what_may_not_be_sent = !propagator.fields().any(|field| field == "b3");
        let received = propagator.extract(&bad);
        assert_eq!(
            received.span().span_context().trace_id(),
            TraceId::from(1),
            "the current context came back"
        );
        propagator.inject(&mut HashMap::new());
        global::set_text_map_propagator(Shared(propagator));
        global::get_text_map_propagator(|propagator| {
            propagator.extract(&bad);
            propagator.extract_with_context(&Context::current(), &bad);
            propagator.inject(&mut HashMap::new());
        });
        expected += if sends_what_may_not_be_sent { 5 } else { 3 };
    }
    expected
}

#[test]
fn a_listener_may_attach_a_context() {
    diagnostics::set_throttled(false);
    let layer = Attaching::default();
    let subscriber = tracing_subscriber::registry().with(layer.clone());
    let expected = tracing::subscriber::with_default(subscriber, receive_and_send);
    assert_eq!(layer.0.load(Relaxed), expected);
}

#[test]
fn the_log_exporter_of_opentelemetry_gets_every_event() {
    diagnostics::set_throttled(false);
    let exporter = Counting::default();
    let provider = SdkLoggerProvider::builder().with_simple_exporter(exporter.clone()).build();
    let subscriber = tracing_subscriber::registry().with(OpenTelemetryTracingBridge::new(&provider));
    let expected = tracing::subscriber::with_default(subscriber, receive_and_send);
    assert_eq!(exporter.0.load(Relaxed), expected);
}
