//! Baggage that leaves is within limits, whoever writes it, and is not measured twice without need.

#![cfg(feature = "w3c-baggage")]
#![allow(missing_docs, reason = "a test program")]

mod common;

use common::{Headers, Pairs};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use opentelemetry_sdk::propagation as sdk;
use otel_composite::{
    BaggagePropagator, BothWays, Builder, CompositePropagator, Limits, RelayExt, RelayPropagator, inject_only,
};
use std::sync::LazyLock;

/// Sends the whole baggage in a header of its own, as some formats do.
#[derive(Debug)]
struct AllInOne;

impl TextMapPropagator for AllInOne {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let mut keys: Vec<String> = cx.baggage().iter().map(|(key, _)| key.to_string()).collect();
        keys.sort();
        injector.set("x-keys", keys.join(" "));
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| ["x-keys".to_owned()]);
        FieldIter::new(&*FIELDS)
    }
}

fn builder() -> Builder {
    CompositePropagator::builder()
}

fn sent(propagator: &CompositePropagator) -> Headers {
    let members = (b'a'..=b'd').map(|key| KeyValue::new(char::from(key).to_string(), "1"));
    let mut carrier = Headers::new();
    propagator.inject_context(&Context::new().with_baggage(members), &mut carrier);
    carrier
}

