//! Which trace format is chosen, and what the others may add.

use crate::{
    Concern, Part, conflict, events,
    propagator::Composite,
    watch::{Outcome, Watch},
};
use opentelemetry::{
    Context, TraceId,
    baggage::BaggageExt as _,
    propagation::Extractor,
    trace::{SpanContext, TraceContextExt},
};
use otel_propagator_core::{
    header::{self, Lines},
    leftover, remote,
    sampling::{Sampling, SamplingExt as _},
};
use std::ptr;

/// An extraction under way: the context so far, and the trace format that was chosen.
pub(crate) struct Extraction<'a> {
    given: &'a Context,
    extractor: &'a dyn Extractor,
    watch: Option<&'a dyn Watch>,
    last_wins: bool,
    /// Whether there is more than one trace format.
    has_others: bool,
    read: Option<Context>,
    chosen: Option<&'a Part>,
    /// The parts that named the chosen trace, a [bit] for each.
    agreeing: u64,
    /// Whether a format that knows `tracestate` has named the chosen trace.
    has_tracestate: bool,
}

impl<'a> Extraction<'a> {
    pub(crate) fn new(given: &'a Context, extractor: &'a dyn Extractor, composite: &'a Composite) -> Self {
        Self {
            given,
            extractor,
            watch: composite.watch.as_deref(),
            last_wins: composite.last_wins,
            has_others: composite.has_others,
            read: None,
            chosen: None,
            agreeing: 0,
            has_tracestate: false,
        }
    }

    /// The given context with what these parts read, in their order.
    pub(crate) fn of(mut self, parts: &'a [Part]) -> Context {
        for (place, part) in parts.iter().enumerate() {
            if part.extracts {
                self.read(part, bit(place));
            }
        }
        let read = self.read.take().unwrap_or_else(|| self.given.clone());
        if self.has_others && self.chosen.is_some() {
            leftover::remember(self.given, read, &self.left(parts))
        } else {
            read
        }
    }

    /// The headers of the request that would stay in a copy of it, beside the chosen trace that they say nothing of: those
    /// that the formats which did not name it have, and do not always write.
    fn left(&self, parts: &[Part]) -> Vec<&'static str> {
        let mut left = Vec::new();
        for (place, part) in parts.iter().enumerate() {
            if part.injects && part.concern == Concern::Trace && self.agreeing & bit(place) == 0 {
                let is_there = |name: &&str| self.extractor.get(name).is_some();
                left.extend(part.known.at_times.iter().copied().filter(is_there));
            }
        }
        left
    }

    fn read(&mut self, part: &'a Part, bit: u64) {
        let (given, read) = (self.given, self.read.take());
        let before = read.as_ref().unwrap_or(given);
        if let Some(watch) = self.watch {
            watch.policy_left_out();
        }
        let after = part.propagator.extract_with_context(before, self.extractor);
        let (after, yielded) = match part.concern {
            Concern::Trace => self.trace(part, bit, before, after),
            Concern::Baggage => baggage(before, after),
            Concern::Other => (after, None),
        };
        if let Some(watch) = self.watch.filter(|_| part.concern != Concern::Other) {
            let outcome = yielded.unwrap_or_else(|| why_nothing(part, self.extractor, before, &after, watch));
            watch.extracted(part, outcome);
        }
        self.read = Some(after);
    }

    /// Judges what a trace format has read: the first that names a span is chosen, or the last.
    fn trace(
        &mut self,
        part: &'a Part,
        bit: u64,
        before: &Context,
        after: Context,
    ) -> (Context, Option<Outcome>) {
        if same_span(before, &after) {
            return (after, None);
        }
        if !is_received(&after) {
            return (if self.last_wins { conflict::forget(after) } else { before.clone() }, None);
        }
        let chosen = self.chosen.filter(|_| !self.last_wins);
        let is_agreed = self.chosen.is_some() && trace_id(before) == trace_id(&after);
        if is_agreed {
            self.agreeing |= bit;
        } else if chosen.is_none() {
            self.agreeing = bit;
        }
        let Some(chosen) = chosen else {
            self.chosen = Some(part);
            self.has_tracestate = part.knows_tracestate();
            return (conflict::forget(after), Some(Outcome::Valid));
        };
        (self.resolve(chosen, part, before, &after), Some(Outcome::NotChosen))
    }

    /// What a later format may add to the chosen one: all but its span where both name one trace, nothing else.
    fn resolve(&mut self, chosen: &Part, part: &Part, before: &Context, after: &Context) -> Context {
        let (chosen_span, later_span) = (before.span(), after.span());
        let (winner, later) = (chosen_span.span_context(), later_span.span_context());
        if winner.trace_id() != later.trace_id() {
            events::conflict(chosen.event_header(), part.event_header());
            return conflict::remember(before, later.clone());
        }
        // A format that knows `tracestate` and brings none says that there is none, or brings one that the API's type
        // cannot hold. Neither is replaced.
        let trace_state = if self.has_tracestate { winner.trace_state() } else { later.trace_state() };
        self.has_tracestate |= part.knows_tracestate();
        let sampling = stated(before, after);
        let flags = winner.trace_flags();
        let flags = flags.with_sampled(sampling.map_or(flags.is_sampled(), Sampling::is_sampled));
        let (trace_id, span_id) = (winner.trace_id(), winner.span_id());
        let span = SpanContext::new(trace_id, span_id, flags, true, trace_state.clone());
        remote::with_preferred_span(before, after, span, sampling)
    }
}

