//! Baggage that the wrapped propagator passes on as text, which no context shows, is held to the policy too.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Headers, headers, sent};
use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_http::HeaderExtractor;
use otel_b3::{B3Propagator, SamplingExt};
use otel_propagator_core::diagnostics::set_throttled;
use otel_tracecontext::TraceContextPropagator;
use otel_trust_boundary::{
    Boundary, Destination, DestinationExt, Guarded, Inbound, Keys, Outbound, RestartExt, Strategy,
};
use otel_w3c_baggage::{RelayExt, RelayPropagator};
use testing::lines;

const RECEIVED: &str = "tenant=acme;ttl=30,user.email=amy%40example.com, order.region=eu ,admin=1";

fn external(name: &'static str, keys: Keys) -> Outbound {
    Outbound::external(name).hosts([format!("{name}.example")]).unwrap().baggage(keys)
}

fn boundary(rule: Inbound) -> Boundary {
    Boundary::deny_external()
        .otherwise(rule)
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .outbound(Outbound::internal("few").hosts(["few.example"]).unwrap().baggage(Keys::of(&["tenant"])))
        .outbound(external("order", Keys::of(&["order.*"])))
        .outbound(external("all", Keys::ALL))
        .fresh_carriers(true)
}

fn relay(rule: Inbound) -> Guarded<RelayPropagator> {
    boundary(rule).wrap(RelayPropagator::new())
}

fn keeping(strategy: Strategy, keys: Keys) -> Inbound {
    Inbound::new("rule", strategy).accept_baggage(keys)
}

/// What is in the header of a request to the host.
fn baggage(propagator: &impl TextMapPropagator, cx: &Context, host: &str) -> String {
    let lines = sent(propagator, &cx.with_destination(Destination::host(host)));
    assert!(lines.len() <= 1, "{lines:?}");
    lines.first().map(|line| line.trim_start_matches("baggage: ").to_owned()).unwrap_or_default()
}

#[test]
fn only_accepted_keys_come_in() {
    let all = "tenant=acme;ttl=30,user.email=amy%40example.com,order.region=eu,admin=1";
    let rows = [
        ("all", keeping(Strategy::Continue, Keys::ALL), all),
        (
            "some",
            keeping(Strategy::Continue, Keys::of(&["tenant", "order.*"])),
            "tenant=acme;ttl=30,order.region=eu",
        ),
        ("none", keeping(Strategy::Continue, Keys::NONE), ""),
        ("nothing is used", keeping(Strategy::Ignore, Keys::ALL), ""),
        ("a key is not its beginning", keeping(Strategy::Continue, Keys::of(&["ten", "admi"])), ""),
    ];
    for (what, rule, expected) in rows {
        let propagator = relay(rule);
        let cx = propagator.extract_with_context(&Context::new(), &headers([("baggage", RECEIVED)]));
        let seen: Vec<&str> = cx.relayed_baggage().iter().map(|member| member.key).collect();
        let keys: Vec<&str> = expected.split(',').filter_map(|it| Some(it.split_once('=')?.0)).collect();
        assert_eq!(seen, keys, "{what}: the application sees no other");
        assert_eq!(baggage(&propagator, &cx, "orders.internal"), expected, "{what}");
    }
}

