//! One process that reads all formats that the specification names and writes all of them.
//!
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>

#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![cfg(all(
    feature = "tracecontext",
    feature = "w3c-baggage",
    feature = "b3",
    feature = "jaeger",
    feature = "xray",
    feature = "ottrace"
))]

mod common;

use common::Headers;
use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator, trace::TraceContextExt};
use otel_composite::{CompositePropagator, from_list, from_lists};

const EVERY_NAME: &str = "jaeger,xray,ottrace,b3,b3multi,tracecontext,baggage";

/// What each name sends of one trace.
const SENT: [(&str, &[(&str, &str)]); 7] = [
    ("jaeger", &[("uber-trace-id", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1")]),
    (
        "xray",
        &[("x-amzn-trace-id", "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1")],
    ),
    (
        "ottrace",
        &[
            ("ot-tracer-traceid", "8448eb211c80319c"),
            ("ot-tracer-spanid", "b7ad6b7169203331"),
            ("ot-tracer-sampled", "true"),
        ],
    ),
    ("b3", &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")]),
    (
        "b3multi",
        &[
            ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
            ("x-b3-spanid", "b7ad6b7169203331"),
            ("x-b3-sampled", "1"),
        ],
    ),
    ("tracecontext", &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]),
    ("baggage", &[("baggage", "tenant=acme")]),
];

fn headers(of: impl Fn(&str) -> bool) -> Headers {
    let sent = SENT.iter().filter(|(name, _)| of(name)).flat_map(|(_, headers)| *headers);
    sent.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn every_name() -> CompositePropagator {
    from_list(EVERY_NAME).unwrap()
}

fn inject(propagator: &CompositePropagator, cx: &Context) -> Headers {
    let mut sent = Headers::new();
    propagator.inject_context(cx, &mut sent);
    sent
}

#[test]
fn what_came_in_every_format_goes_on_in_every_format() {
    let cx = every_name().extract_with_context(&Context::new(), &headers(|_| true));
    assert_eq!(cx.baggage().to_string(), "tenant=acme");
    assert_eq!(inject(&every_name(), &cx), headers(|_| true));
    let expected = "extract: jaeger > xray > ottrace > b3 > tracecontext; \
                    inject: jaeger, xray, ottrace, b3, b3multi, tracecontext; baggage: baggage";
    assert!(every_name().to_string().starts_with(expected), "{}", every_name());
}

#[test]
fn what_came_in_one_format_goes_on_in_every_format() {
    for (name, _) in SENT.into_iter().filter(|(name, _)| *name != "baggage") {
        let cx = every_name().extract_with_context(&Context::new(), &headers(|format| format == name));
        let span = cx.span().span_context().clone();
        let whole = "0af7651916cd43dd8448eb211c80319c";
        let expected = if name == "ottrace" { "00000000000000008448eb211c80319c" } else { whole };
        assert_eq!(span.trace_id().to_string(), expected, "{name}");
        assert!(span.is_sampled() && span.is_remote(), "{name}");
        let cut =
            |text: &str| text.replace(whole, expected).replace("0af76519-16cd43dd", &expected_root(expected));
        let expected: Headers = headers(|format| format != "baggage")
            .into_iter()
            .map(|(name, value)| (name, cut(&value)))
            .collect();
        assert_eq!(inject(&every_name(), &cx), expected, "{name}");
    }
}

/// The first half of a trace id as X-Ray writes it.
fn expected_root(trace_id: &str) -> String {
    let (time, rest) = trace_id.split_at(8);
    format!("{time}-{}", rest.split_at(8).0)
}

#[test]
fn the_first_valid_one_wins() {
    let other = |text: &str| text.replace("b7ad6b7169203331", "1111111111111111");
    let names: Vec<&str> = EVERY_NAME.split(',').filter(|name| *name != "baggage").collect();
    for (index, first) in names.iter().enumerate() {
        // Those before it are absent or broken, those after it have another span of the same trace.
        let mut request: Headers =
            headers(|_| true).into_iter().map(|(name, value)| (name, other(&value))).collect();
        let of = |name: &&str| SENT.iter().find(|(it, _)| it == name).unwrap().1;
        for before in names.iter().take(index) {
            for (header, _) in of(before) {
                request.insert((*header).to_owned(), "broken".to_owned());
            }
        }
        request.extend(of(first).iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let cx = every_name().extract_with_context(&Context::new(), &request);
        assert_eq!(
            cx.span().span_context().span_id().to_string(),
            "b7ad6b7169203331",
            "{first}: {request:?}"
        );
    }
}

#[test]
fn half_a_trace_id_is_made_whole_by_a_format_before_it() {
    for before in ["tracecontext", "b3", "jaeger", "xray"] {
        let propagator = from_lists(&format!("{before},ottrace"), before).unwrap();
        let request = headers(|name| name == before || name == "ottrace");
        let cx = propagator.extract_with_context(&Context::new(), &request);
        assert_eq!(inject(&propagator, &cx), headers(|name| name == before), "{before}");
        let conflicts = otel_composite::ConflictExt::conflicting_span_contexts(&cx).len();
        assert_eq!(conflicts, 0, "{before}: it is the same trace");
    }
}

#[test]
fn x_ray_twice_is_read_once_and_written_once() {
    let propagator = from_list("xray-lambda,xray").unwrap();
    assert_eq!(propagator.fields().collect::<Vec<_>>(), ["x-amzn-trace-id"]);
}

#[test]
fn baggage_in_headers_of_its_own_is_within_the_limits_of_the_composite() {
    use opentelemetry::KeyValue;
    use otel_composite::{JaegerPropagator, Limits, OtTracePropagator, PrefixedBaggage};
    let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    let ottrace = OtTracePropagator::new().with_baggage(PrefixedBaggage::both());
    let propagator = CompositePropagator::builder()
        .trace(jaeger)
        .trace(ottrace)
        .limits(Limits::new().deny(&["user.*"]))
        .build();
    let cx = every_name()
        .extract_with_context(&Context::new(), &headers(|name| name == "tracecontext"))
        .with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user.email", "amy")]);
    let sent = inject(&propagator, &cx);
    assert_eq!((sent["uberctx-tenant"].as_str(), sent["ot-baggage-tenant"].as_str()), ("acme", "acme"));
    assert_eq!(sent.len(), 6, "{sent:?}");
    assert!(sent.values().all(|value| !value.contains("amy")), "{sent:?}");
}
