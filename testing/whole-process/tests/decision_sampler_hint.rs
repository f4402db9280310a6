//! In processes of their own: whether a sampler was built is known of a whole process, and the hint comes once.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use opentelemetry::{Context, propagation::TextMapPropagator};
use opentelemetry_sdk::trace::Sampler;
use otel_b3::{B3Propagator, DecisionSampler};
use otel_jaeger::JaegerPropagator;
use otel_ottrace::OtTracePropagator;
use otel_propagator_core::sampling::is_decision_sampler_installed;
use otel_tracecontext::TraceContextPropagator;
use otel_xray::{Missing, XrayExt, XrayPropagator};
use std::{collections::HashMap, env, process::Command};
use testing::hints;

#[test]
fn a_state_that_nobody_asks_for_is_told_of_once() {
    let b3 = |value: &str| hints(|| read(&B3Propagator::new(), &[("b3", value)]));
    let ids = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1";
    for decided in ["-0", "-1"] {
        assert_eq!(b3(&format!("{ids}{decided}")), [""; 0], "the flag says it");
    }
    assert!(!is_decision_sampler_installed());
    assert_eq!(b3(ids), ["b3"]);
    for again in [ids, "0", "d"] {
        assert_eq!(b3(again), [""; 0]);
    }
    let _sampler = DecisionSampler::new(Sampler::AlwaysOn);
    assert!(is_decision_sampler_installed());
}

/// The number of the row that this program, started once more, is to try.
const ROW: &str = "WHOLE_PROCESS_TEST_ROW";

/// A rule, what is read, and the header that the event names.
type Row = (&'static str, fn(), &'static str);

const ROWS: &[Row] = &[
    (
        "no sampling state",
        || read(&B3Propagator::new(), &[("b3", "000000000000004d-000000000000004e")]),
        "b3",
    ),
    ("debug", || read(&B3Propagator::new(), &[("b3", "000000000000004d-000000000000004e-d")]), "b3"),
    ("a decision alone", || read(&B3Propagator::new(), &[("x-b3-sampled", "0")]), "b3"),
    ("not sampled", || read(&JaegerPropagator::new(), &[("uber-trace-id", "1:2:0:0")]), ""),
    ("sampled", || read(&JaegerPropagator::new(), &[("uber-trace-id", "1:2:0:1")]), ""),
    ("debug", || read(&JaegerPropagator::new(), &[("uber-trace-id", "1:2:0:3")]), "uber-trace-id"),
    ("debug id", || read(&debug_id(), &[("jaeger-debug-id", "ticket")]), "jaeger-debug-id"),
    ("debug id, not read", || read(&JaegerPropagator::new(), &[("jaeger-debug-id", "ticket")]), ""),
    ("not sampled", || xray("Sampled=0;Parent=53995c3f42cd8ad8"), ""),
    ("sampled", || xray("Sampled=1;Parent=53995c3f42cd8ad8"), ""),
    ("asked for", || xray("Sampled=?;Parent=53995c3f42cd8ad8"), "x-amzn-trace-id"),
    ("no Sampled", || xray("Parent=53995c3f42cd8ad8"), "x-amzn-trace-id"),
    ("a root that nobody decided about", || xray("Self=1-1-1"), ""),
    ("a decision about a root", || xray("Sampled=0"), "x-amzn-trace-id"),
    (
        "what is missing is set",
        || {
            let sampled = XrayPropagator::new().with_missing_sampled(Missing::Sampled);
            read(&sampled, &[("x-amzn-trace-id", &format!("{ROOT};Parent=53995c3f42cd8ad8"))]);
        },
        "",
    ),
    (
        "of an invocation",
        || drop(Context::new().with_lambda_trace(&format!("{ROOT};Parent=53995c3f42cd8ad8"))),
        "_X_AMZN_TRACE_ID",
    ),
    ("not sampled", || ot(&[("ot-tracer-sampled", "false")]), ""),
    ("sampled", || ot(&[("ot-tracer-sampled", "true")]), ""),
    ("no ot-tracer-sampled", || ot(&[]), "ot-tracer-sampled"),
    (
        "W3C's flag is a decision",
        || {
            let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
            read(&TraceContextPropagator::new(), &[("traceparent", traceparent)]);
        },
        "",
    ),
];

const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";

fn read(propagator: &dyn TextMapPropagator, request: &[(&str, &str)]) {
    let request = request.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    drop(propagator.extract_with_context(&Context::new(), &request.collect::<HashMap<_, _>>()));
}

fn debug_id() -> JaegerPropagator {
    JaegerPropagator::new().with_debug_id(true)
}

fn xray(fields: &str) {
    read(&XrayPropagator::new(), &[("x-amzn-trace-id", &format!("{ROOT};{fields}"))]);
}

fn ot(sampled: &[(&str, &str)]) {
    let ids = [("ot-tracer-traceid", "463ac35c9f6413ad"), ("ot-tracer-spanid", "48485a3953bb6124")];
    read(&OtTracePropagator::new(), &[&ids, sampled].concat());
}

/// Not a test of its own: tries one row.
#[test]
fn child() {
    let Ok(row) = env::var(ROW) else { return };
    let (rule, run, header) = ROWS[row.parse::<usize>().unwrap()];
    assert_eq!(hints(run), Vec::from_iter(Some(header).filter(|header| !header.is_empty())), "{rule}");
}

#[test]
fn each_format_tells_of_what_only_a_sampler_obeys() {
    for row in 0..ROWS.len() {
        let mut command = Command::new(env::current_exe().unwrap());
        let output = command.args(["--exact", "child"]).env(ROW, row.to_string()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
}
