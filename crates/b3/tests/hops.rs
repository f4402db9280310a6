//! Requests through services with the real SDK: receive, start a span, send; and the same again in the next service.

#![cfg(feature = "sampler")]

mod common;

use common::{FORMS, Form, Headers, IDS, Ids, SPAN, TRACE, extract, extract_in, headers, inject};
use opentelemetry::{
    Context, KeyValue,
    trace::{
        Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
        TracerProvider, noop::NoopTracer,
    },
};
use opentelemetry_sdk::trace::{
    Sampler, SamplingDecision, SamplingResult, SdkTracer, SdkTracerProvider, ShouldSample,
};
use otel_b3::{B3Propagator, DecisionSampler, Sampling, SamplingExt};
use std::sync::{Arc, Mutex, PoisonError};

/// With and without identifiers, and the state: all that a request may say, and nothing last.
const INCOMING: [(Ids<'static>, Option<char>); 8] = [
    (IDS, None),
    (IDS, Some('0')),
    (IDS, Some('1')),
    (IDS, Some('d')),
    (None, Some('0')),
    (None, Some('1')),
    (None, Some('d')),
    (None, None),
];

fn tracer(sampler: impl Into<Box<dyn ShouldSample>>) -> SdkTracer {
    SdkTracerProvider::builder().with_sampler(sampler.into()).build().tracer("service")
}

fn start(tracer: &SdkTracer, parent: &Context) -> Context {
    parent.with_span(tracer.start_with_context("request", parent))
}

fn is_sampled(cx: &Context) -> bool {
    cx.span().span_context().is_sampled()
}

fn trace_id(cx: &Context) -> TraceId {
    cx.span().span_context().trace_id()
}

/// The headers of a span: its own identifiers and a state.
fn headers_of(cx: &Context, form: Form, state: char) -> Headers {
    let span_id = cx.span().span_context().span_id().to_string();
    form.headers(Some((&trace_id(cx).to_string(), &span_id)), Some(state))
}

/// What becomes of a request: whether the span for it is sampled, and the state that is sent.
#[derive(Clone, Copy)]
struct Outcome {
    sampled: bool,
    state: char,
}

/// A service receives a request, starts a span and under it another one, and sends a request under each.
fn service(tracer: &SdkTracer, request: &Headers, sent: Form, expected: Outcome, row: &str) -> Headers {
    let received = extract(request);
    let span = start(tracer, &received);
    assert_eq!(is_sampled(&span), expected.sampled, "{row}: the decision");
    assert_eq!(
        inject(sent.propagator(), &span),
        headers_of(&span, sent, expected.state),
        "{row}: the next hop"
    );
    if received.has_active_span() {
        assert_eq!(trace_id(&span), trace_id(&received), "{row}: one trace");
    }

    let child = start(tracer, &span);
    assert_eq!(is_sampled(&child), expected.sampled, "{row}: the decision for the child");
    assert_eq!(trace_id(&child), trace_id(&span), "{row}: one trace");
    let headers = inject(sent.propagator(), &child);
    assert_eq!(headers, headers_of(&child, sent, expected.state), "{row}: the next hop of the child");
    headers
}

/// A row for each sampler: what becomes of [`INCOMING`], `+` for a sampled span, and the state that is sent.
#[test]
fn three_hops_of_every_state_in_every_form() {
    let rows: [(&str, Box<dyn ShouldSample>, [&str; 8]); 5] = [
        //                                                  ids   ids-0 ids-1 ids-d  0     1     d   nothing
        (
            "B3, root on",
            DecisionSampler::new(Sampler::AlwaysOn).into(),
            ["+1", "-0", "+1", "+d", "-0", "+1", "+d", "+1"],
        ),
        (
            "B3, root off",
            DecisionSampler::new(Sampler::AlwaysOff).into(),
            ["-0", "-0", "+1", "+d", "-0", "+1", "+d", "-0"],
        ),
        // The SDK's own take a deferred trace for a denied one, and bare decisions for nothing. Debug goes on, also of
        // a trace that starts here under a bare decision.
        (
            "parent-based, root on",
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn)).into(),
            ["-0", "-0", "+1", "+d", "+1", "+1", "+d", "+1"],
        ),
        ("always on", Sampler::AlwaysOn.into(), ["+1", "+1", "+1", "+d", "+1", "+1", "+d", "+1"]),
        ("always off", Sampler::AlwaysOff.into(), ["-0", "-0", "-0", "-d", "-0", "-0", "-d", "-0"]),
    ];
    for (name, sampler, expected) in rows {
        let tracer = tracer(sampler);
        for ((ids, state), expected) in INCOMING.into_iter().zip(expected) {
            let expected =
                Outcome { sampled: expected.starts_with('+'), state: expected.chars().last().unwrap() };
            for (received, sent) in FORMS.into_iter().flat_map(|form| FORMS.map(|sent| (form, sent))) {
                let row = format!("{name}: {ids:?} {state:?}, {received:?} to {sent:?}");
                let next = service(&tracer, &received.headers(ids, state), sent, expected, &row);
                service(&tracer, &next, sent, expected, &format!("{row}, second service"));
            }
        }
    }
}

