//! One event for each header that is not used, or not sent, as a whole.
//!
//! Each rule has a throttle of its own, so that a flood of one mistake does not hide the others.

use opentelemetry::trace::TraceState;
use otel_propagator_core::diagnostics::{Direction, LeftOut};

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";

#[cold]
pub(crate) fn tracestate_left_out(trace_state: &TraceState, left_out: usize) {
    let members = trace_state.into_iter();
    let kept = members.len() - left_out;
    let separators = 2 * members.len() - 1;
    let bytes = members.map(|(key, value)| key.len() + value.len()).sum::<usize>() + separators;
    LeftOut::new(TRACESTATE, Direction::Out, "key or value is outside the grammar")
        .members(left_out, kept)
        .bytes(bytes)
        .emit();
}
