//! What is told of a decision.

use crate::{action::Action, watch::Watch};
use otel_propagator_core::diagnostics::{Direction, LeftOut, TARGET, admit};
use tracing::Level;

/// What was decided of one request.
#[derive(Debug, Default)]
pub(crate) struct Decision {
    /// What became of the trace, if there was one.
    pub(crate) trace: Option<Action>,
    pub(crate) keys_dropped: usize,
    /// Whether something else than all of the trace was used or sent.
    pub(crate) is_change: bool,
}

impl Decision {
    /// Counts it, and tells of what was changed. The place is that of the rule among those of its direction.
    pub(crate) fn tell(&self, watch: Option<&dyn Watch>, direction: Direction, place: usize, rule: &str) {
        let dropped = (self.keys_dropped > 0).then_some(Action::KeysDropped);
        if let Some(watch) = watch {
            self.trace.into_iter().chain(dropped).for_each(|action| watch.decided(direction, place, action));
        }
        if self.is_change || dropped.is_some() {
            let action = self.trace.filter(|_| self.is_change).unwrap_or(Action::KeysDropped);
            decided(direction, rule, action, self.keys_dropped);
        }
    }
}

/// A decision that changed what is used or sent: `propagator.boundary`.
#[cold]
fn decided(direction: Direction, rule: &str, action: Action, keys_dropped: usize) {
    let (direction, action) = (direction.as_str(), action.as_str());
    let Some(suppressed) = admit(&["boundary", direction, rule, action]) else { return };
    tracing::event!(
        name: "propagator.boundary", target: TARGET, Level::DEBUG,
        name = "propagator.boundary", direction, rule, action, keys_dropped, suppressed,
        "trust boundary, rule {rule}: {action}, {keys_dropped} key(s) of baggage dropped"
    );
}

/// An injection of which nobody can say where it goes, so that the rule for unknown destinations holds.
#[cold]
pub(crate) fn unknown_destination(problem: &'static str) {
    let Some(suppressed) = admit(&["destination", problem]) else { return };
    tracing::event!(
        name: "propagator.destination", target: TARGET, Level::WARN,
        name = "propagator.destination", problem, suppressed,
        "destination not known: {problem}"
    );
}

/// A caller that says where our requests go.
#[cold]
pub(crate) fn forged_mark(kept: usize) {
    LeftOut::new("tracestate", Direction::In, "destination mark of a peer").members(1, kept).emit();
}
