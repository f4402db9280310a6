//! Requests through services with the real SDK: receive, start a span, send; and the same again in the next service.

#![cfg(feature = "sampler")]

mod common;

use common::{Headers, extract, extract_with, headers, inject, uber};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, ShouldSample};
use otel_jaeger::{DecisionSampler, JaegerExt, JaegerPropagator, Sampling, SamplingExt};

fn tracer(sampler: impl Into<Box<dyn ShouldSample>>) -> SdkTracer {
    SdkTracerProvider::builder().with_sampler(sampler.into()).build().tracer("service")
}

fn start(tracer: &SdkTracer, parent: &Context) -> Context {
    parent.with_span(tracer.start_with_context("request", parent))
}

/// The header of the context's own span with these flags.
fn headers_of(cx: &Context, flags: &str) -> Headers {
    let span = cx.span();
    let span = span.span_context();
    headers([("uber-trace-id", format!("{}:{}:0:{flags}", span.trace_id(), span.span_id()))])
}

/// A service receives a request, starts a span and under it another one, and sends a request under each.
fn service(tracer: &SdkTracer, request: &Headers, flags: &str, row: &str) -> Headers {
    let received = extract(request);
    let span = start(tracer, &received);
    assert_eq!(inject(&span), headers_of(&span, flags), "{row}: the next hop");
    let child = start(tracer, &span);
    assert_eq!(inject(&child), headers_of(&child, flags), "{row}: the next hop of the child");
    for cx in [&span, &child] {
        assert_eq!(cx.span().span_context().is_sampled(), !matches!(flags, "0" | "8"), "{row}: the decision");
        if received.has_active_span() {
            let [mine, theirs] = [cx, &received].map(|cx| cx.span().span_context().trace_id());
            assert_eq!(mine, theirs, "{row}: one trace");
        }
    }
    inject(&child)
}

/// A row for each sampler: the flags that are sent where these were received.
#[test]
fn three_hops_of_every_flag() {
    const RECEIVED: [Option<&str>; 8] =
        [Some("0"), Some("1"), Some("2"), Some("3"), Some("8"), Some("9"), Some("b"), None];
    let rows: [(&str, Box<dyn ShouldSample>, [&str; 8]); 4] = [
        (
            "decision, root on",
            DecisionSampler::new(Sampler::AlwaysOn).into(),
            ["0", "1", "0", "3", "8", "9", "b", "1"],
        ),
        (
            "decision, root off",
            DecisionSampler::new(Sampler::AlwaysOff).into(),
            ["0", "1", "0", "3", "8", "9", "b", "0"],
        ),
        (
            "parent-based",
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn)).into(),
            ["0", "1", "0", "3", "8", "9", "b", "1"],
        ),
        ("always on", Sampler::AlwaysOn.into(), ["1", "1", "1", "3", "9", "9", "b", "1"]),
    ];
    for (name, sampler, sent) in rows {
        let tracer = tracer(sampler);
        for (received, sent) in RECEIVED.into_iter().zip(sent) {
            let request = received.map(uber).unwrap_or_default();
            let row = format!("{name}: {received:?}");
            let next = service(&tracer, &request, sent, &row);
            service(&tracer, &next, sent, &format!("{row}, second service"));
        }
    }
}

#[test]
fn the_first_trace_after_a_debug_id_is_a_debug_trace() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOff));
    let jaeger = JaegerPropagator::new().with_debug_id(true);
    let received = extract_with(&jaeger, &Context::new(), &headers([("jaeger-debug-id", "4711")]));
    let span = start(&tracer, &received);
    assert_eq!(span.jaeger_debug_id(), Some("4711"));
    assert_eq!(inject(&span), headers_of(&span, "3"));
}

#[test]
fn flags_left_over_from_one_trace_do_not_touch_another() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOn));
    for flags in ["0", "3", "9", "b"] {
        let left_over = extract(&uber(flags)).with_remote_span_context(SpanContext::NONE);
        let cx = start(&tracer, &left_over);
        assert_eq!(inject(&cx), headers_of(&cx, "1"), "{flags}");
        assert_eq!(cx.sampling(), Some(Sampling::Accept));
    }
}
