//! What leaves for which destination, and how the destination gets known.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Formats, Headers, baggage, headers, injected, local, request, sent, span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TraceState},
};
use otel_trust_boundary::{
    Boundary, Destination, DestinationExt, Guarded, Inbound, Keys, Outbound, Strategy, Trace,
};
use std::{str::FromStr, sync::Arc};

const ALL: [&str; 7] = [
    "b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    "baggage: order.region=eu,tenant=acme",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate: congo=t61rcWkgMzE",
    "x-b3-sampled: 1",
    "x-b3-spanid: b7ad6b7169203331",
    "x-b3-traceid: 0af7651916cd43dd8448eb211c80319c",
];

fn boundary() -> Boundary {
    let keys = Keys::of(&["order.*"]);
    Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .outbound(Outbound::external("ids").hosts(["ids.example"]).unwrap().trace(Trace::Ids))
        .outbound(Outbound::external("trace").hosts(["trace.example"]).unwrap().trace(Trace::All))
        .outbound(Outbound::external("keys").hosts(["keys.example"]).unwrap().baggage(keys.clone()))
        .outbound(Outbound::external("both").hosts(["both.example"]).unwrap().trace(Trace::All).baggage(keys))
        .outbound(
            Outbound::external("all").hosts(["all.example"]).unwrap().trace(Trace::All).baggage(Keys::ALL),
        )
}

fn fresh() -> Guarded<Formats> {
    boundary().fresh_carriers(true).wrap(Formats)
}

fn to(host: &str) -> Context {
    local().with_destination(Destination::host(host))
}

#[test]
fn what_leaves_depends_on_the_destination() {
    let only = |names: &[&str]| -> Vec<&str> {
        ALL.into_iter().filter(|line| names.iter().any(|name| line.starts_with(name))).collect()
    };
    let ids = ["b3", "traceparent", "x-b3"];
    let trace = ["b3", "traceparent", "tracestate", "x-b3"];
    let keys = "baggage: order.region=eu";
    let rows = [
        ("all", "orders.internal", ALL.to_vec()),
        ("nothing", "api.stripe.com", vec![]),
        ("ids without tracestate", "ids.example", only(&ids)),
        ("the trace without baggage", "trace.example", only(&trace)),
        ("some baggage without the trace", "keys.example", vec![keys]),
        (
            "both",
            "both.example",
            [&only(&["b3"])[..], &[keys], &only(&["traceparent", "tracestate", "x-b3"])].concat(),
        ),
        ("all of ours to an external one", "all.example", ALL.to_vec()),
    ];
    for (rule, host, expected) in rows {
        assert_eq!(sent(&fresh(), &to(host)), expected, "{rule}");
    }
}

#[test]
fn older_headers_do_not_leave() {
    let older = || {
        let mut older = request();
        older.extend(headers([("b3", "1"), ("x-b3-flags", "1"), ("baggage", "secret=1"), ("accept", "*/*")]));
        older
    };
    let value = |host: &str, cx: &Context, name: &str| {
        let cx = cx.with_destination(Destination::host(host));
        let mut carrier = older();
        boundary().wrap(Formats).inject_context(&cx, &mut carrier);
        carrier.get(name).cloned().unwrap_or_default()
    };
    let names = ["traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-flags"];
    for (cx, what) in [(local(), "with a context"), (Context::new(), "without one")] {
        for name in names {
            assert_eq!(value("api.stripe.com", &cx, name), "", "{name} {what}");
        }
        assert_eq!(value("ids.example", &cx, "tracestate"), "", "{what}");
        assert!(!value("keys.example", &cx, "baggage").contains("secret"), "{what}");
        assert_eq!(value("api.stripe.com", &cx, "accept"), "*/*", "{what}");
        assert_eq!(value("trace.example", &cx, "baggage"), "", "{what}");
    }
    assert_eq!(value("orders.internal", &Context::new(), "baggage"), "secret=1", "nothing is denied");
    let mut carrier = older();
    fresh().inject_context(&to("api.stripe.com"), &mut carrier);
    assert_eq!(carrier, older(), "a promise is a promise");
}

#[test]
fn received_baggage_is_remembered_whichever_rule_asks() {
    let all =
        || Outbound::external("all").hosts(["all.example"]).unwrap().trace(Trace::All).baggage(Keys::ALL);
    let rows = [
        ("a rule alone", Boundary::allow_all().outbound(all())),
        ("what is unknown", Boundary::allow_all().unknown(all())),
        ("beside others", boundary()),
    ];
    for (rule, boundary) in rows {
        let propagator = boundary.fresh_carriers(true).wrap(Formats);
        let cx = propagator.extract_with_context(&Context::new(), &request());
        let lines = sent(&propagator, &cx.with_destination(Destination::host("all.example")));
        assert!(
            !lines.is_empty() && !lines.iter().any(|line| line.starts_with("baggage")),
            "{rule}: {lines:?}"
        );
    }
}

