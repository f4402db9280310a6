//! What leaves at the wire, whatever put it there.

#![cfg(feature = "tower")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use http::{HeaderMap, HeaderValue, Request};
use otel_trust_boundary::{Boundary, Destination, EgressLayer, Keys, Outbound, Trace};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

fn boundary() -> Boundary {
    Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .outbound(Outbound::external("ids").hosts(["ids.example"]).unwrap().trace(Trace::Ids))
        .outbound(
            Outbound::external("keys").hosts(["keys.example"]).unwrap().baggage(Keys::of(&["order.*", "a"])),
        )
        .outbound(
            Outbound::external("all").hosts(["all.example"]).unwrap().trace(Trace::All).baggage(Keys::ALL),
        )
        .outbound(Outbound::internal("queue"))
}

/// A context header of each kind, and one that is none.
const HEADERS: [(&str, &str); 26] = [
    ("accept", "*/*"),
    ("b3", "1"),
    ("baggage", "a=1,tenant=acme,order.region=eu"),
    ("elastic-apm-traceparent", "x"),
    ("grpc-trace-bin", "x"),
    ("jaeger-baggage", "a=1, tenant=acme"),
    ("newrelic", "x"),
    ("ot-baggage-a", "1"),
    ("ot-baggage-tenant", "acme"),
    ("ot-tracer-traceid", "x"),
    ("sentry-trace", "x"),
    ("sw8", "x"),
    ("traceparent", common::TRACEPARENT),
    ("tracestate", "congo=1"),
    ("uber-trace-id", "x"),
    ("uberctx-order.region", "eu"),
    ("uberctx-tenant", "acme"),
    ("x-amzn-trace-id", "x"),
    ("x-b3-flags", "1"),
    ("x-b3-traceid", "x"),
    ("x-cloud-trace-context", "x"),
    ("x-datadog-trace-id", "x"),
    ("x-dynatrace-trace", "x"),
    ("x-house-trace", "x"),
    ("x-instana-t", "x"),
    ("x-ot-span-context", "x"),
];

fn headers() -> HeaderMap {
    HEADERS.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
}

fn left(headers: &HeaderMap) -> Vec<String> {
    let line = |(name, value): (_, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap_or("?"));
    let mut lines: Vec<String> = headers.iter().map(line).collect();
    lines.sort_unstable();
    lines
}

fn stripped(boundary: &Boundary, host: &str, mut headers: HeaderMap) -> Vec<String> {
    boundary.strip(&mut headers, &Destination::host(host));
    left(&headers)
}

#[test]
fn what_is_forbidden_is_removed() {
    let house = boundary().context_headers(["X-House-Trace"]);
    let all = left(&headers());
    let only = |keep: &dyn Fn(&str) -> bool| -> Vec<String> {
        HEADERS
            .iter()
            .filter(|(name, _)| keep(name))
            .map(|(name, value)| format!("{name}: {value}"))
            .collect()
    };
    let is_baggage = |name: &str| name.contains("baggage") || name.starts_with("uberctx");
    assert_eq!(stripped(&house, "orders.internal", headers()), all);
    assert_eq!(stripped(&house, "all.example", headers()), all);
    assert_eq!(stripped(&house, "api.stripe.com", headers()), ["accept: */*"]);
    assert_eq!(stripped(&house, "orders.internal@evil.example", headers()), ["accept: */*"]);
    assert_eq!(stripped(&boundary(), "api.stripe.com", headers()), ["accept: */*", "x-house-trace: x"]);
    let ids = only(&|name| !is_baggage(name) && name != "tracestate");
    assert_eq!(stripped(&house, "ids.example", headers()), ids);
    let keys = [
        "accept: */*",
        "baggage: a=1,order.region=eu",
        "jaeger-baggage: a=1",
        "ot-baggage-a: 1",
        "uberctx-order.region: eu",
    ];
    assert_eq!(stripped(&house, "keys.example", headers()), keys);
}

