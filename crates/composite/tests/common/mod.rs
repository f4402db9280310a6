//! What several of the test programs use.

#![allow(dead_code, reason = "each test program uses a part of it")]

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use std::{collections::HashMap, sync::LazyLock};

pub(crate) type Headers = HashMap<String, String>;

/// Header names and values.
pub(crate) type Pairs<'a> = &'a [(&'a str, &'a str)];

pub(crate) fn headers(pairs: Pairs<'_>) -> Headers {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// A trace format of somebody else: `x-house: <trace-id>-<span-id>`, or `x-house: no` for a decision alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct House;

/// What [`House`] keeps beside the span: the header as it came.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct HouseHeader(pub(crate) String);

impl TextMapPropagator for House {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let span = cx.span();
        let span = span.span_context();
        if span.is_valid() {
            injector.set("x-house", format!("{}-{}", span.trace_id(), span.span_id()));
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let Some(value) = extractor.get("x-house") else { return cx.clone() };
        let kept = || cx.with_value(HouseHeader(value.to_owned()));
        if value == "no" {
            return kept();
        }
        let span = value.split_once('-').and_then(|(trace_id, span_id)| {
            Some((TraceId::from_hex(trace_id).ok()?, SpanId::from_hex(span_id).ok()?))
        });
        let Some((trace_id, span_id)) = span else { return cx.clone() };
        let span = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE);
        kept().with_remote_span_context(span)
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| ["x-house".to_owned()]);
        FieldIter::new(&*FIELDS)
    }
}
