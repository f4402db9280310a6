//! The events of refused headers. They stand alone because each rule has one throttle in the whole process.

mod common;

use common::{Headers, SPAN, TRACE, extract, extract_with, headers, uber};
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_jaeger::JaegerPropagator;
use testing::{
    carrier::Attaching,
    events,
    format::{refused, refused_lines},
};

fn told_of(request: &Headers) -> Vec<(String, String, String)> {
    let jaeger = JaegerPropagator::new().with_debug_id(true);
    refused(|| drop(extract_with(&jaeger, &Context::new(), request)))
}

#[test]
fn each_bad_value_is_told_of_once_with_its_rule_and_size() {
    let rows = [
        ("longer than the longest value", "SECRET".repeat(50)),
        ("a percent sign begins no escape", "SECRET%".to_owned()),
        ("not four fields", "SECRET".to_owned()),
        ("trace id is not 1 to 32 characters", format!(":{SPAN}:0:SECRET")),
        ("trace id is not hex", format!("SECRET:{SPAN}:0:1")),
        ("trace id is zero", format!("0:{SPAN}:SECRET:1")),
        ("span id is not 1 to 16 characters", format!("{TRACE}::SECRET:1")),
        ("span id is not hex", format!("{TRACE}:SECRET:0:1")),
        ("span id is zero", format!("{TRACE}:0:SECRET:1")),
        ("parent span id is longer than 16 characters", format!("1:{SPAN}:SECRETSECRETSECRET:1")),
        ("parent span id is not hex", format!("{TRACE}:{SPAN}:SECRET:1")),
        ("flags are not one or two hex digits", format!("{TRACE}:{SPAN}:0:SECRET")),
    ];
    for (rule, value) in &rows {
        let expected = ("uber-trace-id".to_owned(), (*rule).to_owned(), value.len().to_string());
        assert_eq!(told_of(&headers([("uber-trace-id", value)])), [expected], "{value:?}");
    }
    let debug = ("jaeger-debug-id".to_owned(), "longer than 128 bytes".to_owned(), "300".to_owned());
    assert_eq!(told_of(&headers([("jaeger-debug-id", "SECRET".repeat(50))])), [debug]);
}

#[test]
fn a_value_that_is_good_or_absent_is_not_told_of() {
    for request in [headers::<&str, &str>([]), uber("1"), headers([("jaeger-debug-id", "x")])] {
        assert_eq!(told_of(&request), [], "{request:?}");
    }
}

#[test]
fn two_lines_and_one_that_is_no_text_are_told_of() {
    let rows: [(&[&[u8]], _, _); 2] = [
        (&[b"1:2:0:1", b"1:2:0:1"], "header came more than once", "15"),
        (&[b"\xff"], "value is not visible ASCII", "0"),
    ];
    for (lines, rule, bytes) in rows {
        let expected = ("uber-trace-id".to_owned(), String::from(rule), String::from(bytes));
        assert_eq!(refused_lines(&JaegerPropagator::new(), "uber-trace-id", lines), [expected]);
    }
}

#[test]
fn a_flood_costs_a_few_events() {
    let (jaeger, request) = (JaegerPropagator::new().with_debug_id(true), headers([("jaeger-debug-id", "")]));
    let told = events(|| (0..10_000).for_each(|_| drop(extract_with(&jaeger, &Context::new(), &request))));
    assert!((1..=10).contains(&told.len()), "{} events", told.len());
}

/// Subscribers, exporters and carriers may attach contexts, which panics under a borrow of the current one.
#[test]
fn the_current_context_is_not_borrowed_while_a_carrier_is_asked() {
    let mut carrier = Attaching::with("attach:1:0:1");
    let _guard = extract(&uber("1")).attach();
    JaegerPropagator::new().inject(&mut carrier);
    assert_eq!(events(|| drop(JaegerPropagator::new().extract(&carrier))).len(), 1);
}