/// What both formats of a trace say together of its sampling, where that is more than the chosen one's flag: the later one
/// asks for a debug trace, or the chosen one left the decision open.
///
/// > If the debug flag is set, the sampled flag MUST also be set
///
/// <https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-extract>
fn stated(chosen: &Context, later: &Context) -> Option<Sampling> {
    match (chosen.sampling(), later.sampling()) {
        (_, Some(Sampling::Debug)) => Some(Sampling::Debug),
        (Some(Sampling::Defer), _) if later.span().span_context().is_sampled() => Some(Sampling::Accept),
        (Some(Sampling::Defer), _) => Some(Sampling::Defer),
        _ => None,
    }
}

/// Judges what a baggage format has read. One that finds nothing takes nothing away.
fn baggage(before: &Context, after: Context) -> (Context, Option<Outcome>) {
    let (given, read) = (before.baggage(), after.baggage());
    if is_relayed(before, &after) {
        (after, Some(Outcome::Valid))
    } else if ptr::eq(given, read) {
        (after, None)
    } else if !read.is_empty() {
        (after, Some(Outcome::Valid))
    } else if given.is_empty() {
        (after, None)
    } else {
        let given = given.iter().map(|(key, content)| (key.clone(), content.clone()));
        (after.with_baggage(given.collect::<opentelemetry::baggage::Baggage>()), None)
    }
}

/// Whether baggage was received that is kept as text.
#[cfg(feature = "w3c-baggage")]
fn is_relayed(before: &Context, after: &Context) -> bool {
    use otel_w3c_baggage::RelayExt;
    let relayed = after.relayed_baggage();
    !relayed.is_empty() && !relayed.is_same(before.relayed_baggage())
}

#[cfg(not(feature = "w3c-baggage"))]
const fn is_relayed(_: &Context, _: &Context) -> bool {
    false
}

/// Of a format that yielded nothing.
fn why_nothing(
    part: &Part,
    extractor: &dyn Extractor,
    before: &Context,
    after: &Context,
    watch: &dyn Watch,
) -> Outcome {
    if has_decision(part, extractor, before, after) {
        Outcome::SamplingOnly
    } else if part.telling_fields().all(|name| header::lines(extractor, name) == Lines::Absent) {
        Outcome::Absent
    } else if part.concern == Concern::Baggage && watch.policy_left_out() {
        Outcome::LeftOut
    } else {
        Outcome::Malformed
    }
}

/// Whether a trace format read a decision without ids. Where the given context has the very same one already, it is
/// asked once more, of a context that has none.
fn has_decision(part: &Part, extractor: &dyn Extractor, before: &Context, after: &Context) -> bool {
    let is_new = || before.bare_sampling() != after.bare_sampling();
    let is_same =
        || part.propagator.extract_with_context(&Context::new(), extractor).bare_sampling().is_some();
    part.concern == Concern::Trace && after.bare_sampling().is_some() && (is_new() || is_same())
}

/// The bit of a part.
fn bit(place: usize) -> u64 {
    1 << (place % 64)
}

fn trace_id(cx: &Context) -> TraceId {
    cx.span().span_context().trace_id()
}

fn is_received(cx: &Context) -> bool {
    let span = cx.span();
    span.span_context().is_valid() && span.span_context().is_remote()
}

/// Whether a propagator left the span of the context alone.
///
/// Each span lives in an allocation of its own, and `before` keeps the old one alive, so a new one has
/// another address, whatever it says.
fn same_span(before: &Context, after: &Context) -> bool {
    match (before.has_active_span(), after.has_active_span()) {
        (true, true) => ptr::eq(before.span().span_context(), after.span().span_context()),
        (before, after) => before == after,
    }
}
