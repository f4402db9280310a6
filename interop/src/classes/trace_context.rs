//! The classes of differences in traceparent and tracestate.

use super::{Class, SDKS, Whose, lines, read, trim_more};
use crate::{
    ledger::Step,
    peer::Kind::{Go, Java, JavaScript, Python},
    protocol::Format,
    reading::Field,
};
use otel_propagator_core::header::trim;
use std::collections::BTreeSet;

const TRACE_CONTEXT: &[Format] = &[Format::TraceContext];
const FLAGS: &str = "https://www.w3.org/TR/trace-context-2/#trace-flags";
const OTHER_FLAGS: &str = "https://www.w3.org/TR/trace-context-2/#other-flags";
const VERSION_FORMAT: &str = "https://www.w3.org/TR/trace-context-2/#version-format";
const TRACE_STATE: &str = "https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values";
const KEY: &str = "https://www.w3.org/TR/trace-context-2/#key";
const RECEIVED: &str = "https://www.w3.org/TR/trace-context-2/#a-traceparent-is-received";
const TRACE_TESTS: &str = "https://github.com/w3c/trace-context/blob/main/test/test.py";

pub(super) const CLASSES: &[Class] = &[
    // --- traceparent ---
    Class {
        name: "the first of two traceparents",
        whose: Whose::Theirs,
        rule: "a request with two traceparent headers starts a new trace (test_traceparent_duplicated)",
        source: TRACE_TESTS,
        issue: Some("https://github.com/open-telemetry/opentelemetry-specification/issues/1870"),
        peers: SDKS,
        formats: TRACE_CONTEXT,
        fields: &[Field::Ids],
        test: |step, d| {
            let first =
                parent(step).and_then(|text| Some(format!("{}-{}", text.get(3..35)?, text.get(36..52)?)));
            read(step) && d.expected.is_none() && lines(step, "traceparent").len() > 1 && d.found == first
        },
    },
    Class {
        name: "whitespace beyond ASCII around a traceparent",
        whose: Whose::Theirs,
        rule: "version-format = trace-id \"-\" parent-id \"-\" trace-flags, and nothing around them",
        source: VERSION_FORMAT,
        issue: None,
        peers: &[JavaScript],
        formats: TRACE_CONTEXT,
        fields: &[Field::Ids],
        test: |step, d| {
            let more = parent(step).is_some_and(|text| trim_more(text) != trim(text));
            read(step) && d.expected.is_none() && more
        },
    },
    Class {
        name: "flags without a meaning are kept",
        whose: Whose::Theirs,
        rule: "the behavior of other flags is reserved for future use; vendors MUST set those to zero",
        source: OTHER_FLAGS,
        issue: Some("https://github.com/w3c/trace-context/issues/573"),
        peers: &[Python, JavaScript, Java],
        formats: TRACE_CONTEXT,
        fields: &[Field::Flags],
        test: |step, _| {
            let (fewer, more) =
                if read(step) { (step.expected, step.found) } else { (step.found, step.expected) };
            fewer.flags == more.flags & 3
        },
    },
    Class {
        name: "flags of three digits",
        whose: Whose::Theirs,
        rule: "trace-flags = 2HEXDIGLC; flags from 10 on are written with three digits",
        source: VERSION_FORMAT,
        issue: None,
        peers: &[JavaScript],
        formats: TRACE_CONTEXT,
        fields: &[Field::Ids],
        test: |step, d| !read(step) && d.found.is_none() && step.expected.flags > 15,
    },
    Class {
        name: "flags without a meaning refuse the trace",
        whose: Whose::Theirs,
        rule: "the flags are a bit field; a common mistake is a comparison of the whole number",
        source: FLAGS,
        issue: Some("https://github.com/open-telemetry/opentelemetry-go/pull/7398"),
        peers: &[Go],
        formats: TRACE_CONTEXT,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_none() && parent(step).is_some_and(|text| flags(text) > 3),
    },
    Class {
        name: "a dash after the flags",
        whose: Whose::Theirs,
        rule: "version-format = trace-id \"-\" parent-id \"-\" trace-flags, and nothing after them in version 00",
        source: VERSION_FORMAT,
        issue: None,
        peers: &[Go],
        formats: TRACE_CONTEXT,
        fields: &[Field::Ids],
        test: |step, d| {
            read(step)
                && d.expected.is_none()
                && parent(step).is_some_and(|text| text.len() == 56 && text.ends_with('-'))
        },
    },
    // --- tracestate ---
    Class {
        name: "the first line of tracestate",
        whose: Whose::Theirs,
        rule: "multiple tracestate header fields MUST be combined into a single header",
        source: TRACE_STATE,
        issue: Some("https://github.com/open-telemetry/opentelemetry-specification/issues/433"),
        peers: &[Go, Java],
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| {
            let lines = lines(step, "tracestate");
            let first = lines.first().copied().unwrap_or_default();
            read(step) && lines.len() > 1 && part_of(&step.found.tracestate, first)
        },
    },
    Class {
        name: "tracestate keys of Level 1",
        whose: Whose::Theirs,
        rule: "key = ( lcalpha / DIGIT ) 0*255 ( keychar ), where \"@\" is a keychar",
        source: KEY,
        issue: Some("https://github.com/w3c/trace-context/pull/386"),
        peers: SDKS,
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| {
            read(step)
                && has_level_2_key(&step.expected.tracestate)
                && part_of(&step.found.tracestate, &step.expected.tracestate)
        },
    },
    Class {
        name: "a tracestate key twice: nothing is kept",
        whose: Whose::Theirs,
        rule: "duplicated keys are kept as they are or one of them is discarded (test_tracestate_duplicated_keys)",
        source: TRACE_TESTS,
        issue: None,
        peers: &[Python, Go, Java],
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| read(step) && step.found.tracestate.is_empty() && twice(&step.expected.tracestate),
    },
    Class {
        name: "a tracestate key twice: one is kept",
        whose: Whose::Open,
        rule: "vendors MAY also discard duplicate keys that were not generated by them",
        source: "https://www.w3.org/TR/trace-context-2/#mutating-the-tracestate-field",
        issue: None,
        peers: &[JavaScript],
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| read(step) && one_of_each(&step.found.tracestate, &step.expected.tracestate),
    },
    Class {
        name: "more than 512 characters of tracestate",
        whose: Whose::Open,
        rule: "vendors SHOULD propagate at least 512 characters of a combined header",
        source: "https://www.w3.org/TR/trace-context-2/#tracestate-limits",
        issue: None,
        peers: &[JavaScript],
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| {
            read(step)
                && step.expected.tracestate.len() > 512
                && part_of(&step.found.tracestate, &step.expected.tracestate)
        },
    },
    Class {
        name: "a broken tracestate is kept in part",
        whose: Whose::Open,
        rule: "the vendor MAY discard the entire header; invalid tracestate entries MAY also be discarded",
        source: RECEIVED,
        issue: None,
        peers: &[JavaScript],
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| {
            read(step)
                && step.expected.tracestate.is_empty()
                && part_of(&step.found.tracestate, &lines(step, "tracestate").join(","))
        },
    },
    Class {
        name: "a tracestate member of whitespace",
        whose: Whose::Theirs,
        rule: "list-member = (key \"=\" value) / OWS",
        source: TRACE_STATE,
        issue: None,
        peers: &[Go],
        formats: TRACE_CONTEXT,
        fields: &[Field::TraceState],
        test: |step, _| {
            let blank = |member: &str| !member.is_empty() && trim(member).is_empty();
            read(step)
                && step.found.tracestate.is_empty()
                && lines(step, "tracestate").iter().any(|line| line.split(',').any(blank))
        },
    },
];

/// The only, or first, traceparent.
fn parent<'a>(step: &Step<'a>) -> Option<&'a str> {
    lines(step, "traceparent").first().map(|line| trim(line))
}

fn flags(traceparent: &str) -> u8 {
    traceparent.get(53..55).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

fn trace_state_members(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|member| member.trim().split_once('='))
}

/// Whether a key is allowed by Level 2 only: <https://www.w3.org/TR/trace-context-1/#key>.
fn has_level_2_key(text: &str) -> bool {
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

fn twice(text: &str) -> bool {
    let mut seen = BTreeSet::new();
    !trace_state_members(text).all(|(key, _)| seen.insert(key))
}

/// Whether every member of one tracestate is a member of another.
fn part_of(part: &str, whole: &str) -> bool {
    let whole: BTreeSet<_> = trace_state_members(whole).collect();
    trace_state_members(part).all(|member| whole.contains(&member))
}

/// Whether one tracestate has each key of another once, each with one of its values.
fn one_of_each(once: &str, whole: &str) -> bool {
    let keys = |text| trace_state_members(text).map(|(key, _)| key.to_owned()).collect::<BTreeSet<_>>();
    twice(whole) && !twice(once) && part_of(once, whole) && keys(once) == keys(whole)
}
