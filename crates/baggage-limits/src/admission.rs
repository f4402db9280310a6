//! Which members of a baggage are sent, and in which order.

use crate::{
    Limits, Reason, Report, Size, property,
    wire::{self, Cost},
};
use opentelemetry::{
    Key, StringValue,
    baggage::{Baggage, BaggageMetadata},
};
use smallvec::SmallVec;

/// As many members as upstream's `Baggage` holds stay on the stack.
const INLINE: usize = 64;

/// The members of a baggage that are sent, in the order in which they are sent, and those that are not.
///
/// Made by [`Limits::select`].
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    /// In the order of the baggage, which is not the same from one to the next.
    entries: SmallVec<[Entry<'a>; INLINE]>,
    /// The places of the entries, in the order in which they are sent.
    order: SmallVec<[Place; INLINE]>,
    report: Report,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    key: &'a Key,
    content: &'a (StringValue, BaggageMetadata),
    cost: Cost,
    left_out: Option<Reason>,
}

/// A member of a baggage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Member<'a> {
    /// Its key, a token.
    pub key: &'a str,
    /// Its value, decoded.
    pub value: &'a str,
    /// Its metadata, as it is in the baggage.
    pub metadata: &'a str,
    /// How many bytes it takes on the wire.
    pub wire_len: usize,
    verbatim: bool,
}

impl<'a> Selection<'a> {
    pub(crate) fn new() -> Self {
        Self { entries: SmallVec::new(), order: SmallVec::new(), report: Report::default() }
    }

    /// In place, since a whole selection is some kilobytes to move.
    pub(crate) fn choose(
        &mut self,
        baggage: &'a Baggage,
        limits: &Limits,
        cost: impl Fn(&str, &str, &str) -> Cost,
    ) {
        self.measure(baggage, cost);
        self.sort(limits.keep_first);
        self.admit(limits);
    }

    #[inline]
    fn measure(&mut self, baggage: &'a Baggage, cost: impl Fn(&str, &str, &str) -> Cost) {
        let mut bytes = 0;
        for (key, content) in baggage {
            let Ok(index) = u16::try_from(self.entries.len()) else { break };
            let cost = cost(key.as_str(), content.0.as_str(), content.1.as_str());
            bytes += cost.len();
            self.order.push(Place::new(key.as_str(), index));
            self.entries.push(Entry { key, content, cost, left_out: None });
        }
        self.report.measured = Size::new(self.entries.len(), bytes);
    }

    fn sort(&mut self, keep_first: &[&str]) {
        let Self { entries, order, .. } = self;
        let key = |place: &Place| entries.get(place.index()).map(|entry| entry.key.as_str());
        order.sort_unstable();
        // Numbers tell all keys apart unless two begin alike.
        if order.windows(2).any(|pair| matches!(pair, [a, b] if a.prefix() == b.prefix())) {
            order.sort_unstable_by_key(key);
        }
        if !keep_first.is_empty() {
            let rank = |place: &Place| keep_first.iter().position(|first| Some(*first) == key(place));
            order.sort_by_key(|place| rank(place).unwrap_or(usize::MAX));
        }
    }

    fn admit(&mut self, limits: &Limits) {
        let Self { entries, order, report } = self;
        if limits.admit_every_key() && limits.have_room(report.measured) {
            return report.keep_all(entries.iter().map(|entry| entry.cost.len()));
        }
        for place in order {
            let Some(entry) = entries.get_mut(place.index()) else { continue };
            match limits.check(&entry.member(), report.kept) {
                Ok(()) => report.keep(entry.cost.len()),
                Err(reason) => {
                    report.leave_out(reason);
                    entry.left_out = Some(reason);
                }
            }
        }
    }

    /// The members that are sent, in the order in which they are sent.
    #[inline]
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> {
        self.in_order().filter(|entry| entry.left_out.is_none()).map(Entry::member)
    }

