//! Propagators by configuration file: <https://opentelemetry.io/docs/specs/otel/configuration/data-model/>.

mod node;
#[cfg(feature = "yaml")]
mod substitute;
#[cfg(feature = "yaml")]
mod yaml;

use crate::{
    Builder, Limits, Registry,
    error::Quoted,
    list::{self, List},
};
use node::{Node, Value};
use serde::de::{Deserialize, Deserializer};
use std::{error::Error, fmt};

/// What this crate's own keys stand under.
const OWN: &str = "otel_composite/development";

/// The part of an OpenTelemetry configuration that is about propagation.
///
/// Of the whole [configuration](https://github.com/open-telemetry/opentelemetry-configuration), `file_format` (1.x) and
/// `propagator` are read, and the keys of this crate; everything else is for the SDK and is left alone. A configuration
/// without `propagator` has no propagators.
///
/// It deserializes from any format of `serde`. With the feature `yaml`, `Config::from_yaml` also puts environment
/// variables in and tells lines.
///
/// ```
/// # #[cfg(all(feature = "yaml", feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))] {
/// use otel_composite::{Config, Registry};
///
/// let config = Config::from_yaml(
///     r#"
///     file_format: "1.1"
///     propagator:
///       composite:
///         - tracecontext:
///         - b3:
///       composite_list: ${MY_PROPAGATORS:-baggage}
///     otel_composite/development:
///       extract_only: [b3]
///       limits:
///         max_members: 16
///         keep_first: [tenant]
///         deny: [user.*]
///     "#,
/// )?;
/// let propagator = Registry::new().builder_from_config(&config)?.build();
/// assert!(propagator.to_string().starts_with(
///     "extract: tracecontext > b3; inject: tracecontext; baggage: baggage, at most 16 members"
/// ));
/// # }
/// # Ok::<(), otel_composite::ConfigError>(())
/// ```
///
/// # Keys of this crate
///
/// They stand under `otel_composite/development`, at the top, where the schema allows others:
///
/// | key | holds |
/// |---|---|
/// | `extract_only`, `inject_only` | lists of names that are used one way only |
/// | `last_wins` | as [`Builder::last_wins`] |
/// | `limits` | `max_members`, `max_bytes`, `max_member_bytes` (numbers), `keep_first`, `allow`, `deny` (lists of keys): [`Limits`] of what is sent |
/// | `inbound_limits` | the same of what is read |
/// | `trust_boundary` | with the feature `boundary`: the policy, in the words of `Boundary::from_config` |
#[derive(Clone, Debug)]
pub struct Config {
    file_format: Option<Node>,
    propagator: Option<Node>,
    own: Option<Node>,
}

impl Config {
    fn new(document: &Node) -> Self {
        let get = |key| document.get(key).cloned();
        Self { file_format: get("file_format"), propagator: get("propagator"), own: get(OWN) }
    }

    /// Reads YAML 1.2, with the variables of this process put in.
    ///
    /// # Errors
    ///
    /// Where it is not YAML, or holds a reference to a variable that is none, anywhere in the text.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, ConfigError> {
        let variable = |name: &str| Some(std::env::var_os(name)?.to_string_lossy().into_owned());
        Self::from_yaml_with(text, variable)
    }

    /// The same, with variables from elsewhere.
    ///
    /// ```
    /// # #[cfg(feature = "tracecontext")] {
    /// use otel_composite::{Config, Registry};
    ///
    /// let text = "{file_format: '1.1', propagator: {composite_list: '${NAMES}'}}";
    /// let config = Config::from_yaml_with(text, |name| (name == "NAMES").then(|| "tracecontext".to_owned()))?;
    /// let propagator = Registry::new().builder_from_config(&config)?.build();
    /// assert_eq!(propagator.to_string(), "extract: tracecontext; inject: tracecontext; baggage: nothing");
    /// # }
    /// # Ok::<(), otel_composite::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`from_yaml`](Self::from_yaml).
    #[cfg(feature = "yaml")]
    pub fn from_yaml_with(
        text: &str,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        yaml::parse(text, variable).map(|document| Self::new(&document))
    }

    /// Reads a YAML file, with the variables of this process put in.
    ///
    /// ```
    /// use otel_composite::Config;
    ///
    /// let error = Config::from_file("no-such-file.yaml").unwrap_err();
    /// assert!(error.to_string().starts_with("the file cannot be read: "));
    /// ```
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, and as [`from_yaml`](Self::from_yaml).
    #[cfg(feature = "yaml")]
    pub fn from_file(path: impl AsRef<std::path::Path>) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| ConfigError::new("", None, &format!("the file cannot be read: {error}")))?;
        Self::from_yaml(&text)
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Node::deserialize(deserializer).map(|document| Self::new(&document))
    }
}

