//! The propagator: the only file that knows `Context`, `Extractor` and `Injector`.

use crate::{
    ErrorKind, OtTrace, ParseError, Sampling, SamplingExt, baggage,
    headers::{SAMPLED, SPAN_ID, TRACE_ID},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use otel_baggage_limits::PrefixedBaggage;
use otel_propagator_core::{diagnostics::Rejected, header::field_value, leftover, sampling};
use std::sync::LazyLock;

/// Reads and writes `ot-tracer-traceid`, `ot-tracer-spanid` and `ot-tracer-sampled`.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_ottrace::OtTracePropagator;
/// use std::collections::HashMap;
///
/// let headers = HashMap::from([
///     ("ot-tracer-traceid".to_owned(), "463ac35c9f6413ad".to_owned()),
///     ("ot-tracer-spanid".to_owned(), "48485a3953bb6124".to_owned()),
///     ("ot-tracer-sampled".to_owned(), "true".to_owned()),
/// ]);
/// let ottrace = OtTracePropagator::new();
/// let cx = ottrace.extract_with_context(&Context::new(), &headers);
///
/// let mut sent = HashMap::new();
/// ottrace.inject_context(&cx, &mut sent);
/// assert_eq!(sent, headers);
/// ```
#[derive(Clone, Debug, Default)]
pub struct OtTracePropagator {
    baggage: PrefixedBaggage,
}

impl OtTracePropagator {
    /// A propagator for the three headers alone.
    #[must_use]
    pub const fn new() -> Self {
        Self { baggage: PrefixedBaggage::off() }
    }

    /// Which way to carry baggage in headers of its own, `ot-baggage-KEY`, and within which limits. Neither way by
    /// default: W3C Baggage is for it, and reading needs a carrier that lists all its names.
    ///
    /// It is read and sent with a valid span alone, as the format has it. What is received is added to the context's
    /// baggage.
    ///
    /// ```
    /// use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
    /// use otel_ottrace::{OtTracePropagator, PrefixedBaggage};
    /// use std::collections::HashMap;
    ///
    /// let headers = HashMap::from([
    ///     ("ot-tracer-traceid".to_owned(), "463ac35c9f6413ad".to_owned()),
    ///     ("ot-tracer-spanid".to_owned(), "48485a3953bb6124".to_owned()),
    ///     ("ot-baggage-tenant".to_owned(), "acme".to_owned()),
    /// ]);
    /// let ottrace = OtTracePropagator::new().with_baggage(PrefixedBaggage::extract_only());
    /// let cx = ottrace.extract_with_context(&Context::new(), &headers);
    /// assert_eq!(cx.baggage().get("tenant").unwrap().as_str(), "acme");
    /// ```
    #[must_use]
    pub fn with_baggage(mut self, baggage: PrefixedBaggage) -> Self {
        self.baggage = baggage;
        self
    }

    /// Which way baggage is carried, and within which limits.
    ///
    /// ```
    /// use otel_ottrace::{Limits, OtTracePropagator, PrefixedBaggage};
    ///
    /// let few = PrefixedBaggage::both().with_limits(Limits::new().max_members(4));
    /// let ottrace = OtTracePropagator::new().with_baggage(few);
    /// assert_eq!(ottrace.baggage().limits().outbound.max_members, 4);
    /// assert!(!OtTracePropagator::new().baggage().is_sent());
    /// ```
    #[must_use]
    pub const fn baggage(&self) -> &PrefixedBaggage {
        &self.baggage
    }

    /// The names of all headers that extraction reads: those that injection writes, but for baggage.
    ///
    /// ```
    /// use otel_ottrace::OtTracePropagator;
    ///
    /// let read: Vec<_> = OtTracePropagator::new().extract_fields().collect();
    /// assert_eq!(read, ["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"]);
    /// ```
    #[must_use]
    pub fn extract_fields(&self) -> FieldIter<'static> {
        FieldIter::new(&*NAMES)
    }
}

impl TextMapPropagator for OtTracePropagator {
    /// Sends the context's span, if it is valid, with its [sampling state](crate::SamplingExt::sampling); and its
    /// baggage, if that is asked for.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let Some(headers) = to_send(cx) else { return };
        headers.write(|name, value| injector.set(name, value));
        if headers.sampling() == Sampling::Defer && leftover::is_in(cx, SAMPLED) {
            injector.set(SAMPLED, String::new());
        }
        self.baggage.inject(baggage::PREFIX, cx, injector, baggage::header_value);
    }

    /// Returns `cx` with what was received; `cx` as it is where that was nothing.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let Some(headers) = received(extractor) else { return cx.clone() };
        if headers.sampling() == Sampling::Defer {
            sampling::hint(SAMPLED);
        }
        let cx = with_headers(cx, headers);
        self.baggage.extract(baggage::PREFIX, cx, extractor, baggage::header_value)
    }

    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// The names of the headers that injection may write, but for those of baggage.
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&*NAMES)
    }
}

static NAMES: LazyLock<[String; 3]> = LazyLock::new(|| [TRACE_ID, SPAN_ID, SAMPLED].map(str::to_owned));

/// What the context's span sends; nothing where the span is not valid, or the format cannot name its trace.
fn to_send(cx: &Context) -> Option<OtTrace> {
    let span = cx.span();
    let span = span.span_context();
    OtTrace::new(span.trace_id(), span.span_id(), cx.sampling()?).filter(OtTrace::can_be_sent)
}

/// The context with the span that was received.
///
/// The format cuts the upper half off a trace id. Where the given context knows the trace, as it does if another format
/// named it, or if a trace comes back to a service that sent it, the id is whole again.
fn with_headers(cx: &Context, headers: OtTrace) -> Context {
    let headers = headers.in_trace(cx.span().span_context().trace_id());
    let (trace_id, span_id) = (headers.trace_id(), headers.span_id());
    let span = SpanContext::new(trace_id, span_id, TraceFlags::default(), true, TraceState::NONE);
    cx.with_remote_sampling(span, headers.sampling())
}

fn received(extractor: &dyn Extractor) -> Option<OtTrace> {
    parse(|name| read(extractor, name)).unwrap_or_else(|error| {
        let header = error.header();
        Rejected::new(header, error.rule(), read(extractor, header).map_or(0, str::len)).emit();
        None
    })
}

/// A trace needs both ids; a decision alone says nothing.
fn parse<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<OtTrace>, ParseError> {
    match (get(TRACE_ID), get(SPAN_ID)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ErrorKind::TraceIdMissing.into()),
        (Some(_), None) => Err(ErrorKind::SpanIdMissing.into()),
        (Some(trace_id), Some(span_id)) => OtTrace::parse(trace_id, span_id, get(SAMPLED)).map(Some),
    }
}

/// Of repeated headers the first counts, as in B3, whose headers these are but for their names.
fn read<'a>(extractor: &'a dyn Extractor, name: &str) -> Option<&'a str> {
    extractor.get(name).map(field_value)
}
