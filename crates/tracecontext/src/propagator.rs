//! Between the headers and the `Context`.

use crate::{
    ParseError,
    events::{self, TRACEPARENT, TRACESTATE},
    received::Received,
    traceparent::TraceParent,
    tracestate::{self, Parsed},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_propagator_core::{
    diagnostics::Rejected,
    header::{self, Lines, NOT_TEXT},
    leftover,
};
use std::sync::LazyLock;

/// Reads and writes `traceparent` and `tracestate`.
///
/// It has the name, the trait and the constructor of `opentelemetry_sdk`'s, so that a swap is an import.
///
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use otel_tracecontext::TraceContextPropagator;
///
/// let propagator = TraceContextPropagator::new();
/// assert_eq!(propagator.fields().collect::<Vec<_>>(), ["traceparent", "tracestate"]);
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct TraceContextPropagator;

impl TraceContextPropagator {
    /// The propagator; it has nothing to set.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl TextMapPropagator for TraceContextPropagator {
    /// The same into the current context, which is not borrowed meanwhile: whoever listens to events may attach another.
    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// The same from the current context, which is not borrowed meanwhile.
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    /// Sends `traceparent`, and `tracestate` where there is one; nothing where the span context is not valid.
    ///
    /// A trace state of which no member may be sent is sent as an empty `tracestate`, so that an older one in the
    /// carrier does not go out. So is none where [another trace](leftover) of the request had one.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span_context = span.span_context();
        let Some(traceparent) = TraceParent::from_span_context(span_context) else { return };
        let received = Received::of(cx, traceparent.trace_id());
        let random = received.is_some_and(Received::is_random);
        let traceparent = if random { traceparent.with_random() } else { traceparent };
        injector.set(TRACEPARENT, traceparent.into());
        if let Some(tracestate) = write_tracestate(cx, span_context.trace_state(), received) {
            injector.set(TRACESTATE, tracestate);
        }
    }

    /// The context with the caller's span as its remote span, or the given context where there is no
    /// `traceparent` or it breaks a rule.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let Some(traceparent) = read_traceparent(extractor) else { return cx.clone() };
        let Parsed { trace_state, verbatim } = read_tracestate(extractor).unwrap_or_default();
        let received = Received::new(traceparent, verbatim, &trace_state);
        received.stored_in(cx, span_context(traceparent, trace_state))
    }

    /// `traceparent` and `tracestate`.
    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 2]> = LazyLock::new(|| [TRACEPARENT, TRACESTATE].map(str::to_owned));
        FieldIter::new(&*FIELDS)
    }
}

fn span_context(traceparent: TraceParent, trace_state: TraceState) -> SpanContext {
    SpanContext::new(traceparent.trace_id(), traceparent.span_id(), traceparent.flags(), true, trace_state)
}

/// > If the vendor failed to parse traceparent, it MUST NOT attempt to parse tracestate.
///
/// <https://www.w3.org/TR/trace-context-2/#tracestate-header>
fn read_traceparent(extractor: &dyn Extractor) -> Option<TraceParent> {
    header::parse_line(extractor, TRACEPARENT, |value| TraceParent::parse(value).map_err(ParseError::rule))
}

/// > failure to parse tracestate MUST NOT affect the parsing of traceparent.
///
/// <https://www.w3.org/TR/trace-context-2/#tracestate-header>
fn read_tracestate(extractor: &dyn Extractor) -> Option<Parsed> {
    match header::lines(extractor, TRACESTATE) {
        Lines::Absent => None,
        Lines::Unreadable => {
            Rejected::new(TRACESTATE, NOT_TEXT, 0).emit();
            None
        }
        Lines::Text(lines) => tracestate::parse(&lines)
            .inspect_err(|error| {
                Rejected::new(TRACESTATE, error.rule(), header::joined_len(&lines)).emit();
            })
            .ok(),
    }
}

/// > Vendors MUST accept empty tracestate headers but SHOULD avoid sending them.
///
/// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>
///
/// One is sent where the trace state has members of which none may be sent, and where the request had a `tracestate` of
/// another trace: an [`Injector`] can only set, and an older `tracestate` in the carrier would go out instead.
fn write_tracestate(cx: &Context, now: &TraceState, received: Option<&Received>) -> Option<String> {
    if let Some(verbatim) = received.and_then(|received| received.tracestate(cx, now)) {
        return Some(verbatim.to_owned());
    }
    if now.into_iter().len() == 0 {
        return leftover::is_in(cx, TRACESTATE).then(String::new);
    }
    let (header, left_out) = tracestate::write(now);
    if left_out > 0 {
        events::tracestate_left_out(now, left_out);
    }
    Some(header)
}
