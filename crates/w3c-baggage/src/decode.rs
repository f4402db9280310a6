//! A whole header on the way in.

use crate::{
    HEADER,
    member::{Member, list_member},
    percent,
};
use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{Admission, Elements, Limits, Reason, Report};
use otel_propagator_core::{diagnostics::Direction, header::joined_len};
use smallvec::SmallVec;

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
    read(lines, limits, &mut admission, &mut members);
    if !admission.all_fit() {
        keep_last_of_each_key(&mut admission, &mut members);
        members.sort_by_key(|member| limits.rank(member.key));
    }
    let mut baggage = Baggage::new();
    for (at, member) in members.iter().enumerate() {
        match insert(member, &mut baggage, &admission) {
            Ok(replaces) => {
                admission.keep(member.len());
                if replaces {
                    let earlier = members.get(..at).unwrap_or_default();
                    let earlier = earlier.iter().rfind(|earlier| earlier.key == member.key);
                    admission.supersede(earlier.map_or(0, Member::len));
                }
            }
            Err(reason) => admission.leave_out(reason),
        }
    }
    (baggage, admission.received(joined_len(lines)).report())
}

/// As many as upstream's `Baggage` holds stay on the stack.
type Members<'a> = SmallVec<[Member<'a>; 64]>;

/// The members that the grammar and the limits of single members allow.
///
/// > baggage-string = list-member 0*179( OWS "," OWS list-member )
///
/// <https://www.w3.org/TR/baggage/#definition>
#[inline]
fn read<'a>(lines: &[&'a str], limits: &Limits, admission: &mut Admission<'_>, members: &mut Members<'a>) {
    let mut elements = Elements::new(lines, limits);
    for text in &mut elements {
        let read = list_member(text);
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

/// The last of several members of one key takes the place of the first.
#[cold]
fn keep_last_of_each_key(admission: &mut Admission<'_>, members: &mut Members<'_>) {
    let mut kept = Members::new();
    for member in members.iter() {
        match kept.iter_mut().rfind(|earlier| earlier.key == member.key) {
            Some(earlier) => {
                *earlier = *member;
                admission.leave_out(Reason::Superseded);
            }
            None => kept.push(*member),
        }
    }
    *members = kept;
}

/// Puts a member into the baggage if there is room for it; whether it takes the place of an earlier one.
#[inline]
fn insert(member: &Member<'_>, baggage: &mut Baggage, admission: &Admission<'_>) -> Result<bool, Reason> {
    admission.room(member.len())?;
    let before = baggage.len();
    let Member { key, value, metadata } = *member;
    let replaced = baggage.insert_with_metadata(key.to_owned(), percent::decode(value), metadata);
    if replaced.is_some() {
        return Ok(true);
    }
    if baggage.len() > before { Ok(false) } else { Err(Reason::BaggageFull) }
}
