//! The classes of differences in OT Trace's headers.

use super::{Class, SDKS, Whose, are_ids, lines, raw_value, read};
use crate::{
    ledger::Step,
    peer::Kind::{Go, Java, JavaScript, Ours, Python},
    protocol::{
        Format,
        Sampling::{Accept, Deny},
    },
    reading::{Difference, Field},
};
use otel_propagator_core::header::trim;
use percent_encoding::percent_decode_str;

const OT_TRACE: &[Format] = &[Format::OtTrace];
const OT: &str = "https://github.com/open-telemetry/opentelemetry-go-contrib/tree/main/propagators/ot";
const MEMBER: &[Field] = &[Field::Member, Field::Value];
const DECISION: &[Field] = &[Field::Flags, Field::Sampling];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "the upper half of a trace id is cut off",
        whose: Whose::Open,
        rule: "ot-tracer-traceid has 16 digits where it is sent",
        source: OT,
        issue: None,
        peers: &[Python, JavaScript, Go, Java, Ours],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let half = |ids: &String| ids.get(16..).map(str::to_owned);
            let lower = d.expected.as_ref().and_then(half);
            !read(step) && lower.is_some() && d.found == lower.map(|half| format!("{:0>16}{half}", ""))
        },
    },
    Class {
        name: "ids of ot-tracer-* without their zeros",
        whose: Whose::Open,
        rule: "clients write numbers without zeros in front; of the width nothing is said",
        source: OT,
        issue: None,
        peers: &[JavaScript, Go, Java],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let short = |name, width| lines(step, name).first().is_some_and(|id| trim(id).len() < width);
            read(step)
                && d.found.is_none()
                && (short("ot-tracer-traceid", 16) || short("ot-tracer-spanid", 16))
        },
    },
    Class {
        name: "trace ids of 17 to 31 digits",
        whose: Whose::Theirs,
        rule: "a trace id has 64 or 128 bits",
        source: OT,
        issue: None,
        peers: &[Python, Java],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let between =
                lines(step, "ot-tracer-traceid").first().is_some_and(|id| (17..32).contains(&id.len()));
            let cut = || {
                let half = |ids: &String| ids.get(16..).map(|half| format!("{:0>16}{half}", ""));
                d.expected.as_ref().and_then(half) == d.found
            };
            between && if read(step) { d.expected.is_none() && has_the_ids(step, d) } else { cut() }
        },
    },
    Class {
        name: "upper-case ids in ot-tracer-*",
        whose: Whose::Theirs,
        rule: "ids are lower-case hexadecimal digits in every text of OpenTelemetry's",
        source: "https://opentelemetry.io/docs/specs/otel/trace/api/#retrieving-the-traceid-and-spanid",
        issue: None,
        peers: &[JavaScript],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let theirs = if read(step) { &d.found } else { &d.expected };
            let upper = theirs.as_ref().is_some_and(|ids| *ids != ids.to_ascii_lowercase());
            upper && if read(step) { d.expected.is_none() && has_the_ids(step, d) } else { d.found.is_none() }
        },
    },
    Class {
        name: "only true is sampled",
        whose: Whose::Open,
        rule: "true and false are written; 1, 0 and other cases of the letters are read by some",
        source: OT,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: OT_TRACE,
        fields: DECISION,
        test: |step, _| {
            let word = lines(step, "ot-tracer-sampled").first().is_some_and(|word| trim(word) != "true");
            read(step) && word && step.expected.sampling == Some(Accept) && step.found.sampling == Some(Deny)
        },
    },
    Class {
        name: "an unknown word is not sampled",
        whose: Whose::Open,
        rule: "true and false are written; what to make of another word is not said",
        source: OT,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let known = |word: &&str| {
                ["", "0", "1", "false", "true"].contains(&trim(word).to_ascii_lowercase().as_str())
            };
            let unknown = lines(step, "ot-tracer-sampled").first().is_some_and(|word| !known(word));
            read(step) && d.expected.is_none() && unknown && step.found.flags == 0 && has_the_ids(step, d)
        },
    },
    Class {
        name: "spaces around a value of ot-baggage-*",
        whose: Whose::Open,
        rule: "a field value does not include leading or trailing whitespace, so it cannot be carried",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
        issue: None,
        peers: SDKS,
        formats: OT_TRACE,
        fields: MEMBER,
        test: |step, d| {
            let value = if read(step) { step.found } else { step.expected }.baggage.get(&d.key);
            let spaced = value.is_some_and(|(value, _)| value.trim_matches([' ', '\t']) != value);
            if read(step) { d.expected.is_none() && spaced } else { d.found.is_none() && spaced }
        },
    },
    Class {
        name: "values of ot-baggage-* that no header can hold",
        whose: Whose::Theirs,
        rule: "field values are visible ASCII with spaces and tabs between",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
        issue: None,
        peers: SDKS,
        formats: OT_TRACE,
        fields: MEMBER,
        test: |step, d| {
            let value = if read(step) { step.found } else { step.expected }.baggage.get(&d.key);
            let odd = value.is_some_and(|(value, _)| value.chars().any(|c| !(' '..='~').contains(&c)));
            odd && if read(step) { d.expected.is_none() } else { d.found.is_none() }
        },
    },
    Class {
        name: "ot-baggage-* with an empty value, or a dash in its name, is not sent",
        whose: Whose::Theirs,
        rule: "header names are tokens, and a value may be empty",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.1",
        issue: None,
        peers: &[Python],
        formats: OT_TRACE,
        fields: &[Field::Member],
        test: |step, d| {
            let empty = step.expected.baggage.get(&d.key).is_some_and(|(value, _)| value.is_empty());
            !read(step) && d.found.is_none() && (empty || d.key.contains('-'))
        },
    },
    Class {
        name: "values of ot-baggage-* as members of W3C Baggage",
        whose: Whose::Theirs,
        rule: "the value is carried as it is",
        source: OT,
        issue: None,
        peers: &[Go],
        formats: OT_TRACE,
        fields: MEMBER,
        test: |step, d| {
            let Some(raw) = raw_value(step, "ot-baggage-", &d.key) else { return false };
            let octets = raw.chars().all(|c| c.is_ascii_graphic() && !"\",;\\".contains(c));
            let found = step.found.baggage.get(&d.key).map(|(value, _)| value.as_str());
            let decoded = percent_decode_str(raw).decode_utf8_lossy();
            read(step)
                && if octets {
                    found == Some(&decoded) || found.is_none() && raw.contains('%')
                } else {
                    found.is_none()
                }
        },
    },
];

/// The peer found the ids that stand in the first headers of each name, and no others.
fn has_the_ids(step: &Step<'_>, difference: &Difference) -> bool {
    let first = |name| lines(step, name).first().map(|line| trim(line)).unwrap_or_default();
    are_ids(difference, first("ot-tracer-traceid"), first("ot-tracer-spanid"))
}
