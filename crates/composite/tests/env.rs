//! `OTEL_PROPAGATORS`, read for real: each row runs this program once more with the variable set.

#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{House, headers};
use opentelemetry::{baggage::BaggageExt, propagation::TextMapPropagator};
use otel_composite::{Concern, Registry};
use std::{env, ffi::OsStr, process::Command};

const VARIABLE: &str = "OTEL_PROPAGATORS";
const OTHER: &str = "EDGE_PROPAGATORS";
const MEMBERS: &str = "OTELP_BAGGAGE_MAX_MEMBERS";
const BYTES: &str = "OTELP_BAGGAGE_MAX_BYTES";
const INBOUND_MEMBERS: &str = "OTELP_BAGGAGE_INBOUND_MAX_MEMBERS";
const INBOUND_BYTES: &str = "OTELP_BAGGAGE_INBOUND_MAX_BYTES";
/// Set where this program is the child.
const CHILD: &str = "OTEL_COMPOSITE_TEST_CHILD";

const FORMATS: [(&str, &str, bool); 8] = [
    ("tracecontext", "tracecontext", cfg!(feature = "tracecontext")),
    ("baggage", "w3c-baggage", cfg!(feature = "w3c-baggage")),
    ("b3", "b3", cfg!(feature = "b3")),
    ("b3multi", "b3", cfg!(feature = "b3")),
    ("jaeger", "jaeger", cfg!(feature = "jaeger")),
    ("xray", "xray", cfg!(feature = "xray")),
    ("xray-lambda", "xray", cfg!(feature = "xray")),
    ("ottrace", "ottrace", cfg!(feature = "ottrace")),
];

/// Not a test of its own: prints what `from_env` makes of the variable.
#[test]
fn child() {
    if env::var_os(CHILD).is_none() {
        return;
    }
    let events = testing::lines(|| {
        let propagator = otel_composite::from_env();
        println!("\nRESULT {propagator}");
        for problem in propagator.problems() {
            println!("PROBLEM {problem}");
        }
        let request = headers(&[("baggage", "a=1,b=2,c=3")]);
        println!("READ {}", propagator.extract(&request).baggage().len());
    });
    for event in events {
        println!("EVENT {event}");
    }
    match otel_composite::try_from_env() {
        Ok(propagator) => println!("TRIED {propagator}"),
        Err(error) => println!("REFUSED {error}"),
    }
    println!("OTHER {}", Registry::new().builder_from_env_var(OTHER).build());
    let mut own = Registry::new();
    own.register("House", Concern::Trace, House::default).unwrap();
    println!("OWN {}", own.builder_from_env().build());
}

/// The output of the child, with these variables set.
fn run(variables: &[(&str, &OsStr)]) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, "1");
    for variable in [VARIABLE, OTHER, MEMBERS, BYTES, INBOUND_MEMBERS, INBOUND_BYTES] {
        command.env_remove(variable);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    Output(String::from_utf8(output.stdout).unwrap())
}

struct Output(String);

impl Output {
    /// The lines that begin with this word, without it.
    fn lines(&self, word: &str) -> Vec<&str> {
        self.0.lines().filter_map(|line| Some(line.strip_prefix(word)?.trim())).collect()
    }
}

/// What should be printed when the names are used in this order.
fn description(names: &[&str]) -> String {
    let compiled_in = |name: &&&str| FORMATS.iter().any(|(format, _, there)| *there && format == *name);
    let names: Vec<&str> = names.iter().filter(compiled_in).copied().collect();
    let trace: Vec<&str> = names.iter().filter(|name| **name != "baggage").copied().collect();
    let or_nothing = |names: String| if names.is_empty() { "nothing".to_owned() } else { names };
    // Both forms of B3 read the same, so the first one listed suffices.
    let first_b3 = trace.iter().find(|name| name.starts_with("b3")).copied();
    let read: Vec<&str> =
        trace.iter().filter(|name| !name.starts_with("b3") || Some(**name) == first_b3).copied().collect();
    let baggage =
        if names.contains(&"baggage") { "baggage, at most 64 members and 4096 bytes" } else { "nothing" };
    format!(
        "extract: {}; inject: {}; baggage: {baggage}",
        or_nothing(read.join(" > ")),
        or_nothing(trace.join(", "))
    )
}

/// What should be warned of: what is wrong in any build, and what this one leaves out.
fn problems(names: &[&str], always: &[&str]) -> Vec<String> {
    let left_out = FORMATS.iter().filter(|(format, _, there)| !*there && names.contains(format));
    let left_out = left_out.map(|(format, feature, _)| {
        format!("{format} is not compiled in: enable the feature \"{feature}\" of otel-composite")
    });
    let mut problems: Vec<String> = left_out.chain(always.iter().map(|it| (*it).to_owned())).collect();
    problems.sort();
    problems
}

type Names = &'static [&'static str];

