//! Which rule a text broke. The peer's bytes are in none of these types.

use otel_propagator_core::located::{Located, field, first, within};
use std::{error::Error, fmt, ops::Range};

/// The longest value in bytes, before any of it is percent-encoded.
pub(crate) const LONGEST: usize =
    "80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:05e3ac9a4f6e3b90:0b".len();

/// Why a text is not an [`UberTraceId`](crate::UberTraceId).
///
/// It never holds a part of the text, so it may be logged and sent as it is.
///
/// ```
/// use otel_jaeger::{ErrorKind, UberTraceId};
///
/// let error = UberTraceId::parse("4d0000000000000016:0:0:1").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::SpanIdZero);
/// assert_eq!(error.to_string(), "span id is zero");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ParseError {
    kind: ErrorKind,
}

/// A rule that an `uber-trace-id` can break.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is longer than the longest value.
    TooLong,
    /// A percent sign is not followed by two hexadecimal digits.
    Escape,
    /// There are fewer than four fields, or more.
    FieldCount,
    /// The trace id has no digit, or more than 32.
    TraceIdWidth,
    /// The trace id has a character that is not a hexadecimal digit.
    TraceIdDigits,
    /// The trace id is zero.
    TraceIdZero,
    /// The span id has no digit, or more than 16.
    SpanIdWidth,
    /// The span id has a character that is not a hexadecimal digit.
    SpanIdDigits,
    /// The span id is zero.
    SpanIdZero,
    /// The parent span id has more than 16 digits.
    ParentSpanIdWidth,
    /// The parent span id has a character that is not a hexadecimal digit.
    ParentSpanIdDigits,
    /// The flags are not one or two hexadecimal digits.
    Flags,
}

impl ParseError {
    /// The rule that was broken.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// Where the value that this error is of broke the rule; all of a value that is percent-encoded.
    ///
    /// ```
    /// use otel_jaeger::UberTraceId;
    ///
    /// let value = "4d:17z29:0:1";
    /// let located = UberTraceId::parse(value).unwrap_err().located(value);
    /// assert_eq!((located.production, &value[located.range]), ("span-id", "z"));
    /// ```
    #[must_use]
    pub fn located(self, value: &str) -> Located {
        const FIELDS: [&str; 4] = ["trace-id", "span-id", "parent-span-id", "flags"];
        let production = self.place().and_then(|place| FIELDS.get(place).copied());
        let url = "https://www.jaegertracing.io/sdk-migration/#value";
        Located::new(production.unwrap_or("uber-trace-id"), self.rule(), self.range(value), url)
    }

    fn range(self, value: &str) -> Range<usize> {
        let place = self.place().filter(|_| !value.contains('%'));
        match (self.kind, place) {
            (ErrorKind::TooLong, _) => within(value, LONGEST..value.len()),
            (ErrorKind::FieldCount, _) if !value.contains('%') => {
                let fifth = value.match_indices(':').nth(3).map_or(value.len(), |(at, _)| at);
                fifth..value.len()
            }
            (
                ErrorKind::TraceIdDigits
                | ErrorKind::SpanIdDigits
                | ErrorKind::ParentSpanIdDigits
                | ErrorKind::Flags,
                Some(place),
            ) => first(value, field(value, ':', place), |c| c.is_ascii_hexdigit()),
            (_, Some(place)) => field(value, ':', place),
            (_, None) => 0..value.len(),
        }
    }

    /// Which of the four fields, from 0.
    const fn place(self) -> Option<usize> {
        match self.kind {
            ErrorKind::TraceIdWidth | ErrorKind::TraceIdDigits | ErrorKind::TraceIdZero => Some(0),
            ErrorKind::SpanIdWidth | ErrorKind::SpanIdDigits | ErrorKind::SpanIdZero => Some(1),
            ErrorKind::ParentSpanIdWidth | ErrorKind::ParentSpanIdDigits => Some(2),
            ErrorKind::Flags => Some(3),
            ErrorKind::TooLong | ErrorKind::Escape | ErrorKind::FieldCount => None,
        }
    }

    /// The rule, as events tell it.
    pub(crate) const fn rule(self) -> &'static str {
        match self.kind {
            ErrorKind::TooLong => "longer than the longest value",
            ErrorKind::Escape => "a percent sign begins no escape",
            ErrorKind::FieldCount => "not four fields",
            ErrorKind::TraceIdWidth => "trace id is not 1 to 32 characters",
            ErrorKind::TraceIdDigits => "trace id is not hex",
            ErrorKind::TraceIdZero => "trace id is zero",
            ErrorKind::SpanIdWidth => "span id is not 1 to 16 characters",
            ErrorKind::SpanIdDigits => "span id is not hex",
            ErrorKind::SpanIdZero => "span id is zero",
            ErrorKind::ParentSpanIdWidth => "parent span id is longer than 16 characters",
            ErrorKind::ParentSpanIdDigits => "parent span id is not hex",
            ErrorKind::Flags => "flags are not one or two hex digits",
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
