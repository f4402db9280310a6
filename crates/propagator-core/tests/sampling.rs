//! The sampling state of a context, and which received span it goes on from.

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use otel_propagator_core::{
    remote::{is_current, with_preferred_span, with_span},
    sampling::{
        Sampling::{self, Accept, Debug, Defer, Deny},
        SamplingExt,
    },
};

/// A trace, a span of it, and whether that is sampled.
type Span = (u128, u64, bool);

fn remote((trace_id, span_id, sampled): Span) -> SpanContext {
    let flags = TraceFlags::default().with_sampled(sampled);
    SpanContext::new(trace_id.into(), span_id.into(), flags, true, TraceState::NONE)
}

/// The context with a span that was started in it.
fn started(cx: &Context, (trace_id, span_id, sampled): Span) -> Context {
    let flags = TraceFlags::default().with_sampled(sampled);
    let span = SpanContext::new(trace_id.into(), span_id.into(), flags, false, TraceState::NONE);
    cx.with_remote_span_context(span)
}

fn received(span: Span, state: Sampling) -> Context {
    Context::new().with_remote_sampling(remote(span), state)
}

#[test]
fn a_received_state_holds_for_its_span_and_sets_the_flag() {
    for state in [Defer, Deny, Accept, Debug] {
        for sampled in [false, true] {
            let cx = received((1, 2, sampled), state);
            assert_eq!((cx.sampling(), cx.bare_sampling()), (Some(state), None));
            assert_eq!(cx.span().span_context(), &remote((1, 2, state.is_sampled())));
        }
    }
    assert_eq!(Context::new().sampling(), None);
    assert_eq!(Context::new().with_remote_span_context(remote((1, 2, true))).sampling(), Some(Accept));
    assert_eq!(Context::new().with_remote_span_context(remote((1, 2, false))).sampling(), Some(Deny));
}

#[test]
fn what_is_left_of_a_state_when_spans_are_started() {
    let rows = [
        ("debug is the whole trace's", Debug, (1, 3, false), Debug),
        ("and no other trace's", Debug, (7, 3, false), Deny),
        ("a new span has decided", Defer, (1, 3, false), Deny),
        ("for it", Defer, (1, 3, true), Accept),
        ("the same span, sampled", Defer, (1, 2, true), Accept),
        ("the same span id in another trace", Defer, (7, 2, false), Deny),
        ("denied and sampled all the same", Deny, (1, 3, true), Accept),
        ("accepted and not sampled", Accept, (1, 3, false), Deny),
    ];
    for (rule, state, span, expected) in rows {
        assert_eq!(started(&received((1, 2, false), state), span).sampling(), Some(expected), "{rule}");
    }
}

#[test]
fn what_is_left_of_a_state_when_a_span_is_received_that_has_none() {
    let rows = [
        ("debug is the whole trace's", Debug, (1, 3, false), Debug),
        ("and no other trace's", Debug, (7, 2, false), Deny),
        ("the same span, of another format", Defer, (1, 2, false), Defer),
        ("which may have decided", Defer, (1, 2, true), Accept),
        ("another span", Defer, (1, 3, false), Deny),
        ("another trace", Defer, (7, 2, false), Deny),
        ("denied, and another span sampled", Deny, (1, 3, true), Accept),
    ];
    for (rule, state, span, expected) in rows {
        for is_noted in [false, true] {
            let cx = with_span(&received((1, 2, false), state), remote(span), is_noted);
            assert_eq!(cx.sampling(), Some(expected), "{rule}");
            assert_eq!(cx.span().span_context(), &remote(span), "{rule}");
        }
    }
    // The later request's word replaces the earlier one's, which its flag alone could not say.
    for state in [Defer, Deny, Accept] {
        let cx = received((1, 2, true), Debug).with_remote_sampling(remote((1, 3, false)), state);
        assert_eq!(cx.sampling(), Some(state));
    }
}

#[test]
fn a_decision_alone_is_about_the_next_trace() {
    for decision in [Deny, Accept, Debug] {
        let alone = Context::new().with_bare_sampling(decision);
        assert_eq!((alone.sampling(), alone.bare_sampling()), (Some(decision), Some(decision)));

        let with_trace = with_span(&alone, remote((1, 2, false)), true);
        assert_eq!((with_trace.sampling(), with_trace.bare_sampling()), (Some(Deny), Some(decision)));
        let replaced = alone.with_remote_sampling(remote((1, 2, false)), Defer);
        assert_eq!((replaced.sampling(), replaced.bare_sampling()), (Some(Defer), None));
        let undecided = alone.with_bare_sampling(Defer);
        assert_eq!((undecided.sampling(), undecided.bare_sampling()), (None, None));
    }
}