fn check(rule: &str, value: Option<&OsStr>, names: &[&str], always: &[&str]) {
    let output = run(&value.map(|value| (VARIABLE, value)).into_iter().collect::<Vec<_>>());
    assert_eq!(output.lines("RESULT"), [description(names)], "{rule}");

    let known = Registry::new().names().collect::<Vec<_>>().join(", ");
    let event = |problem| {
        format!("WARN propagator.configuration variable=OTEL_PROPAGATORS problem={problem} known={known}")
    };
    let expected = problems(names, always);
    let sorted = |word| {
        let mut lines = output.lines(word);
        lines.sort_unstable();
        lines.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sorted("PROBLEM"), expected, "{rule}");
    assert_eq!(sorted("EVENT"), expected.iter().map(event).collect::<Vec<_>>(), "{rule}");
    if expected.is_empty() {
        assert_eq!(output.lines("TRIED"), [description(names)], "{rule}");
    } else {
        let refused = output.lines("REFUSED").concat();
        assert!(expected.iter().all(|problem| refused.contains(problem)), "{rule}: {refused}");
    }
}

/// What is sent where nothing says what to send: see the documentation of `from_env`.
fn default() -> &'static [&'static str] {
    let w3c = cfg!(feature = "tracecontext").then_some("tracecontext");
    let others = [
        ("b3", cfg!(feature = "b3")),
        ("jaeger", cfg!(feature = "jaeger")),
        ("xray", cfg!(feature = "xray")),
        ("ottrace", cfg!(feature = "ottrace")),
    ];
    let others = others.into_iter().filter(|(_, there)| *there && w3c.is_none()).map(|(name, _)| name);
    let baggage = cfg!(feature = "w3c-baggage").then_some("baggage");
    w3c.into_iter().chain(others).chain(baggage).collect::<Vec<_>>().leak()
}

fn default_problem() -> &'static [&'static str] {
    const NOTHING: &[&str] =
        &["no format is compiled in: enable the feature \"tracecontext\" or another one of otel-composite"];
    if default().is_empty() { NOTHING } else { &[] }
}

