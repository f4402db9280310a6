//! What is read, and what is sent.

use crate::{Limits, Observer};

/// The limits of what is read and of what is sent, and who is told of what they leave out.
///
/// [`Limits`] alone are those of both ways, wherever these are asked for.
///
/// ```
/// use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
/// use opentelemetry_sdk::propagation::BaggagePropagator;
/// use otel_baggage_limits::{BothWays, Limited, Limits};
/// use std::collections::HashMap;
///
/// let limits = BothWays { outbound: Limits::new().allow(&["tenant"]), ..BothWays::new() };
/// let propagator = Limited::new(BaggagePropagator::new(), limits);
/// let request = HashMap::from([("baggage".to_owned(), "tenant=acme,cart=3".to_owned())]);
/// let cx = propagator.extract_with_context(&Context::new(), &request);
/// assert_eq!(cx.baggage().len(), 2);
///
/// let mut sent = HashMap::new();
/// propagator.inject_context(&cx, &mut sent);
/// assert_eq!(sent["baggage"], "tenant=acme");
/// ```
#[derive(Clone, Debug, Default)]
pub struct BothWays {
    /// The limits of what is read.
    pub inbound: Limits,
    /// The limits of what is sent.
    pub outbound: Limits,
    /// Who is told of what is left out, whichever way it went.
    pub observer: Observer,
}

impl BothWays {
    /// The default limits, and nobody who is told.
    #[must_use]
    pub const fn new() -> Self {
        Self { inbound: Limits::new(), outbound: Limits::new(), observer: Observer::NONE }
    }
}

impl From<Limits> for BothWays {
    fn from(limits: Limits) -> Self {
        Self { inbound: limits.clone(), outbound: limits, observer: Observer::NONE }
    }
}
