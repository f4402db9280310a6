//! One event for each form that is there and not used.
//!
//! Each rule of each form has a throttle of its own, so that a flood of one mistake does not hide the others.

use crate::{error::ParseError, single::B3};
use otel_propagator_core::diagnostics::{Rejected, Throttle};

#[cold]
pub(crate) fn single_malformed(error: ParseError, bytes: usize) {
    static THROTTLES: [Throttle; ParseError::COUNT] = [const { Throttle::new() }; ParseError::COUNT];
    if let Some(throttle) = THROTTLES.get(error as usize) {
        Rejected { header: B3, rule: error.rule(), bytes }.emit(throttle);
    }
}

/// The carrier does not tell how many bytes it could not read.
#[cold]
pub(crate) fn single_unreadable() {
    static THROTTLE: Throttle = Throttle::new();
    Rejected { header: B3, rule: "value is not visible ASCII", bytes: 0 }.emit(&THROTTLE);
}

/// `header` is the one that broke the rule, missing ones included.
#[cold]
pub(crate) fn multi_malformed(header: &'static str, error: ParseError, bytes: usize) {
    static THROTTLES: [Throttle; ParseError::COUNT] = [const { Throttle::new() }; ParseError::COUNT];
    if let Some(throttle) = THROTTLES.get(error as usize) {
        Rejected { header, rule: error.rule(), bytes }.emit(throttle);
    }
}
