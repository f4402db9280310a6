//! What the tests of the classes ask of the headers.

use crate::ledger::Step;
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
    text.split(',').filter_map(|member| member.trim().split_once('='))
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

/// Whether one of the members that were received with the key is of a kind.
pub(crate) fn received(step: &Step<'_>, key: &str, kind: impl Fn(&str) -> bool) -> bool {
    baggage_members(step).any(|member| has_key(member, key) && kind(member))
}

/// Whether a member has the key, as it is written or as its escapes read.
fn has_key(member: &str, key: &str) -> bool {
    let pair = member.split(';').next().and_then(|pair| pair.split_once('='));
    pair.is_some_and(|(name, _)| {
        let name = trim(name);
        name == key || percent_encoding::percent_decode_str(name).decode_utf8_lossy() == key
    })
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

/// Whether the value decodes to bytes that are not UTF-8.
pub(crate) fn not_utf_8(raw: &str) -> bool {
    percent_encoding::percent_decode_str(value(raw)).decode_utf8().is_err()
}

/// Whether the value has a `%` without two digits.
pub(crate) fn broken_escape(raw: &str) -> bool {
    broken_percent(value(raw))
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

/// Whether the key belongs to a member with whitespace, or a control character, other than spaces and tabs.
pub(crate) fn other_whitespace(step: &Step<'_>, key: &str) -> bool {
    let other = |c: char| (c.is_whitespace() || c.is_control()) && !" \t".contains(c);
    baggage_members(step).any(|member| member.contains(other) && member.trim_start().starts_with(key))
}

/// Whether the key belongs to a property with no member before it.
pub(crate) fn begins_with_property(step: &Step<'_>, key: &str) -> bool {
    let mut members = baggage_members(step);
    members.any(|member| match member.split_once('=') {
        Some((before, _)) => before.contains(';') && before.rsplit(';').any(|text| trim(text) == key),
        None => false,
    })
}

/// Whether two members with the key were received.
pub(crate) fn received_twice(step: &Step<'_>, key: &str) -> bool {
    baggage_members(step).filter(|member| has_key(member, key)).count() > 1
}

// --- b3 --------------------------------------------------------------------------------------------------------

/// The fields of the first single header.
fn single<'a>(step: &Step<'a>) -> Vec<&'a str> {
    lines(step, "b3").first().map(|value| value.split('-').collect()).unwrap_or_default()
}

/// Whether every sampling state that was received is one.
pub(crate) fn state_of(step: &Step<'_>) -> bool {
    let fields = single(step);
    let state = if fields.len() == 1 { fields.first() } else { fields.get(2) };
    let known = |state: &&str| ["0", "1", "true", "false"].contains(&state.to_ascii_lowercase().as_str());
    state.is_none_or(|state| ["0", "1", "d"].contains(state)) && lines(step, "x-b3-sampled").iter().all(known)
}

fn lower_hex(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// Whether a parent was received that is not 16 digits.
pub(crate) fn bad_parent(step: &Step<'_>) -> bool {
    let fields = single(step);
    let bad = |parent: &&str| parent.len() != 16 || !lower_hex(parent);
    fields.iter().skip(3).any(bad) || fields.len() > 4 || lines(step, "x-b3-parentspanid").iter().any(bad)
}

/// Whether an id is made of digits, but not of 32 or 16.
pub(crate) fn other_length(step: &Step<'_>) -> bool {
    let other = |id: &&str, lengths: &[usize]| lower_hex(id) && !lengths.contains(&id.len());
    lines(step, "x-b3-traceid").iter().any(|id| other(id, &[16, 32]))
        || lines(step, "x-b3-spanid").iter().any(|id| other(id, &[16]))
        || lines(step, "x-b3-parentspanid").iter().any(|id| other(id, &[16]))
        || single(step).first().is_some_and(|id| id.len() > 16 && !lengths_of_trace_id(id))
}

fn lengths_of_trace_id(id: &str) -> bool {
    [16, 32].contains(&id.len())
}

/// Whether an id is zeros alone.
pub(crate) fn zeros(step: &Step<'_>) -> bool {
    let zeros = |id: &&str| !id.is_empty() && id.chars().all(|c| c == '0');
    let single = single(step);
    let ids = [lines(step, "x-b3-traceid"), lines(step, "x-b3-spanid")].concat();
    single.len() > 1 && single.iter().take(2).any(zeros) || ids.iter().any(zeros)
}

/// Whether one of the ids has letters in upper case.
pub(crate) fn upper_case_id(step: &Step<'_>) -> bool {
    let upper = |text: &&str| text.contains(|c: char| ('A'..='F').contains(&c));
    let ids = [lines(step, "x-b3-traceid"), lines(step, "x-b3-spanid"), single(step)].concat();
    ids.iter().any(upper)
}

/// How long the ids at the beginning of a text are, both and the dash between them.
fn ids_at_start(text: &str) -> Option<usize> {
    let ids = |trace: usize| {
        let (first, rest) = (text.get(..trace)?, text.get(trace..)?);
        let second = rest.strip_prefix('-')?.get(..16)?;
        (lower_hex(first) && lower_hex(second)).then_some(trace + 17)
    };
    ids(32).or_else(|| ids(16))
}

/// Whether the single header has ids with something else in front of them or right behind them.
pub(crate) fn text_around(step: &Step<'_>) -> bool {
    let Some(value) = lines(step, "b3").into_iter().next() else { return false };
    let behind = |length: usize| value.get(length..).is_some_and(|rest| !rest.is_empty());
    match ids_at_start(value) {
        Some(length) => behind(length),
        None => value.char_indices().any(|(at, _)| value.get(at..).and_then(ids_at_start).is_some()),
    }
}

/// Whether the fields of the single header are as long as they should be, but not divided by dashes.
pub(crate) fn other_separator(step: &Step<'_>) -> bool {
    let Some(value) = lines(step, "b3").into_iter().next() else { return false };
    let behind = ids_at_start(value).and_then(|length| value.get(length..));
    behind.is_some_and(|rest| !rest.starts_with('-') || rest.get(2..3).is_some_and(|mark| mark != "-"))
}

/// Whether the third field of the single header is a parent.
pub(crate) fn parent_without_state(step: &Step<'_>) -> bool {
    let fields = single(step);
    fields.len() == 3 && fields.last().is_some_and(|parent| parent.len() == 16)
}

/// Whether a parent of zeros was received.
pub(crate) fn zero_parent(step: &Step<'_>) -> bool {
    let zeros = |parent: &&str| *parent == "0000000000000000";
    single(step).iter().skip(2).any(zeros) || lines(step, "x-b3-parentspanid").iter().any(zeros)
}
