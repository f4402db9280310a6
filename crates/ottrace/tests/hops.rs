//! Requests through services with the real SDK: receive, start a span, send; and the same again in the next service.

#![cfg(feature = "sampler")]

mod common;

use common::{Headers, LONG, SPAN, extract, extract_in, inject, ot, request, span};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, ShouldSample};
use otel_ottrace::DecisionSampler;

fn tracer(sampler: impl Into<Box<dyn ShouldSample>>) -> SdkTracer {
    SdkTracerProvider::builder().with_sampler(sampler.into()).build().tracer("service")
}

fn start(tracer: &SdkTracer, parent: &Context) -> Context {
    parent.with_span(tracer.start_with_context("request", parent))
}

/// The headers of the context's own span.
fn headers_of(cx: &Context, sampled: &str) -> Headers {
    let span = cx.span();
    let span = span.span_context();
    let trace_id = span.trace_id().to_string();
    let (_, lower) = trace_id.split_at(16);
    request(Some(lower), Some(&span.span_id().to_string()), Some(sampled))
}

/// A service receives a request, starts a span and under it another one, and sends a request under each.
fn service(tracer: &SdkTracer, request: &Headers, sampled: &str, row: &str) -> Headers {
    let received = extract(request);
    let span = start(tracer, &received);
    assert_eq!(inject(&span), headers_of(&span, sampled), "{row}: the next hop");
    let child = start(tracer, &span);
    assert_eq!(inject(&child), headers_of(&child, sampled), "{row}: the next hop of the child");
    for cx in [&span, &child] {
        assert_eq!(cx.span().span_context().is_sampled(), sampled == "true", "{row}: the decision");
        let [mine, theirs] = [cx, &received].map(|cx| cx.span().span_context().trace_id());
        assert!(!received.has_active_span() || mine == theirs, "{row}: one trace");
    }
    inject(&child)
}

/// A row for each sampler: what is sent where this was received.
#[test]
fn three_hops_of_every_decision() {
    let received = [ot(Some("true")), ot(Some("false")), ot(None), Headers::new()];
    let rows: [(&str, Box<dyn ShouldSample>, [bool; 4]); 4] = [
        ("decision, root on", DecisionSampler::new(Sampler::AlwaysOn).into(), [true, false, true, true]),
        ("decision, root off", DecisionSampler::new(Sampler::AlwaysOff).into(), [true, false, false, false]),
        // The SDK's own take an undecided trace for a denied one.
        (
            "parent-based, root on",
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn)).into(),
            [true, false, false, true],
        ),
        ("always on", Sampler::AlwaysOn.into(), [true, true, true, true]),
    ];
    for (name, sampler, sent) in rows {
        let tracer = tracer(sampler);
        for (received, sent) in received.iter().zip(sent) {
            let (sampled, row) = (if sent { "true" } else { "false" }, format!("{name}: {received:?}"));
            let next = service(&tracer, received, sampled, &row);
            service(&tracer, &next, sampled, &format!("{row}, second service"));
        }
    }
}

#[test]
fn a_trace_of_128_bits_comes_back_whole_from_a_64_bit_hop() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOn));
    let here = start(&tracer, &span(LONG, TraceFlags::SAMPLED));
    let there = start(&tracer, &extract(&inject(&here)));
    assert_ne!(there.span().span_context().trace_id().to_string(), LONG, "the hop cuts it");
    let back = extract_in(&here, &inject(&there));
    assert_eq!(back.span().span_context().trace_id().to_string(), LONG);
    assert_eq!(back.span().span_context().span_id(), there.span().span_context().span_id());
}

#[test]
fn a_decision_left_over_from_one_trace_does_not_touch_another() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOn));
    let left_over = extract(&ot(Some("false"))).with_remote_span_context(SpanContext::NONE);
    let cx = start(&tracer, &left_over);
    assert_ne!(cx.span().span_context().span_id().to_string(), SPAN);
    assert_eq!(inject(&cx), headers_of(&cx, "true"));
}
