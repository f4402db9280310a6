//! For the tests of a service: does a handler pass the context on, and what is left of it behind a proxy?
//!
//! Three lines show that a handler carries what it received, whichever formats the service has:
//!
//! ```
//! # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage"))] {
//! use opentelemetry::propagation::TextMapPropagator;
//! use otel_composite::testing::{Headers, Request};
//!
//! let propagator = otel_composite::from_list("tracecontext,baggage")?;
//! let handler = |received: &Headers| {
//!     let cx = propagator.extract(received);
//!     let mut sent = Headers::new();
//!     propagator.inject_context(&cx, &mut sent); // what its own call to another service carries
//!     sent
//! };
//!
//! let request = Request::new(&propagator);
//! let sent = handler(request.headers());
//! request.check(&sent).unwrap();
//! # }
//! # Ok::<(), otel_composite::SettingError>(())
//! ```

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_propagator_core::header::baggage_key;
use std::{error::Error, fmt};

/// A carrier that keeps every header line as it is, in order, and can do to them what proxies do.
///
/// ```
/// use opentelemetry::propagation::Extractor;
/// use otel_composite::testing::Headers;
///
/// let headers = Headers::from([("traceparent", "a"), ("baggage", "x=1"), ("baggage", "y=2")]);
/// assert_eq!(headers.get("Baggage"), Some("x=1"));
/// assert_eq!(headers.get_all("baggage"), Some(vec!["x=1", "y=2"]));
/// assert_eq!(headers.clone().merge().get("baggage"), Some("x=1,y=2"));
/// assert_eq!(headers.clone().lose("baggage").get("baggage"), None);
/// assert_eq!(headers.cut(2).get("baggage"), Some("x="));
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines, as they are sent.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Without the lines of this name, as behind a gateway with a list of what may pass.
    #[must_use]
    pub fn lose(mut self, name: &str) -> Self {
        self.0.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self
    }

    /// Each line of this name twice, as where two layers inject.
    ///
    /// ```
    /// use otel_composite::testing::Headers;
    ///
    /// let doubled = Headers::from([("baggage", "a=1"), ("b3", "0")]).double("Baggage");
    /// assert_eq!(doubled, Headers::from([("baggage", "a=1"), ("baggage", "a=1"), ("b3", "0")]));
    /// ```
    #[must_use]
    pub fn double(self, name: &str) -> Self {
        let times = |line: &(String, String)| 1 + usize::from(line.0.eq_ignore_ascii_case(name));
        Self(self.0.iter().flat_map(|line| vec![line.clone(); times(line)]).collect())
    }

    /// All lines the other way round. HTTP keeps the order of lines of one name only.
    ///
    /// ```
    /// use otel_composite::testing::Headers;
    ///
    /// let reordered = Headers::from([("a", "1"), ("b", "2")]).reorder();
    /// assert_eq!(reordered, Headers::from([("b", "2"), ("a", "1")]));
    /// ```
    #[must_use]
    pub fn reorder(mut self) -> Self {
        self.0.reverse();
        self
    }

    /// All names in upper case.
    ///
    /// ```
    /// use otel_composite::testing::Headers;
    ///
    /// assert_eq!(Headers::from([("b3", "0-a")]).upper_case(), Headers::from([("B3", "0-a")]));
    /// ```
    #[must_use]
    pub fn upper_case(mut self) -> Self {
        self.0.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
        self
    }

    /// The lines of one name as one, with commas between: <https://www.rfc-editor.org/rfc/rfc9110#section-5.3>.
    #[must_use]
    pub fn merge(self) -> Self {
        self.0.into_iter().fold(Self::new(), |mut merged, (name, value)| {
            match merged.0.iter_mut().find(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                Some((_, first)) => {
                    first.push(',');
                    first.push_str(&value);
                }
                None => merged.0.push((name, value)),
            }
            merged
        })
    }

    /// Each value cut after so many bytes, or at the character before.
    #[must_use]
    pub fn cut(mut self, bytes: usize) -> Self {
        for (_, value) in &mut self.0 {
            let end = (0..=bytes.min(value.len())).rev().find(|&end| value.is_char_boundary(end));
            value.truncate(end.unwrap_or(0));
        }
        self
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(lines: I) -> Self {
        Self(lines.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<N: Into<String>, V: Into<String>, const LINES: usize> From<[(N, V); LINES]> for Headers {
    fn from(lines: [(N, V); LINES]) -> Self {
        lines.into_iter().collect()
    }
}

impl Extractor for Headers {
    fn get(&self, key: &str) -> Option<&str> {
        self.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value)
    }

    fn keys(&self) -> Vec<&str> {
        self.iter().map(|(name, _)| name).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let lines: Vec<&str> =
            self.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value).collect();
        Some(lines).filter(|lines| !lines.is_empty())
    }
}

impl Injector for Headers {
    /// An older header of this name goes; an empty value leaves none, but for an [entry of the baggage](baggage_key).
    fn set(&mut self, key: &str, value: String) {
        self.0.retain(|(name, _)| !name.eq_ignore_ascii_case(key));
        if !value.is_empty() || baggage_key(key).is_some() {
            self.0.push((key.to_owned(), value));
        }
    }
}

/// A request with a trace and baggage, as another service sends it, and the check of what goes on.
#[derive(Debug)]
pub struct Request<'a, P> {
    propagator: &'a P,
    headers: Headers,
    received: Context,
}

