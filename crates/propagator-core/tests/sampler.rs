//! Who is asked about a new span: what was received, the root sampler, or the inner one.

#![cfg(feature = "sampler")]

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use otel_propagator_core::{
    remote::with_span,
    sampling::{
        DecisionSampler,
        Sampling::{self, Accept, Debug, Defer, Deny},
        SamplingExt, hint, is_decision_sampler_installed,
    },
};
use testing::hints;

/// A sampler that signs its answer.
#[derive(Clone, Debug)]
struct Signs(&'static str);

impl ShouldSample for Signs {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let attributes = vec![KeyValue::new(self.0, true)];
        SamplingResult { decision: SamplingDecision::RecordOnly, attributes, trace_state: TraceState::NONE }
    }
}

/// Who answered, or what was decided without asking, of a new span in a trace.
fn answer(sampler: &DecisionSampler, cx: Option<&Context>, trace_id: u128) -> String {
    let result = sampler.should_sample(cx, trace_id.into(), "", &SpanKind::Server, &[], &[]);
    match result.attributes.as_slice() {
        [signature] => signature.key.to_string(),
        _ => format!("{:?}", result.decision),
    }
}

fn span(span_id: u64, sampled: bool) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(sampled);
    let state = TraceState::from_key_value([("vendor", "7")]).unwrap_or_default();
    SpanContext::new(1.into(), span_id.into(), flags, true, state)
}

fn flag(span_id: u64, sampled: bool) -> Context {
    Context::new().with_remote_span_context(span(span_id, sampled))
}

fn received(state: Sampling) -> Context {
    Context::new().with_remote_sampling(span(2, false), state)
}

fn bare(decision: Sampling) -> Context {
    Context::new().with_bare_sampling(decision)
}

#[test]
fn what_was_received_is_obeyed_and_all_else_is_asked() {
    let root = DecisionSampler::new(Signs("root"));
    let inner = root.clone().with_inner(Signs("inner"));
    assert!(is_decision_sampler_installed());
    let (yes, no) = ("RecordAndSample", "Drop");
    let denied_then = |later| with_span(&received(Deny), later, false);
    let rows = [
        ("nothing", Context::new(), "root", "inner"),
        ("the flag", flag(2, true), yes, "inner"),
        ("unset", flag(2, false), no, "inner"),
        ("debug", received(Debug), yes, yes),
        ("deny", received(Deny), no, no),
        ("defer", received(Defer), "root", "root"),
        ("accept is the flag", received(Accept), yes, "inner"),
        ("debug alone", bare(Debug), yes, yes),
        ("deny alone", bare(Deny), no, no),
        ("accept alone", bare(Accept), yes, yes),
        ("alone, and taken back", bare(Deny).with_bare_sampling(Defer), "root", "inner"),
        ("deny, below a span of ours", received(Deny).with_remote_span_context(span(3, false)), no, no),
        ("deny, and sampled", received(Deny).with_remote_span_context(span(3, true)), yes, "inner"),
        ("deny, and again by another format", denied_then(span(2, false)), no, no),
        ("deny, and another request", denied_then(span(3, false)), no, "inner"),
        ("deny, and the same span, sampled", denied_then(span(2, true)), yes, "inner"),
        (
            "a deny that was overtaken does not come back",
            denied_then(span(2, true)).with_remote_span_context(span(3, false)),
            no,
            "inner",
        ),
        (
            "defer, below a span of ours",
            received(Defer).with_remote_span_context(span(3, false)),
            no,
            "inner",
        ),
        (
            "a decision alone is not about a trace that came",
            with_span(&bare(Deny), span(2, true), false),
            yes,
            "inner",
        ),
    ];
    for (rule, cx, by_root, by_inner) in rows {
        assert_eq!(answer(&root, Some(&cx), 1), by_root, "{rule}");
        assert_eq!(answer(&inner, Some(&cx), 1), by_inner, "{rule}, with an inner sampler");
    }
    assert_eq!([answer(&root, None, 1), answer(&inner, None, 1)], ["root", "inner"], "no context");
    assert_eq!(hints(|| hint("x-unheard")), [""; 0], "there is a sampler");
}

#[test]
fn the_trace_that_a_sampler_starts_first_is_the_debug_trace() {
    let sampler = DecisionSampler::new(Signs("root"));
    let cx = bare(Debug);
    for trace_id in [1, 7] {
        assert_eq!(answer(&sampler, Some(&cx), trace_id), "RecordAndSample");
    }
    assert_eq!(cx.with_remote_span_context(span(3, false)).sampling(), Some(Debug));
    let of_7 = SpanContext::new(7.into(), 3.into(), TraceFlags::default(), true, TraceState::NONE);
    assert_eq!(cx.with_remote_span_context(of_7).sampling(), Some(Deny));
}

#[test]
fn the_trace_state_of_the_parent_goes_on() {
    let sampler = DecisionSampler::new(Signs("root"));
    for (cx, state) in [(received(Debug), "vendor=7"), (bare(Debug), "")] {
        let result = sampler.should_sample(Some(&cx), 1.into(), "", &SpanKind::Client, &[], &[]);
        assert_eq!(result.trace_state.header(), state);
    }
}
