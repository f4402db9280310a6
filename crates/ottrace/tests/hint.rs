//! In a process of its own: the hint that a `DecisionSampler` is missing comes once a process.

mod common;

use common::{extract, ot};
use testing::hints;

#[test]
fn an_open_decision_is_told_of_and_what_the_flag_says_is_not() {
    for sampled in ["true", "false"] {
        assert_eq!(hints(|| drop(extract(&ot(Some(sampled))))), [""; 0], "{sampled}");
    }
    assert_eq!(hints(|| drop(extract(&ot(None)))), ["ot-tracer-sampled"]);
}