/// Keys that OpenTelemetry's type does not hold are kept beside it; they are no way around the rule.
#[test]
fn what_is_kept_beside_the_trace_state_does_not_leave() {
    for tracestate in ["foo@@bar=1", "foo@@bar=1,congo=2"] {
        let carrier = headers([("traceparent", common::TRACEPARENT), ("tracestate", tracestate)]);
        let cx = fresh().extract_with_context(&Context::new(), &carrier);
        for (host, leaves) in [("ids.example", false), ("keys.example", false), ("orders.internal", true)] {
            let lines = sent(&fresh(), &cx.with_destination(Destination::host(host)));
            let line = format!("tracestate: {tracestate}");
            assert_eq!(lines.contains(&line), leaves, "{tracestate} to {host}: {lines:?}");
            assert_eq!(lines.iter().any(|line| line.starts_with("tracestate")), leaves, "{lines:?}");
        }
    }
}

#[test]
fn a_bare_decision_is_part_of_the_trace() {
    let cx = Formats.extract_with_context(&Context::new(), &headers([("b3", "1")]));
    assert_eq!(sent(&fresh(), &cx.with_destination(Destination::host("keys.example"))), [""; 0]);
    let expected = ["b3: 1", "x-b3-sampled: 1"];
    assert_eq!(sent(&fresh(), &cx.with_destination(Destination::host("orders.internal"))), expected);
}

#[test]
fn received_baggage_is_not_ours_to_give_away() {
    let propagator = fresh();
    let cx = propagator.extract_with_context(&Context::new(), &request());
    assert_eq!(baggage(&cx), "order.region=eu,tenant=acme");
    let sends = |cx: &Context, host: &str| {
        let lines = sent(&propagator, &cx.with_destination(Destination::host(host)));
        lines.into_iter().find(|line| line.starts_with("baggage")).unwrap_or_default()
    };
    assert_eq!(sends(&cx, "all.example"), "", "no key is named");
    assert_eq!(sends(&cx, "both.example"), "baggage: order.region=eu", "its key is named");
    assert_eq!(sends(&cx, "orders.internal"), "baggage: order.region=eu,tenant=acme", "one of ours");

    let ours = cx.with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("order.region", "us")]);
    assert_eq!(sends(&ours, "all.example"), "baggage: order.region=us", "what we changed is ours");
    assert_eq!(sends(&local(), "all.example"), "baggage: order.region=eu,tenant=acme", "as is what we made");
    let again = propagator.extract_with_context(&ours, &headers([("baggage", "order.region=us")]));
    assert_eq!(sends(&again, "all.example"), "", "the later extraction counts");
}

/// A loop that extracts into the context that it got before holds no more than the last one.
#[test]
fn an_earlier_origin_is_let_go_of() {
    let held = Arc::new(());
    let first = fresh().extract_with_context(&Context::new().with_value(Arc::clone(&held)), &request());
    let second = fresh().extract_with_context(&first.with_value(Arc::new(())), &request());
    drop(first);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(
        sent(&fresh(), &second.with_destination(Destination::host("all.example"))).len(),
        6,
        "no baggage"
    );
}

#[cfg(feature = "sdk")]
#[test]
fn who_says_where_it_goes() {
    use opentelemetry_sdk::trace::Sampler;
    drop(otel_trust_boundary::DestinationSampler::new(Sampler::AlwaysOn)); // without one, no mark counts
    let marked = |host: &str, is_remote| {
        let state = TraceState::from_str(&format!("otel-destination={host},congo=1")).unwrap();
        Context::new().with_remote_span_context(span(state, is_remote))
    };
    let (ours, theirs) = (Destination::host("orders.internal"), Destination::host("api.stripe.com"));
    let is_sent = |cx: &Context| sent(&fresh(), cx).iter().any(|line| line.starts_with("traceparent"));
    let rows = [
        ("nothing", local(), false),
        ("the context", local().with_destination(ours.clone()), true),
        ("a mark", marked("orders.internal", false), true),
        ("a mark for another host", marked("api.stripe.com", false), false),
        ("a mark for no host", marked("?", false), false),
        ("a mark from a peer", marked("orders.internal", true), false),
        ("the context after the mark", marked("api.stripe.com", false).with_destination(ours.clone()), true),
        (
            "the context after the mark, to a third party",
            marked("orders.internal", false).with_destination(theirs.clone()),
            false,
        ),
        (
            "a mark after the context",
            with_span_of(
                &local_of_another().with_destination(ours.clone()),
                &marked("api.stripe.com", false),
            ),
            false,
        ),
        (
            "a mark after the context, to us",
            with_span_of(
                &local_of_another().with_destination(theirs.clone()),
                &marked("orders.internal", false),
            ),
            true,
        ),
        (
            "a span without a mark after the context",
            with_span_of(&local_of_another().with_destination(ours.clone()), &local()),
            true,
        ),
        (
            "unknown on purpose",
            local().with_destination(ours.clone()).with_destination(Destination::unknown()),
            false,
        ),
    ];
    for (rule, cx, expected) in rows {
        assert_eq!(is_sent(&cx), expected, "{rule}");
        assert!(
            !sent(&fresh(), &cx).join("\n").contains("otel-destination"),
            "{rule}: the mark is on no wire"
        );
    }

    let _attached = Context::new().with_destination(ours).attach();
    assert!(is_sent(&local()), "the current context, where the injected one says nothing");
    assert!(!is_sent(&local().with_destination(theirs)), "the injected one");
    assert!(!is_sent(&marked("api.stripe.com", false)), "a mark of the injected one");
}

