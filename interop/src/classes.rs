//! The classes of differences: each with the rule that decides it, whose it is, and the test that tells it.

use crate::{
    grammar::{
        bad_parent, bad_property, baggage_octets, begins_with_property, broken_escape, has_level_2_key,
        lines, members, not_utf_8, one_of_each, other_length, other_separator, other_whitespace,
        parent_without_state, part_of, received, received_twice, state_of, text_around, token, twice,
        upper_case_id, zero_parent, zeros,
    },
    ledger::{Half, Step},
    peer::Kind::{self, Brave, Go, Java, JavaScript, Ours, Python},
    protocol::{Format, Sampling},
    reading::{Difference, Field},
};
use otel_propagator_core::header::trim;

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

const TRACE_CONTEXT: &[Format] = &[Format::TraceContext];
const BAGGAGE: &[Format] = &[Format::Baggage];
const B3: &[Format] = &[Format::B3, Format::B3Multi];
const SDKS: &[Kind] = &[Python, JavaScript, Go, Java];
const ANY_MEMBER: &[Field] = &[Field::Member, Field::Value, Field::Metadata];
const PEERS: &[Kind] = &Kind::ALL;

const FLAGS: &str = "https://www.w3.org/TR/trace-context-2/#trace-flags";
const OTHER_FLAGS: &str = "https://www.w3.org/TR/trace-context-2/#other-flags";
const VERSION_FORMAT: &str = "https://www.w3.org/TR/trace-context-2/#version-format";
const TRACE_STATE: &str = "https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values";
const KEY: &str = "https://www.w3.org/TR/trace-context-2/#key";
const RECEIVED: &str = "https://www.w3.org/TR/trace-context-2/#a-traceparent-is-received";
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
const B3_OTEL_EXTRACT: &str = "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#extract";
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
        issue: Some("https://github.com/w3c/trace-context/issues/573"),
        peers: &[Python, JavaScript, Java],
        formats: TRACE_CONTEXT,
        fields: &[Field::Flags],
        test: |step, _| step.expected.flags & 3 == step.found.flags & 3,
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
    Class {
        name: "whitespace around a value",
        whose: Whose::Open,
        rule: "a field value does not include leading or trailing whitespace; HTTP carriers have removed it already",
        source: FIELD_VALUE,
        issue: None,
        peers: PEERS,
        formats: &[Format::TraceContext, Format::B3, Format::B3Multi],
        fields: &[Field::Ids, Field::Sampling, Field::Flags],
        test: padded,
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
    // --- baggage: lines and limits ---
    Class {
        name: "the first line of baggage",
        whose: Whose::Theirs,
        rule: "multiple baggage headers are allowed; values can be combined in a single header",
        source: BAGGAGE_HEADERS,
        issue: Some("https://github.com/open-telemetry/opentelemetry-specification/issues/433"),
        peers: &[Python],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
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
        fields: ANY_MEMBER,
        test: |step, d| {
            let came = lost(step, d) && received(step, &d.key, |raw| raw.len() > 4096);
            came || !read(step) && over(step, d, 4096)
        },
    },
    Class {
        name: "more members than 64",
        whose: Whose::Open,
        rule: "an implementor MAY define higher limits than 64 members",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| {
            members(step).max(step.expected.baggage.len()) > 64
                && (d.field == Field::Member || received_twice(step, &d.key))
        },
    },
    Class {
        name: "what is left out over 8192 bytes",
        whose: Whose::Open,
        rule: "over 8192 bytes a platform MAY drop list-members; which of them is left to the implementer",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| {
            let over = lines(step, "baggage").join(",").len() > 8192 || !read(step) && all_over(step, 8192);
            over && (d.field == Field::Member || received_twice(step, &d.key))
        },
    },
    // --- baggage: keys ---
    Class {
        name: "other whitespace than spaces and tabs is trimmed",
        whose: Whose::Theirs,
        rule: "OWS = *( SP / HTAB )",
        source: BAGGAGE_DEFINITION,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| other_whitespace(step, &d.key),
    },
    Class {
        name: "keys are percent-coded",
        whose: Whose::Theirs,
        rule: "a key is a token; only values are percent-coded",
        source: BAGGAGE_KEY,
        issue: Some("https://github.com/w3c/baggage/issues/140"),
        peers: &[Python, JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: coded_key,
    },
    Class {
        name: "a property without a member becomes one",
        whose: Whose::Theirs,
        rule: "list-member = key OWS \"=\" OWS value *( OWS \";\" OWS property ), and a key is not empty",
        source: BAGGAGE_DEFINITION,
        issue: None,
        peers: &[Java],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && begins_with_property(step, &d.key),
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
        fields: ANY_MEMBER,
        test: |step, d| {
            lost(step, d) && step.expected.baggage.get(&d.key).is_some_and(|(value, _)| value.is_empty())
        },
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
        test: |step, d| read(step) && pair(d).is_some_and(|(expected, found)| strip(expected) == found),
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
        test: |_, d| {
            pair(d).is_some_and(|(expected, found)| strip(&spaced(expected)) == strip(&spaced(found)))
        },
    },
    Class {
        name: "properties become part of the value",
        whose: Whose::Theirs,
        rule: "list-member = key OWS \"=\" OWS value *( OWS \";\" OWS property )",
        source: BAGGAGE_PROPERTY,
        issue: Some("https://github.com/w3c/baggage/issues/140"),
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |step, d| {
            let begins = |(expected, found)| {
                strip(&spaced(found)).strip_prefix(strip(&spaced(expected))).map(str::to_owned)
            };
            read(step) && pair(d).and_then(begins).is_some_and(|rest| rest.trim_start().starts_with(';'))
        },
    },
    Class {
        name: "an API without metadata",
        whose: Whose::Open,
        rule: "metadata is an optional parameter of OpenTelemetry's API",
        source: "https://opentelemetry.io/docs/specs/otel/baggage/api/#set-value",
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Metadata],
        test: |step, d| read(step) && d.found.as_deref() == Some(""),
    },
    Class {
        name: "bytes that are not UTF-8 cost the member",
        whose: Whose::Theirs,
        rule: "octet sequences that do not match UTF-8 MUST be replaced with U+FFFD",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && lost(step, d) && received(step, &d.key, not_utf_8),
    },
    Class {
        name: "a replacement character a byte",
        whose: Whose::Open,
        rule: "sequences that do not match UTF-8 MUST be replaced with U+FFFD; how many make a sequence is not said",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[Go],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |_, d| pair(d).is_some_and(|(expected, found)| replaced_once(expected) == replaced_once(found)),
    },
    Class {
        name: "a broken escape costs the member, or is cut",
        whose: Whose::Open,
        rule: "the percent code point MUST be percent-encoded; of one that is not, nothing is said",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[JavaScript, Go, Java],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && received(step, &d.key, broken_escape),
    },
    Class {
        name: "octets outside the grammar are read",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, the behavior is undefined",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && received(step, &d.key, |raw| !baggage_octets(raw)),
    },
    Class {
        name: "a broken property costs the member",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, an offending list-member MAY be removed",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[Python, Go, Java],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && lost(step, d) && received(step, &d.key, bad_property),
    },
    Class {
        name: "a broken property is sent escaped",
        whose: Whose::Ours,
        rule: "where the baggage-string is not in the format, the behavior is undefined; what we send is in the format",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[Ours],
        formats: BAGGAGE,
        fields: &[Field::Metadata],
        test: |step, d| !read(step) && received(step, &d.key, bad_property),
    },
    Class {
        name: "metadata with a comma becomes members",
        whose: Whose::Theirs,
        rule: "any code points outside of the baggage-octet range MUST be percent-encoded, in a property too",
        source: BAGGAGE_PROPERTY,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| !read(step) && comma_in_metadata(step, d),
    },
    Class {
        name: "metadata with a comma costs the member",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, an offending list-member MAY be removed",
        source: BAGGAGE_MUTATING,
        issue: Some("https://github.com/open-telemetry/opentelemetry-java/pull/8682"),
        peers: &[Java],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| !read(step) && d.found.is_none() && comma_in_metadata(step, d),
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
        name: "debug is lost from one form to the other",
        whose: Whose::Theirs,
        rule: "MUST preserve a debug trace flag, if received, and propagate it with subsequent requests",
        source: B3_OTEL,
        issue: None,
        peers: &[JavaScript],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| {
            states(step) == (Some(Sampling::Debug), Some(Sampling::Accept))
                && (step.format == Format::B3Multi) != lines(step, "b3").is_empty()
        },
    },
    Class {
        name: "debug without the sampled flag",
        whose: Whose::Theirs,
        rule: "MUST set the sampled trace flag when the debug flag is set",
        source: B3_OTEL,
        issue: Some("https://github.com/open-telemetry/opentelemetry-go/issues/1092"),
        peers: &[Go],
        formats: B3,
        fields: &[Field::Flags],
        test: |step, _| {
            step.expected.sampling == Some(Sampling::Debug) && step.found.sampling == Some(Sampling::Debug)
        },
    },
    Class {
        name: "other spellings of true",
        whose: Whose::Open,
        rule: "a lenient implementation may accept true and false",
        source: B3_MULTI,
        issue: None,
        peers: SDKS,
        formats: &[Format::B3Multi, Format::B3],
        fields: &[Field::Ids, Field::Flags, Field::Sampling],
        test: spelled,
    },
    Class {
        name: "a decision without ids is lost",
        whose: Whose::Theirs,
        rule: "sampling state can be sent alone (a predefined decision)",
        source: B3_STATE,
        issue: Some(
            "https://github.com/open-telemetry/opentelemetry-python/issues/2341 and opentelemetry-java/issues/3517",
        ),
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
        rule: "deny is a decision; where there is none, nothing is to be sent, and an accept is none",
        source: B3_STATE,
        issue: None,
        peers: &[Go],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| step.expected.ids.is_none() && states(step).1 == Some(Sampling::Deny),
    },
    Class {
        name: "debug out of a header that is refused",
        whose: Whose::Theirs,
        rule: "a value that cannot be parsed MUST NOT store a new value in the Context",
        source: B3_OTEL_EXTRACT,
        issue: None,
        peers: &[Go],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| read(step) && step.found.sampling == Some(Sampling::Debug),
    },
    Class {
        name: "debug beside a broken X-B3-Sampled",
        whose: Whose::Open,
        rule: "debug implies an accept decision, so X-B3-Sampled is not sent with it; an empty one is malformed",
        source: B3_MULTI,
        issue: None,
        peers: PEERS,
        formats: B3,
        fields: &[Field::Ids, Field::Sampling],
        test: |step, _| read(step) && lines(step, "x-b3-flags").first() == Some(&"1") && !state_of(step),
    },
    // --- b3: what is accepted ---
    Class {
        name: "a decision alone in b3 does not come first",
        whose: Whose::Theirs,
        rule: "the single-header variant takes precedence over the multiple header one",
        source: B3_SINGLE,
        issue: None,
        peers: &[JavaScript, Go, Java],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| {
            read(step)
                && d.expected.is_none()
                && lines(step, "b3").first().is_some_and(|value| ["0", "1", "d"].contains(value))
        },
    },
    Class {
        name: "b3 hides the other headers, though it is malformed",
        whose: Whose::Open,
        rule: "the single-header variant takes precedence; of a malformed one nothing is said",
        source: B3_SINGLE,
        issue: None,
        peers: &[Python, JavaScript],
        formats: B3,
        fields: &[Field::Ids, Field::Sampling],
        test: |step, _| {
            read(step)
                && lines(step, "b3").first().is_some_and(|value| !value.is_empty())
                && !lines(step, "x-b3-traceid").is_empty()
        },
    },
    Class {
        name: "upper-case ids",
        whose: Whose::Theirs,
        rule: "ids are encoded as 32 or 16 lower-hex characters",
        source: B3_SINGLE,
        issue: None,
        peers: &[Python, JavaScript],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| (d.expected.is_none() || d.found.is_none()) && upper_case_id(step),
    },
    Class {
        name: "ids of another length",
        whose: Whose::Theirs,
        rule: "a trace id has 32 or 16 characters, a span id 16",
        source: B3_MULTI,
        issue: None,
        peers: &[JavaScript, Brave],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.expected.is_none() && other_length(step),
    },
    Class {
        name: "ids of zeros",
        whose: Whose::Theirs,
        rule: "a SpanContext is valid if it has a non-zero TraceID and a non-zero SpanID; another is nothing to send",
        source: "https://opentelemetry.io/docs/specs/otel/trace/api/#isvalid",
        issue: None,
        peers: &[Python],
        formats: B3,
        fields: &[Field::Sampling],
        test: |step, _| zeros(step),
    },
    Class {
        name: "a parent without a sampling state",
        whose: Whose::Open,
        rule: "the last two fields are optional: that the last is there without the one before it is not ruled out",
        source: B3_SINGLE,
        issue: None,
        peers: &[Go],
        formats: B3,
        fields: &[Field::Ids, Field::Sampling],
        test: |step, _| read(step) && parent_without_state(step),
    },
    Class {
        name: "a parent of zeros",
        whose: Whose::Open,
        rule: "the parent is 16 lower-hex characters; nothing is said of zeros, and OpenTelemetry does not use it",
        source: B3_MULTI,
        issue: None,
        peers: &[Go, Brave],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, _| read(step) && zero_parent(step),
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
        test: |step, d| read(step) && d.found.is_some() && !state_of(step),
    },
    Class {
        name: "an empty header counts as absent",
        whose: Whose::Open,
        rule: "an empty header is an example of malformed data",
        source: B3_MULTI,
        issue: None,
        peers: SDKS,
        formats: B3,
        fields: &[Field::Ids, Field::Sampling],
        test: |step, _| read(step) && step.headers.iter().any(|(_, value)| value.is_empty()),
    },
    Class {
        name: "a parent that is not looked at",
        whose: Whose::Theirs,
        rule: "X-B3-ParentSpanId is 16 lower-hex characters; an arbitrary value is malformed data",
        source: B3_MULTI,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_some() && bad_parent(step),
    },
    Class {
        name: "text around the fields",
        whose: Whose::Theirs,
        rule: "b3={TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}, and nothing else",
        source: B3_SINGLE,
        issue: None,
        peers: &[JavaScript],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_some() && text_around(step),
    },
    Class {
        name: "a separator that is no dash",
        whose: Whose::Theirs,
        rule: "b3 maps propagation fields into a hyphen delimited string",
        source: B3_SINGLE,
        issue: None,
        peers: &[Go],
        formats: B3,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_some() && other_separator(step),
    },
];

