//! The caller's span, where a trust boundary starts a new trace instead of its own.
//!
//! A propagator that restarts traces leaves here what the first span of the new one is linked to, for those who start
//! spans, and for consumers of messages, who link to many.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanContext, TraceContextExt, TraceState},
};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// In a context that was restarted with a link.
#[derive(Debug)]
struct Restarted {
    /// The caller's, without its trace state; `None` in a context that an earlier one must not be taken from.
    from: Option<SpanContext>,
    attributes: Vec<KeyValue>,
    is_linked: AtomicBool,
}

/// The context, in which the first span is to be linked to the caller's.
///
/// ```
/// use opentelemetry::{Context, trace::{SpanContext, TraceFlags, TraceState}};
/// use otel_propagator_core::restart::{self, RestartExt};
///
/// let caller = SpanContext::new(1.into(), 2.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
/// let cx = restart::linked(&Context::new(), &caller, &[]);
/// assert_eq!(cx.restarted_from(), Some(&caller));
/// assert_eq!(restart::forgotten(cx).restarted_from(), None);
/// ```
#[must_use]
pub fn linked(cx: &Context, caller: &SpanContext, attributes: &[KeyValue]) -> Context {
    let (ids, flags) = ((caller.trace_id(), caller.span_id()), caller.trace_flags());
    let from = SpanContext::new(ids.0, ids.1, flags, true, TraceState::NONE);
    cx.with_value(Restarted {
        from: Some(from),
        attributes: attributes.to_vec(),
        is_linked: AtomicBool::new(false),
    })
}

/// The context without what an earlier extraction left in it.
#[must_use]
pub fn forgotten(cx: Context) -> Context {
    match cx.restarted_from() {
        None => cx,
        Some(_) => {
            cx.with_value(Restarted { from: None, attributes: Vec::new(), is_linked: AtomicBool::new(true) })
        }
    }
}

/// The caller's span of a [`Context`] in which a new trace was started instead of its own.
pub trait RestartExt: sealed::Sealed {
    /// The caller's span, as long as this context is one that was restarted with a link, or made from it.
    fn restarted_from(&self) -> Option<&SpanContext>;

    /// The link to the caller's span, for those who start spans by themselves; `RestartLinks` of
    /// `otel-trust-boundary` (feature `sdk`) calls it for everyone else.
    ///
    /// The first call with a context that has no valid span returns it: it belongs to the first span of the new
    /// trace, and to no other.
    ///
    /// ```
    /// use opentelemetry::{Context, trace::{SpanContext, TraceFlags, TraceState}};
    /// use otel_propagator_core::restart::{self, RestartExt};
    ///
    /// let caller = SpanContext::new(1.into(), 2.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
    /// let cx = restart::linked(&Context::new(), &caller, &[]);
    /// assert_eq!(cx.take_restart_link().map(|link| link.span_context), Some(caller));
    /// assert_eq!(cx.take_restart_link(), None, "only the first span is linked");
    /// ```
    fn take_restart_link(&self) -> Option<Link>;
}

impl RestartExt for Context {
    fn restarted_from(&self) -> Option<&SpanContext> {
        self.get::<Restarted>()?.from.as_ref()
    }

    fn take_restart_link(&self) -> Option<Link> {
        let restarted = self.get::<Restarted>()?;
        if self.span().span_context().is_valid() || restarted.is_linked.swap(true, Relaxed) {
            return None;
        }
        Some(Link::new(restarted.from.clone()?, restarted.attributes.clone(), 0))
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for opentelemetry::Context {}
}
