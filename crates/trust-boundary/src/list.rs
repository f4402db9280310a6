//! Headers that are lists of baggage, as text: nobody has to decode a value to know its key.

use otel_propagator_core::header::trim;

/// The names of these headers.
pub(crate) const HEADERS: [&str; 3] = ["baggage", "correlation-context", "jaeger-baggage"];

/// The place of the header among [`HEADERS`], if it is one of them.
pub(crate) fn position(header: &str) -> Option<usize> {
    HEADERS.iter().position(|name| header.eq_ignore_ascii_case(name))
}

/// The members whose key this is true of, each as it is, and how many others there are; `None` where there are no others.
pub(crate) fn filtered(list: &str, mut keep: impl FnMut(&str) -> bool) -> Option<(String, usize)> {
    let (mut kept, mut dropped) = (Vec::new(), 0);
    for member in list.split(',').filter(|member| !trim(member).is_empty()) {
        if keep(key(member)) { kept.push(member) } else { dropped += 1 }
    }
    (dropped > 0).then(|| (kept.join(","), dropped))
}

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
///
/// <https://www.w3.org/TR/baggage/#definition>
fn key(member: &str) -> &str {
    trim(member.split(['=', ';']).next().unwrap_or_default())
}
