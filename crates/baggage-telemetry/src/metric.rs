//! Chosen entries of baggage as attributes of a measurement.

use crate::entries::cut;
use opentelemetry::{Context, Key, KeyValue, StringValue, baggage::BaggageExt};
use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The value of an attribute that stands for all values that are not told apart, as in the semantic conventions.
const OTHER: &str = "_OTHER";

/// Cuts longer values, as [`Entries`](crate::Entries) do by default.
const MAX_VALUE_BYTES: usize = 256;

/// Turns named entries of baggage into attributes for an instrument, with a bound on the number of their values.
///
/// Each combination of attribute values is a time series that the process keeps until it ends. Whoever calls a
/// service chooses the values of its baggage, so every key says which values are told apart; all others count as
/// `_OTHER`.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
/// use otel_baggage_telemetry::MetricAttributes;
///
/// let attributes = MetricAttributes::new().only("tenant", ["acme", "globex"]).at_most("cohort", 20);
///
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user.email", "jane@example.com")]);
/// assert_eq!(attributes.of(&cx), [KeyValue::new("tenant", "acme")]);
/// // orders.add(1, &attributes.of(&cx));
///
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "made up")]);
/// assert_eq!(attributes.of(&cx), [KeyValue::new("tenant", "_OTHER")]);
/// ```
///
/// It is made once, like an instrument: what [`at_most`](Self::at_most) has met so far is kept in it.
#[derive(Debug, Default)]
pub struct MetricAttributes(Vec<(Key, Values)>);

impl MetricAttributes {
    /// No attribute.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds the entry with this key: these values as they are, any other as `_OTHER`.
    #[must_use]
    pub fn only<V: Into<StringValue>>(
        mut self,
        key: impl Into<Key>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.0.push((key.into(), Values::Only(values.into_iter().map(Into::into).collect())));
        self
    }

    /// Adds the entry with this key: the first values that turn up, this many at most, as they are, and any later
    /// one as `_OTHER`.
    ///
    /// The number of time series is bounded, and not who gets one: a caller that makes up values can use up all of
    /// them. Where callers are not trusted, [`only`](Self::only) is the choice.
    #[must_use]
    pub fn at_most(mut self, key: impl Into<Key>, values: usize) -> Self {
        self.0.push((key.into(), Values::AtMost(FirstValues::new(values))));
        self
    }

    /// The attributes of this context, in the order in which they were added; none for a key that its baggage lacks.
    ///
    /// A value is cut at a character after 256 bytes. Nothing is allocated for a context without baggage.
    #[must_use]
    pub fn of(&self, cx: &Context) -> Vec<KeyValue> {
        let baggage = cx.baggage();
        if baggage.is_empty() {
            return Vec::new();
        }
        let attribute = |(key, values): &(Key, Values)| {
            let value = cut(baggage.get(key)?.as_str(), MAX_VALUE_BYTES);
            Some(KeyValue::new(key.clone(), values.told_apart(value)))
        };
        self.0.iter().filter_map(attribute).collect()
    }
}

#[derive(Debug)]
enum Values {
    Only(Vec<StringValue>),
    AtMost(FirstValues),
}

impl Values {
    fn told_apart(&self, value: &str) -> StringValue {
        let known = match self {
            Self::Only(values) => values.iter().find(|known| known.as_str() == value),
            Self::AtMost(values) => values.get_or_add(value),
        };
        known.cloned().unwrap_or_else(|| OTHER.into())
    }
}

/// The first values that turned up: a hash table that grows by nothing and takes no lock to be read.
#[derive(Debug)]
struct FirstValues {
    /// Twice as many as there may be values, so that a search soon ends at an empty one.
    slots: Box<[OnceLock<StringValue>]>,
    room: AtomicUsize,
    /// With keys of its own, so that nobody can choose values that stand in one place.
    hasher: RandomState,
}

impl FirstValues {
    fn new(most: usize) -> Self {
        let slots = (0..most.saturating_mul(2)).map(|_| OnceLock::new()).collect();
        Self { slots, room: AtomicUsize::new(most), hasher: RandomState::new() }
    }

    fn get_or_add(&self, value: &str) -> Option<&StringValue> {
        let start = usize::try_from(self.hasher.hash_one(value) % (self.slots.len().max(1) as u64)).ok()?;
        let (before, after) = self.slots.split_at_checked(start)?;
        for slot in after.iter().chain(before) {
            let known = match slot.get() {
                Some(known) => known,
                None if self.take_room() => self.fill(slot, value),
                // Someone else may fill it with this very value; that the first measurements are not told apart
                // is better than to wait.
                None => return None,
            };
            if known.as_str() == value {
                return Some(known);
            }
        }
        None
    }

    /// Fills an empty slot, unless another thread was faster.
    fn fill<'a>(&self, slot: &'a OnceLock<StringValue>, value: &str) -> &'a StringValue {
        let mut is_filled = false;
        let known = slot.get_or_init(|| {
            is_filled = true;
            // Shared by all measurements, which clone it.
            std::sync::Arc::<str>::from(value).into()
        });
        if !is_filled {
            self.room.fetch_add(1, Ordering::Relaxed);
        }
        known
    }

    fn take_room(&self) -> bool {
        self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(1)).is_ok()
    }
}
