//! What the tests share: identifiers, carriers, and requests in short.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_xray::XrayPropagator;
use testing::format;
pub(crate) use testing::format::{Headers, assert_untouched, busy, headers};

pub(crate) const NAME: &str = "x-amzn-trace-id";
pub(crate) const ROOT: &str = "Root=1-5759e988-bd862e3fe1be46a994272793";
pub(crate) const PARENT: &str = "Parent=53995c3f42cd8ad8";
pub(crate) const TRACE: &str = "5759e988bd862e3fe1be46a994272793";
pub(crate) const SPAN: &str = "53995c3f42cd8ad8";

/// A request with these parts.
pub(crate) fn request(parts: &[&str]) -> Headers {
    headers([(NAME, parts.join(";"))])
}

pub(crate) fn extract_with(propagator: &XrayPropagator, cx: &Context, headers: &Headers) -> Context {
    format::extract(propagator, cx, headers)
}

pub(crate) fn extract_in(cx: &Context, headers: &Headers) -> Context {
    extract_with(&XrayPropagator::new(), cx, headers)
}

pub(crate) fn extract(headers: &Headers) -> Context {
    extract_in(&Context::new(), headers)
}

pub(crate) fn inject(cx: &Context) -> Headers {
    format::inject(&XrayPropagator::new(), cx)
}

/// A context with this span of the known identifiers.
pub(crate) fn span(flags: TraceFlags, state: TraceState) -> Context {
    let (trace_id, span_id) = (TraceId::from_hex(TRACE), SpanId::from_hex(SPAN));
    let (Ok(trace_id), Ok(span_id)) = (trace_id, span_id) else { unreachable!("they are valid") };
    Context::new().with_remote_span_context(SpanContext::new(trace_id, span_id, flags, true, state))
}
