//! In a process of its own: the switch is the whole process's.

use otel_propagator_core::diagnostics::{BURST, Rejected, set_throttled};
use testing::lines;

#[test]
fn a_service_can_count_events_in_its_tests() {
    let flood = || lines(|| (0..10 * BURST).for_each(|_| Rejected::new("x-test", "a rule", 1).emit())).len();
    set_throttled(false);
    assert_eq!(flood(), 10 * BURST);
    set_throttled(true);
    assert_eq!(flood(), BURST);
}
