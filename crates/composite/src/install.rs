//! Making a propagator the one of the process.

use crate::events;
use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use std::{fmt, sync::Arc};

/// Makes `propagator` the global one and returns a handle to it.
///
/// Instrumentation that knows only [`global::get_text_map_propagator`] finds it there, behind a read-write lock.
/// Code that is handed the [`Handle`] calls the propagator itself.
///
/// One `INFO` event, `propagator.installed`, shows on one line what is installed.
///
/// Installing again replaces the global propagator. Handles keep what they were given: who wants all callers to
/// change together hands out the new handle, or lets them ask the global one.
///
/// It must not be called from inside `get_text_map_propagator`, whose lock it waits for.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use std::collections::HashMap;
///
/// let propagator = otel_composite::install(otel_composite::from_env());
///
/// let mut carrier = HashMap::new();
/// propagator.inject_context(&Context::new(), &mut carrier);
/// assert!(carrier.is_empty());
/// ```
pub fn install<P: TextMapPropagator + Send + Sync + 'static>(propagator: P) -> Handle {
    let handle = Handle(Arc::new(propagator));
    global::set_text_map_propagator(handle.clone());
    events::installed(&handle);
    handle
}

/// The propagator that [`install`] was given. It takes no lock and is cheap to clone.
#[derive(Clone)]
pub struct Handle(Arc<dyn TextMapPropagator + Send + Sync>);

impl TextMapPropagator for Handle {
    // The trait's own `inject` and `extract` run inside `Context::map_current`, where an event that attaches a context
    // panics.
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(cx, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
