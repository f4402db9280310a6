//! Events for the operator: what was refused or left out, by which rule, and how large it was.
//!
//! Every event is a [`tracing`] event with the target [`TARGET`], the level `WARN`, and fields whose names and
//! values this workspace chose: header names, rules and numbers. A value that a peer sent is never among them,
//! so a peer can neither write into a log nor read one.
//!
//! A flood costs a bounded number of lines: each rule of each header has a [`Throttle`], which lets
//! [`Throttle::BURST`] events through a [`Throttle::WINDOW`]. The next event after that says in its field
//! `suppressed` how many were kept back.
//!
//! | event | fields | meaning |
//! |---|---|---|
//! | `propagator.rejected` | `header`, `rule`, `bytes`, `suppressed` | the header was not used |
//! | `propagator.left_out` | `header`, `direction`, `rule`, `left_out`, `kept`, `bytes`, `suppressed` | some members were not used (`in`) or not sent (`out`) |
//! | `propagator.at_risk` | `header`, `members`, `bytes`, `suppressed` | members were sent that others are known to drop |

use std::{
    sync::LazyLock,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tracing::Level;

/// The target of every event of the propagators.
pub const TARGET: &str = "otel_propagator";

/// A header that was not used.
///
/// ```
/// use otel_propagator_core::diagnostics::{Rejected, Throttle};
///
/// static THROTTLE: Throttle = Throttle::new();
///
/// Rejected { header: "traceparent", rule: "all-zero trace-id", bytes: 55 }.emit(&THROTTLE);
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by the crates that report")]
pub struct Rejected {
    /// The name of the header.
    pub header: &'static str,
    /// The rule that was broken.
    pub rule: &'static str,
    /// The length of what was received, all lines together.
    pub bytes: usize,
}

impl Rejected {
    /// Emits `propagator.rejected`, unless nobody listens or the throttle keeps it back.
    #[cold]
    pub fn emit(&self, throttle: &Throttle) {
        if !tracing::event_enabled!(target: TARGET, Level::WARN) {
            return;
        }
        let Some(suppressed) = throttle.admit() else { return };
        let Self { header, rule, bytes } = *self;
        tracing::event!(
            name: "propagator.rejected", target: TARGET, Level::WARN,
            header, rule, bytes, suppressed,
            "{header} header not used: {rule}"
        );
    }
}

/// The way a header was going when members were left out of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Direction {
    /// Received from a peer.
    In,
    /// To be sent to a peer.
    Out,
}

/// A header of which some members were not used, or not sent.
///
/// ```
/// use otel_propagator_core::diagnostics::{Direction, LeftOut, Throttle};
///
/// static THROTTLE: Throttle = Throttle::new();
///
/// LeftOut { header: "baggage", direction: Direction::In, rule: "no equals sign", left_out: 1, kept: 7, bytes: 99 }
///     .emit(&THROTTLE);
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by the crates that report")]
pub struct LeftOut {
    /// The name of the header.
    pub header: &'static str,
    /// Whether it was received or is being sent.
    pub direction: Direction,
    /// The rule that left them out.
    pub rule: &'static str,
    /// How many members this rule left out.
    pub left_out: usize,
    /// How many members were kept.
    pub kept: usize,
    /// The length of the whole header in bytes: as received, or as it would have been sent.
    pub bytes: usize,
}

impl LeftOut {
    /// Emits `propagator.left_out`, unless nobody listens or the throttle keeps it back.
    #[cold]
    pub fn emit(&self, throttle: &Throttle) {
        if !tracing::event_enabled!(target: TARGET, Level::WARN) {
            return;
        }
        let Some(suppressed) = throttle.admit() else { return };
        let Self { header, rule, left_out, kept, bytes, direction } = *self;
        let direction = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        tracing::event!(
            name: "propagator.left_out", target: TARGET, Level::WARN,
            header, direction, rule, left_out, kept, bytes, suppressed,
            "{left_out} member(s) of the {header} header left out: {rule}"
        );
    }
}

