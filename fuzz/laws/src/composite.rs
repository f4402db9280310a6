//! Several formats as one.

use crate::{
    b3, baggage,
    carrier::{Lines, LinesExt as _, Sent, SentExt as _, send},
    given::{GIVEN, has_given_span, has_mark},
    model::{
        b3::{State, Trace},
        baggage::{Entries, read},
        tracecontext::{Parent, state},
    },
    tracecontext::{expected_parent, span_fields},
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use otel_b3::{B3Propagator, SamplingExt};
use otel_baggage_limits::Limits;
use otel_composite::{CompositePropagator, ConflictExt, extract_only, inject_only};
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use std::{collections::HashMap, sync::LazyLock};

/// Every header that one of the formats reads.
pub(crate) const NAMES: &[&str] = &[
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
];

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    W3c,
    B3,
}

/// A composite, and what is known of it.
struct Setup {
    propagator: CompositePropagator,
    /// What it reads, the most preferred first.
    reads: &'static [Format],
    last_wins: bool,
    /// Whether it reads all that it sends, and takes nothing from one format for what another says.
    both_ways: bool,
    limits: Limits,
}

static SETUPS: LazyLock<[Setup; 6]> = LazyLock::new(|| {
    let (w3c, b3) = (TraceContextPropagator::new(), B3Propagator::single());
    let few = Limits::new().max_members(3).max_bytes(64);
    let baggage = BaggagePropagator::new();
    let new = || CompositePropagator::builder().baggage(baggage.clone());
    let setup = |builder: otel_composite::Builder, reads| Setup {
        propagator: builder.build(),
        reads,
        last_wins: false,
        both_ways: true,
        limits: Limits::new(),
    };
    let (w3c_first, b3_first): (&[Format], &[Format]) =
        (&[Format::W3c, Format::B3], &[Format::B3, Format::W3c]);
    [
        setup(new().trace(w3c).trace(b3), w3c_first),
        setup(new().trace(B3Propagator::multi()).trace(w3c), b3_first),
        Setup {
            limits: few.clone(),
            ..setup(new().trace(w3c).trace(extract_only(b3)).limits(few), w3c_first)
        },
        Setup {
            both_ways: false,
            ..setup(new().trace(inject_only(w3c)).trace(B3Propagator::single_and_multi()), &[Format::B3])
        },
        Setup {
            last_wins: true,
            both_ways: false,
            ..setup(new().trace(w3c).trace(b3).last_wins(true), w3c_first)
        },
        setup(new().trace(w3c), &[Format::W3c]),
    ]
});

/// The first byte chooses the composite; the rest is header lines, `name:value`.
pub fn composite(data: &[u8]) {
    let (choice, data) = data.split_first().map_or((0, data), |(first, rest)| (usize::from(*first), rest));
    let Some(setup) = SETUPS.get(choice % SETUPS.len()) else { return };
    let text = String::from_utf8_lossy(data);
    let lines = Lines::parse(NAMES, &text);
    let answer = lines.one_answer(|carrier| Answer::new(setup, carrier));
    is_expected(setup, &answer, &lines);
    if setup.both_ways {
        let next = answer.sent;
        let again = send(&setup.propagator, &setup.propagator.extract_with_context(&Context::new(), &next));
        law!(again.telling() == next.telling(), "the second hop sends what the first one sent", next, again);
    }
}

/// All that is read of a carrier, and what is sent of it.
#[derive(Debug, PartialEq)]
struct Answer {
    span: SpanContext,
    conflicting: Vec<SpanContext>,
    /// Without ids.
    decision: Option<State>,
    baggage: Entries,
    /// Whether a span of the context before the extraction was replaced.
    replaces: bool,
    sent: Sent,
    /// Whether a copy of the request says the same in the headers that are written only at times.
    copied: [bool; AT_TIMES.len()],
}

/// Each with a header that is always written beside it.
const AT_TIMES: [(&str, &str); 2] = [("tracestate", "traceparent"), ("x-b3-flags", "x-b3-traceid")];

