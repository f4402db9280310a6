//! The received span that a context goes on from, and what a format keeps beside it.
//!
//! [`SpanContext`] cannot hold all that a header says, so a format may keep the rest as a value of its own in the
//! [`Context`], bound to the span that it came with. A context may be extracted into again: by another format, or for
//! another request, as a long-lived worker does. What an earlier request left must then not colour the later one.
//! Formats that put their spans into contexts with these functions can tell.

use crate::sampling::{Bare, Sampling};
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
    /// Another span of the same request, by another format, that came second.
    other: Option<SpanId>,
}

impl Remote {
    pub(crate) fn new(span: &SpanContext, sampling: Sampling) -> Self {
        Self { trace_id: span.trace_id(), span_id: span.span_id(), sampling, other: None }
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
/// It costs no more than `with_remote_span_context` where no format keeps anything.
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState}};
/// use otel_propagator_core::{remote, sampling::{Sampling, SamplingExt}};
///
/// let span = |id: u64, flags| SpanContext::new(1.into(), id.into(), flags, true, TraceState::NONE);
/// let denied = Context::new().with_remote_sampling(span(2, TraceFlags::NOT_SAMPLED), Sampling::Deny);
/// let later = remote::with_span(&denied, span(3, TraceFlags::SAMPLED));
/// assert_eq!(later.sampling(), Some(Sampling::Accept));
/// ```
#[must_use]
pub fn with_span(cx: &Context, span: SpanContext) -> Context {
    replace(cx, span, Remote::followed_by)
}

fn replace(cx: &Context, span: SpanContext, follow: fn(Remote, &SpanContext) -> Remote) -> Context {
    let before = cx.get::<Remote>().copied();
    let after = before.map(|remote| follow(remote, &span));
    let cx = Bare::beside_span(cx.with_remote_span_context(span));
    match after {
        Some(remote) if after != before => cx.with_value(remote),
        _ => cx,
    }
}

/// The same, and [`is_current`] can tell from now on whether this is still the span that was received last.
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, TraceFlags, TraceState}};
/// use otel_propagator_core::remote;
///
/// let span = |id: u64| SpanContext::new(1.into(), id.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
/// let first = remote::with_noted_span(&Context::new(), span(2));
/// assert!(remote::is_current(&first, 1.into(), 2.into()));
/// let second = remote::with_span(&first, span(3));
/// assert!(!remote::is_current(&second, 1.into(), 2.into()));
/// ```
#[must_use]
pub fn with_noted_span(cx: &Context, span: SpanContext) -> Context {
    let remote = Remote::new(&span, Sampling::Accept);
    let cx = with_span(cx, span);
    if cx.get::<Remote>().is_some() { cx } else { cx.with_value(remote) }
}

/// The context with the span of another format of the same request, which goes on instead of the context's own. What
/// either format keeps stays current.
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, TraceFlags, TraceState}};
/// use otel_propagator_core::remote;
///
/// let span = |id: u64| SpanContext::new(1.into(), id.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
/// let first = remote::with_noted_span(&Context::new(), span(2));
/// let second = remote::with_span(&first, span(3));
/// let chosen = remote::with_preferred_span(&second, span(2));
/// assert!(remote::is_current(&chosen, 1.into(), 2.into()));
/// assert!(remote::is_current(&chosen, 1.into(), 3.into()));
/// ```
#[must_use]
pub fn with_preferred_span(cx: &Context, span: SpanContext) -> Context {
    replace(cx, span, |remote, span| {
        let other = Some(remote.span_id).filter(|_| remote.trace_id == span.trace_id());
        Remote { other, ..remote.followed_by(span) }
    })
}

/// Whether this is the span that was received last, of those that [`with_noted_span`] or a sampling state made known.
///
/// Spans that a service starts do not matter.
#[must_use]
pub fn is_current(cx: &Context, trace_id: TraceId, span_id: SpanId) -> bool {
    cx.get::<Remote>().is_some_and(|remote| {
        remote.trace_id == trace_id && (remote.span_id == span_id || remote.other == Some(span_id))
    })
}
