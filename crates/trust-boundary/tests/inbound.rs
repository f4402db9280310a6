//! What becomes of a caller's context.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Formats, Headers, SPAN, TRACE, baggage, headers, local, request};
use opentelemetry::{
    Context, KeyValue, TraceFlags,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, TraceId},
};
use otel_b3::{Sampling, SamplingExt};
use otel_trust_boundary::{Boundary, Guarded, Inbound, Keys, Outbound, RestartExt, Strategy};

fn guarded(rule: Inbound) -> Guarded<Formats> {
    Boundary::allow_all().otherwise(rule).wrap(Formats)
}

fn extract(rule: Inbound, request: &dyn Extractor) -> Context {
    guarded(rule).extract_with_context(&Context::new(), request)
}

fn is_callers(cx: &Context) -> bool {
    cx.span().span_context().trace_id() == TraceId::from_hex(TRACE).unwrap()
}

#[derive(Debug)]
struct Mark;

#[test]
fn strategies() {
    let rows = [
        (Strategy::Continue, true, "order.region=eu,tenant=acme", false),
        (Strategy::RestartWithLink, false, "order.region=eu,tenant=acme", true),
        (Strategy::RestartWithoutLink, false, "order.region=eu,tenant=acme", false),
        (Strategy::Ignore, false, "", false),
    ];
    for (strategy, continues, keys, is_linked) in rows {
        let given = Context::new().with_value(Mark);
        let cx = guarded(Inbound::new("rule", strategy)).extract_with_context(&given, &request());
        assert_eq!(is_callers(&cx), continues, "{strategy:?}");
        assert_eq!(cx.has_active_span(), continues, "{strategy:?}: the sampler sees no parent");
        assert_eq!(baggage(&cx), keys, "{strategy:?}");
        assert!(cx.get::<Mark>().is_some(), "{strategy:?}: the rest of the context stays");
        let from = cx.restarted_from().map(|span| (span.span_id().to_string(), span.trace_state().header()));
        assert_eq!(from, is_linked.then(|| (SPAN.to_owned(), String::new())), "{strategy:?}: no tracestate");
        assert_eq!(cx.take_restart_link().is_some(), is_linked, "{strategy:?}");
        assert_eq!(cx.take_restart_link(), None, "{strategy:?}: once");
    }
}

#[test]
fn accepted_keys() {
    const KEYS: Keys = Keys::of(&["order.*"]);
    for strategy in [Strategy::Continue, Strategy::RestartWithLink, Strategy::RestartWithoutLink] {
        let rule = || Inbound::new("rule", strategy);
        assert_eq!(baggage(&extract(rule().accept_baggage(KEYS), &request())), "order.region=eu");
        let owned: Keys = vec!["tenant".to_owned()].into();
        assert_eq!(baggage(&extract(rule().accept_baggage(owned), &request())), "tenant=acme");
        assert_eq!(baggage(&extract(rule().accept_baggage(Keys::NONE), &request())), "");

        let given = Context::new().with_baggage([KeyValue::new("ours", "1")]);
        let with = |keys: Keys, request: &Headers| {
            baggage(&guarded(rule().accept_baggage(keys)).extract_with_context(&given, request))
        };
        assert_eq!(with(KEYS, &request()), "order.region=eu", "what is read replaces what was there");
        assert_eq!(with(Keys::NONE, &request()), "ours=1", "where nothing is, it stays");
        assert_eq!(with(KEYS, &Headers::new()), "ours=1", "{strategy:?}");
    }
}

#[test]
fn metadata_of_accepted_keys_stays() {
    let request = headers([("baggage", "a=1;ttl=30,b=2")]);
    let cx = extract(Inbound::new("rule", Strategy::Continue).accept_baggage(Keys::of(&["a"])), &request);
    assert_eq!(cx.baggage().get_with_metadata("a").map(|(_, metadata)| metadata.as_str()), Some("ttl=30"));
}

