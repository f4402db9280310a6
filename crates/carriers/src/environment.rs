//! The variables of a process's environment, after
//! [OpenTelemetry's specification](https://opentelemetry.io/docs/specs/otel/context/env-carriers/) (Release Candidate).
//!
//! A process that is started inside a trace reads its context once, when it starts; one that starts others writes
//! theirs:
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
//! use otel_carriers::environment;
//! use otel_tracecontext::TraceContextPropagator;
//! use std::process::Command;
//!
//! let propagator = TraceContextPropagator::new();
//! let cx = environment::extract(&propagator, propagator.fields());
//! assert!(!cx.span().span_context().is_valid(), "nobody started this test inside a trace");
//!
//! let mut child = Command::new("true");
//! environment::inject(&propagator, &cx, &mut child);
//! let removed = child.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name);
//! assert_eq!(removed.collect::<Vec<_>>(), ["TRACEPARENT", "TRACESTATE"]);
//! ```
//!
//! # Security
//!
//! Other users of the machine may be able to read the environment of a process, and every library in it can. Baggage
//! that is not for them does not belong there: give [`inject`] a propagator without it.

use crate::{
    left_out::Losses,
    name::{empty_removes, known},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use otel_propagator_core::diagnostics::Direction;
use std::{borrow::Cow, ffi::OsStr, process::Command};

/// Writes `cx` into the environment that `command` starts its process with.
///
/// The variables of the propagator that this process was itself started with do not reach the child, whether the
/// propagator writes them anew or not. To remove more of them, and for other kinds of commands, see [`EnvInjector`].
pub fn inject(propagator: &dyn TextMapPropagator, cx: &Context, command: &mut Command) {
    let mut environment = EnvInjector::new(propagator);
    propagator.inject_context(cx, &mut environment);
    environment.apply(command);
}

/// The context that this process was started in, by the variables that these names stand for: those of
/// `propagator.fields()`, or everything that a composite reads.
///
/// To be called once, when the process starts.
pub fn extract<N: AsRef<str>>(
    propagator: &dyn TextMapPropagator,
    names: impl IntoIterator<Item = N>,
) -> Context {
    propagator.extract_with_context(&Context::new(), &EnvExtractor::from_process(names))
}

/// The name of the variable that a propagator's key stands for.
///
/// > - replace an empty key name with a single underscore (`_`),
/// > - uppercase ASCII letters,
/// > - replace every character that is not an ASCII letter, digit, or underscore (`_`) with an underscore (`_`),
/// > - prefix the name with an underscore (`_`) if it would otherwise start with an ASCII digit.
///
/// <https://opentelemetry.io/docs/specs/otel/context/env-carriers/#key-name-normalization>
///
/// ```
/// use otel_carriers::environment::normalize;
///
/// assert_eq!(normalize("x-b3-traceid"), "X_B3_TRACEID");
/// assert_eq!(normalize("3trace"), "_3TRACE");
/// assert_eq!(normalize(""), "_");
/// ```
#[must_use]
pub fn normalize(key: &str) -> Cow<'_, str> {
    if is_normalized(key) {
        Cow::Borrowed(key)
    } else {
        Cow::Owned(normal_form(key).map(char::from).collect())
    }
}

/// Whether the name is one that [`normalize`] leaves as it is: `^[A-Z_][A-Z0-9_]*$`.
///
/// ```
/// use otel_carriers::environment::is_normalized;
///
/// assert!(is_normalized("TRACEPARENT"));
/// assert!(!is_normalized("traceparent") && !is_normalized("1X") && !is_normalized(""));
/// ```
#[must_use]
pub fn is_normalized(name: &str) -> bool {
    !name.is_empty() && normal_form(name).eq(name.bytes())
}

fn normal_form(key: &str) -> impl Iterator<Item = u8> {
    let before = key.is_empty() || key.starts_with(|first: char| first.is_ascii_digit());
    before.then_some(b'_').into_iter().chain(key.chars().map(normal))
}

fn normal(character: char) -> u8 {
    match u8::try_from(character) {
        Ok(byte) if byte.is_ascii_alphanumeric() => byte.to_ascii_uppercase(),
        _ => b'_',
    }
}

/// Reads variables.
///
/// It holds copies of the variables that it was asked for and of nothing else. A variable that is not text counts as
/// absent, and so does a format's own one that is empty: `TRACEPARENT= program` starts a program without one.
///
/// ```
/// use opentelemetry::propagation::Extractor;
/// use otel_carriers::environment::EnvExtractor;
///
/// let environment = EnvExtractor::from_vars([("X_B3_TRACEID", "1"), ("x-b3-spanid", "2")]);
/// assert_eq!(environment.get("x-b3-traceid"), Some("1"));
/// assert_eq!(environment.get("x-b3-spanid"), None, "only normalized names are read");
/// ```
#[derive(Debug)]
pub struct EnvExtractor {
    variables: Vec<(String, String)>,
    _left_out: Losses,
}

impl EnvExtractor {
    /// The variables of this process that these names stand for.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_carriers::environment::EnvExtractor;
    /// use otel_tracecontext::TraceContextPropagator;
    ///
    /// // Whoever started this process may have put `TRACEPARENT` there.
    /// let propagator = TraceContextPropagator::new();
    /// let environment = EnvExtractor::from_process(propagator.fields());
    /// let cx = propagator.extract_with_context(&Context::new(), &environment);
    /// ```
    ///
    /// The names are those of `propagator.fields()`, or all that a composite reads. Of the environment nothing else is
    /// looked at.
    pub fn from_process<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Self {
        Self::collect(names.into_iter().filter_map(|name| {
            let name = normalize(name.as_ref()).into_owned();
            let value = std::env::var_os(&name).filter(|value| !value.is_empty())?;
            Some((name, value))
        }))
    }

