//! The caller's span, where a new trace was started instead of its own.

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
pub(crate) fn linked(cx: &Context, caller: &SpanContext, attributes: &[KeyValue]) -> Context {
    let (ids, flags) = ((caller.trace_id(), caller.span_id()), caller.trace_flags());
    let from = SpanContext::new(ids.0, ids.1, flags, true, TraceState::NONE);
    cx.with_value(Restarted {
        from: Some(from),
        attributes: attributes.to_vec(),
        is_linked: AtomicBool::new(false),
    })
}

/// The context without what an earlier extraction left in it.
pub(crate) fn forgotten(cx: Context) -> Context {
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

    /// The link to the caller's span, for those who start spans by themselves; `RestartLinks` (feature `sdk`) calls
    /// it for everyone else.
    ///
    /// The first call with a context that has no valid span returns it: it belongs to the first span of the new
    /// trace, and to no other.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_tracecontext::TraceContextPropagator;
    /// use otel_trust_boundary::{Boundary, Inbound, RestartExt, Strategy};
    /// use std::collections::HashMap;
    ///
    /// let edge = Boundary::deny_external().otherwise(Inbound::new("anyone", Strategy::RestartWithLink));
    /// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// let request = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    /// let cx = edge.wrap(TraceContextPropagator::new()).extract_with_context(&Context::new(), &request);
    ///
    /// let link = cx.take_restart_link();
    /// assert_eq!(link.map(|link| link.span_context.span_id().to_string()).as_deref(), Some("b7ad6b7169203331"));
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
