//! A whole header on the way out.

use crate::{
    HEADER,
    octets::UNESCAPED,
    property::{self, Sink},
};
use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{Admission, Limits, Report};
use otel_propagator_core::diagnostics::Direction;
use smallvec::SmallVec;

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
}

impl<'a> Entry<'a> {
    #[inline]
    pub(crate) fn new(key: &'a str, value: &'a str, metadata: &'a str) -> Self {
        let escapes = UNESCAPED.missing(value);
        let is_plain = property::is_plain(metadata);
        let metadata_len = if is_plain { metadata.len() } else { property::metadata_len(metadata) };
        let semicolon = usize::from(metadata_len > 0);
        let len = key.len() + "=".len() + value.len() + 2 * escapes + semicolon + metadata_len;
        Self { key, value, metadata, len, verbatim: is_plain && escapes == 0 }
    }

    /// Appends the member, `len` bytes.
    ///
    /// The key goes out as it is, since upstream's `Baggage` holds no key that is not a token.
    #[inline]
    pub(crate) fn write(&self, header: &mut Vec<u8>) {
        header.extend_from_slice(self.key.as_bytes());
        header.push(b'=');
        if !self.verbatim {
            return self.write_escaped(header);
        }
        header.extend_from_slice(self.value.as_bytes());
        if !self.metadata.is_empty() {
            header.push(b';');
            header.extend_from_slice(self.metadata.as_bytes());
        }
    }

    fn write_escaped(&self, header: &mut Vec<u8>) {
        for &byte in self.value.as_bytes() {
            if UNESCAPED.has(byte) { header.push(byte) } else { header.escaped(byte) }
        }
        if property::any(self.metadata) {
            header.push(b';');
            property::write_metadata(header, self.metadata);
        }
    }
}

fn write(entries: &Entries<'_>, order: &Order, len: usize) -> String {
    let mut header = Vec::with_capacity(len);
    for entry in order.iter().filter_map(|place| entries.get(place.index())) {
        if !header.is_empty() {
            header.push(b',');
        }
        entry.write(&mut header);
    }
    // The members are ASCII, so this is always `Ok`.
    String::from_utf8(header).unwrap_or_default()
}

fn in_order(entries: &Entries<'_>, limits: &Limits) -> Order {
    let key = |place: &Place| entries.get(place.index()).map_or("", |entry| entry.key);
    let mut order: Order = (0..=u16::MAX).zip(entries).map(|(at, entry)| Place::new(entry.key, at)).collect();
    order.sort_unstable();
    // Numbers tell all keys apart unless two begin alike.
    if order.windows(2).any(|pair| matches!(pair, [a, b] if a.prefix() == b.prefix())) {
        order.sort_unstable_by_key(key);
    }
    if !limits.keep_first.is_empty() {
        order.sort_by_key(|place| limits.rank(key(place)));
    }
    order
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