/// A header that was sent as a whole, with members so long that other implementations are known to drop them.
///
/// ```
/// use otel_propagator_core::diagnostics::{AtRisk, Throttle};
///
/// static THROTTLE: Throttle = Throttle::new();
///
/// AtRisk { header: "baggage", members: 1, bytes: 5000 }.emit(&THROTTLE);
/// ```
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by the crates that report")]
pub struct AtRisk {
    /// The name of the header.
    pub header: &'static str,
    /// How many members are that long.
    pub members: usize,
    /// The length of the whole header in bytes.
    pub bytes: usize,
}

impl AtRisk {
    /// Emits `propagator.at_risk`, unless nobody listens or the throttle keeps it back.
    #[cold]
    pub fn emit(&self, throttle: &Throttle) {
        if !tracing::event_enabled!(target: TARGET, Level::WARN) {
            return;
        }
        let Some(suppressed) = throttle.admit() else { return };
        let Self { header, members, bytes } = *self;
        tracing::event!(
            name: "propagator.at_risk", target: TARGET, Level::WARN,
            header, members, bytes, suppressed,
            "{members} member(s) of the {header} header are longer than others are known to carry"
        );
    }
}

/// Lets a few events through and counts the rest.
///
/// It takes no lock and is meant to be a `static`, one for each rule of each header.
///
/// ```
/// use otel_propagator_core::diagnostics::Throttle;
///
/// let throttle = Throttle::new();
/// for _ in 0..Throttle::BURST {
///     assert_eq!(throttle.admit(), Some(0));
/// }
/// assert_eq!(throttle.admit(), None);
/// ```
#[derive(Debug, Default)]
pub struct Throttle {
    /// The number of the window in the upper half, the events it let through in the lower.
    window: AtomicU64,
    suppressed: AtomicU64,
}

impl Throttle {
    /// How many events a window lets through.
    pub const BURST: u32 = 5;
    /// How long a window lasts.
    pub const WINDOW: Duration = Duration::from_secs(60);

    /// A throttle that has let nothing through yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { window: AtomicU64::new(0), suppressed: AtomicU64::new(0) }
    }

    /// Asks for one event. `Some` lets it through and tells how many were kept back since the last one;
    /// `None` keeps it back.
    #[must_use]
    pub fn admit(&self) -> Option<u64> {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        self.admit_at(START.elapsed())
    }

    fn admit_at(&self, since_start: Duration) -> Option<u64> {
        let now = since_start.as_secs() / Self::WINDOW.as_secs();
        let admitted = self.window.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
            let (window, used) = (state >> 32, state & u64::from(u32::MAX));
            let used = if window == now { used } else { 0 };
            (used < u64::from(Self::BURST)).then_some(now << 32 | (used + 1))
        });
        if admitted.is_ok() {
            Some(self.suppressed.swap(0, Ordering::Relaxed))
        } else {
            self.suppressed.fetch_add(1, Ordering::Relaxed);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_costs_one_burst_a_window_and_is_counted() {
        let throttle = Throttle::new();
        let flood = |at: Duration| (0..1000).filter_map(|_| throttle.admit_at(at)).collect::<Vec<_>>();
        assert_eq!(flood(Duration::ZERO), [0; Throttle::BURST as usize]);
        assert_eq!(flood(Throttle::WINDOW.mul_f32(0.99)), []);
        assert_eq!(flood(Throttle::WINDOW), [1995, 0, 0, 0, 0]);
    }

    #[test]
    fn several_threads_share_one_burst() {
        let throttle = Throttle::new();
        let admitted: usize = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| {
                scope.spawn(|| (0..1000).filter(|_| throttle.admit_at(Duration::ZERO).is_some()).count())
            });
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, Throttle::BURST as usize);
        assert_eq!(throttle.admit_at(Throttle::WINDOW), Some(4000 - u64::from(Throttle::BURST)));
    }
}