#[test]
fn limits_hold_for_every_propagator() {
    let two = Limits::new().max_members(2);
    let one = Limits::new().max_members(1);
    let ours = BaggagePropagator::new;
    let rows: [(&str, Builder, Pairs<'_>); 11] = [
        ("ours, none set", builder().baggage(ours()), &[("baggage", "a=1,b=1,c=1,d=1")]),
        ("ours, set on it", builder().baggage(ours().with_limits(two.clone())), &[("baggage", "a=1,b=1")]),
        (
            "ours, set on the composite",
            builder().baggage(ours()).limits(two.clone()),
            &[("baggage", "a=1,b=1")],
        ),
        (
            "set before the propagator",
            builder().limits(two.clone()).baggage(ours()),
            &[("baggage", "a=1,b=1")],
        ),
        (
            "ours, both: the tighter one",
            builder().baggage(ours().with_limits(one.clone())).limits(two.clone()),
            &[("baggage", "a=1")],
        ),
        (
            "the same, the other way round",
            builder().baggage(ours().with_limits(two.clone())).limits(one.clone()),
            &[("baggage", "a=1")],
        ),
        (
            "ours, decorated",
            builder().baggage(inject_only(ours())).limits(two.clone()),
            &[("baggage", "a=1,b=1")],
        ),
        (
            "the SDK's",
            builder().baggage(sdk::BaggagePropagator::new()).limits(one.clone()),
            &[("baggage", "a=1")],
        ),
        ("another header", builder().other(AllInOne).limits(two.clone()), &[("x-keys", "a b")]),
        (
            "a trace format that sends baggage",
            builder().trace(AllInOne).limits(two.clone()),
            &[("x-keys", "a b")],
        ),
        (
            "ours and another's",
            builder().baggage(ours()).other(AllInOne).limits(two.clone()),
            &[("baggage", "a=1,b=1"), ("x-keys", "a b")],
        ),
    ];
    for (rule, builder, expected) in rows {
        assert_eq!(sent(&builder.build()), common::headers(expected), "{rule}");
    }
}

#[test]
fn the_default_limits_hold_for_propagators_that_know_none() {
    let members = (0..60).map(|key| KeyValue::new(format!("key{key:02}"), "é".repeat(60)));
    let cx = Context::new().with_baggage(members);
    let mut unlimited = Headers::new();
    sdk::BaggagePropagator::new().inject_context(&cx, &mut unlimited);
    assert!(unlimited["baggage"].len() > 8192, "{}", unlimited["baggage"].len());
    let mut limited = Headers::new();
    builder().baggage(sdk::BaggagePropagator::new()).build().inject_context(&cx, &mut limited);
    assert!(limited["baggage"].len() <= 4096, "{}", limited["baggage"].len());
}

/// How often the baggage is gone through is not seen from outside; what stands around it is.
#[test]
fn ours_writes_as_it_does_alone() {
    let limits = Limits::new().keep_first(&["d"]).deny(&["a"]).max_bytes("d=1,b=1".len());
    let mut alone = Headers::new();
    let members = (b'a'..=b'd').map(|key| KeyValue::new(char::from(key).to_string(), "1"));
    let cx = Context::new().with_baggage(members);
    BaggagePropagator::new()
        .with_limits(BothWays { outbound: limits.clone(), ..BothWays::new() })
        .inject_context(&cx, &mut alone);
    assert_eq!(alone["baggage"], "d=1,b=1");
    assert_eq!(sent(&builder().baggage(BaggagePropagator::new()).limits(limits).build()), alone);
}

#[test]
fn limits_are_for_the_way_out() {
    let propagator = builder().baggage(BaggagePropagator::new()).limits(Limits::new().max_members(1)).build();
    let received = common::headers(&[("baggage", "a=1,b=2")]);
    assert_eq!(propagator.extract_with_context(&Context::new(), &received).baggage().len(), 2);
}

#[test]
fn a_relay_takes_the_limits_of_the_composite() {
    let limits = |members| Limits::new().max_members(members);
    let relay = builder().inbound_limits(limits(2)).limits(limits(1)).baggage(RelayPropagator::new()).build();
    assert!(relay.to_string().contains("at most 1 members"), "{relay}");
    let received = common::headers(&[("baggage", "a=1,b=2,c=3")]);
    let cx = relay.extract_with_context(&Context::new(), &received);
    assert_eq!(cx.relayed_baggage().len(), 2);
    let mut sent = common::headers(&[]);
    relay.inject_context(&cx, &mut sent);
    assert_eq!(sent["baggage"], "a=1");
}

#[test]
fn inbound_limits_hold_for_every_propagator() {
    let received = common::headers(&[("baggage", "a=1,b=2,c=3")]);
    let ours = BaggagePropagator::new;
    let [one, two] = [1, 2].map(|members| Limits::new().max_members(members));
    let rows = [
        ("ours", builder().baggage(ours()).inbound_limits(one.clone()), "a=1"),
        ("keys", builder().baggage(ours()).inbound_limits(Limits::new().deny(&["a", "b"])), "c=3"),
        ("set before", builder().inbound_limits(one.clone()).baggage(ours()), "a=1"),
        (
            "both",
            builder()
                .baggage(ours().with_limits(BothWays { inbound: two.clone(), ..BothWays::new() }))
                .inbound_limits(one.clone()),
            "a=1",
        ),
        (
            "and round",
            builder()
                .baggage(ours().with_limits(BothWays { inbound: one.clone(), ..BothWays::new() }))
                .inbound_limits(two.clone()),
            "a=1",
        ),
        ("the SDK's", builder().baggage(sdk::BaggagePropagator::new()).inbound_limits(one.clone()), "a=1"),
        ("in a trace format", builder().trace(sdk::BaggagePropagator::new()).inbound_limits(one), "a=1"),
    ];
    for (rule, builder, expected) in rows {
        let propagator = builder.build();
        let cx = propagator.extract_with_context(&Context::new(), &received);
        assert_eq!(cx.baggage().to_string(), expected, "{rule}");
        assert_eq!(
            sent(&propagator)["baggage"].split(',').count(),
            4,
            "{rule}: what is sent is another matter"
        );
    }
}

/// A request that is sent on has an older header, which an injector can only override.
#[test]
fn a_denied_key_of_an_older_header_does_not_go_out() {
    let ours = BaggagePropagator::new;
    let deny_all = || Limits::new().deny(&["a", "b", "c", "d"]);
    let deny_one = || Limits::new().deny(&["a"]);
    let rows = [
        ("two of ours", builder().baggage(ours()).baggage(ours()).limits(deny_all()), ""),
        (
            "ours and the SDK's",
            builder().baggage(ours()).baggage(sdk::BaggagePropagator::new()).limits(deny_all()),
            "",
        ),
        (
            "the SDK's and ours",
            builder().baggage(sdk::BaggagePropagator::new()).baggage(ours()).limits(deny_all()),
            "",
        ),
        (
            "denied by each alone",
            builder().baggage(ours().with_limits(deny_all())).baggage(ours().with_limits(deny_all())),
            "",
        ),
        ("one key", builder().baggage(ours()).baggage(ours()).limits(deny_one()), "b=1,c=1,d=1"),
    ];
    for (rule, builder, expected) in rows {
        let mut carrier = common::headers(&[("baggage", "a=older")]);
        let members = (b'a'..=b'd').map(|key| KeyValue::new(char::from(key).to_string(), "1"));
        builder.build().inject_context(&Context::new().with_baggage(members), &mut carrier);
        assert_eq!(carrier["baggage"], expected, "{rule}");
    }
}

#[test]
fn baggage_of_a_trace_format_is_not_told_as_nothing() {
    let propagator = builder().trace(sdk::BaggagePropagator::new()).build();
    let expected = "extract: BaggagePropagator; inject: BaggagePropagator; \
                    baggage: BaggagePropagator, at most 64 members and 4096 bytes";
    assert_eq!(propagator.to_string(), expected);
}

#[test]
fn what_holds_is_shown() {
    let ours = BaggagePropagator::new;
    let rows = [
        ("the default", builder().baggage(ours()), "baggage, at most 64 members and 4096 bytes"),
        (
            "the composite's",
            builder().baggage(ours()).limits(Limits::new().max_members(2)),
            "baggage, at most 2 members and 4096 bytes",
        ),
        (
            "the tighter of two, each",
            builder()
                .baggage(ours().with_limits(Limits::new().max_members(9).max_bytes(99)))
                .limits(Limits::new().max_members(10).max_bytes(98)),
            "baggage, at most 9 members and 98 bytes",
        ),
        (
            "another's",
            builder().baggage(sdk::BaggagePropagator::new()).limits(Limits::new().max_bytes(3)),
            "BaggagePropagator, at most 64 members and 3 bytes",
        ),
        (
            "keys and lengths",
            builder()
                .baggage(ours().with_limits(Limits::new().deny(&["user.*"])))
                .limits(Limits::new().allow(&["tenant", "route.*"]).max_member_bytes(200)),
            "baggage, at most 64 members and 4096 bytes, 200 bytes a member, never user.*, only tenant route.*",
        ),
        (
            "no more than there can be",
            builder().baggage(ours()).limits(Limits::new().max_members(1000)),
            "baggage, at most 64 members and 4096 bytes",
        ),
        (
            "what is not sent has none",
            builder().baggage(otel_composite::extract_only(ours())),
            "baggage (extract only)",
        ),
    ];
    for (rule, builder, expected) in rows {
        let line = format!("extract: nothing; inject: nothing; baggage: {expected}");
        assert_eq!(format!("{builder:?}").lines().count(), 1, "{rule}");
        let propagator = builder.build();
        assert_eq!(propagator.to_string(), line, "{rule}");
        assert_eq!(format!("{propagator:?}"), line, "{rule}");
    }
}
