//! Propagators by name.

use crate::{
    Builder, Concern, IntoPart, Part, Problem, RegisterError, SettingError,
    formats::{self, FORMATS},
    list::{self, List},
};
use std::{fmt, ptr};

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
    choices: Vec<Choice>,
}

/// A name with a propagator behind it.
struct Choice {
    name: String,
    make: Box<dyn Fn() -> Part + Send + Sync>,
}

impl Registry {
    /// The names of the specification whose features are enabled.
    #[must_use]
    pub fn new() -> Self {
        let choice = |format: &formats::Format| {
            let (make, concern) = (format.compiled_in?.make, format.concern);
            Some(Choice {
                name: format.name.to_owned(),
                make: Box::new(move || Part::known(concern, make())),
            })
        };
        Self { choices: FORMATS.iter().filter_map(choice).collect() }
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
        if name.eq_ignore_ascii_case(list::NONE) || self.choice(name).is_some() {
            return Err(RegisterError::Taken);
        }
        if name.is_empty() || name.contains(list::is_no_part_of_a_name) {
            return Err(RegisterError::Unlistable);
        }
        let make = Box::new(move || make().into_part(concern));
        self.choices.push(Choice { name: name.to_owned(), make });
        Ok(self)
    }

    /// The names that lists may hold, `none` included.
    ///
    /// ```
    /// # #[cfg(feature = "tracecontext")]
    /// assert!(otel_composite::Registry::new().names().any(|name| name == "tracecontext"));
    /// ```
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.choices.iter().map(|choice| &*choice.name).chain([list::NONE])
    }

    /// The propagators of a comma-separated list: see [`from_list`](crate::from_list).
    ///
    /// # Errors
    ///
    /// All names that cannot be used.
    pub fn builder_from_list(&self, list: &str) -> Result<Builder, SettingError> {
        self.builder_from_lists(list, list)
    }

    /// One list for what is read and one for what is sent: see [`from_lists`](crate::from_lists).
    ///
    /// ```
    /// # #[cfg(feature = "tracecontext")] {
    /// let registry = otel_composite::Registry::new();
    /// let read_alone = registry.builder_from_lists("tracecontext", "")?.build();
    /// assert_eq!(read_alone.to_string(), "extract: tracecontext; inject: nothing; baggage: nothing");
    /// # }
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All names of either list that cannot be used.
    pub fn builder_from_lists(&self, extract: &str, inject: &str) -> Result<Builder, SettingError> {
        self.try_builder(&List::parse(extract), &List::parse(inject))
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
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All names of either list that cannot be used.
    pub fn builder_from_names<'a>(
        &self,
        extract: impl IntoIterator<Item = &'a str>,
        inject: impl IntoIterator<Item = &'a str>,
    ) -> Result<Builder, SettingError> {
        self.try_builder(&List::of(extract), &List::of(inject))
    }

    fn try_builder(&self, extract: &List<'_>, inject: &List<'_>) -> Result<Builder, SettingError> {
        let mut problems = Vec::new();
        let builder = self.builder(extract, inject, &mut problems);
        if problems.is_empty() { Ok(builder) } else { Err(SettingError { problems, known: self.known() }) }
    }

    /// The propagators of these lists; what is wrong with them goes to the problems.
    pub(crate) fn builder(
        &self,
        extract: &List<'_>,
        inject: &List<'_>,
        problems: &mut Vec<Problem>,
    ) -> Builder {
        build(&self.resolve(extract, problems), &self.resolve(inject, problems))
    }

    fn resolve(&self, list: &List<'_>, problems: &mut Vec<Problem>) -> Vec<&Choice> {
        let mut choices = Vec::new();
        let mut tell = |problem| {
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        };
        list.problem.iter().cloned().for_each(&mut tell);
        for name in list.distinct() {
            match self.choice(name) {
                Some(choice) => choices.push(choice),
                None => tell(list::problem(name)),
            }
        }
        choices
    }

    /// What a setting means that names nothing: `tracecontext,baggage`, as far as this build has them. Where it has no
    /// `tracecontext`, each trace format that it has takes its place, by the first of its names.
    pub(crate) fn default_names(&self) -> Vec<&'static str> {
        let mut features = vec!["tracecontext", "w3c-baggage"];
        let mut names: Vec<&str> = vec!["tracecontext"];
        if self.choice("tracecontext").is_none() {
            let trace = FORMATS.iter().filter(|format| format.concern == Concern::Trace);
            for format in trace.filter(|format| format.compiled_in.is_some()) {
                if !features.contains(&format.feature) {
                    features.push(format.feature);
                    names.push(format.name);
                }
            }
        }
        names.push("baggage");
        names.retain(|name| self.choice(name).is_some());
        names
    }

    #[cfg(feature = "config")]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.choice(name).is_some()
    }

    fn choice(&self, name: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn known(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

/// What is in both lists goes both ways. Each list keeps its order.
fn build(extract: &[&Choice], inject: &[&Choice]) -> Builder {
    let place =
        |choices: &[&Choice], choice: &Choice| choices.iter().position(|other| ptr::eq(*other, choice));
    let injected_only = inject.iter().filter(|choice| place(extract, choice).is_none());
    let all: Vec<&Choice> = extract.iter().chain(injected_only).copied().collect();
    let part = |choice: &&Choice| {
        let (extracts, injects) = (place(extract, choice).is_some(), place(inject, choice).is_some());
        choice.part(extracts, injects)
    };
    let writing = inject.iter().filter_map(|choice| place(&all, choice)).collect();
    Builder::parts(all.iter().map(part).collect(), writing)
}

impl Choice {
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
