//! JSON objects: any object, `_meta` of the [Model Context Protocol](https://modelcontextprotocol.io), and the JSON
//! format of [CloudEvents](https://cloudevents.io).
//!
//! ```
//! use opentelemetry::trace::TraceContextExt;
//! use otel_carriers::json;
//! use otel_tracecontext::TraceContextPropagator;
//! use serde_json::json;
//!
//! let propagator = TraceContextPropagator::new();
//! let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
//! let call = json!({"name": "get_weather", "_meta": {"traceparent": traceparent, "progressToken": 1}});
//! let cx = json::extract_meta(&propagator, call.as_object().unwrap());
//! assert!(cx.span().span_context().is_remote());
//!
//! let mut next = json!({"name": "get_position"});
//! json::inject_meta(&propagator, &cx, next.as_object_mut().unwrap());
//! assert_eq!(next, json!({"name": "get_position", "_meta": {"traceparent": traceparent}}));
//! ```
//!
//! A member that is not a string counts as absent, and so does a `_meta` that is not an object.

use crate::{
    left_out::Losses,
    message::has_context,
    name::{empty_from_removes, lower_case},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use otel_propagator_core::diagnostics::Direction;
use serde_json::{Map, Value};

/// Writes `cx` into an object as members, in place of the context that it may have.
pub fn inject(propagator: &dyn TextMapPropagator, cx: &Context, object: &mut Map<String, Value>) {
    propagator.inject_context(cx, &mut JsonInjector::new(object, propagator));
}

/// The context that an object carries in its members.
#[must_use]
pub fn extract(propagator: &dyn TextMapPropagator, object: &Map<String, Value>) -> Context {
    propagator.extract_with_context(&Context::new(), &JsonExtractor::new(object))
}

/// Writes `cx` into `_meta` of the `params` of a request or notification of the Model Context Protocol.
///
/// Only `traceparent`, `tracestate` and `baggage` may stand there without a prefix; other headers are left out.
/// <https://modelcontextprotocol.io/seps/414>
///
/// `_meta` is made where there is something to write. One that is not an object is left as it is.
pub fn inject_meta(propagator: &dyn TextMapPropagator, cx: &Context, params: &mut Map<String, Value>) {
    if let Some(Value::Object(meta)) = params.get_mut(META) {
        let mut injector = JsonInjector::new(meta, propagator);
        injector.takes = Takes::Meta;
        return propagator.inject_context(cx, &mut injector);
    }
    let mut meta = Map::new();
    let mut injector = JsonInjector::new(&mut meta, propagator);
    injector.takes = Takes::Meta;
    propagator.inject_context(cx, &mut injector);
    if params.contains_key(META) {
        injector.left_out.add(META, "_meta is not an object", 0);
    } else if !meta.is_empty() {
        params.insert(META.to_owned(), Value::Object(meta));
    }
}

/// The context that `_meta` of such `params` carries.
///
/// A `null` or a number in its place, and none, give the empty context.
#[must_use]
pub fn extract_meta(propagator: &dyn TextMapPropagator, params: &Map<String, Value>) -> Context {
    match params.get(META) {
        Some(Value::Object(meta)) => extract(propagator, meta),
        _ => Context::new(),
    }
}

const META: &str = "_meta";

/// Writes `cx` into an event in CloudEvents' JSON format, unless the event has a valid context already: with a trust
/// boundary as [`message::inject`](crate::message::inject).
///
/// > Given a multi hop event transmission, the Distributed Tracing Extension, if used, MUST carry the trace information of
/// > the starting trace of the transmission.
///
/// <https://github.com/cloudevents/spec/blob/main/cloudevents/extensions/distributed-tracing.md>
///
/// Names of attributes are lower-case letters and digits: `traceparent`, `tracestate`, `baggage` and `b3` are, and other
/// headers are left out. In a binary mode the attributes are headers (`ce-traceparent` in HTTP): write them with
/// [`message::replace`](crate::message::replace) and the prefix that the binding asks for.
///
/// ```
/// use otel_carriers::{ContextMap, json};
/// use otel_tracecontext::TraceContextPropagator;
/// use serde_json::json;
///
/// let propagator = TraceContextPropagator::new();
/// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let cx = ContextMap::from_iter([("traceparent", traceparent)]).extract(&propagator);
/// let mut event = json!({"specversion": "1.0", "id": "7", "source": "/orders", "type": "order.placed"});
/// json::inject_event(&propagator, &cx, event.as_object_mut().unwrap());
/// assert_eq!(event["traceparent"], traceparent);
/// ```
pub fn inject_event(propagator: &dyn TextMapPropagator, cx: &Context, event: &mut Map<String, Value>) {
    if !has_context(propagator, &JsonExtractor::new(event)) {
        let mut injector = JsonInjector::new(event, propagator);
        injector.takes = Takes::Attributes;
        propagator.inject_context(cx, &mut injector);
    }
}

/// Writes members of an object.
///
/// ```
/// use opentelemetry::propagation::Injector;
/// use otel_carriers::json::JsonInjector;
/// use otel_tracecontext::TraceContextPropagator;
/// use serde_json::json;
///
/// let mut object = json!({"Tracestate": "older=1", "id": 7});
/// let members = object.as_object_mut().unwrap();
/// JsonInjector::new(members, &TraceContextPropagator::new()).set("b3", "0".to_owned());
/// assert_eq!(object, json!({"id": 7, "b3": "0"}));
/// ```
#[derive(Debug)]
pub struct JsonInjector<'a> {
    object: &'a mut Map<String, Value>,
    propagator: &'a dyn TextMapPropagator,
    takes: Takes,
    left_out: Losses,
}

