//! A format that nobody speaks, `x-toy: <trace-id>.<span-id>`, to see how much a new one touches.
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator};
//! use otel_toy::ToyPropagator;
//! use std::collections::HashMap;
//!
//! let value = "0af7651916cd43dd8448eb211c80319c.b7ad6b7169203331".to_owned();
//! let request = HashMap::from([("x-toy".to_owned(), value)]);
//! let cx = ToyPropagator::new().extract_with_context(&Context::new(), &request);
//! let mut sent = HashMap::new();
//! ToyPropagator::new().inject_context(&cx, &mut sent);
//! assert_eq!(sent, request);
//! ```

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_propagator_core::{hex, remote::with_span};
use std::sync::LazyLock;

const HEADER: &str = "x-toy";
static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [HEADER.to_owned()]);

/// Reads and writes `x-toy`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ToyPropagator;

impl ToyPropagator {
    /// The only one there is.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl TextMapPropagator for ToyPropagator {
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span = span.span_context();
        if span.is_valid() {
            injector.set(HEADER, format!("{}.{}", span.trace_id(), span.span_id()));
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        extractor.get(HEADER).and_then(parse).map_or_else(|| cx.clone(), |span| with_span(cx, span))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*FIELDS)
    }
}

/// > trace-id "." span-id
fn parse(value: &str) -> Option<SpanContext> {
    let (trace_id, span_id) = value.split_once('.')?;
    let trace_id = TraceId::from(hex::decode_u128(trace_id.as_bytes().try_into().ok()?)?);
    let span_id = SpanId::from(hex::decode_u64(span_id.as_bytes().try_into().ok()?)?);
    let span = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE);
    span.is_valid().then_some(span)
}
