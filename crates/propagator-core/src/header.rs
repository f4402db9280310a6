//! A header as a carrier holds it: absent, on one line, or on several.

use crate::diagnostics::Rejected;
use opentelemetry::propagation::Extractor;

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
#[inline]
pub fn parse_line<T>(
    extractor: &dyn Extractor,
    name: &'static str,
    parse: impl FnOnce(&str) -> Result<T, &'static str>,
) -> Option<T> {
    let (rule, bytes) = match lines(extractor, name) {
        Lines::Absent => return None,
        Lines::Unreadable => (NOT_TEXT, 0),
        Lines::Text(lines) => match *lines.as_slice() {
            [line] => match parse(field_value(line)) {
                Ok(parsed) => return Some(parsed),
                Err(rule) => (rule, field_value(line).len()),
            },
            _ => ("header came more than once", joined_len(&lines)),
        },
    };
    Rejected::new(name, rule, bytes).emit();
    None
}

/// The key in the name of a header that is one entry of the baggage: `uberctx-KEY` of Jaeger, `ot-baggage-KEY` of OT Trace.
///
/// An empty value is what such an entry says. Of every other header of a propagator it is the wish to have none, since an
/// [`Injector`](opentelemetry::propagation::Injector) cannot remove one.
///
/// ```
/// use otel_propagator_core::header::baggage_key;
///
/// assert_eq!(baggage_key("Uberctx-tenant"), Some("tenant"));
/// assert_eq!(baggage_key("baggage"), None);
/// ```
#[must_use]
pub fn baggage_key(name: &str) -> Option<&str> {
    ["uberctx-", "ot-baggage-"].iter().find_map(|prefix| {
        let (start, key) = name.split_at_checked(prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then_some(key)
    })
}

/// The rule that [`Lines::Unreadable`] breaks, as events name it.
pub const NOT_TEXT: &str = "value is not visible ASCII";

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
            ("absent", None, None),
            ("one", Some(vec![" a "]), Some("a")),
            ("empty", Some(vec![""]), Some("")),
            ("two", Some(vec!["a", "b"]), None),
            ("none of them text", Some(vec![]), None),
        ];
        for (rule, lines, expected) in rows {
            let carrier = Carrier { keys: vec!["NAME"], lines };
            let parsed = parse_line(&carrier, "name", |value| Ok(value.to_owned()));
            assert_eq!(parsed.as_deref(), expected, "{rule}");
        }
    }

    #[test]
    fn lines_are_joined_by_commas() {
        for (lines, len) in [(&[][..], 0), (&["abc"], 3), (&["abc", "", "de"], 7)] {
            assert_eq!(joined_len(lines), len);
        }
    }

    #[test]
    fn entries_of_baggage_have_their_key_in_their_name() {
        let rows = [
            ("uberctx-tenant", Some("tenant")),
            ("Ot-Baggage-Tenant", Some("Tenant")),
            ("uberctx-", Some("")),
            ("uberctx", None),
            ("x-uberctx-tenant", None),
            ("baggage", None),
            ("\u{e9}berctx-tenant", None),
        ];
        for (name, key) in rows {
            assert_eq!(baggage_key(name), key, "{name}");
        }
    }

    #[test]
    fn an_empty_list_is_absent_unless_the_name_is_there() {
        for (key, expected) in [("NAME", Lines::Unreadable), ("names", Lines::Absent)] {
            let carrier = Carrier { keys: vec![key], lines: Some(vec![]) };
            assert_eq!(super::lines(&carrier, "name"), expected, "{key}");
        }
    }
}
