//! A decorator that gives the promise of the limits to a propagator that knows none.

use crate::{
    Limits, Reason, Report, Selection, Size,
    bounded::Bounded,
    property,
    wire::{Cost, HEADER},
};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_propagator_core::diagnostics::Direction;

/// Any propagator, with its baggage within limits in both directions.
///
/// What the inner propagator sends as `baggage` is measured as it stands: a header over the limits is withheld and
/// written again from fewer members. Its other headers pass as they are, once. What it may read of `baggage` ends
/// where the limits do; baggage that it has from elsewhere is held to [`Limits::max_members`] and to the limits of keys
/// and of single members, by the order of [`Limits::select`]. A composite of propagators may be wrapped as well as a single one.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use opentelemetry_sdk::propagation::BaggagePropagator;
/// use otel_baggage_limits::{Limited, Limits};
/// use std::collections::HashMap;
///
/// let propagator = Limited::new(BaggagePropagator::new(), Limits::new().max_bytes(20));
/// let cx = Context::new().with_baggage([
///     KeyValue::new("name", "a value of more than twenty bytes"),
///     KeyValue::new("tenant", "acme"),
/// ]);
/// let mut carrier = HashMap::new();
/// propagator.inject_context(&cx, &mut carrier);
/// assert_eq!(carrier["baggage"], "tenant=acme");
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Limited<P> {
    inner: P,
    limits: Limits,
}

impl<P> Limited<P> {
    /// Holds the propagator to the limits.
    #[must_use]
    pub const fn new(inner: P, limits: Limits) -> Self {
        Self { inner, limits }
    }
}

impl<P: TextMapPropagator> TextMapPropagator for Limited<P> {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let mut gate = Gate { injector, limits: &self.limits, only_baggage: false, withheld: false };
        match self.limits.admit_all(cx.baggage()).filter(|_| is_well_formed(cx.baggage())) {
            Some(report) => gate.inject(&self.inner, cx, report),
            None => self.inject_selection(cx, &mut gate, Cost::of),
        }
        if gate.withheld {
            // The inner encoder escapes more than ours: choose as if it escaped all that any encoder escapes.
            gate.withheld = false;
            gate.only_baggage = true;
            self.inject_selection(cx, &mut gate, Cost::at_most);
        }
        if gate.withheld {
            nothing_sent(cx.baggage()).emit(Direction::Out);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let bounded = Bounded::new(extractor, &self.limits);
        let extracted = self.inner.extract_with_context(cx, &bounded);
        let (replacement, mut report) = self.filter(cx.baggage(), extracted.baggage());
        if let Some(cut) = bounded.cut() {
            report.leave_out(cut.reason);
            report.measured.bytes = cut.bytes;
        }
        if !report.is_complete() {
            report.emit(Direction::In);
        }
        match replacement {
            Some(baggage) => extracted.with_baggage(baggage),
            None => extracted,
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        self.inner.fields()
    }
}

impl<P: TextMapPropagator> Limited<P> {
    fn inject_selection(&self, cx: &Context, gate: &mut Gate<'_>, cost: fn(&str, &str, &str) -> Cost) {
        let mut selection = Selection::new();
        selection.choose(cx.baggage(), &self.limits, cost);
        let baggage = selection.to_sanitised_baggage();
        let mut report = selection.report();
        for _ in baggage.len()..report.kept.members {
            report.kept.members -= 1;
            report.leave_out(Reason::BaggageFull);
        }
        gate.inject(&self.inner, &cx.with_baggage(baggage), report);
    }

    /// What has to take the place of the baggage that was read, so that it holds nothing but what the limits admit.
    /// Where nothing is left of it, the given baggage stays.
    fn filter(&self, given: &Baggage, read: &Baggage) -> (Option<Baggage>, Report) {
        if std::ptr::eq(given, read) {
            return (None, Report::default());
        }
        // How many bytes there are is bounded by what could be read.
        let limits = Limits { max_bytes: usize::MAX, ..self.limits };
        let selection = limits.select(read);
        let report = selection.report();
        let replacement = match report.kept.members {
            0 => Some(copy(given)),
            _ if report.is_complete() => None,
            _ => Some(selection.to_baggage()),
        };
        (replacement, report)
    }
}

/// Whether no metadata needs an escape.
fn is_well_formed(baggage: &Baggage) -> bool {
    baggage.iter().all(|(_, (_, metadata))| property::is_well_formed(metadata.as_str()))
}

fn copy(baggage: &Baggage) -> Baggage {
    baggage.iter().map(|(key, content)| (key.clone(), content.clone())).collect()
}

/// The report of a baggage of which no header can be made that keeps to the limits.
fn nothing_sent(baggage: &Baggage) -> Report {
    let mut report = Limits::new().select(baggage).report();
    report.kept = Size::default();
    (0..report.measured.members).for_each(|_| report.leave_out(Reason::TooManyBytes));
    report
}

/// Lets a baggage header through only if it keeps to the limits.
struct Gate<'a> {
    injector: &'a mut dyn Injector,
    limits: &'a Limits,
    /// Whether the other headers have gone already.
    only_baggage: bool,
    withheld: bool,
}

impl Gate<'_> {
    /// Lets the propagator send, and tells what was left out unless all of it was withheld.
    fn inject(&mut self, propagator: &impl TextMapPropagator, cx: &Context, report: Report) {
        propagator.inject_context(cx, self);
        if !self.withheld && (!report.is_complete() || report.at_risk > 0) {
            report.emit(Direction::Out);
        }
    }

    fn admits(&self, header: &str) -> bool {
        header.len() <= self.limits.max_bytes
            && header.split(',').count() <= self.limits.max_members
            && header.split(',').all(|member| self.limits.check_member_len(member.len()).is_ok())
    }
}

impl Injector for Gate<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !key.eq_ignore_ascii_case(HEADER) {
            if !self.only_baggage {
                self.injector.set(key, value);
            }
        } else if self.admits(&value) {
            self.injector.set(key, value);
        } else {
            self.withheld = true;
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.injector.reserve(additional);
    }
}
