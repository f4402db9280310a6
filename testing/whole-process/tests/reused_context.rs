//! One context for several requests, as long-lived workers have it, and one request in several formats: what an earlier
//! request left must not colour a later one, and what one format brought must not be lost to another.

use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, ShouldSample};
use otel_b3::{B3Propagator, DecisionSampler, Sampling, SamplingExt as _};
use otel_tracecontext::TraceContextPropagator;
use std::collections::BTreeMap;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const W3C: TraceContextPropagator = TraceContextPropagator::new();
const B3: B3Propagator = B3Propagator::single();

type Headers = BTreeMap<String, String>;

fn headers<const N: usize>(pairs: [(&str, String); N]) -> Headers {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// `span` is one digit of the span id.
fn w3c(span: u8, flags: &str) -> (&'static str, String) {
    ("traceparent", format!("00-{TRACE}-{span:016x}-{flags}"))
}

fn b3(span: u8, state: &str) -> (&'static str, String) {
    ("b3", format!("{TRACE}-{span:016x}{state}"))
}

fn tracestate(members: &str) -> (&'static str, String) {
    ("tracestate", members.to_owned())
}

fn receive<const N: usize>(
    propagator: &dyn TextMapPropagator,
    cx: &Context,
    request: [(&str, String); N],
) -> Context {
    propagator
        .extract_with_context(cx, &headers(request).into_iter().collect::<std::collections::HashMap<_, _>>())
}

fn sent(propagator: &dyn TextMapPropagator, cx: &Context) -> Headers {
    let mut carrier = std::collections::HashMap::new();
    propagator.inject_context(cx, &mut carrier);
    carrier.into_iter().collect()
}

fn sent_state(cx: &Context) -> Option<String> {
    sent(&W3C, cx).remove("tracestate")
}

fn tracer(sampler: impl Into<Box<dyn ShouldSample>>) -> SdkTracer {
    SdkTracerProvider::builder().with_sampler(sampler.into()).build().tracer("service")
}

fn start(tracer: &SdkTracer, parent: &Context) -> Context {
    parent.with_span(tracer.start_with_context("request", parent))
}

#[test]
fn the_tracestate_of_a_request_is_not_sent_for_a_later_one_that_came_by_another_format() {
    let tracer = tracer(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    // The first can be held by the API's type in part, the second not at all: it looks as empty as none.
    for members in ["foo@@bar=1,congo=2", "foo@@bar=1"] {
        let first = receive(&W3C, &Context::new(), [w3c(1, "01"), tracestate(members)]);
        assert_eq!(sent_state(&first).as_deref(), Some(members));
        assert_eq!(sent_state(&start(&tracer, &first)).as_deref(), Some(members), "of a span of its own");
        for state in ["", "-0", "-1", "-d"] {
            let second = receive(&B3, &first, [b3(2, state)]);
            assert_eq!(sent_state(&second), None, "{members} {state}");
            assert_eq!(sent_state(&start(&tracer, &second)), None, "{members} {state}, of a span of its own");
        }
    }
}

#[test]
fn the_tracestate_of_a_request_goes_on_where_another_format_names_the_same_span() {
    for state in ["", "-0", "-1", "-d"] {
        let cx = receive(&W3C, &Context::new(), [w3c(1, "01"), tracestate("foo@@bar=1")]);
        let cx = receive(&B3, &cx, [b3(1, state)]);
        assert_eq!(sent_state(&cx).as_deref(), Some("foo@@bar=1"), "{state}");
    }
}

#[test]
fn a_deny_does_not_come_back_after_an_accept() {
    // The inner sampler drops the span of the second request, and would sample the next one under it.
    let drops = tracer(DecisionSampler::new(Sampler::AlwaysOn).with_inner(Sampler::AlwaysOff));
    let samples = tracer(DecisionSampler::new(Sampler::AlwaysOff).with_inner(Sampler::AlwaysOn));
    let first = receive(&B3, &Context::new(), [b3(1, "-0")]);
    assert!(!start(&samples, &start(&drops, &first)).span().span_context().is_sampled(), "denied for good");
    for (format, second) in [
        ("traceparent of another span", receive(&W3C, &first, [w3c(2, "01")])),
        ("traceparent of the same span", receive(&W3C, &first, [w3c(1, "01")])),
        ("b3 of another span", receive(&B3, &first, [b3(2, "-1")])),
        ("b3 of the same span", receive(&B3, &first, [b3(1, "-1")])),
    ] {
        let dropped = start(&drops, &second);
        assert!(!dropped.span().span_context().is_sampled(), "{format}");
        assert!(start(&samples, &dropped).span().span_context().is_sampled(), "{format}");
    }
}

#[test]
fn a_bare_decision_is_over_when_ids_come_by_the_same_format() {
    for state in ["0", "1", "d"] {
        let first = receive(&B3, &Context::new(), [("b3", state.to_owned())]);
        let second = receive(&B3, &first, [b3(1, "-1")]);
        assert!(first.bare_sampling().is_some());
        assert_eq!(second.bare_sampling(), None, "{state}");
    }
}

#[test]
fn a_received_deny_is_about_its_own_trace_alone() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOff).with_inner(Sampler::AlwaysOn));
    let denied = receive(&B3, &Context::new(), [b3(1, "-0")]);
    let other = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00".to_owned();
    let foreign = opentelemetry_sdk::propagation::TraceContextPropagator::new();
    for propagator in [&W3C as &dyn TextMapPropagator, &foreign] {
        let cx = receive(propagator, &denied, [("traceparent", other.clone())]);
        assert!(start(&tracer, &cx).span().span_context().is_sampled(), "the inner sampler decides on it");
    }
    assert!(!start(&tracer, &denied).span().span_context().is_sampled());
}

