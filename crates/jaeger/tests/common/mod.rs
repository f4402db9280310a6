//! What the tests share: identifiers, carriers, and requests in short.

#![allow(dead_code, reason = "each test file uses a part of it")]

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_jaeger::JaegerPropagator;
use std::collections::{BTreeMap, HashMap};

pub(crate) const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
pub(crate) const SPAN: &str = "e457b5a2e4d86bd1";

/// Header names and values.
pub(crate) type Headers = BTreeMap<String, String>;

pub(crate) fn headers<N: ToString, V: ToString>(pairs: impl IntoIterator<Item = (N, V)>) -> Headers {
    pairs.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// A request with the known identifiers and these flags.
pub(crate) fn uber(flags: &str) -> Headers {
    headers([("uber-trace-id", format!("{TRACE}:{SPAN}:0:{flags}"))])
}

pub(crate) fn extract_with(propagator: &JaegerPropagator, cx: &Context, headers: &Headers) -> Context {
    let carrier: HashMap<_, _> = headers.clone().into_iter().collect();
    propagator.extract_with_context(cx, &carrier)
}

pub(crate) fn extract_in(cx: &Context, headers: &Headers) -> Context {
    extract_with(&JaegerPropagator::new(), cx, headers)
}

pub(crate) fn extract(headers: &Headers) -> Context {
    extract_in(&Context::new(), headers)
}

pub(crate) fn inject_with(propagator: &JaegerPropagator, cx: &Context) -> Headers {
    let mut carrier = HashMap::new();
    propagator.inject_context(cx, &mut carrier);
    carrier.into_iter().collect()
}

pub(crate) fn inject(cx: &Context) -> Headers {
    inject_with(&JaegerPropagator::new(), cx)
}

/// A context with this span of the known identifiers.
pub(crate) fn span(flags: TraceFlags, remote: bool) -> Context {
    let (trace_id, span_id) = (TraceId::from_hex(TRACE), SpanId::from_hex(SPAN));
    let (Ok(trace_id), Ok(span_id)) = (trace_id, span_id) else { unreachable!("they are valid") };
    let span = SpanContext::new(trace_id, span_id, flags, remote, TraceState::NONE);
    Context::new().with_remote_span_context(span)
}

/// A context that has a span and baggage already.
pub(crate) fn busy() -> Context {
    let state = TraceState::from_key_value([("vendor", "7")]).unwrap_or_default();
    let span = SpanContext::new(TraceId::from(7), SpanId::from(7), TraceFlags::SAMPLED, false, state);
    Context::new().with_remote_span_context(span).with_baggage([KeyValue::new("tenant", "acme")])
}

/// That nothing of [`busy`] changed.
pub(crate) fn assert_untouched(cx: &Context, rule: &str) {
    assert_eq!(cx.span().span_context(), busy().span().span_context(), "{rule}");
    assert_eq!(cx.baggage().to_string(), busy().baggage().to_string(), "{rule}");
}
