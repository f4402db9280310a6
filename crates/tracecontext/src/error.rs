//! Which rule of which field was broken. The peer's bytes are in none of these types.

use otel_propagator_core::located::{Located, within};
use std::{error::Error, fmt, ops::Range};

/// Why a text is not a `traceparent`: which [`Field`] broke which rule ([`ErrorKind`]).
///
/// It never holds a part of the text, so it may be logged and sent as it is.
///
/// ```
/// use otel_tracecontext::{ErrorKind, Field, TraceParent};
///
/// let error = TraceParent::parse("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01").unwrap_err();
/// assert_eq!((error.field(), error.kind()), (Field::ParentId, ErrorKind::AllZero));
/// assert_eq!(error.to_string(), "parent-id is all zeroes");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct ParseError {
    field: Field,
    kind: ErrorKind,
}

/// A field of `traceparent`, by its name in
/// [the specification](https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Field {
    /// The two digits in front.
    Version,
    /// The 32 digits that name the trace.
    TraceId,
    /// The 16 digits that name the caller's span.
    ParentId,
    /// The two digits of flags.
    TraceFlags,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Version => "version",
            Self::TraceId => "trace-id",
            Self::ParentId => "parent-id",
            Self::TraceFlags => "trace-flags",
        }
    }

    const fn url(self) -> &'static str {
        match self {
            Self::Version => "https://www.w3.org/TR/trace-context-2/#version",
            Self::TraceId => "https://www.w3.org/TR/trace-context-2/#trace-id",
            Self::ParentId => "https://www.w3.org/TR/trace-context-2/#parent-id",
            Self::TraceFlags => "https://www.w3.org/TR/trace-context-2/#trace-flags",
        }
    }

    /// Every field has its place.
    const fn place(self) -> Range<usize> {
        match self {
            Self::Version => 0..2,
            Self::TraceId => 3..35,
            Self::ParentId => 36..52,
            Self::TraceFlags => 53..55,
        }
    }
}

/// A rule that a `traceparent` can break.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text ends before the field does.
    TooShort,
    /// The field has a character other than `0`-`9` and `a`-`f`.
    NotLowerHex,
    /// What follows the field is not a dash.
    Delimiter,
    /// Version `ff`.
    ForbiddenVersion,
    /// An id of zeroes only.
    AllZero,
    /// Something follows the flags of version `00`.
    TrailingData,
}

impl ParseError {
    pub(crate) const fn new(field: Field, kind: ErrorKind) -> Self {
        Self { field, kind }
    }

    /// The field that broke the rule.
    #[must_use]
    pub const fn field(self) -> Field {
        self.field
    }

    /// The rule that was broken.
    #[must_use]
    pub const fn kind(self) -> ErrorKind {
        self.kind
    }

    /// Where the value that this error is of broke the rule.
    ///
    /// ```
    /// use otel_tracecontext::TraceParent;
    ///
    /// let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333X-01";
    /// let located = TraceParent::parse(value).unwrap_err().located(value);
    /// assert_eq!((located.production, &value[located.range]), ("parent-id", "X"));
    /// assert_eq!(located.url, "https://www.w3.org/TR/trace-context-2/#parent-id");
    /// ```
    #[must_use]
    pub fn located(self, value: &str) -> Located {
        Located::new(self.field.name(), self.rule(), self.range(value), self.field.url())
    }

    fn range(self, value: &str) -> Range<usize> {
        let field = self.field.place();
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let range = match self.kind {
            ErrorKind::TooShort => field.start..value.len(),
            ErrorKind::NotLowerHex => {
                let digits = value.bytes().skip(field.start).take(field.len());
                let at = field.start + digits.take_while(is_digit).count();
                at..at + 1
            }
            ErrorKind::Delimiter => field.end..field.end + 1,
            ErrorKind::ForbiddenVersion | ErrorKind::AllZero => field,
            ErrorKind::TrailingData => field.end..value.len(),
        };
        within(value, range)
    }

    /// Field and rule as one clause.
    pub(crate) const fn rule(self) -> &'static str {
        match (self.kind, self.field) {
            (ErrorKind::TooShort, Field::Version) => "version is cut short",
            (ErrorKind::TooShort, Field::TraceId) => "trace-id is cut short",
            (ErrorKind::TooShort, Field::ParentId) => "parent-id is cut short",
            (ErrorKind::TooShort, Field::TraceFlags) => "trace-flags is cut short",
            (ErrorKind::NotLowerHex, Field::Version) => "version is not lower-case hex",
            (ErrorKind::NotLowerHex, Field::TraceId) => "trace-id is not lower-case hex",
            (ErrorKind::NotLowerHex, Field::ParentId) => "parent-id is not lower-case hex",
            (ErrorKind::NotLowerHex, Field::TraceFlags) => "trace-flags is not lower-case hex",
            (ErrorKind::Delimiter, Field::Version) => "version is not followed by a dash",
            (ErrorKind::Delimiter, Field::TraceId) => "trace-id is not followed by a dash",
            (ErrorKind::Delimiter, Field::ParentId) => "parent-id is not followed by a dash",
            (ErrorKind::Delimiter, Field::TraceFlags) => {
                "trace-flags is followed by neither a dash nor the end"
            }
            (ErrorKind::AllZero, Field::ParentId) => "parent-id is all zeroes",
            (ErrorKind::AllZero, _) => "trace-id is all zeroes",
            (ErrorKind::ForbiddenVersion, _) => "version ff is forbidden",
            (ErrorKind::TrailingData, _) => "trace-flags is followed by more than version 00 allows",
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.rule())
    }
}

impl Error for ParseError {}

/// The rule that a `tracestate` broke.
///
/// ```
/// use otel_tracecontext::{TraceStateError, TraceStateList};
///
/// let value = "a=1,B=2";
/// let error = TraceStateList::parse(value).unwrap_err();
/// assert_eq!(error, TraceStateError::Key);
/// assert_eq!(&value[error.located(value).range], "B");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum TraceStateError {
    /// More than 32768 bytes.
    TooLong,
    /// More than 32 members that are not empty.
    TooManyMembers,
    /// A member without `=`.
    NoEqualsSign,
    /// A key that is empty, too long, or has a character that no key has.
    Key,
    /// A value that is empty, too long, or has a character that no value has.
    Value,
}

impl TraceStateError {
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::TooLong => "list is longer than 32768 bytes",
            Self::TooManyMembers => "list has more than 32 members",
            Self::NoEqualsSign => "list-member has no equals sign",
            Self::Key => "key is outside the grammar",
            Self::Value => "value is outside the grammar",
        }
    }
}

impl fmt::Display for TraceStateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.rule())
    }
}

impl Error for TraceStateError {}
