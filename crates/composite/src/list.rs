//! A comma-separated list of propagator names:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>.

use crate::{Problem, formats};

/// > No automatically configured propagator.
pub(crate) const NONE: &str = "none";

/// The names of a list as it has them.
pub(crate) fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|name| !name.is_empty())
}

/// > The SDK MUST interpret an empty value of an environment variable the same way as when the variable is unset.
pub(crate) fn is_blank(list: &str) -> bool {
    names(list).next().is_none()
}

/// Each name once. `none` means no names where it stands alone.
///
/// > Values MUST be deduplicated in order to register a `Propagator` only once.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut distinct: Vec<&str> = Vec::new();
    for name in names {
        if !distinct.iter().any(|other| name.eq_ignore_ascii_case(other)) {
            distinct.push(name);
        }
    }
    match *distinct {
        [none] if none.eq_ignore_ascii_case(NONE) => Vec::new(),
        _ => distinct,
    }
}

/// Why nothing is behind a name.
pub(crate) fn problem(name: &str) -> Problem {
    if name.eq_ignore_ascii_case(NONE) {
        return Problem::NoneAmongOthers;
    }
    match formats::by_name(name) {
        Some(format) => Problem::NotCompiledIn { name: format.name, feature: format.feature },
        None => Problem::Unknown { name: name.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let rows: [(&str, &str, &[&str]); 10] = [
            ("empty", "", &[]),
            ("white space", " \t ", &[]),
            ("commas", " , ,,", &[]),
            ("none alone", "none", &[]),
            ("none alone, without case, once", " None ,NONE", &[]),
            ("none among others is left to the caller", "none,b3", &["none", "b3"]),
            ("trimmed", " b3 ,\ttracecontext", &["b3", "tracecontext"]),
            ("empty names are no names", ",b3,,", &["b3"]),
            ("each once, the first spelling", "B3,b3,baggage,b3", &["B3", "baggage"]),
            ("the order stays", "b3,baggage,tracecontext", &["b3", "baggage", "tracecontext"]),
        ];
        for (rule, list, expected) in rows {
            assert_eq!(distinct(names(list)), expected, "{rule}");
            assert_eq!(is_blank(list), expected.is_empty() && !list.to_lowercase().contains(NONE), "{rule}");
        }
    }
}
