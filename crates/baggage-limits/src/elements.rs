//! How much of a received header is looked at.

use crate::{Limits, Reason};
use core::slice;
use memchr::{memchr, memrchr};
use otel_propagator_core::diagnostics::Direction;

/// The most elements of a received header that are looked at, empty ones not counted.
///
/// > baggage-string = list-member 0*179( OWS "," OWS list-member )
///
/// <https://www.w3.org/TR/baggage/#definition>
pub const MOST_ELEMENTS: usize = 180;

/// So many bytes may be padding (whitespace, empty elements and what is left out), beside those that the limits admit.
const PADDING: usize = 8192;

/// The elements of a received list, all lines as one, without the optional whitespace around them.
///
/// Work is bounded before it is done: at most [`MOST_ELEMENTS`] elements are given, empty ones are skipped, and nothing
/// is looked at after the first `max_bytes` + 8192 bytes of all lines joined. Whitespace and empty elements count only
/// towards that bound, since they are not sent on.
///
/// ```
/// use otel_baggage_limits::{Elements, Limits};
///
/// let elements = Elements::new(&["a=1 ,, b=2", "c=3;p"], &Limits::new());
/// assert_eq!(elements.collect::<Vec<_>>(), ["a=1", "b=2", "c=3;p"]);
/// ```
#[derive(Clone, Debug)]
pub struct Elements<'l, 'a> {
    lines: slice::Iter<'l, &'a str>,
    /// What is left of the line.
    rest: &'a str,
    /// How many bytes may still be looked at; none once a line was cut.
    room: usize,
    left: usize,
    cut: Option<Reason>,
}

impl<'l, 'a> Elements<'l, 'a> {
    /// Nothing is looked at yet.
    #[must_use]
    pub fn new(lines: &'l [&'a str], limits: &Limits) -> Self {
        let room = limits.most_bytes(Direction::In).saturating_add(PADDING);
        Self { lines: lines.iter(), rest: "", room, left: MOST_ELEMENTS, cut: None }
    }

    /// Why the end of the header was not looked at, if it was not.
    ///
    /// ```
    /// use otel_baggage_limits::{Elements, Limits, MOST_ELEMENTS, Reason};
    ///
    /// let header = ["a=1"; MOST_ELEMENTS + 1].join(",");
    /// let lines = [header.as_str()];
    /// let mut elements = Elements::new(&lines, &Limits::new());
    /// assert_eq!(elements.by_ref().count(), MOST_ELEMENTS);
    /// assert_eq!(elements.cut(), Some(Reason::TooManyMembers));
    /// ```
    #[must_use]
    pub const fn cut(&self) -> Option<Reason> {
        self.cut
    }

    /// How many lines have not been begun.
    pub(crate) fn lines_left(&self) -> usize {
        self.lines.len()
    }

    /// Goes to the next line; `None` if there is none that may be looked at.
    fn next_line(&mut self) -> Option<()> {
        let line = *self.lines.next()?;
        match line.as_bytes().get(..=self.room) {
            None => (self.rest, self.room) = (line, self.room - line.len()),
            // Longer than the room, so there is one byte more: a comma there ends an element that fits.
            Some(start) => {
                self.cut = Some(Reason::TooManyBytes);
                self.lines = [].iter();
                self.rest = line.get(..memrchr(b',', start).unwrap_or(0)).unwrap_or_default();
            }
        }
        // The comma between two lines.
        self.room = self.room.saturating_sub(1);
        Some(())
    }
}

impl<'a> Iterator for Elements<'_, 'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        loop {
            let rest = self.rest.get(padding_len(self.rest.as_bytes())..).unwrap_or_default();
            if rest.is_empty() {
                self.next_line()?;
                continue;
            }
            let Some(left) = self.left.checked_sub(1) else {
                self.cut = Some(Reason::TooManyMembers);
                (self.rest, self.lines) = ("", [].iter());
                return None;
            };
            self.left = left;
            let end = memchr(b',', rest.as_bytes()).unwrap_or(rest.len());
            let (element, rest) = rest.split_at_checked(end)?;
            // Without the comma, so that what follows is seldom padding.
            self.rest = rest.get(1..).unwrap_or_default();
            return Some(otel_propagator_core::header::trim(element));
        }
    }
}

/// How many bytes at the start are whitespace and commas: sixteen at a time where there are many, which takes 0.9 instructions
/// a byte instead of 8.
#[inline]
fn padding_len(text: &[u8]) -> usize {
    if text.first().is_none_or(|&byte| !is_padding(byte)) {
        return 0;
    }
    let all = |bytes: &&[u8]| bytes.iter().fold(true, |all, &byte| all & is_padding(byte));
    let sixteens = 16 * text.chunks_exact(16).take_while(all).count();
    let rest = text.get(sixteens..).unwrap_or_default();
    sixteens + rest.iter().position(|&byte| !is_padding(byte)).unwrap_or(rest.len())
}

#[allow(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn is_padding(byte: u8) -> bool {
    (byte == b',') | (byte == b' ') | (byte == b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<'a>(lines: &[&'a str], limits: &Limits) -> (Vec<&'a str>, Option<Reason>) {
        let mut elements = Elements::new(lines, limits);
        (elements.by_ref().collect(), elements.cut())
    }

    #[test]
    fn empty_elements_and_whitespace_are_skipped() {
        let rows: [(&[&str], &[&str]); 6] = [
            (&[], &[]),
            (&["", " ,\t,"], &[]),
            (&["a"], &["a"]),
            (&[" ,, a \t,,\t b ,"], &["a", "b"]),
            (&["a,b", "", " c"], &["a", "b", "c"]),
            (&["\u{a0}a\u{a0}"], &["\u{a0}a\u{a0}"]),
        ];
        for (lines, expected) in rows {
            assert_eq!(read(lines, &Limits::new()), (expected.to_vec(), None), "{lines:?}");
        }
    }

    #[test]
    fn so_many_bytes_are_looked_at() {
        let limits = Limits::new().max_bytes(7);
        for (bytes, expected, cut) in [
            (PADDING + 6, &["a=1", "b=2"][..], None),
            (PADDING + 7, &["a=1", "b=2"], None),
            (PADDING + 8, &["a=1"], Some(Reason::TooManyBytes)),
        ] {
            let padded = format!("a=1,{:>1$}", "b=2", bytes - 4);
            assert_eq!(read(&[&padded], &limits), (expected.to_vec(), cut), "{bytes} bytes on one line");
            let line = padded.strip_prefix("a=1,").unwrap();
            assert_eq!(read(&["a=1", line], &limits), (expected.to_vec(), cut), "{bytes} bytes on two");
            assert_eq!(read(&["a=1", line, "c"], &limits).0, expected, "{bytes} bytes on three");
        }
        let whole = format!("{}a=1,b=2", " ".repeat(PADDING + 4));
        assert_eq!(read(&[&whole], &limits), (vec!["a=1"], Some(Reason::TooManyBytes)), "a comma ends it");
    }

    #[test]
    fn so_many_elements_are_looked_at() {
        for (elements, cut) in [(179, None), (180, None), (181, Some(Reason::TooManyMembers))] {
            let list = vec!["a"; elements].join(",,");
            assert_eq!(read(&[&list], &Limits::new()), (vec!["a"; elements.min(180)], cut));
            let lines = vec!["a"; elements];
            assert_eq!(read(&lines, &Limits::new()), (vec!["a"; elements.min(180)], cut));
        }
    }
}
