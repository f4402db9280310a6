//! Chosen entries of baggage on the spans of the SDK.

use crate::Entries;
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, trace::Span as _};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanProcessor},
};
use std::time::Duration;

/// Puts chosen entries of the parent context's baggage on each span that is recorded, when it starts.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, trace::{Tracer, TracerProvider}};
/// use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor};
/// use otel_baggage_telemetry::{BaggageSpanProcessor, Keys};
///
/// let exporter = InMemorySpanExporter::default();
/// let provider = SdkTracerProvider::builder()
///     .with_span_processor(
///         BaggageSpanProcessor::new(Keys::of(&["tenant"])).before(SimpleSpanProcessor::new(exporter.clone())),
///     )
///     .build();
///
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user.email", "jane@example.com")]);
/// drop(provider.tracer("docs").start_with_context("order", &cx));
/// assert_eq!(exporter.get_finished_spans()?[0].attributes, [KeyValue::new("tenant", "acme")]);
/// # Ok::<(), opentelemetry_sdk::error::OTelSdkError>(())
/// ```
///
/// A span's own attributes are never replaced: an entry whose name the span was started with is not copied.
///
/// It can be registered by itself, in front of or behind the one that exports: attributes of a span are read when it
/// ends. [`before`](Self::before) is better, for two reasons:
/// - The SDK clones a finished span for every processor as soon as there are two of them. This one then has the
///   other inside, and nothing is cloned.
/// - An attribute that the application sets later, under the name of a copied entry, stands beside it, since the SDK
///   replaces none. With `before`, the copy is taken off when the span ends.
#[derive(Debug)]
pub struct BaggageSpanProcessor {
    entries: Entries,
    next: Option<Box<dyn SpanProcessor>>,
}

impl BaggageSpanProcessor {
    /// Copies these entries: [`Keys`](crate::Keys), or [`Entries`] where there is more to say.
    #[must_use]
    pub fn new(entries: impl Into<Entries>) -> Self {
        Self { entries: entries.into(), next: None }
    }

    /// Hands spans on to this processor, such as the one that exports them.
    #[must_use]
    pub fn before(self, next: impl SpanProcessor + 'static) -> Self {
        Self { next: Some(Box::new(next)), ..self }
    }

    /// Of attributes with one name, of which this processor wrote the first, the last stays.
    ///
    /// > Setting an attribute with the same key as an existing attribute SHOULD overwrite the existing attribute's
    /// > value.
    ///
    /// <https://opentelemetry.io/docs/specs/otel/trace/api/#set-attributes>
    fn take_off_replaced(&self, attributes: &mut Vec<KeyValue>) {
        let mut at = 0;
        while let Some((attribute, later)) = attributes.get(at..).and_then(<[_]>::split_first) {
            let is_replaced = later.iter().any(|it| it.key == attribute.key);
            if is_replaced && self.entries.may_have_named(attribute.key.as_str()) {
                attributes.remove(at);
            } else {
                at += 1;
            }
        }
    }
}

impl SpanProcessor for BaggageSpanProcessor {
    fn on_start(&self, span: &mut Span, cx: &Context) {
        if span.is_recording() {
            let chosen = self.entries.chosen(cx.baggage());
            // The SDK shows a span's attributes in a copy of the span only.
            let own = if chosen.is_empty() { None } else { span.exported_data() };
            let own = own.map(|span| span.attributes).unwrap_or_default();
            for entry in chosen {
                if !own.iter().any(|attribute| entry.is_named(attribute.key.as_str())) {
                    span.set_attribute(KeyValue::new(entry.name(), entry.value()));
                }
            }
        }
        if let Some(next) = &self.next {
            next.on_start(span, cx);
        }
    }

    fn on_end(&self, mut span: SpanData) {
        if let Some(next) = &self.next {
            self.take_off_replaced(&mut span.attributes);
            next.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.next.as_ref().map_or(Ok(()), |next| next.force_flush())
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.next.as_ref().map_or(Ok(()), |next| next.shutdown_with_timeout(timeout))
    }

    fn set_resource(&mut self, resource: &Resource) {
        if let Some(next) = &mut self.next {
            next.set_resource(resource);
        }
    }
}
