//! What later formats add to the chosen one, and what of an earlier request does not come back.

#![cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Headers, Pairs, headers};
use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_composite::{
    B3Propagator, BaggagePropagator, Builder, CompositePropagator, ConflictExt, Sampling, SamplingExt,
    TraceContextPropagator,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "00000000000000a1";

fn w3c(flags: &str) -> (&'static str, String) {
    ("traceparent", format!("00-{TRACE}-{SPAN}-{flags}"))
}

fn b3(state: &str) -> (&'static str, String) {
    ("b3", format!("{TRACE}-00000000000000b2{state}"))
}

fn carrier(pairs: &[(&str, String)]) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn sent(propagator: &CompositePropagator, cx: &Context) -> Headers {
    let mut sent = Headers::new();
    propagator.inject_context(cx, &mut sent);
    sent
}

fn w3c_first() -> CompositePropagator {
    Builder::default().trace(TraceContextPropagator::new()).trace(B3Propagator::single()).build()
}

fn b3_first() -> CompositePropagator {
    Builder::default().trace(B3Propagator::single()).trace(TraceContextPropagator::new()).build()
}

/// > If the debug flag is set, the sampled flag MUST also be set
#[test]
fn a_debug_trace_is_sampled_whichever_format_says_so() {
    let rows = [
        ("debug beside an unset flag", w3c_first(), w3c("00"), b3("-d"), true, Sampling::Debug),
        ("the same, B3 preferred", b3_first(), w3c("00"), b3("-d"), true, Sampling::Debug),
        ("debug beside a set flag", w3c_first(), w3c("01"), b3("-d"), true, Sampling::Debug),
        (
            "accept beside an unset flag: the chosen one decides",
            w3c_first(),
            w3c("00"),
            b3("-1"),
            false,
            Sampling::Deny,
        ),
        (
            "deny beside a set flag: the chosen one decides",
            w3c_first(),
            w3c("01"),
            b3("-0"),
            true,
            Sampling::Accept,
        ),
        ("the same, B3 preferred", b3_first(), w3c("01"), b3("-0"), false, Sampling::Deny),
        ("a decision that B3 left open", b3_first(), w3c("01"), b3(""), true, Sampling::Accept),
        ("left open by both", b3_first(), w3c("00"), b3(""), false, Sampling::Defer),
    ];
    for (rule, propagator, w3c, b3, sampled, sampling) in rows {
        let cx = propagator.extract_with_context(&Context::new(), &carrier(&[w3c, b3]));
        assert_eq!(cx.span().span_context().is_sampled(), sampled, "{rule}");
        assert_eq!(cx.sampling(), Some(sampling), "{rule}");
        let flags = if sampled { "-01" } else { "-00" };
        assert!(sent(&propagator, &cx)["traceparent"].ends_with(flags), "{rule}");
    }
}

#[test]
fn a_second_format_that_names_the_identical_span_adds_its_state_and_no_conflict() {
    for propagator in [w3c_first(), b3_first()] {
        let received =
            carrier(&[w3c("01"), ("b3", format!("{TRACE}-{SPAN}-d")), ("tracestate", "a=1".to_owned())]);
        let cx = propagator.extract_with_context(&Context::new(), &received);
        assert_eq!(cx.span().span_context().span_id().to_string(), SPAN, "{propagator}");
        assert_eq!(cx.span().span_context().trace_state().header(), "a=1", "{propagator}");
        assert_eq!(cx.sampling(), Some(Sampling::Debug), "{propagator}");
        assert_eq!(cx.conflicting_span_contexts(), [], "{propagator}");
    }
}

/// A context that has the span already, as it has after a retry.
#[test]
fn a_request_that_came_before_is_chosen_as_any_other() {
    let propagator = w3c_first();
    let other = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1";
    let first = propagator.extract_with_context(&Context::new(), &carrier(&[w3c("01")]));
    let again = propagator.extract_with_context(&first, &carrier(&[w3c("01"), ("b3", other.to_owned())]));
    assert_eq!(again.span().span_context().trace_id().to_string(), TRACE);
    assert_eq!(again.conflicting_span_contexts().len(), 1);
}

/// Names the trace of `traceparent`, with a `tracestate` of its own.
#[derive(Debug)]
struct Stateful(&'static str);

impl TextMapPropagator for Stateful {
    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let read = TraceContextPropagator::new().extract_with_context(&Context::new(), extractor);
        let span = read.span().span_context().clone();
        let state = TraceState::from_key_value([(self.0, "1")]).unwrap();
        cx.with_remote_span_context(SpanContext::new(
            span.trace_id(),
            span.span_id(),
            span.trace_flags(),
            true,
            state,
        ))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn no_later_tracestate_replaces_that_of_the_chosen_format() {
    let later = || Stateful("later");
    let w3c_first = Builder::default().trace(TraceContextPropagator::new()).trace(later()).build();
    let b3_first = Builder::default().trace(B3Propagator::single()).trace(TraceContextPropagator::new());
    let b3_first = b3_first.trace(later()).build();
    let foreign_first = Builder::default().trace(B3Propagator::single()).trace(later()).build();
    let state = |value: &str| ("tracestate", value.to_owned());
    let rows = [
        ("the chosen one has one", &w3c_first, state("a=1"), "a=1"),
        ("of keys that the API's type cannot hold", &w3c_first, state("foo@@bar=1"), "foo@@bar=1"),
        ("of such keys, found by the second", &b3_first, state("foo@@bar=1"), "foo@@bar=1"),
        ("found by the second", &b3_first, state("a=1"), "a=1"),
        ("none before", &foreign_first, state("a=1"), "later=1"),
    ];
    let w3c_out = Builder::default().trace(TraceContextPropagator::new()).build();
    for (rule, propagator, state, expected) in rows {
        let cx = propagator.extract_with_context(&Context::new(), &carrier(&[w3c("01"), b3("-1"), state]));
        assert_eq!(sent(&w3c_out, &cx)["tracestate"], expected, "{rule}");
    }
    let cx = w3c_first.extract_with_context(&Context::new(), &carrier(&[w3c("01")]));
    assert_eq!(sent(&w3c_out, &cx).get("tracestate"), None, "the chosen format says that there is none");
}

/// Puts empty baggage into the context where it finds none.
#[derive(Debug)]
struct Wipes;

impl TextMapPropagator for Wipes {
    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.with_baggage(Baggage::new())
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn baggage_that_was_there_survives_a_propagator_that_finds_none() {
    let given = Context::new().with_baggage([KeyValue::new("kept", "yes")]);
    let foreign = || opentelemetry_sdk::propagation::BaggagePropagator::new();
    let rows: [(&str, Builder, Pairs<'_>, &str); 4] = [
        ("given", Builder::default().baggage(Wipes), &[], "kept"),
        (
            "given, nothing but separators",
            Builder::default().baggage(foreign()),
            &[("baggage", ";;;")],
            "kept",
        ),
        (
            "read by the one before",
            Builder::default().baggage(BaggagePropagator::new()).baggage(Wipes),
            &[("baggage", "a=1")],
            "a",
        ),
        ("something replaces it", Builder::default().baggage(foreign()), &[("baggage", "a=1")], "a"),
    ];
    for (rule, builder, pairs, expected) in rows {
        let cx = builder.build().extract_with_context(&given, &headers(pairs));
        let keys: Vec<String> = cx.baggage().iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys, [expected], "{rule}");
    }
}

#[test]
fn a_conflict_of_an_earlier_request_of_the_same_trace_is_forgotten() {
    let other = ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000b2-1".to_owned());
    let first = w3c_first().extract_with_context(&Context::new(), &carrier(&[w3c("01"), other]));
    assert_eq!(first.conflicting_span_contexts().len(), 1);
    let last_wins = Builder::default().trace(TraceContextPropagator::new()).last_wins(true).build();
    for propagator in [w3c_first(), last_wins] {
        let next = propagator.extract_with_context(&first, &carrier(&[w3c("01")]));
        assert_eq!(next.conflicting_span_contexts(), [], "{propagator}");
        let nothing = propagator.extract_with_context(&first, &carrier(&[]));
        assert_eq!(nothing.conflicting_span_contexts().len(), 1, "{propagator}: nothing was read");
    }
}

/// The one that was read first in the list is not read again by its other name, unless the last one wins.
#[test]
fn where_the_last_one_wins_the_later_form_of_b3_is_read() {
    let builder = Builder::default().trace(B3Propagator::single());
    let builder = builder.trace(TraceContextPropagator::new()).trace(B3Propagator::multi());
    let received = carrier(&[w3c("01"), b3("-1")]);
    for (last_wins, expected) in [(true, "00000000000000b2"), (false, "00000000000000b2")] {
        let cx =
            builder.clone().last_wins(last_wins).build().extract_with_context(&Context::new(), &received);
        assert_eq!(cx.span().span_context().span_id().to_string(), expected, "last wins: {last_wins}");
    }
}
