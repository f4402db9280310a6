//! A list of propagator names, and the names that the specification knows:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>.

use crate::Problem;

/// > No automatically configured propagator.
pub(crate) const NONE: &str = "none";

/// What an unset variable means.
const DEFAULT: [&str; 2] = ["tracecontext", "baggage"];

/// The formats of this workspace and the features that bring them in.
const OURS: [(&str, &str); 4] =
    [("tracecontext", "tracecontext"), ("baggage", "w3c-baggage"), ("b3", "b3"), ("b3multi", "b3")];

const THIRD_PARTY: [&str; 3] = ["jaeger", "xray", "ottrace"];

/// The names of a list, each once; the default where it has none.
///
/// > Values MUST be deduplicated in order to register a `Propagator` only once.
pub(crate) fn names(list: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for name in list.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        if !names.iter().any(|other| name.eq_ignore_ascii_case(other)) {
            names.push(name);
        }
    }
    match *names {
        [] => DEFAULT.to_vec(),
        [none] if none.eq_ignore_ascii_case(NONE) => Vec::new(),
        _ => names,
    }
}

/// > The SDK MUST interpret an empty value of an environment variable the same way as when the variable is unset.
pub(crate) fn is_blank(list: &str) -> bool {
    list.split(',').all(|name| name.trim().is_empty())
}

pub(crate) fn is_known(name: &str) -> bool {
    !matches!(problem(name), Problem::Unknown { .. })
}

/// The name as the specification spells it.
pub(crate) fn third_party(name: &str) -> Option<&'static str> {
    THIRD_PARTY.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// Why nothing is behind a name.
pub(crate) fn problem(name: &str) -> Problem {
    if name.eq_ignore_ascii_case(NONE) {
        return Problem::NoneAmongOthers;
    }
    if let Some(name) = third_party(name) {
        return Problem::NotProvided { name };
    }
    match OURS.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((name, feature)) => Problem::NotCompiledIn { name, feature },
        None => Problem::Unknown { name: name.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let default = &["tracecontext", "baggage"][..];
        let rows: [(&str, &str, &[&str]); 10] = [
            ("empty counts as unset", "", default),
            ("white space is empty", " \t ", default),
            ("commas part nothing", " , ,,", default),
            ("none alone", "none", &[]),
            ("none alone, without case, once", " None ,NONE", &[]),
            ("none among others is left to the caller", "none,b3", &["none", "b3"]),
            ("trimmed", " b3 ,\ttracecontext", &["b3", "tracecontext"]),
            ("empty names are no names", ",b3,,", &["b3"]),
            ("each once, the first spelling", "B3,b3,baggage,b3", &["B3", "baggage"]),
            ("the order stays", "b3,baggage,tracecontext", &["b3", "baggage", "tracecontext"]),
        ];
        for (rule, list, expected) in rows {
            assert_eq!(names(list), expected, "{rule}");
            assert_eq!(is_blank(list), expected == default, "{rule}");
        }
    }
}
