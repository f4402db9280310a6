//! What may be wrong with a setting.

use std::{error::Error, fmt};

/// A setting that cannot be used as it stands; it says all that is wrong at once.
///
/// ```
/// use otel_composite::{Problem, from_list};
///
/// let error = from_list("none, zipkin").unwrap_err();
/// assert_eq!(
///     error.problems(),
///     [Problem::NoneAmongOthers, Problem::Unknown { name: "zipkin".to_owned() }],
/// );
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingError {
    pub(crate) problems: Vec<Problem>,
    pub(crate) known: String,
}

impl SettingError {
    /// All problems, in the order of the list.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for problem in &self.problems {
            write!(f, "{separator}{problem}")?;
            separator = "; ";
        }
        if self.problems.iter().any(Problem::is_about_a_name) {
            write!(f, "{separator}known names: {}", self.known)?;
        }
        Ok(())
    }
}

impl Error for SettingError {}

/// One thing that is wrong with a setting.
///
/// ```
/// use otel_composite::Problem;
///
/// let problem = Problem::Unknown { name: "zipkin\n".to_owned() };
/// assert_eq!(problem.to_string(), r#"unknown propagator "zipkin\n""#);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Problem {
    /// Nothing has this name; [`Registry::register`](crate::Registry::register) gives it to a propagator. It is shown
    /// escaped and cut.
    Unknown {
        /// The name as the list has it.
        name: String,
    },
    /// The format exists, but this build leaves it out.
    NotCompiledIn {
        /// The name of the format.
        name: &'static str,
        /// The feature of this crate that brings it in.
        feature: &'static str,
    },
    /// `none` says that there are no propagators, and others are listed beside it.
    NoneAmongOthers,
    /// The list is quoted, or something else than commas parts its names. They were understood.
    Punctuation {
        /// The list as it should be.
        read_as: String,
    },
    /// The variable is unset, and no format is compiled in that could be the default.
    NothingCompiledIn,
    /// The meter records nothing: it was made before a meter provider was set, or no reader collects from it.
    SilentMeter,
    /// A limit that is not a number.
    NotANumber {
        /// The variable.
        variable: &'static str,
        /// What it holds. It is shown escaped and cut.
        value: String,
    },
}

impl Problem {
    /// The environment variable, where it is another one than that of the names.
    pub(crate) fn variable(&self) -> Option<&'static str> {
        match self {
            Self::NotANumber { variable, .. } => Some(variable),
            _ => None,
        }
    }

    /// Whether it helps to know which names there are.
    pub(crate) const fn is_about_a_name(&self) -> bool {
        matches!(self, Self::Unknown { .. } | Self::NotCompiledIn { .. })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name } => write!(f, "unknown propagator {}", Quoted(name)),
            Self::NotCompiledIn { name, feature } => {
                write!(f, "{name} is not compiled in: enable the feature \"{feature}\" of otel-composite")
            }
            Self::NoneAmongOthers => f.write_str("\"none\" must stand alone in a list"),
            Self::Punctuation { read_as } => {
                write!(f, "a list has no quotes, and commas between its names: read as {}", Quoted(read_as))
            }
            Self::NothingCompiledIn => f.write_str(
                "no format is compiled in: enable the feature \"tracecontext\" or another one of otel-composite",
            ),
            Self::SilentMeter => f.write_str(
                "the meter records nothing: make it after global::set_meter_provider, or from the provider itself, which \
                 needs a reader",
            ),
            Self::NotANumber { variable, value } => {
                write!(f, "{variable} is not a number and was not used: {}", Quoted(value))
            }
        }
    }
}

/// A name that a [`Registry`](crate::Registry) does not take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RegisterError {
    /// There is a propagator of this name already; or it is `none`.
    Taken,
    /// The name is empty, or has white space, a comma, a semicolon, a quote or a bracket in it, so that no list could
    /// hold it.
    Unlistable,
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "the name is taken",
            Self::Unlistable => {
                "a name in a list is not empty and has no white space, comma, semicolon, quote or bracket"
            }
        })
    }
}

impl Error for RegisterError {}

/// An untrusted name, fit for a log.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Quoted<'_> {
    const MAX_CHARS: usize = 64;

    /// Without the quotes, for a path.
    #[cfg(feature = "config")]
    pub(crate) fn bare(&self) -> String {
        self.to_string().trim_matches('"').to_owned()
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chars = self.0.chars();
        f.write_str("\"")?;
        for char in chars.by_ref().take(Self::MAX_CHARS) {
            write!(f, "{}", char.escape_debug())?;
        }
        f.write_str(if chars.next().is_some() { "…\"" } else { "\"" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_name_is_told_why() {
        let rows = [
            (RegisterError::Taken, "the name is taken"),
            (
                RegisterError::Unlistable,
                "a name in a list is not empty and has no white space, comma, semicolon, quote or bracket",
            ),
        ];
        for (error, expected) in rows {
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn names_are_shown_escaped_and_cut() {
        let [shorter, at_most, longer] = [63, 64, 65].map(|length| "x".repeat(length));
        let rows = [
            ("quotes", "a\"b", r#""a\"b""#.to_owned()),
            ("control characters", "a\n\u{1b}[2J", r#""a\n\u{1b}[2J""#.to_owned()),
            ("63 characters", &shorter, format!("\"{shorter}\"")),
            ("64 characters", &at_most, format!("\"{at_most}\"")),
            ("65 characters", &longer, format!("\"{at_most}…\"")),
        ];
        for (rule, name, expected) in rows {
            assert_eq!(Quoted(name).to_string(), expected, "{rule}");
        }
    }
}
