//! Which rule a text broke. The peer's bytes are in none of these types.

use otel_propagator_core::{
    header::trim,
    located::{Located, first, within},
};
use std::{error::Error, fmt, ops::Range};

/// AWS reads no longer value.
pub(crate) const LONGEST: usize = 256;

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

    /// Where the value that this error is of broke the rule.
    ///
    /// ```
    /// use otel_xray::TraceHeader;
    ///
    /// let value = "Self=1;Root=1-5759e988-bd86";
    /// let located = TraceHeader::parse(value).unwrap_err().located(value);
    /// assert_eq!((located.production, &value[located.range]), ("Root", "1-5759e988-bd86"));
    /// ```
    #[must_use]
    pub fn located(self, value: &str) -> Located {
        let (production, range) = self.place(value);
        let url =
            "https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader";
        Located::new(production, self.rule(), range, url)
    }

    fn place(self, value: &str) -> (&'static str, Range<usize>) {
        let is_digit = |c| matches!(c, '0'..='9' | 'a'..='f' | '-');
        let of = |key| pairs(value).find(|pair| pair.0 == key).map_or(0..value.len(), |pair| pair.1);
        match self.kind {
            ErrorKind::TooLong => ("tracing header", within(value, LONGEST..value.len())),
            ErrorKind::RootMissing => ("Root", value.len()..value.len()),
            ErrorKind::RootVersion | ErrorKind::RootWidth | ErrorKind::RootZero => ("Root", of("Root")),
            ErrorKind::RootDigits => ("Root", first(value, of("Root"), is_digit)),
            ErrorKind::ParentWidth | ErrorKind::ParentZero => ("Parent", of("Parent")),
            ErrorKind::ParentDigits => ("Parent", first(value, of("Parent"), is_digit)),
            ErrorKind::Repeated => repeated(value),
        }
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

/// Each key with the place of its value.
fn pairs(value: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut start = 0;
    value.split(';').filter_map(move |pair| {
        let from = start;
        start += pair.len() + ";".len();
        let (key, text) = pair.split_once('=')?;
        let from = from + key.len() + "=".len();
        let from = from + text.len() - text.trim_start_matches([' ', '\t']).len();
        Some((trim(key), from..from + trim(text).len()))
    })
}

fn repeated(value: &str) -> (&'static str, Range<usize>) {
    for key in ["Root", "Parent", "Sampled"] {
        let mut values = pairs(value).filter(|pair| pair.0 == key).map(|pair| pair.1);
        let first = values.next().and_then(|range| value.get(range));
        if let Some(other) = values.find(|range| value.get(range.clone()) != first) {
            return (key, other);
        }
    }
    ("tracing header", 0..value.len())
}
