//! What may leave, and to whom.

use crate::host::{HostError, Pattern};
use otel_propagator_core::keys::Keys;
use std::borrow::Cow;

/// What leaves of the trace.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Trace {
    /// Ids, flags and `tracestate`: `inject_trace_context` in the proposal's configuration.
    All,
    /// Ids and flags, without `tracestate`; and what stands in one header with them, as X-Ray's `Lineage` does.
    Ids,
    /// Nothing: `suppress_trace_context` in the proposal's configuration.
    Nothing,
}

impl Trace {
    /// `inject_trace_context`, `inject_trace_ids` or `suppress_trace_context`.
    ///
    /// ```
    /// assert_eq!(otel_trust_boundary::Trace::Ids.as_str(), "inject_trace_ids");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "inject_trace_context",
            Self::Ids => "inject_trace_ids",
            Self::Nothing => "suppress_trace_context",
        }
    }
}

/// A rule for what is sent: the hosts that it is about, and what they get.
///
/// ```
/// use otel_trust_boundary::{Boundary, Destination, Keys, Outbound, Trace};
///
/// let boundary = Boundary::deny_external()
///     .outbound(Outbound::internal("mesh").hosts(["*.svc.cluster.local", "10.0.0.0/8"])?)
///     .outbound(
///         Outbound::external("partner")
///             .hosts(["api.partner.example:443"])?
///             .trace(Trace::Ids)
///             .baggage(Keys::of(&["order.region"])),
///     );
/// assert_eq!(boundary.rule_for(&Destination::host("10.1.2.3:8080")).name(), "mesh");
/// assert_eq!(boundary.rule_for(&Destination::host("api.partner.example:443")).name(), "partner");
/// assert_eq!(boundary.rule_for(&Destination::host("api.partner.example:80")).name(), "unknown");
/// # Ok::<(), otel_trust_boundary::HostError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Outbound {
    name: Cow<'static, str>,
    pub(crate) hosts: Vec<Pattern>,
    pub(crate) trace: Trace,
    pub(crate) baggage: Keys,
    pub(crate) is_external: bool,
}

impl Outbound {
    /// A rule for our own services: they get everything, unless [`trace`](Self::trace) and
    /// [`baggage`](Self::baggage) say otherwise.
    ///
    /// The name is what events, metrics, [`Destination::named`](crate::Destination::named) and the table of the
    /// policy call it.
    #[must_use]
    pub fn internal(name: impl Into<Cow<'static, str>>) -> Self {
        let (trace, baggage) = (Trace::All, Keys::ALL);
        Self { name: name.into(), hosts: Vec::new(), trace, baggage, is_external: false }
    }

    /// A rule for services of others: they get nothing, unless [`trace`](Self::trace) and
    /// [`baggage`](Self::baggage) say otherwise.
    ///
    /// Baggage that we accepted from a caller is not ours to give away: of such, an external destination gets only
    /// the keys that its rule names. [`Keys::ALL`] names none.
    #[must_use]
    pub fn external(name: impl Into<Cow<'static, str>>) -> Self {
        let (trace, baggage) = (Trace::Nothing, Keys::NONE);
        Self { name: name.into(), hosts: Vec::new(), trace, baggage, is_external: true }
    }

    /// Adds hosts: `orders.internal`, `*.internal` (every name below it, and not `internal` itself), `10.0.0.1`,
    /// `10.0.0.0/8`, `fd00::/8`; each with a port (`orders.internal:8080`) or for all of them. IPv4 in the form of IPv6
    /// (`::ffff:10.0.0.0/104`) is IPv4.
    ///
    /// The most specific pattern of all rules decides: a name before a suffix, a longer suffix or prefix before a
    /// shorter one, with a port before without. Of the same pattern in two rules the first one counts.
    ///
    /// # Errors
    ///
    /// The first pattern that is none.
    pub fn hosts<S: AsRef<str>>(mut self, hosts: impl IntoIterator<Item = S>) -> Result<Self, HostError> {
        for (index, host) in hosts.into_iter().enumerate() {
            self.hosts.push(Pattern::parse(host.as_ref()).map_err(|error| error.at(index))?);
        }
        Ok(self)
    }

    /// What they get of the trace.
    #[must_use]
    pub const fn trace(mut self, trace: Trace) -> Self {
        self.trace = trace;
        self
    }

    /// The keys of baggage that they get.
    #[must_use]
    pub fn baggage(mut self, keys: impl Into<Keys>) -> Self {
        self.baggage = keys.into();
        self
    }

    /// What events and metrics call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether they get all that there is.
    pub(crate) fn sends_all(&self) -> bool {
        self.trace == Trace::All && !self.restricts_baggage()
    }

    /// Whether there may be baggage that they do not get.
    pub(crate) fn restricts_baggage(&self) -> bool {
        self.is_external || self.baggage != Keys::ALL
    }

    /// Whether baggage of this key is sent; `is_received` says that a caller sent it to us.
    pub(crate) fn sends(&self, key: &str, is_received: bool) -> bool {
        let is_named = !(self.is_external && self.baggage == Keys::ALL);
        self.baggage.contains(key) && (is_named || !is_received)
    }
}
