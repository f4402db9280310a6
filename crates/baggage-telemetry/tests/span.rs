//! Entries on the spans of the SDK.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{attributes_of, context};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{
        FutureExt, Link, Span as _, SpanBuilder, SpanKind, TraceContextExt, TraceId, TraceState, Tracer,
        TracerProvider,
    },
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{
        InMemorySpanExporter, Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample,
        SimpleSpanProcessor, Span, SpanData, SpanProcessor,
    },
};
use otel_baggage_telemetry::{BaggageSpanProcessor, Entries, Keys};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const TENANT: Keys = Keys::of(&["tenant"]);

fn tenant(value: &'static str) -> KeyValue {
    KeyValue::new("tenant", value)
}

/// A processor for `tenant` that also exports, and what it exported.
fn exporting() -> (SdkTracerProvider, InMemorySpanExporter) {
    let exporter = InMemorySpanExporter::default();
    let processor = BaggageSpanProcessor::new(TENANT).before(SimpleSpanProcessor::new(exporter.clone()));
    (SdkTracerProvider::builder().with_span_processor(processor).build(), exporter)
}

#[test]
fn an_attribute_that_a_span_starts_with_stays_alone() {
    let cx = context([("tenant", "callers"), ("region", "eu")]);
    let own = [tenant("ours"), KeyValue::new("order", 7)];
    let rows: [(&str, Entries, &[KeyValue]); 3] = [
        ("the same name", TENANT.into(), &[]),
        ("another name", Keys::of(&["region"]).into(), &[KeyValue::new("region", "eu")]),
        (
            "the same key behind a prefix",
            Entries::of(TENANT).prefix("b."),
            &[KeyValue::new("b.tenant", "callers")],
        ),
    ];
    for (rule, entries, copied) in rows {
        let span = SpanBuilder::from_name("span").with_attributes(own.clone());
        assert_eq!(attributes_of(entries, &cx, span), [&own, copied].concat(), "{rule}");
    }
    let span = SpanBuilder::from_name("span").with_attributes([KeyValue::new("b.tenant", "ours")]);
    let prefixed = Entries::of(TENANT).prefix("b.");
    assert_eq!(
        attributes_of(prefixed, &cx, span),
        [KeyValue::new("b.tenant", "ours")],
        "the name with its prefix"
    );
}

#[test]
fn an_attribute_that_is_set_later_replaces_the_copy() {
    let (provider, exporter) = exporting();
    let mut span = provider.tracer("test").start_with_context("span", &context([("tenant", "callers")]));
    span.set_attributes([
        KeyValue::new("order", 7),
        tenant("looked up"),
        KeyValue::new("order", 8),
        tenant("ours"),
    ]);
    span.end();
    let attributes = exporter.get_finished_spans().unwrap().remove(0).attributes;
    let orders = [KeyValue::new("order", 7), KeyValue::new("order", 8)];
    assert_eq!(attributes[..2], orders, "other names are not looked at");
    assert_eq!(attributes[2..], [tenant("ours")]);
}

/// By itself it cannot take anything off, wherever it stands.
#[test]
fn it_works_before_and_behind_the_one_that_exports() {
    for is_first in [true, false] {
        let exporter = InMemorySpanExporter::default();
        let (ours, exporting) =
            (BaggageSpanProcessor::new(TENANT), SimpleSpanProcessor::new(exporter.clone()));
        let provider = SdkTracerProvider::builder();
        let provider = if is_first {
            provider.with_span_processor(ours).with_span_processor(exporting).build()
        } else {
            provider.with_span_processor(exporting).with_span_processor(ours).build()
        };
        drop(provider.tracer("test").start_with_context("span", &context([("tenant", "acme")])));
        assert_eq!(
            exporter.get_finished_spans().unwrap()[0].attributes,
            [tenant("acme")],
            "first: {is_first}"
        );
        provider.shutdown().unwrap();
    }
}

