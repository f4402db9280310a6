//! Requests through services with the real SDK: receive, start a span, send; and the same again in the next service.

#![cfg(feature = "sampler")]

mod common;

use common::{Headers, NAME, PARENT, ROOT, TRACE, extract, headers, inject, request};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, ShouldSample};
use otel_xray::DecisionSampler;

fn tracer(sampler: impl Into<Box<dyn ShouldSample>>) -> SdkTracer {
    SdkTracerProvider::builder().with_sampler(sampler.into()).build().tracer("service")
}

fn start(tracer: &SdkTracer, parent: &Context) -> Context {
    parent.with_span(tracer.start_with_context("request", parent))
}

/// The header of the context's own span with this tail.
fn header_of(cx: &Context, tail: &str) -> Headers {
    let span = cx.span();
    let span = span.span_context();
    let trace = span.trace_id().to_string();
    let (time, random) = trace.split_at(8);
    headers([(NAME, format!("Root=1-{time}-{random};Parent={};{tail}", span.span_id()))])
}

/// A service receives a request, starts a span and under it another one, and sends a request under each.
fn service(tracer: &SdkTracer, request: &Headers, tail: &str, row: &str) -> Headers {
    let received = extract(request);
    let span = start(tracer, &received);
    assert_eq!(inject(&span), header_of(&span, tail), "{row}: the next hop");
    let child = start(tracer, &span);
    assert_eq!(inject(&child), header_of(&child, tail), "{row}: the next hop of the child");
    for cx in [&span, &child] {
        assert_eq!(
            cx.span().span_context().is_sampled(),
            tail.starts_with("Sampled=1"),
            "{row}: the decision"
        );
        let [mine, theirs] = [cx, &received].map(|cx| cx.span().span_context().trace_id());
        assert!(!received.has_active_span() || mine == theirs, "{row}: one trace");
    }
    inject(&child)
}

/// A row for each sampler: what is sent where this was received.
#[test]
fn three_hops_of_every_decision() {
    const RECEIVED: [&[&str]; 9] = [
        &[ROOT, PARENT, "Sampled=1"],
        &[ROOT, PARENT, "Sampled=0"],
        &[ROOT, PARENT, "Sampled=?"],
        &[ROOT, PARENT],
        &[ROOT, "Sampled=1"],
        &[ROOT, "Sampled=0"],
        &[ROOT],
        &[ROOT, PARENT, "Sampled=1", "Lineage=1:e65a2c4d:0"],
        &[""],
    ];
    let rows: [(&str, Box<dyn ShouldSample>, [char; 9]); 4] = [
        (
            "decision, root on",
            DecisionSampler::new(Sampler::AlwaysOn).into(),
            ['1', '0', '1', '1', '1', '0', '1', 'L', '1'],
        ),
        (
            "decision, root off",
            DecisionSampler::new(Sampler::AlwaysOff).into(),
            ['1', '0', '0', '0', '1', '0', '0', 'L', '0'],
        ),
        // The SDK's own take an undecided trace for a denied one, and bare decisions for nothing.
        (
            "parent-based, root on",
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn)).into(),
            ['1', '0', '0', '0', '1', '1', '1', 'L', '1'],
        ),
        ("always on", Sampler::AlwaysOn.into(), ['1', '1', '1', '1', '1', '1', '1', 'L', '1']),
    ];
    for (name, sampler, sent) in rows {
        let tracer = tracer(sampler);
        for (received, sent) in RECEIVED.into_iter().zip(sent) {
            let tail = match sent {
                'L' => "Sampled=1;Lineage=1:e65a2c4d:0".to_owned(),
                digit => format!("Sampled={digit}"),
            };
            let row = format!("{name}: {received:?}");
            let next = service(&tracer, &request(received), &tail, &row);
            service(&tracer, &next, &tail, &format!("{row}, second service"));
        }
    }
}

#[test]
fn the_root_sampler_decides_on_an_undecided_trace_by_its_id() {
    let tracer = tracer(DecisionSampler::new(Sampler::TraceIdRatioBased(0.5)));
    for (low, sampled) in [("0000000000000001", true), ("ffffffffffffffff", false)] {
        let cx = extract(&request(&[&format!("Root=1-00000001-00000001{low}"), PARENT]));
        assert_eq!(start(&tracer, &cx).span().span_context().is_sampled(), sampled, "{low}");
    }
}

#[test]
fn what_is_left_over_from_one_trace_does_not_touch_another() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOn));
    for sampled in ["Sampled=0", "Sampled=?"] {
        let received = request(&[ROOT, PARENT, sampled, "Lineage=1:e65a2c4d:0"]);
        let cx = start(&tracer, &extract(&received).with_remote_span_context(SpanContext::NONE));
        assert_ne!(cx.span().span_context().trace_id().to_string(), TRACE);
        assert_eq!(inject(&cx), header_of(&cx, "Sampled=1"), "{sampled}");
    }
}

#[cfg(feature = "id-generator")]
#[test]
fn a_trace_that_starts_here_has_the_time_in_front() {
    let now = || std::time::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
    let provider =
        SdkTracerProvider::builder().with_id_generator(otel_xray::XrayIdGenerator::default()).build();
    let before = now();
    let cx = start(&provider.tracer("service"), &Context::new());
    let id = u128::from_be_bytes(cx.span().span_context().trace_id().to_bytes());
    assert!((u128::from(before)..=u128::from(now())).contains(&(id >> 96)));
}
