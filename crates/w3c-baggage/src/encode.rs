//! A whole header on the way out.

use crate::{
    HEADER,
    octets::UNESCAPED,
    property::{self, Sink},
};
use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{Admission, Limits, Order, Report, SortKey};
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
    let (mut keys, mut entries) = (Keys::new(), Entries::new());
    for (key, (value, metadata)) in baggage {
        let entry = Entry::new(key.as_str(), value.as_str(), metadata.as_str());
        admission.measure(entry.len);
        keys.push(key.as_str().into());
        entries.push(entry);
    }
    let mut order = limits.order(&keys);
    if !admission.admit_all() {
        order.retain(|place| entries.get(place).is_some_and(|entry| admission.admit(entry.key, entry.len)));
    }
    let report = admission.report();
    (write(&entries, &order, report.kept.bytes), report)
}

/// As many as upstream's `Baggage` holds stay on the stack.
type Keys<'a> = SmallVec<[SortKey<'a>; 64]>;
type Entries<'a> = SmallVec<[Entry<'a>; 64]>;

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
        let is_plain = property::is_plain(metadata.as_bytes());
        let metadata_len = if is_plain { metadata.len() } else { property::metadata_len(metadata) };
        let semicolon = usize::from(metadata_len > 0);
        let len = key.len() + "=".len() + value.len() + 2 * escapes + semicolon + metadata_len;
        Self { key, value, metadata, len, verbatim: is_plain && escapes == 0 }
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

fn write(entries: &[Entry<'_>], order: &Order, len: usize) -> String {
    let mut header = String::with_capacity(len);
    for entry in order.iter().filter_map(|place| entries.get(place)) {
        if !header.is_empty() {
            header.push(',');
        }
        entry.write(&mut header);
    }
    header
}

#[cfg(test)]
mod tests {
    use super::encode;
    use opentelemetry::{KeyValue, baggage::Baggage};
    use otel_baggage_limits::Limits;

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
