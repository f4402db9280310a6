//! The events of `Limited`. In a program of its own, because throttles are static.

use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, TextMapPropagator, text_map_propagator::FieldIter},
};
use opentelemetry_sdk::propagation::BaggagePropagator;
use otel_baggage_limits::{Admission, Direction, Limited, Limits, Observer, Reason};
use std::collections::HashMap;
use testing::lines;

fn writing(propagator: &dyn TextMapPropagator, value: &str) -> Vec<String> {
    let cx = Context::new()
        .with_baggage([KeyValue::new("a", value.to_owned()), KeyValue::new("b", value.to_owned())]);
    lines(|| propagator.inject_context(&cx, &mut HashMap::new()))
}

fn reading(propagator: &dyn TextMapPropagator, header: &str) -> Vec<String> {
    let carrier = HashMap::from([("baggage".to_owned(), header.to_owned())]);
    lines(|| drop(propagator.extract_with_context(&Context::new(), &carrier)))
}

/// Writes a header that is too long for any limits.
#[derive(Debug)]
struct Endless;

impl TextMapPropagator for Endless {
    fn inject_context(&self, _: &Context, injector: &mut dyn opentelemetry::propagation::Injector) {
        injector.set("baggage", "x".repeat(10_000));
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn one_event_a_header_names_the_rule_and_no_value() {
    let limited = |limits| Limited::new(BaggagePropagator::new(), limits);
    let left_out = |direction, rule, left_out, kept, bytes| {
        let facts = format!("rule={rule} left_out={left_out} kept={kept} bytes={bytes} suppressed=0");
        let level = if rule == "the key is denied" { "DEBUG" } else { "WARN" };
        [format!("{level} propagator.left_out header=baggage direction={direction} {facts}")]
    };
    assert_eq!(writing(&limited(Limits::new()), "secret"), [""; 0]);
    assert_eq!(reading(&limited(Limits::new()), "a=secret"), [""; 0]);
    assert_eq!(reading(&limited(Limits::new().max_members(0)), ""), [""; 0]);

    let one = limited(Limits::new().max_members(1));
    assert_eq!(writing(&one, "secret"), left_out("out", "more than max_members", 1, 1, 17));
    assert_eq!(reading(&one, "a=secret,b=secret"), left_out("in", "more than max_members", 1, 1, 17));
    let denied = limited(Limits::new().deny(&["a"]));
    assert_eq!(reading(&denied, "a=secret,b=secret"), left_out("in", "the key is denied", 1, 1, 17));

    // Two members of 5 bytes each as we write them, of 11 as the SDK does.
    let bytes = limited(Limits::new().max_bytes(11));
    assert_eq!(writing(&bytes, "==="), left_out("out", "more than max_bytes", 1, 1, 23));
    let endless = Limited::new(Endless, Limits::new());
    let told = writing(&endless, "secret").concat();
    assert!(told.contains("rule=more than max_bytes left_out=1 kept=0 bytes=10000"), "{told}");

    // Some is left out before, and more once it is seen how long it was written: told of once.
    let denied = limited(Limits::new().max_bytes(8).deny(&["a"]));
    assert_eq!(
        writing(&denied, "===")[0].split(" suppressed").next().unwrap(),
        "WARN propagator.left_out header=baggage direction=out rule=more than max_bytes left_out=1 kept=0 bytes=17"
    );

    // Escaped, the metadata of both is more than upstream's `Baggage` holds.
    let mut baggage = Baggage::new();
    for key in ["a", "b"] {
        baggage.insert_with_metadata(key, "", format!("p={}", ",".repeat(2000)));
    }
    let cx = Context::new().with_baggage(baggage);
    let wide = limited(Limits::new().max_bytes(20_000));
    assert_eq!(
        lines(|| wide.inject_context(&cx, &mut HashMap::new())),
        left_out("out", "the baggage is full", 1, 1, 8011)
    );

    let long = "x".repeat(4000);
    assert_eq!(writing(&limited(Limits::W3C), &long), [""; 0]);
    let long = "x".repeat(4095);
    let facts = "header=baggage members=1 bytes=4097 suppressed=0";
    assert_eq!(
        lines(|| {
            let cx = Context::new().with_baggage([KeyValue::new("a", long)]);
            limited(Limits::W3C).inject_context(&cx, &mut HashMap::new());
        }),
        [format!("WARN propagator.at_risk {facts}")]
    );
}

#[test]
fn what_is_nothing_to_tell_of_is_not_told() {
    let told = |direction, limits: &Limits, members: &[usize], reasons: &[Reason]| {
        let mut admission = Admission::new("baggage", direction, limits);
        for bytes in members {
            admission.measure(*bytes);
            admission.admit("a", *bytes);
        }
        for reason in reasons {
            admission.leave_out(*reason);
        }
        let report = if members.is_empty() { admission.received(3).report() } else { admission.report() };
        lines(|| Observer::NONE.tell(&report)).len()
    };
    let both = |members: &[usize], reasons: &[Reason]| {
        [Direction::In, Direction::Out].map(|way| told(way, &Limits::W3C, members, reasons))
    };
    assert_eq!(both(&[], &[]), [1, 0], "no member received");
    assert_eq!(both(&[10], &[]), [0, 0], "all kept");
    assert_eq!(both(&[10], &[Reason::Superseded]), [0, 0], "a key twice");
    assert_eq!(both(&[5000], &[Reason::Superseded]), [0, 1], "a long member");
    assert_eq!(both(&[5000], &[Reason::BaggageFull]), [1, 1], "one left out");
}

#[test]
fn what_was_lost_is_told_of_before_what_policy_left_out() {
    let limits = Limits::new().max_members(1).deny(&["quiet"]);
    let cx = Context::new().with_baggage(["a", "b", "quiet"].map(|key| KeyValue::new(key, "1")));
    let propagator = Limited::new(BaggagePropagator::new(), limits.clone());
    let told = lines(|| propagator.inject_context(&cx, &mut HashMap::new()));
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("WARN propagator.left_out"), "{told:?}");
    assert!(!told[0].contains("quiet"), "{told:?}");
}

/// A header of which policy leaves nothing is no fault of the peer's.
#[test]
fn what_policy_leaves_out_is_no_warning() {
    let told = reading(&Limited::new(BaggagePropagator::new(), Limits::new().allow(&["z"])), "a=1,b=2");
    assert!(told.concat().starts_with("DEBUG propagator.left_out"), "{told:?}");
}

#[test]
fn an_event_shows_a_reason_as_it_is_displayed() {
    assert_eq!(Reason::TooManyBytes.to_string(), "more than max_bytes");
    assert_eq!(Reason::NotText.to_string(), Reason::NotText.as_str());
}
