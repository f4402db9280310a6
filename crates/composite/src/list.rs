//! A list of propagator names:
//! <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>.

use crate::{Problem, formats};

/// > No automatically configured propagator.
pub(crate) const NONE: &str = "none";

/// The names of a list as it has them.
#[derive(Debug, Default, Eq, PartialEq)]
pub(crate) struct List<'a> {
    pub(crate) names: Vec<&'a str>,
    pub(crate) problem: Option<Problem>,
}

impl<'a> List<'a> {
    /// The names between commas. No name has a quote, a bracket, a semicolon or white space in it, so what else parts
    /// names is understood as well, and told of.
    pub(crate) fn parse(list: &'a str) -> Self {
        let by_commas = list.split(',').map(str::trim).filter(|name| !name.is_empty());
        let names: Vec<&str> = list.split(is_no_part_of_a_name).filter(|name| !name.is_empty()).collect();
        let as_specified = by_commas.eq(names.iter().copied());
        let problem = (!as_specified).then(|| Problem::Punctuation { read_as: names.join(",") });
        Self { names, problem }
    }

    /// The names of a list that is not text.
    pub(crate) fn of(names: impl IntoIterator<Item = &'a str>) -> Self {
        Self { names: names.into_iter().collect(), problem: None }
    }

    /// Each name once. `none` means no names where it stands alone.
    ///
    /// > Values MUST be deduplicated in order to register a `Propagator` only once.
    pub(crate) fn distinct(&self) -> Vec<&'a str> {
        let mut distinct: Vec<&str> = Vec::new();
        for &name in &self.names {
            if !distinct.iter().any(|other| name.eq_ignore_ascii_case(other)) {
                distinct.push(name);
            }
        }
        match *distinct {
            [none] if none.eq_ignore_ascii_case(NONE) => Vec::new(),
            _ => distinct,
        }
    }
}

/// What no name may hold, so that lists can be told apart from names.
pub(crate) fn is_no_part_of_a_name(char: char) -> bool {
    char.is_whitespace() || matches!(char, ',' | ';' | '"' | '\'' | '[' | ']')
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
            let list = List::parse(list);
            assert_eq!(list.distinct(), expected, "{rule}");
            assert_eq!(list.problem, None, "{rule}");
        }
    }

    #[test]
    fn what_else_parts_names_is_understood() {
        let rows = [
            ("quoted", r#""b3,baggage""#),
            ("in single quotes", "'b3,baggage'"),
            ("each quoted", r#""b3", "baggage""#),
            ("semicolons", "b3;baggage"),
            ("spaces", "b3 baggage"),
            ("a line each", "b3\nbaggage"),
            ("as JSON or YAML write it", r#"["b3", baggage]"#),
        ];
        for (rule, list) in rows {
            let read_as = "b3,baggage".to_owned();
            let expected =
                List { names: vec!["b3", "baggage"], problem: Some(Problem::Punctuation { read_as }) };
            assert_eq!(List::parse(list), expected, "{rule}");
        }
        assert_eq!(List::parse(r#""""#).names, [""; 0], "nothing in quotes is nothing");
    }
}