impl Answer {
    fn new(setup: &Setup, carrier: &dyn Extractor) -> Self {
        let given = setup.propagator.extract_with_context(&GIVEN, carrier);
        law!(has_mark(&given), "the rest of the context is left alone");
        let cx = setup.propagator.extract_with_context(&Context::new(), carrier);
        let sent = send(&setup.propagator, &cx);
        let mut copy = copy(carrier);
        setup.propagator.inject_context(&cx, &mut copy);
        let said = |value: Option<&str>| value.filter(|value| !value.is_empty()).map(str::to_owned);
        let copied = AT_TIMES.map(|(name, beside)| {
            sent.get(beside).is_none() || said(sent.get(name)) == said(copy.get(name).map(String::as_str))
        });
        Self {
            span: cx.span().span_context().clone(),
            conflicting: cx.conflicting_span_contexts().to_vec(),
            decision: cx.bare_sampling().map(b3::state),
            baggage: baggage::entries(cx.baggage()),
            replaces: !has_given_span(&given),
            sent,
            copied,
        }
    }
}

/// The first line of each header, as a proxy might copy them.
fn copy(carrier: &dyn Extractor) -> HashMap<String, String> {
    NAMES.iter().filter_map(|name| Some(((*name).to_owned(), carrier.get(name)?.to_owned()))).collect()
}

/// What each format that is read names, the most preferred first.
struct Named {
    parent: Option<Parent>,
    b3: Option<Trace>,
}

impl Named {
    fn new(setup: &Setup, lines: &Lines<'_>) -> Self {
        let reads = |format| setup.reads.contains(&format);
        Self {
            parent: expected_parent(lines).filter(|_| reads(Format::W3c)),
            b3: b3::expected(lines).filter(|_| reads(Format::B3)),
        }
    }

    fn of(&self, format: Format) -> Option<Parent> {
        match format {
            Format::W3c => self.parent,
            Format::B3 => {
                let (trace_id, parent_id) = self.b3?.ids?;
                let flags = u8::from(self.b3?.state.is_sampled());
                Some(Parent { trace_id, parent_id, flags })
            }
        }
    }

    /// The sampled flag, where the formats of one trace say more together than the winner alone: B3 asks for a debug
    /// trace, or it leaves the decision open and W3C has made it.
    fn decided_for(&self, winner: Parent) -> u8 {
        let of_this_trace = |id| id == winner.trace_id;
        let b3 = self.b3.filter(|trace| trace.ids.is_some_and(|ids| of_this_trace(ids.0)));
        let w3c = self.parent.filter(|parent| of_this_trace(parent.trace_id));
        let debug = b3.is_some_and(|trace| trace.state == State::Debug);
        let open = b3.is_some_and(|trace| trace.state == State::Defer);
        u8::from(debug || (open && w3c.is_some_and(|parent| parent.flags & 1 != 0)))
    }

    fn in_order(&self, setup: &Setup) -> impl Iterator<Item = Parent> {
        setup.reads.iter().filter_map(|format| self.of(*format)).collect::<Vec<_>>().into_iter()
    }
}

fn is_expected(setup: &Setup, answer: &Answer, lines: &Lines<'_>) {
    let named = Named::new(setup, lines);
    let mut in_order = named.in_order(setup);
    let winner = if setup.last_wins { in_order.last() } else { in_order.next() };
    let span = &answer.span;
    law!(answer.replaces == winner.is_some(), "only a winner replaces the given span", answer);
    law!(span.is_valid() == winner.is_some(), "a valid format wins, and nothing else does", span, lines);
    if let Some(winner) = winner {
        let flags = if setup.last_wins { winner.flags } else { winner.flags | named.decided_for(winner) };
        let winner = Parent { flags, ..winner };
        law!(span_fields(span) == winner, "the most preferred valid format wins", span, winner, lines);
        remembers_the_loser(answer, setup, &named, winner);
    }
    // What is not admitted on the way out may still be read.
    let joined = lines.joined("baggage");
    let baggage = joined.map(|joined| read(&joined, &Limits::new())).unwrap_or_default();
    law!(answer.baggage == baggage, "baggage is always read", baggage, answer);
    let decision = named.b3.filter(|trace| trace.ids.is_none()).map(|trace| trace.state);
    law!(answer.decision == decision, "a decision without ids is kept, and is no winner", decision, answer);
    is_expected_next_hop(setup, answer, &named, lines);
    baggage::is_expected(answer.sent.get("baggage").unwrap_or_default(), &answer.baggage, &setup.limits);
}

