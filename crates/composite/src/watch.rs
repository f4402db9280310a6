//! What a composite tells whoever counts.

use crate::Part;
use opentelemetry::propagation::Injector;
use otel_baggage_limits::Observer;

/// What became of one format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// What it named is in the extracted context.
    Valid,
    Absent,
    Malformed,
    /// It named a span, but an earlier format had been chosen.
    NotChosen,
    /// A sampling decision alone.
    SamplingOnly,
    /// Baggage of which a policy on keys left nothing.
    LeftOut,
}

/// Sees what is sent and received.
pub(crate) trait Watch: Send + Sync {
    /// A format was tried.
    fn extracted(&self, format: &Part, outcome: Outcome);

    /// A header of so many bytes is sent.
    fn injected(&self, header: &str, bytes: usize);

    /// Whether nobody will ever see what is counted.
    fn is_silent(&self) -> bool;

    /// Whether a policy on keys has left out received baggage on this thread, since this was asked last.
    fn policy_left_out(&self) -> bool;

    /// Who is told of what is left out of baggage.
    fn observer(&self) -> Observer;
}

/// An injector that shows what it passes on.
pub(crate) struct Watched<'a> {
    pub(crate) watch: &'a dyn Watch,
    pub(crate) injector: &'a mut dyn Injector,
}

impl Injector for Watched<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.watch.injected(key, value.len());
        self.injector.set(key, value);
    }

    fn reserve(&mut self, additional: usize) {
        self.injector.reserve(additional);
    }
}
