//! `traceparent` and `tracestate`.

use crate::{
    carrier::{Lines, LinesExt as _, Sent, send},
    given::{GIVEN, has_given_baggage, has_given_span, has_mark},
    model::{
        self,
        tracecontext::{Parent, is_sent_parent, parent, state},
    },
};
use opentelemetry::{
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_tracecontext::{TraceContextPropagator, TraceParent};

const PROPAGATOR: TraceContextPropagator = TraceContextPropagator::new();
const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

/// Every line of the input is a line of `traceparent`.
pub fn traceparent(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines::of("traceparent", text.split('\n'));
    lines.values("traceparent").for_each(is_read_to_the_letter);
    goes_on(&lines, expected_parent(&lines).as_ref());
}

/// Every line of the input is a line of `tracestate`, beside a valid `traceparent`.
pub fn tracestate(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = Lines::of("tracestate", text.split('\n'));
    lines.0.push(("traceparent", VALID));
    goes_on(&lines, parent(VALID).as_ref());
}

fn is_read_to_the_letter(value: &str) {
    let read = TraceParent::parse(value).ok();
    law!(read.map(fields) == parent(value), "traceparent is read as the grammar says", value, read);
    let Some(read) = read else { return };
    let written = read.to_string();
    law!(is_sent_parent(&written), "what is written is version 00 with known flags", written);
    law!(TraceParent::parse(&written) == Ok(read), "what is written is read back", written);
}

fn fields(read: TraceParent) -> Parent {
    Parent {
        trace_id: u128::from_be_bytes(read.trace_id().to_bytes()),
        parent_id: u64::from_be_bytes(read.span_id().to_bytes()),
        flags: read.flags().to_u8(),
    }
}

/// One line, and nothing else, may say who the parent is.
pub(crate) fn expected_parent(lines: &Lines<'_>) -> Option<Parent> {
    let mut values = lines.values("traceparent");
    let only = values.next().filter(|_| values.next().is_none())?;
    parent(model::trim(only))
}

/// From the headers into a context, from there into the next headers, and once more.
fn goes_on(lines: &Lines<'_>, expected: Option<&Parent>) {
    let joined = lines.joined("tracestate").unwrap_or_default();
    let members = state(&joined).unwrap_or_default();
    let answer = lines.one_answer(Answer::new);
    is_expected(&answer, expected, &members);
    if expected.is_some() {
        let again = Answer::new(&answer.sent);
        law!(again == answer, "the second hop reads and sends what the first one did", again, answer);
    }
}

/// All that is read of a carrier, and what is sent of it.
#[derive(Debug, PartialEq)]
struct Answer {
    /// Nothing where the given span stays.
    span: Option<SpanContext>,
    sent: Sent,
}

impl Answer {
    fn new(carrier: &dyn Extractor) -> Self {
        let cx = PROPAGATOR.extract_with_context(&GIVEN, carrier);
        law!(has_given_baggage(&cx) && has_mark(&cx), "the rest of the context is left alone");
        if has_given_span(&cx) {
            return Self { span: None, sent: Sent::default() };
        }
        Self { span: Some(cx.span().span_context().clone()), sent: send(&PROPAGATOR, &cx) }
    }
}

fn is_expected(answer: &Answer, expected: Option<&Parent>, members: &[(&str, &str)]) {
    let span = answer.span.as_ref();
    law!(
        span.is_some() == expected.is_some(),
        "an invalid traceparent leaves the given span",
        span,
        expected
    );
    if let (Some(span), Some(expected)) = (span, expected) {
        is_expected_span(span, expected, members);
        is_expected_next_hop(&answer.sent, expected, members);
    }
}

fn is_expected_span(span: &SpanContext, expected: &Parent, members: &[(&str, &str)]) {
    law!(span_fields(span) == *expected, "the span is the one that was received", span, expected);
    law!(span.is_remote(), "a received span is remote");
    if let Ok(upstream) = TraceState::from_key_value(members.iter().copied()) {
        law!(*span.trace_state() == upstream, "the span has the received tracestate", span, members);
    }
}

pub(crate) fn span_fields(span: &SpanContext) -> Parent {
    Parent {
        trace_id: u128::from_be_bytes(span.trace_id().to_bytes()),
        parent_id: u64::from_be_bytes(span.span_id().to_bytes()),
        flags: span.trace_flags().to_u8(),
    }
}

fn is_expected_next_hop(sent: &Sent, expected: &Parent, members: &[(&str, &str)]) {
    let sent_parent = sent.get("traceparent").unwrap_or_default();
    law!(is_sent_parent(sent_parent), "what is sent is version 00 with known flags", sent_parent);
    law!(parent(sent_parent) == Some(*expected), "what is sent is what was received", sent_parent, expected);
    let sent_state = sent.get("tracestate").map(|value| state(value).unwrap_or_default());
    law!(
        sent_state.unwrap_or_default() == members,
        "tracestate is sent whole, in order and valid",
        sent,
        members
    );
}
