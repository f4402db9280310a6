//! What the operator is told, beside the events of the formats themselves.

use otel_propagator_core::diagnostics::{TARGET, admit};
use std::fmt::Display;
use tracing::Level;

/// `propagator.conflict`: two headers name different traces.
#[cold]
pub(crate) fn conflict(chosen: &str, not_chosen: &str) {
    let Some(suppressed) = admit(&["conflict", chosen, not_chosen]) else { return };
    tracing::event!(
        name: "propagator.conflict", target: TARGET, Level::WARN,
        name = "propagator.conflict", chosen, not_chosen, suppressed,
        "{chosen} and {not_chosen} name different traces: {chosen} was chosen"
    );
}

/// `propagator.configuration`: a part of a setting was not used.
pub(crate) fn configuration(variable: &str, problem: &dyn Display, known: &str) {
    tracing::event!(
        name: "propagator.configuration", target: TARGET, Level::WARN,
        name = "propagator.configuration", variable, %problem, known,
        "a part of a setting was not used as it stands"
    );
}

/// `propagator.installed`: what the process uses from now on.
pub(crate) fn installed(propagator: &dyn std::fmt::Debug) {
    tracing::event!(
        name: "propagator.installed", target: TARGET, Level::INFO,
        name = "propagator.installed", propagator = ?propagator,
        "propagator installed"
    );
}
