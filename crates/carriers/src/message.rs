//! The headers of messages: Kafka, RabbitMQ, NATS, Redis streams, MQTT, Pulsar, SQS, AMQP 1.0, CloudEvents.
//!
//! Every client library has its own type for them, and all fit two shapes: *go through names and bytes*, which
//! [`MessageExtractor`] reads, and *set or remove a name*, which [`inject`] calls. So this crate depends on none of
//! them. Here the headers are a list, as in MQTT 5:
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
//! use otel_carriers::message::{self, MessageExtractor};
//! use otel_tracecontext::TraceContextPropagator;
//!
//! let propagator = TraceContextPropagator::new();
//! // What a Go service wrote.
//! let sent = [("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("id", "7")];
//! let cx = message::extract(&propagator, sent);
//! assert_eq!(cx.span().span_context().span_id().to_string(), "b7ad6b7169203331");
//!
//! let mut headers = vec![("id".to_owned(), "8".to_owned())];
//! message::inject(
//!     &propagator,
//!     &cx,
//!     &mut headers,
//!     |headers| MessageExtractor::new(headers.iter().map(|(name, value)| (name, value))),
//!     |headers, name, value| match value {
//!         Some(value) => headers.push((name.to_owned(), value)),
//!         None => headers.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
//!     },
//! );
//! assert_eq!(headers[1].0, "traceparent");
//! assert_eq!(headers[1].1, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
//! ```
//!
//! Text headers with the names of HTTP are what the other languages write. W3C's drafts of a binary form for AMQP and
//! MQTT are abandoned: "do not use".

use crate::{
    left_out::Losses,
    name::{empty_from_removes, lower_case},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{Link, SpanId, TraceContextExt, TraceId},
};
use otel_propagator_core::{diagnostics::Direction, remote, restart::RestartExt};
use std::{collections::HashSet, fmt};

/// Writes `cx` into a message, unless the message has a creation context already.
///
/// > If a user provides a custom creation context in a message, this context SHOULD NOT be modified
///
/// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#producer-spans>
///
/// So a retry, and a message that was received and is sent on, keep the trace of whoever created it. `read` shows the
/// headers that the message has. `write` is called as [`replace`] calls it, or not at all.
///
/// The question is what the message has, not who may continue it, so the inbound rules of a trust boundary have no say
/// here; and where nothing is written, neither have its outbound rules. To send a received message on to somebody else,
/// [`replace`] what it has.
pub fn inject<M: ?Sized>(
    propagator: &dyn TextMapPropagator,
    cx: &Context,
    message: &mut M,
    read: impl FnOnce(&M) -> MessageExtractor<'_>,
    mut write: impl FnMut(&mut M, &str, Option<String>),
) {
    if !has_context(propagator, &read(message)) {
        replace(propagator, cx, |name, value| write(message, name, value));
    }
}

/// Whether there is a valid context, whatever a policy makes of callers.
pub(crate) fn has_context(propagator: &dyn TextMapPropagator, extractor: &dyn Extractor) -> bool {
    propagator.extract_with_context(&remote::probe(), extractor).span().span_context().is_valid()
}

/// Writes `cx` into a message in place of the context that it may have.
///
/// `write` is called with a name and `None` for each header that is to be removed, whatever its case, and then with
/// each header that is to be there. Names are in lower case, and none comes with a value twice. Nothing is left of an
/// older context, also where the propagator writes less this time.
///
/// ```
/// use opentelemetry::Context;
/// use otel_carriers::message;
/// use otel_tracecontext::TraceContextPropagator;
/// use std::collections::BTreeMap;
///
/// let mut headers = BTreeMap::from([("tracestate".to_owned(), "of=another".to_owned())]);
/// message::replace(&TraceContextPropagator::new(), &Context::new(), |name, value| {
///     match value {
///         Some(value) => headers.insert(name.to_owned(), value),
///         None => headers.remove(name),
///     };
/// });
/// assert!(headers.is_empty());
/// ```
pub fn replace(propagator: &dyn TextMapPropagator, cx: &Context, write: impl FnMut(&str, Option<String>)) {
    propagator.inject_context(cx, &mut MessageInjector::new(propagator, write));
}

/// The context that a message carries, by its headers as names and bytes.
pub fn extract<'a, N, V>(
    propagator: &dyn TextMapPropagator,
    headers: impl IntoIterator<Item = (&'a N, &'a V)>,
) -> Context
where
    N: AsRef<str> + ?Sized + 'a,
    V: AsRef<[u8]> + ?Sized + 'a,
{
    propagator.extract_with_context(&Context::new(), &MessageExtractor::new(headers))
}

