//! Headers that are lists of baggage, as text: nobody has to decode a value to know its key.

use otel_propagator_core::header::trim;

/// The names of these headers.
pub(crate) const HEADERS: [&str; 3] = ["baggage", "correlation-context", "jaeger-baggage"];

/// The place of the header among [`HEADERS`], if it is one of them.
pub(crate) fn position(header: &str) -> Option<usize> {
    HEADERS.iter().position(|name| header.eq_ignore_ascii_case(name))
}

/// The members of a line, each as it is; what is empty is none.
pub(crate) fn members(line: &str) -> impl Iterator<Item = &str> {
    line.split(',').filter(|member| !trim(member).is_empty())
}

/// The members whose key this is true of, and how many others there are; `None` where there are no others.
pub(crate) fn filtered<'a, I: Iterator<Item = &'a str>>(
    members: impl Fn() -> I,
    mut keep: impl FnMut(&str) -> bool,
) -> Option<(String, usize)> {
    let mut rest = members();
    // Most lists are kept as they are, and nothing is written for them.
    let before = rest.position(|member| !keep(key(member)))?;
    let (mut kept, mut dropped) = (members().take(before).collect::<Vec<_>>(), 1);
    for member in rest {
        if keep(key(member)) { kept.push(member) } else { dropped += 1 }
    }
    Some((kept.join(","), dropped))
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// <https://www.w3.org/TR/baggage/#definition>
pub(crate) fn key(member: &str) -> &str {
    let key = member.split_once('=').map_or(member, |(key, _)| key);
    trim(key.split_once(';').map_or(key, |(key, _)| key))
}

#[cfg(test)]
mod tests {
    use super::{filtered, members};

    #[test]
    fn members_by_their_keys() {
        let rows = [
            ("all", "a=1,a=2;p", None),
            ("nothing", "", None),
            ("nothing but commas", " ,,\t", None),
            ("none", "b=1,c", Some(("", 2))),
            ("the first", "b=1,a=2,a=3", Some(("a=2,a=3", 1))),
            ("the last", "a=1,,b=2", Some(("a=1", 1))),
            ("as they are", " a = 1 ;p,b,\ta=%61 ", Some((" a = 1 ;p,\ta=%61 ", 1))),
            ("a longer key", "a.b=1,ab=2,=a", Some(("", 3))),
            ("an equals sign after a property", "a;b=1,b;a=1", Some(("a;b=1", 1))),
            ("another white space is part of a key", "\u{a0}a=1,a=2", Some(("a=2", 1))),
        ];
        for (what, list, expected) in rows {
            let kept = filtered(|| members(list), |key| key == "a");
            assert_eq!(kept.as_ref().map(|(kept, dropped)| (kept.as_str(), *dropped)), expected, "{what}");
        }
    }
}