const KEY: &str = "otel-composite-test";

impl<'a, P: TextMapPropagator> Request<'a, P> {
    /// A request in the formats of this propagator, which should be the one that the service installs.
    #[must_use]
    pub fn new(propagator: &'a P) -> Self {
        let (trace_id, span_id) =
            (TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c), SpanId::from(0x00b7_ad6b));
        let span = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE);
        let cx = Context::new().with_remote_span_context(span).with_baggage([KeyValue::new(KEY, "carried")]);
        let mut headers = Headers::new();
        propagator.inject_context(&cx, &mut headers);
        let received = propagator.extract_with_context(&Context::new(), &headers);
        Self { propagator, headers, received }
    }

    /// What the handler receives.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// Whether what the handler sent on is of the same trace, with the same decision and the same baggage.
    ///
    /// # Errors
    ///
    /// What was lost.
    pub fn check(&self, sent: &impl Extractor) -> Result<(), Lost> {
        let arrived = self.propagator.extract_with_context(&Context::new(), sent);
        let (received_span, span) = (self.received.span(), arrived.span());
        let (received, span) = (received_span.span_context(), span.span_context());
        if received.is_valid() && !span.is_valid() {
            return Err(Lost::Trace);
        }
        if received.trace_id() != span.trace_id() {
            return Err(Lost::AnotherTrace);
        }
        if received.is_sampled() != span.is_sampled() {
            return Err(Lost::Decision);
        }
        if self.received.baggage().get(KEY) != arrived.baggage().get(KEY) {
            return Err(Lost::Baggage);
        }
        Ok(())
    }
}

/// What a handler did not pass on.
///
/// ```
/// # #[cfg(feature = "tracecontext")] {
/// use otel_composite::testing::{Headers, Lost, Request};
///
/// let propagator = otel_composite::from_list("tracecontext")?;
/// assert_eq!(Request::new(&propagator).check(&Headers::new()), Err(Lost::Trace));
/// # }
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Lost {
    /// It sends no trace: the context was not handed to whatever injects.
    Trace,
    /// It starts a trace of its own: the request was not extracted, or not made the parent.
    AnotherTrace,
    /// The trace was sampled, and is not any more.
    Decision,
    /// The baggage is gone: only the span was handed on, not the context.
    Baggage,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trace => "no trace was sent: the context did not reach whatever injects",
            Self::AnotherTrace => "another trace was sent: the received span did not become the parent",
            Self::Decision => "the trace was sampled and is sent as not sampled",
            Self::Baggage => "the baggage was lost: the span was handed on without its context",
        })
    }
}

impl Error for Lost {}
