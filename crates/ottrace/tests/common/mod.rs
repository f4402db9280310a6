//! What the tests share: identifiers, carriers, and requests in short.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_ottrace::OtTracePropagator;
use testing::format;
pub(crate) use testing::format::{Headers, assert_untouched, busy, headers};

pub(crate) const LONG: &str = "463ac35c9f6413ad48485a3953bb6124";
pub(crate) const SHORT: &str = "48485a3953bb6124";
pub(crate) const SPAN: &str = "a2fb4a1d1a96d312";

/// A request with these values, each of which may be missing.
pub(crate) fn request(trace_id: Option<&str>, span_id: Option<&str>, sampled: Option<&str>) -> Headers {
    let names = ["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"];
    headers(
        names.into_iter().zip([trace_id, span_id, sampled]).filter_map(|(name, value)| Some((name, value?))),
    )
}

/// A request with the known identifiers of 64 bits.
pub(crate) fn ot(sampled: Option<&str>) -> Headers {
    request(Some(SHORT), Some(SPAN), sampled)
}

pub(crate) fn extract_with(propagator: &OtTracePropagator, cx: &Context, headers: &Headers) -> Context {
    format::extract(propagator, cx, headers)
}

pub(crate) fn extract_in(cx: &Context, headers: &Headers) -> Context {
    extract_with(&OtTracePropagator::new(), cx, headers)
}

pub(crate) fn extract(headers: &Headers) -> Context {
    extract_in(&Context::new(), headers)
}

pub(crate) fn inject_with(propagator: &OtTracePropagator, cx: &Context) -> Headers {
    format::inject(propagator, cx)
}

pub(crate) fn inject(cx: &Context) -> Headers {
    inject_with(&OtTracePropagator::new(), cx)
}

/// A context with a received span of this trace.
pub(crate) fn span(trace_id: &str, flags: TraceFlags) -> Context {
    let (Ok(trace_id), Ok(span_id)) = (TraceId::from_hex(trace_id), SpanId::from_hex(SPAN)) else {
        unreachable!("they are valid")
    };
    let span = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
    Context::new().with_remote_span_context(span)
}
