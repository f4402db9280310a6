//! The classes of differences in X-Ray's header.

use super::{Class, SDKS, Whose, are_ids, hex, lines, read, trim_more};
use crate::{
    ledger::Step,
    peer::Kind::{Go, Java, JavaScript, Python},
    protocol::{
        Format,
        Sampling::{Defer, Deny},
    },
    reading::{Difference, Field},
};
use otel_propagator_core::header::trim;

const XRAY: &[Format] = &[Format::Xray];
const TRACING_HEADER: &str =
    "https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader";

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "the first of two X-Amzn-Trace-Id",
        whose: Whose::Open,
        rule: "of a header that may come once nothing is said where it comes twice; which one is meant nobody can say",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.3",
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            read(step)
                && d.expected.is_none()
                && lines(step, "x-amzn-trace-id").len() > 1
                && has_the_ids(step, d)
        },
    },
    Class {
        name: "a Root without a Parent is forgotten",
        whose: Whose::Theirs,
        rule: "Root is the trace, and Sampled the decision, where a load balancer adds the header and there is no segment",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::More, Field::Sampling],
        test: |step, _| {
            let nothing = step.found.more.is_empty() && step.found.sampling.is_none();
            read(step) && step.expected.ids.is_none() && nothing
        },
    },
    Class {
        name: "no Lineage",
        whose: Whose::Open,
        rule: "Lineage is appended by Lambda and other services of AWS",
        source: TRACING_HEADER,
        issue: Some("https://github.com/open-telemetry/opentelemetry-go-contrib/pull/6699"),
        peers: &[Python, JavaScript, Go],
        formats: XRAY,
        fields: &[Field::More],
        test: |step, _| {
            read(step)
                && step.found.more.is_empty()
                && step.headers.iter().any(|(_, value)| value.contains("Lineage"))
        },
    },
    Class {
        name: "Lineage is kept as baggage",
        whose: Whose::Open,
        rule: "Lineage is appended by Lambda and other services of AWS",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Java],
        formats: XRAY,
        fields: &[Field::Member],
        test: |step, d| {
            let theirs = if read(step) { &d.found } else { &d.expected };
            let lineage = theirs.as_deref().and_then(|text| text.strip_suffix(';')).unwrap_or("none");
            let same = xray(step).contains(&format!("Lineage={lineage}"));
            d.key == "Lineage" && same && (read(step) || d.found.is_none())
        },
    },
    Class {
        name: "a decision that is missing is a no",
        whose: Whose::Theirs,
        rule: "Sampled is ? or missing where the decision is left to whoever receives it",
        source: TRACING_HEADER,
        issue: Some("https://github.com/open-telemetry/opentelemetry-rust-contrib/issues/522"),
        peers: SDKS,
        formats: &[Format::Xray, Format::OtTrace],
        fields: &[Field::Sampling],
        test: |step, _| {
            read(step) && (step.expected.sampling, step.found.sampling) == (Some(Defer), Some(Deny))
        },
    },
    Class {
        name: "a decision that is missing or unknown costs the trace",
        whose: Whose::Theirs,
        rule: "Sampled is ? or missing where the decision is left to whoever receives it",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_none() && step.expected.sampling == Some(Defer),
    },
    Class {
        name: "spaces between the pairs of X-Amzn-Trace-Id",
        whose: Whose::Theirs,
        rule: "pairs of keys and values with semicolons between them; AWS's own SDKs take spaces off",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Go],
        formats: XRAY,
        fields: &[Field::Ids, Field::Flags, Field::Sampling],
        test: |step, d| {
            let spaced = xray(step).split(';').any(|pair| pair.split('=').any(|text| trim(text) != text));
            let less = d.found.is_none() || (d.field != Field::Ids && step.found.sampling == Some(Deny));
            read(step) && spaced && less
        },
    },
    Class {
        name: "spaces behind the equals sign of X-Amzn-Trace-Id",
        whose: Whose::Theirs,
        rule: "pairs of keys and values with semicolons between them; AWS's own SDKs take spaces off",
        source: TRACING_HEADER,
        issue: None,
        peers: &[JavaScript, Java],
        formats: XRAY,
        fields: &[Field::Ids, Field::More],
        test: |step, d| {
            let spaced = pairs(step).any(|(_, value)| value.trim_start_matches([' ', '\t']) != value);
            read(step) && spaced && d.found.as_ref().is_none_or(String::is_empty)
        },
    },
    Class {
        name: "whitespace and control characters of other kinds around values of X-Amzn-Trace-Id",
        whose: Whose::Theirs,
        rule: "Sampled is 0, 1 or ?; where it is another text, the decision is left to whoever receives it",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Flags, Field::Sampling],
        test: |step, _| {
            let more = pairs(step).any(|(_, value)| trim_more(value) != trim(value));
            read(step) && more && step.expected.sampling == Some(Defer)
        },
    },
    Class {
        name: "Lineage out of a key that only begins so",
        whose: Whose::Theirs,
        rule: "Lineage is appended by Lambda and other services of AWS",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Java],
        formats: XRAY,
        fields: &[Field::More, Field::Member],
        test: |step, d| {
            let begins =
                pairs(step).any(|(key, _)| trim(key).starts_with("Lineage") && trim(key) != "Lineage");
            begins && (d.field == Field::More || d.key == "Lineage")
        },
    },
    Class {
        name: "a pair that is none costs the trace",
        whose: Whose::Theirs,
        rule: "what is no key of X-Ray's is for others",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Python, Go, Java],
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            let odd = xray(step).split(';').any(|pair| pair.matches('=').count() != 1);
            read(step) && d.found.is_none() && odd
        },
    },
    Class {
        name: "the last of two Roots",
        whose: Whose::Open,
        rule: "each key once; which of two values is meant nobody can say",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            let roots = xray(step).split(';').filter(|pair| trim(pair).starts_with("Root")).count();
            read(step) && d.expected.is_none() && roots > 1 && has_the_ids(step, d)
        },
    },
    Class {
        name: "keys of X-Amzn-Trace-Id that only begin so",
        whose: Whose::Theirs,
        rule: "the keys are Root, Parent and Sampled",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids, Field::Flags, Field::Sampling],
        test: |step, d| {
            let other = |pair: &str| {
                let key = pair.split('=').next().map(trim).unwrap_or_default();
                let begins = key.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
                ["Root", "Parent", "Sampled"].iter().any(|known| begins.starts_with(known) && key != *known)
            };
            let found = d.field != Field::Ids || d.found.is_none() || has_the_ids(step, d);
            read(step) && found && xray(step).split(';').any(other)
        },
    },
    Class {
        name: "ids of X-Amzn-Trace-Id that are none",
        whose: Whose::Theirs,
        rule: "ids are lower-case hexadecimal digits, 8, 24 and 16 of them, and a version of 1",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            let good = |pair: &str| {
                let (key, value) = pair.split_once('=').unwrap_or_default();
                let fields: Vec<_> = trim(value).split('-').collect();
                match (trim(key), fields.as_slice()) {
                    ("Root", [version, time, random]) => {
                        *version == "1" && lower_hex(time, 8) && lower_hex(random, 24)
                    }
                    ("Parent", [id]) => lower_hex(id, 16),
                    ("Root" | "Parent", _) => false,
                    _ => true,
                }
            };
            let bad = !xray(step).split(';').all(good);
            let upper = d.expected.as_ref().is_some_and(|ids| *ids != ids.to_ascii_lowercase());
            if read(step) {
                d.expected.is_none() && d.found.is_some() && bad
            } else {
                d.found.is_none() && upper
            }
        },
    },
];

fn xray<'a>(step: &Step<'a>) -> &'a str {
    lines(step, "x-amzn-trace-id").first().copied().unwrap_or_default()
}

/// The keys and values of the header.
fn pairs<'a>(step: &Step<'a>) -> impl DoubleEndedIterator<Item = (&'a str, &'a str)> {
    xray(step).split(';').filter_map(|pair| pair.split_once('='))
}

fn lower_hex(text: &str, width: usize) -> bool {
    hex(text, width, width) && !text.contains(|c: char| c.is_ascii_uppercase())
}

/// The peer found the ids that stand in the header's places for ids, the last of several, and no others.
fn has_the_ids(step: &Step<'_>, difference: &Difference) -> bool {
    let last = |key: &str| {
        let begins =
            |k: &str| k.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).starts_with(key);
        pairs(step).rev().find(|(k, _)| begins(k)).map(|(_, value)| trim(value)).unwrap_or_default()
    };
    are_ids(difference, &last("Root").trim_start_matches("1-").replace('-', ""), last("Parent"))
}