#[test]
fn children_have_it_and_spans_above_do_not_get_it_later() {
    let (provider, exporter) = exporting();
    let tracer = provider.tracer("test");
    let root = Context::new().with_span(tracer.start_with_context("root", &Context::new()));
    let with_baggage = root.with_baggage([tenant("acme")]);
    let child = with_baggage.with_span(tracer.start_with_context("child", &with_baggage));
    drop(tracer.start_with_context("grandchild", &child));
    let without = child.with_cleared_baggage();
    drop(tracer.start_with_context("after it was removed", &without));
    child.span().end();
    root.span().end();
    let spans = exporter.get_finished_spans().unwrap();
    let copied: Vec<_> = spans.iter().map(|span| (&*span.name, span.attributes.len())).collect();
    assert_eq!(copied, [("grandchild", 1), ("after it was removed", 0), ("child", 1), ("root", 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_spawned_tasks_and_threads_that_have_the_context() {
    let (provider, exporter) = exporting();
    let cx = context([("tenant", "acme")]);

    let tracer = provider.tracer("test");
    tokio::spawn(async move { tracer.start("with its context").end() }.with_context(cx.clone()))
        .await
        .unwrap();
    let (tracer, context) = (provider.tracer("test"), cx.clone());
    let thread = std::thread::spawn(move || {
        let _current = context.attach();
        tracer.start("thread").end();
    });
    thread.join().unwrap();
    let tracer = provider.tracer("test");
    let _current = cx.attach();
    tokio::spawn(async move { tracer.start("without").end() }).await.unwrap();

    let spans = exporter.get_finished_spans().unwrap();
    let copied: Vec<_> = spans.iter().map(|span| (&*span.name, span.attributes.len())).collect();
    assert_eq!(copied, [("with its context", 1), ("thread", 1), ("without", 0)]);
}

/// What was asked of the processor behind ours.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap().push(what.into());
    }
}

impl SpanProcessor for Asked {
    fn on_start(&self, span: &mut Span, _: &Context) {
        self.note(format!("start with {}", span.exported_data().unwrap().attributes.len()));
    }

    fn on_end(&self, span: SpanData) {
        self.note(format!("end with {}", span.attributes.len()));
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.note("flush");
        Ok(())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.note(format!("shut down in {}", timeout.as_secs()));
        Ok(())
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.note(format!("resource of {}", resource.len()));
    }
}

#[test]
fn everything_is_handed_on() {
    let asked = Asked::default();
    let resource = Resource::builder_empty().with_attribute(KeyValue::new("a", 1)).build();
    let provider = SdkTracerProvider::builder()
        .with_resource(resource)
        .with_span_processor(BaggageSpanProcessor::new(TENANT).before(asked.clone()))
        .build();
    let tracer = provider.tracer("test");
    drop(tracer.start_with_context("span", &context([("tenant", "acme")])));
    drop(tracer.start_with_context("span", &Context::new()));
    provider.force_flush().unwrap();
    provider.shutdown_with_timeout(Duration::from_secs(3)).unwrap();
    let spans = ["start with 1", "end with 1", "start with 0", "end with 0"];
    let expected = [&["resource of 1"], &spans[..], &["flush", "shut down in 3"]].concat();
    assert_eq!(*asked.0.lock().unwrap(), expected);
}

/// The SDK calls nobody for a span that it does not record; nor does a processor that others call.
#[test]
fn a_span_that_is_not_recorded_is_left_alone() {
    let asked = Asked::default();
    let provider = SdkTracerProvider::builder()
        .with_sampler(Sampler::AlwaysOff)
        .with_span_processor(BaggageSpanProcessor::new(TENANT).before(asked.clone()))
        .build();
    let mut span = provider.tracer("test").start_with_context("span", &context([("tenant", "acme")]));
    BaggageSpanProcessor::new(TENANT).on_start(&mut span, &context([("tenant", "acme")]));
    assert!(span.exported_data().is_none());
    span.end();
    assert_eq!(asked.0.lock().unwrap().len(), 1, "nothing but the resource: {asked:?}");
}

/// Records everything and samples nothing, and has attributes of its own.
#[derive(Clone, Debug)]
struct RecordOnly;

impl ShouldSample for RecordOnly {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let (decision, trace_state) = (SamplingDecision::RecordOnly, TraceState::NONE);
        SamplingResult { decision, attributes: vec![tenant("the sampler's")], trace_state }
    }
}

#[test]
fn recorded_and_not_sampled_is_recorded() {
    let processor = BaggageSpanProcessor::new(Keys::of(&["tenant", "region"]));
    let provider =
        SdkTracerProvider::builder().with_sampler(RecordOnly).with_span_processor(processor).build();
    let cx = context([("tenant", "callers"), ("region", "eu")]);
    let span = provider.tracer("test").start_with_context("span", &cx);
    let attributes = span.exported_data().unwrap().attributes;
    assert_eq!(attributes, [tenant("the sampler's"), KeyValue::new("region", "eu")]);
}
