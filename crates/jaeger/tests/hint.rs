//! In a process of its own: the hint that a `DecisionSampler` is missing comes once a process.

mod common;

use common::{extract, uber};
use testing::hints;

#[test]
fn a_debug_trace_is_told_of_and_what_the_flag_says_is_not() {
    for flags in ["0", "1", "9"] {
        assert_eq!(hints(|| drop(extract(&uber(flags)))), [""; 0], "{flags}");
    }
    assert_eq!(hints(|| drop(extract(&uber("3")))), ["uber-trace-id"]);
}
