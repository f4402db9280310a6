//! A sampling decision that the sampled flag of a span context cannot hold: deferred, or made by all means.
//!
//! B3, X-Ray and OT Trace can leave the decision to the receiver, B3 and Jaeger can ask for a debug trace, B3 and X-Ray can
//! carry a decision without a span, and a service may receive a flag that it does not trust. All of them put one kind of
//! value into the [`Context`], and one sampler obeys it: `DecisionSampler`, with the feature `sampler`.

use crate::{decision::Bare, diagnostics::TARGET, remote::Remote};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt},
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use tracing::Level;

pub use crate::decision::Sampling;
#[cfg(feature = "sampler")]
pub use crate::sampler::DecisionSampler;

/// The sampling state of a [`Context`].
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState}};
/// use otel_propagator_core::sampling::{Sampling, SamplingExt};
///
/// let (trace_id, span_id) = (TraceId::from(1), SpanId::from(2));
/// let received = SpanContext::new(trace_id, span_id, TraceFlags::NOT_SAMPLED, true, TraceState::NONE);
/// let cx = Context::new().with_remote_sampling(received, Sampling::Defer);
/// assert_eq!(cx.sampling(), Some(Sampling::Defer));
/// assert_eq!(Context::new().sampling(), None);
/// ```
pub trait SamplingExt: sealed::Sealed {
    /// The state that goes on with this context; `None` where nothing was received or decided.
    ///
    /// Of a valid span: what was received with its trace, as far as it still holds. [`Sampling::Debug`] holds
    /// for the whole trace, [`Sampling::Defer`] until a span is started in it. Otherwise the span's sampled flag
    /// decides between [`Sampling::Accept`] and [`Sampling::Deny`]. Without a valid span it is
    /// [`bare_sampling`](Self::bare_sampling).
    ///
    /// The first trace that starts here under a bare debug decision is a debug trace, whichever sampler the service
    /// has. A trace that came beside the decision is not.
    fn sampling(&self) -> Option<Sampling>;

    /// The decision that was received last without identifiers, such as `b3: 0`. Never [`Sampling::Defer`].
    ///
    /// It is about traces that start in this context, so it is kept, and not applied, where another format brought
    /// a span.
    ///
    /// ```
    /// use opentelemetry::Context;
    /// use otel_propagator_core::sampling::{Sampling, SamplingExt};
    ///
    /// let cx = Context::new().with_bare_sampling(Sampling::Deny);
    /// assert_eq!(cx.bare_sampling(), Some(Sampling::Deny));
    /// assert_eq!(cx.with_bare_sampling(Sampling::Defer).bare_sampling(), None);
    /// ```
    fn bare_sampling(&self) -> Option<Sampling>;

    /// The context with a received span and the state that came with it.
    ///
    /// The sampled flag of the span context is set as the state says. A bare decision of before is over.
    #[must_use]
    fn with_remote_sampling(&self, span_context: SpanContext, sampling: Sampling) -> Context;

    /// The context with a decision about the next trace that starts in it. [`Sampling::Defer`] decides nothing, so it
    /// takes an earlier decision away.
    #[must_use]
    fn with_bare_sampling(&self, decision: Sampling) -> Context;
}

impl SamplingExt for Context {
    fn sampling(&self) -> Option<Sampling> {
        sampling(self, self.span().span_context())
    }

    fn bare_sampling(&self) -> Option<Sampling> {
        self.get::<Bare>().map(|bare| bare.decision).filter(|&decision| decision != Sampling::Defer)
    }

    fn with_remote_sampling(&self, span: SpanContext, sampling: Sampling) -> Context {
        let flags = span.trace_flags().with_sampled(sampling.is_sampled());
        let span = SpanContext::new(span.trace_id(), span.span_id(), flags, true, span.trace_state().clone());
        let remote = Remote::new(&span, sampling);
        // The flag says all of an accepted trace, unless there is an earlier state to be replaced.
        let said_by_flag = sampling == Sampling::Accept && self.get::<Remote>().is_none();
        let cx = self.with_remote_span_context(span);
        let cx = if said_by_flag { cx } else { cx.with_value(remote) };
        if self.bare_sampling().is_some() { cx.with_bare_sampling(Sampling::Defer) } else { cx }
    }

    fn with_bare_sampling(&self, decision: Sampling) -> Context {
        let is_alone = !self.span().span_context().is_valid();
        self.with_value(Bare::new(decision, is_alone))
    }
}

static SAMPLER_BUILT: AtomicBool = AtomicBool::new(false);

/// Whether a `DecisionSampler` was built in this process.
///
/// Where none was, a deferred trace is dropped by a parent-based sampler, and a decision alone is not obeyed.
///
/// ```
/// use otel_propagator_core::sampling;
///
/// if !sampling::is_decision_sampler_installed() {
///     eprintln!("deferred traces are dropped");
/// }
/// ```
#[must_use]
pub fn is_decision_sampler_installed() -> bool {
    SAMPLER_BUILT.load(Relaxed)
}

#[cfg(feature = "sampler")]
pub(crate) fn installed() {
    SAMPLER_BUILT.store(true, Relaxed);
}

/// Tells once a process of a state that only a `DecisionSampler` obeys, where none was built: the event
/// `propagator.no_decision_sampler`, which names the header. For propagators, after they have read [`Sampling::Defer`],
/// [`Sampling::Debug`] or a decision without a span.
///
/// ```
/// otel_propagator_core::sampling::hint("b3");
/// ```
#[inline]
pub fn hint(header: &'static str) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !is_decision_sampler_installed() && !TOLD.load(Relaxed) && !TOLD.swap(true, Relaxed) {
        no_decision_sampler(header);
    }
}

#[cold]
fn no_decision_sampler(header: &'static str) {
    tracing::event!(
        name: "propagator.no_decision_sampler", target: TARGET, Level::INFO,
        name = "propagator.no_decision_sampler", header,
        "{header} left the sampling decision open, asked for a debug trace or sent a decision alone: only a \
         DecisionSampler obeys that, and this process has none"
    );
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for opentelemetry::Context {}
}

/// The state that a span about to start is subject to; `None` where nothing was received that the parent's flag does
/// not say.
#[cfg(feature = "sampler")]
pub(crate) fn state_for_new_span(cx: &Context, trace_id: opentelemetry::trace::TraceId) -> Option<Sampling> {
    let parent = cx.span();
    if parent.span_context().is_valid() {
        return received(cx, parent.span_context());
    }
    let bare = cx.get::<Bare>()?;
    bare.starts(trace_id);
    cx.bare_sampling()
}

fn sampling(cx: &Context, span: &SpanContext) -> Option<Sampling> {
    if !span.is_valid() {
        return cx.bare_sampling();
    }
    let by_flag = if span.is_sampled() { Sampling::Accept } else { Sampling::Deny };
    Some(received(cx, span).unwrap_or(by_flag))
}

/// What was received of a valid span's trace and still holds.
///
/// A sampled span shows that somebody decided since, or knew better; so does, of a deferred trace, any span but the
/// received one.
fn received(cx: &Context, span: &SpanContext) -> Option<Sampling> {
    match cx.get::<Remote>().filter(|remote| remote.trace_id == span.trace_id()) {
        Some(Remote { span_id, sampling, .. }) => match sampling {
            Sampling::Debug => true,
            Sampling::Deny => !span.is_sampled(),
            Sampling::Defer => !span.is_sampled() && *span_id == span.span_id(),
            Sampling::Accept => false,
        }
        .then_some(*sampling),
        None => cx.get::<Bare>().is_some_and(|bare| bare.started(span)).then_some(Sampling::Debug),
    }
}
