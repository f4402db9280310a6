//! Every format that `OTEL_PROPAGATORS` names, under one boundary: ids under other names are the same concern.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Headers, SPAN, TRACE, headers, injected, local, sent};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::TraceContextExt,
};
use otel_b3::B3Propagator;
use otel_carriers::headers;
use otel_jaeger::{JaegerPropagator, PrefixedBaggage};
use otel_ottrace::OtTracePropagator;
use otel_propagator_core::sampling::{Sampling, SamplingExt};
use otel_tracecontext::TraceContextPropagator;
use otel_trust_boundary::{Boundary, Destination, DestinationExt, Inbound, Keys, Outbound, Strategy, Trace};
use otel_w3c_baggage::BaggagePropagator;
use otel_xray::XrayPropagator;

fn formats() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(B3Propagator::single_and_multi()),
        Box::new(JaegerPropagator::new().with_baggage(PrefixedBaggage::both()).with_debug_id(true)),
        Box::new(OtTracePropagator::new().with_baggage(PrefixedBaggage::both())),
        Box::new(XrayPropagator::new()),
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
}

fn boundary() -> Boundary {
    let rule = |name: &'static str| Outbound::external(name).hosts([format!("{name}.example")]).unwrap();
    Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .outbound(rule("ids").trace(Trace::Ids))
        .outbound(rule("trace").trace(Trace::All))
        .outbound(rule("keys").baggage(Keys::of(&["order.*"])))
}

/// What the local context sends where everything may leave.
const ALL: [&str; 15] = [
    "b3: 0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    "baggage: order.region=eu,tenant=acme",
    "ot-baggage-order.region: eu",
    "ot-baggage-tenant: acme",
    "ot-tracer-sampled: true",
    "ot-tracer-spanid: b7ad6b7169203331",
    "ot-tracer-traceid: 8448eb211c80319c",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "tracestate: congo=t61rcWkgMzE",
    "uber-trace-id: 0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1",
    "uberctx-order.region: eu",
    "uberctx-tenant: acme",
    "x-amzn-trace-id: Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1",
    "x-b3-sampled: 1",
    "x-b3-spanid: b7ad6b7169203331",
];

fn is_baggage(line: &str) -> bool {
    ["baggage", "ot-baggage-", "uberctx-"].iter().any(|name| line.starts_with(name))
}

fn may_leave(host: &str, line: &str) -> bool {
    match host {
        "orders.internal" => true,
        "ids.example" => !is_baggage(line) && !line.starts_with("tracestate"),
        "trace.example" => !is_baggage(line),
        "keys.example" => is_baggage(line) && line.contains("order.region"),
        _ => false,
    }
}

const HOSTS: [&str; 6] = [
    "orders.internal",
    "ids.example",
    "trace.example",
    "keys.example",
    "api.stripe.com",
    "orders.internal@evil.example",
];

fn all() -> Vec<String> {
    sent(&formats(), &local())
}

/// What may go there, of all that is sent where everything may.
fn expected(host: &str) -> Vec<String> {
    let line = |line: String| {
        let is_list = line.starts_with("baggage:") && host == "keys.example";
        if is_list { "baggage: order.region=eu".to_owned() } else { line }
    };
    all().into_iter().filter(|it| may_leave(host, it)).map(line).collect()
}

#[test]
fn ids_under_every_name_are_the_trace() {
    let all = all();
    assert!(ALL.iter().all(|line| all.iter().any(|sent| sent == line)), "{all:#?}");
    let guarded = boundary().fresh_carriers(true).wrap(formats());
    for host in HOSTS {
        let to = sent(&guarded, &local().with_destination(Destination::host(host)));
        let mut expected = expected(host);
        if host == "keys.example" {
            expected.retain(|line| !line.starts_with("ot-baggage-")); // it goes with a span alone
        }
        assert_eq!(to, expected, "{host}");
    }
}

/// The same names at the wire, where nobody can say what put them there.
#[cfg(feature = "http")]
#[test]
fn strip_knows_every_name() {
    for host in HOSTS {
        let mut request: HeaderMap = all()
            .iter()
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect();
        boundary().strip(&mut request, &Destination::host(host));
        let mut left: Vec<String> =
            request.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect();
        left.sort_unstable();
        assert_eq!(left, expected(host), "{host}");
    }
}

