//! The destination in the trace state of a local span: how the sampler bridge tells the propagator.

use crate::Destination;
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The key of the member.
pub(crate) const KEY: &str = "otel-destination";

/// What stands for a destination that is no host.
#[cfg(feature = "sdk")]
pub(crate) const NO_HOST: &str = "?";

/// Whether this process has a sampler that sets marks, and takes those of peers away.
static IS_BRIDGED: AtomicBool = AtomicBool::new(false);

#[cfg(feature = "sdk")]
pub(crate) fn bridge() {
    IS_BRIDGED.store(true, Relaxed);
}

/// Whether a trace state has a mark, whoever set it.
pub(crate) fn is_in(trace_state: &TraceState) -> bool {
    trace_state.get(KEY).is_some()
}

/// The trace state without the members of this key: all of them, since a peer may send several, of which
/// [`TraceState::delete`] takes one.
pub(crate) fn without(trace_state: &TraceState, key: &str) -> TraceState {
    let others = trace_state.into_iter().filter(|(member, _)| *member != key);
    // Members of a trace state are valid.
    TraceState::from_key_value(others).unwrap_or_default()
}

/// The destination that the sampler saw for the span of a context.
///
/// What came from a peer counts for nothing. Without the sampler, a local span too has its mark from a peer: by an extraction
/// that no boundary guards.
pub(crate) fn destination(cx: &Context) -> Option<Destination> {
    let span = cx.span();
    let span = span.span_context();
    let mark = span.trace_state().get(KEY)?;
    (!span.is_remote() && IS_BRIDGED.load(Relaxed)).then(|| Destination::host(mark))
}

/// The span context with another trace state.
pub(crate) fn with_trace_state(span: &SpanContext, trace_state: TraceState) -> SpanContext {
    SpanContext::new(span.trace_id(), span.span_id(), span.trace_flags(), span.is_remote(), trace_state)
}
