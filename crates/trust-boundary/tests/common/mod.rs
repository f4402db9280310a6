//! What the tests share: a propagator of all formats, requests, and contexts.

#![allow(dead_code, reason = "each test program uses a part")]

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_b3::B3Propagator;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use std::{collections::HashMap, str::FromStr, sync::LazyLock};

pub(crate) type Headers = HashMap<String, String>;

/// W3C, B3 in both forms and baggage, as one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Formats;

const B3: B3Propagator = B3Propagator::single_and_multi();
const W3C: TraceContextPropagator = TraceContextPropagator::new();

impl TextMapPropagator for Formats {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        B3.inject_context(cx, injector);
        W3C.inject_context(cx, injector);
        BaggagePropagator::new().inject_context(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let cx = B3.extract_with_context(cx, extractor);
        let cx = W3C.extract_with_context(&cx, extractor);
        BaggagePropagator::new().extract_with_context(&cx, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<Vec<String>> =
            LazyLock::new(|| B3.fields().chain(W3C.fields()).chain(["baggage"]).map(str::to_owned).collect());
        FieldIter::new(&FIELDS)
    }
}

pub(crate) const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
pub(crate) const SPAN: &str = "b7ad6b7169203331";
pub(crate) const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

pub(crate) fn headers<const N: usize>(headers: [(&str, &str); N]) -> Headers {
    headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// A request with everything.
pub(crate) fn request() -> Headers {
    headers([
        ("traceparent", TRACEPARENT),
        ("tracestate", "congo=t61rcWkgMzE,ot=th:0;rv:ffffffffffffff"),
        ("baggage", "tenant=acme,order.region=eu"),
    ])
}

/// A local span that is sampled, with a trace state and baggage.
pub(crate) fn local() -> Context {
    let state = TraceState::from_str("congo=t61rcWkgMzE").unwrap();
    Context::new()
        .with_remote_span_context(span(state, false))
        .with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("order.region", "eu")])
}

pub(crate) fn span(state: TraceState, is_remote: bool) -> SpanContext {
    let (trace_id, span_id) = (TraceId::from_hex(TRACE).unwrap(), SpanId::from_hex(SPAN).unwrap());
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, is_remote, state)
}

/// `name: value` lines in the order of the names.
pub(crate) fn sent(propagator: &impl TextMapPropagator, cx: &Context) -> Vec<String> {
    injected(propagator, cx, Headers::new())
}

/// The same of a carrier that holds headers already.
pub(crate) fn injected(
    propagator: &impl TextMapPropagator,
    cx: &Context,
    mut carrier: Headers,
) -> Vec<String> {
    propagator.inject_context(cx, &mut carrier);
    let mut lines: Vec<String> = carrier.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.sort_unstable();
    lines
}

/// The baggage in the order of its keys.
pub(crate) fn baggage(cx: &Context) -> String {
    let mut members: Vec<String> =
        cx.baggage().iter().map(|(key, (value, _))| format!("{key}={value}")).collect();
    members.sort_unstable();
    members.join(",")
}
