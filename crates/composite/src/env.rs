//! What the environment says.

use crate::{Builder, Limits, Problem, Registry, SettingError, events, list::List};
use std::env;

/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>
const PROPAGATORS: &str = "OTEL_PROPAGATORS";
const MAX_MEMBERS: &str = "OTELP_BAGGAGE_MAX_MEMBERS";
const MAX_BYTES: &str = "OTELP_BAGGAGE_MAX_BYTES";
const INBOUND_MAX_MEMBERS: &str = "OTELP_BAGGAGE_INBOUND_MAX_MEMBERS";
const INBOUND_MAX_BYTES: &str = "OTELP_BAGGAGE_INBOUND_MAX_BYTES";

impl Registry {
    /// The propagators that the environment asks for: see [`from_env`](crate::from_env).
    pub fn builder_from_env(&self) -> Builder {
        self.builder_from_env_var(PROPAGATORS)
    }

    /// The same, with the names from another variable than `OTEL_PROPAGATORS`, such as one for each part of a program.
    ///
    /// ```
    /// use otel_composite::{Limits, Registry};
    ///
    /// let edge = Registry::new().builder_from_env_var("EDGE_PROPAGATORS").limits(Limits::W3C).build();
    /// ```
    pub fn builder_from_env_var(&self, variable: &str) -> Builder {
        let builder = self.read_env(variable);
        for problem in builder.problems() {
            events::configuration(problem.variable().unwrap_or(variable), problem, &self.known());
        }
        builder
    }

    /// The propagators that the environment asks for: see [`try_from_env`](crate::try_from_env).
    ///
    /// ```no_run
    /// use otel_composite::{Limits, Registry};
    ///
    /// let propagator = Registry::new().try_builder_from_env()?.limits(Limits::W3C).build();
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the variables.
    pub fn try_builder_from_env(&self) -> Result<Builder, SettingError> {
        let builder = self.read_env(PROPAGATORS);
        match builder.problems() {
            [] => Ok(builder),
            problems => Err(SettingError { problems: problems.to_vec(), known: self.known() }),
        }
    }

    fn read_env(&self, variable: &str) -> Builder {
        let value = env::var_os(variable).unwrap_or_default();
        let value = value.to_string_lossy();
        let list = List::parse(&value);
        let mut problems = Vec::new();
        let builder = if list.names.is_empty() {
            self.default_builder(&mut problems)
        } else {
            self.builder(&list, &list, &mut problems)
        };
        let outbound = limits(MAX_MEMBERS, MAX_BYTES, &mut problems);
        let inbound = limits(INBOUND_MAX_MEMBERS, INBOUND_MAX_BYTES, &mut problems);
        builder.with_limits(inbound, outbound).with_problems(problems)
    }

    /// What an unset variable means in this build.
    fn default_builder(&self, problems: &mut Vec<Problem>) -> Builder {
        let names = self.default_names();
        if names.is_empty() {
            problems.push(Problem::NothingCompiledIn);
        }
        let list = List { names, ..List::default() };
        self.builder(&list, &list, problems)
    }
}

/// What two variables say; nothing where neither holds a number.
fn limits(members: &'static str, bytes: &'static str, problems: &mut Vec<Problem>) -> Option<Limits> {
    let (members, bytes) = (number(members, problems), number(bytes, problems));
    members.or(bytes)?;
    let mut limits = Limits::new();
    if let Some(members) = members {
        limits = limits.max_members(members);
    }
    if let Some(bytes) = bytes {
        limits = limits.max_bytes(bytes);
    }
    Some(limits)
}

/// The number that a variable holds; nothing where it is unset or empty.
fn number(variable: &'static str, problems: &mut Vec<Problem>) -> Option<usize> {
    let value = env::var_os(variable)?;
    let value = value.to_string_lossy();
    let text = value.trim();
    if text.is_empty() {
        return None;
    }
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    if number.is_none() {
        problems.push(Problem::NotANumber { variable, value: text.to_owned() });
    }
    number
}
