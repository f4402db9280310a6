//! The classes of differences: each with the rule that decides it, whose it is, and the test that tells it.

use crate::{
    grammar::{
        bad_escape, bad_property, baggage_octets, has_level_2_key, lines, members, one_of_each, over,
        part_of, raw_member, state_of, token, twice,
    },
    ledger::{Half, Step},
    peer::Kind::{self, Brave, Go, Java, JavaScript, Python},
    protocol::{Format, Sampling},
    reading::{Difference, Field},
};
use otel_propagator_core::header::trim;

/// Who would have to change for the difference to go away.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Theirs,
    /// The specification allows both.
    Open,
}

impl Whose {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Theirs => "theirs",
            Self::Open => "left open by the specification",
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

const TRACE_CONTEXT: &[Format] = &[Format::TraceContext];
const BAGGAGE: &[Format] = &[Format::Baggage];
const B3: &[Format] = &[Format::B3, Format::B3Multi];
const SDKS: &[Kind] = &[Python, JavaScript, Go, Java];

const FLAGS: &str = "https://www.w3.org/TR/trace-context-2/#trace-flags";
const OTHER_FLAGS: &str = "https://www.w3.org/TR/trace-context-2/#other-flags";
const VERSION_FORMAT: &str = "https://www.w3.org/TR/trace-context-2/#version-format";
const TRACE_STATE: &str = "https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values";
const KEY: &str = "https://www.w3.org/TR/trace-context-2/#key";
const TRACE_TESTS: &str = "https://github.com/w3c/trace-context/blob/main/test/test.py";
const FIELD_VALUE: &str = "https://www.rfc-editor.org/rfc/rfc9110#section-5.5";
const BAGGAGE_DEFINITION: &str = "https://www.w3.org/TR/baggage/#definition";
const BAGGAGE_HEADERS: &str = "https://www.w3.org/TR/baggage/#baggage-http-header-format";
const BAGGAGE_KEY: &str = "https://www.w3.org/TR/baggage/#key";
const BAGGAGE_VALUE: &str = "https://www.w3.org/TR/baggage/#value";
const BAGGAGE_PROPERTY: &str = "https://www.w3.org/TR/baggage/#property";
const BAGGAGE_LIMITS: &str = "https://www.w3.org/TR/baggage/#limits";
const BAGGAGE_MUTATING: &str = "https://www.w3.org/TR/baggage/#mutating-baggage";
const B3_STATE: &str = "https://github.com/openzipkin/b3-propagation#sampling-state";
const B3_SINGLE: &str = "https://github.com/openzipkin/b3-propagation#single-header";
const B3_MULTI: &str = "https://github.com/openzipkin/b3-propagation#multiple-headers";
const B3_OTEL: &str = "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-extract";

pub(crate) const CLASSES: &[Class] = &[
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
        test: |step, d| read(step) && d.expected.is_none() && lines(step, "traceparent").len() > 1,
    },
    Class {
        name: "flags without a meaning are kept",
        whose: Whose::Theirs,
        rule: "the behavior of other flags is reserved for future use; vendors MUST set those to zero",
        source: OTHER_FLAGS,
        issue: Some("https://github.com/open-telemetry/opentelemetry-specification/pull/3924"),
        peers: &[Python, JavaScript, Java],
        formats: TRACE_CONTEXT,
        fields: &[Field::Flags],
        test: |step, _| step.expected.flags & 3 == step.found.flags & 3,
    },
    Class {
        name: "flags of three digits",
        whose: Whose::Theirs,
        rule: "trace-flags = 2HEXDIGLC; a received flag from 10 on is written as three digits",
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
    Class {
        name: "whitespace around a value",
        whose: Whose::Open,
        rule: "a field value does not include leading or trailing whitespace; HTTP carriers have removed it already",
        source: FIELD_VALUE,
        issue: None,
        peers: &[Python, JavaScript, Go, Java, Brave],
        formats: &[Format::TraceContext, Format::B3, Format::B3Multi],
        fields: &[Field::Ids, Field::Sampling, Field::Flags],
        test: |step, _| {
            read(step)
                && step.headers.iter().any(|(name, value)| name != "tracestate" && value.trim() != value)
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
        test: |step, _| read(step) && lines(step, "tracestate").len() > 1,
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
        whose: Whose::Theirs,
        rule: "a tracestate with an invalid member or more than 32 is discarded (test_tracestate_member_count_limit)",
        source: TRACE_TESTS,
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
    // --- baggage: lines and limits ---
    Class {
        name: "the first line of baggage",
        whose: Whose::Theirs,
        rule: "multiple baggage headers are allowed; values can be combined in a single header",
        source: BAGGAGE_HEADERS,
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Member, Field::Value, Field::Metadata],
        test: |step, _| read(step) && lines(step, "baggage").len() > 1,
    },
    Class {
        name: "no member over 4096 bytes",
        whose: Whose::Theirs,
        rule: "a platform MUST propagate all list-members where they are 64 or less and 8192 bytes or less",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: &[Python, JavaScript],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |_, d| d.found.is_none() && over(d, 4096),
    },
    Class {
        name: "more members than 64",
        whose: Whose::Open,
        rule: "an implementor MAY define higher limits than 64 members",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: &[Python, JavaScript],
        formats: BAGGAGE,
        fields: &[Field::Member, Field::Value, Field::Metadata],
        test: |step, _| step.expected.baggage.len().max(step.found.baggage.len()) > 64 || members(step) > 64,
    },
    Class {
        name: "what is left out over 8192 bytes",
        whose: Whose::Open,
        rule: "over 8192 bytes a platform MAY drop list-members; which of them is left to the implementer",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, _| lines(step, "baggage").join(",").len() > 8192,
    },
    // --- baggage: keys ---
    Class {
        name: "keys are percent-coded",
        whose: Whose::Theirs,
        rule: "a key is a token; only values are percent-coded",
        source: BAGGAGE_KEY,
        issue: Some("https://github.com/w3c/baggage/issues/131"),
        peers: &[Python, JavaScript],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| coded_key(step, d),
    },
    Class {
        name: "keys that are no tokens",
        whose: Whose::Theirs,
        rule: "key = token",
        source: BAGGAGE_KEY,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| !token(&d.key) && if read(step) { d.expected.is_none() } else { d.found.is_none() },
    },
    // --- baggage: values ---
    Class {
        name: "no member with an empty value",
        whose: Whose::Theirs,
        rule: "value = *baggage-octet",
        source: BAGGAGE_DEFINITION,
        issue: Some("https://github.com/open-telemetry/opentelemetry-js/issues/6138"),
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |_, d| d.found.is_none() && d.expected.as_deref().is_some_and(|text| text.starts_with(';')),
    },
    Class {
        name: "whitespace is taken off after decoding",
        whose: Whose::Theirs,
        rule: "leading and trailing OWS is no part of the value; an escaped space is",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |step, d| {
            read(step)
                && pair(d).is_some_and(|(expected, found)| expected != found && expected.trim() == found)
        },
    },
    Class {
        name: "form encoding: a plus is a space",
        whose: Whose::Theirs,
        rule: "percent-encoding is RFC 3986's; \"+\" (%x2B) is a baggage-octet that stands for itself",
        source: BAGGAGE_VALUE,
        issue: Some("https://github.com/open-telemetry/opentelemetry-python/issues/5566"),
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |_, d| pair(d).is_some_and(|(expected, found)| spaced(expected).trim() == spaced(found).trim()),
    },
    Class {
        name: "properties become part of the value",
        whose: Whose::Theirs,
        rule: "list-member = key OWS \"=\" OWS value *( OWS \";\" OWS property )",
        source: BAGGAGE_PROPERTY,
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |step, d| {
            read(step)
                && pair(d).is_some_and(|(expected, found)| {
                    let value = spaced(expected);
                    let rest =
                        found.strip_prefix(value.trim_start()).or_else(|| found.strip_prefix(value.trim()));
                    rest.is_some_and(|rest| rest.trim_start().starts_with(';'))
                })
        },
    },
    Class {
        name: "an API without metadata",
        whose: Whose::Open,
        rule: "a system MAY mutate the value; OpenTelemetry's metadata is optional",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Metadata],
        test: |step, d| read(step) && d.found.as_deref() == Some(""),
    },
    Class {
        name: "a broken escape, or bytes that are not UTF-8, cost the member",
        whose: Whose::Theirs,
        rule: "octet sequences that do not match UTF-8 MUST be replaced with U+FFFD",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| {
            read(step) && d.found.is_none() && raw_member(step, &d.key).is_some_and(|raw| bad_escape(raw))
        },
    },
    Class {
        name: "octets outside the grammar are read",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, the behavior is undefined",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| {
            read(step)
                && d.expected.is_none()
                && raw_member(step, &d.key).is_some_and(|raw| !baggage_octets(raw))
        },
    },
    Class {
        name: "a broken property costs the member",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, an offending list-member MAY be removed",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[Python, Go, Java],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| {
            read(step) && d.found.is_none() && raw_member(step, &d.key).is_some_and(|raw| bad_property(raw))
        },
    },
    // --- b3: the sampling state ---
    Class {
        name: "defer becomes accept",
        whose: Whose::Theirs,
        rule: "in all known encodings, defer is the absence of sampling state; the receiver decides",
        source: B3_STATE,
        issue: Some("https://github.com/open-telemetry/opentelemetry-python/issues/4793"),
        peers: &[Python],
        formats: B3,
        fields: &[Field::Flags, Field::Sampling],
        test: |step, _| states(step) == (Some(Sampling::Defer), Some(Sampling::Accept)),
    },
    Class {
        name: "defer becomes deny",
        whose: Whose::Theirs,
        rule: "in all known encodings, defer is the absence of sampling state; the receiver decides",
        source: B3_STATE,
        issue: Some("https://github.com/open-telemetry/opentelemetry-java/issues/3517"),
        peers: &[Python, JavaScript, Java],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| states(step) == (Some(Sampling::Defer), Some(Sampling::Deny)),
    },
    Class {
        name: "debug becomes accept",
        whose: Whose::Theirs,
        rule: "MUST preserve a debug trace flag, if received, and propagate it with subsequent requests",
        source: B3_OTEL,
        issue: Some("https://github.com/open-telemetry/opentelemetry-specification/issues/1004"),
        peers: &[Python],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| states(step) == (Some(Sampling::Debug), Some(Sampling::Accept)),
    },
    Class {
        name: "a decision without ids is lost",
        whose: Whose::Theirs,
        rule: "sampling state can be sent alone (a predefined decision)",
        source: B3_STATE,
        issue: Some("https://github.com/open-telemetry/opentelemetry-java/issues/3517"),
        peers: &[Python, JavaScript, Java],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| read(step) && step.expected.ids.is_none() && states(step).1.is_none(),
    },
    Class {
        name: "a decision without ids goes on with the next span",
        whose: Whose::Open,
        rule: "sampling state can be sent alone; the injector asked here needs ids, which a tracer would add",
        source: B3_STATE,
        issue: None,
        peers: &[Brave],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| !read(step) && step.expected.ids.is_none() && states(step).1.is_none(),
    },
    Class {
        name: "a deny that nobody decided",
        whose: Whose::Theirs,
        rule: "deny is a decision; where there is none, nothing (or the received accept) is to be sent",
        source: B3_STATE,
        issue: None,
        peers: &[Go],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| read(step) && step.expected.ids.is_none() && states(step).1 == Some(Sampling::Deny),
    },
    // --- b3: what is accepted ---
    Class {
        name: "upper-case ids",
        whose: Whose::Theirs,
        rule: "ids are encoded as 32 or 16 lower-hex characters",
        source: B3_SINGLE,
        issue: None,
        peers: &[Python],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| {
            d.expected.is_none()
                && step.headers.iter().any(|(_, value)| value.contains(|c: char| c.is_ascii_uppercase()))
        },
    },
    Class {
        name: "a sampling state that is none",
        whose: Whose::Theirs,
        rule: "sampling state is encoded as a single hex character: 0, 1 or d",
        source: B3_SINGLE,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.expected.is_none() && !state_of(step),
    },
];