#[test]
fn every_value() {
    let (default, none) = (default(), default_problem());
    let rows: [(&str, Option<&str>, Names, Names); 24] = [
        ("unset", None, default, none),
        ("empty counts as unset", Some(""), default, none),
        ("white space is empty", Some(" \t "), default, none),
        ("commas and white space are empty", Some(" ,, , "), default, none),
        (
            "quoted",
            Some("\"b3,baggage\""),
            &["b3", "baggage"],
            &["a list has no quotes, and commas between its names: read as \"b3,baggage\""],
        ),
        (
            "parted by spaces and semicolons",
            Some("b3; baggage"),
            &["b3", "baggage"],
            &["a list has no quotes, and commas between its names: read as \"b3,baggage\""],
        ),
        (
            "quoted, unknown",
            Some("'zipkin'"),
            &[],
            &[
                "a list has no quotes, and commas between its names: read as \"zipkin\"",
                "unknown propagator \"zipkin\"",
            ],
        ),
        ("none alone", Some("none"), &[], &[]),
        ("none alone, without case, repeated", Some(" NONE ,none"), &[], &[]),
        ("one", Some("tracecontext"), &["tracecontext"], &[]),
        ("another", Some("b3"), &["b3"], &[]),
        ("b3multi", Some("b3multi"), &["b3multi"], &[]),
        ("baggage alone", Some("baggage"), &["baggage"], &[]),
        (
            "the order is the preference",
            Some("b3,tracecontext,baggage"),
            &["b3", "tracecontext", "baggage"],
            &[],
        ),
        ("trimmed, without case", Some(" TraceContext ,\tBAGGAGE "), &["tracecontext", "baggage"], &[]),
        (
            "repeated names once",
            Some("baggage,tracecontext,Baggage,tracecontext"),
            &["baggage", "tracecontext"],
            &[],
        ),
        ("both forms of B3", Some("b3multi,b3"), &["b3multi", "b3"], &[]),
        ("empty names are no names", Some(",tracecontext,,baggage,"), &["tracecontext", "baggage"], &[]),
        ("unknown, the rest works", Some("zipkin,baggage"), &["baggage"], &["unknown propagator \"zipkin\""]),
        ("unknown alone: nothing, not the default", Some("zipkin"), &[], &["unknown propagator \"zipkin\""]),
        (
            "none beside others",
            Some("none,tracecontext"),
            &["tracecontext"],
            &["\"none\" must stand alone in a list"],
        ),
        ("for a Lambda function", Some("xray-lambda,baggage"), &["xray-lambda", "baggage"], &[]),
        (
            "every format at once",
            Some("jaeger,xray,ottrace,b3,b3multi,tracecontext,baggage"),
            &["jaeger", "xray", "ottrace", "b3", "b3multi", "tracecontext", "baggage"],
            &[],
        ),
        (
            "control characters do not reach the log",
            Some("a\u{7}b\u{1b}2J,baggage"),
            &["baggage"],
            &[r#"unknown propagator "a\u{7}b\u{1b}2J""#],
        ),
    ];
    for (rule, value, names, always) in rows {
        check(rule, value.map(OsStr::new), names, always);
    }
}

#[test]
fn a_long_name_is_cut() {
    let value = format!("{},baggage", "x".repeat(10_000));
    let shown = format!("unknown propagator \"{}…\"", "x".repeat(64));
    check("long", Some(value.as_ref()), &["baggage"], &[&shown]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_loses_only_the_names_that_are_not() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = std::ffi::OsString::from_vec(b"b\xff3,baggage".to_vec());
    check("not Unicode", Some(&value), &["baggage"], &["unknown propagator \"b\u{fffd}3\""]);
}

#[test]
fn names_of_ones_own() {
    let output = run(&[(VARIABLE, "house".as_ref())]);
    assert_eq!(output.lines("OWN"), ["extract: House; inject: House; baggage: nothing"]);
}

#[test]
fn another_variable_may_hold_the_names() {
    let output = run(&[(VARIABLE, "none".as_ref()), (OTHER, "baggage".as_ref())]);
    assert_eq!(output.lines("OTHER"), [description(&["baggage"])]);
    assert_eq!(output.lines("RESULT"), [description(&[])]);
}

#[cfg(feature = "w3c-baggage")]
#[test]
fn an_operator_limits_the_baggage_that_is_sent() {
    let (members, bytes) = (64, 4096);
    let not_used = |variable, value| format!("{variable} is not a number and was not used: \"{value}\"");
    let rows = [
        ("unset", None, None, members, bytes, vec![]),
        ("empty counts as unset", Some(""), Some(" "), members, bytes, vec![]),
        ("members", Some("3"), None, 3, bytes, vec![]),
        ("bytes", None, Some(" 2000 "), members, 2000, vec![]),
        ("more than the default", None, Some("8192"), members, 8192, vec![]),
        ("both", Some("0"), Some("0"), 0, 0, vec![]),
        ("not a number", Some("3"), Some("4k"), 3, bytes, vec![not_used(BYTES, "4k")]),
        ("a sign", Some("+3"), None, members, bytes, vec![not_used(MEMBERS, "+3")]),
        (
            "too large a number",
            Some("99999999999999999999999"),
            None,
            members,
            bytes,
            vec![not_used(MEMBERS, "99999999999999999999999")],
        ),
    ];
    for (rule, max_members, max_bytes, members, bytes, problems) in rows {
        let value = |name, value: Option<&'static str>| Some((name, OsStr::new(value?)));
        let names = Some((VARIABLE, OsStr::new("baggage")));
        let set = [names, value(MEMBERS, max_members), value(BYTES, max_bytes)];
        let output = run(&set.into_iter().flatten().collect::<Vec<_>>());
        let expected = format!("baggage: baggage, at most {members} members and {bytes} bytes");
        assert!(output.lines("RESULT").concat().ends_with(&expected), "{rule}: {}", output.0);
        assert_eq!(output.lines("PROBLEM"), problems, "{rule}");
        assert_eq!(output.lines("REFUSED").is_empty(), problems.is_empty(), "{rule}");
        let told = output.lines("EVENT");
        assert_eq!(told.len(), problems.len(), "{rule}");
        assert!(told.iter().all(|event| event.contains("variable=OTELP_BAGGAGE_MAX_")), "{rule}: {told:?}");
    }
}

#[cfg(feature = "w3c-baggage")]
#[test]
fn an_operator_limits_the_baggage_that_is_read() {
    let not_used = |value| format!("{INBOUND_MEMBERS} is not a number and was not used: \"{value}\"");
    let rows = [
        ("unset", None, None, "3", vec![]),
        ("members", Some("2"), None, "2", vec![]),
        ("bytes, the comma included", None, Some("7"), "2", vec![]),
        ("both", Some("2"), Some("3"), "1", vec![]),
        ("not a number", Some("two"), None, "3", vec![not_used("two")]),
    ];
    for (rule, max_members, max_bytes, read, problems) in rows {
        let value = |name, value: Option<&'static str>| Some((name, OsStr::new(value?)));
        let names = Some((VARIABLE, OsStr::new("baggage")));
        let set = [names, value(INBOUND_MEMBERS, max_members), value(INBOUND_BYTES, max_bytes)];
        let output = run(&set.into_iter().flatten().collect::<Vec<_>>());
        assert_eq!(output.lines("READ"), [read], "{rule}");
        assert_eq!(output.lines("PROBLEM"), problems, "{rule}");
        assert_eq!(output.lines("RESULT"), [description(&["baggage"])], "what is sent is not meant: {rule}");
    }
}
