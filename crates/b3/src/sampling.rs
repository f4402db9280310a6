//! The four sampling states.

/// What is known of the decision whether a trace is recorded.
///
/// <https://github.com/openzipkin/b3-propagation#sampling-state>
///
/// A B3 header carries one of the four; `TraceFlags` has a bit for two of them. The [`Context`] keeps the others
/// beside the span context, where [`SamplingExt`](crate::SamplingExt) reads them.
///
/// [`Context`]: opentelemetry::Context
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "B3 has these four states and promises no others")]
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
    pub(crate) const fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }
}