/// The names under which tracing systems send context, and where each is taken from.
const SYSTEMS: [(&str, &[&str]); 18] = [
    ("https://www.w3.org/TR/trace-context-2/", &["traceparent", "tracestate"]),
    ("https://www.w3.org/TR/baggage/", &["baggage"]),
    (
        "https://github.com/openzipkin/b3-propagation",
        &["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"],
    ),
    (
        "jaeger-client-go, constants.go",
        &["uber-trace-id", "uberctx-tenant", "jaeger-debug-id", "jaeger-baggage"],
    ),
    (
        "opentelemetry-go-contrib, propagators/ot",
        &["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled", "ot-baggage-tenant"],
    ),
    ("Envoy, Lightstep tracer", &["x-ot-span-context"]),
    ("AWS X-Ray, tracing header", &["x-amzn-trace-id"]),
    ("Google Cloud Trace, legacy header", &["x-cloud-trace-context"]),
    ("OpenCensus, gRPC", &["grpc-trace-bin", "grpc-tags-bin"]),
    (
        "dd-trace-go, textmap.go",
        &[
            "x-datadog-trace-id",
            "x-datadog-parent-id",
            "x-datadog-sampling-priority",
            "x-datadog-origin",
            "x-datadog-tags",
        ],
    ),
    ("Dynatrace, tagged requests", &["x-dynatrace", "x-dynatrace-test"]),
    (
        "New Relic, distributed tracing, and cross application tracing before it",
        &["newrelic", "x-newrelic-id", "x-newrelic-transaction", "x-newrelic-synthetics"],
    ),
    ("Elastic APM agents", &["elastic-apm-traceparent"]),
    ("Apache SkyWalking, cross process propagation v3", &["sw8", "sw8-x", "sw8-correlation"]),
    ("Sentry SDKs", &["sentry-trace"]),
    ("Instana tracers", &["x-instana-t", "x-instana-s", "x-instana-l"]),
    ("Application Insights, before Trace Context", &["correlation-context"]),
    ("AppDynamics agents; Honeycomb Beelines", &["singularityheader", "x-honeycomb-trace"]),
];

#[test]
fn the_headers_of_all_systems_are_removed() {
    for (system, names) in SYSTEMS {
        for name in names {
            let headers = || HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static("a=1"))]);
            assert_eq!(stripped(&boundary(), "api.stripe.com", headers()), [""; 0], "{system}: {name}");
            let all = [format!("{name}: a=1")];
            assert_eq!(stripped(&boundary(), "orders.internal", headers()), all, "{system}: {name}");
        }
    }
}

/// Names that begin as some that are context do.
#[test]
fn other_headers_stay() {
    for name in ["b3x", "dynatrace", "newrelic-x", "sw80", "x-b3", "x-datadog", "x-instana-x", "x-newrelic"] {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), HeaderValue::from_static("1"))]);
        assert_eq!(stripped(&boundary(), "api.stripe.com", headers), [format!("{name}: 1")]);
    }
}

/// What is a list as `baggage` is one is looked at by key; of what is encoded nobody sees the keys.
#[test]
fn baggage_of_other_systems_is_baggage() {
    let context = "a=1, tenant=acme";
    for (host, name, value, expected) in [
        ("keys.example", "correlation-context", context, Some("a=1")),
        ("all.example", "correlation-context", context, Some(context)),
        ("ids.example", "correlation-context", context, None),
        ("keys.example", "sw8-correlation", "YQ==:MQ==", None),
        ("all.example", "sw8-correlation", "YQ==:MQ==", Some("YQ==:MQ==")),
        ("ids.example", "sw8-correlation", "YQ==:MQ==", None),
        ("orders.internal", "sw8-correlation", "", None),
        ("keys.example", "grpc-tags-bin", "AAA", None),
    ] {
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        let expected: Vec<_> = expected.iter().map(|value| format!("{name}: {value}")).collect();
        assert_eq!(stripped(&boundary(), host, headers), expected, "{name} to {host}");
    }
}