impl Registry {
    /// The propagators of a configuration.
    ///
    /// # Errors
    ///
    /// Everything that is not as the schema has it, at once: components that are not known, values of another type, keys
    /// that there are not.
    ///
    /// ```
    /// # #[cfg(all(feature = "yaml", feature = "tracecontext"))] {
    /// use otel_composite::{Config, Registry};
    ///
    /// let config = Config::from_yaml("propagator:\n  composite_list: tracecontext,b33\n  last_wins: true\n")?;
    /// let error = Registry::new().builder_from_config(&config).unwrap_err();
    /// let paths = error.all().map(|error| error.path());
    /// assert_eq!(
    ///     paths.collect::<Vec<_>>(),
    ///     ["file_format", "propagator.last_wins", "propagator.composite_list"],
    /// );
    /// # }
    /// # Ok::<(), otel_composite::ConfigError>(())
    /// ```
    pub fn builder_from_config(&self, config: &Config) -> Result<Builder, ConfigError> {
        let mut wrong = Wrong::default();
        wrong.unless(file_format(config.file_format.as_ref()));
        let names = self.names_of(config.propagator.as_ref(), &mut wrong);
        let own = Own::read(config.own.as_ref(), &names, &mut wrong);
        wrong.nothing()?;
        let without = |left_out: &[&str]| {
            let is_left_out = |name: &str| left_out.iter().any(|other| other.eq_ignore_ascii_case(name));
            List::of(names.iter().copied().filter(|name| !is_left_out(name)))
        };
        let mut problems = Vec::new();
        let builder = self.builder(&without(&own.inject_only), &without(&own.extract_only), &mut problems);
        let builder = builder.last_wins(own.last_wins);
        let builder = match own.limits {
            Some(limits) => builder.limits(limits),
            None => builder,
        };
        let builder = match own.inbound_limits {
            Some(limits) => builder.inbound_limits(limits),
            None => builder,
        };
        #[cfg(feature = "boundary")]
        let builder = match own.boundary {
            Some(boundary) => builder.boundary(boundary),
            None => builder,
        };
        Ok(builder)
    }

    /// > Entries from .composite_list are appended to the list here with duplicates filtered out.
    fn names_of<'a>(&self, propagator: Option<&'a Node>, wrong: &mut Wrong) -> Vec<&'a str> {
        let mut names = Vec::new();
        let Some(entries) = map(propagator, "propagator", &["composite", "composite_list"], wrong) else {
            return names;
        };
        if let Some(node) = entries.get("composite").filter(|node| !node.is_null()) {
            match &node.value {
                Value::List(entries) if entries.is_empty() => {
                    wrong.push(ConfigError::of(node, "propagator.composite", "must not be empty"));
                }
                Value::List(entries) => {
                    names.extend(entries.iter().enumerate().filter_map(|(place, entry)| {
                        wrong.unless(self.component(entry, &format!("propagator.composite[{place}]")))
                    }));
                }
                _ => wrong.push(ConfigError::of(node, "propagator.composite", "must be a list")),
            }
        }
        if let Some(node) = entries.get("composite_list").filter(|node| !node.is_null()) {
            let path = "propagator.composite_list";
            let Value::Text(text) = &node.value else {
                wrong.push(ConfigError::of(node, path, "must be a comma-separated list, or null"));
                return names;
            };
            let list = List::parse(text);
            if let Some(problem) = &list.problem {
                wrong.push(ConfigError::of(node, path, &problem.to_string()));
            }
            for name in list.distinct() {
                wrong.unless(self.is_known(name).map_err(|problem| ConfigError::of(node, path, &problem)));
                names.push(name);
            }
        }
        List::of(names).distinct()
    }

    /// One entry of the list: exactly one key, which names the component.
    fn component<'a>(&self, entry: &'a Node, path: &str) -> Result<&'a str, ConfigError> {
        let Value::Map(entries) = &entry.value else {
            return Err(ConfigError::of(entry, path, "must be a map of one key, such as \"tracecontext:\""));
        };
        let [(name, options)] = entries.as_slice() else {
            return Err(ConfigError::of(entry, path, "must have exactly one key"));
        };
        let path = format!("{path}.{}", Quoted(name).bare());
        self.is_known(name).map_err(|problem| ConfigError::of(entry, &path, &problem))?;
        match &options.value {
            Value::Null => Ok(name),
            Value::Map(options) if options.is_empty() => Ok(name),
            _ => Err(ConfigError::of(options, &path, "has no options")),
        }
    }

    fn is_known(&self, name: &str) -> Result<(), String> {
        if self.has(name) {
            return Ok(());
        }
        let problem = list::problem(name);
        if problem.is_about_a_name() {
            return Err(format!("{problem}; known names: {}", self.known()));
        }
        Err(problem.to_string())
    }
}

