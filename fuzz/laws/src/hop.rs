//! A whole service: receive, change something, send, and be received.

use crate::{
    b3, baggage,
    carrier::{LONG, Lines, Sent, SentExt as _, send},
    composite::{NAMES, is_of_span},
    model::{
        b3::State,
        tracecontext::{is_key, is_value, state},
    },
    tracecontext::{expected_parent, span_fields},
};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_b3::B3Propagator;
use otel_baggage_limits::Limits;
use otel_composite::CompositePropagator;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use std::sync::LazyLock;

static PROPAGATOR: LazyLock<CompositePropagator> = LazyLock::new(|| {
    CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(B3Propagator::single_and_multi())
        .baggage(BaggagePropagator::new())
        .build()
});

/// What the service does between receiving and sending.
#[derive(Clone, Copy, Debug)]
struct Changes {
    what: u8,
    id: u8,
    key: char,
}

impl Changes {
    const SPAN: u8 = 1;
    const TRACE: u8 = 2;
    const SAMPLED: u8 = 4;
    const STATE: u8 = 8;
    const ADD: u8 = 16;
    const REMOVE: u8 = 32;
    const CLEAR: u8 = 64;
    /// Much baggage came.
    const LONG: u8 = 128;

    fn has(self, change: u8) -> bool {
        self.what & change != 0
    }
}

/// Eight bytes say what is changed; the rest is header lines, `name:value`.
pub fn hop(data: &[u8]) {
    let Some((&[what, id, key, ..], data)) = data.split_first_chunk::<8>() else { return };
    let changes = Changes { what, id, key: char::from(b'a' + key % 26) };
    let text = String::from_utf8_lossy(data);
    let mut lines = Lines::parse(NAMES, &text);
    if changes.has(Changes::LONG) {
        lines.0.push(("baggage", &LONG));
    }
    let received = PROPAGATOR.extract_with_context(&Context::new(), &lines);
    // What was sent once may be remembered, and must not be sent for what is changed afterwards.
    send(&*PROPAGATOR, &received);
    let cx = with_baggage_changed(&with_span_changed(&received, changes), changes);
    let sent = send(&*PROPAGATOR, &cx);
    says_what_the_context_says(&sent, &cx, &received, &lines);
    is_received(&sent, &cx);
}

