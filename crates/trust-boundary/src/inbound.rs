//! What becomes of a caller's context.

use opentelemetry::{KeyValue, propagation::Extractor};
use otel_propagator_core::{
    header::{Lines, field_value, lines, trim},
    keys::Keys,
};
use std::{borrow::Cow, fmt, sync::Arc};

/// What becomes of the trace that a caller names.
///
/// The names are those of the OpenTelemetry proposal on trace continuation, with
/// [`Ignore`](Self::Ignore) beside them: <https://github.com/open-telemetry/opentelemetry-specification/pull/5055>.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Strategy {
    /// The caller's span is the parent.
    #[default]
    Continue,
    /// A new trace starts, and its first span is linked to the caller's.
    ///
    /// Who adds the link: `RestartLinks` (feature `sdk`), or whoever starts that span, with
    /// [`RestartExt::take_restart_link`](crate::RestartExt::take_restart_link).
    RestartWithLink,
    /// A new trace starts, and nothing in it names the caller's.
    RestartWithoutLink,
    /// The context stays as it was before, with its span and its baggage, whatever was received.
    Ignore,
}

impl Strategy {
    /// As the proposal's configuration spells it: `continue`, `restart_with_link`, `restart_without_link`, and
    /// `ignore`.
    ///
    /// ```
    /// assert_eq!(otel_trust_boundary::Strategy::RestartWithLink.as_str(), "restart_with_link");
    /// ```
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Continue => "continue",
            Self::RestartWithLink => "restart_with_link",
            Self::RestartWithoutLink => "restart_without_link",
            Self::Ignore => "ignore",
        }
    }
}

/// A rule for what is received. The first one whose conditions all hold decides.
///
/// ```
/// use otel_trust_boundary::{Boundary, Inbound, Keys, Strategy};
///
/// let boundary = Boundary::deny_external()
///     // The gateway sets this header, and takes it away where a caller sent it.
///     .inbound(Inbound::new("authenticated", Strategy::Continue).when_header("x-gateway-auth", "yes").trust_sampled(false))
///     .inbound(Inbound::new("anonymous", Strategy::RestartWithLink).accept_baggage(Keys::of(&["cohort"])));
/// ```
#[derive(Clone)]
pub struct Inbound {
    name: Cow<'static, str>,
    conditions: Vec<Condition>,
    pub(crate) strategy: Strategy,
    pub(crate) trusts_sampled: bool,
    pub(crate) baggage: Keys,
    pub(crate) link_attributes: Vec<KeyValue>,
}

/// A question about a request.
#[derive(Clone)]
enum Condition {
    Header(Cow<'static, str>, Cow<'static, str>),
    TraceState(Cow<'static, str>),
    Custom(Arc<Predicate>),
}

type Predicate = dyn Fn(&dyn Extractor) -> bool + Send + Sync;

impl Inbound {
    /// A rule for every request, until it has a condition. The sampled flag is trusted and all baggage accepted,
    /// unless [`trust_sampled`](Self::trust_sampled) and [`accept_baggage`](Self::accept_baggage) say otherwise.
    ///
    /// The name is what events, metrics and the table of the policy call it.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, strategy: Strategy) -> Self {
        Self {
            name: name.into(),
            conditions: Vec::new(),
            strategy,
            trusts_sampled: true,
            baggage: Keys::ALL,
            link_attributes: Vec::new(),
        }
    }

    /// Only for requests with exactly one line of this header, which has this value.
    ///
    /// Whoever may send the header may choose the rule: it has to be one that a gateway sets or takes away.
    #[must_use]
    pub fn when_header(
        self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.with(Condition::Header(name.into(), value.into()))
    }