/// The version of the schema, of which any 1.x is understood.
fn file_format(node: Option<&Node>) -> Result<(), ConfigError> {
    let path = "file_format";
    let Some(node) = node else { return Err(ConfigError::new(path, None, "is missing")) };
    match &node.value {
        Value::Text(version) | Value::Plain(version) if version.starts_with("1.") => Ok(()),
        Value::Text(version) | Value::Plain(version) => {
            Err(ConfigError::of(node, path, &format!("{} is not 1.x", Quoted(version))))
        }
        _ => Err(ConfigError::of(node, path, "must be text, such as \"1.1\"")),
    }
}

/// The keys of this crate.
#[derive(Default)]
struct Own<'a> {
    extract_only: Vec<&'a str>,
    inject_only: Vec<&'a str>,
    last_wins: bool,
    limits: Option<Limits>,
    inbound_limits: Option<Limits>,
    #[cfg(feature = "boundary")]
    boundary: Option<otel_trust_boundary::Boundary>,
}

impl<'a> Own<'a> {
    fn read(node: Option<&'a Node>, names: &[&str], wrong: &mut Wrong) -> Self {
        let keys = ["extract_only", "inject_only", "last_wins", "limits", "inbound_limits", "trust_boundary"];
        let Some(own) = map(node, OWN, &keys, wrong) else { return Self::default() };
        let mut one_way = |key: &str| {
            let path = format!("{OWN}.{key}");
            let Some(node) = own.get(key) else { return Vec::new() };
            let listed = wrong.unless(texts(node, &path)).unwrap_or_default();
            for name in &listed {
                if !names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
                    let problem = format!("{} is not among the propagators", Quoted(name));
                    wrong.push(ConfigError::of(node, &path, &problem));
                }
            }
            listed
        };
        let (extract_only, inject_only) = (one_way("extract_only"), one_way("inject_only"));
        // A policy that this build cannot obey must not be passed over.
        if let Some(node) =
            own.get("trust_boundary").filter(|node| !cfg!(feature = "boundary") && !node.is_null())
        {
            let problem = "is not compiled in: enable the feature \"boundary\" of otel-composite";
            wrong.push(ConfigError::of(node, &format!("{OWN}.trust_boundary"), problem));
        }
        Self {
            extract_only,
            inject_only,
            last_wins: wrong.unless(last_wins(own.get("last_wins"))).unwrap_or_default(),
            limits: limits(own.get("limits"), &format!("{OWN}.limits"), wrong),
            inbound_limits: limits(own.get("inbound_limits"), &format!("{OWN}.inbound_limits"), wrong),
            #[cfg(feature = "boundary")]
            boundary: wrong.unless(boundary(own.get("trust_boundary"))).flatten(),
        }
    }
}

fn last_wins(node: Option<&Node>) -> Result<bool, ConfigError> {
    match node.map(|node| (&node.value, node)) {
        None | Some((Value::Null, _)) => Ok(false),
        Some((Value::Plain(text), _)) if text == "true" || text == "false" => Ok(text == "true"),
        Some((_, node)) => Err(ConfigError::of(node, &format!("{OWN}.last_wins"), "must be true or false")),
    }
}

/// The policy, in the words of `otel-trust-boundary`; its errors get their line from here.
#[cfg(feature = "boundary")]
fn boundary(node: Option<&Node>) -> Result<Option<otel_trust_boundary::Boundary>, ConfigError> {
    let Some(node) = node.filter(|node| !node.is_null()) else { return Ok(None) };
    otel_trust_boundary::Boundary::from_config(node).map(Some).map_err(|error| {
        let path = format!("{OWN}.trust_boundary.{}", error.path());
        ConfigError::of(node.at(error.path()), path.trim_end_matches('.'), error.problem())
    })
}

