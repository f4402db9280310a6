//! Which trace format is chosen, and what the others may add.

use crate::{
    Concern, Part, conflict, events,
    watch::{Outcome, Watch},
};
use opentelemetry::{
    Context,
    baggage::BaggageExt as _,
    propagation::Extractor,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_propagator_core::{
    header::{self, Lines},
    remote,
    sampling::SamplingExt as _,
};
use std::ptr;

/// An extraction under way: the context so far, and the trace format that was chosen.
pub(crate) struct Extraction<'a> {
    given: &'a Context,
    extractor: &'a dyn Extractor,
    watch: Option<&'a dyn Watch>,
    read: Option<Context>,
    chosen: Option<&'a Part>,
}

impl<'a> Extraction<'a> {
    pub(crate) fn new(
        given: &'a Context,
        extractor: &'a dyn Extractor,
        watch: Option<&'a dyn Watch>,
    ) -> Self {
        Self { given, extractor, watch, read: None, chosen: None }
    }

    pub(crate) fn finish(self) -> Context {
        self.read.unwrap_or_else(|| self.given.clone())
    }

    /// Reads one part. Of the trace formats, the first that yields a span is chosen, or the last.
    pub(crate) fn read(&mut self, part: &'a Part, last_wins: bool) {
        let before = self.read.as_ref().unwrap_or(self.given);
        let after = part.propagator.extract_with_context(before, self.extractor);
        let (after, yielded) = match part.concern {
            Concern::Trace if last_wins => replace(before, after, names_span),
            Concern::Trace => self.prefer_earlier(part, before, after),
            Concern::Baggage => {
                replace(before, after, |before, after| !ptr::eq(before.baggage(), after.baggage()))
            }
            Concern::Other => (after, None),
        };
        if let Some(watch) = self.watch.filter(|_| part.concern != Concern::Other) {
            watch.extracted(part, yielded.unwrap_or_else(|| why_nothing(part, self.extractor, &after)));
        }
        if yielded == Some(Outcome::Valid) && part.concern == Concern::Trace {
            self.chosen = Some(part);
        }
        self.read = Some(after);
    }

    /// Judges what a trace format that is less preferred than those before has read.
    fn prefer_earlier(&self, part: &Part, before: &Context, after: Context) -> (Context, Option<Outcome>) {
        if same_span(before, &after) {
            return (after, None);
        }
        if !is_received(&after) {
            return (before.clone(), None);
        }
        let Some(chosen) = self.chosen else { return (after, Some(Outcome::Valid)) };
        let on_conflict = || events::conflict(chosen.header(), part.header());
        (resolved(before, &after, on_conflict), Some(Outcome::NotChosen))
    }
}

fn replace(
    before: &Context,
    after: Context,
    found: fn(&Context, &Context) -> bool,
) -> (Context, Option<Outcome>) {
    let outcome = found(before, &after).then_some(Outcome::Valid);
    (after, outcome)
}

/// Of a format that yielded nothing.
fn why_nothing(part: &Part, extractor: &dyn Extractor, after: &Context) -> Outcome {
    if part.extract_fields().all(|name| header::lines(extractor, name) == Lines::Absent) {
        Outcome::Absent
    } else if part.extract_fields().any(|name| name == "b3") && after.bare_sampling().is_some() {
        Outcome::SamplingOnly
    } else {
        Outcome::Malformed
    }
}

/// Whether a propagator put a valid remote span into the context.
fn names_span(before: &Context, after: &Context) -> bool {
    !same_span(before, after) && is_received(after)
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

/// What a later format may add to the chosen one: all but its span where both name one trace, nothing else.
fn resolved(chosen: &Context, later: &Context, on_conflict: impl FnOnce()) -> Context {
    let (chosen_span, later_span) = (chosen.span(), later.span());
    let (winner, other) = (chosen_span.span_context(), later_span.span_context());
    if winner.trace_id() == other.trace_id() {
        return remote::with_preferred_span(later, with_trace_state_of(winner, other));
    }
    on_conflict();
    conflict::remember(chosen, other.clone())
}

/// The winner's span; a format without a `tracestate` of its own does not take away the other's.
fn with_trace_state_of(winner: &SpanContext, other: &SpanContext) -> SpanContext {
    let trace_state = if is_empty(winner.trace_state()) { other.trace_state() } else { winner.trace_state() };
    SpanContext::new(winner.trace_id(), winner.span_id(), winner.trace_flags(), true, trace_state.clone())
}

fn is_empty(trace_state: &TraceState) -> bool {
    trace_state.into_iter().next().is_none()
}
