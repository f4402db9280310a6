//! What is said of `OTEL_TRACES_SAMPLER` and its argument, read for real: each row runs this program once more with the
//! variables set.

#![cfg(feature = "sampler")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use otel_propagator_core::sampling::DecisionSampler;
use std::{env, process::Command};

/// Set where this program is the child.
const CHILD: &str = "OTEL_PROPAGATOR_CORE_TEST_CHILD";

/// Not a test of its own: prints the events.
#[test]
fn child() {
    if env::var_os(CHILD).is_some() {
        for event in testing::lines(|| drop(DecisionSampler::from_env())) {
            println!("\nEVENT {event}");
        }
    }
}

fn events(sampler: &str, argument: &str) -> Vec<String> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, "1");
    command.env("OTEL_TRACES_SAMPLER", sampler).env("OTEL_TRACES_SAMPLER_ARG", argument);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().filter_map(|line| Some(line.strip_prefix("EVENT ")?.to_owned())).collect()
}

#[test]
fn what_is_not_known_is_told_of() {
    let rows: [(&str, &str, &[&str]); 3] = [
        ("always_on", "what is not read", &[]),
        (
            "sometimes",
            "",
            &["WARN propagator.configuration variable=OTEL_TRACES_SAMPLER \
               problem=is none of the known samplers: parentbased_always_on is used"],
        ),
        (
            "traceidratio",
            "2",
            &["WARN propagator.configuration variable=OTEL_TRACES_SAMPLER_ARG \
               problem=is no number from 0 to 1: 1 is used"],
        ),
    ];
    for (sampler, argument, expected) in rows {
        assert_eq!(events(sampler, argument), expected, "{sampler} {argument}");
    }
}