    /// The keys that are left out, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&'a str, Reason)> {
        self.in_order().filter_map(|entry| Some((entry.key.as_str(), entry.left_out?)))
    }

    #[inline]
    fn in_order(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.order.iter().filter_map(|place| self.entries.get(place.index()))
    }

    /// The numbers.
    #[must_use]
    pub const fn report(&self) -> Report {
        self.report
    }

    /// The header of the members that are sent; empty if there are none.
    ///
    /// ```
    /// use opentelemetry::{KeyValue, baggage::Baggage};
    /// use otel_baggage_limits::Limits;
    ///
    /// let baggage = Baggage::from([KeyValue::new("user", "Amélie"), KeyValue::new("tenant", "acme")]);
    /// assert_eq!(Limits::new().select(&baggage).header(), "tenant=acme,user=Am%C3%A9lie");
    /// ```
    #[must_use]
    pub fn header(&self) -> String {
        let mut header = Vec::with_capacity(self.report.kept.bytes);
        for member in self.members() {
            if !header.is_empty() {
                header.push(b',');
            }
            let Member { key, value, metadata, verbatim, .. } = member;
            if verbatim {
                wire::write_verbatim(&mut header, key, value, metadata);
            } else {
                wire::write_member(&mut header, key, value, metadata);
            }
        }
        // The members are ASCII, so this is always `Ok`.
        String::from_utf8(header).unwrap_or_default()
    }

    /// A baggage of the members that are sent, as they are.
    #[must_use]
    pub fn to_baggage(&self) -> Baggage {
        self.rebuild(str::to_owned)
    }

    /// A baggage of the members that are sent, whose metadata no propagator can turn into anything else, even if it
    /// writes it as it is.
    pub(crate) fn to_sanitised_baggage(&self) -> Baggage {
        self.rebuild(property::sanitised)
    }

    fn rebuild(&self, metadata: impl Fn(&str) -> String) -> Baggage {
        let mut baggage = Baggage::new();
        for member in self.members() {
            baggage.insert_with_metadata(
                member.key.to_owned(),
                member.value.to_owned(),
                metadata(member.metadata),
            );
        }
        baggage
    }
}

impl<'a> Entry<'a> {
    #[inline]
    fn member(&self) -> Member<'a> {
        let (value, metadata) = self.content;
        Member {
            key: self.key.as_str(),
            value: value.as_str(),
            metadata: metadata.as_str(),
            wire_len: self.cost.len(),
            verbatim: self.cost.verbatim,
        }
    }
}

/// Where an entry stands: the first 14 bytes of its key as a number that sorts as they do, so that most comparisons
/// are of numbers, and its index.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place(u128);

impl Place {
    #[inline]
    fn new(key: &str, index: u16) -> Self {
        Self(prefix(key.as_bytes()) | u128::from(index))
    }

    const fn prefix(self) -> u128 {
        self.0 >> 16
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lowest 16 bits")]
    const fn index(self) -> usize {
        self.0 as u16 as usize
    }
}

/// The first 14 bytes, above two that are zero.
#[inline]
fn prefix(key: &[u8]) -> u128 {
    let key = key.get(..14).unwrap_or(key);
    let missing = 8 * (16 - key.len());
    match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|bytes| u128::from(u64::from_be_bytes(*bytes)));
            first << 64 | last << missing
        }
        _ => key.iter().rev().fold(0, |prefix, &byte| prefix >> 8 | u128::from(byte) << 120),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn places_sort_as_the_first_14_bytes_of_their_keys_do() {
        let long = "abcdefghijklmnopqrst";
        let keys = (0..=long.len()).flat_map(|len| {
            let (key, _) = long.split_at(len);
            [key.to_owned(), key.to_uppercase(), key.replacen('g', "z", 1), format!("{key}~")]
        });
        let keys: Vec<String> = keys.collect();
        for (one, other) in keys.iter().flat_map(|one| keys.iter().map(move |other| (one, other))) {
            let [first, second] = [one, other].map(|key| key.as_bytes().get(..14).unwrap_or(key.as_bytes()));
            let places = [Place::new(one, 7), Place::new(other, 7)];
            assert_eq!(places[0].cmp(&places[1]), first.cmp(second), "{one} {other}");
            assert_eq!(places[0].prefix() == places[1].prefix(), first == second, "{one} {other}");
            assert_eq!(places[0].index(), 7);
        }
    }
}
