//! The policy from a file, in the words of the OpenTelemetry proposal.

use crate::{Boundary, Inbound, Keys, Outbound, Strategy, Trace};
use opentelemetry::KeyValue;
use serde::{Deserialize, Deserializer};
use std::{collections::BTreeMap, fmt};

/// Why a configuration is not used: the field, and what is wrong with it.
///
/// ```
/// use otel_trust_boundary::Boundary;
///
/// let config = serde_json::json!({
///     "default_egress_action": "suppress_trace_context",
///     "rules": [{"direction": "egress", "name": "mesh", "external": false,
///         "conditions": {"attribute_patterns": {"key": "server.address", "included": ["*.internal", "*"]}}}],
/// });
/// let error = Boundary::from_config(config).unwrap_err();
/// assert_eq!(error.path(), "rules[0].conditions.attribute_patterns.included[1]");
/// assert_eq!(error.problem(), "a character that is in no host name");
/// assert_eq!(error.to_string(), format!("{}: {}", error.path(), error.problem()));
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    path: String,
    problem: String,
}

impl ConfigError {
    fn new(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { path: path.into(), problem: problem.into() }
    }

    /// What is wrong with it.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The path of the field, such as `rules[2].egress_action`.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl Boundary {
    /// The policy that a configuration describes, in any format that serde reads (feature `config`).
    ///
    /// The fields and values are those of the [proposal](https://github.com/open-telemetry/opentelemetry-configuration/pull/688)'s
    /// `rule_based/development` decider, as far as a propagator can obey them: it sees requests and destinations, not
    /// spans. Its own are marked:
    ///
    /// | field | value |
    /// |---|---|
    /// | `default_ingress_strategy` | `continue` (default), `restart_with_link`, `restart_without_link`; `ignore` (own) |
    /// | `default_egress_action` | `inject_trace_context`, with all baggage; `suppress_trace_context`, `inject_trace_ids` (own), without any; must be given |
    /// | `rules[].direction` | `ingress`, `egress` |
    /// | `rules[].name` (own) | what events and metrics call the rule; its place, unless given |
    /// | `rules[].strategy` | of an ingress rule: as the default |
    /// | `rules[].link_attributes` | of an ingress rule: a list of `name` and `value` |
    /// | `rules[].trust_sampled` (own) | of an ingress rule: `true` (default), `false` |
    /// | `rules[].accept_baggage` (own) | of an ingress rule: patterns of keys; all unless given |
    /// | `rules[].conditions.headers` (own) | of an ingress rule: names and values, all of which the request has |
    /// | `rules[].conditions.tracestate` (own) | of an ingress rule: keys, all of which the request has |
    /// | `rules[].conditions.attribute_patterns` | of an egress rule: `key: server.address`, and `included`, a list of hosts; may be left out of a rule with a name, which then is for [`Destination::named`](crate::Destination::named) alone |
    /// | `rules[].external` (own) | of an egress rule: `true` (default), `false` |
    /// | `rules[].egress_action` | of an egress rule: as the default; unless given, suppress for an external one, else inject |
    /// | `rules[].baggage` (own) | of an egress rule: patterns of keys; unless given, none for an external one, else all |
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Destination};
    ///
    /// let boundary = Boundary::from_config(serde_json::json!({
    ///     "default_ingress_strategy": "restart_with_link",
    ///     "default_egress_action": "suppress_trace_context",
    ///     "rules": [
    ///         {"direction": "ingress", "name": "authenticated", "strategy": "continue", "trust_sampled": false,
    ///          "conditions": {"headers": {"x-gateway-auth": "yes"}}},
    ///         {"direction": "egress", "name": "mesh", "external": false,
    ///          "conditions": {"attribute_patterns": {"key": "server.address", "included": ["*.internal"]}}},
    ///         {"direction": "egress", "name": "partner", "egress_action": "inject_trace_ids", "baggage": ["order.*"],
    ///          "conditions": {"attribute_patterns": {"key": "server.address", "included": ["partner.example"]}}},
    ///     ],
    /// }))?;
    /// assert_eq!(boundary.rule_for(&Destination::host("partner.example")).name(), "partner");
    /// # Ok::<(), otel_trust_boundary::ConfigError>(())
    /// ```
    ///
    /// The first ingress rule that applies decides, as in the proposal. Of egress rules the one with the most specific host
    /// does, as of those that are [built](Outbound::hosts), whatever their order; the proposal takes the first one. An
    /// egress rule without conditions matches everything there, and is `default_egress_action` here.
    ///
    /// # Errors
    ///
    /// The first field that is not known, is of another type, or holds what cannot be used; an egress rule that has neither
    /// hosts nor a name.
    pub fn from_config<'de, D: Deserializer<'de>>(config: D) -> Result<Self, ConfigError> {
        let config: Config = serde_path_to_error::deserialize(config)
            .map_err(|error| ConfigError::new(error.path().to_string(), error.inner().to_string()))?;
        config.boundary()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    default_ingress_strategy: IngressStrategy,
    default_egress_action: EgressAction,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IngressStrategy {
    #[default]
    Continue,
    RestartWithLink,
    RestartWithoutLink,
    Ignore,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EgressAction {
    InjectTraceContext,
    InjectTraceIds,
    SuppressTraceContext,
}

#[derive(Clone, Copy, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Side {
    Ingress,
    Egress,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    direction: Side,
    name: Option<String>,
    #[serde(default)]
    conditions: Conditions,
    strategy: Option<IngressStrategy>,
    link_attributes: Option<Vec<Attribute>>,
    trust_sampled: Option<bool>,
    accept_baggage: Option<Vec<String>>,
    external: Option<bool>,
    egress_action: Option<EgressAction>,
    baggage: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Conditions {
    headers: Option<BTreeMap<String, String>>,
    tracestate: Option<Vec<String>>,
    attribute_patterns: Option<Patterns>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Patterns {
    key: String,
    included: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attribute {
    name: String,
    value: String,
}

impl Config {
    fn boundary(self) -> Result<Boundary, ConfigError> {
        let unknown = match self.default_egress_action {
            EgressAction::InjectTraceContext => Outbound::internal("unknown"),
            action => Outbound::external("unknown").trace(action.into()),
        };
        let otherwise = Inbound::new("otherwise", self.default_ingress_strategy.into());
        let empty = Boundary::deny_external().unknown(unknown).otherwise(otherwise);
        self.rules.into_iter().enumerate().try_fold(empty, |boundary, (at, rule)| {
            let path = format!("rules[{at}]");
            rule.has_only_its_own(&path)?;
            rule.is_about_something(&path)?;
            let name = rule.name.clone().unwrap_or_else(|| path.clone());
            Ok(match rule.direction {
                Side::Ingress => boundary.inbound(rule.inbound(name, &path)?),
                Side::Egress => boundary.outbound(rule.outbound(name, &path)?),
            })
        })
    }
}

impl Rule {
    /// A field of the other direction would be ignored in silence.
    fn has_only_its_own(&self, path: &str) -> Result<(), ConfigError> {
        let ingress = [
            ("strategy", self.strategy.is_some()),
            ("link_attributes", self.link_attributes.is_some()),
            ("trust_sampled", self.trust_sampled.is_some()),
            ("accept_baggage", self.accept_baggage.is_some()),
            ("conditions.headers", self.conditions.headers.is_some()),
            ("conditions.tracestate", self.conditions.tracestate.is_some()),
        ];
        let egress = [
            ("external", self.external.is_some()),
            ("egress_action", self.egress_action.is_some()),
            ("baggage", self.baggage.is_some()),
            ("conditions.attribute_patterns", self.conditions.attribute_patterns.is_some()),
        ];
        let (others, direction) = match self.direction {
            Side::Ingress => (&egress[..], "egress"),
            Side::Egress => (&ingress[..], "ingress"),
        };
        match others.iter().find(|(_, is_there)| *is_there) {
            Some((field, _)) => {
                Err(ConfigError::new(format!("{path}.{field}"), format!("only {direction} rules have it")))
            }
            None => Ok(()),
        }
    }

    /// An egress rule that no destination could have would be ignored in silence; the proposal's matches them all.
    fn is_about_something(&self, path: &str) -> Result<(), ConfigError> {
        let hosts = self.conditions.attribute_patterns.as_ref().map(|patterns| &patterns.included);
        if self.direction == Side::Ingress || self.name.is_some() || hosts.is_some_and(|it| !it.is_empty()) {
            return Ok(());
        }
        let problem =
            "an egress rule needs hosts or a name; default_egress_action is for all other destinations";
        Err(ConfigError::new(format!("{path}.conditions"), problem))
    }

    fn inbound(self, name: String, path: &str) -> Result<Inbound, ConfigError> {
        let missing = || ConfigError::new(format!("{path}.strategy"), "an ingress rule needs it");
        let mut rule = Inbound::new(name, self.strategy.ok_or_else(missing)?.into())
            .trust_sampled(self.trust_sampled.unwrap_or(true));
        for (name, value) in self.conditions.headers.unwrap_or_default() {
            rule = rule.when_header(name, value);
        }
        for key in self.conditions.tracestate.unwrap_or_default() {
            rule = rule.when_tracestate(key);
        }
        if let Some(keys) = self.accept_baggage {
            rule = rule.accept_baggage(Keys::from(keys));
        }
        let attributes = self.link_attributes.unwrap_or_default();
        Ok(rule.link_attributes(attributes.into_iter().map(|it| KeyValue::new(it.name, it.value))))
    }

    fn outbound(self, name: String, path: &str) -> Result<Outbound, ConfigError> {
        let is_external = self.external.unwrap_or(true);
        let mut rule = if is_external { Outbound::external(name) } else { Outbound::internal(name) };
        if let Some(Patterns { key, included }) = self.conditions.attribute_patterns {
            let path = format!("{path}.conditions.attribute_patterns");
            if key != "server.address" {
                return Err(ConfigError::new(
                    format!("{path}.key"),
                    "a propagator knows `server.address` alone",
                ));
            }
            rule = rule.hosts(included).map_err(|error| {
                ConfigError::new(format!("{path}.included[{}]", error.index()), error.rule())
            })?;
        }
        if let Some(action) = self.egress_action {
            rule = rule.trace(action.into());
        }
        Ok(match self.baggage {
            Some(keys) => rule.baggage(Keys::from(keys)),
            None => rule,
        })
    }
}

impl From<IngressStrategy> for Strategy {
    fn from(strategy: IngressStrategy) -> Self {
        match strategy {
            IngressStrategy::Continue => Self::Continue,
            IngressStrategy::RestartWithLink => Self::RestartWithLink,
            IngressStrategy::RestartWithoutLink => Self::RestartWithoutLink,
            IngressStrategy::Ignore => Self::Ignore,
        }
    }
}

impl From<EgressAction> for Trace {
    fn from(action: EgressAction) -> Self {
        match action {
            EgressAction::InjectTraceContext => Self::All,
            EgressAction::InjectTraceIds => Self::Ids,
            EgressAction::SuppressTraceContext => Self::Nothing,
        }
    }
}
