//! `_X_AMZN_TRACE_ID`, read for real: each row runs this program once more with the variable set.

mod common;

use common::{Headers, PARENT, ROOT, busy, extract_with, headers, inject};
use opentelemetry::{
    Context,
    trace::{TraceContextExt, TraceId},
};
use otel_xray::{XrayExt, XrayPropagator};
use std::{env, ffi::OsString, process::Command};

const VARIABLE: &str = "_X_AMZN_TRACE_ID";
/// Set where this program is the child: the header of the request that it gets, which may be empty.
const CHILD: &str = "OTEL_XRAY_TEST_CHILD";

const OTHER: &str = "Root=1-11111111-222222222222222222222222;Parent=3333333333333333;Sampled=0";

/// Not a test of its own: prints what it would send under the context of a request.
#[test]
fn child() {
    let Ok(header) = env::var(CHILD) else { return };
    let request = if header.is_empty() { Headers::new() } else { headers([("x-amzn-trace-id", header)]) };
    let show = |name, cx: &Context| {
        println!("\n{name} {}", inject(cx).into_values().next().unwrap_or_else(|| "nothing".to_owned()));
    };
    let events = testing::lines(|| {
        show("LAMBDA", &extract_with(&XrayPropagator::lambda(), &Context::new(), &request));
    });
    for event in events {
        println!("\nEVENT {event}");
    }
    show("XRAY", &extract_with(&XrayPropagator::new(), &Context::new(), &request));
    let lambda_given_a_span = extract_with(&XrayPropagator::lambda(), &busy(), &request);
    let kept = lambda_given_a_span.span().span_context().trace_id() == TraceId::from(7);
    show("GIVEN", &if kept { Context::new() } else { lambda_given_a_span });
    let one = Context::new()
        .with_lambda_trace("Root=1-11111111-111111111111111111111111;Parent=1111111111111111;Sampled=1");
    show("INVOCATION", &extract_with(&XrayPropagator::lambda(), &one, &Headers::new()));
}

/// What the child prints under this word.
fn run(variable: Option<OsString>, header: &str, word: &str) -> String {
    let program = env::current_exe().unwrap_or_else(|error| unreachable!("{error}"));
    let mut command = Command::new(program);
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, header).env_remove(VARIABLE);
    command.envs(variable.map(|value| (VARIABLE, value)));
    let output = command.output().unwrap_or_else(|error| unreachable!("{error}"));
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8_lossy(&output.stdout).into_owned();
    let found = output.lines().find_map(|line| line.strip_prefix(word)).unwrap_or("none");
    found.trim().to_owned()
}

/// Rule, variable, header, what `lambda` makes of a context without a span.
type Row = (&'static str, Option<String>, String, String);

fn rows() -> Vec<Row> {
    let header = |sampled: &str| format!("{ROOT};{PARENT};{sampled}");
    let nothing = || "nothing".to_owned();
    vec![
        ("no variable", None, OTHER.to_owned(), OTHER.to_owned()),
        ("an empty one", Some(String::new()), OTHER.to_owned(), OTHER.to_owned()),
        ("neither", None, String::new(), nothing()),
        ("no header", Some(header("Sampled=1")), String::new(), header("Sampled=1")),
        ("what Lambda says stands", Some(header("Sampled=1")), OTHER.to_owned(), header("Sampled=1")),
        ("undecided", Some(format!("{ROOT};{PARENT}")), String::new(), header("Sampled=?")),
        ("spaces", Some(format!(" {ROOT}; {PARENT}; Sampled=1 ")), String::new(), header("Sampled=1")),
        ("X-Ray is off", Some(header("Sampled=0")), String::new(), nothing()),
        ("X-Ray is off, and a header", Some(header("Sampled=0")), OTHER.to_owned(), OTHER.to_owned()),
        ("a root alone", Some(ROOT.to_owned()), String::new(), ROOT.to_owned()),
        ("not a header", Some("SECRET".to_owned()), OTHER.to_owned(), OTHER.to_owned()),
    ]
}

#[test]
fn the_variable_is_read_where_the_given_context_has_no_span() {
    for (rule, variable, header, expected) in rows() {
        let variable = || variable.clone().map(OsString::from);
        assert_eq!(run(variable(), &header, "LAMBDA"), expected, "{rule}");
        let plain = if header.is_empty() { "nothing" } else { &header };
        assert_eq!(run(variable(), &header, "XRAY"), plain, "{rule}: only lambda() reads it");
        assert_eq!(run(variable(), &header, "GIVEN"), plain, "{rule}: a given span");
        let of_the_invocation = "Root=1-11111111-111111111111111111111111;Parent=1111111111111111;Sampled=1";
        assert_eq!(run(variable(), &header, "INVOCATION"), of_the_invocation, "{rule}");
    }
}

#[test]
fn a_variable_that_cannot_be_used_is_told_of() {
    assert_eq!(
        run(Some("SECRET".into()), "", "EVENT"),
        "WARN propagator.rejected header=_X_AMZN_TRACE_ID rule=no Root bytes=6 suppressed=0"
    );
    for of_no_fault in [format!("{ROOT};{PARENT}"), String::new()] {
        assert_eq!(run(Some(of_no_fault.into()), "", "EVENT"), "none");
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_told_of() {
    use std::os::unix::ffi::OsStringExt;
    let variable = || Some(OsString::from_vec(b"Root=\xff".to_vec()));
    assert_eq!(
        run(variable(), OTHER, "EVENT"),
        "WARN propagator.rejected header=_X_AMZN_TRACE_ID rule=value is not UTF-8 bytes=6 suppressed=0"
    );
    assert_eq!(run(variable(), OTHER, "LAMBDA"), OTHER);
}
