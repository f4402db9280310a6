//! A whole header, both ways.

use crate::{
    member::{Member, list_member},
    percent,
};
use memchr::{memchr, memchr_iter};
use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{Limits, Reason, Report, whole_members};
use otel_propagator_core::header::{joined_len, trim};

/// Reads a header: what can be read and is within the limits, and a report of what was left out and why.
///
/// A member that breaks a rule is skipped, the good ones beside it stay. Of several members of one key the last wins.
/// Over the limits the leading members that fit are kept; what lies past `max_bytes` is not looked at.
///
/// ```
/// use otel_w3c_baggage::{Limits, Reason, decode};
///
/// let (baggage, report) = decode("userId=Am%C3%A9lie;ttl=30, server node=1", &Limits::new());
/// let (value, metadata) = baggage.get_with_metadata("userId").unwrap();
/// assert_eq!((value.as_str(), metadata.as_str()), ("Amélie", "ttl=30"));
/// assert_eq!(baggage.len(), 1);
/// assert_eq!(report.reasons().collect::<Vec<_>>(), [(Reason::Key, 1)]);
/// ```
#[must_use]
pub fn decode(header: &str, limits: &Limits) -> (Baggage, Report) {
    decode_lines(&[header], limits)
}

/// Reads a header that came on several lines, as if they were one, joined by commas.
///
/// > If there are multiple `baggage` headers, all limits apply to the combination of all `baggage` headers
///
/// <https://www.w3.org/TR/baggage/#limits>
///
/// ```
/// use otel_w3c_baggage::{Limits, decode_lines};
///
/// let (baggage, _) = decode_lines(&["a=1,b=2", "c=3"], &Limits::new().max_members(2));
/// assert_eq!(baggage.len(), 2);
/// assert!(baggage.get("c").is_none());
/// ```
#[must_use]
pub fn decode_lines(lines: &[&str], limits: &Limits) -> (Baggage, Report) {
    let mut reader = Reader { baggage: Baggage::new(), report: Report::default(), limits, escapes: false };
    let mut room = Some(limits.max_bytes);
    for line in lines {
        let (members, whole) = room.map_or(("", false), |room| whole_members(line, room));
        reader.line(members);
        if !whole {
            reader.report.leave_out(Reason::TooManyBytes);
            break;
        }
        room = room.and_then(|room| room.checked_sub(line.len() + 1));
    }
    reader.report.measured.bytes = joined_len(lines);
    reader.report.kept.members = reader.baggage.len();
    (reader.baggage, reader.report)
}

/// Writes a header of the members that the limits admit, and a report of what was left out and why. It is empty if
/// nothing is to be sent.
///
/// The keys of [`Limits::keep_first`] come first, then all others in the order of their bytes, so the same baggage
/// always gives the same header.
///
/// ```
/// use opentelemetry::{KeyValue, baggage::Baggage};
/// use otel_w3c_baggage::{Limits, encode};
///
/// let baggage = Baggage::from([KeyValue::new("user", "Amélie"), KeyValue::new("discount", "5%")]);
/// assert_eq!(encode(&baggage, &Limits::new()).0, "discount=5%25,user=Am%C3%A9lie");
/// ```
#[must_use]
pub fn encode(baggage: &Baggage, limits: &Limits) -> (String, Report) {
    limits.encode(baggage)
}

struct Reader<'a> {
    baggage: Baggage,
    report: Report,
    limits: &'a Limits,
    /// Whether the line has a percent sign at all.
    escapes: bool,
}

impl Reader<'_> {
    /// > baggage-string = list-member 0*179( OWS "," OWS list-member )
    ///
    /// <https://www.w3.org/TR/baggage/#definition>
    fn line(&mut self, line: &str) {
        self.escapes = memchr(b'%', line.as_bytes()).is_some();
        let mut start = 0;
        for comma in memchr_iter(b',', line.as_bytes()).chain([line.len()]) {
            self.element(trim(line.get(start..comma).unwrap_or_default()));
            start = comma + 1;
        }
    }

    /// An element of the list, which may be empty.
    fn element(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.report.measured.members += 1;
        match self.admit(text) {
            Ok(()) => self.report.keep(text.len()),
            Err(reason) => self.report.leave_out(reason),
        }
    }

    fn admit(&mut self, text: &str) -> Result<(), Reason> {
        let member = list_member(text)?;
        self.limits.check_key(member.key)?;
        self.limits.check_member_len(text.len())?;
        if self.baggage.len() >= self.limits.max_members && self.baggage.get(member.key).is_none() {
            return Err(Reason::TooManyMembers);
        }
        self.insert(member)
    }

    /// The last of several members of one key wins.
    fn insert(&mut self, Member { key, value, metadata }: Member<'_>) -> Result<(), Reason> {
        let before = self.baggage.len();
        let value = if self.escapes { percent::decode(value) } else { value.to_owned() };
        let replaced = self.baggage.insert_with_metadata(key.to_owned(), value, metadata);
        if replaced.is_some() {
            self.report.leave_out(Reason::Superseded);
        } else if self.baggage.len() == before {
            return Err(Reason::BaggageFull);
        }
        Ok(())
    }
}
