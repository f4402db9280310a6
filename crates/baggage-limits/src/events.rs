//! One event for each header of which something was left out.

use crate::{Reason, Report, wire::HEADER};
use otel_propagator_core::diagnostics::{AtRisk, Direction, LeftOut, Rejected};

impl Report {
    /// Emits one event, rate-limited, if a received header could not be used, or if members of it or of one that
    /// is sent were left out. It names the most telling rule; see
    /// [`diagnostics`](otel_propagator_core::diagnostics) for its fields.
    ///
    /// That a later member has the same key is not worth an event, nor is it that a received member is long. Members
    /// that are sent although they are [`at_risk`](Self::at_risk) are, where nothing was left out.
    pub fn emit(&self, direction: Direction) {
        #[cfg(feature = "observe")]
        crate::observe::tell(self, direction);
        let first = self.reasons().find(|&(reason, _)| reason != Reason::Superseded);
        match (first, direction) {
            (Some((reason, count)), _) => self.emit_reason(reason, count, direction),
            (None, Direction::In) if self.kept.members == 0 => {
                Rejected::new(HEADER, "no member", self.measured.bytes).emit();
            }
            (None, Direction::Out) if self.at_risk > 0 => {
                AtRisk::new(HEADER, self.at_risk, self.kept.bytes).emit();
            }
            (None, _) => {}
        }
    }

    fn emit_reason(&self, reason: Reason, left_out: usize, direction: Direction) {
        let (header, rule, bytes, kept) = (HEADER, reason.as_str(), self.measured.bytes, self.kept.members);
        if direction == Direction::In && kept == 0 {
            Rejected::new(header, rule, bytes).emit();
        } else {
            let is_policy = matches!(reason, Reason::Denied | Reason::NotAllowed);
            LeftOut::new(header, direction, rule)
                .members(left_out, kept)
                .bytes(bytes)
                .is_policy(is_policy)
                .emit();
        }
    }
}
