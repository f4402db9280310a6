//! Propagators by name.

use crate::{
    Builder, IntoPart, ListError, Part, Problem, RegisterError, events,
    formats::{self, FORMATS},
    list,
};
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
/// let mut registry = Registry::new();
/// registry.register("house", Concern::Trace, TraceContextPropagator::new)?;
/// let propagator = registry.builder_from_list("house").unwrap().build();
/// assert_eq!(propagator.to_string(), "extract: house; inject: house; baggage: nothing");
///
/// let taken = registry.register("House", Concern::Trace, TraceContextPropagator::new);
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
struct Entry {
    name: String,
    make: Box<dyn Fn() -> Part + Send + Sync>,
}

impl Registry {
    /// The names of the specification whose features are enabled.
    #[must_use]
    pub fn new() -> Self {
        let entry = |format: &formats::Format| {
            let (make, concern) = (format.compiled_in?.make, format.concern);
            Some(Entry { name: format.name.to_owned(), make: Box::new(move || make(concern)) })
        };
        Self { entries: FORMATS.iter().filter_map(entry).collect() }
    }

    /// Adds a name. Names are compared without case.
    ///
    /// It may be one's own, or one that the specification knows and that this build has no format for.
    ///
    /// # Errors
    ///
    /// [`RegisterError::Taken`] for a name that is in use, and for `none`; [`RegisterError::Unlistable`] for a name
    /// that no list can hold. The registry stays as it was.
    pub fn register<P, Kind>(
        &mut self,
        name: &str,
        concern: Concern,
        make: impl Fn() -> P + Send + Sync + 'static,
    ) -> Result<&mut Self, RegisterError>
    where
        P: IntoPart<Kind>,
    {
        if name.eq_ignore_ascii_case(list::NONE) || self.entry(name).is_some() {
            return Err(RegisterError::Taken);
        }
        if name.is_empty() || name.contains(|char: char| char == ',' || char.is_whitespace()) {
            return Err(RegisterError::Unlistable);
        }
        let make = Box::new(move || make().into_part(concern));
        self.entries.push(Entry { name: name.to_owned(), make });
        Ok(self)
    }

    /// The names that lists may hold, `none` included.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name).chain([list::NONE])
    }

    /// The propagators of a comma-separated list: see [`from_list`](crate::from_list).
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn builder_from_list(&self, list: &str) -> Result<Builder, ListError> {
        self.builder_from_lists(list, list)
    }

    /// One list for what is read and one for what is sent: see [`from_lists`](crate::from_lists).
    ///
    /// # Errors
    ///
    /// All names of either list that cannot be used.
    pub fn builder_from_lists(&self, extract: &str, inject: &str) -> Result<Builder, ListError> {
        self.builder_from_names(list::names(extract), list::names(inject))
    }

    /// The same with a name an item, not parsed.
    ///
    /// ```
    /// # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage"))] {
    /// let registry = otel_composite::Registry::new();
    /// let propagator = registry.builder_from_names(["tracecontext", "baggage"], ["tracecontext"])?.build();
    /// assert_eq!(
    ///     propagator.to_string(),
    ///     "extract: tracecontext; inject: tracecontext; baggage: baggage (extract only)"
    /// );
    /// # }
    /// # Ok::<(), otel_composite::ListError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All names of either list that cannot be used.
    pub fn builder_from_names<'a>(
        &self,
        extract: impl IntoIterator<Item = &'a str>,
        inject: impl IntoIterator<Item = &'a str>,
    ) -> Result<Builder, ListError> {
        let mut problems = Vec::new();
        let extract = self.resolve(extract, &mut problems);
        let inject = self.resolve(inject, &mut problems);
        if problems.is_empty() {
            Ok(build(&extract, &inject))
        } else {
            Err(ListError { problems, known: self.known() })
        }
    }

    /// The propagators that the environment asks for: see [`from_env`](crate::from_env).
    pub fn builder_from_env(&self) -> Builder {
        let value = env::var_os(VARIABLE).unwrap_or_default();
        let value = value.to_string_lossy();
        let (setting, list) = if list::is_blank(&value) { (DEFAULTED, DEFAULT) } else { (VARIABLE, &*value) };
        let mut problems = Vec::new();
        let entries = self.resolve(list::names(list), &mut problems);
        for problem in &problems {
            events::configuration(setting, problem, &self.known());
        }
        build(&entries, &entries)
    }

    /// The propagators of these names; names in vain go to the problems.
    fn resolve<'a>(
        &self,
        names: impl IntoIterator<Item = &'a str>,
        problems: &mut Vec<Problem>,
    ) -> Vec<&Entry> {
        let mut entries = Vec::new();
        for name in list::distinct(names.into_iter()) {
            match self.entry(name).ok_or_else(|| list::problem(name)) {
                Ok(entry) => entries.push(entry),
                Err(problem) if problems.contains(&problem) => {}
                Err(problem) => problems.push(problem),
            }
        }
        entries
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
const DEFAULT: &str = "tracecontext,baggage";
/// What a problem is laid to where the variable names nothing.
const DEFAULTED: &str = "OTEL_PROPAGATORS (its default, tracecontext,baggage)";

/// What is in both lists goes both ways. Each list keeps its order.
fn build(extract: &[&Entry], inject: &[&Entry]) -> Builder {
    let place = |entries: &[&Entry], entry: &Entry| entries.iter().position(|other| ptr::eq(*other, entry));
    let injected_only = inject.iter().filter(|entry| place(extract, entry).is_none());
    let all: Vec<&Entry> = extract.iter().chain(injected_only).copied().collect();
    let part = |entry: &&Entry| {
        let (extracts, injects) = (place(extract, entry).is_some(), place(inject, entry).is_some());
        entry.part(extracts, injects)
    };
    let writing = inject.iter().filter_map(|entry| place(&all, entry)).collect();
    Builder::parts(all.iter().map(part).collect(), writing)
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
