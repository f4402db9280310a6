//! Propagators by name.

use crate::{Builder, CompositePropagator, ListError, Problem, RegisterError, events, list, part::Part};
use opentelemetry::propagation::TextMapPropagator;
use std::{env, fmt, ptr};

/// What a propagator is about, which decides how a [`Builder`] uses it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Concern {
    /// The span that a request belongs to: [`Builder::trace`].
    Trace,
    /// The entries that travel with a request: [`Builder::baggage`].
    Baggage,
    /// Anything else: [`Builder::other`].
    Other,
}

/// The names that a list of propagators may hold: those of the specification, and one's own.
///
/// ```
/// use opentelemetry_sdk::propagation::TraceContextPropagator;
/// use otel_composite::{Concern, RegisterError, Registry};
///
/// let registry = Registry::new().register("house", Concern::Trace, TraceContextPropagator::new)?;
/// let propagator = registry.from_list("house").unwrap();
/// assert_eq!(propagator.to_string(), "extract: house; inject: house; baggage: nothing");
///
/// let taken = registry.register("TraceContext", Concern::Trace, TraceContextPropagator::new);
/// assert_eq!(taken.unwrap_err(), RegisterError::Taken);
/// # Ok::<(), RegisterError>(())
/// ```
///
/// The builders it hands out can be given limits and more before they build:
///
/// ```
/// use otel_composite::{Limits, Registry};
///
/// let propagator = Registry::new().builder_from_env().limits(Limits::new().max_members(16)).build();
/// ```
pub struct Registry {
    entries: Vec<Entry>,
}

/// A name with a propagator behind it.
pub(crate) struct Entry {
    name: String,
    concern: Concern,
    make: Box<dyn Fn() -> Part + Send + Sync>,
}

impl Registry {
    /// The names of the specification whose features are enabled.
    #[must_use]
    pub fn new() -> Self {
        let entries = Vec::new();
        #[cfg(feature = "tracecontext")]
        let entries =
            with(entries, "tracecontext", Concern::Trace, otel_tracecontext::TraceContextPropagator::new);
        #[cfg(feature = "w3c-baggage")]
        let entries = with(entries, "baggage", Concern::Baggage, otel_w3c_baggage::BaggagePropagator::new);
        #[cfg(feature = "b3")]
        let entries = with(entries, "b3", Concern::Trace, otel_b3::B3Propagator::single);
        #[cfg(feature = "b3")]
        let entries = with(entries, "b3multi", Concern::Trace, otel_b3::B3Propagator::multi);
        Self { entries }
    }

    /// Adds a name of one's own. Names are compared without case.
    ///
    /// # Errors
    ///
    /// [`RegisterError::Taken`] for each name that the specification knows, compiled in or not, and for each
    /// name registered before; [`RegisterError::Unlistable`] for a name that no list can hold.
    pub fn register<P, F>(self, name: &str, concern: Concern, make: F) -> Result<Self, RegisterError>
    where
        P: TextMapPropagator + Send + Sync + 'static,
        F: Fn() -> P + Send + Sync + 'static,
    {
        if list::is_known(name) || self.entry(name).is_some() {
            return Err(RegisterError::Taken);
        }
        if name.is_empty() || name.contains(|char: char| char == ',' || char.is_whitespace()) {
            return Err(RegisterError::Unlistable);
        }
        Ok(Self { entries: with(self.entries, name, concern, make) })
    }

    /// Puts a propagator of another crate behind a name that the specification knows and this crate has no
    /// format for: `jaeger`, `xray` or `ottrace`.
    ///
    /// # Errors
    ///
    /// [`RegisterError::NotThirdParty`] for any other name; [`RegisterError::Taken`] where one was provided
    /// before.
    pub fn provide<P, F>(self, name: &str, concern: Concern, make: F) -> Result<Self, RegisterError>
    where
        P: TextMapPropagator + Send + Sync + 'static,
        F: Fn() -> P + Send + Sync + 'static,
    {
        let Some(name) = list::third_party(name) else { return Err(RegisterError::NotThirdParty) };
        if self.entry(name).is_some() {
            return Err(RegisterError::Taken);
        }
        Ok(Self { entries: with(self.entries, name, concern, make) })
    }