/// What is sent in `b3` by a service with the SDK's own sampler and by one that asks.
#[test]
fn a_bare_debug_decision_makes_a_debug_trace_of_what_starts_here_and_of_nothing_else() {
    let bare = || ("b3", "d".to_owned());
    let alone = receive(&B3, &Context::new(), [bare()]);
    let before = receive(&W3C, &alone, [w3c(1, "01")]);
    let after = receive(&B3, &receive(&W3C, &Context::new(), [w3c(1, "01")]), [bare()]);
    let samplers: [(&str, Box<dyn ShouldSample>); 3] = [
        ("the SDK's default", Sampler::ParentBased(Box::new(Sampler::AlwaysOn)).into()),
        ("always off", Sampler::AlwaysOff.into()),
        ("one that asks", DecisionSampler::new(Sampler::AlwaysOff).into()),
    ];
    for (name, sampler) in samplers {
        let tracer = tracer(sampler);
        for (rule, cx, debug) in [
            ("a trace that starts here", receive(&B3, &Context::new(), [bare()]), true),
            ("traceparent came later", before.clone(), false),
            ("traceparent came before", after.clone(), false),
        ] {
            let span = start(&tracer, &cx);
            let child = start(&tracer, &span);
            for cx in [&span, &child] {
                let sent = sent(&B3, cx).remove("b3").unwrap_or_default();
                assert_eq!(sent.ends_with("-d"), debug, "{rule}, {name}: {sent}");
                assert_eq!(cx.sampling() == Some(Sampling::Debug), debug, "{rule}, {name}");
            }
        }
    }
    for cx in [before, after] {
        assert_eq!(sent(&B3, &cx), headers([b3(1, "-1")]), "and without a span of its own");
        assert_eq!(cx.bare_sampling(), Some(Sampling::Debug), "it is kept");
    }
}

#[test]
fn only_the_first_trace_that_is_sent_under_a_bare_debug_decision_is_a_debug_trace() {
    let tracer = tracer(Sampler::AlwaysOn);
    let cx = receive(&B3, &Context::new(), [("b3", "d".to_owned())]);
    let [first, second] = [start(&tracer, &cx), start(&tracer, &cx)];
    assert_eq!(first.sampling(), Some(Sampling::Debug));
    assert_eq!(second.sampling(), Some(Sampling::Accept));
    assert_eq!(first.sampling(), Some(Sampling::Debug));
}
