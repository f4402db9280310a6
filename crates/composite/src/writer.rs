//! Injection: who is held to which limits.

use crate::part::{Part, Shared};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{Limited, Limits};

/// Every propagator that injects.
pub(crate) struct Writer {
    /// Those that send no baggage, or hold to limits by themselves.
    bounded: Vec<Shared>,
    /// The others, held to the limits together: one check for all of them.
    unbounded: Option<Limited<All>>,
}

impl Writer {
    pub(crate) fn new<'a>(parts: impl Iterator<Item = &'a Part>, limits: Option<Limits>) -> Self {
        let (bounded, unbounded): (Vec<_>, Vec<_>) =
            parts.filter(|part| part.injects).partition(|part| part.is_within(limits));
        let shared = |parts: Vec<&Part>| parts.into_iter().map(|part| part.propagator.clone()).collect();
        let limited = |parts| Limited::new(All(shared(parts)), limits.unwrap_or_default());
        Self {
            bounded: shared(bounded),
            unbounded: Some(unbounded).filter(|all| !all.is_empty()).map(limited),
        }
    }

    pub(crate) fn inject(&self, cx: &Context, injector: &mut dyn Injector) {
        for propagator in &self.bounded {
            propagator.inject_context(cx, injector);
        }
        if let Some(unbounded) = &self.unbounded {
            unbounded.inject_context(cx, injector);
        }
    }
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
