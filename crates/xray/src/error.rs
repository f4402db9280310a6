//! Which rule a text broke. The peer's bytes are in none of these types.

use std::{error::Error, fmt};

/// Why a text is not a [`TraceHeader`](crate::TraceHeader).
///
/// It never holds a part of the text, so it may be logged and sent as it is.
///
/// ```
/// use otel_xray::{ErrorKind, TraceHeader};
///
/// let error = TraceHeader::parse("Root=2-5759e988-bd862e3fe1be46a994272793").unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::RootVersion);
/// assert_eq!(error.to_string(), "version of Root is not 1");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ParseError {
    kind: ErrorKind,
}

/// A rule that an `X-Amzn-Trace-Id` can break.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is longer than 256 bytes.
    TooLong,
    /// There is no `Root`.
    RootMissing,
    /// `Root` does not begin with `1-`.
    RootVersion,
    /// `Root` is not 8 and 24 characters with a dash between them.
    RootWidth,
    /// `Root` has a character that is not a lower-case hexadecimal digit.
    RootDigits,
    /// `Root` is all zeros.
    RootZero,
    /// `Parent` is not 16 characters.
    ParentWidth,
    /// `Parent` has a character that is not a lower-case hexadecimal digit.
    ParentDigits,
    /// `Parent` is all zeros.
    ParentZero,
    /// `Root`, `Parent` or `Sampled` comes twice, with different values.
    Repeated,
}

impl ParseError {
    /// The rule that was broken.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// The rule, as events tell it.
    pub(crate) const fn rule(self) -> &'static str {
        match self.kind {
            ErrorKind::TooLong => "longer than 256 bytes",
            ErrorKind::RootMissing => "no Root",
            ErrorKind::RootVersion => "version of Root is not 1",
            ErrorKind::RootWidth => "Root is not 8 and 24 characters",
            ErrorKind::RootDigits => "Root is not lower-case hex",
            ErrorKind::RootZero => "Root is all zeros",
            ErrorKind::ParentWidth => "Parent is not 16 characters",
            ErrorKind::ParentDigits => "Parent is not lower-case hex",
            ErrorKind::ParentZero => "Parent is all zeros",
            ErrorKind::Repeated => "a key comes twice with different values",
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
