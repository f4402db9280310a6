//! The formats of this workspace, one row each: a new format is one row here, and a feature with an optional dependency in
//! the manifest.

use crate::{
    Concern,
    part::{Known, Part},
};
#[allow(unused_imports, reason = "there may be no format")]
use opentelemetry::propagation::TextMapPropagator as _;
use std::any::Any;

/// A name that `OTEL_PROPAGATORS` may hold, and the propagator of this workspace behind it.
pub(crate) struct Format {
    pub(crate) name: &'static str,
    /// The feature of this crate that brings it in.
    pub(crate) feature: &'static str,
    pub(crate) concern: Concern,
    /// `None` without the feature.
    pub(crate) compiled_in: Option<CompiledIn>,
}

/// What there is of a format whose feature is enabled.
#[derive(Clone, Copy)]
pub(crate) struct CompiledIn {
    /// How the propagator behind the name is made.
    pub(crate) make: fn(Concern) -> Part,
    /// What is known of a propagator of this type, however it was made.
    pub(crate) recognise: fn(&dyn Any) -> Option<Known>,
}

macro_rules! formats {
    ($($name:literal, $feature:literal, $concern:ident, $propagator:path, $make:ident, $known:expr;)*) => {
        /// All of them, the preferred spelling of a feature first.
        pub(crate) const FORMATS: &[Format] = &[$(Format {
            name: $name,
            feature: $feature,
            concern: Concern::$concern,
            #[cfg(feature = $feature)]
            compiled_in: Some(CompiledIn {
                make: |concern| Part::new(concern, <$propagator>::$make()),
                recognise: |it| it.downcast_ref::<$propagator>().map($known),
            }),
            #[cfg(not(feature = $feature))]
            compiled_in: None,
        }),*];
    };
}

// The name in OTEL_PROPAGATORS, the feature, the concern, the propagator and its constructor, and what is known of one:
// its name, the headers that it reads, those of them that say nothing on their own (`beside`), and the limits that its
// baggage keeps to (`bounded`) if it sends any.
formats! {
    "tracecontext", "tracecontext", Trace, otel_tracecontext::TraceContextPropagator, new,
        |it| Known::new("tracecontext", it.fields()).beside(&["tracestate"]);
    "baggage", "w3c-baggage", Baggage, otel_w3c_baggage::BaggagePropagator, new,
        |it| Known::new("baggage", it.fields())
            .bounded(true, it, (it.inbound_limits(), it.outbound_limits()), |it, limits, observer| {
                it.with_inbound_limits(limits.inbound).with_outbound_limits(limits.outbound).with_observer(observer)
            });
    "b3", "b3", Trace, otel_b3::B3Propagator, single,
        |it| Known::new(b3_name(*it), it.extract_fields()).beside(&["x-b3-flags", "x-b3-parentspanid"]).leaves_decisions_open();
    "b3multi", "b3", Trace, otel_b3::B3Propagator, multi,
        |it| Known::new(b3_name(*it), it.extract_fields()).beside(&["x-b3-flags", "x-b3-parentspanid"]).leaves_decisions_open();
    "jaeger", "jaeger", Trace, otel_jaeger::JaegerPropagator, new,
        |it| Known::new("jaeger", it.extract_fields()).leaves_decisions_open()
            .bounded(it.baggage().is_sent(), it, (it.inbound_limits(), it.outbound_limits()), |it, limits, observer| {
                it.with_inbound_limits(limits.inbound).with_outbound_limits(limits.outbound).with_observer(observer)
            });
    "xray", "xray", Trace, otel_xray::XrayPropagator, new,
        |it| Known::new(if it.reads_environment() { "xray-lambda" } else { "xray" }, it.extract_fields()).leaves_decisions_open();
    "xray-lambda", "xray", Trace, otel_xray::XrayPropagator, lambda,
        |it| Known::new(if it.reads_environment() { "xray-lambda" } else { "xray" }, it.extract_fields()).leaves_decisions_open();
    "ottrace", "ottrace", Trace, otel_ottrace::OtTracePropagator, new,
        |it| Known::new("ottrace", it.extract_fields())
            .bounded(it.baggage().is_sent(), it, (it.inbound_limits(), it.outbound_limits()), |it, limits, observer| {
                it.with_inbound_limits(limits.inbound).with_outbound_limits(limits.outbound).with_observer(observer)
            });
}

/// The format of this name.
pub(crate) fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name.eq_ignore_ascii_case(name))
}

/// What is known of a propagator, if it is one of these.
pub(crate) fn recognise(propagator: &dyn Any) -> Option<Known> {
    FORMATS.iter().find_map(|format| (format.compiled_in?.recognise)(propagator))
}

/// The name says what is sent; both forms are read.
#[cfg(feature = "b3")]
fn b3_name(propagator: otel_b3::B3Propagator) -> &'static str {
    match (propagator.fields().any(|field| field == "b3"), propagator.fields().count()) {
        (true, 1) => "b3",
        (true, _) => "b3+b3multi",
        (false, _) => "b3multi",
    }
}
