//! A header as a carrier holds it: absent, on one line, or on several.

use crate::diagnostics::Rejected;
use opentelemetry::propagation::Extractor;

/// A header of which only one line may be sent, such as `traceparent`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "a header has no other number of lines")]
pub enum Line<'a> {
    /// The carrier does not have the header.
    Absent,
    /// The value of the only line, without the whitespace around it.
    One(&'a str),
    /// The carrier has several lines of this name.
    Repeated(Repeated),
    /// The header is there, but the carrier cannot give its bytes as text.
    Unreadable,
}

/// How much came where one line was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Repeated {
    /// The number of lines, two or more.
    pub lines: usize,
    /// The bytes of all lines together.
    pub bytes: usize,
}

/// All lines of a header.
#[derive(Clone, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "a header has no other number of lines")]
pub enum Lines<'a> {
    /// The carrier does not have the header.
    Absent,
    /// The lines that are text, in order; one at least.
    Text(Vec<&'a str>),
    /// The header is there, but the carrier cannot give any of its lines as text.
    Unreadable,
}

/// Reads all lines of a header.
///
/// Only [`Extractor::get_all`] gives them all; it allocates the list where the header is there. A carrier may answer
/// with an empty list where it does not have the header ("SHOULD return an empty collection") as well as where it has
/// no line that is text. Which one it is, the list of its keys says.
/// <https://opentelemetry.io/docs/specs/otel/context/api-propagators/#getall>
///
/// ```
/// use otel_propagator_core::header::{Lines, lines};
/// use std::collections::HashMap;
///
/// let carrier = HashMap::from([("baggage".to_owned(), "a=1".to_owned())]);
/// assert_eq!(lines(&carrier, "baggage"), Lines::Text(vec!["a=1"]));
/// assert_eq!(lines(&carrier, "tracestate"), Lines::Absent);
/// ```
#[must_use]
#[inline]
pub fn lines<'a>(extractor: &'a dyn Extractor, name: &str) -> Lines<'a> {
    match extractor.get_all(name) {
        None => Lines::Absent,
        Some(lines) if lines.is_empty() => without_text(extractor, name),
        Some(lines) => Lines::Text(lines),
    }
}

#[cold]
fn without_text<'a>(extractor: &dyn Extractor, name: &str) -> Lines<'a> {
    if extractor.keys().iter().any(|key| key.eq_ignore_ascii_case(name)) {
        Lines::Unreadable
    } else {
        Lines::Absent
    }
}

/// Reads a header that may be sent once, by way of [`lines`].
///
/// ```
/// use otel_propagator_core::header::{Line, line};
/// use std::collections::HashMap;
///
/// let carrier = HashMap::from([("b3".to_owned(), " 0\t".to_owned())]);
/// assert_eq!(line(&carrier, "b3"), Line::One("0"));
/// assert_eq!(line(&carrier, "traceparent"), Line::Absent);
/// ```
#[must_use]
#[inline]
pub fn line<'a>(extractor: &'a dyn Extractor, name: &str) -> Line<'a> {
    match lines(extractor, name) {
        Lines::Absent => Line::Absent,
        Lines::Unreadable => Line::Unreadable,
        Lines::Text(lines) => match *lines.as_slice() {
            [line] => Line::One(field_value(line)),
            _ => Line::Repeated(Repeated { lines: lines.len(), bytes: joined_len(&lines) }),
        },
    }
}

