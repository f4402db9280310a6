//! In a process of its own: the hint that a `DecisionSampler` is missing comes once a process.

mod common;

use common::{NAME, PARENT, ROOT, extract, request};
use testing::hints;

#[test]
fn an_open_decision_is_told_of_and_what_the_flag_says_is_not() {
    for sampled in ["Sampled=0", "Sampled=1"] {
        assert_eq!(hints(|| drop(extract(&request(&[ROOT, PARENT, sampled])))), [""; 0], "{sampled}");
    }
    assert_eq!(hints(|| drop(extract(&request(&[ROOT])))), [""; 0], "a root alone decides nothing");
    assert_eq!(hints(|| drop(extract(&request(&[ROOT, PARENT, "Sampled=?"])))), [NAME]);
}
