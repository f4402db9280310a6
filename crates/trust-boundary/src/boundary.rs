//! The policy.

use crate::{Destination, Inbound, Outbound, Strategy, destination::Kind, index::Index, watch::Watch};
use opentelemetry::propagation::Extractor;
use otel_propagator_core::keys::Keys;
use std::{collections::HashMap, sync::Arc};

/// What may come in, what may leave, and to whom.
///
/// [`wrap`](Self::wrap) holds a propagator to it. `Display` prints it as a table for the log of a start:
///
/// ```
/// use otel_trust_boundary::{Boundary, Inbound, Keys, Outbound, Strategy, Trace};
///
/// let boundary = Boundary::deny_external()
///     .inbound(Inbound::new("authenticated", Strategy::Continue).when_header("x-gateway-auth", "yes"))
///     .inbound(
///         Inbound::new("anonymous", Strategy::RestartWithLink)
///             .trust_sampled(false)
///             .accept_baggage(Keys::of(&["cohort"])),
///     )
///     .outbound(Outbound::internal("mesh").hosts(["*.svc.cluster.local", "10.0.0.0/8"])?)
///     .outbound(Outbound::external("partner").hosts(["api.partner.example"])?.trace(Trace::Ids));
/// assert_eq!(
///     boundary.to_string(),
///     "\
/// in   rule           requests               trace              sampled  baggage
///      authenticated  header x-gateway-auth  continue           trusted  *
///      anonymous      every request          restart_with_link  -        cohort
///      otherwise      every other request    continue           trusted  *
/// out  rule     destinations                     trace                   baggage
///      mesh     *.svc.cluster.local, 10.0.0.0/8  inject_trace_context    *
///      partner  api.partner.example (external)   inject_trace_ids        -
///      unknown  every other (external)           suppress_trace_context  -
/// "
/// );
/// # Ok::<(), otel_trust_boundary::HostError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Boundary {
    pub(crate) inbound: Vec<Inbound>,
    pub(crate) otherwise: Inbound,
    pub(crate) outbound: Vec<Outbound>,
    pub(crate) unknown: Outbound,
    /// Places in `outbound`, by host and by name.
    index: Index,
    names: HashMap<String, usize>,
    pub(crate) are_carriers_fresh: bool,
    pub(crate) headers: Vec<Box<str>>,
    #[cfg(feature = "metrics")]
    pub(crate) meter: Option<opentelemetry::metrics::Meter>,
}

impl Boundary {
    /// Sends nothing to a destination that no rule names. What comes in is continued, until a rule says otherwise.
    ///
    /// A request of which nobody knows where it goes gets nothing either: see
    /// [where a destination gets known](crate#destinations).
    #[must_use]
    pub fn deny_external() -> Self {
        Self::with_unknown(Outbound::external("unknown"))
    }

