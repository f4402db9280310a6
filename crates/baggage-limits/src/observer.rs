//! Who is told of what was left out.

use crate::Report;
use core::fmt;
use std::sync::Arc;

/// Sees every [`Report`] of which something was left out, or of which members are at risk.
///
/// Events are throttled, name one rule each and may have no listener, so they cannot be counted; an observer can. It is
/// called by the thread that reads or writes, and must not be slow.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use opentelemetry_sdk::propagation::BaggagePropagator;
/// use otel_baggage_limits::{BothWays, Limited, Limits, Observer};
/// use std::{collections::HashMap, sync::{Arc, atomic::{AtomicUsize, Ordering}}};
///
/// let count = Arc::new(AtomicUsize::new(0));
/// let counter = count.clone();
/// let observer = Observer::new(move |report| {
///     counter.fetch_add(report.reasons().map(|(_, members)| members).sum(), Ordering::Relaxed);
/// });
/// let limits = BothWays { outbound: Limits::new().max_members(1), observer, ..BothWays::new() };
/// let propagator = Limited::new(BaggagePropagator::new(), limits);
/// let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
/// for _ in 0..100 {
///     propagator.inject_context(&cx, &mut HashMap::new());
/// }
/// assert_eq!(count.load(Ordering::Relaxed), 100);
/// ```
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<Tell>>);

type Tell = dyn Fn(&Report) + Send + Sync;

impl Observer {
    /// Nobody.
    pub const NONE: Self = Self(None);

    /// Calls this function.
    pub fn new(tell: impl Fn(&Report) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    /// This observer and then another one.
    ///
    /// ```
    /// use otel_baggage_limits::{Admission, Direction, Limits, Observer, Reason};
    /// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    ///
    /// static TOLD: AtomicUsize = AtomicUsize::new(0);
    /// let one = || Observer::new(|report| drop(TOLD.fetch_add(report.left_out(Reason::Denied), Relaxed)));
    ///
    /// let limits = Limits::new().deny(&["user"]);
    /// let mut admission = Admission::new("baggage", Direction::Out, &limits);
    /// assert!(!admission.admit("user", "user=amy".len()));
    /// one().and(one()).tell(&admission.report());
    /// assert_eq!(TOLD.load(Relaxed), 2);
    /// ```
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(first), Some(second)) => Self::new(move |report| {
                first(report);
                second(report);
            }),
            (first, second) => Self(first.or(second)),
        }
    }

    /// Hands the report over and emits one rate-limited event, if there is anything to tell.
    ///
    /// The event names the most telling rule, sizes, and neither a key nor a value; see
    /// [`diagnostics`](otel_propagator_core::diagnostics) for its fields. It is for the propagator that read or wrote
    /// the header.
    #[inline]
    pub fn tell(&self, report: &Report) {
        if !report.is_complete() || report.at_risk > 0 || report.measured.members == 0 {
            self.tell_all(report);
        }
    }

    #[cold]
    fn tell_all(&self, report: &Report) {
        if let Some(tell) = &self.0 {
            tell(report);
        }
        report.emit();
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer" } else { "nobody" })
    }
}
