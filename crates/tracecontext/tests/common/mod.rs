//! Headers in, headers out.

#![allow(dead_code, reason = "every test file is a program of its own and uses a part of this")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::HeaderInjector;
use otel_tracecontext::TraceContextPropagator;
pub(crate) use testing::carrier::Lines;

pub(crate) const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
pub(crate) const TRACE_ID: TraceId =
    TraceId::from_bytes(*b"\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c");
pub(crate) const SPAN_ID: SpanId = SpanId::from_bytes(*b"\xb7\xad\x6b\x71\x69\x20\x33\x31");

/// One line a row; a name may come more than once.
pub(crate) fn headers<'a>(lines: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

/// A valid `traceparent` and these lines of `tracestate`.
pub(crate) fn with_tracestate<'a>(lines: &[&'a str]) -> Lines<'a> {
    let lines = lines.iter().map(|&line| ("tracestate", line));
    Lines([("traceparent", VALID)].into_iter().chain(lines).collect())
}

pub(crate) fn extract(carrier: &impl Extractor) -> Context {
    extract_into(&Context::new(), carrier)
}

pub(crate) fn extract_into(cx: &Context, carrier: &impl Extractor) -> Context {
    TraceContextPropagator::new().extract_with_context(cx, carrier)
}

pub(crate) fn inject(cx: &Context) -> HeaderMap {
    let mut headers = HeaderMap::new();
    TraceContextPropagator::new().inject_context(cx, &mut HeaderInjector(&mut headers));
    headers
}

pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().unwrap())
}

/// What comes out as `tracestate` where these lines came in.
pub(crate) fn passed_on(lines: &[&str]) -> Option<String> {
    header(&inject(&extract(&with_tracestate(lines))), "tracestate").map(str::to_owned)
}

/// A context with a remote span of this trace state.
pub(crate) fn context_of(trace_flags: u8, trace_state: TraceState) -> Context {
    let flags = TraceFlags::new(trace_flags);
    Context::new().with_remote_span_context(SpanContext::new(TRACE_ID, SPAN_ID, flags, true, trace_state))
}

/// A value that the application keeps in the context.
#[derive(Debug, PartialEq)]
pub(crate) struct Tenant(pub(crate) &'static str);

/// A context with a span, baggage and a value, none of which bad input may touch.
pub(crate) fn occupied() -> Context {
    let span =
        SpanContext::new(TraceId::from(7), SpanId::from(8), TraceFlags::SAMPLED, false, TraceState::NONE);
    Context::new()
        .with_remote_span_context(span)
        .with_baggage([KeyValue::new("tenant", "acme-retail")])
        .with_value(Tenant("acme"))
}

pub(crate) fn assert_untouched(cx: &Context, why: &str) {
    assert_eq!(cx.span().span_context(), occupied().span().span_context(), "span: {why}");
    assert_eq!(cx.baggage().to_string(), "tenant=acme-retail", "baggage: {why}");
    assert_eq!(cx.get::<Tenant>(), Some(&Tenant("acme")), "value: {why}");
}