#[test]
fn the_inner_sampler_decides_on_what_b3_leaves_open_and_on_nothing_else() {
    let on = tracer(DecisionSampler::new(Sampler::AlwaysOff).with_inner(Sampler::AlwaysOn));
    let off = tracer(DecisionSampler::new(Sampler::AlwaysOn).with_inner(Sampler::AlwaysOff));
    let open = |row: (Ids<'_>, Option<char>)| row == (None, None) || row == (IDS, Some('1'));
    for row in INCOMING {
        let cx = extract(&Form::Single.headers(row.0, row.1));
        let deferred = row == (IDS, None);
        let yes = matches!(row.1, Some('1' | 'd'));
        assert_eq!(
            is_sampled(&start(&on, &cx)),
            if open(row) { true } else { yes },
            "inner on, root off: {row:?}"
        );
        let expected = if open(row) { false } else { yes || deferred };
        assert_eq!(is_sampled(&start(&off, &cx)), expected, "inner off, root on: {row:?}");
    }
}

#[test]
fn the_root_sampler_decides_on_a_deferred_trace_by_its_id() {
    let tracer = tracer(DecisionSampler::new(Sampler::TraceIdRatioBased(0.5)));
    for (trace_id, sampled) in
        [("00000000000000010000000000000001", true), ("0000000000000001ffffffffffffffff", false)]
    {
        let cx = extract(&Form::Multi.headers(Some((trace_id, SPAN)), None));
        for _ in 0..2 {
            assert_eq!(is_sampled(&start(&tracer, &cx)), sampled, "{trace_id}");
        }
    }
}

#[test]
fn only_the_first_trace_under_a_bare_debug_decision_is_a_debug_trace() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOff));
    let cx = extract(&headers([("x-b3-flags", "1")]));
    let [first, second] = [start(&tracer, &cx), start(&tracer, &cx)];
    assert_ne!(trace_id(&first), trace_id(&second));
    assert_eq!(first.sampling(), Some(Sampling::Debug));
    assert_eq!(second.sampling(), Some(Sampling::Accept));
    assert_eq!(cx.sampling(), Some(Sampling::Debug), "without a span it is still what came");
}

#[test]
fn a_state_left_over_from_one_trace_does_not_touch_another() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOn));
    for (ids, state) in INCOMING.into_iter().take(4) {
        let left_over =
            extract(&Form::Single.headers(ids, state)).with_remote_span_context(SpanContext::NONE);
        let cx = start(&tracer, &left_over);
        assert_ne!(trace_id(&cx).to_string(), TRACE);
        assert_eq!(inject(B3Propagator::single(), &cx), headers_of(&cx, Form::Single, '1'), "{state:?}");
    }
}

#[test]
fn a_bare_decision_does_not_touch_a_trace_that_another_format_brought() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOff));
    for (state, flags) in
        [('0', TraceFlags::SAMPLED), ('1', TraceFlags::NOT_SAMPLED), ('d', TraceFlags::NOT_SAMPLED)]
    {
        let remote = SpanContext::new(TraceId::from(1), SpanId::from(2), flags, true, TraceState::NONE);
        let cx = Context::new().with_remote_span_context(remote);
        let cx = start(&tracer, &extract_in(&cx, &Form::Single.headers(None, Some(state))));
        assert_eq!(is_sampled(&cx), flags.is_sampled(), "{state}");
        let sent = if flags.is_sampled() { '1' } else { '0' };
        assert_eq!(inject(B3Propagator::multi(), &cx), headers_of(&cx, Form::Multi, sent), "{state}");
    }
}

