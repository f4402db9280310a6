//! One event for each header that is not used, or not sent, as a whole.
//!
//! Each rule has a throttle of its own, so that a flood of one mistake does not hide the others.

use crate::error::{ErrorKind, ParseError, TraceStateError};
use opentelemetry::trace::TraceState;
use otel_propagator_core::{
    diagnostics::{Direction, LeftOut, Rejected, Throttle},
    header::Repeated,
};

pub(crate) const TRACEPARENT: &str = "traceparent";
pub(crate) const TRACESTATE: &str = "tracestate";

#[cold]
pub(crate) fn traceparent_malformed(error: ParseError, bytes: usize) {
    const RULES: usize = ErrorKind::TrailingData as usize + 1;
    static THROTTLES: [Throttle; RULES] = [const { Throttle::new() }; RULES];
    if let Some(throttle) = THROTTLES.get(error.kind() as usize) {
        Rejected { header: TRACEPARENT, rule: error.rule(), bytes }.emit(throttle);
    }
}

#[cold]
pub(crate) fn traceparent_repeated(repeated: Repeated) {
    static THROTTLE: Throttle = Throttle::new();
    Rejected { header: TRACEPARENT, rule: "header came more than once", bytes: repeated.bytes }
        .emit(&THROTTLE);
}

/// The carrier does not tell how many bytes it could not read, here and below.
#[cold]
pub(crate) fn traceparent_unreadable() {
    static THROTTLE: Throttle = Throttle::new();
    Rejected { header: TRACEPARENT, rule: "value is not visible ASCII", bytes: 0 }.emit(&THROTTLE);
}

#[cold]
pub(crate) fn tracestate_malformed(error: TraceStateError, bytes: usize) {
    const RULES: usize = TraceStateError::Value as usize + 1;
    static THROTTLES: [Throttle; RULES] = [const { Throttle::new() }; RULES];
    if let Some(throttle) = THROTTLES.get(error as usize) {
        Rejected { header: TRACESTATE, rule: error.rule(), bytes }.emit(throttle);
    }
}

#[cold]
pub(crate) fn tracestate_unreadable() {
    static THROTTLE: Throttle = Throttle::new();
    Rejected { header: TRACESTATE, rule: "value is not visible ASCII", bytes: 0 }.emit(&THROTTLE);
}

#[cold]
pub(crate) fn tracestate_left_out(trace_state: &TraceState, left_out: usize) {
    static THROTTLE: Throttle = Throttle::new();
    let members = trace_state.into_iter();
    let kept = members.len() - left_out;
    let separators = 2 * members.len() - 1;
    let bytes = members.map(|(key, value)| key.len() + value.len()).sum::<usize>() + separators;
    let rule = "key or value is outside the grammar";
    LeftOut { header: TRACESTATE, direction: Direction::Out, rule, left_out, kept, bytes }.emit(&THROTTLE);
}
