//! What a `Context` keeps of B3 beside the span context.

use crate::{
    Sampling,
    fields::{Fields, Ids},
};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use std::sync::OnceLock;

/// The state received with a trace. It is about that trace alone.
#[derive(Debug)]
struct Received {
    ids: Ids,
    sampling: Sampling,
}

/// A decision received without identifiers. It is about the next trace that starts here.
#[derive(Debug)]
struct Bare {
    decision: Sampling,
    /// The trace that [`crate::B3Sampler`] started under a debug decision.
    debug_trace: OnceLock<TraceId>,
}

/// Reads the B3 sampling state of a [`Context`].
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_b3::{B3Propagator, Sampling, SamplingExt};
/// use std::collections::HashMap;
///
/// let request = HashMap::from([("b3".to_owned(), "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d".to_owned())]);
/// let cx = B3Propagator::new().extract_with_context(&Context::new(), &request);
/// assert_eq!(cx.b3_sampling(), Some(Sampling::Debug));
/// assert_eq!(Context::new().b3_sampling(), None);
/// ```
pub trait SamplingExt: sealed::Sealed {
    /// The state that [`B3Propagator`](crate::B3Propagator) sends for this context; `None` where it sends nothing.
    ///
    /// Of a valid span: what was received with its trace, as far as it still holds. [`Sampling::Debug`] holds
    /// for the whole trace, [`Sampling::Defer`] until a span is started in it. Otherwise the span's sampled flag
    /// decides between [`Sampling::Accept`] and [`Sampling::Deny`]. Without a valid span it is
    /// [`b3_bare_decision`](Self::b3_bare_decision).
    fn b3_sampling(&self) -> Option<Sampling>;

    /// The decision that was received last without identifiers, such as `b3: 0`. Never [`Sampling::Defer`].
    ///
    /// It is about traces that start in this context, so it is kept, and not applied, where another format brought
    /// a span.
    fn b3_bare_decision(&self) -> Option<Sampling>;
}

impl SamplingExt for Context {
    fn b3_sampling(&self) -> Option<Sampling> {
        sampling(self, self.span().span_context())
    }

    fn b3_bare_decision(&self) -> Option<Sampling> {
        self.get::<Bare>().map(|bare| bare.decision)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for opentelemetry::Context {}
}

/// What B3 headers say for this context.
pub(crate) fn fields(cx: &Context) -> Option<Fields> {
    let span = cx.span();
    let span = span.span_context();
    let sampling = sampling(cx, span)?;
    Some(if span.is_valid() {
        Fields::Trace(Ids { trace_id: span.trace_id(), span_id: span.span_id() }, sampling)
    } else {
        Fields::Decision(sampling)
    })
}

/// The context with what was received in it.
pub(crate) fn with_fields(cx: &Context, fields: Fields) -> Context {
    match fields {
        Fields::Trace(ids, sampling) => with_trace(cx, ids, sampling),
        Fields::Decision(decision) => cx.with_value(Bare { decision, debug_trace: OnceLock::new() }),
    }
}

fn with_trace(cx: &Context, ids: Ids, sampling: Sampling) -> Context {
    let flags = TraceFlags::default().with_sampled(sampling.is_sampled());
    let span = SpanContext::new(ids.trace_id, ids.span_id, flags, true, TraceState::NONE);
    // The flag says all of an accepted trace, unless it was a debug trace when it came by before.
    let said_by_flag = sampling == Sampling::Accept && received(cx, &span).is_none();
    let cx = cx.with_remote_span_context(span);
    if said_by_flag { cx } else { cx.with_value(Received { ids, sampling }) }
}

/// The state that a span about to start is subject to; `None` where B3 has not said anything of it.
#[cfg(feature = "sampler")]
pub(crate) fn state_for_new_span(cx: &Context, trace_id: TraceId) -> Option<Sampling> {
    let parent = cx.span();
    if parent.span_context().is_valid() {
        return received(cx, parent.span_context());
    }
    let bare = cx.get::<Bare>()?;
    if bare.decision == Sampling::Debug {
        bare.debug_trace.get_or_init(|| trace_id);
    }
    Some(bare.decision)
}

fn sampling(cx: &Context, span: &SpanContext) -> Option<Sampling> {
    if !span.is_valid() {
        return cx.b3_bare_decision();
    }
    let by_flag = if span.is_sampled() { Sampling::Accept } else { Sampling::Deny };
    Some(received(cx, span).unwrap_or(by_flag))
}

/// What was received of a valid span's trace and still holds.
///
/// A sampled span shows that somebody decided since, or knew better; so does, of a deferred trace, any span but the
/// received one.
fn received(cx: &Context, span: &SpanContext) -> Option<Sampling> {
    match cx.get::<Received>().filter(|received| received.ids.trace_id == span.trace_id()) {
        Some(Received { ids, sampling }) => match sampling {
            Sampling::Debug => true,
            Sampling::Deny => !span.is_sampled(),
            Sampling::Defer => !span.is_sampled() && ids.span_id == span.span_id(),
            Sampling::Accept => false,
        }
        .then_some(*sampling),
        None => started_by_debug(cx, span.trace_id()).then_some(Sampling::Debug),
    }
}

fn started_by_debug(cx: &Context, trace_id: TraceId) -> bool {
    cx.get::<Bare>().is_some_and(|bare| bare.debug_trace.get() == Some(&trace_id))
}