/// The peer read; else it sent.
fn read(step: &Step<'_>) -> bool {
    step.half == Half::Reads
}

/// The only, or first, traceparent.
fn parent<'a>(step: &Step<'a>) -> Option<&'a str> {
    lines(step, "traceparent").first().map(|line| trim(line))
}

fn flags(traceparent: &str) -> u8 {
    traceparent.get(53..55).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

fn states(step: &Step<'_>) -> (Option<Sampling>, Option<Sampling>) {
    (step.expected.sampling, step.found.sampling)
}

/// Both sides of a difference.
fn pair(difference: &Difference) -> Option<(&str, &str)> {
    difference.expected.as_deref().zip(difference.found.as_deref())
}

fn spaced(text: &str) -> String {
    text.replace('+', " ")
}

/// One side has the key, the other has it with escapes that the first does not have.
fn coded_key(step: &Step<'_>, difference: &Difference) -> bool {
    let plain =
        |key: &str| percent_encoding::percent_decode_str(&spaced(key)).decode_utf8_lossy().trim().to_owned();
    let key = plain(&difference.key);
    let other = if difference.expected.is_none() { &step.expected.baggage } else { &step.found.baggage };
    other.keys().any(|other| *other != difference.key && plain(&plain(other)) == plain(&key))
}
