//! A tracing SDK whose finished spans can be looked at, and baggage.

#![allow(dead_code, reason = "every test file is a program of its own and uses a part of this")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
    trace::{SpanBuilder, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, SimpleSpanProcessor};
use otel_baggage_telemetry::{BaggageSpanProcessor, Entries};

pub(crate) fn context<'a>(entries: impl IntoIterator<Item = (&'a str, &'a str)>) -> Context {
    let entry = |(key, value): (&str, &str)| KeyValue::new(key.to_owned(), value.to_owned());
    Context::new().with_baggage(entries.into_iter().map(entry).collect::<Baggage>())
}

/// The attributes of a span that is started with this parent and builder.
pub(crate) fn attributes_of(entries: impl Into<Entries>, cx: &Context, span: SpanBuilder) -> Vec<KeyValue> {
    let exporter = InMemorySpanExporter::default();
    let processor = BaggageSpanProcessor::new(entries).before(SimpleSpanProcessor::new(exporter.clone()));
    let provider =
        SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).with_span_processor(processor).build();
    drop(provider.tracer("test").build_with_context(span, cx));
    exporter.get_finished_spans().unwrap().remove(0).attributes
}

/// The same as text, in the order in which they stand.
pub(crate) fn copied<'a>(
    entries: impl Into<Entries>,
    baggage: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Vec<String> {
    let attributes = attributes_of(entries, &context(baggage), SpanBuilder::from_name("span"));
    attributes.iter().map(|attribute| format!("{}={}", attribute.key, attribute.value)).collect()
}
