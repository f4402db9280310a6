//! In a process of its own: the hint that a `DecisionSampler` is missing comes once a process.

mod common;

use common::{FORMS, IDS, extract};
use testing::hints;

#[test]
fn what_only_a_sampler_obeys_is_told_of_and_what_the_flag_says_is_not() {
    for form in FORMS {
        for state in ['0', '1'] {
            assert_eq!(hints(|| drop(extract(&form.headers(IDS, Some(state))))), [""; 0], "{form:?} {state}");
        }
    }
    assert_eq!(hints(|| drop(extract(&FORMS[1].headers(IDS, None)))), ["b3"]);
}