#[test]
fn a_service_that_starts_no_span_passes_on_what_came() {
    for (ids, state) in INCOMING {
        let cx = extract(&Form::Both.headers(ids, state));
        let cx = cx.with_span(NoopTracer::new().start_with_context("request", &cx));
        assert_eq!(inject(B3Propagator::single_and_multi(), &cx), Form::Both.headers(ids, state));
    }
}

#[test]
fn a_bare_decision_is_passed_on_where_telemetry_is_suppressed() {
    let tracer = tracer(DecisionSampler::new(Sampler::AlwaysOn));
    let cx = start(&tracer, &extract(&headers([("b3", "0")])).with_telemetry_suppressed());
    assert_eq!(inject(B3Propagator::single(), &cx), headers([("b3", "0")]));
}

#[test]
fn the_trace_state_of_the_parent_is_kept() {
    let sampler = DecisionSampler::new(Sampler::AlwaysOn);
    let trace_state = TraceState::from_key_value([("vendor", "7")]).unwrap();
    let trace_id = TraceId::from_hex(TRACE).unwrap();
    let span_id = SpanId::from_hex(SPAN).unwrap();
    for (ids, state) in INCOMING.into_iter().take(4) {
        let cx = extract(&Form::Single.headers(ids, state));
        let flags = cx.span().span_context().trace_flags();
        let remote = SpanContext::new(trace_id, span_id, flags, true, trace_state.clone());
        let cx = cx.with_remote_span_context(remote);
        let result = sampler.should_sample(Some(&cx), trace_id, "request", &SpanKind::Server, &[], &[]);
        assert_eq!(result.trace_state, trace_state, "{state:?}");
        assert!(result.attributes.is_empty());
    }
}

/// A sampler that writes down what it was asked.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl ShouldSample for Asked {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let parent = parent.map(|cx| cx.span().span_context().span_id());
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{parent:?} {trace_id} {name} {kind:?} {attributes:?} {links:?}"));
        let trace_state = TraceState::NONE;
        SamplingResult { decision: SamplingDecision::Drop, attributes: Vec::new(), trace_state }
    }
}

#[test]
fn the_sampler_that_is_asked_gets_all_that_came_with_the_question() {
    let link = Link::new(
        extract(&headers([("b3", format!("{TRACE}-{SPAN}"))])).span().span_context().clone(),
        vec![],
        0,
    );
    let deferred = extract(&headers([("b3", format!("{TRACE}-{SPAN}"))]));
    let accepted = extract(&headers([("b3", format!("{TRACE}-{SPAN}-1"))]));
    let trace_id = TraceId::from_hex(TRACE).unwrap();
    let attributes = [KeyValue::new("key", "value")];
    let (root, inner, direct) = (Asked::default(), Asked::default(), Asked::default());
    let sampler = DecisionSampler::new(root.clone()).with_inner(inner.clone());
    for (cx, asked) in [(&deferred, &root), (&accepted, &inner)] {
        for sampler in [&sampler as &dyn ShouldSample, &direct] {
            sampler.should_sample(
                Some(cx),
                trace_id,
                "name",
                &SpanKind::Consumer,
                &attributes,
                std::slice::from_ref(&link),
            );
        }
        let asked = std::mem::take(&mut *asked.0.lock().unwrap());
        assert_eq!(asked, std::mem::take(&mut *direct.0.lock().unwrap()));
        assert_eq!(asked.len(), 1);
    }
}

#[test]
fn a_span_without_a_context_is_left_to_the_inner_sampler() {
    for (root, decision) in
        [(Sampler::AlwaysOn, SamplingDecision::RecordAndSample), (Sampler::AlwaysOff, SamplingDecision::Drop)]
    {
        let sampler = DecisionSampler::new(root);
        let result = sampler.should_sample(None, TraceId::from(1), "request", &SpanKind::Server, &[], &[]);
        assert_eq!(result.decision, decision);
    }
}