#[cfg(feature = "sdk")]
fn local_of_another() -> Context {
    let another = span(TraceState::NONE, false);
    let span_id = opentelemetry::trace::SpanId::from(7);
    Context::new().with_remote_span_context(opentelemetry::trace::SpanContext::new(
        another.trace_id(),
        span_id,
        another.trace_flags(),
        false,
        TraceState::NONE,
    ))
}

#[cfg(feature = "sdk")]
fn with_span_of(cx: &Context, other: &Context) -> Context {
    cx.with_remote_span_context(other.span().span_context().clone())
}

/// The mark is taken away also where everything is allowed, and nothing else is.
#[test]
fn the_mark_is_on_no_wire() {
    let allow = Boundary::allow_all().wrap(Formats);
    for (state, expected) in [
        ("otel-destination=a.example,congo=1", Some("tracestate: congo=1")),
        ("congo=1,otel-destination=a.example", Some("tracestate: congo=1")),
        ("otel-destination=a.example", None),
        (
            "otel-destination=a.example,congo=1,otel-destination=b.example,otel-destination=a.example",
            Some("tracestate: congo=1"),
        ),
    ] {
        for is_remote in [false, true] {
            let cx = Context::new()
                .with_remote_span_context(span(TraceState::from_str(state).unwrap(), is_remote));
            let lines = sent(&allow, &cx);
            let line = lines.iter().find(|line| line.starts_with("tracestate")).map(String::as_str);
            assert_eq!(line, expected, "{state}");
            assert_eq!(lines.len(), 5 + usize::from(expected.is_some()), "{lines:?}");
        }
    }
}

#[test]
fn a_peer_does_not_say_where_our_requests_go() {
    for marks in 1..4 {
        let marks = "otel-destination=orders.internal,".repeat(marks);
        said_by_a_peer(&headers([
            ("traceparent", common::TRACEPARENT),
            ("tracestate", &format!("{marks}congo=1")),
            ("host", "orders.internal"),
        ]));
    }
}

fn said_by_a_peer(forged: &Headers) {
    for boundary in
        [boundary(), Boundary::allow_all(), boundary().inbound(Inbound::new("all", Strategy::Continue))]
    {
        let propagator = boundary.wrap(Formats);
        let cx = propagator.extract_with_context(&Context::new(), forged);
        assert_eq!(cx.span().span_context().trace_state().header(), "congo=1");
        assert_eq!(cx.destination(), None);
    }
    let cx = fresh().extract_with_context(&Context::new(), forged);
    assert_eq!(sent(&fresh(), &cx), [""; 0]);
    // Extracted by somebody else.
    let cx = Formats.extract_with_context(&Context::new(), forged);
    assert_eq!(sent(&fresh(), &cx), [""; 0]);
}

#[test]
fn the_current_context_is_what_inject_sends() {
    let propagator = fresh();
    let _attached = to("orders.internal").attach();
    let mut carrier = Headers::new();
    propagator.inject(&mut carrier);
    assert_eq!(carrier.len(), ALL.len());
}

#[test]
fn a_policy_that_allows_all_changes_nothing() {
    for cx in [Context::new(), local(), to("api.stripe.com")] {
        let allow = Boundary::allow_all().outbound(Outbound::internal("a").hosts(["a.example"]).unwrap());
        let carrier = request();
        assert_eq!(injected(&allow.wrap(Formats), &cx, carrier.clone()), injected(&Formats, &cx, carrier));
    }
}

#[test]
fn fields_are_those_of_the_wrapped_one() {
    assert!(fresh().fields().eq(Formats.fields()));
}