/// Which names are written.
#[derive(Clone, Copy, Debug)]
enum Takes {
    All,
    Meta,
    Attributes,
}

impl Takes {
    fn contains(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Meta => ["traceparent", "tracestate", "baggage"].contains(&name),
            Self::Attributes => {
                !name.is_empty()
                    && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            }
        }
    }
}

impl<'a> JsonInjector<'a> {
    /// Begins with the removal of all fields of the propagator, whatever their case.
    #[must_use]
    pub fn new(object: &'a mut Map<String, Value>, propagator: &'a dyn TextMapPropagator) -> Self {
        let left_out = Losses::of("json", Direction::Out);
        let mut injector = Self { object, propagator, takes: Takes::All, left_out };
        propagator.fields().for_each(|name| injector.remove(name));
        injector
    }

    fn remove(&mut self, name: &str) {
        self.object.retain(|member, _| !member.eq_ignore_ascii_case(name));
    }
}

impl Injector for JsonInjector<'_> {
    /// Replaces the members of this name. An empty value removes them where it is a field of the propagator or a format's
    /// own header.
    fn set(&mut self, key: &str, value: String) {
        self.remove(key);
        let name = lower_case(key);
        if value.is_empty() && empty_from_removes(self.propagator, &name) {
            return;
        }
        if self.takes.contains(&name) {
            self.object.insert(name.into_owned(), Value::String(value));
        } else {
            self.left_out.add(&name, "not a name for this object", value.len());
        }
    }
}

/// Reads members of an object that are strings.
///
/// ```
/// use opentelemetry::propagation::Extractor;
/// use otel_carriers::json::JsonExtractor;
/// use serde_json::json;
///
/// let object = json!({"traceparent": 7, "Baggage": "a=1"});
/// let members = JsonExtractor::new(object.as_object().unwrap());
/// assert_eq!(members.get("traceparent"), None);
/// assert_eq!(members.get("baggage"), Some("a=1"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct JsonExtractor<'a>(&'a Map<String, Value>);

impl<'a> JsonExtractor<'a> {
    /// Reads this object.
    #[must_use]
    pub const fn new(object: &'a Map<String, Value>) -> Self {
        Self(object)
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let members = self.0.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
        members.filter_map(|(_, value)| value.as_str())
    }
}

impl Extractor for JsonExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.values(key).next()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().filter(|(_, value)| value.is_string()).map(|(name, _)| name.as_str()).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values: Vec<_> = self.values(key).collect();
        (!values.is_empty()).then_some(values)
    }
}
