//! The events of refused headers. They stand alone because each rule has one throttle in the whole process.

mod common;

use common::{Headers, NAME, PARENT, ROOT, extract, headers, request};
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_xray::{XrayExt, XrayPropagator};
use testing::{
    carrier::Attaching,
    events,
    format::{refused, refused_lines},
};

fn told_of(request: &Headers) -> Vec<(String, String, String)> {
    refused(|| drop(extract(request)))
}

#[test]
fn each_bad_value_is_told_of_once_with_its_rule_and_size() {
    let rows = [
        ("longer than 256 bytes", "SECRET".repeat(50)),
        ("no Root", "SECRET".to_owned()),
        ("version of Root is not 1", "Root=SECRET".to_owned()),
        ("Root is not 8 and 24 characters", "Root=1-SECRET".to_owned()),
        ("Root is not lower-case hex", "Root=1-SECRET88-bd862e3fe1be46a994272793".to_owned()),
        ("Root is all zeros", "SECRET=1;Root=1-00000000-000000000000000000000000".to_owned()),
        ("Parent is not 16 characters", format!("{ROOT};Parent=SECRET")),
        ("Parent is not lower-case hex", format!("{ROOT};Parent=SECRETSECRETSECR")),
        ("Parent is all zeros", format!("{ROOT};Parent=0000000000000000;SECRET")),
        ("a key comes twice with different values", format!("{ROOT};Sampled=SECRET;Sampled=1")),
    ];
    for (rule, value) in &rows {
        let expected = (NAME.to_owned(), (*rule).to_owned(), value.len().to_string());
        assert_eq!(told_of(&headers([(NAME, value)])), [expected], "{value:?}");
    }
}

#[test]
fn a_value_that_is_good_or_absent_is_not_told_of() {
    for good in [Headers::new(), request(&[ROOT]), request(&[ROOT, PARENT, "Sampled=2", "Lineage=x", "Foo"])]
    {
        assert_eq!(told_of(&good), [], "{good:?}");
    }
}

#[test]
fn two_lines_and_one_that_is_no_text_are_told_of() {
    let rows: [(&[&[u8]], _, _); 2] = [
        (&[b"Root=1", b"Root=1"], "header came more than once", "13"),
        (&[b"\xff"], "value is not visible ASCII", "0"),
    ];
    for (lines, rule, bytes) in rows {
        let expected = (NAME.to_owned(), String::from(rule), String::from(bytes));
        assert_eq!(refused_lines(&XrayPropagator::new(), NAME, lines), [expected]);
    }
}

#[test]
fn a_flood_costs_a_few_events() {
    let told = events(|| (0..10_000).for_each(|_| drop(Context::new().with_lambda_trace("a flood"))));
    assert!((1..=10).contains(&told.len()), "{} events", told.len());
}

/// Subscribers, exporters and carriers may attach contexts, which panics under a borrow of the current one.
#[test]
fn the_current_context_is_not_borrowed_while_a_carrier_is_asked() {
    let mut carrier = Attaching::with("attach");
    let _guard = extract(&request(&[ROOT, PARENT])).attach();
    XrayPropagator::new().inject(&mut carrier);
    assert_eq!(events(|| drop(XrayPropagator::new().extract(&carrier))).len(), 1);
}