/// A gateway that restarts the traces of strangers and passes on what it accepts of their baggage.
#[test]
fn accepted_keys_survive_a_restart() {
    let request = headers([("traceparent", common::TRACEPARENT), ("b3", "1"), ("baggage", RECEIVED)]);
    let without_trace = headers([("baggage", RECEIVED)]);
    for strategy in [Strategy::RestartWithLink, Strategy::RestartWithoutLink] {
        for (keys, expected) in [
            (Keys::of(&["tenant"]), "tenant=acme;ttl=30"),
            (Keys::ALL, "tenant=acme;ttl=30,user.email=amy%40example.com,order.region=eu,admin=1"),
            (Keys::NONE, ""),
        ] {
            let formats = TextMapCompositePropagator::new(vec![
                Box::new(B3Propagator::single()),
                Box::new(TraceContextPropagator::new()),
                Box::new(RelayPropagator::new()),
            ]);
            let propagator = boundary(keeping(strategy, keys)).wrap(formats);
            for given in [Context::new(), common::local()] {
                for (request, is_linked) in
                    [(&request, strategy == Strategy::RestartWithLink), (&without_trace, false)]
                {
                    let cx = propagator.extract_with_context(&given, request);
                    assert_eq!(cx.restarted_from().is_some(), is_linked, "{strategy:?}");
                    assert_eq!(cx.bare_sampling(), None, "{strategy:?}: nothing else is read again");
                    let is_callers = cx.span().span_context().is_remote();
                    assert!(!is_callers, "{strategy:?}");
                    let cx = cx.with_cleared_baggage().with_destination(Destination::host("orders.internal"));
                    let lines = sent(&propagator, &cx);
                    let sent = lines.iter().find_map(|line| line.strip_prefix("baggage: "));
                    assert_eq!(sent.unwrap_or_default(), expected, "{strategy:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_accepted_is_passed_on_as_it_came() {
    let rows = [
        ("spelt in its own way", "a=%41;p=\"x\" ; q,b=1", "a=%41;p=\"x\" ; q"),
        ("of two, the last", "a=1,b=2,a=3", "a=3"),
        ("no key", "=1,a=2,b", "a=2"),
        ("a property is no key", "b=1;a=2", ""),
        ("nor is a value", "b=a,a=b", "a=b"),
    ];
    let plain = boundary(keeping(Strategy::Continue, Keys::ALL)).wrap(RelayPropagator::new());
    let propagator = relay(keeping(Strategy::Continue, Keys::of(&["a"])));
    for (what, received, left) in rows {
        let of = |propagator: &Guarded<RelayPropagator>, received: &str| {
            let cx = propagator.extract_with_context(&Context::new(), &headers([("baggage", received)]));
            baggage(propagator, &cx, "orders.internal")
        };
        assert_eq!(of(&propagator, received), of(&plain, left), "{what}");
    }
}

#[test]
fn every_line_is_looked_at() {
    let propagator = relay(keeping(Strategy::Continue, Keys::of(&["a", "b"])));
    let read = |values: &[&[u8]]| {
        let mut request = HeaderMap::new();
        for value in values {
            request.append("baggage", HeaderValue::from_bytes(value).unwrap());
        }
        let cx = propagator.extract_with_context(&Context::new(), &HeaderExtractor(&request));
        baggage(&propagator, &cx, "orders.internal")
    };
    let many = "k=v,".repeat(179);
    let (long, longer) =
        (format!("k={}", "v".repeat(16_384 - 2 - ",a=1".len())), format!("k={}", "v".repeat(16_384 - 2)));
    let rows: [(&str, &[&[u8]], &str); 9] = [
        ("two lines", &[b"a=1,c=1", b"c=2,b=2"], "a=1,b=2"),
        ("of the first nothing is left", &[b"c=1", b"a=1"], "a=1"),
        ("nothing is left", &[b"c=1", b"d=1"], ""),
        ("a line that is no text", &[b"a=1", b"c=\xff"], "a=1"),
        ("the last that is looked at", &[many.as_bytes(), b"a=1"], "a=1"),
        ("after the last", &[many.as_bytes(), b"c=1,a=1"], ""),
        ("the last byte that is looked at", &[long.as_bytes(), b"a=1"], "a=1"),
        ("the byte after it", &[longer.as_bytes(), b"a=1"], ""),
        ("a part of a member", &[long.as_bytes(), b"a=12"], ""),
    ];
    for (what, values, expected) in rows {
        assert_eq!(read(values), expected, "{what}");
    }
}

/// What cannot be read is told of as without a rule.
#[test]
fn a_header_that_is_no_text_is_still_there() {
    set_throttled(false);
    let request = HeaderMap::from_iter([(
        http::HeaderName::from_static("baggage"),
        HeaderValue::from_bytes(b"a=\xff").unwrap(),
    )]);
    let told = |keys: Keys| {
        let propagator = relay(keeping(Strategy::Continue, keys));
        lines(|| drop(propagator.extract_with_context(&Context::new(), &HeaderExtractor(&request))))
    };
    assert_eq!(told(Keys::of(&["a"])), told(Keys::ALL));
    assert_eq!(told(Keys::ALL).len(), 1);
}

#[test]
fn only_allowed_keys_leave() {
    let propagator = relay(keeping(Strategy::Continue, Keys::ALL));
    let cx = propagator.extract_with_context(&Context::new(), &headers([("baggage", RECEIVED)]));
    let rows = [
        ("orders.internal", "tenant=acme;ttl=30,user.email=amy%40example.com,order.region=eu,admin=1"),
        ("few.example", "tenant=acme;ttl=30"),
        ("order.example", "order.region=eu"),
        ("all.example", ""),
        ("api.stripe.com", ""),
    ];
    for (host, expected) in rows {
        assert_eq!(baggage(&propagator, &cx, host), expected, "{host}");
    }
    let ours = cx.with_baggage([KeyValue::new("tenant", "ours"), KeyValue::new("order.region", "us")]);
    let rows = [
        ("few.example", "tenant=ours"),
        ("order.example", "order.region=us"),
        ("all.example", "order.region=us,tenant=ours"),
        ("api.stripe.com", ""),
    ];
    for (host, expected) in rows {
        assert_eq!(baggage(&propagator, &ours, host), expected, "{host}: beside our own");
    }
}

#[test]
fn an_older_header_is_overridden() {
    let propagator = Boundary::deny_external().wrap(RelayPropagator::new());
    let request = headers([("baggage", RECEIVED)]);
    let cx = propagator.extract_with_context(&Context::new(), &request);
    let mut copied = request.clone();
    propagator.inject_context(&cx.with_destination(Destination::host("api.stripe.com")), &mut copied);
    assert_eq!(copied["baggage"], "");
}

#[test]
fn what_is_dropped_is_told_of() {
    set_throttled(false);
    let request = headers([("baggage", RECEIVED)]);
    let event = |direction, rule, keys| {
        format!(
            "DEBUG propagator.boundary direction={direction} rule={rule} action=keys_dropped keys_dropped={keys} suppressed=0"
        )
    };
    let propagator = relay(keeping(Strategy::Continue, Keys::of(&["tenant", "order.*"])));
    let extract = |request: &Headers| propagator.extract_with_context(&Context::new(), request);
    assert_eq!(lines(|| drop(extract(&request))), [event("in", "rule", 2)]);
    let cx = extract(&request);
    let to = |host: &str| lines(|| drop(sent(&propagator, &cx.with_destination(Destination::host(host)))));
    assert_eq!(to("few.example"), [event("out", "few", 1)]);
    assert_eq!(to("api.stripe.com"), [event("out", "unknown", 2)]);
    assert_eq!(to("orders.internal"), [""; 0]);
    let unknown = "WARN propagator.destination problem=nothing says where the request goes suppressed=0";
    assert_eq!(lines(|| drop(sent(&propagator, &cx))), [unknown.to_owned(), event("out", "unknown", 2)]);
}

/// A boundary around another sees what that one lets in.
#[test]
fn boundaries_in_each_other_both_hold() {
    let inner = relay(keeping(Strategy::Continue, Keys::of(&["tenant", "admin"])));
    let propagator = boundary(keeping(Strategy::Continue, Keys::of(&["tenant", "user.*"]))).wrap(inner);
    let cx = propagator.extract_with_context(&Context::new(), &headers([("baggage", RECEIVED)]));
    assert_eq!(baggage(&propagator, &cx, "orders.internal"), "tenant=acme;ttl=30");
    assert_eq!(baggage(&propagator, &cx, "order.example"), "");
}