/// A span of the same trace or of a new one, as a tracer would start it.
fn with_span_changed(cx: &Context, changes: Changes) -> Context {
    let parent = cx.span();
    let parent = parent.span_context();
    if !changes.has(Changes::SPAN) {
        return cx.clone();
    }
    let root = changes.has(Changes::TRACE) || !parent.is_valid();
    let trace_id = if root { TraceId::from(u128::from(changes.id) + 1) } else { parent.trace_id() };
    let flags = if changes.has(Changes::SAMPLED) { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let state = if root { TraceState::NONE } else { parent.trace_state().clone() };
    let state = if changes.has(Changes::STATE) {
        state.insert(changes.key, "mine").unwrap_or_default()
    } else {
        state
    };
    let span_id = SpanId::from(u64::from(changes.id) + 1);
    cx.with_remote_span_context(SpanContext::new(trace_id, span_id, flags, false, state))
}

fn with_baggage_changed(cx: &Context, changes: Changes) -> Context {
    if !changes.has(Changes::ADD | Changes::REMOVE | Changes::CLEAR) {
        return cx.clone();
    }
    let mut baggage = Baggage::new();
    for (key, (value, metadata)) in cx.baggage() {
        if !changes.has(Changes::CLEAR) {
            baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
    if changes.has(Changes::REMOVE) {
        baggage.remove(changes.key.to_string());
    }
    if changes.has(Changes::ADD) {
        baggage.insert_with_metadata("added", format!("{}, {}%", changes.key, changes.id), "p = \"q\"");
    }
    cx.with_baggage(baggage)
}

fn says_what_the_context_says(sent: &Sent, cx: &Context, received: &Context, lines: &Lines<'_>) {
    let span = cx.span();
    let span = span.span_context();
    let same_trace = span.trace_id() == received.span().span_context().trace_id();
    let parent =
        expected_parent(lines).filter(|parent| same_trace && parent.trace_id == span_fields(span).trace_id);
    is_of_span(sent, span, parent.map_or(0, |parent| parent.flags & 2));
    law!(
        sent.get("traceparent").is_some() == span.is_valid(),
        "a span is sent, and nothing without one",
        sent
    );
    let joined = lines.joined("tracestate").filter(|_| parent.is_some()).unwrap_or_default();
    is_expected_state(sent, span, received, &joined);
    is_expected_decision(sent, span, received, lines);
    let header = sent.get("baggage").unwrap_or_default();
    baggage::is_expected(header, &baggage::entries(cx.baggage()), &Limits::new());
}

/// Untouched it goes on whole; what was set comes first, and nothing was invented.
fn is_expected_state(sent: &Sent, span: &SpanContext, received: &Context, joined: &str) {
    let members = state(joined).unwrap_or_default();
    let sent_state = sent.get("tracestate").map(|value| state(value).unwrap_or_default()).unwrap_or_default();
    if span.trace_state() == received.span().span_context().trace_state() {
        law!(sent_state == members, "an untouched tracestate goes on whole", sent, members);
    } else {
        let now: Vec<_> =
            span.trace_state().into_iter().filter(|(key, value)| is_key(key) && is_value(value)).collect();
        law!(sent_state == now, "a tracestate that was changed goes on as it is now", sent, now);
    }
}

fn is_expected_decision(sent: &Sent, span: &SpanContext, before: &Context, lines: &Lines<'_>) {
    let next = b3::expected(&sent.to_lines());
    let received = b3::expected(lines);
    law!(!span.is_valid() || next.is_some(), "a span is sent in b3 too", sent);
    let Some(next) = next else { return };
    if next.ids.is_none() {
        law!(received == Some(next), "a decision alone goes on as it came", sent, received);
        return;
    }
    let of_this_trace =
        received.filter(|trace| trace.ids.is_some_and(|ids| ids.0 == span_fields(span).trace_id));
    let starts_here =
        received.filter(|trace| trace.ids.is_none() && !before.span().span_context().is_valid());
    let debug = of_this_trace.or(starts_here).is_some_and(|trace| trace.state == State::Debug);
    law!((next.state == State::Debug) == debug, "debug goes on, and is not invented", sent, received);
    let defer = of_this_trace.is_some_and(|trace| trace.state == State::Defer);
    law!(next.state != State::Defer || defer, "nobody un-decides", sent, received);
}

/// The next service sees what this one meant.
fn is_received(sent: &Sent, cx: &Context) {
    let next = PROPAGATOR.extract_with_context(&Context::new(), sent);
    let (span, next_span) = (cx.span(), next.span());
    let (span, next_span) = (span.span_context(), next_span.span_context());
    law!(span.trace_id() == next_span.trace_id(), "the next hop is in the same trace", span, next_span);
    law!(span.span_id() == next_span.span_id(), "the next hop has this span as its parent", span, next_span);
    // A service may drop its span of a debug trace; whoever receives the debug state samples all the same.
    let debug = b3::expected(&sent.to_lines()).is_some_and(|trace| trace.state == State::Debug);
    let sampled = span.is_sampled() || (debug && span.is_valid());
    law!(sampled == next_span.is_sampled(), "the next hop knows the decision", span, next_span);
    let (ours, theirs) = (baggage::entries(cx.baggage()), baggage::entries(next.baggage()));
    let arrived = theirs.iter().all(|(key, (value, _))| ours.get(key).is_some_and(|(ours, _)| ours == value));
    law!(arrived, "nothing arrives that was not sent", ours, theirs);
    let again = send(&*PROPAGATOR, &next);
    let same = again.telling() == sent.telling() || sampled != span.is_sampled();
    law!(same, "the second hop sends what the first one sent", sent, again);
}
