//! A proxy copies the headers of its caller, extracts, and injects into the copy: what is sent says of no trace what
//! another one said.

#![cfg(all(
    feature = "tracecontext",
    feature = "b3",
    feature = "jaeger",
    feature = "xray",
    feature = "ottrace"
))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Headers, headers};
use opentelemetry::{
    Context, SpanId, TraceId,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::testing::trace::TestSpan;
use otel_composite::{CompositePropagator, Registry, from_list};

const FIRST: &str = "0af7651916cd43dd8448eb211c80319c";
const SECOND: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "00f067aa0ba902b7";

const FORMATS: [&str; 6] = ["tracecontext", "b3", "b3multi", "jaeger", "xray", "ottrace"];

/// What a request may hold in a format, with this trace: valid headers, broken ones, and those beside a trace alone.
fn requests(format: &str, trace: &str) -> Vec<Headers> {
    let with = |pairs: &[(&str, &str)]| headers(pairs);
    match format {
        "tracecontext" => {
            let parent = |flags| format!("00-{trace}-{SPAN}-{flags}");
            let state = ("tracestate", if trace == FIRST { "own=1" } else { "stranger=1" });
            vec![
                with(&[("traceparent", &parent("00"))]),
                with(&[("traceparent", &parent("01")), state]),
                with(&[("traceparent", &parent("03")), ("tracestate", "level@@two=1")]),
                with(&[("traceparent", "broken"), state]),
                with(&[state]),
            ]
        }
        "b3" => {
            let states =
                ["", "-0", "-1", "-d"].map(|state| with(&[("b3", &format!("{trace}-{SPAN}{state}"))]));
            states.into_iter().chain(["0", "d", "broken"].map(|alone| with(&[("b3", alone)]))).collect()
        }
        "b3multi" => {
            let ids = [("x-b3-traceid", trace), ("x-b3-spanid", SPAN)];
            let states = [("x-b3-sampled", "0"), ("x-b3-sampled", "1"), ("x-b3-flags", "1")];
            let valid = states.map(|state| with(&[ids[0], ids[1], state]));
            let broken = states.map(|state| with(&[ids[0], ("x-b3-spanid", "broken"), state]));
            valid.into_iter().chain(broken).chain(states.map(|state| with(&[state]))).collect()
        }
        "jaeger" => ["0", "1", "3"]
            .map(|flags| with(&[("uber-trace-id", &format!("{trace}:{SPAN}:0:{flags}"))]))
            .into(),
        "xray" => {
            let (time, rest) = trace.split_at(8);
            ["", ";Sampled=0", ";Sampled=1", ";Sampled=?"]
                .map(|state| {
                    with(&[("x-amzn-trace-id", &format!("Root=1-{time}-{rest};Parent={SPAN}{state}"))])
                })
                .into()
        }
        _ => {
            let (_, lower) = trace.split_at(16);
            let ids = [("ot-tracer-traceid", lower), ("ot-tracer-spanid", SPAN)];
            let states =
                ["true", "false", ""].map(|state| with(&[ids[0], ids[1], ("ot-tracer-sampled", state)]));
            states.into_iter().chain([with(&ids), with(&[("ot-tracer-sampled", "true")])]).collect()
        }
    }
}

fn injected(propagator: &CompositePropagator, cx: &Context, mut request: Headers) -> Headers {
    propagator.inject_context(cx, &mut request);
    request
}

/// The context with a span that was started in this trace.
fn within(cx: &Context, trace_id: TraceId, is_sampled: bool) -> Context {
    let span = cx.span();
    let caller = span.span_context();
    let flags = caller.trace_flags().with_sampled(is_sampled);
    let state = caller.trace_state().clone();
    cx.with_span(TestSpan(SpanContext::new(trace_id, SpanId::from(7), flags, false, state)))
}

/// The copy says what a request without older headers says.
fn says_the_same(propagator: &CompositePropagator, cx: &Context, request: &Headers) {
    let (copy, fresh) = (injected(propagator, cx, request.clone()), injected(propagator, cx, Headers::new()));
    for name in propagator.fields() {
        let said = |sent: &Headers| sent.get(name).filter(|value| !value.is_empty()).cloned();
        // It is idle beside a debug flag, and an empty one, where the decision is open, would be malformed.
        if name == "x-b3-sampled" && said(&fresh).is_none() {
            continue;
        }
        assert_eq!(said(&copy), said(&fresh), "{name} by {propagator}: {request:#?} was sent as {copy:#?}");
    }
}

#[test]
fn a_copied_request_of_two_traces_speaks_of_one() {
    let pairs = FORMATS.iter().flat_map(|first| FORMATS.map(|second| (*first, second)));
    for (first, second) in pairs.filter(|(first, second)| first != second) {
        let propagators = [from_list(&format!("{first},{second}")).unwrap(), {
            let registry = Registry::new().builder_from_list(&format!("{first},{second}")).unwrap();
            registry.last_wins(true).build()
        }];
        for request in requests(first, FIRST).iter().flat_map(|one| {
            requests(second, SECOND).into_iter().map(|other| one.clone().into_iter().chain(other).collect())
        }) {
            for propagator in &propagators {
                let cx = propagator.extract_with_context(&Context::new(), &request);
                let trace_id = cx.span().span_context().trace_id();
                if trace_id == TraceId::INVALID {
                    continue;
                }
                says_the_same(propagator, &cx, &request);
                says_the_same(propagator, &within(&cx, trace_id, true), &request);
                says_the_same(propagator, &within(&cx, trace_id, false), &request);
            }
        }
    }
}