#[test]
fn members_of_baggage() {
    type Row = (&'static str, &'static [&'static [u8]], &'static [&'static str]);
    let rows: [Row; 13] = [
        ("several lines are one list", &[b"a=1,b=2", b"order.id=3"], &["baggage: a=1,order.id=3"]),
        ("nothing to take away: as it was", &[b"a=1 ,order.id=3;p"], &["baggage: a=1 ,order.id=3;p"]),
        ("spaces around the key", &[b" a =1, b =2"], &["baggage: a =1"]),
        ("properties stay", &[b"b=2;p=1,a=1;p=%2C;q"], &["baggage: a=1;p=%2C;q"]),
        ("a key is not decoded", &[b"%61=1,a=2"], &["baggage: a=2"]),
        ("keys have a case", &[b"A=1"], &[]),
        ("a key without a value", &[b"tenant,a"], &["baggage: a"]),
        ("a key in a property is none", &[b"tenant=1;a=1"], &[]),
        ("no key", &[b"=1"], &[]),
        ("empty members", &[b",,b=1,,a=1,,"], &["baggage: a=1"]),
        ("none is left", &[b"b=1", b"c=2"], &[]),
        ("empty", &[b""], &[]),
        ("a line that is not text", &[b"a=\xff,a=1", b"a=2"], &["baggage: a=2"]),
    ];
    for (rule, lines, expected) in rows {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("baggage", HeaderValue::from_bytes(line).unwrap());
        }
        assert_eq!(stripped(&boundary(), "keys.example", headers), expected, "{rule}");
    }
}

/// A map of headers has room for some ten thousand, and it may be full.
#[test]
fn a_full_map() {
    let mut full = HeaderMap::new();
    full.insert("baggage", HeaderValue::from_static("a=1,tenant=acme"));
    for number in 0.. {
        let name: http::HeaderName = format!("h{number}").parse().unwrap();
        if full.try_append(name, HeaderValue::from_static("1")).is_err() {
            break;
        }
    }
    boundary().strip(&mut full, &Destination::host("keys.example"));
    assert_eq!(full["baggage"], "a=1");
}

#[test]
fn an_empty_header_is_removed_everywhere() {
    for host in ["orders.internal", "api.stripe.com", "all.example"] {
        let headers = ["traceparent", "tracestate", "baggage", "jaeger-baggage", "b3"];
        let headers = headers.map(|name| (name.parse().unwrap(), HeaderValue::from_static("")));
        assert_eq!(stripped(&boundary(), host, headers.into_iter().collect()), [""; 0], "{host}");
    }
    let mut headers = HeaderMap::new();
    for value in ["", "congo=1"] {
        headers.append("tracestate", value.parse().unwrap());
    }
    assert_eq!(stripped(&boundary(), "orders.internal", headers), ["tracestate: ", "tracestate: congo=1"]);
}

/// Of baggage with a header an entry it says that the entry is empty.
#[test]
fn an_empty_entry_goes_where_its_key_may() {
    let rows = [
        ("orders.internal", &["ot-baggage-a: ", "uberctx-a: ", "uberctx-b: "][..]),
        ("all.example", &["ot-baggage-a: ", "uberctx-a: ", "uberctx-b: "]),
        ("keys.example", &["ot-baggage-a: ", "uberctx-a: "]),
        ("api.stripe.com", &[]),
    ];
    for (host, expected) in rows {
        let headers = ["uberctx-a", "Uberctx-b", "ot-baggage-a"];
        let headers = headers.map(|name| (name.parse().unwrap(), HeaderValue::from_static("")));
        assert_eq!(stripped(&boundary(), host, headers.into_iter().collect()), expected, "{host}");
    }
}

/// A client that answers with the headers that it was to send.
struct Echo;

impl Service<Request<()>> for Echo {
    type Response = HeaderMap;
    type Error = Infallible;
    type Future = Ready<Result<HeaderMap, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        ready(Ok(request.headers().clone()))
    }
}

fn sent(layer: &EgressLayer, uri: &str) -> Vec<String> {
    let mut request = Request::get(uri).body(()).unwrap();
    *request.headers_mut() = [("host".parse().unwrap(), HeaderValue::from_static("orders.internal"))]
        .into_iter()
        .chain([("traceparent".parse().unwrap(), HeaderValue::from_static(common::TRACEPARENT))])
        .collect();
    left(&layer.layer(Echo).call(request).into_inner().unwrap())
}

#[test]
fn the_layer_sees_the_uri() {
    let layer = EgressLayer::new(boundary());
    let traceparent = format!("traceparent: {}", common::TRACEPARENT);
    let host = "host: orders.internal";
    let both = [host.to_owned(), traceparent];
    assert_eq!(sent(&layer, "http://orders.internal/"), both);
    assert_eq!(sent(&layer, "https://evil.example/?x=.internal"), [host]);
    assert_eq!(sent(&layer, "http://orders.internal@evil.example/"), [host]);
    assert_eq!(sent(&layer, "/"), [host], "a host header may be a peer's");
    assert_eq!(sent(&layer.clone().to(Destination::named("queue")), "/"), both);
    assert_eq!(sent(&layer.to(Destination::host("api.stripe.com")), "http://orders.internal/"), [host]);
}
