//! What the tests share: identifiers, carriers, and requests in short.

#![allow(dead_code, reason = "each test file uses a part of it")]

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_xray::XrayPropagator;
use std::collections::{BTreeMap, HashMap};

pub(crate) const NAME: &str = "x-amzn-trace-id";
pub(crate) const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
pub(crate) const PARENT: &str = "Parent=53995c3f42cd8ad8";
pub(crate) const TRACE: &str = "5759e988bd862e3fe1be46a994272793";
pub(crate) const SPAN: &str = "53995c3f42cd8ad8";

/// Header names and values.
pub(crate) type Headers = BTreeMap<String, String>;

pub(crate) fn headers<N: ToString, V: ToString>(pairs: impl IntoIterator<Item = (N, V)>) -> Headers {
    pairs.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// A request with these parts.
pub(crate) fn request(parts: &[&str]) -> Headers {
    headers([(NAME, parts.join(";"))])
}

pub(crate) fn extract_with(propagator: &XrayPropagator, cx: &Context, headers: &Headers) -> Context {
    let carrier: HashMap<_, _> = headers.clone().into_iter().collect();
    propagator.extract_with_context(cx, &carrier)
}

pub(crate) fn extract_in(cx: &Context, headers: &Headers) -> Context {
    extract_with(&XrayPropagator::new(), cx, headers)
}

pub(crate) fn extract(headers: &Headers) -> Context {
    extract_in(&Context::new(), headers)
}

pub(crate) fn inject(cx: &Context) -> Headers {
    let mut carrier = HashMap::new();
    XrayPropagator::new().inject_context(cx, &mut carrier);
    carrier.into_iter().collect()
}

/// A context with this span of the known identifiers.
pub(crate) fn span(flags: TraceFlags, state: TraceState) -> Context {
    let (trace_id, span_id) = (TraceId::from_hex(TRACE), SpanId::from_hex(SPAN));
    let (Ok(trace_id), Ok(span_id)) = (trace_id, span_id) else { unreachable!("they are valid") };
    Context::new().with_remote_span_context(SpanContext::new(trace_id, span_id, flags, true, state))
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