fn limits(node: Option<&Node>, path: &str, wrong: &mut Wrong) -> Option<Limits> {
    let keys = ["max_members", "max_bytes", "max_member_bytes", "keep_first", "allow", "deny"];
    let node = map(node, path, &keys, wrong)?;
    let mut limits = Limits::new();
    for key in ["max_members", "max_bytes", "max_member_bytes"] {
        let Some(node) = node.get(key).filter(|node| !node.is_null()) else { continue };
        let number = match &node.value {
            Value::Plain(text) => text.parse().ok(),
            _ => None,
        };
        let path = format!("{path}.{key}");
        let number = number.ok_or_else(|| ConfigError::of(node, &path, "must be a number, 0 or more"));
        let Some(number) = wrong.unless(number) else { continue };
        limits = match key {
            "max_members" => limits.max_members(number),
            "max_bytes" => limits.max_bytes(number),
            _ => limits.max_member_bytes(number),
        };
    }
    for key in ["keep_first", "allow", "deny"] {
        let Some(node) = node.get(key).filter(|node| !node.is_null()) else { continue };
        let Some(keys) = wrong.unless(texts(node, &format!("{path}.{key}"))) else { continue };
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        limits = match key {
            "keep_first" => limits.keep_keys_first(keys),
            "allow" => limits.allow_keys(keys),
            _ => limits.deny_keys(keys),
        };
    }
    Some(limits)
}

/// A map with no other keys than these; nothing where it is missing or null.
fn map<'a>(node: Option<&'a Node>, path: &str, keys: &[&str], wrong: &mut Wrong) -> Option<&'a Node> {
    let node = node.filter(|node| !node.is_null())?;
    let Value::Map(entries) = &node.value else {
        wrong.push(ConfigError::of(node, path, "must be a map"));
        return None;
    };
    for (key, value) in entries.iter().filter(|(key, _)| !keys.contains(&key.as_str())) {
        let problem = format!("there is no such key; known keys: {}", keys.join(", "));
        wrong.push(ConfigError::of(value, &format!("{path}.{}", Quoted(key).bare()), &problem));
    }
    Some(node)
}

fn texts<'a>(node: &'a Node, path: &str) -> Result<Vec<&'a str>, ConfigError> {
    let problem = |node| ConfigError::of(node, path, "must be a list of texts");
    match &node.value {
        Value::Null => Ok(Vec::new()),
        Value::List(nodes) => nodes
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => Ok(text.as_str()),
                _ => Err(problem(node)),
            })
            .collect(),
        _ => Err(problem(node)),
    }
}

/// What is wrong, as far as it has been read.
#[derive(Default)]
struct Wrong(Vec<ConfigError>);

impl Wrong {
    fn push(&mut self, error: ConfigError) {
        self.0.push(error);
    }

    fn unless<T>(&mut self, result: Result<T, ConfigError>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The first error, with the others behind it.
    fn nothing(self) -> Result<(), ConfigError> {
        let mut errors = self.0.into_iter();
        match errors.next() {
            Some(first) => Err(ConfigError { others: errors.collect(), ..first }),
            None => Ok(()),
        }
    }
}

/// A configuration that cannot be used: what is wrong, at which path, and on which line where that is known.
///
/// There may be several things: `Display` shows each on a line of its own, [`all`](Self::all) gives them.
///
/// ```
/// # #[cfg(all(feature = "yaml", feature = "tracecontext"))] {
/// use otel_composite::{Config, Registry};
///
/// let config = Config::from_yaml("file_format: '1.1'\npropagator:\n  composite:\n    - tracecontext:\n    - zipkin:\n")?;
/// let error = Registry::new().builder_from_config(&config).unwrap_err();
/// assert_eq!((error.path(), error.line()), ("propagator.composite[1].zipkin", Some(5)));
/// assert!(error.to_string().starts_with(
///     "propagator.composite[1].zipkin (line 5): unknown propagator \"zipkin\"; known names: tracecontext"
/// ));
/// # }
/// # Ok::<(), otel_composite::ConfigError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigError {
    path: String,
    line: Option<usize>,
    problem: String,
    others: Vec<Self>,
}

impl ConfigError {
    fn new(path: &str, line: Option<usize>, problem: &str) -> Self {
        Self { path: path.to_owned(), line, problem: problem.to_owned(), others: Vec::new() }
    }

    fn of(node: &Node, path: &str, problem: &str) -> Self {
        Self::new(path, node.line, problem)
    }

    /// Where it is, such as `propagator.composite[1].b3`; empty for the whole.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The line, from 1, where the format tells.
    #[must_use]
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// This one and all others of the configuration.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.path.as_str(), self.line) {
            ("", None) => write!(f, "{}", self.problem),
            ("", Some(line)) => write!(f, "line {line}: {}", self.problem),
            (path, None) => write!(f, "{path}: {}", self.problem),
            (path, Some(line)) => write!(f, "{path} (line {line}): {}", self.problem),
        }?;
        self.others.iter().try_for_each(|other| write!(f, "\n{other}"))
    }
}

impl Error for ConfigError {}
