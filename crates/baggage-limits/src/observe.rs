//! Hands every [`Report`] to whoever counts them (feature `observe`).
//!
//! Events are throttled, name one rule each and may have no listener, so they cannot be counted. An [`Observer`]
//! sees every report, on one thread and for the time of one call, so that two composites in one process count
//! apart.

use crate::Report;
use otel_propagator_core::diagnostics::Direction;
use std::{cell::RefCell, sync::Arc};

/// Sees what was left out while [`observed`] runs.
pub trait Observer {
    /// A header was read or written, and something was left out of it.
    fn report(&self, report: &Report, direction: Direction);
}

thread_local! {
    static OBSERVER: RefCell<Option<Arc<dyn Observer>>> = const { RefCell::new(None) };
}

/// Calls `run` and shows `observer` every report of this thread that [`Report::emit`] is called for meanwhile.
///
/// Nothing is allocated. A nested call replaces the observer until it returns.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use opentelemetry_sdk::propagation::BaggagePropagator;
/// use otel_baggage_limits::{Limited, Limits, Report, observe::{Observer, observed}};
/// use otel_propagator_core::diagnostics::Direction;
/// use std::{collections::HashMap, sync::{Arc, atomic::{AtomicUsize, Ordering}}};
///
/// #[derive(Default)]
/// struct Count(AtomicUsize);
///
/// impl Observer for Count {
///     fn report(&self, report: &Report, _: Direction) {
///         self.0.fetch_add(report.reasons().map(|(_, count)| count).sum(), Ordering::Relaxed);
///     }
/// }
///
/// let propagator = Limited::new(BaggagePropagator::new(), Limits::new().max_members(1));
/// let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
/// let count = Arc::new(Count::default());
/// for _ in 0..100 {
///     observed(count.clone(), || propagator.inject_context(&cx, &mut HashMap::new()));
/// }
/// assert_eq!(count.0.load(Ordering::Relaxed), 100);
/// ```
pub fn observed<T>(observer: Arc<dyn Observer>, run: impl FnOnce() -> T) -> T {
    let _restored = Restored(replace(Some(observer)));
    run()
}

/// Puts the previous observer back, also when the observed call unwinds.
struct Restored(Option<Arc<dyn Observer>>);

impl Drop for Restored {
    fn drop(&mut self) {
        replace(self.0.take());
    }
}

/// A thread that is being torn down has no observer.
fn replace(observer: Option<Arc<dyn Observer>>) -> Option<Arc<dyn Observer>> {
    OBSERVER.try_with(|slot| slot.replace(observer)).ok().flatten()
}

pub(crate) fn tell(report: &Report, direction: Direction) {
    if let Ok(Some(observer)) = OBSERVER.try_with(|slot| slot.borrow().clone()) {
        observer.report(report, direction);
    }
}
