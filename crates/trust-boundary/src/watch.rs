//! What a boundary tells whoever counts.

use crate::action::Action;
use otel_propagator_core::diagnostics::Direction;
use std::fmt;

/// Sees what is decided.
pub(crate) trait Watch: Send + Sync {
    /// A decision of the rule at this place among those of its direction; the one for all others comes after the last.
    fn decided(&self, direction: Direction, place: usize, action: Action);
}

impl fmt::Debug for dyn Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watch")
    }
}
