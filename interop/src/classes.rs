//! The classes of differences: each with the rule that decides it, whose it is, and the test that tells it.

mod b3;
mod baggage;
mod jaeger;
mod ottrace;
mod trace_context;
mod xray;

use crate::{
    ledger::{Half, Step},
    peer::Kind::{self, Go, Java, JavaScript, Python},
    protocol::{Format, Sampling},
    reading::{Difference, Field},
};

/// Who would have to change for the difference to go away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Theirs,
    Ours,
    /// The specification allows both.
    Open,
}

impl Whose {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Theirs => "theirs",
            Self::Ours => "ours",
            Self::Open => "left open",
        }
    }
}

/// A kind of difference.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) whose: Whose,
    pub(crate) rule: &'static str,
    pub(crate) source: &'static str,
    /// Where the peer's project, or the specification's, has it on record.
    pub(crate) issue: Option<&'static str>,
    peers: &'static [Kind],
    formats: &'static [Format],
    fields: &'static [Field],
    test: fn(&Step<'_>, &Difference) -> bool,
}

impl Class {
    pub(crate) fn covers(&self, step: &Step<'_>, difference: &Difference) -> bool {
        self.peers.contains(&step.peer)
            && self.formats.contains(&step.format)
            && self.fields.contains(&difference.field)
            && (self.test)(step, difference)
    }
}

/// All classes, in the order in which a difference is tried on them.
pub(crate) fn all() -> impl Iterator<Item = &'static Class> {
    [
        trace_context::CLASSES,
        baggage::CLASSES,
        b3::CLASSES,
        jaeger::CLASSES,
        xray::CLASSES,
        ottrace::CLASSES,
        COMMON,
    ]
    .into_iter()
    .flatten()
}

const SDKS: &[Kind] = &[Python, JavaScript, Go, Java];
const PEERS: &[Kind] = &Kind::ALL;

const FIELD_VALUE: &str = "https://www.rfc-editor.org/rfc/rfc9110#section-5.5";

const COMMON: &[Class] = &[Class {
    name: "whitespace around a value",
    whose: Whose::Open,
    rule: "a field value does not include leading or trailing whitespace; HTTP carriers have removed it already",
    source: FIELD_VALUE,
    issue: None,
    peers: PEERS,
    formats: &[
        Format::TraceContext,
        Format::B3,
        Format::B3Multi,
        Format::Jaeger,
        Format::Xray,
        Format::OtTrace,
    ],
    fields: &[Field::Ids, Field::Sampling, Field::Flags],
    test: padded,
}];

/// A header that is one value has whitespace at an end; we read what is between, the peer nothing or another state.
fn padded(step: &Step<'_>, _: &Difference) -> bool {
    let padded = step.headers.iter().any(|(name, value)| name != "tracestate" && value.trim() != value);
    let ours = step.expected.ids.is_some() || step.expected.sampling.is_some();
    let theirs = step.found.ids.is_some() && step.found.ids == step.expected.ids;
    let state = matches!(step.found.sampling, Some(Sampling::Accept | Sampling::Debug))
        && step.found.sampling == step.expected.sampling;
    read(step) && padded && ours && !(theirs && state)
}

/// The peer read; else it sent.
fn read(step: &Step<'_>) -> bool {
    step.half == Half::Reads
}

/// The lines of a header, in their order.
fn lines<'a>(step: &Step<'a>, name: &str) -> Vec<&'a str> {
    step.headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
        .collect()
}

/// Without what other languages take for whitespace at the ends of a text: more than the spaces and tabs that headers know.
fn trim_more(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control() || c == '\u{feff}')
}

/// The first value of a header whose name ends in the key.
fn raw_value<'a>(step: &Step<'a>, prefix: &str, key: &str) -> Option<&'a str> {
    lines(step, &format!("{prefix}{key}")).first().copied()
}

/// The peer found these ids, padded to their widths.
fn are_ids(difference: &Difference, trace: &str, span: &str) -> bool {
    lower(difference.found.as_deref()) == Some(format!("{trace:0>32}-{span:0>16}").to_ascii_lowercase())
}

fn lower(text: Option<&str>) -> Option<String> {
    text.map(str::to_ascii_lowercase)
}

fn hex(text: &str, fewest: usize, most: usize) -> bool {
    (fewest..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const README: &str = include_str!("../README.md");

    /// A class as the table of the README has it.
    fn row(class: &Class) -> String {
        let peers: Vec<_> = class.peers.iter().map(|peer| peer.name()).collect();
        let issue = class.issue.map_or(String::new(), |issue| format!("; {issue}"));
        let (name, whose, rule, source) = (class.name, class.whose.name(), class.rule, class.source);
        format!("| {name} | {} | {whose} | {rule} ({source}){issue} |\n", peers.join(", "))
    }

    #[test]
    fn every_class_has_a_name_of_its_own_and_is_in_the_readme() {
        let names: BTreeSet<_> = all().map(|class| class.name).collect();
        assert_eq!(names.len(), all().count());
        let rows: String = all().map(row).collect();
        assert!(README.contains(&rows), "the table of classes is to be:\n{rows}");
    }
}
