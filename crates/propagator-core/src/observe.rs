//! Hands what was left out of a header to whoever counts it (feature `observe`).
//!
//! Events are throttled and may have no listener, so they cannot be counted. An [`Observer`] is told of every
//! one, on the thread and for the time of one call, so that two composites in one process count apart.

use crate::diagnostics::LeftOut;
use std::{cell::RefCell, sync::Arc};

/// Is told of what was left out while [`observed`] runs.
pub trait Observer {
    /// Some members of a header were not used, or not sent.
    fn left_out(&self, event: &LeftOut);
}

thread_local! {
    static OBSERVER: RefCell<Option<Arc<dyn Observer>>> = const { RefCell::new(None) };
}

/// Calls `run` and tells `observer` of all that is left out on this thread meanwhile, throttled or not.
///
/// Nothing is allocated. A nested call replaces the observer until it returns.
///
/// ```
/// use otel_propagator_core::{diagnostics::{Direction, LeftOut, Throttle}, observe::{Observer, observed}};
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
///
/// #[derive(Default)]
/// struct Count(AtomicUsize);
///
/// impl Observer for Count {
///     fn left_out(&self, event: &LeftOut) {
///         self.0.fetch_add(event.left_out, Ordering::Relaxed);
///     }
/// }
///
/// static THROTTLE: Throttle = Throttle::new();
/// let event = LeftOut { header: "baggage", direction: Direction::In, rule: "no equals sign", left_out: 2, kept: 7, bytes: 99 };
/// let count = Arc::new(Count::default());
///
/// observed(count.clone(), || (0..100).for_each(|_| event.emit(&THROTTLE)));
/// event.emit(&THROTTLE);
/// assert_eq!(count.0.load(Ordering::Relaxed), 200);
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

pub(crate) fn left_out(event: &LeftOut) {
    if let Ok(Some(observer)) = OBSERVER.try_with(|slot| slot.borrow().clone()) {
        observer.left_out(event);
    }
}
