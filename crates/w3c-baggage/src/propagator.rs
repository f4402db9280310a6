//! The propagator.

use crate::{decode_lines, encode, encoded::Encoded};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{Limits, Reason, wire::HEADER};
use otel_propagator_core::diagnostics::Direction;
use std::sync::LazyLock;

/// Reads and writes the `baggage` header, within limits.
///
/// Reading replaces the context's baggage, unless nothing can be read: then the given context comes back as it is.
/// Writing sets the header once, or not at all where nothing is to be sent. What is not read or not sent is told by
/// one rate-limited event a header; see [`otel_propagator_core::diagnostics`].
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
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct BaggagePropagator {
    inbound: Limits,
    outbound: Limits,
}

impl BaggagePropagator {
    /// A propagator with the default limits both ways.
    #[must_use]
    pub const fn new() -> Self {
        Self { inbound: Limits::new(), outbound: Limits::new() }
    }

    /// Sets the limits of both ways.
    #[must_use]
    pub const fn with_limits(self, limits: Limits) -> Self {
        self.with_inbound_limits(limits).with_outbound_limits(limits)
    }

    /// Sets the limits of what is read.
    #[must_use]
    pub const fn with_inbound_limits(mut self, limits: Limits) -> Self {
        self.inbound = limits;
        self
    }

    /// Sets the limits of what is written.
    #[must_use]
    pub const fn with_outbound_limits(mut self, limits: Limits) -> Self {
        self.outbound = limits;
        self
    }

    /// The limits of what is written.
    #[must_use]
    pub const fn outbound_limits(&self) -> Limits {
        self.outbound
    }
}

impl BaggagePropagator {
    fn read(&self, cx: &Context, lines: &[&str]) -> Context {
        let (baggage, mut report) = decode_lines(lines, &self.inbound);
        if lines.is_empty() {
            report.leave_out(Reason::NotText);
        }
        if !report.is_complete() || baggage.is_empty() {
            report.emit(Direction::In);
        }
        if baggage.is_empty() {
            return cx.clone();
        }
        Encoded::remember(cx.with_baggage(baggage), report.measured.bytes)
    }
}

impl TextMapPropagator for BaggagePropagator {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let baggage = cx.baggage();
        if baggage.is_empty() {
            return;
        }
        let encoded = Encoded::of(cx, baggage);
        if let Some(header) = encoded.and_then(|encoded| encoded.header(&self.outbound)) {
            return injector.set(HEADER, header.to_owned());
        }
        let (header, report) = encode(baggage, &self.outbound);
        if !report.is_complete() || report.at_risk > 0 {
            report.emit(Direction::Out);
        } else if let Some(encoded) = encoded {
            encoded.keep(self.outbound, &header);
        }
        if !header.is_empty() {
            injector.set(HEADER, header);
        }
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match extractor.get_all(HEADER) {
            Some(lines) => self.read(cx, &lines),
            None => cx.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| [HEADER.to_owned()]);
        FieldIter::new(&*FIELDS)
    }
}
