//! The context that every extraction starts from: with a span, baggage and a value of its own, so that a
//! propagator which touches what it must not touch is caught.

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use std::sync::LazyLock;

struct Mark;

/// The context.
pub(crate) static GIVEN: LazyLock<Context> = LazyLock::new(|| {
    let span = SpanContext::new(
        TraceId::from(0x6c6f_6361_6c20_7472_6163_6521_u128),
        SpanId::from(0x6c6f_6361_6c21),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    );
    Context::new()
        .with_remote_span_context(span)
        .with_baggage([KeyValue::new("given", "before")])
        .with_value(Mark)
});

/// Whether the span is the given one.
pub(crate) fn has_given_span(cx: &Context) -> bool {
    cx.span().span_context() == GIVEN.span().span_context()
}

/// Whether the baggage is the given one: the same object, not only an equal one.
pub(crate) fn has_given_baggage(cx: &Context) -> bool {
    std::ptr::eq(cx.baggage(), GIVEN.baggage())
}

/// Whether values that are no concern of the propagator are still there.
pub(crate) fn has_mark(cx: &Context) -> bool {
    cx.get::<Mark>().is_some()
}
