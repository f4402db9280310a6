//! A broken rule at its place in a header, for tools that explain headers. Whoever propagates never asks.

use std::ops::Range;

/// Which rule a header value broke, and where.
///
/// It holds nothing of the value.
///
/// ```
/// use otel_propagator_core::located::Located;
///
/// let fault = Located::new("digits", "is not a digit", 2..3, "https://example.com/spec#digits");
/// assert_eq!(&"12x4"[fault.range], "x");
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Located {
    /// The part of the grammar, as its specification names it.
    pub production: &'static str,
    /// The rule as one lower-case clause.
    pub rule: &'static str,
    /// The bytes of the value that broke it, at character boundaries; an empty range where something is missing.
    pub range: Range<usize>,
    /// The section of the specification.
    pub url: &'static str,
}

impl Located {
    /// A rule at its place.
    #[must_use]
    pub const fn new(
        production: &'static str,
        rule: &'static str,
        range: Range<usize>,
        url: &'static str,
    ) -> Self {
        Self { production, rule, range, url }
    }
}

/// A range of bytes moved to what the value has, and out to its character boundaries.
///
/// ```
/// use otel_propagator_core::located::within;
///
/// assert_eq!(within("a\u{e9}b", 2..9), 1..4);
/// ```
#[must_use]
pub fn within(value: &str, range: Range<usize>) -> Range<usize> {
    let mut start = range.start.min(value.len());
    let mut end = range.end.clamp(start, value.len());
    while !value.is_char_boundary(start) {
        start -= 1;
    }
    while !value.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The bytes of a field of a value with separators; the end of the value where there is no such field.
///
/// ```
/// use otel_propagator_core::located::field;
///
/// assert_eq!([field("a:bc", ':', 1), field("a:bc", ':', 2)], [2..4, 4..4]);
/// ```
#[must_use]
pub fn field(value: &str, separator: char, place: usize) -> Range<usize> {
    let mut start = 0;
    for text in value.split(separator).take(place) {
        start += text.len() + separator.len_utf8();
    }
    match value.split(separator).nth(place) {
        Some(text) => start..start + text.len(),
        None => value.len()..value.len(),
    }
}

/// The first character of a range that is not allowed there; the range where all are.
///
/// ```
/// use otel_propagator_core::located::first;
///
/// assert_eq!(first("12x4", 0..4, |c| c.is_ascii_digit()), 2..3);
/// ```
#[must_use]
pub fn first(value: &str, range: Range<usize>, is_allowed: impl Fn(char) -> bool) -> Range<usize> {
    let text = value.get(range.clone()).unwrap_or_default();
    match text.char_indices().find(|&(_, c)| !is_allowed(c)) {
        Some((at, c)) => range.start + at..range.start + at + c.len_utf8(),
        None => range,
    }
}