    /// Every variable with a normalized name among these, such as those of [`std::env::vars_os`]: for formats whose
    /// names are not known before. A format that looks for a prefix with a dash, as Jaeger does for `uberctx-KEY`, finds
    /// none: the names that the specification lets a carrier list have no dash and no case.
    ///
    /// A name that comes twice counts with its first value, as in an environment.
    pub fn from_vars<K: AsRef<OsStr>, V: AsRef<OsStr>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::collect(variables.into_iter().filter_map(|(name, value)| {
            let name = name.as_ref().to_str().filter(|name| is_normalized(name))?;
            Some((name.to_owned(), value))
        }))
    }

    fn collect<V: AsRef<OsStr>>(variables: impl Iterator<Item = (String, V)>) -> Self {
        let left_out = Losses::of("environment", Direction::In);
        let text = |(name, value): (String, V)| match value.as_ref().to_str() {
            Some("") if empty_removes(&header(&name)) => None,
            Some(value) => Some((name, value.to_owned())),
            None => {
                // What other programs keep in their variables is no concern of ours.
                let header = header(&name);
                if known(&header).is_some() {
                    left_out.add(&header, "not UTF-8", value.as_ref().len());
                }
                None
            }
        };
        Self { variables: variables.filter_map(text).collect(), _left_out: left_out }
    }
}

/// The header that a variable may stand for.
fn header(variable: &str) -> String {
    variable.replace('_', "-").to_ascii_lowercase()
}

impl Extractor for EnvExtractor {
    /// > `Get` MUST normalize the key requested by the propagator and MUST use the normalized key name to read from the
    /// > carrier.
    fn get(&self, key: &str) -> Option<&str> {
        let (_, value) = self.variables.iter().find(|(name, _)| normal_form(key).eq(name.bytes()))?;
        Some(value)
    }

    /// > `Keys` MUST return only key names that are already normalized.
    fn keys(&self) -> Vec<&str> {
        self.variables.iter().map(|(name, _)| name.as_str()).collect()
    }
}

/// What the environment of a child process is to have, and not to have.
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_carriers::environment::EnvInjector;
/// use otel_tracecontext::TraceContextPropagator;
///
/// let propagator = TraceContextPropagator::new();
/// let mut environment = EnvInjector::new(&propagator).remove(["b3"]);
/// propagator.inject_context(&Context::new(), &mut environment);
/// let changes: Vec<_> = environment.changes().collect();
/// assert_eq!(changes, [("TRACEPARENT", None), ("TRACESTATE", None), ("B3", None)]);
/// ```
///
/// `tokio::process::Command` lends its standard one: `environment.apply(command.as_std_mut())`.
#[derive(Debug)]
pub struct EnvInjector {
    changes: Vec<Change>,
    left_out: Losses,
}

#[derive(Debug)]
struct Change {
    name: String,
    value: Option<String>,
    /// Whether it was to be removed from the start.
    is_field: bool,
}

impl Change {
    fn is_of(&self, key: &str) -> bool {
        normal_form(key).eq(self.name.bytes())
    }
}

impl EnvInjector {
    /// Begins with the removal of all variables of the propagator's fields: those that it writes replace them.
    #[must_use]
    pub fn new(propagator: &dyn TextMapPropagator) -> Self {
        let left_out = Losses::of("environment", Direction::Out);
        Self { changes: Vec::new(), left_out }.remove(propagator.fields())
    }

    /// Also removes the variables that these names stand for, such as those of formats that are only read.
    #[must_use]
    pub fn remove<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        for name in names {
            self.put(name.as_ref(), None, true);
        }
        self
    }

    /// Makes the changes to a command that has not been started.
    pub fn apply(&self, command: &mut Command) {
        for (name, value) in self.changes() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
    }

    /// Each variable with its value, or with `None` where the child is not to have it.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.changes.iter().map(|change| (change.name.as_str(), change.value.as_deref()))
    }

    fn put(&mut self, key: &str, value: Option<String>, is_field: bool) {
        match self.changes.iter_mut().find(|change| change.is_of(key)) {
            Some(older) => (older.value, older.is_field) = (value, older.is_field || is_field),
            None => self.changes.push(Change { name: normalize(key).into_owned(), value, is_field }),
        }
    }

    fn empty_removes(&self, key: &str) -> bool {
        empty_removes(key) || self.changes.iter().any(|change| change.is_field && change.is_of(key))
    }
}

impl Injector for EnvInjector {
    /// > `Set` MUST write values using the normalized form of the key provided by the propagator.
    ///
    /// An empty value removes the variable where the key is a field of the propagator or a format's own header. One with a
    /// NUL, which no environment can hold, removes any.
    fn set(&mut self, key: &str, value: String) {
        if value.contains('\0') {
            self.left_out.add(key, "not a variable's value", value.len());
            self.put(key, None, false);
        } else {
            let is_removed = value.is_empty() && self.empty_removes(key);
            self.put(key, Some(value).filter(|_| !is_removed), false);
        }
    }
}
