//! The part of a received header that is within limits.

use crate::{Limits, Reason, wire::HEADER};
use core::cell::Cell;
use opentelemetry::propagation::Extractor;
use otel_propagator_core::header::{joined_len, trim};

/// The leading members of a line that are whole within its first `room` bytes, and whether these are all.
///
/// Only the bytes of the last member that fits in part are looked at.
///
/// ```
/// use otel_baggage_limits::whole_members;
///
/// assert_eq!(whole_members("a=1,b=2", 7), ("a=1,b=2", true));
/// assert_eq!(whole_members("a=1,b=2", 6), ("a=1", false));
/// assert_eq!(whole_members("a=1,b=2", 3), ("a=1", false));
/// assert_eq!(whole_members("a=1,b=2", 2), ("", false));
/// ```
#[must_use]
#[inline]
pub fn whole_members(line: &str, room: usize) -> (&str, bool) {
    // Longer than the room, so there is one byte more: a comma there ends a member that fits.
    let Some(start) = line.as_bytes().get(..=room) else { return (line, true) };
    let end = start.iter().rposition(|&byte| byte == b',').unwrap_or(0);
    (line.get(..end).unwrap_or_default(), false)
}

/// An extractor that gives no more of the baggage header than the limits admit.
pub(crate) struct Bounded<'a> {
    extractor: &'a dyn Extractor,
    limits: &'a Limits,
    cut: Cell<Option<Cut>>,
}

/// What was kept from the reader.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) reason: Reason,
    /// The length of the whole header.
    pub(crate) bytes: usize,
}

impl<'a> Bounded<'a> {
    pub(crate) const fn new(extractor: &'a dyn Extractor, limits: &'a Limits) -> Self {
        Self { extractor, limits, cut: Cell::new(None) }
    }

    /// What the last reading of the header left out.
    pub(crate) fn cut(&self) -> Option<Cut> {
        self.cut.get()
    }

    fn bound(&self, lines: &mut [&str]) {
        let bytes = joined_len(lines);
        let mut room =
            Room { bytes: Some(self.limits.max_bytes), members: self.limits.max_members, cut: None };
        for line in lines {
            *line = room.take(line);
        }
        self.cut.set(room.cut.map(|reason| Cut { reason, bytes }));
    }
}

impl Extractor for Bounded<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let mut line = [self.extractor.get(key)?];
        if key.eq_ignore_ascii_case(HEADER) {
            self.bound(&mut line);
        }
        let [line] = line;
        Some(line)
    }

    fn keys(&self) -> Vec<&str> {
        self.extractor.keys()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let mut lines = self.extractor.get_all(key)?;
        if key.eq_ignore_ascii_case(HEADER) {
            self.bound(&mut lines);
        }
        Some(lines)
    }
}

/// What of the limits is left while the lines of a header are walked.
struct Room {
    /// Nothing once a line did not fit.
    bytes: Option<usize>,
    members: usize,
    cut: Option<Reason>,
}

impl Room {
    fn take<'a>(&mut self, line: &'a str) -> &'a str {
        let (within, whole) = self.bytes.map_or(("", false), |room| whole_members(line, room));
        self.bytes = self.bytes.filter(|_| whole).and_then(|room| room.checked_sub(line.len() + 1));
        if !whole {
            self.cut = self.cut.or(Some(Reason::TooManyBytes));
        }
        self.take_members(within)
    }

    fn take_members<'a>(&mut self, line: &'a str) -> &'a str {
        let mut end = 0;
        for element in line.split_inclusive(',') {
            if !trim(element.trim_end_matches(',')).is_empty() {
                let Some(members) = self.members.checked_sub(1) else {
                    self.cut = self.cut.or(Some(Reason::TooManyMembers));
                    return line.get(..end).unwrap_or_default().trim_end_matches(',');
                };
                self.members = members;
            }
            end += element.len();
        }
        line
    }
}