/// The span contexts of a batch of messages as links, each once, at most `max` of them.
///
/// A consumer of several messages is the child of none of them: its span links to all. The SDK keeps 128 links of a
/// span by default and drops further ones. Messages without a valid context are passed over; once `max` is reached, no
/// further message is looked at.
///
/// Behind a trust boundary that restarts traces with a link it is the link that its rule asks for; behind one that
/// restarts them without there is none.
///
/// ```
/// use otel_carriers::message::{MessageExtractor, links};
/// use otel_tracecontext::TraceContextPropagator;
///
/// let first = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")];
/// let second = [("traceparent", "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01")];
/// let batch = [&first, &second, &first].map(|headers| MessageExtractor::new(*headers));
/// assert_eq!(links(&TraceContextPropagator::new(), &batch, 128).len(), 2);
/// ```
pub fn links<'a, E: Extractor + 'a>(
    propagator: &dyn TextMapPropagator,
    messages: impl IntoIterator<Item = &'a E>,
    max: usize,
) -> Vec<Link> {
    let mut seen = HashSet::<(TraceId, SpanId)>::new();
    let links = messages.into_iter().filter_map(|message| {
        let link = link(&propagator.extract_with_context(&Context::new(), message))?;
        seen.insert((link.span_context.trace_id(), link.span_context.span_id())).then_some(link)
    });
    links.take(max).collect()
}

/// To the span that the context goes on from, or that it was restarted from.
fn link(cx: &Context) -> Option<Link> {
    let span = cx.span();
    let span = span.span_context();
    if span.is_valid() { Some(Link::with_context(span.clone())) } else { cx.take_restart_link() }
}

/// Reads the headers of a message.
///
/// They are gone through once and borrowed. Names are compared without their case, since not every broker's client
/// keeps it; several headers of one name are given in order. A value that is not text counts as absent.
///
/// ```
/// use opentelemetry::propagation::Extractor;
/// use otel_carriers::message::MessageExtractor;
///
/// let headers: [(&str, &[u8]); 3] = [("Baggage", b"a=1"), ("baggage", b"b=2"), ("baggage", b"\xff")];
/// let message = MessageExtractor::new(headers);
/// assert_eq!(message.get_all("baggage"), Some(vec!["a=1", "b=2"]));
/// ```
#[derive(Debug)]
pub struct MessageExtractor<'a> {
    headers: Vec<(&'a str, &'a [u8])>,
    left_out: Losses,
}

impl<'a> MessageExtractor<'a> {
    /// Headers as names and bytes.
    pub fn new<N, V>(headers: impl IntoIterator<Item = (&'a N, &'a V)>) -> Self
    where
        N: AsRef<str> + ?Sized + 'a,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let headers = headers.into_iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        Self { headers, left_out: Losses::of("message", Direction::In) }
    }

    fn values(&self, key: &str) -> impl Iterator<Item = &'a [u8]> {
        let headers = self.headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(key));
        headers.map(|(_, value)| *value)
    }
}

impl Extractor for MessageExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = self.values(key).next()?;
        self.left_out.text(key, value)
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| *name).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let mut values = self.values(key).peekable();
        values.peek()?;
        Some(self.left_out.texts(key, values))
    }
}

/// Calls a function that sets and removes the headers of a message: what [`replace`] uses.
///
/// ```
/// use opentelemetry::propagation::Injector;
/// use otel_carriers::message::MessageInjector;
/// use otel_tracecontext::TraceContextPropagator;
///
/// let mut calls = Vec::new();
/// let write = |name: &str, value: Option<String>| calls.push((name.to_owned(), value));
/// MessageInjector::new(&TraceContextPropagator::new(), write).set("Baggage", "a=1".to_owned());
/// let none = |name: &str| (name.to_owned(), None);
/// let baggage = ("baggage".to_owned(), Some("a=1".to_owned()));
/// assert_eq!(calls, [none("traceparent"), none("tracestate"), none("baggage"), baggage]);
/// ```
pub struct MessageInjector<'a, F> {
    propagator: &'a dyn TextMapPropagator,
    write: F,
    left_out: Losses,
}

impl<'a, F: FnMut(&str, Option<String>)> MessageInjector<'a, F> {
    /// Begins with the removal of all fields of the propagator.
    pub fn new(propagator: &'a dyn TextMapPropagator, mut write: F) -> Self {
        for name in propagator.fields() {
            write(&lower_case(name), None);
        }
        Self { propagator, write, left_out: Losses::of("message", Direction::Out) }
    }
}

impl<F: FnMut(&str, Option<String>)> Injector for MessageInjector<'_, F> {
    /// Removes the header, then writes it, unless the value is empty and the name a field of the propagator or a format's
    /// own header. A value with a control character is left out, and a name that is not visible ASCII or has a colon: where
    /// headers are lines, it could become another header.
    fn set(&mut self, key: &str, value: String) {
        let name = lower_case(key);
        (self.write)(&name, None);
        if !is_name(key) {
            self.left_out.add(key, "not a name of a header", value.len());
        } else if !is_text(&value) {
            self.left_out.add(key, "a control character", value.len());
        } else if !(value.is_empty() && empty_from_removes(self.propagator, &name)) {
            (self.write)(&name, Some(value));
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}

fn is_text(text: &str) -> bool {
    !text.bytes().any(|byte| byte.is_ascii_control() && byte != b'\t')
}

impl<F> fmt::Debug for MessageInjector<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageInjector").finish_non_exhaustive()
    }
}
