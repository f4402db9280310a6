//! Two versions of `opentelemetry` in one program: each has a global propagator of its own, and nobody is told.

#![allow(missing_docs, reason = "a test program")]

use opentelemetry::propagation::TextMapPropagator;
use std::{collections::HashMap, process::Command};

#[test]
fn the_other_version_sends_nothing_and_cargo_tells() {
    let handle = otel_composite::install(otel_composite::from_env());
    let written_by = handle.fields().count();
    assert_eq!(written_by, 3);
    assert!(handle.is_global());
    let findings = otel_composite::doctor().findings().to_vec();
    assert_eq!(findings, [otel_composite::Finding::NoSubscriber], "all is well for this version");

    // The silence: an instrumentation that was written for the version before asks that one's global.
    let mut sent = HashMap::new();
    let others = opentelemetry_0_32::global::get_text_map_propagator(|propagator| {
        propagator.inject(&mut sent);
        propagator.fields().count()
    });
    assert_eq!((others, sent.len()), (0, 0));

    // The report, as docs/nothing-is-sent.md has it.
    let both = cargo_tree("opentelemetry");
    assert!(both.contains("opentelemetry@0.32.0") && both.contains("opentelemetry@0.33"), "{both}");
    let by_whom = cargo_tree("opentelemetry@0.32.0");
    assert!(by_whom.starts_with("opentelemetry v0.32.0") && by_whom.contains("whole-process"), "{by_whom}");
}

fn cargo_tree(package: &str) -> String {
    let tree = Command::new(env!("CARGO")).args(["tree", "--offline", "--locked", "-i", package]).output();
    tree.map(|tree| {
        [tree.stdout, tree.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    })
    .unwrap_or_default()
}
