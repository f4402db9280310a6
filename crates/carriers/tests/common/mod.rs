//! What the tests of several carriers share.
#![allow(dead_code, reason = "each test program uses some of it")]

use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{
        Extractor, Injector, TextMapCompositePropagator, TextMapPropagator, text_map_propagator::FieldIter,
    },
    trace::TraceContextExt,
};
use otel_b3::B3Propagator;
use otel_carriers::ContextMap;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use std::sync::LazyLock;

pub(crate) const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
pub(crate) const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Trace context and baggage.
pub(crate) fn both() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
}

/// Every header that these crates write.
pub(crate) fn all() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(B3Propagator::single_and_multi()),
        Box::new(BaggagePropagator::new()),
    ])
}

/// A context as its headers say it.
pub(crate) fn context(headers: &[(&str, &str)]) -> Context {
    headers.iter().copied().collect::<ContextMap>().extract(&both())
}

/// The ids and the baggage of a context as text, with `-` for what is not there.
pub(crate) fn seen(cx: &Context) -> String {
    let span = cx.span();
    let span = span.span_context();
    let id = if span.is_valid() { format!("{}/{}", span.trace_id(), span.span_id()) } else { "-".to_owned() };
    let mut baggage: Vec<_> = cx.baggage().iter().map(|(key, (value, _))| format!("{key}={value}")).collect();
    baggage.sort();
    format!("{id} {}", baggage.join(","))
}

/// A propagator that sets what it is given, valid or not.
#[derive(Debug)]
pub(crate) struct Sets(pub(crate) Vec<(String, String)>);

impl TextMapPropagator for Sets {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        self.0.iter().for_each(|(name, value)| injector.set(name, value.clone()));
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 2]> = LazyLock::new(|| ["traceparent".into(), "baggage".into()]);
        FieldIter::new(FIELDS.as_slice())
    }
}
