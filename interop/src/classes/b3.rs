//! The classes of differences in B3, in both forms.

use super::{Class, PEERS, SDKS, Whose, lines, read};
use crate::{
    ledger::Step,
    peer::Kind::{Brave, Go, Java, JavaScript, Python},
    protocol::{Format, Sampling},
    reading::{Difference, Field, Reading},
};

const B3: &[Format] = &[Format::B3, Format::B3Multi];
const B3_STATE: &str = "https://github.com/openzipkin/b3-propagation#sampling-state";
const B3_SINGLE: &str = "https://github.com/openzipkin/b3-propagation#single-header";
const B3_MULTI: &str = "https://github.com/openzipkin/b3-propagation#multiple-headers";
const B3_OTEL_EXTRACT: &str = "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#extract";
const B3_OTEL: &str = "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-extract";

pub(super) const CLASSES: &[Class] = &[
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
        test: |step, _| {
            read(step) && step.expected.ids.is_none() && step.found.sampling == Some(Sampling::Debug)
        },
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
        test: |step, _| {
            let one_side = (step.expected.sampling == Some(Sampling::Debug))
                != (step.found.sampling == Some(Sampling::Debug));
            read(step) && one_side && lines(step, "x-b3-flags").first() == Some(&"1") && !state_of(step)
        },
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
        test: |step, _| {
            let empty = step.headers.iter().any(|(_, value)| value.is_empty());
            read(step) && empty && step.expected == &Reading::default()
        },
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

fn states(step: &Step<'_>) -> (Option<Sampling>, Option<Sampling>) {
    (step.expected.sampling, step.found.sampling)
}

/// `X-B3-Sampled` is a word that only some accept: `TRUE`, `False`.
fn spelled(step: &Step<'_>, _: &Difference) -> bool {
    let word =
        |value: &&str| value.len() > 1 && ["true", "false"].contains(&value.to_ascii_lowercase().as_str());
    read(step) && lines(step, "x-b3-sampled").iter().any(word)
}

/// The fields of the first single header.
fn single<'a>(step: &Step<'a>) -> Vec<&'a str> {
    lines(step, "b3").first().map(|value| value.split('-').collect()).unwrap_or_default()
}

/// Whether every sampling state that was received is one.
fn state_of(step: &Step<'_>) -> bool {
    let fields = single(step);
    let state = if fields.len() == 1 { fields.first() } else { fields.get(2) };
    let known = |state: &&str| ["0", "1", "true", "false"].contains(&state.to_ascii_lowercase().as_str());
    state.is_none_or(|state| ["0", "1", "d"].contains(state)) && lines(step, "x-b3-sampled").iter().all(known)
}

fn lower_hex(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

/// Whether a parent was received that is not 16 digits.
fn bad_parent(step: &Step<'_>) -> bool {
    let fields = single(step);
    let bad = |parent: &&str| parent.len() != 16 || !lower_hex(parent);
    fields.iter().skip(3).any(bad) || fields.len() > 4 || lines(step, "x-b3-parentspanid").iter().any(bad)
}

/// Whether an id is made of digits, but not of 32 or 16.
fn other_length(step: &Step<'_>) -> bool {
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
fn zeros(step: &Step<'_>) -> bool {
    let zeros = |id: &&str| !id.is_empty() && id.chars().all(|c| c == '0');
    let single = single(step);
    let ids = [lines(step, "x-b3-traceid"), lines(step, "x-b3-spanid")].concat();
    single.len() > 1 && single.iter().take(2).any(zeros) || ids.iter().any(zeros)
}

/// Whether one of the ids has letters in upper case.
fn upper_case_id(step: &Step<'_>) -> bool {
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
fn text_around(step: &Step<'_>) -> bool {
    let Some(value) = lines(step, "b3").into_iter().next() else { return false };
    let behind = |length: usize| value.get(length..).is_some_and(|rest| !rest.is_empty());
    match ids_at_start(value) {
        Some(length) => behind(length),
        None => value.char_indices().any(|(at, _)| value.get(at..).and_then(ids_at_start).is_some()),
    }
}

/// Whether the fields of the single header are as long as they should be, but not divided by dashes.
fn other_separator(step: &Step<'_>) -> bool {
    let Some(value) = lines(step, "b3").into_iter().next() else { return false };
    let behind = ids_at_start(value).and_then(|length| value.get(length..));
    behind.is_some_and(|rest| !rest.starts_with('-') || rest.get(2..3).is_some_and(|mark| mark != "-"))
}

/// Whether the third field of the single header is a parent.
fn parent_without_state(step: &Step<'_>) -> bool {
    let fields = single(step);
    fields.len() == 3 && fields.last().is_some_and(|parent| parent.len() == 16)
}

/// Whether a parent of zeros was received.
fn zero_parent(step: &Step<'_>) -> bool {
    let zeros = |parent: &&str| *parent == "0000000000000000";
    single(step).iter().skip(2).any(zeros) || lines(step, "x-b3-parentspanid").iter().any(zeros)
}
