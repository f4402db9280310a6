//! The propagators of a service as one.
mod builder;
mod conflict;
mod direction;
mod error;
mod events;
mod extract;
mod install;
mod list;
#[cfg_attr(not(feature = "metrics"), path = "metrics_off.rs")]
mod metrics;
mod part;
mod propagator;
mod registry;
mod writer;

pub use builder::Builder;
pub use conflict::ConflictExt;
pub use direction::{ExtractOnly, InjectOnly, extract_only, inject_only};
pub use error::{ListError, Problem, RegisterError};
pub use install::{Handle, install};
#[cfg(feature = "b3")]
pub use otel_b3::{B3Propagator, Sampling, SamplingExt};
pub use otel_baggage_limits::{Limited, Limits, Reason, Report};
#[cfg(feature = "tracecontext")]
pub use otel_tracecontext::{TraceContextPropagator, TraceParent};
#[cfg(feature = "w3c-baggage")]
pub use otel_w3c_baggage::BaggagePropagator;
pub use propagator::CompositePropagator;
pub use registry::{Concern, Registry};

/// The propagators that `OTEL_PROPAGATORS` asks for.
#[must_use]
pub fn from_env() -> CompositePropagator {
    Registry::new().from_env()
}

/// The propagators of a list.
pub fn from_list(list: &str) -> Result<CompositePropagator, ListError> {
    Registry::new().from_list(list)
}

/// One list for each way.
pub fn from_lists(extract: &str, inject: &str) -> Result<CompositePropagator, ListError> {
    Registry::new().from_lists(extract, inject)
}
