//! The values that a decision has: of a trace, and without one.

use opentelemetry::{
    Context,
    trace::{SpanContext, TraceId},
};
use std::sync::OnceLock;

/// What is known of the decision whether a trace is recorded.
///
/// The names are those of B3: <https://github.com/openzipkin/b3-propagation#sampling-state>.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "no format knows a fifth, and B3 promises none")]
pub enum Sampling {
    /// Nobody has decided yet: whoever receives the trace does.
    Defer,
    /// Do not record.
    Deny,
    /// Record.
    Accept,
    /// Record by all means, all the way: [`Accept`](Self::Accept) with emphasis.
    Debug,
}

impl Sampling {
    /// Whether the sampled flag is set for it: "Debug implies an accept decision".
    ///
    /// ```
    /// use otel_propagator_core::sampling::Sampling;
    ///
    /// assert!(Sampling::Debug.is_sampled() && !Sampling::Defer.is_sampled());
    /// ```
    #[must_use]
    pub const fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }
}

/// A decision received without identifiers. It is about the next trace that starts here.
#[derive(Debug)]
pub(crate) struct Bare {
    pub(crate) decision: Sampling,
    /// Whether no trace came beside the decision, so that the next one starts here.
    is_alone: bool,
    /// The first trace that started under a debug decision.
    debug_trace: OnceLock<TraceId>,
}

impl Bare {
    pub(crate) const fn new(decision: Sampling, is_alone: bool) -> Self {
        Self { decision, is_alone, debug_trace: OnceLock::new() }
    }

    /// The context in which a span came beside the decision.
    pub(crate) fn beside_span(cx: Context) -> Context {
        match cx.get::<Self>() {
            Some(Self { decision, is_alone: true, debug_trace }) => {
                cx.with_value(Self { decision: *decision, is_alone: false, debug_trace: debug_trace.clone() })
            }
            _ => cx,
        }
    }

    /// Whether this trace, which starts here, is the first one under a debug decision.
    pub(crate) fn starts(&self, trace_id: TraceId) -> bool {
        self.decision == Sampling::Debug && *self.debug_trace.get_or_init(|| trace_id) == trace_id
    }

    /// Whether the trace of this span is the first one that started under a debug decision. A sampler that does not
    /// ask cannot say so, but where nothing came beside the decision, the trace of a local span did start here.
    pub(crate) fn started(&self, span: &SpanContext) -> bool {
        match self.debug_trace.get() {
            Some(&trace_id) => trace_id == span.trace_id(),
            None => self.is_alone && !span.is_remote() && self.starts(span.trace_id()),
        }
    }
}
