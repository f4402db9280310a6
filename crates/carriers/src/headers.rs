//! Headers of HTTP: [`http::HeaderMap`].
//!
//! ```
//! use http::Request;
//! use opentelemetry::trace::TraceContextExt;
//! use otel_carriers::headers;
//! use otel_tracecontext::TraceContextPropagator;
//!
//! let propagator = TraceContextPropagator::new();
//! let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
//! let inbound = Request::get("/orders").header("traceparent", traceparent).body(()).unwrap();
//! let cx = headers::extract(&propagator, inbound.headers());
//!
//! let mut outbound = Request::get("/stock").body(()).unwrap();
//! headers::inject(&propagator, &cx, outbound.headers_mut());
//! assert_eq!(outbound.headers()["traceparent"], traceparent);
//! assert!(outbound.headers()["traceparent"].is_sensitive());
//! ```
//!
//! # Ids and HTTP/2
//!
//! HTTP/2 keeps a table of 4096 bytes a connection with headers that were sent before, to send them again in one or two
//! bytes. An id never comes again, so each one in that table only throws out a header that would. [`HeaderInjector`]
//! marks ids ([`HeaderValue::set_sensitive`]) so that they are never put there. With 20 further headers of a constant value
//! a request took 117 bytes instead of 255, and 131 instead of 766 where 14 ordinary ones fill the table further;
//! `docs/carriers.md` in the repository has the tables. A marked value shows as `Sensitive` in the `Debug` of a `HeaderMap`.
//! Baggage is mostly the same from request to request, and stays indexed unless [asked for](HeaderInjector::never_indexed).

use crate::{
    left_out::Losses,
    name::{empty_from_removes, known},
};
use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{InvalidHeaderName, InvalidHeaderValue, MaxSizeReached},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use otel_propagator_core::diagnostics::Direction;

mod server_timing;

pub use server_timing::ServerTiming;

/// Writes `cx` into the headers of a request, and nothing of an older context stays in them.
pub fn inject(propagator: &dyn TextMapPropagator, cx: &Context, headers: &mut HeaderMap) {
    propagator.inject_context(cx, &mut HeaderInjector::new(headers, propagator));
}

/// The context that the headers of a request carry.
#[must_use]
pub fn extract(propagator: &dyn TextMapPropagator, headers: &HeaderMap) -> Context {
    propagator.extract_with_context(&Context::new(), &HeaderExtractor::new(headers))
}

/// Removes headers by their names, whatever their case; a name that ends in `*` stands for all that begin with the rest.
///
/// A proxy that copies the headers of its caller removes what it reads and does not write, such as those of a format that
/// is only accepted: the fields of the propagator are removed by [`inject`].
///
/// ```
/// use http::HeaderMap;
/// use otel_carriers::headers::strip;
///
/// let mut headers = HeaderMap::new();
/// for name in ["host", "b3", "uberctx-tenant", "uberctx-user"] {
///     headers.insert(name, "1".parse().unwrap());
/// }
/// strip(&mut headers, ["B3", "uberctx-*"]);
/// assert_eq!(headers.keys().collect::<Vec<_>>(), ["host"]);
/// ```
pub fn strip<N: AsRef<str>>(headers: &mut HeaderMap, names: impl IntoIterator<Item = N>) {
    for name in names {
        match name.as_ref().strip_suffix('*') {
            None => remove(headers, name.as_ref()),
            Some(prefix) => strip_prefix(headers, prefix),
        }
    }
}

fn strip_prefix(headers: &mut HeaderMap, prefix: &str) {
    let begins = |name: &&HeaderName| {
        name.as_str()
            .as_bytes()
            .get(..prefix.len())
            .is_some_and(|it| it.eq_ignore_ascii_case(prefix.as_bytes()))
    };
    for name in headers.keys().filter(begins).cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

#[inline]
fn remove(headers: &mut HeaderMap, name: &str) {
    if headers.is_empty() {
        return;
    }
    match known(name) {
        Some(known) => headers.remove(&known.header),
        None => headers.remove(name),
    };
}

/// Writes the headers of a request.
///
/// A name that is set replaces all its lines. An empty value removes them where the name is a field of the propagator or
/// a format's own header; any other header may be empty. A name or value that HTTP cannot carry is left out, and an older
/// one of that name with it.
///
/// ```
/// use http::HeaderMap;
/// use opentelemetry::propagation::{Injector, TextMapPropagator};
/// use otel_carriers::headers::HeaderInjector;
/// use otel_w3c_baggage::BaggagePropagator;
///
/// let mut headers = HeaderMap::new();
/// headers.append("baggage", "secret=1".parse().unwrap());
/// headers.append("baggage", "secret=2".parse().unwrap());
/// let propagator = BaggagePropagator::new();
/// let mut injector = HeaderInjector::new(&mut headers, &propagator);
/// injector.set("b3", "0".to_owned());
/// injector.set("tracestate", "a line\r\nbreak: 1".to_owned());
/// assert_eq!(headers.len(), 1);
/// assert_eq!(headers["b3"], "0");
/// ```
#[derive(Debug)]
pub struct HeaderInjector<'a> {
    headers: &'a mut HeaderMap,
    propagator: &'a dyn TextMapPropagator,
    never_indexed: bool,
    left_out: Losses,
}

