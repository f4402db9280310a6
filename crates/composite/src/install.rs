//! Making a propagator the one of the process.

use crate::{CompositePropagator, events};
use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use std::{
    any::Any,
    cell::Cell,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

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
    let any: &dyn Any = &propagator;
    let composite = any.downcast_ref::<CompositePropagator>().cloned();
    let composite = composite.or_else(|| any.downcast_ref::<Handle>()?.composite.clone());
    #[cfg(feature = "boundary")]
    let composite = composite.or_else(|| guarded(any));
    let handle = Handle { propagator: Arc::new(propagator), composite };
    global::set_text_map_propagator(handle.clone());
    WAS_CALLED.store(true, Ordering::Relaxed);
    events::installed(&handle);
    handle
}

/// A composite that its boundary was wrapped around.
#[cfg(feature = "boundary")]
fn guarded(propagator: &dyn Any) -> Option<CompositePropagator> {
    propagator.downcast_ref().cloned().map(CompositePropagator::of_guarded)
}

static WAS_CALLED: AtomicBool = AtomicBool::new(false);

/// Whether anything was installed.
pub(crate) fn was_called() -> bool {
    WAS_CALLED.load(Ordering::Relaxed)
}

/// The propagator that [`install`] was given. It takes no lock and is cheap to clone.
#[derive(Clone)]
pub struct Handle {
    propagator: Arc<dyn TextMapPropagator + Send + Sync>,
    /// The same, where it is a composite.
    composite: Option<CompositePropagator>,
}

impl Handle {
    /// Whether this is what the global propagator is now, so that nobody has replaced it.
    ///
    /// It must not be called from inside `get_text_map_propagator`.
    ///
    /// ```standalone_crate
    /// use opentelemetry_sdk::propagation::TraceContextPropagator;
    ///
    /// let handle = otel_composite::install(TraceContextPropagator::new());
    /// assert!(handle.is_global());
    /// opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
    /// assert!(!handle.is_global());
    /// ```
    #[must_use]
    pub fn is_global(&self) -> bool {
        let (global, _) = global::get_text_map_propagator(|global| shown(&global));
        global.is_some_and(|global| Arc::ptr_eq(&global.propagator, &self.propagator))
    }

    pub(crate) fn composite(&self) -> Option<&CompositePropagator> {
        self.composite.as_ref()
    }
}

thread_local! {
    /// The handle that showed itself last on this thread.
    static SHOWN: Cell<Option<Handle>> = const { Cell::new(None) };
}

/// How a propagator shows itself, and the handle that it is, or that is in it.
///
/// A propagator's type cannot be asked for, but every propagator has `Debug`.
pub(crate) fn shown(propagator: &dyn fmt::Debug) -> (Option<Handle>, String) {
    SHOWN.set(None);
    let shown = format!("{propagator:?}");
    (SHOWN.take(), shown)
}

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
        self.propagator.inject_context(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.propagator.extract_with_context(cx, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.propagator.fields()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.propagator.fmt(f)?;
        // After what is inside, which may be a handle itself.
        let _ = SHOWN.try_with(|shown| shown.set(Some(self.clone())));
        Ok(())
    }
}
