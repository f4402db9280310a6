//! The propagator.

use crate::{HEADER, decode_lines, encode};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{Admission, Limits, Observer, Reason};
use otel_propagator_core::{
    diagnostics::Direction,
    header::{Lines, lines},
};
use std::sync::LazyLock;

/// Reads and writes the `baggage` header, within limits.
///
/// Reading replaces the context's baggage, unless nothing can be read: then the given context comes back as it is.
/// Writing sets the header once, if there is baggage: to nothing where none of it may be sent, so that an older header is
/// overridden. What is not read or not sent is told by one rate-limited event a header; see
/// [`otel_propagator_core::diagnostics`].
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use otel_w3c_baggage::{BaggagePropagator, Limits};
/// use std::collections::HashMap;
///
/// const TO_A_THIRD_PARTY: Limits = Limits::new().allow(&["tenant"]);
/// let propagator = BaggagePropagator::new().with_outbound_limits(TO_A_THIRD_PARTY);
///
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user", "amy")]);
/// let mut carrier = HashMap::new();
/// propagator.inject_context(&cx, &mut carrier);
/// assert_eq!(carrier["baggage"], "tenant=acme");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BaggagePropagator {
    inbound: Limits,
    outbound: Limits,
    observer: Observer,
}

impl BaggagePropagator {
    /// A propagator with the default limits both ways: 64 members, of which 8192 bytes are read and 4096 sent.
    #[must_use]
    pub const fn new() -> Self {
        Self { inbound: Limits::new(), outbound: Limits::new(), observer: Observer::NONE }
    }

    /// Sets the limits of both ways.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        self.with_inbound_limits(limits.clone()).with_outbound_limits(limits)
    }

    /// Sets the limits of what is read.
    #[must_use]
    pub fn with_inbound_limits(self, limits: Limits) -> Self {
        Self { inbound: limits, ..self }
    }

    /// Sets the limits of what is written.
    #[must_use]
    pub fn with_outbound_limits(self, limits: Limits) -> Self {
        Self { outbound: limits, ..self }
    }

    /// Tells this observer, too, of what is left out, both ways.
    #[must_use]
    pub fn with_observer(self, observer: Observer) -> Self {
        Self { observer: self.observer.and(observer), ..self }
    }

    /// The limits of what is read.
    #[must_use]
    pub const fn inbound_limits(&self) -> &Limits {
        &self.inbound
    }

    /// The limits of what is written.
    #[must_use]
    pub const fn outbound_limits(&self) -> &Limits {
        &self.outbound
    }

    fn read(&self, cx: &Context, lines: &[&str]) -> Context {
        let (baggage, report) = decode_lines(lines, &self.inbound);
        self.observer.tell(&report);
        if baggage.is_empty() { cx.clone() } else { cx.with_baggage(baggage) }
    }

    pub(crate) const fn observer(&self) -> &Observer {
        &self.observer
    }

    #[cold]
    pub(crate) fn unreadable(&self, cx: &Context) -> Context {
        let mut admission = Admission::new(HEADER, Direction::In, &self.inbound);
        admission.leave_out(Reason::NotText);
        self.observer.tell(&admission.report());
        cx.clone()
    }
}

impl TextMapPropagator for BaggagePropagator {
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let baggage = cx.baggage();
        if baggage.is_empty() {
            return;
        }
        let (header, report) = encode(baggage, &self.outbound);
        self.observer.tell(&report);
        injector.set(HEADER, header);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match lines(extractor, HEADER) {
            Lines::Absent => cx.clone(),
            Lines::Text(lines) => self.read(cx, &lines),
            Lines::Unreadable => self.unreadable(cx),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [HEADER.to_owned()]);
        FieldIter::new(&*FIELDS)
    }
}
