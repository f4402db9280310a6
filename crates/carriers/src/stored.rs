//! Context that waits: rows of an outbox table, entries of a job queue.

use crate::name::{empty_from_removes, empty_removes, lower_case};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use std::collections::HashMap;

/// An owned and ordered map of headers, to be stored with work that is done later.
///
/// Whoever does that work extracts the context again: to go on with the trace that queued it, or to start one that links
/// to it, which is better when a day lies between. Names are in lower case and compared without case; a name has one
/// value, and an empty one removes a format's own header. Another trace's `ContextMap` is written by making a new one.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
/// use otel_carriers::ContextMap;
/// use otel_tracecontext::TraceContextPropagator;
///
/// let propagator = TraceContextPropagator::new();
/// let request = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let cx = request.into_iter().collect::<ContextMap>().extract(&propagator);
///
/// let stored = ContextMap::inject(&propagator, &cx); // `stored` goes into the row
/// let later = stored.extract(&propagator);
/// assert_eq!(later.span().span_context().trace_id(), cx.span().span_context().trace_id());
/// ```
///
/// With the feature `serde` it is a map of strings, in JSON and elsewhere. Where it is read, a value that is not a
/// string counts as absent if the format can tell (JSON can, a binary one cannot); `null` in its place is the empty map.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ContextMap(Vec<(String, String)>);

impl ContextMap {
    /// The empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What the propagator writes of `cx`.
    #[must_use]
    pub fn inject(propagator: &dyn TextMapPropagator, cx: &Context) -> Self {
        let mut map = Self::new();
        propagator.inject_context(cx, &mut map);
        map.0.retain(|(name, value)| !(value.is_empty() && empty_from_removes(propagator, name)));
        map
    }

    /// The context that was stored.
    #[must_use]
    pub fn extract(&self, propagator: &dyn TextMapPropagator) -> Context {
        propagator.extract_with_context(&Context::new(), self)
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Names and values, in the order in which the propagator wrote them.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is nothing in it: there was no span and no baggage.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of names.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Extractor for ContextMap {
    fn get(&self, key: &str) -> Option<&str> {
        self.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.iter().map(|(name, _)| name).collect()
    }
}

impl Injector for ContextMap {
    fn set(&mut self, key: &str, value: String) {
        if value.is_empty() && empty_removes(key) {
            return self.0.retain(|(name, _)| !name.eq_ignore_ascii_case(key));
        }
        match self.0.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
            Some((_, older)) => *older = value,
            None => self.0.push((lower_case(key).into_owned(), value)),
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.0.reserve(additional);
    }
}

/// Of a name that comes twice the last value counts.
impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for ContextMap {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(entries: I) -> Self {
        let (mut map, mut places) = (Self::new(), HashMap::new());
        for (name, value) in entries {
            let (name, value) = (name.as_ref().to_ascii_lowercase(), value.into());
            // Not a look-up in the list, whose work would be the square of what is stored.
            if let Some((_, older)) = places.get(&name).and_then(|at| map.0.get_mut(*at)) {
                *older = value;
            } else {
                places.insert(name.clone(), map.len());
                map.0.push((name, value));
            }
        }
        map.0.retain(|(name, value)| !(value.is_empty() && empty_removes(name)));
        map
    }
}

impl IntoIterator for ContextMap {
    type Item = (String, String);
    type IntoIter = std::vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(feature = "serde")]
mod serde_impls {
    use super::ContextMap;
    use serde::{
        Deserialize, Deserializer, Serialize, Serializer,
        de::{IgnoredAny, MapAccess, Visitor},
    };
    use std::fmt;

    impl Serialize for ContextMap {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.iter())
        }
    }

    impl<'de> Deserialize<'de> for ContextMap {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            if deserializer.is_human_readable() {
                deserializer.deserialize_any(Described)
            } else {
                deserializer.deserialize_map(Strings)
            }
        }
    }

    /// A format that says of what kind a value is.
    struct Described;

    impl<'de> Visitor<'de> for Described {
        type Value = ContextMap;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of strings")
        }

        fn visit_unit<E>(self) -> Result<ContextMap, E> {
            Ok(ContextMap::new())
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContextMap, A::Error> {
            let mut entries = Vec::new();
            while let Some((name, value)) = map.next_entry::<String, Value>()? {
                if let Value::Text(value) = value {
                    entries.push((name, value));
                }
            }
            Ok(entries.into_iter().collect())
        }
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Value {
        Text(String),
        Other(IgnoredAny),
    }

    /// A format that does not.
    struct Strings;

    impl<'de> Visitor<'de> for Strings {
        type Value = ContextMap;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map of strings")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ContextMap, A::Error> {
            let mut entries = Vec::new();
            while let Some(entry) = map.next_entry::<String, String>()? {
                entries.push(entry);
            }
            Ok(entries.into_iter().collect())
        }
    }
}
