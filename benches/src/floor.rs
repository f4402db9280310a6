//! The floor: a propagator for which all work with text is free.
//!
//! It does the calls of the upstream API that no propagator can avoid, and nothing else: looking for the headers,
//! the types that carry a span and a baggage, and [`Injector::set`] with a `String` that only has to be copied.
//!
//! It looks with [`Extractor::get_all`], which allocates a list, since nothing else tells a doubled header from a
//! single one. Of B3 the first value wins, so there [`Extractor::get`] is enough.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use std::{collections::HashMap, hint::black_box};

/// See the [module](self).
#[derive(Debug, Default)]
pub struct Floor {
    /// The names, and whether all lines count.
    reads: Vec<(&'static str, bool)>,
    span: Option<SpanContext>,
    baggage: Vec<(String, String, String)>,
    writes: Vec<(String, String)>,
}

impl Floor {
    /// Writes what `propagator` writes for `context`.
    #[must_use]
    pub fn of_inject(propagator: &dyn TextMapPropagator, context: &Context) -> Self {
        Self::default().writing(propagator, context)
    }

    /// Gives the context that `propagator` gives, after looking for the headers in `reads`.
    #[must_use]
    pub fn of_extract(
        propagator: &dyn TextMapPropagator,
        extractor: &dyn Extractor,
        reads: &'static [&'static str],
    ) -> Self {
        let context = propagator.extract_with_context(&Context::new(), extractor);
        let span = context.has_active_span().then(|| context.span().span_context().clone());
        let baggage = context.baggage().iter();
        let baggage = baggage
            .map(|(key, (value, metadata))| (key.to_string(), value.to_string(), metadata.to_string()));
        let baggage = baggage.collect();
        Self { span, baggage, ..Self::reading(reads) }.writing(propagator, &context)
    }

    /// Looks for the headers and gives the context back.
    #[must_use]
    pub fn reading(reads: &'static [&'static str]) -> Self {
        let all_lines = |name: &&'static str| (*name, !name.contains("b3"));
        Self { reads: reads.iter().map(all_lines).collect(), ..Self::default() }
    }

    /// The same with [`Extractor::get`] alone, so that the price of seeing all lines is known.
    #[must_use]
    pub fn with_first_lines(mut self) -> Self {
        self.reads.iter_mut().for_each(|(_, all_lines)| *all_lines = false);
        self
    }

    fn writing(mut self, propagator: &dyn TextMapPropagator, context: &Context) -> Self {
        let mut carrier = HashMap::new();
        propagator.inject_context(context, &mut carrier);
        self.writes = carrier.into_iter().collect();
        self
    }

    fn baggage(&self) -> Baggage {
        self.baggage.iter().fold(Baggage::new(), |mut baggage, (key, value, metadata)| {
            let _ = baggage.insert_with_metadata(key.clone(), value.clone(), metadata.as_str());
            baggage
        })
    }
}

impl TextMapPropagator for Floor {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        for (name, value) in &self.writes {
            injector.set(name, value.clone());
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        for &(name, all_lines) in &self.reads {
            if all_lines {
                black_box(extractor.get_all(name));
            } else {
                black_box(extractor.get(name));
            }
        }
        let span = self.span.as_ref().map(|span| context.with_remote_span_context(copy(span)));
        let context = span.as_ref().unwrap_or(context);
        if self.baggage.is_empty() { context.clone() } else { context.with_baggage(self.baggage()) }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

fn copy(span: &SpanContext) -> SpanContext {
    let state = TraceState::from_key_value(span.trace_state()).expect("it was valid before");
    SpanContext::new(span.trace_id(), span.span_id(), span.trace_flags(), true, state)
}
