//! What the tests of the classes ask of the headers.

use crate::{ledger::Step, reading::Difference};
use otel_propagator_core::header::trim;
use std::collections::BTreeSet;

/// The lines of a header, in their order.
pub(crate) fn lines<'a>(step: &Step<'a>, name: &str) -> Vec<&'a str> {
    step.headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

// --- tracestate ------------------------------------------------------------------------------------------------

fn trace_state_members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|member| trim(member).split_once('='))
}

/// Whether a key is allowed by Level 2 only: <https://www.w3.org/TR/trace-context-1/#key>.
pub(crate) fn has_level_2_key(text: &str) -> bool {
    trace_state_members(text).any(|(key, _)| !level_1(key))
}

fn level_1(key: &str) -> bool {
    let letter = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase());
    match key.split_once('@') {
        None => letter(key),
        Some((tenant, system)) => {
            (1..=241).contains(&tenant.len())
                && (1..=14).contains(&system.len())
                && letter(system)
                && !system.contains('@')
        }
    }
}

pub(crate) fn twice(text: &str) -> bool {
    let mut seen = BTreeSet::new();
    !trace_state_members(text).all(|(key, _)| seen.insert(key))
}

/// Whether every member of one tracestate is a member of another.
pub(crate) fn part_of(part: &str, whole: &str) -> bool {
    let whole: BTreeSet<_> = trace_state_members(whole).collect();
    trace_state_members(part).all(|member| whole.contains(&member))
}

/// Whether one tracestate has each key of another once, each with one of its values.
pub(crate) fn one_of_each(once: &str, whole: &str) -> bool {
    let keys = |text| trace_state_members(text).map(|(key, _)| key.to_owned()).collect::<BTreeSet<_>>();
    twice(whole) && !twice(once) && part_of(once, whole) && keys(once) == keys(whole)
}

// --- baggage ---------------------------------------------------------------------------------------------------

fn baggage_members<'a>(step: &Step<'a>) -> impl Iterator<Item = &'a str> {
    lines(step, "baggage").into_iter().flat_map(|line| line.split(','))
}

/// How many members were received, good and bad.
pub(crate) fn members(step: &Step<'_>) -> usize {
    baggage_members(step).count()
}

/// The last member with the key, as it was received.
pub(crate) fn raw_member<'a>(step: &Step<'a>, key: &str) -> Option<&'a str> {
    let has = |member: &&str| member.split(['=', ';']).next().is_some_and(|name| trim(name) == key);
    baggage_members(step).filter(has).last()
}

/// <https://www.rfc-editor.org/rfc/rfc7230#section-3.2.6>
pub(crate) fn token(text: &str) -> bool {
    let mark = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(mark)
}

fn value(raw: &str) -> &str {
    let pair = raw.split(';').next().unwrap_or(raw);
    pair.split_once('=').map_or("", |(_, value)| trim(value))
}

/// <https://www.w3.org/TR/baggage/#definition>
fn octets(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() && !"\",;\\".contains(c))
}

/// Whether the value holds nothing but baggage-octets.
pub(crate) fn baggage_octets(raw: &str) -> bool {
    octets(value(raw))
}

/// Whether the value has a `%` without two digits, or decodes to bytes that are not UTF-8.
pub(crate) fn bad_escape(raw: &str) -> bool {
    let value = value(raw);
    broken_percent(value) || percent_encoding::percent_decode_str(value).decode_utf8().is_err()
}

fn broken_percent(text: &str) -> bool {
    let escape = |rest: &str| rest.get(..2).is_some_and(|two| two.chars().all(|c| c.is_ascii_hexdigit()));
    text.split('%').skip(1).any(|rest| !escape(rest))
}

/// Whether one of the properties does not follow the grammar.
pub(crate) fn bad_property(raw: &str) -> bool {
    let good = |text: &str| match text.split_once('=') {
        Some((key, value)) => token(trim(key)) && octets(trim(value)) && !broken_percent(value),
        None => token(trim(text)),
    };
    raw.split(';').skip(1).any(|text| !good(text))
}

/// Whether the member's text is longer than so many bytes.
pub(crate) fn over(difference: &Difference, bytes: usize) -> bool {
    difference.expected.as_deref().is_some_and(|text| difference.key.len() + text.len() > bytes)
}

// --- b3 --------------------------------------------------------------------------------------------------------

/// Whether every sampling state that was received is one.
pub(crate) fn state_of(step: &Step<'_>) -> bool {
    let single = lines(step, "b3").iter().all(|value| {
        let state = if value.contains('-') { value.split('-').nth(2) } else { Some(*value) };
        state.is_none_or(|state| ["0", "1", "d"].contains(&state))
    });
    let known = |state: &&str| ["0", "1", "true", "false"].contains(&state.to_ascii_lowercase().as_str());
    single && lines(step, "x-b3-sampled").iter().all(known)
}
