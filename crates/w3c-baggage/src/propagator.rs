//! The propagator.

use crate::{HEADER, decode_lines, encode};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{Admission, BothWays, Reason};
use otel_propagator_core::{
    diagnostics::Direction,
    header::{Lines, lines},
};
use std::sync::LazyLock;

/// Reads and writes the `baggage` header, within limits.
///
/// Reading replaces the context's baggage, unless nothing can be read: then the given context comes back as it is.
/// Writing sets the header once, if there is baggage: to nothing where none of it may be sent, so that an older header is
/// overridden. A context without baggage sets nothing, so what was cleared stays in a copy of a request, unless the carrier
/// is that of `otel-carriers`, which begins by removing it. What is not read or not sent is told by one rate-limited event a header; see
/// [`otel_propagator_core::diagnostics`].
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use otel_w3c_baggage::{BaggagePropagator, BothWays, Limits};
/// use std::collections::HashMap;
///
/// const TO_A_THIRD_PARTY: Limits = Limits::new().allow(&["tenant"]);
/// let limits = BothWays { outbound: TO_A_THIRD_PARTY, ..BothWays::new() };
/// let propagator = BaggagePropagator::new().with_limits(limits);
///
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user", "amy")]);
/// let mut carrier = HashMap::new();
/// propagator.inject_context(&cx, &mut carrier);
/// assert_eq!(carrier["baggage"], "tenant=acme");
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct BaggagePropagator {
    limits: BothWays,
}

impl BaggagePropagator {
    /// A propagator with the default limits both ways: 64 members, of which 8192 bytes are read and 4096 sent.
    #[must_use]
    pub const fn new() -> Self {
        Self { limits: BothWays::new() }
    }

    /// Sets the limits, and who is told of what they leave out. [`Limits`](crate::Limits) alone are those of both ways.
    ///
    /// ```
    /// use otel_w3c_baggage::{BaggagePropagator, Limits};
    ///
    /// let propagator = BaggagePropagator::new().with_limits(Limits::W3C);
    /// assert_eq!(propagator.limits().outbound, Limits::W3C);
    /// ```
    #[must_use]
    pub fn with_limits(mut self, limits: impl Into<BothWays>) -> Self {
        self.limits = limits.into();
        self
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> &BothWays {
        &self.limits
    }

    fn read(&self, cx: &Context, lines: &[&str]) -> Context {
        let (baggage, report) = decode_lines(lines, &self.limits.inbound);
        self.limits.observer.tell(&report);
        if baggage.is_empty() { cx.clone() } else { cx.with_baggage(baggage) }
    }

    #[cold]
    pub(crate) fn unreadable(&self, cx: &Context) -> Context {
        let mut admission = Admission::new(HEADER, Direction::In, &self.limits.inbound);
        admission.leave_out(Reason::NotText);
        self.limits.observer.tell(&admission.report());
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
        let (header, report) = encode(baggage, &self.limits.outbound);
        self.limits.observer.tell(&report);
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
