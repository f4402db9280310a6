//! The events of a header that is not used, or not as a whole. In a program of its own, because throttles are static.

mod common;

use common::{Sent, baggage, given, received};
use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
use otel_w3c_baggage::{BaggagePropagator, BothWays, Limits};

fn reading(propagator: &BaggagePropagator, lines: &[&str]) -> Vec<String> {
    testing::lines(|| drop(propagator.extract_with_context(&given(), &received(lines))))
}

fn writing(propagator: &BaggagePropagator, entries: &[common::Entry]) -> Vec<String> {
    let cx = Context::new().with_baggage(baggage(entries.iter().copied()));
    testing::lines(|| propagator.inject_context(&cx, &mut Sent::default()))
}

/// One test, since what one emits another one's throttle keeps back.
#[test]
fn one_event_a_header_names_the_rule_and_no_value() {
    let propagator = BaggagePropagator::new();
    let one = propagator.clone().with_limits(Limits::new().max_members(1));
    let good: [&[&str]; 4] = [&[], &["a=1"], &["a=1,,b=2;p"], &["a=1", "a=2"]];
    for lines in good {
        assert_eq!(reading(&propagator, lines), [""; 0], "{lines:?}");
    }
    assert_eq!(writing(&propagator, &[]), [""; 0]);
    assert_eq!(writing(&propagator, &[("a", "1", "p,q")]), [""; 0]);

    let rejected = |rule, bytes| {
        [format!("WARN propagator.rejected header=baggage rule={rule} bytes={bytes} suppressed=0")]
    };
    assert_eq!(reading(&propagator, &[""]), [""; 0], "what overrides an older header says nothing");
    assert_eq!(reading(&propagator, &[" , "]), rejected("no member", 3));
    assert_eq!(reading(&propagator, &["secret"]), rejected("a member has no equals sign", 6));
    assert_eq!(reading(&propagator, &["se cret=1"]), rejected("a key is not a token", 9));
    assert_eq!(
        reading(&propagator, &["a=secret secret"]),
        rejected("a value has a byte that is not a baggage-octet", 15)
    );
    assert_eq!(reading(&propagator, &[&"x".repeat(20_000)]), rejected("more than max_bytes", 20_000));

    let left_out = |direction, rule, left_out, kept, bytes| {
        let facts = format!("rule={rule} left_out={left_out} kept={kept} bytes={bytes} suppressed=0");
        let level = if rule == "the key is denied" { "DEBUG" } else { "WARN" };
        [format!("{level} propagator.left_out header=baggage direction={direction} {facts}")]
    };
    assert_eq!(
        reading(&propagator, &["secret,a=1", "secret,b=\\"]),
        left_out("in", "a member has no equals sign", 2, 1, 21)
    );
    assert_eq!(reading(&one, &["a=1,b=2,c=3"]), left_out("in", "more than max_members", 2, 1, 11));
    let three = [("a", "1", ""), ("b", "2", ""), ("c", "3", "")];
    assert_eq!(writing(&one, &three), left_out("out", "more than max_members", 2, 1, 11));
    let secret = [("secret", "1", "")];
    let denied = propagator
        .clone()
        .with_limits(BothWays { outbound: Limits::new().deny(&["secret"]), ..BothWays::new() });
    let told = writing(&denied, &secret).concat();
    assert!(told.starts_with("DEBUG") && !told.contains("secret"), "no key of policy is on the log: {told}");
    let denied = propagator
        .clone()
        .with_limits(BothWays { outbound: Limits::new().deny(&["a", "b", "c"]), ..BothWays::new() });
    assert_eq!(writing(&denied, &three), left_out("out", "the key is denied", 3, 0, 11));

    let long = "x".repeat(4100);
    let long = [("a", long.leak() as &str, "")];
    assert_eq!(
        writing(&propagator.clone().with_limits(Limits::W3C), &long),
        ["WARN propagator.at_risk header=baggage members=1 bytes=4102 suppressed=0"]
    );
    assert_eq!(reading(&propagator, &[&format!("a={}", long[0].1)]), [""; 0]);

    let flood: Vec<_> = (0..1000).flat_map(|_| reading(&propagator, &["a=1,b=secret secret"])).collect();
    assert!((1..=5).contains(&flood.len()), "{flood:?}");
    assert!(flood.iter().all(|line| !line.contains("secret")));
}
