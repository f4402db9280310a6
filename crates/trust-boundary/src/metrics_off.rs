//! Stands in for the metrics where the feature is not enabled.

use crate::{Boundary, action::Action};
use otel_propagator_core::diagnostics::Direction;

#[derive(Clone, Debug)]
pub(crate) struct Metrics;

impl Metrics {
    #[cfg(feature = "http")]
    pub(crate) const OFF: Self = Self;

    pub(crate) const fn new(_: &Boundary) -> Self {
        Self
    }

    #[allow(clippy::unused_self, reason = "the signature of the feature")]
    pub(crate) const fn is_on(&self) -> bool {
        false
    }

    #[allow(clippy::unused_self, reason = "the signature of the feature")]
    pub(crate) const fn count(&self, _: Direction, _: usize, _: Action) {}
}
