//! The received span that a context goes on from, and what a format keeps beside it.
//!
//! [`SpanContext`] cannot hold all that a header says, so a format may keep the rest as a value of its own in the
//! [`Context`], bound to the span that it came with. A context may be extracted into again: by another format, or for
//! another request, as a long-lived worker does. What an earlier request left must then not colour the later one.
//! Formats that put their spans into contexts with these functions can tell.

use crate::decision::{Bare, Sampling};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceId},
};

/// The last span that was received, where somebody needs to know it; and what is known of its sampling.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Remote {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
    /// [`Sampling::Accept`] where the sampled flag says all.
    pub(crate) sampling: Sampling,
    /// The span of the same request whose format wants to know, where it is not this one.
    noted: Option<SpanId>,
}

impl Remote {
    pub(crate) fn new(span: &SpanContext, sampling: Sampling) -> Self {
        Self { trace_id: span.trace_id(), span_id: span.span_id(), sampling, noted: None }
    }

    fn is(&self, span: &SpanContext) -> bool {
        (self.trace_id, self.span_id) == (span.trace_id(), span.span_id())
    }

    /// What is known after this span was received without a word on its sampling but the flag.
    ///
    /// A debug trace stays one. What else was known of the same span came with the same request, and is known still,
    /// unless the flag shows that somebody decided since. Everything else is an earlier request's.
    fn followed_by(self, span: &SpanContext) -> Self {
        let goes_on = match self.sampling {
            Sampling::Debug => self.trace_id == span.trace_id(),
            Sampling::Deny => self.is(span) && !span.is_sampled(),
            Sampling::Defer | Sampling::Accept => self.is(span),
        };
        Self::new(span, if goes_on { self.sampling } else { Sampling::Accept })
    }
}

/// The context with a received span that has no sampling state besides its flag. Formats that have one use
/// [`with_remote_sampling`](crate::sampling::SamplingExt::with_remote_sampling).
///
/// Where it is noted, [`is_current`] can tell from now on whether this is still the span that was received last. Else it
/// costs no more than `with_remote_span_context` where no format keeps anything.
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState}};
/// use otel_propagator_core::{remote, sampling::{Sampling, SamplingExt}};
///
/// let span = |id: u64, flags| SpanContext::new(1.into(), id.into(), flags, true, TraceState::NONE);
/// let denied = Context::new().with_remote_sampling(span(2, TraceFlags::NOT_SAMPLED), Sampling::Deny);
/// let later = remote::with_span(&denied, span(3, TraceFlags::SAMPLED), true);
/// assert_eq!(later.sampling(), Some(Sampling::Accept));
/// assert!(remote::is_current(&later, 1.into(), 3.into()));
///
/// let last = remote::with_span(&later, span(4, TraceFlags::SAMPLED), false);
/// assert!(!remote::is_current(&last, 1.into(), 3.into()));
/// ```
#[must_use]
pub fn with_span(cx: &Context, span: SpanContext, is_noted: bool) -> Context {
    let noted = is_noted.then(|| span.span_id());
    let before = cx.get::<Remote>();
    let after = match before {
        Some(remote) => Some(Remote { noted, ..remote.followed_by(&span) }),
        None => noted.map(|_| Remote { noted, ..Remote::new(&span, Sampling::Accept) }),
    };
    let replaced = Bare::beside_span(cx.with_remote_span_context(span));
    match after {
        Some(remote) if before != Some(&remote) => replaced.with_value(remote),
        _ => replaced,
    }
}

/// Of two formats of one request, the context that the later one read with the span that the earlier one had chosen. What
/// either format keeps stays current. The sampling state is the one that is given, else what was known of the span.
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, TraceFlags, TraceState}};
/// use otel_propagator_core::{remote, sampling::{Sampling, SamplingExt}};
///
/// let span = |id: u64| SpanContext::new(1.into(), id.into(), TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
/// let first = Context::new().with_remote_sampling(span(2), Sampling::Defer);
/// let second = remote::with_span(&first, span(3), true);
/// let chosen = remote::with_preferred_span(&first, &second, span(2), Some(Sampling::Defer));
/// assert_eq!(chosen.sampling(), Some(Sampling::Defer));
/// assert!(remote::is_current(&chosen, 1.into(), 2.into()));
/// assert!(remote::is_current(&chosen, 1.into(), 3.into()));
/// ```
#[must_use]
pub fn with_preferred_span(
    chosen: &Context,
    later: &Context,
    span: SpanContext,
    sampling: Option<Sampling>,
) -> Context {
    let noted = [later, chosen].into_iter().find_map(|cx| cx.get::<Remote>()?.noted);
    let known = later.get::<Remote>().map(|remote| {
        let remote = remote.followed_by(&span);
        Remote { sampling: sampling.unwrap_or(remote.sampling), noted, ..remote }
    });
    let cx = Bare::beside_span(later.with_remote_span_context(span));
    match known {
        Some(remote) if Some(&remote) != later.get::<Remote>() => cx.with_value(remote),
        _ => cx,
    }
}

/// The context to extract into where the question is whether a carrier has a context, and nothing of it is used.
///
/// A policy about callers, such as a trust boundary's, does not hold for the answer: [`is_probe`] tells it.
///
/// ```
/// use opentelemetry::Context;
/// use otel_propagator_core::remote;
///
/// assert!(remote::is_probe(&remote::probe()));
/// assert!(!remote::is_probe(&Context::new()));
/// ```
#[must_use]
pub fn probe() -> Context {
    Context::new().with_value(Probe)
}

/// Whether this context is a [`probe`], or made from one.
#[must_use]
pub fn is_probe(cx: &Context) -> bool {
    cx.get::<Probe>().is_some()
}

#[derive(Debug)]
struct Probe;

/// Whether this is the span that was received last, of those that were noted or have a sampling state.
///
/// Spans that a service starts do not matter.
#[must_use]
pub fn is_current(cx: &Context, trace_id: TraceId, span_id: SpanId) -> bool {
    cx.get::<Remote>().is_some_and(|remote| {
        remote.trace_id == trace_id && (remote.span_id == span_id || remote.noted == Some(span_id))
    })
}
