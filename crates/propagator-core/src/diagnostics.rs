//! Events for the operator: what was refused or left out, by which rule, and how large it was.
//!
//! Every event is a [`tracing`] event with the target [`TARGET`] and fields whose names and values this workspace
//! chose: header names, rules and numbers. A value that a peer sent is never among them, so a peer can neither write
//! into a log nor read one. With the feature `log` of `tracing` and without a subscriber they are records of `log`.
//!
//! A flood costs a bounded number of lines: of each rule of each header, [`BURST`] events are let through in any
//! [`WINDOW`]. The next event after that says in its field `suppressed` how many were kept back.
//!
//! | event, and its field `name` | level | other fields | meaning |
//! |---|---|---|---|
//! | `propagator.rejected` | `WARN` | `header`, `rule`, `bytes`, `suppressed` | the header was not used |
//! | `propagator.left_out` | `WARN`; `DEBUG` where the service's own policy did it | `header`, `direction`, `rule`, `left_out`, `kept`, `bytes`, `suppressed` | some members were not used (`in`) or not sent (`out`) |
//! | `propagator.at_risk` | `WARN` | `header`, `members`, `bytes`, `suppressed` | members were sent that others are known to drop |
//!
//! # Where events are emitted
//!
//! An event may run any code: a subscriber, a log exporter, and what they call. `TextMapPropagator::extract` and
//! `inject` of the trait run inside `Context::map_current`, under a borrow of the current context, where an exporter
//! that attaches a context panics. The propagators of this workspace override both; one that does not must not emit.
//! Nobody is asked whether an event is wanted before it is emitted: with filters of single layers, a question that no
//! event follows swallows the next event of the thread.

pub use crate::throttle::{BURST, WINDOW, admit, set_throttled};

use tracing::Level;

/// The target of every event of the propagators.
pub const TARGET: &str = "otel_propagator";

/// A header that was not used.
///
/// ```
/// use otel_propagator_core::diagnostics::Rejected;
///
/// Rejected::new("traceparent", "all-zero trace-id", 55).emit();
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it is emitted by `emit`"]
pub struct Rejected {
    header: &'static str,
    rule: &'static str,
    bytes: usize,
}

impl Rejected {
    /// The header, the rule that it broke, and the bytes that were received, all lines together (0 where the carrier
    /// does not say).
    pub const fn new(header: &'static str, rule: &'static str, bytes: usize) -> Self {
        Self { header, rule, bytes }
    }

    /// Emits `propagator.rejected`, unless too many of this rule were emitted lately.
    #[cold]
    pub fn emit(self) {
        let Self { header, rule, bytes } = self;
        let Some(suppressed) = admit(&["rejected", header, rule]) else { return };
        tracing::event!(
            name: "propagator.rejected", target: TARGET, Level::WARN,
            name = "propagator.rejected", header, rule, bytes, suppressed,
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

impl Direction {
    /// `in` or `out`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
        }
    }
}

/// A header of which some members were not used, or not sent.
///
/// ```
/// use otel_propagator_core::diagnostics::{Direction, LeftOut};
///
/// LeftOut::new("baggage", Direction::In, "no equals sign").members(1, 7).bytes(99).emit();
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it is emitted by `emit`"]
pub struct LeftOut {
    header: &'static str,
    direction: Direction,
    rule: &'static str,
    dropped: usize,
    kept: usize,
    bytes: usize,
    is_policy: bool,
}

impl LeftOut {
    /// The header, which way it was going, and the rule that left members out.
    pub const fn new(header: &'static str, direction: Direction, rule: &'static str) -> Self {
        Self { header, direction, rule, dropped: 0, kept: 0, bytes: 0, is_policy: false }
    }

    /// How many members this rule left out, and how many were kept.
    pub const fn members(mut self, left_out: usize, kept: usize) -> Self {
        self.dropped = left_out;
        self.kept = kept;
        self
    }

    /// The length of the whole header in bytes: as received, or as it would have been sent.
    pub const fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// Whether the service's own policy left them out on purpose: the event is `DEBUG` then.
    ///
    /// ```
    /// use otel_propagator_core::diagnostics::{Direction, LeftOut};
    ///
    /// LeftOut::new("baggage", Direction::Out, "the key is denied").members(1, 2).is_policy(true).emit();
    /// assert_eq!(Direction::Out.as_str(), "out");
    /// ```
    pub const fn is_policy(mut self, is_policy: bool) -> Self {
        self.is_policy = is_policy;
        self
    }

    /// Emits `propagator.left_out`, unless too many of this rule were emitted lately.
    #[cold]
    pub fn emit(self) {
        let Self { header, direction, rule, dropped: left_out, kept, bytes, is_policy } = self;
        let direction = direction.as_str();
        let Some(suppressed) = admit(&["left_out", direction, header, rule]) else { return };
        macro_rules! left_out {
            ($level:expr) => {
                tracing::event!(
                    name: "propagator.left_out", target: TARGET, $level,
                    name = "propagator.left_out", header, direction, rule, left_out, kept, bytes, suppressed,
                    "{left_out} member(s) of the {header} header left out: {rule}"
                )
            };
        }
        if is_policy { left_out!(Level::DEBUG) } else { left_out!(Level::WARN) }
    }
}

/// A header that was sent as a whole, with members so long that other implementations are known to drop them.
///
/// ```
/// use otel_propagator_core::diagnostics::AtRisk;
///
/// AtRisk::new("baggage", 1, 5000).emit();
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "it is emitted by `emit`"]
pub struct AtRisk {
    header: &'static str,
    members: usize,
    bytes: usize,
}

impl AtRisk {
    /// The header, how many of its members are that long, and the length of the whole header in bytes.
    pub const fn new(header: &'static str, members: usize, bytes: usize) -> Self {
        Self { header, members, bytes }
    }

    /// Emits `propagator.at_risk`, unless too many were emitted lately.
    #[cold]
    pub fn emit(self) {
        let Self { header, members, bytes } = self;
        let Some(suppressed) = admit(&["at_risk", header]) else { return };
        tracing::event!(
            name: "propagator.at_risk", target: TARGET, Level::WARN,
            name = "propagator.at_risk", header, members, bytes, suppressed,
            "{members} member(s) of the {header} header are longer than others are known to carry"
        );
    }
}