#[test]
fn the_first_trace_under_a_bare_debug_decision_is_a_debug_trace() {
    let debug = || Context::new().with_bare_sampling(Debug);
    let cx = debug();
    assert_eq!(started(&cx, (1, 2, false)).sampling(), Some(Debug), "the first");
    assert_eq!(started(&cx, (1, 3, false)).sampling(), Some(Debug), "all of it");
    assert_eq!(started(&cx, (7, 2, false)).sampling(), Some(Deny), "the second");
    let later = with_span(&cx, remote((9, 9, false)), false);
    assert_eq!(started(&later, (1, 2, false)).sampling(), Some(Debug), "it stays so");

    let came = debug().with_remote_span_context(remote((1, 2, false)));
    assert_eq!(came.sampling(), Some(Deny), "a trace that did not start here");
    let beside = with_span(&debug(), remote((1, 2, false)), false);
    assert_eq!(started(&beside, (7, 2, false)).sampling(), Some(Deny), "where a trace came beside it");
    let beside = Context::new().with_remote_span_context(remote((1, 2, false))).with_bare_sampling(Debug);
    assert_eq!(started(&beside, (7, 2, false)).sampling(), Some(Deny), "or before it");
    for decision in [Deny, Accept] {
        let cx = Context::new().with_bare_sampling(decision);
        assert_eq!(started(&cx, (1, 2, false)).sampling(), Some(Deny), "the sampler decided");
    }
}

/// Whether these are the spans that were received last.
fn current(cx: &Context, spans: [(u128, u64); 4]) -> [bool; 4] {
    spans.map(|(trace_id, span_id)| is_current(cx, trace_id.into(), span_id.into()))
}

#[test]
fn the_span_that_was_received_last_is_current() {
    let spans = [(1, 2), (1, 3), (7, 2), (7, 3)];
    let noted = with_span(&Context::new(), remote((1, 2, true)), true);
    assert_eq!(current(&noted, spans), [true, false, false, false]);
    assert_eq!(
        current(&started(&noted, (7, 3, true)), spans),
        [true, false, false, false],
        "our own do not matter"
    );
    assert_eq!(current(&with_span(&noted, remote((1, 3, true)), true), spans), [false, true, false, false]);
    assert_eq!(current(&with_span(&noted, remote((7, 3, true)), false), spans), [false, false, false, true]);
    let of_nobody = with_span(&Context::new(), remote((1, 2, true)), false);
    assert_eq!(current(&of_nobody, spans), [false; 4], "nobody wanted to know");
    assert_eq!(current(&received((1, 2, false), Defer), spans), [true, false, false, false]);
}

/// Two formats of one request, of which the earlier one's span is chosen: what both keep stays current.
#[test]
fn the_chosen_span_and_what_both_formats_keep() {
    let spans = [(1, 2), (1, 3), (1, 4), (7, 2)];
    let chosen = remote((1, 2, false));
    let first = with_span(&Context::new(), chosen.clone(), true);
    let second = first.with_remote_sampling(remote((1, 3, false)), Debug);
    let both = with_preferred_span(&first, &second, chosen.clone(), None);
    assert_eq!(both.span().span_context(), &chosen);
    assert_eq!(both.sampling(), Some(Debug), "what was known of the trace");
    assert_eq!(current(&both, spans), [true, false, false, false]);

    for first in [Context::new().with_remote_span_context(chosen.clone()), received((1, 2, false), Defer)] {
        let second = with_span(&first, remote((1, 3, false)), true);
        for (given, expected) in
            [(Some(Accept), Deny), (Some(Defer), Defer), (Some(Debug), Debug), (None, Deny)]
        {
            let both = with_preferred_span(&first, &second, chosen.clone(), given);
            assert_eq!(both.sampling(), Some(expected), "{given:?}");
            assert_eq!(current(&both, spans), [true, true, false, false], "{given:?}");
        }
    }
    let plain = Context::new().with_remote_span_context(chosen.clone());
    let both = with_preferred_span(&plain, &plain, chosen.clone(), Some(Debug));
    assert_eq!(both.sampling(), Some(Deny), "where neither keeps anything, the flag says all");
    let bare = Context::new().with_bare_sampling(Debug);
    let both = with_preferred_span(&plain, &bare, chosen, None);
    assert_eq!(started(&both, (7, 3, false)).sampling(), Some(Deny), "a trace came beside the decision");
    assert_eq!(both.bare_sampling(), Some(Debug));
}
