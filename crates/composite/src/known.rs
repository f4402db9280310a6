//! What the composite has to know of a propagator.

use opentelemetry::propagation::{TextMapPropagator, text_map_propagator::FieldIter};
use otel_baggage_limits::BothWays;
use std::{borrow::Cow, sync::Arc};

/// A type-erased propagator.
pub(crate) type Shared = Arc<dyn TextMapPropagator + Send + Sync>;

/// What is known of a propagator, beside what its trait says.
#[derive(Clone)]
pub(crate) struct Known {
    /// As `OTEL_PROPAGATORS` names it, else its type.
    pub(crate) name: Cow<'static, str>,
    /// The headers it looks for; the first one stands for the format in events.
    pub(crate) reads: Vec<String>,
    /// Those of them that say nothing on their own.
    pub(crate) beside: &'static [&'static str],
    /// The headers that it writes only where they say something.
    pub(crate) at_times: &'static [&'static str],
    /// Whether it knows decisions that a sampled flag cannot hold.
    pub(crate) leaves_open: bool,
    pub(crate) carried: Carried,
}

/// What a propagator is about, which decides how a [`Builder`](crate::Builder) uses it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Concern {
    /// The span that a request belongs to: [`Builder::trace`](crate::Builder::trace).
    Trace,
    /// The entries that travel with a request: [`Builder::baggage`](crate::Builder::baggage).
    Baggage,
    /// Anything else: [`Builder::other`](crate::Builder::other).
    Other,
}

/// What a propagator does to hold the baggage that it carries to limits.
#[derive(Clone)]
pub(crate) enum Carried {
    /// It carries none.
    Nothing,
    /// Nothing that is known of.
    Unbounded,
    /// It holds to its own.
    Within {
        sends: bool,
        limits: Box<BothWays>,
        /// The same propagator within other limits.
        within: Arc<dyn Fn(BothWays) -> Shared + Send + Sync>,
    },
}

impl Known {
    /// A propagator that reads these headers and sends no baggage.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, reads: FieldIter<'_>) -> Self {
        let reads = reads.map(str::to_owned).collect();
        Self {
            name: name.into(),
            reads,
            beside: &[],
            at_times: &[],
            leaves_open: false,
            carried: Carried::Nothing,
        }
    }

    /// One for which these of its headers say nothing without the others, so that alone they are not malformed.
    #[allow(dead_code, reason = "there may be no format")]
    pub(crate) fn beside(self, fields: &'static [&'static str]) -> Self {
        Self { beside: fields, ..self }
    }

    /// One that writes these headers only where they say something, and overrides an older one with an empty value.
    #[allow(dead_code, reason = "there may be no such format")]
    pub(crate) fn writes_at_times(self, fields: &'static [&'static str]) -> Self {
        Self { at_times: fields, ..self }
    }

    /// One that may leave the sampling decision to the receiver, or ask for debug.
    #[allow(dead_code, reason = "there may be no such format")]
    pub(crate) fn leaves_decisions_open(self) -> Self {
        Self { leaves_open: true, ..self }
    }

    /// One that carries baggage within limits of its own, which can be set; it may be told not to send any.
    #[allow(dead_code, reason = "no format may be compiled in that carries baggage")]
    pub(crate) fn carries<P>(
        mut self,
        sends: bool,
        limits: &BothWays,
        propagator: &P,
        within: fn(P, BothWays) -> P,
    ) -> Self
    where
        P: TextMapPropagator + Clone + Send + Sync + 'static,
    {
        let propagator = propagator.clone();
        let within = Arc::new(move |limits| Arc::new(within(propagator.clone(), limits)) as Shared);
        self.carried = Carried::Within { sends, limits: Box::new(limits.clone()), within };
        self
    }
}