    /// The names that lists may hold, `none` included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name).chain([list::NONE])
    }

    /// The propagators of a comma-separated list, in the order of preference: see [`from_list`](crate::from_list).
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn from_list(&self, list: &str) -> Result<CompositePropagator, ListError> {
        self.builder_from_list(list).map(Builder::build)
    }

    /// One list for what is read and one for what is sent: see [`from_lists`](crate::from_lists).
    ///
    /// # Errors
    ///
    /// All names of either list that cannot be used.
    pub fn from_lists(&self, extract: &str, inject: &str) -> Result<CompositePropagator, ListError> {
        self.builder_from_lists(extract, inject).map(Builder::build)
    }

    /// The propagators that the environment asks for: see [`from_env`](crate::from_env).
    #[must_use]
    pub fn from_env(&self) -> CompositePropagator {
        self.builder_from_env().build()
    }

    /// As [`from_list`](Self::from_list), to be added to.
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn builder_from_list(&self, list: &str) -> Result<Builder, ListError> {
        self.builder_from_lists(list, list)
    }

    /// As [`from_lists`](Self::from_lists), to be added to.
    ///
    /// # Errors
    ///
    /// All names of either list that cannot be used.
    pub fn builder_from_lists(&self, extract: &str, inject: &str) -> Result<Builder, ListError> {
        let mut problems = Vec::new();
        let extract = self.resolve(extract, &mut problems);
        let inject = self.resolve(inject, &mut problems);
        if problems.is_empty() {
            Ok(build(&extract, &inject))
        } else {
            Err(ListError { problems, known: self.known() })
        }
    }

    /// As [`from_env`](Self::from_env), to be added to.
    pub fn builder_from_env(&self) -> Builder {
        let value = env::var_os(VARIABLE).unwrap_or_default();
        let value = value.to_string_lossy();
        let mut problems = Vec::new();
        let entries = self.resolve(&value, &mut problems);
        let setting = if list::is_blank(&value) { DEFAULTED } else { VARIABLE };
        for problem in &problems {
            events::configuration(setting, problem, &self.known());
        }
        build(&entries, &entries)
    }

    /// The propagators that a list names; what it names in vain goes to the problems.
    fn resolve(&self, list: &str, problems: &mut Vec<Problem>) -> Vec<&Entry> {
        let mut entries = Vec::new();
        for name in list::names(list) {
            match self.find(name) {
                Ok(entry) => entries.push(entry),
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        entries
    }

    fn find(&self, name: &str) -> Result<&Entry, Problem> {
        self.entry(name).ok_or_else(|| list::problem(name))
    }

    fn entry(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    fn known(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>
const VARIABLE: &str = "OTEL_PROPAGATORS";
/// What a problem is laid to where the variable names nothing.
const DEFAULTED: &str = "OTEL_PROPAGATORS (its default, tracecontext,baggage)";

fn with<P, F>(mut entries: Vec<Entry>, name: &str, concern: Concern, make: F) -> Vec<Entry>
where
    P: TextMapPropagator + Send + Sync + 'static,
    F: Fn() -> P + Send + Sync + 'static,
{
    let make = Box::new(move || Part::new(make()));
    entries.push(Entry { name: name.to_owned(), concern, make });
    entries
}

/// What stands in both lists goes both ways.
fn build(extract: &[&Entry], inject: &[&Entry]) -> Builder {
    let among = |entries: &[&Entry], entry: &Entry| entries.iter().any(|other| ptr::eq(*other, entry));
    let injected_only = inject.iter().filter(|entry| !among(extract, entry));
    extract.iter().chain(injected_only).fold(Builder::default(), |builder, entry| {
        builder.part(entry.concern, entry.part(among(extract, entry), among(inject, entry)))
    })
}

impl Entry {
    fn part(&self, extracts: bool, injects: bool) -> Part {
        let part = (self.make)();
        Part { extracts: part.extracts && extracts, injects: part.injects && injects, ..part }
            .named(self.name.clone())
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}