/// Reads a header that may be sent once, and what it says; tells of one that cannot be used.
///
/// The event names the header, the rule that was broken and the size; see
/// [`diagnostics`](crate::diagnostics).
///
/// ```
/// use otel_propagator_core::header::parse_line;
/// use std::collections::HashMap;
///
/// let parse = |value: &str| value.parse::<u8>().map_err(|_| "not a number");
/// let carrier = HashMap::from([("hops".to_owned(), " 7".to_owned()), ("age".to_owned(), "old".to_owned())]);
/// assert_eq!(parse_line(&carrier, "hops", parse), Some(7));
/// assert_eq!(parse_line(&carrier, "age", parse), None);
/// ```
pub fn parse_line<T>(
    extractor: &dyn Extractor,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<T> {
    let (rule, bytes) = match line(extractor, name) {
        Line::Absent => return None,
        Line::One(value) => match parse(value) {
            Ok(parsed) => return Some(parsed),
            Err(rule) => (rule, value.len()),
        },
        Line::Repeated(repeated) => ("header came more than once", repeated.bytes),
        Line::Unreadable => ("value is not visible ASCII", 0),
    };
    Rejected::new(name, rule, bytes).emit();
    None
}

/// The length in bytes of the lines of one header when they are joined by commas, as
/// [RFC 9110, section 5.3](https://www.rfc-editor.org/rfc/rfc9110#section-5.3) combines them.
///
/// ```
/// use otel_propagator_core::header::joined_len;
///
/// assert_eq!(joined_len(&["a=1", "b=2"]), "a=1,b=2".len());
/// assert_eq!(joined_len(&[]), 0);
/// ```
#[must_use]
#[inline]
pub fn joined_len(lines: &[&str]) -> usize {
    lines.iter().map(|line| line.len()).sum::<usize>() + lines.len().saturating_sub(1)
}

/// The text without the optional whitespace (spaces and tabs) around it:
/// [RFC 9110, section 5.6.3](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3).
///
/// Other characters that Unicode calls white space stay, so that they are judged by the header's grammar.
///
/// ```
/// use otel_propagator_core::header::trim;
///
/// assert_eq!(trim(" \ta b\t "), "a b");
/// assert_eq!(trim("\u{a0}a"), "\u{a0}a");
/// ```
#[must_use]
#[inline]
pub fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [.., b' ' | b'\t'] => {
            let after = text.bytes().rposition(|byte| !is_ows(byte)).map_or(0, |last| last + 1);
            trim_start(text.get(..after).unwrap_or_default())
        }
        _ => trim_start(text),
    }
}

/// Most texts have no whitespace around them, which one look at either end shows.
#[inline]
fn trim_start(text: &str) -> &str {
    match text.as_bytes() {
        [b' ' | b'\t', ..] => {
            let before = text.bytes().take_while(|&byte| is_ows(byte)).count();
            text.get(before..).unwrap_or_default()
        }
        _ => text,
    }
}

const fn is_ows(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The value of a header that is read as a whole: [trimmed](trim), unless it has more than 1024 bytes.
///
/// No such header is as long as that, so it comes back as it is, and its grammar refuses it: a megabyte of spaces is
/// not walked through.
///
/// ```
/// use otel_propagator_core::header::field_value;
///
/// assert_eq!(field_value(" 0\t"), "0");
/// assert_eq!(field_value(&" ".repeat(1 << 20)).len(), 1 << 20);
/// ```
#[must_use]
#[inline]
pub fn field_value(value: &str) -> &str {
    if value.len() > LONGEST_VALUE { value } else { trim(value) }
}

const LONGEST_VALUE: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    struct Carrier {
        keys: Vec<&'static str>,
        lines: Option<Vec<&'static str>>,
    }

    impl Extractor for Carrier {
        fn get(&self, _: &str) -> Option<&str> {
            self.lines.as_ref()?.first().copied()
        }
        fn keys(&self) -> Vec<&str> {
            self.keys.clone()
        }
        fn get_all(&self, _: &str) -> Option<Vec<&str>> {
            self.lines.clone()
        }
    }

    #[test]
    fn only_so_much_is_trimmed() {
        for (len, trimmed) in
            [(LONGEST_VALUE - 1, 1), (LONGEST_VALUE, 1), (LONGEST_VALUE + 1, LONGEST_VALUE + 1)]
        {
            let value = format!("{:>len$}", "a");
            assert_eq!(field_value(&value).len(), trimmed, "{len} bytes");
        }
    }

    #[test]
    fn the_number_of_lines_decides() {
        let rows = [
            ("absent", None, Line::Absent),
            ("one", Some(vec![" a "]), Line::One("a")),
            ("empty", Some(vec![""]), Line::One("")),
            ("two", Some(vec!["a", "b"]), Line::Repeated(Repeated { lines: 2, bytes: 3 })),
            ("none of them text", Some(vec![]), Line::Unreadable),
        ];
        let absent = Carrier { keys: vec!["names"], lines: Some(vec![]) };
        assert_eq!(line(&absent, "name"), Line::Absent, "an empty collection is what GetAll should return");
        for (rule, lines, expected) in rows {
            assert_eq!(line(&Carrier { keys: vec!["NAME"], lines }, "name"), expected, "{rule}");
        }
    }
}