#[test]
fn the_first_rule_that_applies_decides() {
    let boundary = Boundary::allow_all()
        .inbound(Inbound::new("both", Strategy::Ignore).when_header("x-a", "1").when_header("x-b", "2"))
        .inbound(Inbound::new("gateway", Strategy::Continue).when_header("x-gateway", "yes"))
        .inbound(Inbound::new("ours", Strategy::RestartWithoutLink).when_tracestate("congo"))
        .inbound(
            Inbound::new("custom", Strategy::Continue).when(|request| request.keys().contains(&"x-custom")),
        )
        .otherwise(Inbound::new("anonymous", Strategy::RestartWithLink))
        .wrap(Formats);
    let without_state = headers([("traceparent", common::TRACEPARENT)]);
    let with = |more: &[(&str, &str)]| {
        let mut request = without_state.clone();
        request.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        request
    };
    let rows = [
        ("no rule", with(&[]), "restarted with link"),
        ("one of two conditions", with(&[("x-a", "1")]), "restarted with link"),
        ("both conditions", with(&[("x-a", "1"), ("x-b", "2"), ("x-gateway", "yes")]), "no trace"),
        ("a header", with(&[("x-gateway", "yes")]), "continued"),
        ("a header with spaces around its value", with(&[("x-gateway", " yes ")]), "continued"),
        ("a header with another value", with(&[("x-gateway", "no")]), "restarted with link"),
        ("a member of tracestate", with(&[("tracestate", "a=1,congo=2")]), "no trace"),
        ("the value of a member", with(&[("tracestate", "a=congo")]), "restarted with link"),
        ("the first of two", with(&[("x-gateway", "yes"), ("tracestate", "congo=2")]), "continued"),
        ("a condition of its own", with(&[("x-custom", "")]), "continued"),
    ];
    for (rule, request, expected) in rows {
        let cx = boundary.extract_with_context(&Context::new(), &request);
        let seen = match (is_callers(&cx), cx.restarted_from()) {
            (true, _) => "continued",
            (false, Some(_)) => "restarted with link",
            (false, None) => "no trace",
        };
        assert_eq!(seen, expected, "{rule}");
    }
}

/// A caller that sends the gateway's header beside the gateway is not taken for the gateway.
#[test]
fn a_doubled_header_does_not_apply() {
    let boundary = Boundary::allow_all()
        .inbound(Inbound::new("gateway", Strategy::Continue).when_header("x-gateway", "yes"))
        .otherwise(Inbound::new("anonymous", Strategy::Ignore))
        .wrap(Formats);
    for (values, continues) in
        [(&["yes"][..], true), (&["no", "yes"], false), (&["yes", "yes"], false), (&[], false)]
    {
        let mut request = http::HeaderMap::new();
        request.insert("traceparent", common::TRACEPARENT.parse().unwrap());
        for value in values {
            request.append("x-gateway", value.parse().unwrap());
        }
        let request = opentelemetry_http::HeaderExtractor(&request);
        assert_eq!(
            is_callers(&boundary.extract_with_context(&Context::new(), &request)),
            continues,
            "{values:?}"
        );
    }
}

