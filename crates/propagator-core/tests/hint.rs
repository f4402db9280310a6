//! In a process of its own: whether a sampler was built is known of the whole process, and the hint comes once.

use otel_propagator_core::sampling::{hint, is_decision_sampler_installed};
use testing::hints;

#[test]
fn a_process_without_a_sampler_is_told_once() {
    assert!(!is_decision_sampler_installed());
    assert_eq!(hints(|| hint("x-first")), ["x-first"]);
    assert_eq!(hints(|| hint("x-first")), [""; 0]);
    assert_eq!(hints(|| hint("x-second")), [""; 0]);
}
