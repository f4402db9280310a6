//! The formats of this workspace: a new one is a row here with what is known of it, and a feature with an optional
//! dependency in the manifest.

use crate::known::{Concern, Known, Shared};
use std::any::Any;
#[cfg_attr(not(feature = "tracecontext"), allow(unused_imports, reason = "there may be no format"))]
use std::sync::Arc;

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
    pub(crate) make: fn() -> (Shared, Known),
    /// What is known of a propagator of this type, however it was made.
    pub(crate) recognise: fn(&dyn Any) -> Option<Known>,
}

macro_rules! formats {
    ($($name:literal, $feature:literal, $concern:ident, $propagator:path, $make:ident, $known:ident;)*) => {
        /// All of them, the preferred spelling of a feature first.
        pub(crate) const FORMATS: &[Format] = &[$(Format {
            name: $name,
            feature: $feature,
            concern: Concern::$concern,
            #[cfg(feature = $feature)]
            compiled_in: Some(CompiledIn {
                make: || {
                    let propagator = <$propagator>::$make();
                    let known = known::$known(&propagator);
                    (Arc::new(propagator), known)
                },
                recognise: |it| it.downcast_ref::<$propagator>().map(known::$known),
            }),
            #[cfg(not(feature = $feature))]
            compiled_in: None,
        }),*];
    };
}

// The name in OTEL_PROPAGATORS, the feature, the concern, the propagator and its constructor, and what is known of one.
formats! {
    "tracecontext", "tracecontext", Trace, otel_tracecontext::TraceContextPropagator, new, tracecontext;
    "baggage", "w3c-baggage", Baggage, otel_w3c_baggage::BaggagePropagator, new, baggage;
    "b3", "b3", Trace, otel_b3::B3Propagator, single, b3;
    "b3multi", "b3", Trace, otel_b3::B3Propagator, multi, b3;
    "jaeger", "jaeger", Trace, otel_jaeger::JaegerPropagator, new, jaeger;
    "xray", "xray", Trace, otel_xray::XrayPropagator, new, xray;
    "xray-lambda", "xray", Trace, otel_xray::XrayPropagator, lambda, xray;
    "ottrace", "ottrace", Trace, otel_ottrace::OtTracePropagator, new, ottrace;
}

/// What is known of each propagator, however it was made: its name, the headers that it reads, those of them that say
/// nothing on their own (`beside`), the headers that it does not always write (`writes_at_times`), whether it leaves decisions open,
/// and how the baggage that it carries is held to limits.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "one signature for all")]
mod known {
    #[allow(unused_imports, reason = "there may be no format")]
    use crate::known::Known;
    #[allow(unused_imports, reason = "there may be no format")]
    use opentelemetry::propagation::TextMapPropagator as _;

    #[cfg(feature = "tracecontext")]
    pub(super) fn tracecontext(it: &otel_tracecontext::TraceContextPropagator) -> Known {
        Known::new("tracecontext", it.fields()).beside(&["tracestate"]).writes_at_times(&["tracestate"])
    }

    #[cfg(feature = "w3c-baggage")]
    pub(super) fn baggage(it: &otel_w3c_baggage::BaggagePropagator) -> Known {
        Known::new("baggage", it.fields()).carries(
            true,
            it.limits(),
            it,
            otel_w3c_baggage::BaggagePropagator::with_limits,
        )
    }

    /// No name stands for it: its baggage is not where applications look for baggage.
    #[cfg(feature = "w3c-baggage")]
    pub(super) fn relay(it: &otel_w3c_baggage::RelayPropagator) -> Known {
        Known::new("baggage relay", it.fields()).carries(
            true,
            it.limits(),
            it,
            otel_w3c_baggage::RelayPropagator::with_limits,
        )
    }

    /// The name says what is sent; both forms are read.
    #[cfg(feature = "b3")]
    pub(super) fn b3(it: &otel_b3::B3Propagator) -> Known {
        let name = match (it.fields().any(|field| field == "b3"), it.fields().count()) {
            (true, 1) => "b3",
            (true, _) => "b3+b3multi",
            (false, _) => "b3multi",
        };
        let known = Known::new(name, it.extract_fields())
            .beside(&["x-b3-flags", "x-b3-parentspanid"])
            .leaves_decisions_open();
        if name == "b3" { known } else { known.writes_at_times(&["x-b3-flags"]) }
    }

    #[cfg(feature = "jaeger")]
    pub(super) fn jaeger(it: &otel_jaeger::JaegerPropagator) -> Known {
        let (known, baggage) = (Known::new("jaeger", it.extract_fields()), it.baggage());
        known.leaves_decisions_open().carries(baggage.is_sent(), baggage.limits(), it, |it, limits| {
            let baggage = it.baggage().clone().with_limits(limits);
            it.with_baggage(baggage)
        })
    }

    #[cfg(feature = "xray")]
    pub(super) fn xray(it: &otel_xray::XrayPropagator) -> Known {
        let name = if it.reads_environment() { "xray-lambda" } else { "xray" };
        Known::new(name, it.extract_fields()).leaves_decisions_open()
    }

    #[cfg(feature = "ottrace")]
    pub(super) fn ottrace(it: &otel_ottrace::OtTracePropagator) -> Known {
        let (known, baggage) = (Known::new("ottrace", it.extract_fields()), it.baggage());
        known.writes_at_times(&["ot-tracer-sampled"]).leaves_decisions_open().carries(
            baggage.is_sent(),
            baggage.limits(),
            it,
            |it, limits| {
                let baggage = it.baggage().clone().with_limits(limits);
                it.with_baggage(baggage)
            },
        )
    }
}

/// The format of this name.
pub(crate) fn by_name(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name.eq_ignore_ascii_case(name))
}

/// What is known of a propagator, if it is one of these.
pub(crate) fn recognise(propagator: &dyn Any) -> Option<Known> {
    #[cfg(feature = "w3c-baggage")]
    if let Some(relay) = propagator.downcast_ref() {
        return Some(known::relay(relay));
    }
    FORMATS.iter().find_map(|format| (format.compiled_in?.recognise)(propagator))
}
