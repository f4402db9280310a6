//! Which entries of baggage are copied, and how.

use opentelemetry::{Key, StringValue, baggage::Baggage};
use otel_propagator_core::keys::Keys;
use smallvec::SmallVec;
use std::borrow::Cow;

/// As many entries as upstream's `Baggage` can hold, so that choosing never allocates.
const MOST: usize = 64;

/// Which entries of baggage are copied to telemetry, and how.
///
/// A list of keys is mandatory: whoever calls a service chooses what is in its baggage, and what is copied is stored,
/// paid for and shown. [`all`](Self::all) exists, and has to be written.
///
/// ```
/// use otel_baggage_telemetry::{Entries, Keys};
///
/// let entries = Entries::of(Keys::of(&["tenant", "cohort.*"]))
///     .except(Keys::of(&["cohort.secret"]))
///     .prefix("baggage.");
/// assert!(entries.contains("tenant") && entries.contains("cohort.beta"));
/// assert!(!entries.contains("cohort.secret") && !entries.contains("user.email"));
/// ```
///
/// [`Keys`] turn into entries by themselves, so `BaggageSpanProcessor::new(Keys::of(&["tenant"]))` is enough where
/// nothing else is to be said.
#[derive(Clone, Debug)]
pub struct Entries {
    keys: Keys,
    except: Keys,
    prefix: Cow<'static, str>,
    max_value_bytes: usize,
    most: usize,
}

impl Entries {
    /// The entries with these keys.
    #[must_use]
    pub fn of(keys: impl Into<Keys>) -> Self {
        Self {
            keys: keys.into(),
            except: Keys::NONE,
            prefix: Cow::Borrowed(""),
            max_value_bytes: 256,
            most: 16,
        }
    }

    /// Every entry, up to the bound on how many: whatever a caller sends is on the telemetry of this service.
    #[must_use]
    pub fn all() -> Self {
        Self::of(Keys::ALL)
    }

    /// Leaves these keys out, whatever else names them.
    #[must_use]
    pub fn except(mut self, keys: impl Into<Keys>) -> Self {
        self.except = keys.into();
        self
    }

    /// Puts this before each key to make the name of the attribute; nothing by default.
    ///
    /// A prefix tells what a caller said from what this service knows: `baggage.tenant` beside a `tenant` that was
    /// looked up.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Cuts values that are longer than this many bytes of UTF-8, at a character; 256 by default.
    #[must_use]
    pub const fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Copies at most this many entries of a context; 16 by default, 64 at most.
    ///
    /// ```
    /// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, trace::{Tracer as _, TracerProvider as _}};
    /// use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
    /// use otel_baggage_telemetry::{BaggageSpanProcessor, Entries, Keys};
    ///
    /// let entries = Entries::of(Keys::of(&["tenant", "*"])).max_entries(1).max_value_bytes(4);
    /// let exporter = InMemorySpanExporter::default();
    /// let provider = SdkTracerProvider::builder()
    ///     .with_span_processor(BaggageSpanProcessor::new(entries))
    ///     .with_simple_exporter(exporter.clone())
    ///     .build();
    /// let cx = Context::new().with_baggage([KeyValue::new("cart", "3"), KeyValue::new("tenant", "acme retail")]);
    /// drop(provider.tracer("shop").start_with_context("order", &cx));
    /// assert_eq!(exporter.get_finished_spans().unwrap()[0].attributes, [KeyValue::new("tenant", "acme")]);
    /// ```
    ///
    /// Which ones stay is the same on every run: those of the pattern that was named first, in the order of their
    /// keys.
    #[must_use]
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.most = entries;
        self
    }

    /// Whether an entry with this key is copied.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.rank(key).is_some()
    }

    /// The place of a key among those that are copied.
    fn rank(&self, key: &str) -> Option<usize> {
        self.keys.position(key).filter(|_| !self.except.contains(key))
    }

    /// Whether an attribute may have been made of an entry.
    pub(crate) fn may_have_named(&self, attribute: &str) -> bool {
        attribute.strip_prefix(&*self.prefix).is_some_and(|key| self.contains(key))
    }

    /// The entries of this baggage that are copied, in their order.
    pub(crate) fn chosen<'a>(&'a self, baggage: &'a Baggage) -> Chosen<'a> {
        let mut chosen = Chosen::new();
        if baggage.is_empty() {
            return chosen; // before anything is asked of the keys
        }
        for (key, (value, _metadata)) in baggage {
            if let Some(rank) = self.rank(key.as_str()) {
                chosen.push(Entry { rank, key, value, entries: self });
            }
        }
        chosen.sort_unstable_by_key(|entry| (entry.rank, entry.key.as_str()));
        chosen.truncate(self.most);
        chosen
    }
}

impl<K: Into<Keys>> From<K> for Entries {
    fn from(keys: K) -> Self {
        Self::of(keys)
    }
}

pub(crate) type Chosen<'a> = SmallVec<[Entry<'a>; MOST]>;

/// An entry that is to be copied. Nothing is cloned before it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    rank: usize,
    key: &'a Key,
    value: &'a StringValue,
    entries: &'a Entries,
}

impl<'a> Entry<'a> {
    /// Whether the attribute has this name.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        name.strip_prefix(&*self.entries.prefix) == Some(self.key.as_str())
    }

    /// The name of the attribute.
    pub(crate) fn name(&self) -> Key {
        if self.entries.prefix.is_empty() {
            return self.key.clone();
        }
        Key::new([&*self.entries.prefix, self.key.as_str()].concat())
    }

    /// The value of the attribute.
    pub(crate) fn value(&self) -> StringValue {
        let text = self.text();
        if text.len() == self.value.as_str().len() {
            return self.value.clone();
        }
        text.to_owned().into()
    }

    /// The value of the attribute as text.
    pub(crate) fn text(&self) -> &'a str {
        cut(self.value.as_str(), self.entries.max_value_bytes)
    }
}

/// The beginning of a text, at most this many bytes and whole characters.
pub(crate) fn cut(text: &str, max_bytes: usize) -> &str {
    (0..=max_bytes.min(text.len())).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}
