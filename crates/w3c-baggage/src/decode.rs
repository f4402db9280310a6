//! A whole header on the way in.

use crate::{
    HEADER,
    member::{Member, list_member, plain_list_member},
    octets, percent,
};
use memchr::memchr;
use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{Admission, Elements, Limits, Reason, Report, SortKey};
use otel_propagator_core::{diagnostics::Direction, header::joined_len};
use smallvec::SmallVec;
use std::ops::RangeInclusive;

/// Reads a header: what can be read and is within the limits, and a report of what was left out and why.
///
/// A member that breaks a rule is skipped, the good ones beside it stay. Of several members of one key the last wins.
/// Over the limits, the keys of [`Limits::keep_first`] and then the leading members are kept, as many as fit.
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
    let mut admission = Admission::new(HEADER, Direction::In, limits);
    let mut members = Members::new();
    baggage_string(lines, limits, &mut admission, &mut members);
    if admission.all_fit() {
        // With the earlier ones of a key, which are taken back below.
        for member in &members {
            admission.keep(member.len());
        }
    } else {
        choose(limits, &mut admission, &mut members);
    }
    let mut baggage = Baggage::new();
    for (at, member) in members.iter().enumerate() {
        match insert(member, &mut baggage) {
            Inserted::New => {}
            Inserted::Replaced => {
                let earlier = members.get(..at).unwrap_or_default();
                let earlier = earlier.iter().rfind(|earlier| earlier.key == member.key);
                admission.take_back(earlier.map_or(0, Member::len), Reason::Superseded);
            }
            Inserted::Full => admission.take_back(member.len(), Reason::BaggageFull),
        }
    }
    (baggage, admission.received(joined_len(lines)).report())
}

/// As many as upstream's `Baggage` holds stay on the stack.
pub(crate) type Members<'a> = SmallVec<[Member<'a>; 64]>;

/// Of a header of so many bytes the look whether it is plain saves more than it costs: 2 % of 64 entries, half of a value of
/// 8 KiB. Of a longer one, which the default limits cut, not all is looked at.
const LOOKED_AT: RangeInclusive<usize> = 256..=8192;

/// > baggage-string = list-member 0*179( OWS "," OWS list-member )
///
/// The members that the grammar and the limits of single members allow.
///
/// <https://www.w3.org/TR/baggage/#definition>
#[inline]
pub(crate) fn baggage_string<'a>(
    lines: &[&'a str],
    limits: &Limits,
    admission: &mut Admission<'_>,
    members: &mut Members<'a>,
) {
    let mut elements = Elements::new(lines, limits);
    let is_plain = LOOKED_AT.contains(&joined_len(lines)) && lines.iter().all(|line| octets::is_plain(line));
    let has_properties = is_plain && lines.iter().any(|line| memchr(b';', line.as_bytes()).is_some());
    for text in &mut elements {
        let read = if is_plain { plain_list_member(text, has_properties) } else { list_member(text) };
        admission.measure(read.map_or(text.len(), |member| member.len()));
        match read.and_then(|member| limits.check(member.key, member.len()).map(|()| member)) {
            Ok(member) => members.push(member),
            Err(reason) => admission.leave_out(reason),
        }
    }
    if let Some(reason) = elements.cut() {
        admission.leave_out(reason);
    }
}

/// Of the members as many as fit, the last of each key in the place of the first.
pub(crate) fn choose(limits: &Limits, admission: &mut Admission<'_>, members: &mut Members<'_>) {
    if !limits.keep_first.is_empty() {
        let keys: Vec<SortKey<'_>> = members.iter().map(|member| member.key.into()).collect();
        let order = limits.order_received(&keys);
        *members = order.iter().filter_map(|place| members.get(place).copied()).collect();
    }
    let mut chosen = SmallVec::<[(u64, Member<'_>); 64]>::new();
    for member in members.iter() {
        let end = end(member.key.as_bytes());
        let place = chosen.iter().position(|(other, earlier)| *other == end && earlier.key == member.key);
        if let Some(place) = place {
            let (_, earlier) = chosen.remove(place);
            admission.take_back(earlier.len(), Reason::Superseded);
        }
        match admission.room(member.len()) {
            Ok(()) => {
                admission.keep(member.len());
                chosen.insert(place.unwrap_or(chosen.len()), (end, *member));
            }
            Err(reason) => admission.leave_out(reason),
        }
    }
    members.clear();
    members.extend(chosen.into_iter().map(|(_, member)| member));
}

/// The last bytes of a key as a number, which is not zero: most keys that differ, differ here.
#[inline]
fn end(key: &[u8]) -> u64 {
    match key.last_chunk() {
        Some(end) => u64::from_be_bytes(*end),
        None => key.iter().fold(0, |end, &byte| end << 8 | u64::from(byte)),
    }
}

/// Whether two members may have the same key.
pub(crate) fn may_repeat(members: &Members<'_>) -> bool {
    let mut keys = Keys::new();
    members.iter().any(|member| !keys.is_new(member.key.as_bytes()))
}

/// The keys of members, to see whether one comes again.
pub(crate) struct Keys {
    /// Their ends; twice as many places as members, so that a place is found soon.
    ends: [u64; 2 * Self::MOST],
    count: usize,
}

impl Keys {
    const MOST: usize = 64;

    pub(crate) const fn new() -> Self {
        Self { ends: [0; 2 * Self::MOST], count: 0 }
    }

    /// How many there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Adds a key, if none ends as it does and there is room: if not, it may be there already.
    #[inline]
    pub(crate) fn is_new(&mut self, key: &[u8]) -> bool {
        if self.count == Self::MOST {
            return false;
        }
        self.count += 1;
        let end = end(key);
        let mut place = (end.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize;
        loop {
            place = (place + 1) % self.ends.len();
            match self.ends.get_mut(place) {
                Some(free @ 0) => {
                    *free = end;
                    return true;
                }
                Some(taken) if *taken != end => {}
                _ => return false,
            }
        }
    }
}

/// What became of a member.
enum Inserted {
    New,
    Replaced,
    Full,
}

#[inline]
fn insert(member: &Member<'_>, baggage: &mut Baggage) -> Inserted {
    let before = baggage.len();
    let Member { key, value, metadata } = *member;
    let replaced = baggage.insert_with_metadata(key.to_owned(), percent::decode(value), metadata);
    match replaced {
        Some(_) => Inserted::Replaced,
        None if baggage.len() > before => Inserted::New,
        None => Inserted::Full,
    }
}
