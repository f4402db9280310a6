//! Injection: who is held to which limits.

use crate::part::{Part, Shared};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{Limited, Limits};

/// Every propagator that injects.
pub(crate) struct Writer {
    /// Those that send no baggage, and those that hold to limits by themselves.
    alone: Vec<Shared>,
    /// The others: one check for all of them, and one report. Where there are any, so are those that would only
    /// hold to the same limits once more.
    limited: Option<Limited<All>>,
}

impl Writer {
    pub(crate) fn new<'a>(parts: impl Iterator<Item = &'a Part>, limits: Option<Limits>) -> Self {
        let parts: Vec<&Part> = parts.filter(|part| part.injects).collect();
        let checked = limits.unwrap_or_default();
        let is_anyone_unbounded = parts.iter().any(|part| part.is_unbounded());
        let (together, alone): (Vec<&Part>, Vec<&Part>) = parts.into_iter().partition(|part| {
            let check = if part.has_limits_besides(checked) { limits.is_some() } else { is_anyone_unbounded };
            part.facts.sends_baggage && check
        });
        let limited = (!together.is_empty()).then(|| Limited::new(All(shared(&together)), checked));
        Self { alone: shared(&alone), limited }
    }

    pub(crate) fn inject(&self, cx: &Context, injector: &mut dyn Injector) {
        for propagator in &self.alone {
            propagator.inject_context(cx, injector);
        }
        if let Some(limited) = &self.limited {
            limited.inject_context(cx, injector);
        }
    }
}

fn shared(parts: &[&Part]) -> Vec<Shared> {
    parts.iter().map(|part| part.propagator.clone()).collect()
}

/// Several propagators as one that only injects.
#[derive(Debug)]
struct All(Vec<Shared>);

impl TextMapPropagator for All {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        for propagator in &self.0 {
            propagator.inject_context(cx, injector);
        }
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}