    /// Only for requests whose `tracestate` has a member of this key, as Elastic's `es` marks its own traces.
    ///
    /// It tells our traces from those of others. It proves nothing: whoever knows the key may send it. The header is looked
    /// at, and not what the wrapped propagator makes of it.
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Inbound, Strategy};
    ///
    /// let boundary = Boundary::deny_external()
    ///     .inbound(Inbound::new("ours", Strategy::Continue).when_tracestate("es"))
    ///     .otherwise(Inbound::new("others", Strategy::RestartWithLink));
    /// assert!(boundary.to_string().contains("tracestate es"));
    /// ```
    #[must_use]
    pub fn when_tracestate(self, key: impl Into<Cow<'static, str>>) -> Self {
        self.with(Condition::TraceState(key.into()))
    }

    /// Only for requests of which this is true.
    ///
    /// ```
    /// use otel_trust_boundary::{Inbound, Strategy};
    ///
    /// let rule = Inbound::new("partners", Strategy::RestartWithLink)
    ///     .when(|request| request.get("x-partner-id").is_some_and(|id| id.len() == 36));
    /// ```
    #[must_use]
    pub fn when(self, condition: impl Fn(&dyn Extractor) -> bool + Send + Sync + 'static) -> Self {
        self.with(Condition::Custom(Arc::new(condition)))
    }

    /// Whether the caller's sampling decision counts; it does unless this is called.
    ///
    /// Where it does not, a continued trace keeps its ids, and its state is
    /// [`Defer`](otel_propagator_core::sampling::Sampling::Defer): this service decides. `DecisionSampler` does so; a
    /// sampler that follows the parent's flag drops the trace. A sampled flag, a debug flag, a decision without ids
    /// and the sampling member of `tracestate` (`ot`) all count for nothing.
    ///
    /// The trace id is still the caller's. A sampler that decides by it can be led by a chosen id; see
    /// `UnguessableSampler` (feature `sdk`).
    #[must_use]
    pub const fn trust_sampled(mut self, trust: bool) -> Self {
        self.trusts_sampled = trust;
        self
    }

    /// Takes these keys of the caller's baggage, and no others.
    #[must_use]
    pub fn accept_baggage(mut self, keys: impl Into<Keys>) -> Self {
        self.baggage = keys.into();
        self
    }

    /// Attributes of the link of [`Strategy::RestartWithLink`].
    ///
    /// ```
    /// use opentelemetry::{Context, KeyValue, propagation::TextMapPropagator};
    /// use otel_tracecontext::TraceContextPropagator;
    /// use otel_trust_boundary::{Boundary, Inbound, RestartExt, Strategy};
    /// use std::collections::HashMap;
    ///
    /// let rule = Inbound::new("anyone", Strategy::RestartWithLink)
    ///     .link_attributes([KeyValue::new("link.reason", "untrusted")]);
    /// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// let request = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    /// let edge = Boundary::deny_external().otherwise(rule).wrap(TraceContextPropagator::new());
    /// let cx = edge.extract_with_context(&Context::new(), &request);
    /// assert_eq!(cx.take_restart_link().unwrap().attributes[0].key.as_str(), "link.reason");
    /// ```
    #[must_use]
    pub fn link_attributes(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.link_attributes = attributes.into_iter().collect();
        self
    }

    /// What events and metrics call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn with(mut self, condition: Condition) -> Self {
        self.conditions.push(condition);
        self
    }

    pub(crate) fn applies(&self, request: &dyn Extractor) -> bool {
        self.conditions.iter().all(|condition| condition.holds(request))
    }

    /// Whether it takes all of what is received as it is.
    pub(crate) fn accepts_all(&self) -> bool {
        self.strategy == Strategy::Continue && self.trusts_sampled && self.baggage == Keys::ALL
    }

    /// The names of what it asks for; no values, which may be secrets.
    pub(crate) fn conditions(&self) -> String {
        let conditions: Vec<String> = self.conditions.iter().map(ToString::to_string).collect();
        if conditions.is_empty() { "every request".to_owned() } else { conditions.join(" and ") }
    }
}

impl Condition {
    fn holds(&self, request: &dyn Extractor) -> bool {
        match self {
            // A caller that sends a line beside the gateway's has no part in the decision.
            Self::Header(name, value) => match lines(request, name) {
                Lines::Text(lines) => matches!(*lines, [line] if field_value(line) == value),
                Lines::Absent | Lines::Unreadable => false,
            },
            Self::TraceState(key) => match lines(request, "tracestate") {
                Lines::Text(lines) => {
                    lines.iter().flat_map(|line| line.split(',')).any(|it| is_member(it, key))
                }
                Lines::Absent | Lines::Unreadable => false,
            },
            Self::Custom(condition) => condition(request),
        }
    }
}

/// > list-member = key "=" value
///
/// <https://www.w3.org/TR/trace-context-2/#list>
fn is_member(text: &str, key: &str) -> bool {
    trim(text).split_once('=').is_some_and(|(start, _)| start == key)
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name, _) => write!(f, "header {name}"),
            Self::TraceState(key) => write!(f, "tracestate {key}"),
            Self::Custom(_) => f.write_str("a condition of its own"),
        }
    }
}

impl fmt::Debug for Inbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbound")
            .field("name", &self.name)
            .field("conditions", &self.conditions())
            .field("strategy", &self.strategy)
            .field("trust_sampled", &self.trusts_sampled)
            .field("accept_baggage", &self.baggage)
            .finish_non_exhaustive()
    }
}
