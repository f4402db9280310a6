//! What the tests share: identifiers, carriers, and requests in short.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_jaeger::JaegerPropagator;
use testing::format;
pub(crate) use testing::format::{Headers, assert_untouched, busy, headers};

pub(crate) const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
pub(crate) const SPAN: &str = "e457b5a2e4d86bd1";

/// A request with the known identifiers and these flags.
pub(crate) fn uber(flags: &str) -> Headers {
    headers([("uber-trace-id", format!("{TRACE}:{SPAN}:0:{flags}"))])
}

pub(crate) fn extract_with(propagator: &JaegerPropagator, cx: &Context, headers: &Headers) -> Context {
    format::extract(propagator, cx, headers)
}

pub(crate) fn extract_in(cx: &Context, headers: &Headers) -> Context {
    extract_with(&JaegerPropagator::new(), cx, headers)
}

pub(crate) fn extract(headers: &Headers) -> Context {
    extract_in(&Context::new(), headers)
}

pub(crate) fn inject_with(propagator: &JaegerPropagator, cx: &Context) -> Headers {
    format::inject(propagator, cx)
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