fn remembers_the_loser(answer: &Answer, setup: &Setup, named: &Named, winner: Parent) {
    let others = answer.conflicting.iter().map(|other| span_fields(other).trace_id);
    let expected = named.in_order(setup).map(|named| named.trace_id).filter(|id| *id != winner.trace_id);
    law!(setup.last_wins || others.eq(expected), "a trace that was not chosen is remembered", winner);
}

fn is_expected_next_hop(setup: &Setup, answer: &Answer, named: &Named, lines: &Lines<'_>) {
    let Answer { span, sent, .. } = answer;
    let of_this_trace = |parent: &Parent| parent.trace_id == span_fields(span).trace_id;
    let received = named.parent.filter(of_this_trace);
    is_of_span(sent, span, received.map_or(0, |parent| parent.flags & 2));
    let joined = lines.joined("tracestate").unwrap_or_default();
    let members = state(&joined).filter(|_| received.is_some()).unwrap_or_default();
    let sent_state = sent.get("tracestate").map(|value| state(value).unwrap_or_default()).unwrap_or_default();
    let sends_w3c = sent.get("traceparent").is_some();
    law!(
        setup.last_wins || !sends_w3c || sent_state == members,
        "the tracestate of the chosen trace goes on",
        sent,
        members
    );
    law!(members.is_empty() <= sent_state.is_empty(), "no other tracestate is sent", sent);
    let [state_is_copied, flags_are_copied] = answer.copied;
    let b3_of_this_trace = named.of(Format::B3).filter(of_this_trace);
    if span.is_valid() {
        law!(
            state_is_copied || received.is_some(),
            "nothing of another tracestate is left in a copy",
            answer
        );
        law!(flags_are_copied || b3_of_this_trace.is_some(), "no other debug flag is left in a copy", answer);
    }
    let debug = named.b3.is_some_and(|trace| {
        trace.state == State::Debug && trace.ids.is_some_and(|ids| ids.0 == span_fields(span).trace_id)
    });
    if let Some(b3) = b3::expected(&sent.to_lines()) {
        law!(
            b3.ids.is_none() || (b3.state == State::Debug) == debug,
            "debug goes on, and is not invented",
            sent
        );
    }
}

/// Every trace header names the span of the context.
pub(crate) fn is_of_span(sent: &Sent, span: &SpanContext, random: u8) {
    let lines = sent.to_lines();
    let span = span.is_valid().then(|| span_fields(span));
    if let Some(value) = sent.get("traceparent") {
        let expected = span.map(|span| Parent { flags: span.flags | random, ..span });
        law!(
            crate::model::tracecontext::is_sent_parent(value),
            "what is sent is version 00 with known flags",
            value
        );
        law!(expected_parent(&lines) == expected, "traceparent names the span", sent, expected);
    }
    if let Some(b3) = b3::expected(&lines) {
        let expected = span.map(|span| (span.trace_id, span.parent_id));
        law!(b3.ids == expected, "b3 names the span", sent, expected);
        let sampled = span.map_or(b3.state.is_sampled(), |span| span.flags & 1 != 0);
        law!(
            b3.state == State::Debug || b3.state.is_sampled() == sampled,
            "b3 says whether it is sampled",
            sent
        );
    }
}
