//! Between B3's fields and the `Context`.

use crate::fields::{Fields, Ids};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use otel_propagator_core::sampling::SamplingExt;

/// What B3 headers say for this context.
pub(crate) fn fields(cx: &Context) -> Option<Fields> {
    let sampling = cx.sampling()?;
    let span = cx.span();
    let span = span.span_context();
    Some(if span.is_valid() {
        Fields::Trace(Ids { trace_id: span.trace_id(), span_id: span.span_id() }, sampling)
    } else {
        Fields::Decision(sampling)
    })
}

/// The context with what was received in it.
pub(crate) fn with_fields(cx: &Context, fields: Fields) -> Context {
    match fields {
        Fields::Trace(Ids { trace_id, span_id }, sampling) => {
            let span = SpanContext::new(trace_id, span_id, TraceFlags::default(), true, TraceState::NONE);
            cx.with_remote_sampling(span, sampling)
        }
        Fields::Decision(decision) => cx.with_bare_sampling(decision),
    }
}