impl<'a> HeaderInjector<'a> {
    /// Begins with the removal of all fields of the propagator.
    #[inline]
    pub fn new(headers: &'a mut HeaderMap, propagator: &'a dyn TextMapPropagator) -> Self {
        Self::in_carrier("http", headers, propagator)
    }

    #[inline]
    pub(crate) fn in_carrier(
        carrier: &'static str,
        headers: &'a mut HeaderMap,
        propagator: &'a dyn TextMapPropagator,
    ) -> Self {
        if !headers.is_empty() {
            propagator.fields().for_each(|name| remove(headers, name));
        }
        Self { headers, propagator, never_indexed: false, left_out: Losses::of(carrier, Direction::Out) }
    }

    /// Marks all that it writes as never to be indexed in HTTP/2, not ids alone: for baggage that differs from request to
    /// request.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use opentelemetry::propagation::Injector;
    /// use otel_carriers::headers::HeaderInjector;
    /// use otel_w3c_baggage::BaggagePropagator;
    ///
    /// let mut headers = HeaderMap::new();
    /// HeaderInjector::new(&mut headers, &BaggagePropagator::new()).never_indexed().set("baggage", "cart=7".to_owned());
    /// assert!(headers["baggage"].is_sensitive());
    /// ```
    #[must_use]
    pub const fn never_indexed(mut self) -> Self {
        self.never_indexed = true;
        self
    }

    /// Whether setting this is the wish to remove it.
    pub(crate) fn removes(&self, key: &str, value: &str) -> bool {
        value.is_empty() && empty_from_removes(self.propagator, key)
    }

    /// Removes a header, and remembers why it was not written.
    #[cold]
    pub(crate) fn leave_out(&mut self, key: &str, rule: &'static str, bytes: usize) {
        remove(self.headers, key);
        self.left_out.add(key, rule, bytes);
    }

    fn put(&mut self, key: &str, value: String) -> Result<(), InvalidHeader> {
        let (name, is_id) = match known(key) {
            Some(known) => (known.header.clone(), known.is_id),
            None => (HeaderName::from_bytes(key.as_bytes())?, false),
        };
        let mut value = HeaderValue::try_from(value)?;
        value.set_sensitive(is_id || self.never_indexed);
        self.headers.try_insert(name, value)?;
        Ok(())
    }
}

impl Injector for HeaderInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if self.removes(key, &value) {
            return remove(self.headers, key);
        }
        let bytes = value.len();
        if self.put(key, value).is_err() {
            self.leave_out(key, "not a header of HTTP", bytes);
        }
    }

    fn reserve(&mut self, additional: usize) {
        // Where there is no room for so many, there may still be some for those that come.
        let _ = self.headers.try_reserve(additional);
    }
}

/// A name or a value that HTTP cannot carry, or one more than a map can hold.
struct InvalidHeader;

impl From<MaxSizeReached> for InvalidHeader {
    fn from(_: MaxSizeReached) -> Self {
        Self
    }
}

impl From<InvalidHeaderName> for InvalidHeader {
    fn from(_: InvalidHeaderName) -> Self {
        Self
    }
}

impl From<InvalidHeaderValue> for InvalidHeader {
    fn from(_: InvalidHeaderValue) -> Self {
        Self
    }
}

/// Reads the headers of a request.
///
/// All lines are read, in order, and a line with characters beyond ASCII is text: whether a value may have them is for
/// the header's grammar to say, which loses one member of `baggage` by it and not the line.
///
/// ```
/// use http::HeaderMap;
/// use opentelemetry::propagation::Extractor;
/// use otel_carriers::headers::HeaderExtractor;
///
/// let mut headers = HeaderMap::new();
/// headers.append("baggage", "a=1,b=é".parse().unwrap());
/// headers.append("baggage", "c=3".parse().unwrap());
/// assert_eq!(HeaderExtractor::new(&headers).get_all("Baggage"), Some(vec!["a=1,b=é", "c=3"]));
/// ```
#[derive(Debug)]
pub struct HeaderExtractor<'a> {
    headers: &'a HeaderMap,
    left_out: Losses,
}

impl<'a> HeaderExtractor<'a> {
    /// Reads these.
    #[must_use]
    #[inline]
    pub const fn new(headers: &'a HeaderMap) -> Self {
        Self::in_carrier("http", headers)
    }

    pub(crate) const fn in_carrier(carrier: &'static str, headers: &'a HeaderMap) -> Self {
        Self { headers, left_out: Losses::of(carrier, Direction::In) }
    }
}

impl Extractor for HeaderExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let value = match known(key) {
            Some(known) => self.headers.get(&known.header),
            None => self.headers.get(key),
        };
        self.left_out.text(key, value?.as_bytes())
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.keys().map(HeaderName::as_str).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values = match known(key) {
            Some(known) => self.headers.get_all(&known.header),
            None => self.headers.get_all(key),
        };
        let mut values = values.iter().map(HeaderValue::as_bytes).peekable();
        values.peek()?;
        Some(self.left_out.texts(key, values))
    }
}
