//! Decorators that use a propagator one way only.

use crate::{
    known::Concern,
    part::{ExtractOnly, InjectOnly, IntoPart, Part},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use std::fmt;

/// Accepts a format on the way in and never sends it.
///
/// It has no [`fields`](TextMapPropagator::fields), since those are what a propagator writes. It fits upstream's
/// [`TextMapCompositePropagator`](opentelemetry::propagation::TextMapCompositePropagator) as well as this crate's
/// [`Builder`](crate::Builder).
///
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry_sdk::propagation::TraceContextPropagator;
///
/// let accepted = otel_composite::extract_only(TraceContextPropagator::new());
/// assert_eq!(accepted.fields().count(), 0);
/// ```
pub fn extract_only<Kind>(propagator: impl IntoPart<Kind>) -> ExtractOnly {
    ExtractOnly(Part { injects: false, ..propagator.into_part(Concern::Other) })
}

/// Sends a format and never reads it.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
/// use opentelemetry_sdk::propagation::TraceContextPropagator;
/// use std::collections::HashMap;
///
/// let sent = otel_composite::inject_only(TraceContextPropagator::new());
/// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
/// assert!(!sent.extract_with_context(&Context::new(), &carrier).has_active_span());
/// ```
pub fn inject_only<Kind>(propagator: impl IntoPart<Kind>) -> InjectOnly {
    InjectOnly(Part { extracts: false, ..propagator.into_part(Concern::Other) })
}

// The trait's own `inject` and `extract` run inside `Context::map_current`, where an event that attaches a context panics.

impl TextMapPropagator for ExtractOnly {
    fn inject(&self, _: &mut dyn Injector) {}

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        if self.0.extracts { self.0.propagator.extract_with_context(cx, extractor) } else { cx.clone() }
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

impl TextMapPropagator for InjectOnly {
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, _: &dyn Extractor) -> Context {
        Context::current()
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        if self.0.injects {
            self.0.propagator.inject_context(cx, injector);
        }
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        if self.0.injects { self.0.propagator.fields() } else { FieldIter::new(&[]) }
    }
}

impl fmt::Debug for ExtractOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExtractOnly").field(&self.0).finish()
    }
}

impl fmt::Debug for InjectOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InjectOnly").field(&self.0).finish()
    }
}
