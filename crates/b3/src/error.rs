//! Which rule of which field a header broke.

use crate::headers::Header;
use otel_propagator_core::{header::NOT_TEXT, located::Located};
use std::ops::Range;

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
            Self::NotText(_) => NOT_TEXT,
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

    /// Of the multiple form, the header that the broken rule is about.
    pub(crate) const fn header(self) -> Header {
        match self {
            Self::NotText(header) => header,
            Self::TraceIdMissing | Self::TraceIdWidth | Self::TraceIdDigits | Self::TraceIdZero => {
                Header::TraceId
            }
            Self::SpanIdMissing | Self::SpanIdWidth | Self::SpanIdDigits | Self::SpanIdZero => Header::SpanId,
            Self::ParentSpanIdWidth | Self::ParentSpanIdDigits => Header::ParentSpanId,
            Self::SamplingState => Header::Sampled,
        }
    }

    const fn production(self) -> (&'static str, &'static str) {
        match self {
            Self::NotText(header) => {
                (header.name(), "https://github.com/openzipkin/b3-propagation#multiple-headers")
            }
            Self::TraceIdMissing | Self::TraceIdWidth | Self::TraceIdDigits | Self::TraceIdZero => {
                ("TraceId", "https://github.com/openzipkin/b3-propagation#traceid")
            }
            Self::SpanIdMissing | Self::SpanIdWidth | Self::SpanIdDigits | Self::SpanIdZero => {
                ("SpanId", "https://github.com/openzipkin/b3-propagation#spanid")
            }
            Self::ParentSpanIdWidth | Self::ParentSpanIdDigits => {
                ("ParentSpanId", "https://github.com/openzipkin/b3-propagation#parentspanid")
            }
            Self::SamplingState => {
                ("SamplingState", "https://github.com/openzipkin/b3-propagation#sampling-state")
            }
        }
    }

    /// The error with its place in a header value.
    pub(crate) fn at(self, range: Range<usize>) -> Located {
        let (production, url) = self.production();
        Located::new(production, self.rule(), range, url)
    }
}
