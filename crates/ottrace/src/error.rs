//! Which rule of which header was broken. The peer's bytes are in none of these types.

use crate::headers::{SAMPLED, SPAN_ID, TRACE_ID};
use otel_propagator_core::located::{Located, first};
use std::{error::Error, fmt};

/// Why headers are not an [`OtTrace`](crate::OtTrace).
///
/// It never holds a part of them, so it may be logged and sent as it is.
///
/// ```
/// use otel_ottrace::{ErrorKind, OtTrace};
///
/// let error = OtTrace::parse("463ac35c9f6413ad", "0", None).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::SpanIdZero);
/// assert_eq!(error.to_string(), "span id is zero");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ParseError {
    kind: ErrorKind,
}

/// A rule that the headers can break.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// There is a span id without a trace id.
    TraceIdMissing,
    /// The trace id is neither 1 to 16 characters nor 32.
    TraceIdWidth,
    /// The trace id has a character that is not a lower-case hexadecimal digit.
    TraceIdDigits,
    /// The trace id is zero.
    TraceIdZero,
    /// There is a trace id without a span id.
    SpanIdMissing,
    /// The span id is not 1 to 16 characters.
    SpanIdWidth,
    /// The span id has a character that is not a lower-case hexadecimal digit.
    SpanIdDigits,
    /// The span id is zero.
    SpanIdZero,
    /// The sampled header is none of `true`, `false`, `1`, `0` and nothing.
    Sampled,
}

impl ParseError {
    /// The rule that was broken.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// The header that broke it.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self.kind {
            ErrorKind::TraceIdMissing
            | ErrorKind::TraceIdWidth
            | ErrorKind::TraceIdDigits
            | ErrorKind::TraceIdZero => TRACE_ID,
            ErrorKind::SpanIdMissing
            | ErrorKind::SpanIdWidth
            | ErrorKind::SpanIdDigits
            | ErrorKind::SpanIdZero => SPAN_ID,
            ErrorKind::Sampled => SAMPLED,
        }
    }

    /// Where the value of that header broke the rule.
    ///
    /// ```
    /// use otel_ottrace::OtTrace;
    ///
    /// let (trace_id, span_id) = ("463ac35c9f6413ad", "48485a3953bb612X");
    /// let error = OtTrace::parse(trace_id, span_id, None).unwrap_err();
    /// assert_eq!(error.header(), "ot-tracer-spanid");
    /// assert_eq!(&span_id[error.located(span_id).range], "X");
    /// ```
    #[must_use]
    pub fn located(self, value: &str) -> Located {
        let is_digit = |c| matches!(c, '0'..='9' | 'a'..='f');
        let range = match self.kind {
            ErrorKind::TraceIdDigits | ErrorKind::SpanIdDigits => first(value, 0..value.len(), is_digit),
            _ => 0..value.len(),
        };
        // OpenTelemetry names the format, and refers to what others wrote.
        let url =
            "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#propagators-distribution";
        Located::new(self.header(), self.rule(), range, url)
    }

    /// The rule, as events tell it.
    pub(crate) const fn rule(self) -> &'static str {
        match self.kind {
            ErrorKind::TraceIdMissing => "no trace id",
            ErrorKind::TraceIdWidth => "trace id is neither 1 to 16 characters nor 32",
            ErrorKind::TraceIdDigits => "trace id is not lower-case hex",
            ErrorKind::TraceIdZero => "trace id is zero",
            ErrorKind::SpanIdMissing => "no span id",
            ErrorKind::SpanIdWidth => "span id is not 1 to 16 characters",
            ErrorKind::SpanIdDigits => "span id is not lower-case hex",
            ErrorKind::SpanIdZero => "span id is zero",
            ErrorKind::Sampled => "sampled is neither true nor false",
        }
    }
}

impl From<ErrorKind> for ParseError {
    fn from(kind: ErrorKind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.rule())
    }
}

impl Error for ParseError {}