/// A request of a caller in one format, which a proxy copies.
fn requests() -> [(&'static str, Headers); 8] {
    let root = "Root=1-0af76519-16cd43dd8448eb211c80319c";
    [
        ("W3C", headers([("traceparent", common::TRACEPARENT), ("tracestate", "congo=t61rcWkgMzE")])),
        ("B3", headers([("b3", &format!("{TRACE}-{SPAN}-d"))])),
        (
            "B3 in many headers",
            headers([("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-flags", "1")]),
        ),
        ("Jaeger", headers([("uber-trace-id", &format!("{TRACE}:{SPAN}:0:3"))])),
        ("Jaeger's debug id", headers([("jaeger-debug-id", TRACE)])),
        (
            "OT Trace",
            headers([
                ("ot-tracer-traceid", "8448eb211c80319c"),
                ("ot-tracer-spanid", SPAN),
                ("ot-tracer-sampled", "true"),
            ]),
        ),
        (
            "X-Ray",
            headers([("x-amzn-trace-id", &format!("{root};Parent={SPAN};Sampled=1;Lineage=1:e65a2c4d:0"))]),
        ),
        ("X-Ray without a parent", headers([("x-amzn-trace-id", &format!("{root};Sampled=1"))])),
    ]
}

/// Whether a line has any of the caller's ids.
fn names_the_caller(line: &str) -> bool {
    ["8448eb211c80319c", SPAN, "t61rcWkgMzE", "e65a2c4d"].iter().any(|id| line.contains(id))
}

/// A request with a trace in one format and another trace in a second one.
fn requests_of_two() -> Vec<(String, Headers)> {
    let other = |value: &String| value.replace("8448eb211c80319c", "64fe8b2a57d3eff7");
    let pair = |(first, one): (&str, Headers), (second, another): (&str, Headers)| {
        let another = another.iter().map(|(name, value)| (name.clone(), other(value)));
        (format!("{first} and {second}"), another.chain(one).collect())
    };
    requests().into_iter().flat_map(|one| requests().map(|another| pair(one.clone(), another))).collect()
}

#[test]
fn a_copied_request_of_any_format_does_not_leave() {
    let guarded = boundary().context_headers(["jaeger-debug-id"]).wrap(formats());
    let of_one = requests().map(|(format, request)| (format.to_owned(), request));
    for (format, request) in of_one.into_iter().chain(requests_of_two()) {
        let cx = guarded.extract_with_context(&Context::new(), &request);
        for cx in [cx.clone(), Context::new()] {
            let cx = cx.with_destination(Destination::host("api.stripe.com"));
            let sent = injected(&guarded, &cx, request.clone());
            assert!(sent.iter().all(|line| line.ends_with(": ")), "{format}: {sent:?}");
        }
    }
}

/// With the carrier of `otel-carriers` no header is left, not even an empty one.
#[test]
fn an_empty_header_is_on_no_wire() {
    let guarded = boundary().context_headers(["jaeger-debug-id"]).wrap(formats());
    for (format, request) in requests() {
        let lines =
            request.iter().map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()));
        let mut request: HeaderMap = lines.collect();
        request.insert("accept", HeaderValue::from_static("*/*"));
        let cx = headers::extract(&guarded, &request).with_destination(Destination::host("api.stripe.com"));
        headers::inject(&guarded, &cx, &mut request);
        assert_eq!(request.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["accept"], "{format}");
    }
}

#[test]
fn a_restart_takes_nothing_of_any_format() {
    for strategy in [Strategy::RestartWithLink, Strategy::RestartWithoutLink, Strategy::Ignore] {
        let guarded = Boundary::allow_all().otherwise(Inbound::new("anonymous", strategy)).wrap(formats());
        for (format, request) in requests() {
            let cx = guarded.extract_with_context(&Context::new(), &request);
            assert!(!cx.has_active_span(), "{format}, {strategy:?}");
            assert_eq!((cx.sampling(), cx.bare_sampling()), (None, None), "{format}, {strategy:?}");
            let sent = sent(&guarded, &cx);
            assert!(!sent.iter().any(|line| names_the_caller(line)), "{format}, {strategy:?}: {sent:?}");
        }
    }
}

/// No format's flag, debug flag or decision without ids counts, and the ids stay.
#[test]
fn no_format_s_decision_is_trusted() {
    let rule = || Inbound::new("untrusted", Strategy::Continue).trust_sampled(false);
    let guarded = Boundary::allow_all().otherwise(rule()).wrap(formats());
    for (format, request) in requests() {
        let plain = formats().extract_with_context(&Context::new(), &request);
        let cx = guarded.extract_with_context(&Context::new(), &request);
        let id = |cx: &Context| cx.span().span_context().trace_id();
        assert_eq!(id(&cx), id(&plain), "{format}");
        assert!(!cx.span().span_context().is_sampled(), "{format}");
        let decision = cx.sampling().or(cx.bare_sampling());
        assert_eq!(decision.unwrap_or(Sampling::Defer), Sampling::Defer, "{format}");
        let sent = sent(&guarded, &cx);
        let forced = ["-1", "-d", ":1", ":3", "-01", "Sampled=1", "sampled: 1", "sampled: true", "flags: 1"];
        assert!(!sent.iter().any(|line| forced.iter().any(|it| line.ends_with(it))), "{format}: {sent:?}");
    }
}