#[test]
fn an_untrusted_decision_is_deferred() {
    let rows = [
        ("a sampled flag", &[("traceparent", common::TRACEPARENT)][..]),
        ("a denied one", &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")]),
        ("B3 accept", &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")]),
        ("B3 deny", &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0")]),
        ("B3 debug", &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d")]),
        ("B3 debug, in many headers", &[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-flags", "1")]),
        (
            "B3 debug beside a traceparent",
            &[
                ("traceparent", common::TRACEPARENT),
                ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-d"),
            ],
        ),
        ("a bare debug beside a traceparent", &[("traceparent", common::TRACEPARENT), ("b3", "d")]),
    ];
    for (rule, request) in rows {
        let request: Headers = request.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let cx = extract(Inbound::new("rule", Strategy::Continue).trust_sampled(false), &request);
        assert!(is_callers(&cx), "{rule}: the same ids");
        assert_eq!(cx.span().span_context().span_id().to_string(), SPAN, "{rule}: the same ids");
        assert!(cx.span().span_context().is_remote(), "{rule}");
        assert_eq!(cx.sampling(), Some(Sampling::Defer), "{rule}");
        assert_eq!(cx.bare_sampling(), None, "{rule}");
        assert!(!cx.span().span_context().is_sampled(), "{rule}");
    }
}

#[test]
fn a_bare_decision_of_a_stranger_counts_for_nothing() {
    for bare in ["0", "1", "d"] {
        let request = headers([("b3", bare)]);
        for rule in [
            Inbound::new("rule", Strategy::Continue).trust_sampled(false),
            Inbound::new("rule", Strategy::RestartWithLink),
            Inbound::new("rule", Strategy::RestartWithoutLink),
            Inbound::new("rule", Strategy::Ignore),
        ] {
            assert_eq!(extract(rule, &request).bare_sampling(), None, "{bare}");
        }
        let trusted = extract(Inbound::new("rule", Strategy::Continue), &request);
        assert!(trusted.bare_sampling().is_some(), "{bare}");

        let ours = Context::new().with_bare_sampling(Sampling::Accept);
        let rule = Inbound::new("rule", Strategy::Continue).trust_sampled(false);
        let cx = guarded(rule).extract_with_context(&ours, &request);
        assert_eq!(cx.bare_sampling(), Some(Sampling::Accept), "{bare}: ours stays");
    }
}

#[test]
fn an_untrusted_trace_keeps_its_random_flag_and_its_tracestate_without_sampling() {
    for tracestate in [
        "congo=1,ot=th:0;rv:ffffffffffffff,rojo=2",
        "ot=th:0,congo=1,ot=th:0,rojo=2,ot=rv:ffffffffffffff,ot=th:0",
    ] {
        let request = headers([
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03"),
            ("tracestate", tracestate),
        ]);
        let cx = extract(Inbound::new("rule", Strategy::Continue).trust_sampled(false), &request);
        let span = cx.span();
        assert_eq!(span.span_context().trace_flags(), TraceFlags::new(2));
        assert_eq!(span.span_context().trace_state().header(), "congo=1,rojo=2", "{tracestate}");
    }
}

#[test]
fn where_nothing_came_the_context_stays() {
    for strategy in
        [Strategy::Continue, Strategy::RestartWithLink, Strategy::RestartWithoutLink, Strategy::Ignore]
    {
        let given = local().with_value(Mark);
        for request in [Headers::new(), headers([("traceparent", "bad"), ("baggage", "")])] {
            let rule = Inbound::new("rule", strategy).trust_sampled(false).accept_baggage(Keys::NONE);
            let cx = guarded(rule).extract_with_context(&given, &request);
            assert_eq!(cx.span().span_context(), given.span().span_context(), "{strategy:?}");
            assert!(std::ptr::eq(cx.baggage(), given.baggage()), "{strategy:?}");
            assert!(cx.get::<Mark>().is_some() && cx.restarted_from().is_none(), "{strategy:?}");
        }
    }
}

#[test]
fn a_restart_in_a_context_with_a_span_leaves_the_span() {
    let given = local().with_telemetry_suppressed().with_baggage([KeyValue::new("ours", "1")]);
    let rule = || Inbound::new("rule", Strategy::RestartWithLink).accept_baggage(Keys::of(&["tenant"]));
    let cx = guarded(rule()).extract_with_context(&given, &request());
    assert!(!cx.has_active_span(), "no sampler takes it for a parent");
    assert!(cx.is_telemetry_suppressed());
    assert_eq!(baggage(&cx), "tenant=acme");
    assert!(cx.restarted_from().is_some());
    let cx = guarded(rule().accept_baggage(Keys::NONE)).extract_with_context(&given, &request());
    assert_eq!(baggage(&cx), "ours=1");
}

/// Of contexts that are extracted into again, the last extraction counts.
#[test]
fn an_earlier_restart_is_forgotten() {
    let restarted = extract(Inbound::new("rule", Strategy::RestartWithLink), &request());
    for strategy in [Strategy::Continue, Strategy::RestartWithoutLink] {
        let rule = Inbound::new("rule", strategy).trust_sampled(false);
        let cx = guarded(rule).extract_with_context(&restarted, &request());
        assert_eq!((cx.restarted_from(), cx.take_restart_link()), (None, None), "{strategy:?}");
    }
    let ignored =
        guarded(Inbound::new("rule", Strategy::Ignore)).extract_with_context(&restarted, &request());
    assert!(ignored.restarted_from().is_some(), "as before");
    let again =
        guarded(Inbound::new("rule", Strategy::RestartWithLink)).extract_with_context(&ignored, &request());
    assert!(again.take_restart_link().is_some());
}

#[test]
fn link_attributes() {
    let attributes = [KeyValue::new("reason", "untrusted")];
    let rule = Inbound::new("rule", Strategy::RestartWithLink).link_attributes(attributes.clone());
    assert_eq!(extract(rule, &request()).take_restart_link().unwrap().attributes, attributes);
}

#[test]
fn a_policy_that_accepts_all_changes_nothing() {
    let given = local();
    let cx = Boundary::deny_external().wrap(Formats).extract_with_context(&given, &request());
    let expected = Formats.extract_with_context(&given, &request());
    assert_eq!(cx.span().span_context(), expected.span().span_context());
    assert_eq!(baggage(&cx), baggage(&expected));
    let none = Boundary::allow_all().wrap(Formats).extract_with_context(&given, &Headers::new());
    assert!(std::ptr::eq(none.baggage(), given.baggage()));
}

#[test]
fn the_current_context_is_what_extract_starts_from() {
    let _attached = Context::new().with_value(Mark).attach();
    let guarded =
        Boundary::deny_external().outbound(Outbound::external("a").baggage(Keys::ALL)).wrap(Formats);
    assert!(guarded.extract(&request()).get::<Mark>().is_some());
}
