//! Which rule of which field a header broke.

use crate::multi::Header;

/// A value that is not B3. It names the rule, and never what a peer sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ParseError {
    /// A header of the multiple form.
    NotText(Header),
    TraceIdMissing,
    TraceIdWidth,
    TraceIdDigits,
    TraceIdZero,
    SpanIdMissing,
    SpanIdWidth,
    SpanIdDigits,
    SpanIdZero,
    ParentSpanIdWidth,
    ParentSpanIdDigits,
    SamplingState,
}

impl ParseError {
    /// The rule, as events tell it.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::NotText(_) => "value is not visible ASCII",
            Self::TraceIdMissing => "no trace id",
            Self::TraceIdWidth => "trace id is not 16 or 32 characters",
            Self::TraceIdDigits => "trace id is not lower-case hex",
            Self::TraceIdZero => "trace id is all zeros",
            Self::SpanIdMissing => "no span id",
            Self::SpanIdWidth => "span id is not 16 characters",
            Self::SpanIdDigits => "span id is not lower-case hex",
            Self::SpanIdZero => "span id is all zeros",
            Self::ParentSpanIdWidth => "parent span id is not 16 characters",
            Self::ParentSpanIdDigits => "parent span id is not lower-case hex",
            Self::SamplingState => "not a sampling state",
        }
    }
}