/// The peer read; else it sent.
fn read(step: &Step<'_>) -> bool {
    step.half == Half::Reads
}

// --- traceparent -----------------------------------------------------------------------------------------------

/// The only, or first, traceparent.
fn parent<'a>(step: &Step<'a>) -> Option<&'a str> {
    lines(step, "traceparent").first().map(|line| trim(line))
}

fn flags(traceparent: &str) -> u8 {
    traceparent.get(53..55).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0)
}

/// A header that is one value has whitespace at an end.
fn padded(step: &Step<'_>, _: &Difference) -> bool {
    read(step) && step.headers.iter().any(|(name, value)| name != "tracestate" && value.trim() != value)
}

// --- baggage ---------------------------------------------------------------------------------------------------

/// The member is not there, or an earlier one of its key is.
fn lost(step: &Step<'_>, difference: &Difference) -> bool {
    difference.expected.is_some() && (difference.found.is_none() || received_twice(step, &difference.key))
}

/// A member that is left out of what is sent, and that may take more than so many bytes there.
fn over(step: &Step<'_>, difference: &Difference, bytes: usize) -> bool {
    let member = step.expected.baggage.get(&difference.key);
    difference.found.is_none() && member.is_some_and(|member| longest(&difference.key, member) > bytes)
}

/// All that is sent may take more than so many bytes.
fn all_over(step: &Step<'_>, bytes: usize) -> bool {
    step.expected.baggage.iter().map(|(key, member)| longest(key, member) + 1).sum::<usize>() > bytes
}

