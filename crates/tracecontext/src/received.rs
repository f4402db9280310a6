//! What was received and does not survive the API's own types.

use crate::traceparent::TraceParent;
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceId, TraceState},
};
use otel_propagator_core::remote;

/// Kept in the `Context` beside the remote span context, for the headers that this trace sends on.
///
/// - The random flag: a span that the sampler drops has no flags.
/// - The `tracestate`: the API's type refuses some keys.
#[derive(Debug)]
pub(crate) struct Received {
    trace_id: TraceId,
    span_id: SpanId,
    random: bool,
    tracestate: Option<Verbatim>,
}

/// A `tracestate` that the API's type cannot hold as a whole.
#[derive(Debug)]
struct Verbatim {
    header: String,
    /// What the API's type holds of it.
    held: TraceState,
}

impl Received {
    pub(crate) fn new(traceparent: TraceParent, verbatim: Option<String>, held: &TraceState) -> Self {
        Self {
            trace_id: traceparent.trace_id(),
            span_id: traceparent.span_id(),
            random: traceparent.is_random(),
            tracestate: verbatim.map(|header| Verbatim { header, held: held.clone() }),
        }
    }

    /// What is known of this trace.
    pub(crate) fn of(cx: &Context, trace_id: TraceId) -> Option<&Self> {
        cx.get::<Self>().filter(|received| received.trace_id == trace_id)
    }

    /// The context with the span that was received, and with this value where it makes a difference: there is
    /// something to keep, or something kept from an earlier request of the same trace, which must not be taken for
    /// this one's.
    pub(crate) fn stored_in(self, cx: &Context, span: SpanContext) -> Context {
        let verbatim = self.tracestate.is_some();
        let cx = remote::with_span(cx, span, verbatim);
        if self.random || verbatim || Self::of(&cx, self.trace_id).is_some() {
            cx.with_value(self)
        } else {
            cx
        }
    }

    /// > If the flag is set in the incoming traceparent header, it MUST also be set in all outgoing
    /// > traceparent headers which use the same trace-id.
    ///
    /// <https://www.w3.org/TR/trace-context-2/#random-trace-id-flag>
    pub(crate) fn is_random(&self) -> bool {
        self.random
    }

    /// The header as it was received, as long as nobody changed the trace state since, and no other span was received.
    pub(crate) fn tracestate(&self, cx: &Context, now: &TraceState) -> Option<&str> {
        let verbatim = self.tracestate.as_ref()?;
        let is_current = verbatim.held == *now && remote::is_current(cx, self.trace_id, self.span_id);
        is_current.then_some(&verbatim.header)
    }
}