    /// Sends everything and continues everything, until a rule says otherwise.
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Destination, Outbound};
    ///
    /// let boundary = Boundary::allow_all().outbound(Outbound::external("partner").hosts(["partner.example"])?);
    /// println!("{boundary}");
    /// assert_eq!(boundary.rule_for(&Destination::host("partner.example")).name(), "partner");
    /// # Ok::<(), otel_trust_boundary::HostError>(())
    /// ```
    #[must_use]
    pub fn allow_all() -> Self {
        Self::with_unknown(Outbound::internal("unknown"))
    }

    fn with_unknown(unknown: Outbound) -> Self {
        Self {
            inbound: Vec::new(),
            otherwise: Inbound::new("otherwise", Strategy::Continue),
            outbound: Vec::new(),
            unknown,
            index: Index::default(),
            names: HashMap::new(),
            are_carriers_fresh: false,
            headers: Vec::new(),
            #[cfg(feature = "metrics")]
            meter: None,
        }
    }

    /// Adds a rule for what comes in, after those before. The first one that applies decides.
    #[must_use]
    pub fn inbound(mut self, rule: Inbound) -> Self {
        self.inbound.push(rule);
        self
    }

    /// The rule for requests to which no other applies; its conditions are not looked at. Unless this is called, they
    /// are continued, with their sampled flag and all their baggage.
    #[must_use]
    pub fn otherwise(mut self, rule: Inbound) -> Self {
        self.otherwise = rule;
        self
    }

    /// Adds a rule for what is sent.
    #[must_use]
    pub fn outbound(mut self, rule: Outbound) -> Self {
        let at = self.outbound.len();
        rule.hosts.iter().for_each(|host| self.index.add(host, at));
        self.names.entry(rule.name().to_owned()).or_insert(at);
        self.outbound.push(rule);
        self
    }

    /// The rule for destinations that no other names, and for requests of which nobody knows where they go; its hosts
    /// are not looked at.
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Destination, Outbound, Trace};
    ///
    /// // Ids for everybody, so that a partner can name them in a ticket.
    /// let boundary = Boundary::deny_external().unknown(Outbound::external("everybody").trace(Trace::Ids));
    /// assert_eq!(boundary.rule_for(&Destination::host("example.org")).name(), "everybody");
    /// assert_eq!(boundary.rule_for(&Destination::unknown()).name(), "everybody");
    /// ```
    #[must_use]
    pub fn unknown(mut self, rule: Outbound) -> Self {
        self.unknown = rule;
        self
    }

    /// Whether every carrier that is injected into is new, so that it holds no header of an earlier request.
    ///
    /// An injector can set headers, and not remove them. Unless this is promised, a header that is not sent is set to
    /// the empty value, so that one which was there before does not go out: a carrier of `otel-carriers` and
    /// `EgressLayer` (feature `tower`) remove it, others send it as an empty header. With the promise
    /// nothing is set.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_trust_boundary::Boundary;
    /// use otel_tracecontext::TraceContextPropagator;
    /// use std::collections::HashMap;
    ///
    /// let propagator = Boundary::deny_external().fresh_carriers(true).wrap(TraceContextPropagator::new());
    /// let mut sent = HashMap::new();
    /// propagator.inject_context(&Context::new(), &mut sent);
    /// assert!(sent.is_empty());
    /// ```
    #[must_use]
    pub const fn fresh_carriers(mut self, are_fresh: bool) -> Self {
        self.are_carriers_fresh = are_fresh;
        self
    }

    /// Names further headers that carry context here: those that the wrapped propagator reads and does not write, and
    /// those of other instrumentation.
    ///
    /// Where the trace may not go, they are overridden as the propagator's own are, so that a proxy that copies the
    /// headers of its caller does not send them on; `strip` (feature `http`) and `EgressLayer` remove them. These two know
    /// the headers of W3C, B3, Jaeger, OT Trace, X-Ray, Google, Datadog, Dynatrace, Elastic, Instana, New Relic, Sentry
    /// and `SkyWalking` anyway. `Builder::boundary` of `otel-composite` names what its composite reads.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_trust_boundary::{Boundary, Destination, DestinationExt};
    /// use otel_tracecontext::TraceContextPropagator;
    /// use std::collections::HashMap;
    ///
    /// let propagator = Boundary::deny_external().context_headers(["b3"]).wrap(TraceContextPropagator::new());
    /// let mut copied = HashMap::from([("b3".to_owned(), "1".to_owned())]);
    /// let cx = Context::new().with_destination(Destination::host("api.stripe.com"));
    /// propagator.inject_context(&cx, &mut copied);
    /// assert_eq!(copied["b3"], "");
    /// ```
    #[must_use]
    pub fn context_headers<S: Into<Box<str>>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.headers.extend(names.into_iter().map(Into::into));
        self
    }

    /// Counts what is decided: see [metrics](crate#metrics).
    ///
    /// ```
    /// use otel_trust_boundary::Boundary;
    /// use otel_tracecontext::TraceContextPropagator;
    ///
    /// let meter = opentelemetry::global::meter("edge");
    /// let propagator = Boundary::deny_external().meter(meter).wrap(TraceContextPropagator::new());
    /// ```
    #[cfg(feature = "metrics")]
    #[must_use]
    pub fn meter(mut self, meter: opentelemetry::metrics::Meter) -> Self {
        self.meter = Some(meter);
        self
    }

    /// Whoever counts.
    #[cfg(feature = "metrics")]
    pub(crate) fn watch(&self) -> Option<Arc<dyn Watch>> {
        let meter = self.meter.as_ref()?;
        Some(Arc::new(crate::metrics::Metrics::new(self, meter)))
    }

    #[cfg(not(feature = "metrics"))]
    #[allow(clippy::unused_self, reason = "the other one needs it")]
    pub(crate) fn watch(&self) -> Option<Arc<dyn Watch>> {
        None
    }

    /// The rule for what is sent to a destination.
    #[must_use]
    pub fn rule_for(&self, destination: &Destination) -> &Outbound {
        self.place_of(destination).map_or(&self.unknown, |at| self.outbound.get(at).unwrap_or(&self.unknown))
    }

    /// The place of a destination's rule among those for what is sent; `None` for the unknown.
    pub(crate) fn place_of(&self, destination: &Destination) -> Option<usize> {
        match &destination.0 {
            Kind::Host(authority) => self.index.find(authority),
            Kind::Named(name) => self.names.get(name.as_ref()).copied(),
            Kind::Unknown | Kind::Unusable(_) => None,
        }
    }

    /// The place of the rule for a request; the number of rules for the one that is used otherwise.
    pub(crate) fn place_for(&self, request: &dyn Extractor) -> usize {
        self.inbound.iter().position(|rule| rule.applies(request)).unwrap_or(self.inbound.len())
    }

    pub(crate) fn accepts_all(&self) -> bool {
        self.inbound.is_empty() && self.otherwise.accepts_all() && !self.asks_for_origin()
    }

    pub(crate) fn sends_all(&self) -> bool {
        self.outbound.iter().chain([&self.unknown]).all(Outbound::sends_all)
    }

    /// Whether a rule depends on where a member of baggage came from.
    pub(crate) fn asks_for_origin(&self) -> bool {
        let asks = |rule: &Outbound| rule.is_external && rule.baggage == Keys::ALL;
        self.outbound.iter().chain([&self.unknown]).any(asks)
    }
}
