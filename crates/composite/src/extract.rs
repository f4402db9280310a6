//! Which trace format is chosen, and what the others may add.

use crate::{conflict, events, metrics::Outcomes, part::Part};
use opentelemetry::{
    Context,
    baggage::BaggageExt as _,
    propagation::Extractor,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use std::ptr;

/// A propagator of the extraction list.
pub(crate) struct Reader {
    part: Part,
    outcomes: Option<Outcomes>,
}

/// What became of one format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Yield {
    /// Nothing came, or nothing valid, or a sampling decision alone.
    Nothing,
    /// What it named is in the extracted context.
    Chosen,
    /// It named a span, but an earlier format had been chosen.
    NotChosen,
}

impl Reader {
    pub(crate) fn new(part: Part, outcomes: Option<Outcomes>) -> Self {
        Self { part, outcomes }
    }

    fn read(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.part.propagator.extract_with_context(cx, extractor)
    }

    /// `yielded` is asked only where somebody counts.
    fn count(&self, yielded: impl FnOnce() -> Yield, extractor: &dyn Extractor, after: &Context) {
        if let Some(outcomes) = &self.outcomes {
            outcomes.count(yielded(), &self.part, extractor, after);
        }
    }
}

/// An extraction under way: the context so far, and the trace format that was chosen.
pub(crate) struct Extraction<'a> {
    given: &'a Context,
    extractor: &'a dyn Extractor,
    read: Option<Context>,
    chosen: Option<&'a Reader>,
}

impl<'a> Extraction<'a> {
    pub(crate) fn new(given: &'a Context, extractor: &'a dyn Extractor) -> Self {
        Self { given, extractor, read: None, chosen: None }
    }

    pub(crate) fn finish(self) -> Context {
        self.read.unwrap_or_else(|| self.given.clone())
    }

    /// What has been read so far.
    fn context(&self) -> &Context {
        self.read.as_ref().unwrap_or(self.given)
    }

    /// Reads a trace format that is less preferred than those before.
    pub(crate) fn prefer_earlier(&mut self, reader: &'a Reader) {
        let yielded = self.judge(reader);
        reader.count(|| yielded, self.extractor, self.context());
    }

    fn judge(&mut self, reader: &'a Reader) -> Yield {
        let before = self.context();
        let after = reader.read(before, self.extractor);
        if same_span(before, &after) {
            self.read = Some(after);
            return Yield::Nothing;
        }
        if !is_received(&after) {
            return Yield::Nothing;
        }
        let Some(chosen) = self.chosen else {
            self.read = Some(after);
            self.chosen = Some(reader);
            return Yield::Chosen;
        };
        let on_conflict = || events::conflict(chosen.part.header(), reader.part.header());
        self.read = Some(resolved(before, &after, on_conflict));
        Yield::NotChosen
    }

    /// Reads a trace format that replaces those before.
    pub(crate) fn prefer_later(&mut self, reader: &Reader) {
        self.replace(reader, names_span);
    }

    pub(crate) fn baggage(&mut self, reader: &Reader) {
        self.replace(reader, |before, after| !ptr::eq(before.baggage(), after.baggage()));
    }

    pub(crate) fn other(&mut self, reader: &Reader) {
        self.read = Some(reader.read(self.context(), self.extractor));
    }

    fn replace(&mut self, reader: &Reader, found: fn(&Context, &Context) -> bool) {
        let before = self.context();
        let after = reader.read(before, self.extractor);
        let yielded = || if found(before, &after) { Yield::Chosen } else { Yield::Nothing };
        reader.count(yielded, self.extractor, &after);
        self.read = Some(after);
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
        return later.with_remote_span_context(with_trace_state_of(winner, other));
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
