//! Who is measured: the SDK's propagators and ours, called directly, through the global, and through our handle.

use opentelemetry::{
    Context, global,
    propagation::{
        Extractor, Injector, TextMapCompositePropagator, TextMapPropagator, text_map_propagator::FieldIter,
    },
};

/// Any propagator.
pub type Propagator = Box<dyn TextMapPropagator + Send + Sync>;

/// The SDK's propagators.
pub mod sdk {
    use super::{Propagator, TextMapCompositePropagator};
    use opentelemetry_propagator_b3::{B3Encoding, Propagator as B3};
    use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

    /// `traceparent` and `tracestate`.
    #[must_use]
    pub fn trace_context() -> Propagator {
        Box::new(TraceContextPropagator::new())
    }

    /// `baggage`.
    #[must_use]
    pub fn baggage() -> Propagator {
        Box::new(BaggagePropagator::new())
    }

    /// `b3`; this one writes the `x-b3-` headers, too.
    #[must_use]
    pub fn b3_single() -> Propagator {
        Box::new(B3::with_encoding(B3Encoding::SingleHeader))
    }

    /// `x-b3-traceid` and the others.
    #[must_use]
    pub fn b3_multi() -> Propagator {
        Box::new(B3::with_encoding(B3Encoding::MultipleHeader))
    }

    /// `x-amzn-trace-id`, of OpenTelemetry's contributed crates.
    #[must_use]
    pub fn xray() -> Propagator {
        Box::new(opentelemetry_aws::trace::XrayPropagator::default())
    }

    /// Trace context and baggage.
    #[must_use]
    pub fn composite() -> Propagator {
        Box::new(TextMapCompositePropagator::new(vec![trace_context(), baggage()]))
    }

    /// Trace context, B3 and baggage.
    #[must_use]
    pub fn all() -> Propagator {
        Box::new(TextMapCompositePropagator::new(vec![trace_context(), b3_single(), baggage()]))
    }
}

/// Ours.
pub mod ours {
    use super::Propagator;
    use otel_b3::B3Propagator;
    use otel_composite::CompositePropagator;
    use otel_tracecontext::TraceContextPropagator;
    use otel_w3c_baggage::{BaggagePropagator, RelayPropagator};

    /// `traceparent` and `tracestate`.
    #[must_use]
    pub fn trace_context() -> Propagator {
        Box::new(TraceContextPropagator::new())
    }

    /// `baggage`.
    #[must_use]
    pub fn baggage() -> Propagator {
        Box::new(BaggagePropagator::new())
    }

    /// `baggage`, passed on without being decoded.
    #[must_use]
    pub fn relay() -> Propagator {
        Box::new(RelayPropagator::new())
    }

    /// `b3`.
    #[must_use]
    pub fn b3_single() -> Propagator {
        Box::new(B3Propagator::single())
    }

    /// `x-b3-traceid` and the others.
    #[must_use]
    pub fn b3_multi() -> Propagator {
        Box::new(B3Propagator::multi())
    }

    /// `uber-trace-id`.
    #[must_use]
    pub fn jaeger() -> Propagator {
        Box::new(otel_jaeger::JaegerPropagator::new())
    }

    /// `ot-tracer-traceid` and the others.
    #[must_use]
    pub fn ottrace() -> Propagator {
        Box::new(otel_ottrace::OtTracePropagator::new())
    }

    /// `x-amzn-trace-id`.
    #[must_use]
    pub fn xray() -> Propagator {
        Box::new(otel_xray::XrayPropagator::new())
    }

    /// Trace context and baggage.
    #[must_use]
    pub fn composite() -> Propagator {
        Box::new(
            CompositePropagator::builder()
                .trace(TraceContextPropagator::new())
                .baggage(BaggagePropagator::new())
                .build(),
        )
    }

    /// Trace context, and baggage that is passed on without being decoded.
    #[must_use]
    pub fn relaying_composite() -> Propagator {
        Box::new(
            CompositePropagator::builder()
                .trace(TraceContextPropagator::new())
                .baggage(RelayPropagator::new())
                .build(),
        )
    }

    /// Trace context, B3 and baggage.
    #[must_use]
    pub fn all() -> Propagator {
        Box::new(
            CompositePropagator::builder()
                .trace(TraceContextPropagator::new())
                .trace(B3Propagator::single())
                .baggage(BaggagePropagator::new())
                .build(),
        )
    }
}

/// Makes `propagator` the global one and gives a propagator that calls it as instrumentation does: through
/// [`global::get_text_map_propagator`] and the lock in it.
#[must_use]
pub fn through_global(propagator: Propagator) -> Propagator {
    global::set_text_map_propagator(Boxed(propagator));
    Box::new(Global)
}

/// Makes `propagator` the global one and gives the handle of [`otel_composite::install`].
#[must_use]
pub fn through_handle(propagator: Propagator) -> Propagator {
    Box::new(otel_composite::install(Boxed(propagator)))
}

#[derive(Debug)]
struct Global;

impl TextMapPropagator for Global {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        global::get_text_map_propagator(|propagator| propagator.inject_context(context, injector));
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        global::get_text_map_propagator(|propagator| propagator.extract_with_context(context, extractor))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

/// A [`Propagator`] where one type is asked for.
#[derive(Debug)]
struct Boxed(Propagator);

impl TextMapPropagator for Boxed {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(context, injector);
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(context, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}