/// The bytes of a member of which everything is escaped that may be.
fn longest(key: &str, (value, metadata): &(String, String)) -> usize {
    let escaped =
        |text: &str| text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum::<usize>();
    escaped(key) + escaped(value) + escaped(metadata) + 2
}

/// Both sides of a difference.
fn pair(difference: &Difference) -> Option<(&str, &str)> {
    difference.expected.as_deref().zip(difference.found.as_deref())
}

fn spaced(text: &str) -> String {
    text.replace('+', " ")
}

/// Runs of replacement characters as one.
fn replaced_once(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("\u{fffd}\u{fffd}") {
        text = text.replace("\u{fffd}\u{fffd}", "\u{fffd}");
    }
    text
}

/// What Python's `str.strip` leaves.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// A comma was in the metadata of the member, or of the one from which this member came.
fn comma_in_metadata(step: &Step<'_>, difference: &Difference) -> bool {
    let comma = |(_, metadata): &(String, String)| metadata.contains(',');
    let from = |text: &str| text.contains(&difference.key);
    match step.expected.baggage.get(&difference.key) {
        Some(member) => comma(member),
        None => step.expected.baggage.values().any(|member| comma(member) && from(&member.1)),
    }
}

/// One side has the key, the other has it with escapes that the first does not have, or cannot decode it.
fn coded_key(step: &Step<'_>, difference: &Difference) -> bool {
    let plain =
        |key: &str| strip(&percent_encoding::percent_decode_str(&spaced(key)).decode_utf8_lossy()).to_owned();
    let key = plain(&plain(&difference.key));
    let alike = |other: &String| *other != difference.key && plain(&plain(other)) == key;
    let keys = || step.expected.baggage.keys().chain(step.found.baggage.keys());
    keys().any(alike) || difference.found.is_none() && difference.key.contains('%')
}

// --- b3 --------------------------------------------------------------------------------------------------------

fn states(step: &Step<'_>) -> (Option<Sampling>, Option<Sampling>) {
    (step.expected.sampling, step.found.sampling)
}

/// `X-B3-Sampled` is a word that only some accept: `TRUE`, `False`.
fn spelled(step: &Step<'_>, _: &Difference) -> bool {
    let word =
        |value: &&str| value.len() > 1 && ["true", "false"].contains(&value.to_ascii_lowercase().as_str());
    read(step) && lines(step, "x-b3-sampled").iter().any(word)
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
        let names: BTreeSet<_> = CLASSES.iter().map(|class| class.name).collect();
        assert_eq!(names.len(), CLASSES.len());
        let rows: String = CLASSES.iter().map(row).collect();
        assert!(README.contains(&rows), "the table of classes is to be:\n{rows}");
    }
}
