//! A whole header on the way out.

use crate::{
    HEADER,
    octets::UNESCAPED,
    property::{self, Sink},
};
use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{Admission, Limits, Report};
use otel_propagator_core::diagnostics::Direction;
use smallvec::{SmallVec, smallvec};

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
    let mut admission = Admission::new(HEADER, Direction::Out, limits);
    let mut entries = Entries::new();
    for (key, (value, metadata)) in baggage {
        let entry = Entry::new(key.as_str(), value.as_str(), metadata.as_str());
        admission.measure(entry.len);
        entries.push(entry);
    }
    let mut order = in_order(&entries, limits);
    if !admission.admit_all() {
        order.retain(|place| {
            entries.get(place.index()).is_some_and(|entry| admission.admit(entry.key, entry.len))
        });
    }
    let report = admission.report();
    (write(&entries, &order, report.kept.bytes), report)
}

/// As many as upstream's `Baggage` holds stay on the stack.
type Entries<'a> = SmallVec<[Entry<'a>; 64]>;

/// The places of entries, in the order in which they are sent.
type Order = SmallVec<[Place; 64]>;

/// A member of a baggage, measured.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    key: &'a str,
    value: &'a str,
    metadata: &'a str,
    /// How many bytes it takes in a header.
    len: usize,
    /// Whether value and metadata go out as they are.
    verbatim: bool,
    /// Of the key.
    beginning: u128,
}

impl<'a> Entry<'a> {
    #[inline]
    pub(crate) fn new(key: &'a str, value: &'a str, metadata: &'a str) -> Self {
        let escapes = UNESCAPED.missing(value);
        let is_plain = property::is_plain(metadata);
        let metadata_len = if is_plain { metadata.len() } else { property::metadata_len(metadata) };
        let semicolon = usize::from(metadata_len > 0);
        let len = key.len() + "=".len() + value.len() + 2 * escapes + semicolon + metadata_len;
        Self {
            key,
            value,
            metadata,
            len,
            verbatim: is_plain && escapes == 0,
            beginning: beginning(key.as_bytes()),
        }
    }

    /// Appends the member, `len` bytes.
    ///
    /// The key goes out as it is, since upstream's `Baggage` holds no key that is not a token.
    #[inline]
    pub(crate) fn write(&self, header: &mut String) {
        header.push_str(self.key);
        header.push('=');
        if !self.verbatim {
            return self.write_escaped(header);
        }
        header.push_str(self.value);
        if !self.metadata.is_empty() {
            header.push(';');
            header.push_str(self.metadata);
        }
    }

    fn write_escaped(&self, header: &mut String) {
        for byte in self.value.bytes() {
            // That it is ASCII tells the compiler that it is one byte.
            if byte.is_ascii() && UNESCAPED.has(byte) {
                header.push(byte.into());
            } else {
                header.escaped(byte);
            }
        }
        if property::any(self.metadata) {
            header.push(';');
            property::write_metadata(header, self.metadata);
        }
    }
}

fn write(entries: &[Entry<'_>], order: &[Place], len: usize) -> String {
    let mut header = String::with_capacity(len);
    for entry in order.iter().filter_map(|place| entries.get(place.index())) {
        if !header.is_empty() {
            header.push(',');
        }
        entry.write(&mut header);
    }
    header
}

fn in_order(entries: &[Entry<'_>], limits: &Limits) -> Order {
    let key = |place: &Place| entries.get(place.index()).map_or("", |entry| entry.key);
    let first = entries.first().map_or(0, |entry| entry.beginning);
    let different = entries.iter().fold(0, |bits, entry| bits | entry.beginning ^ first);
    let common = different.leading_zeros();
    let mut order: Order = smallvec![Place(0); entries.len()];
    for ((entry, place), at) in entries.iter().zip(&mut order).zip(0..1 << 16) {
        *place = Place::new(entry.beginning, common, at);
    }
    order.sort_unstable();
    // Numbers tell all keys apart unless two are alike for long.
    for alike in order.chunk_by_mut(|one, other| one.prefix() == other.prefix()) {
        if alike.len() > 1 {
            alike.sort_unstable_by_key(key);
        }
    }
    if !limits.keep_first.is_empty() {
        order.sort_by_key(|place| limits.rank(key(place)));
    }
    order
}

/// Where an entry stands: six bytes of its key, from where the first keys differ, as a number that sorts as they do; and
/// its index.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place(u64);

impl Place {
    /// All keys have so many bits of their beginnings in common.
    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "shifted before")]
    fn new(beginning: u128, common: u32, index: u64) -> Self {
        let rest = beginning.checked_shl(common).unwrap_or_default();
        Self((rest >> 80 << 16) as u64 | index)
    }

    const fn prefix(self) -> u64 {
        self.0 >> 16
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the lowest 16 bits")]
    const fn index(self) -> usize {
        self.0 as u16 as usize
    }
}

/// The first 16 bytes as a number that sorts as they do.
#[inline]
fn beginning(key: &[u8]) -> u128 {
    let key = key.get(..16).unwrap_or(key);
    let missing = 8 * (16 - key.len());
    match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|bytes| u128::from(u64::from_be_bytes(*bytes)));
            first << 64 | last << missing
        }
        _ => key.iter().rev().fold(0, |beginning, &byte| beginning >> 8 | u128::from(byte) << 120),
    }
}

#[cfg(test)]
mod tests {
    use super::{Place, beginning, encode};
    use opentelemetry::{KeyValue, baggage::Baggage};
    use otel_baggage_limits::Limits;

    #[test]
    fn places_sort_as_six_bytes_of_their_keys_do() {
        let long = "abcdefghijklmnopqrst";
        let keys = (0..=long.len()).flat_map(|len| {
            let (key, _) = long.split_at(len);
            [key.to_owned(), key.to_uppercase(), key.replacen('g', "z", 1), format!("{key}~")]
        });
        let keys: Vec<String> = keys.collect();
        let places = |one: &str, other: &str, common| {
            [one, other].map(|key| Place::new(beginning(key.as_bytes()), common, 7))
        };
        for (one, other) in keys.iter().flat_map(|one| keys.iter().map(move |other| (one, other))) {
            let [first, second] = [one, other].map(|key| key.as_bytes().get(..6).unwrap_or(key.as_bytes()));
            let [place, next] = places(one, other, 0);
            assert_eq!(place.cmp(&next), first.cmp(second), "{one} {other}");
            assert_eq!(place.prefix() == next.prefix(), first == second, "{one} {other}");
            assert_eq!(place.index(), 7);
            let [place, next] = [one, other].map(|key| format!("entry.{key}"));
            let [place, next] = places(&place, &next, 8 * 6);
            assert_eq!(place.cmp(&next), first.cmp(second), "entry.{one} entry.{other}");
        }
        let [place, next] = places("a", "a", 128);
        assert_eq!(place, next, "all keys begin alike");
    }

    #[test]
    fn keys_that_begin_alike_for_long_are_sorted_by_the_rest() {
        let keys = [
            "session.identifier.b",
            "session.identifier.a",
            "session.id",
            "session.name",
            "t",
            "session.idle",
        ];
        let baggage: Baggage = keys.map(|key| KeyValue::new(key, "1")).into_iter().collect();
        let mut sorted = keys.map(|key| format!("{key}=1"));
        sorted.sort();
        assert_eq!(encode(&baggage, &Limits::new()).0, sorted.join(","));
    }
}
