//! What Jaeger says of a trace and no other format does, in the `Context`.

use crate::{Sampling, SamplingExt, UberTraceId};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceId, TraceState},
};

/// The trace that came with the firehose flag; the invalid id where the flag of the trace was taken back.
#[derive(Debug)]
struct Firehose(TraceId);

/// The value of `jaeger-debug-id`.
#[derive(Debug)]
struct DebugId(String);

/// What Jaeger's headers say beyond the span context and its [sampling state](SamplingExt).
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_jaeger::{JaegerExt, JaegerPropagator, Sampling, SamplingExt};
/// use std::collections::HashMap;
///
/// let jaeger = JaegerPropagator::new().with_debug_id(true);
/// let request = HashMap::from([("jaeger-debug-id".to_owned(), "ticket-4711".to_owned())]);
/// let cx = jaeger.extract_with_context(&Context::new(), &request);
/// assert_eq!(cx.jaeger_debug_id(), Some("ticket-4711"));
/// assert_eq!(cx.sampling(), Some(Sampling::Debug));
/// ```
pub trait JaegerExt: sealed::Sealed {
    /// Whether the trace of the context's span came with the firehose flag.
    ///
    /// > Spans tagged as "firehose" are excluded from being indexed in the storage
    ///
    /// <https://www.jaegertracing.io/sdk-migration/#value>
    fn is_firehose(&self) -> bool;

    /// What a request named its debug trace, at most [`MAX_DEBUG_ID_BYTES`](crate::MAX_DEBUG_ID_BYTES) of printable
    /// text. It is meant as the attribute `jaeger-debug-id` of the first span. A peer chose it.
    ///
    /// `None` unless the propagator reads it, see
    /// [`with_debug_id`](crate::JaegerPropagator::with_debug_id).
    fn jaeger_debug_id(&self) -> Option<&str>;
}

impl JaegerExt for Context {
    fn is_firehose(&self) -> bool {
        is_firehose(self, self.span().span_context().trace_id())
    }

    fn jaeger_debug_id(&self) -> Option<&str> {
        self.get::<DebugId>().map(|DebugId(id)| id.as_str())
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for opentelemetry::Context {}
}

fn is_firehose(cx: &Context, trace_id: TraceId) -> bool {
    trace_id != TraceId::INVALID && cx.get::<Firehose>().is_some_and(|&Firehose(of)| of == trace_id)
}

/// The header that the context's span sends; nothing where the span is not valid.
pub(crate) fn to_send(cx: &Context) -> Option<UberTraceId> {
    let span = cx.span();
    let span = span.span_context();
    let header = UberTraceId::new(span.trace_id(), span.span_id(), cx.sampling()?)?;
    Some(header.with_firehose(is_firehose(cx, header.trace_id())))
}

/// The context with the span that a header names.
pub(crate) fn with_header(cx: &Context, header: UberTraceId) -> Context {
    let trace_id = header.trace_id();
    let span = SpanContext::new(trace_id, header.span_id(), TraceFlags::default(), true, TraceState::NONE);
    let cx = cx.with_remote_sampling(span, header.sampling());
    match (header.is_firehose(), is_firehose(&cx, trace_id)) {
        (true, false) => cx.with_value(Firehose(trace_id)),
        (false, true) => cx.with_value(Firehose(TraceId::INVALID)),
        _ => cx,
    }
}

/// The context with the wish that the next trace that starts in it is a debug trace of this name.
pub(crate) fn with_debug_id(cx: &Context, id: String) -> Context {
    cx.with_bare_sampling(Sampling::Debug).with_value(DebugId(id))
}
