//! `traceparent` and `tracestate`, ours beside the SDK's.

use super::{Class, classify};
use crate::{
    carrier::{Lines, Sent},
    model::{
        is_hex,
        tracecontext::{Parent, is_key, is_value, state},
        trim,
    },
    tracecontext::span_fields,
};
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TraceState},
};
use std::sync::atomic::AtomicBool;

classes! {
    REPEATED: "one traceparent line; two contradict each other",
        "trace-context-2 #traceparent-header";
    SPACE: "only spaces and tabs are optional whitespace",
        "RFC 9110 5.6.3";
    WIDTH: "2, 32, 16 and 2 digits",
        "trace-context-2 #version-format";
    DIGIT: "HEXDIGLC: no sign and no upper case",
        "trace-context-2 #traceparent-header-field-values";
    AFTER_FLAGS: "version 00 ends with the flags",
        "trace-context-2 #version-format";
    RANDOM: "the random flag goes on",
        "trace-context-2 #random-trace-id-flag";
    LINES: "all tracestate lines are one list",
        "trace-context-2 #tracestate-header-field-values";
    MEMBERS: "at most 32 members, empty ones not counted",
        "trace-context-2 #tracestate-header-field-values";
    KEY: "a key has 1 to 256 characters and an at sign is one of them",
        "trace-context-2 #key";
    VALUE: "a value has 1 to 256 printable characters and no equals sign",
        "trace-context-2 #value";
    EMPTY: "an empty tracestate should not be sent",
        "trace-context-2 #tracestate-header-field-values";
}

#[derive(Debug, Eq, PartialEq)]
struct Answer {
    span: Option<(Parent, TraceState)>,
    sent: Sent,
}

fn answer(propagator: &dyn TextMapPropagator, lines: &Lines<'_>) -> Answer {
    let cx = propagator.extract_with_context(&Context::new(), lines);
    let mut sent = Sent::default();
    propagator.inject_context(&cx, &mut sent);
    let span = cx.span();
    let span = span.span_context();
    Answer { span: span.is_valid().then(|| (span_fields(span), span.trace_state().clone())), sent }
}

/// The input is header lines, `name:value`.
pub fn differential_tracecontext(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines::parse(&["traceparent", "tracestate"], &text);
    let ours = answer(&otel_tracecontext::TraceContextPropagator::new(), &lines);
    let theirs = answer(&opentelemetry_sdk::propagation::TraceContextPropagator::new(), &lines);
    let lines = without_further_lines(lines);
    let of_first = answer(&otel_tracecontext::TraceContextPropagator::new(), &lines);
    if ours != of_first {
        classify(&[(true, &LINES)], &lines, &ours, &theirs);
    }
    if of_first != theirs {
        explain(&lines, &of_first, &theirs);
    }
}

/// What upstream sees of a `tracestate`.
fn without_further_lines(lines: Lines<'_>) -> Lines<'_> {
    let mut seen = false;
    let mut first = |name| name != "tracestate" || !std::mem::replace(&mut seen, true);
    Lines(lines.0.into_iter().filter(|(name, _)| first(*name)).collect())
}

fn explain(lines: &Lines<'_>, ours: &Answer, theirs: &Answer) {
    let Some((our_parent, our_state)) = &ours.span else {
        classify(&refused(lines), lines, ours, theirs);
        return;
    };
    let Some((their_parent, their_state)) = &theirs.span else {
        law!(false, "upstream reads every traceparent that we read", lines, ours);
        return;
    };
    if our_parent != their_parent {
        let random = our_parent.flags & 2 != 0
            && Parent { flags: our_parent.flags & 1, ..*our_parent } == *their_parent;
        classify(&[(random, &RANDOM)], lines, ours, theirs);
    }
    let state = |sent: &Sent| sent.get("tracestate").unwrap_or_default().to_owned();
    if our_state != their_state || state(&ours.sent) != state(&theirs.sent) {
        classify(&other_state(lines), lines, ours, theirs);
    } else if ours.sent.get("tracestate") != theirs.sent.get("tracestate") {
        classify(&[(state(&theirs.sent).is_empty(), &EMPTY)], lines, ours, theirs);
    }
}

/// Why we refuse a `traceparent` that upstream takes.
fn refused(lines: &Lines<'_>) -> [(bool, &'static Class); 5] {
    let repeated = lines.values("traceparent").count() > 1;
    let value = lines.values("traceparent").next().unwrap_or_default();
    let fields: Vec<&str> = trim(value).split('-').collect();
    let first = || fields.iter().zip([2, 32, 16, 2]);
    [
        (repeated, &REPEATED),
        (trim(value) != value.trim(), &SPACE),
        (first().any(|(field, width)| field.len() != width), &WIDTH),
        (first().any(|(field, width)| !is_hex(field, width)), &DIGIT),
        (fields.first() == Some(&"00") && fields.len() > 4, &AFTER_FLAGS),
    ]
}

/// Why a `tracestate` goes on otherwise than with upstream.
fn other_state(lines: &Lines<'_>) -> [(bool, &'static Class); 3] {
    let joined = lines.joined("tracestate").unwrap_or_default();
    let members: Vec<&str> = joined.split(',').map(trim).collect();
    let key_differs = |key: &str| !is_key(key) || TraceState::from_key_value([(key, "v")]).is_err();
    let pairs = || members.iter().filter_map(|member| member.split_once('='));
    [
        (members.len() > 32, &MEMBERS),
        (pairs().any(|(key, _)| key_differs(key)), &KEY),
        (pairs().any(|(_, value)| !is_value(value)) && state(&joined).is_none(), &VALUE),
    ]
}
