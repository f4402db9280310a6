//! `OTEL_PROPAGATORS`, read for real: each row runs this program once more with the variable set.

#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::House;
use otel_composite::{Concern, Registry};
use std::{env, ffi::OsString, process::Command};

const VARIABLE: &str = "OTEL_PROPAGATORS";
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
    let events = testing::lines(|| println!("\nRESULT {}", otel_composite::from_env()));
    for event in events {
        println!("EVENT {event}");
    }
    let mut own = Registry::new();
    own.register("House", Concern::Trace, House::default).unwrap();
    println!("OWN {}", own.builder_from_env().build());
}

/// The lines of the child that begin with this word, without it.
fn run(value: Option<&OsString>, word: &str) -> Vec<String> {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "child", "--nocapture"]).env(CHILD, "1").env_remove(VARIABLE);
    if let Some(value) = value {
        command.env(VARIABLE, value);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let output = String::from_utf8(output.stdout).unwrap();
    output.lines().filter_map(|line| Some(line.strip_prefix(word)?.trim().to_owned())).collect()
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

fn check(rule: &str, value: Option<&OsString>, names: &[&str], always: &[&str]) {
    assert_eq!(run(value, "RESULT"), [description(names)], "{rule}");

    let blank = value.is_none_or(|value| value.to_string_lossy().trim_matches([' ', ',', '\t']).is_empty());
    let variable =
        if blank { "OTEL_PROPAGATORS (its default, tracecontext,baggage)" } else { "OTEL_PROPAGATORS" };
    let known = Registry::new().names().collect::<Vec<_>>().join(", ");
    let event = |problem| {
        format!("WARN propagator.configuration variable={variable} problem={problem} known={known}")
    };
    let expected: Vec<String> = problems(names, always).into_iter().map(event).collect();
    let mut events = run(value, "EVENT");
    events.sort();
    assert_eq!(events, expected, "{rule}");
}

#[test]
fn every_value() {
    let default = &["tracecontext", "baggage"][..];
    let rows: [(&str, Option<&str>, Names, Names); 21] = [
        ("unset", None, default, &[]),
        ("empty counts as unset", Some(""), default, &[]),
        ("white space is empty", Some(" \t "), default, &[]),
        ("commas and white space are empty", Some(" ,, , "), default, &[]),
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
        ("trimmed, without case", Some(" TraceContext ,\tBAGGAGE "), default, &[]),
        ("repeated names once", Some("baggage,tracecontext,Baggage,tracecontext"), default, &[]),
        ("both forms of B3", Some("b3multi,b3"), &["b3multi", "b3"], &[]),
        ("empty names are no names", Some(",tracecontext,,baggage,"), default, &[]),
        ("unknown, the rest works", Some("zipkin,baggage"), &["baggage"], &["unknown propagator \"zipkin\""]),
        ("unknown alone: nothing, not the default", Some("zipkin"), &[], &["unknown propagator \"zipkin\""]),
        (
            "none beside others",
            Some("none,tracecontext"),
            &["tracecontext"],
            &["\"none\" is ignored beside other names"],
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
            Some("a\nb\u{1b}[2J,baggage"),
            &["baggage"],
            &[r#"unknown propagator "a\nb\u{1b}[2J""#],
        ),
    ];
    for (rule, value, names, always) in rows {
        check(rule, value.map(OsString::from).as_ref(), names, always);
    }
}

#[test]
fn a_long_name_is_cut() {
    let value = format!("{},baggage", "x".repeat(10_000));
    let shown = format!("unknown propagator \"{}…\"", "x".repeat(64));
    check("long", Some(&value.into()), &["baggage"], &[&shown]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_loses_only_the_names_that_are_not() {
    use std::os::unix::ffi::OsStringExt as _;
    let value = OsString::from_vec(b"b\xff3,baggage".to_vec());
    check("not Unicode", Some(&value), &["baggage"], &["unknown propagator \"b\u{fffd}3\""]);
}

#[test]
fn names_of_ones_own() {
    let own = run(Some(&"house".into()), "OWN");
    assert_eq!(own, ["extract: House; inject: House; baggage: nothing"]);
}
