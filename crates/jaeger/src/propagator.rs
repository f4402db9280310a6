//! The propagator: the only file that knows `Extractor` and `Injector`.

use crate::{
    ParseError, Sampling, UberTraceId, baggage, context, debug_id, percent, uber_trace_id::UBER_TRACE_ID,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::PrefixedBaggage;
use otel_propagator_core::{header::parse_line, sampling};
use std::sync::LazyLock;

/// Reads and writes `uber-trace-id`.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_jaeger::JaegerPropagator;
/// use std::collections::HashMap;
///
/// let jaeger = JaegerPropagator::new().with_64_bit_trace_ids(true);
/// let received = HashMap::from([("uber-trace-id".to_owned(), "64fe8b2a57d3eff7:17c29:0:3".to_owned())]);
/// let cx = jaeger.extract_with_context(&Context::new(), &received);
///
/// let mut sent = HashMap::new();
/// jaeger.inject_context(&cx, &mut sent);
/// assert_eq!(sent["uber-trace-id"], "64fe8b2a57d3eff7:0000000000017c29:0:3");
/// ```
#[derive(Clone, Debug, Default)]
pub struct JaegerPropagator {
    short_trace_ids: bool,
    debug_id: bool,
    baggage: PrefixedBaggage,
}

impl JaegerPropagator {
    /// A propagator for `uber-trace-id` alone, with trace ids of 32 digits.
    #[must_use]
    pub const fn new() -> Self {
        Self { short_trace_ids: false, debug_id: false, baggage: PrefixedBaggage::off() }
    }

    /// Whether to send a trace id whose upper half is zero as 16 digits instead of 32, for peers that know only
    /// 64-bit trace ids. Off by default.
    ///
    /// A longer id is never cut.
    #[must_use]
    pub const fn with_64_bit_trace_ids(mut self, short: bool) -> Self {
        self.short_trace_ids = short;
        self
    }

    /// Whether a request that brings no trace may ask for a debug trace with `jaeger-debug-id`. Off by default,
    /// because whoever may send the header decides what is recorded.
    ///
    /// The name is [`JaegerExt::jaeger_debug_id`](crate::JaegerExt::jaeger_debug_id), and the wish is a
    /// [bare decision](crate::SamplingExt::bare_sampling): the first trace that `DecisionSampler` starts in the
    /// context is a debug trace.
    #[must_use]
    pub const fn with_debug_id(mut self, read: bool) -> Self {
        self.debug_id = read;
        self
    }

    /// Which way to carry baggage in headers of its own, `uberctx-KEY`, and within which limits. Neither way by default:
    /// W3C Baggage is for it, and reading needs a carrier that lists all its names.
    ///
    /// What is received is added to the context's baggage. Where a request brings no trace, `jaeger-baggage: k1=v1,
    /// k2=v2` is read as well.
    ///
    /// ```
    /// use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
    /// use otel_jaeger::{JaegerPropagator, PrefixedBaggage};
    /// use std::collections::HashMap;
    ///
    /// let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    /// let request = HashMap::from([("uberctx-key1".to_owned(), "value%201%20%2F%20blah".to_owned())]);
    /// let cx = jaeger.extract_with_context(&Context::new(), &request);
    /// assert_eq!(cx.baggage().get("key1").unwrap().as_str(), "value 1 / blah");
    ///
    /// let mut next = HashMap::new();
    /// jaeger.inject_context(&cx, &mut next);
    /// assert_eq!(next, request);
    /// ```
    #[must_use]
    pub fn with_baggage(self, baggage: PrefixedBaggage) -> Self {
        Self { baggage, ..self }
    }

    /// Which way baggage is carried, and within which limits.
    ///
    /// ```
    /// use otel_jaeger::{JaegerPropagator, Limits, PrefixedBaggage};
    ///
    /// let few = PrefixedBaggage::extract_only().with_limits(Limits::new().max_members(4));
    /// let jaeger = JaegerPropagator::new().with_baggage(few);
    /// assert_eq!(jaeger.baggage().limits().inbound.max_members, 4);
    /// assert!(!JaegerPropagator::new().baggage().is_read());
    /// ```
    #[must_use]
    pub const fn baggage(&self) -> &PrefixedBaggage {
        &self.baggage
    }

    /// The names of all headers that extraction reads, but for those of baggage, which are not known beforehand.
    ///
    /// [`fields`](TextMapPropagator::fields) are those that injection writes.
    ///
    /// ```
    /// use otel_jaeger::JaegerPropagator;
    ///
    /// let jaeger = JaegerPropagator::new().with_debug_id(true);
    /// assert_eq!(jaeger.extract_fields().collect::<Vec<_>>(), ["uber-trace-id", "jaeger-debug-id"]);
    /// ```
    #[must_use]
    pub fn extract_fields(&self) -> FieldIter<'static> {
        let read = if self.debug_id { NAMES.get(..) } else { NAMES.get(..1) };
        FieldIter::new(read.unwrap_or_default())
    }
}

impl TextMapPropagator for JaegerPropagator {
    /// Sends the context's span, if it is valid, with its [sampling state](crate::SamplingExt::sampling); and its
    /// baggage, if that is asked for.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        if let Some(header) = context::to_send(cx) {
            injector.set(UBER_TRACE_ID, header.write(self.short_trace_ids));
        }
        self.baggage.inject(baggage::PREFIX, cx, injector, |value| Some(percent::encode(value)));
    }

    /// Returns `cx` with what was received; `cx` as it is where that was nothing.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let cx = match uber_trace_id(extractor) {
            Some(header) => {
                if header.sampling() == Sampling::Debug {
                    sampling::hint(UBER_TRACE_ID);
                }
                context::with_header(cx, header)
            }
            None => self.without_trace(cx, extractor),
        };
        self.baggage.extract(baggage::PREFIX, cx, extractor, baggage::decode)
    }

    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// The names of the headers that injection may write, but for those of baggage.
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(NAMES.get(..1).unwrap_or_default())
    }
}

static NAMES: LazyLock<[String; 2]> =
    LazyLock::new(|| [UBER_TRACE_ID, debug_id::DEBUG_ID].map(str::to_owned));

impl JaegerPropagator {
    /// What a request without a trace may still say.
    fn without_trace(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let id = if self.debug_id { debug_id(extractor) } else { None };
        let cx = match id {
            Some(id) => {
                sampling::hint(debug_id::DEBUG_ID);
                context::with_debug_id(cx, id)
            }
            None => cx.clone(),
        };
        self.baggage.extract_list(baggage::JAEGER_BAGGAGE, cx, extractor, baggage::decode)
    }
}

fn uber_trace_id(extractor: &dyn Extractor) -> Option<UberTraceId> {
    parse_line(extractor, UBER_TRACE_ID, |value| UberTraceId::parse(value).map_err(ParseError::rule))
}

fn debug_id(extractor: &dyn Extractor) -> Option<String> {
    parse_line(extractor, debug_id::DEBUG_ID, debug_id::parse)
}
