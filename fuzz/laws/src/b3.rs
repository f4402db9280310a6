//! `b3` and `X-B3-*`.

use crate::{
    carrier::{Lines, LinesExt as _, Sent, SentExt as _, send},
    given::{GIVEN, has_given_baggage, has_given_span, has_mark},
    model::b3::{State, Trace, multi, single, write_multi, write_single},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use otel_b3::{B3Propagator, Sampling, SamplingExt};

/// The headers that are read.
pub(crate) const NAMES: &[&str] =
    &["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled", "x-b3-flags"];

const BOTH: B3Propagator = B3Propagator::single_and_multi();

/// Every line of the input is a line of `b3`.
pub fn b3_single(data: &[u8]) {
    goes_on(&Lines::of("b3", String::from_utf8_lossy(data).split('\n')));
}

/// The input is header lines, `name:value`.
pub fn b3_multi(data: &[u8]) {
    goes_on(&Lines::parse(NAMES, &String::from_utf8_lossy(data)));
}

/// > The single-header variant takes precedence over the multiple header one when extracting fields.
///
/// > When extracting state headers, the first value wins.
pub(crate) fn expected(lines: &Lines<'_>) -> Option<Trace> {
    lines.get("b3").and_then(single).or_else(|| multi(|name| lines.values(name).next()))
}

fn goes_on(lines: &Lines<'_>) {
    let expected = expected(lines);
    let next = lines.one_answer(|carrier| received(carrier, expected));
    law!(received(&next, expected) == next, "the second hop sends what the first one sent", next);
}

fn received(carrier: &dyn Extractor, expected: Option<Trace>) -> Sent {
    leaves_the_rest_alone(&BOTH.extract_with_context(&GIVEN, carrier), expected);
    let cx = BOTH.extract_with_context(&Context::new(), carrier);
    law!(read(&cx) == expected, "b3 is read as the grammar says", expected, read(&cx));
    let sent = send(&BOTH, &cx);
    is_expected_next_hop(&cx, &sent, expected);
    sent
}

fn leaves_the_rest_alone(cx: &Context, expected: Option<Trace>) {
    law!(has_given_baggage(cx) && has_mark(cx), "the rest of the context is left alone");
    let replaced = expected.is_some_and(|trace| trace.ids.is_some());
    law!(has_given_span(cx) != replaced, "only valid ids replace the given span", expected);
}

/// What a context says in terms of B3, and that the sampled flag says the same.
pub(crate) fn read(cx: &Context) -> Option<Trace> {
    let span = cx.span();
    let span = span.span_context();
    let state = cx.sampling().map(state)?;
    let ids = span.is_valid().then(|| {
        let sampled = u8::from(state.is_sampled());
        law!(
            span.trace_flags().to_u8() == sampled,
            "flags say sampled or not, and nothing else",
            span,
            state
        );
        law!(span.is_remote(), "a received span is remote");
        (u128::from_be_bytes(span.trace_id().to_bytes()), u64::from_be_bytes(span.span_id().to_bytes()))
    });
    Some(Trace { ids, state })
}

pub(crate) fn state(sampling: Sampling) -> State {
    match sampling {
        Sampling::Defer => State::Defer,
        Sampling::Deny => State::Deny,
        Sampling::Accept => State::Accept,
        Sampling::Debug => State::Debug,
    }
}

fn is_expected_next_hop(cx: &Context, sent: &Sent, expected: Option<Trace>) {
    let single = expected.map(|trace| ("b3".to_owned(), write_single(trace)));
    let multi = expected.map(write_multi).unwrap_or_default();
    let both: Vec<_> = single.clone().into_iter().chain(multi.clone()).collect();
    law!(sent.telling().into_iter().eq(&both), "both forms say what was received", sent, both);
    let sent = send(&B3Propagator::single(), cx);
    law!(sent.0 == Vec::from_iter(single), "the single form is the single header", sent);
    let sent = send(&B3Propagator::multi(), cx);
    law!(sent.telling().into_iter().eq(&multi), "the multiple form is the other headers", sent, multi);
    let short = send(&B3Propagator::single().with_64_bit_trace_ids(true), cx);
    let again = short.get("b3").and_then(crate::model::b3::single);
    law!(again == expected, "a short trace id says the same", short, expected);
}
