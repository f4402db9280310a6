//! `b3` and `X-B3-*`, ours beside `opentelemetry-propagator-b3`.

use super::{Class, classify};
use crate::{
    b3::{NAMES, read},
    carrier::{Lines, Sent},
    model::{
        b3::{State, Trace, single},
        trim,
    },
};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_propagator_b3::{B3Encoding, Propagator};
use otel_b3::B3Propagator;
use std::sync::atomic::AtomicBool;

classes! {
    DECISION: "a decision may come without ids",
        "b3-propagation #sampling-state";
    SPACE: "optional whitespace is no part of a value",
        "RFC 9110 5.5";
    SIGN: "ids are lower-hex characters: no sign",
        "b3-propagation #traceid";
    DASH: "a dash is followed by a field",
        "b3-propagation #single-header";
    SINGLE_STATE: "the state of b3 is 0, 1 or d",
        "b3-propagation #sampling-state-2";
    SINGLE_PARENT: "both of the last two fields are optional; a parent may be all zeros",
        "b3-propagation #single-header";
    FLAGS: "X-B3-Flags other than 1 is ignored",
        "b3-propagation #debug-flag";
    SAMPLED: "X-B3-Sampled is 0 or 1, leniently true or false",
        "b3-propagation #sampling-state-1";
    PARENT: "X-B3-ParentSpanId is 16 lower-hex characters",
        "b3-propagation #parentspanid";
    NOTHING: "without span and decision nothing is sent",
        "b3-propagation #sampling-state";
    ONE_FORM: "the single form is one header",
        "OpenTelemetry api-propagators #b3-inject";
}

#[derive(Debug)]
struct Answer {
    read: Option<Trace>,
    sent: Sent,
}

/// The input is header lines, `name:value`; the parity of its length chooses the form that is sent.
pub fn differential_b3(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines::parse(NAMES, &text);
    let (ours, theirs) = if data.len() % 2 == 0 {
        (B3Propagator::single(), B3Encoding::SingleHeader)
    } else {
        (B3Propagator::multi(), B3Encoding::MultipleHeader)
    };
    let ours = answer(&ours, &lines, read);
    let theirs = answer(&Propagator::with_encoding(theirs), &lines, upstream_read);
    if ours.read != theirs.read {
        classify(&read_otherwise(&lines, &ours), &lines, &ours, &theirs);
    } else if ours.sent != theirs.sent {
        classify(&sent_otherwise(&ours, &theirs), &lines, &ours, &theirs);
    }
}

fn answer(
    propagator: &dyn TextMapPropagator,
    lines: &Lines<'_>,
    read: fn(&Context) -> Option<Trace>,
) -> Answer {
    let cx = propagator.extract_with_context(&Context::new(), lines);
    let mut sent = Sent::default();
    propagator.inject_context(&cx, &mut sent);
    // An empty value overrides an older header, and says nothing.
    sent.0.retain(|(_, value)| !value.is_empty());
    Answer { read: read(&cx), sent }
}

/// Upstream keeps defer and debug in bits of the trace flags.
fn upstream_read(cx: &Context) -> Option<Trace> {
    let span = cx.span();
    let span = span.span_context();
    let state = match span.trace_flags().to_u8() {
        flags if flags & 4 != 0 => State::Debug,
        flags if flags & 2 != 0 => State::Defer,
        flags if flags & 1 != 0 => State::Accept,
        _ => State::Deny,
    };
    let ids =
        (u128::from_be_bytes(span.trace_id().to_bytes()), u64::from_be_bytes(span.span_id().to_bytes()));
    span.is_valid().then_some(Trace { ids: Some(ids), state })
}

fn read_otherwise(lines: &Lines<'_>, ours: &Answer) -> Vec<(bool, &'static Class)> {
    let spaced = lines.0.iter().any(|(_, value)| trim(value) != *value);
    let signed = lines.0.iter().any(|(_, value)| value.contains('+'));
    let mut classes = vec![
        (ours.read.is_some_and(|trace| trace.ids.is_none()), &DECISION),
        (spaced, &SPACE),
        (signed, &SIGN),
    ];
    match lines.get("b3") {
        // What upstream makes of a single header that it takes for one.
        Some(value) if single(value).is_some() || value.len() > 32 => classes.extend(single_otherwise(value)),
        _ => {}
    }
    classes.extend(multi_otherwise(lines));
    classes
}

fn single_otherwise(value: &str) -> [(bool, &'static Class); 3] {
    let fields: Vec<&str> = value.split('-').collect();
    let third = fields.get(2).copied().unwrap_or_default();
    let fourth = fields.get(3).copied().unwrap_or_default();
    let parent_alone = fields.len() == 3 && third.len() == 16;
    [
        (fields.last() == Some(&""), &DASH),
        (parent_alone || !fourth.is_empty() && fourth.bytes().all(|digit| digit == b'0'), &SINGLE_PARENT),
        (!matches!(third, "" | "0" | "1"), &SINGLE_STATE),
    ]
}

fn multi_otherwise(lines: &Lines<'_>) -> [(bool, &'static Class); 3] {
    let get = |name| lines.get(name).map(trim);
    [
        (get("x-b3-flags").is_some_and(|flags| flags == "0"), &FLAGS),
        (get("x-b3-sampled").is_some_and(|sampled| !matches!(sampled, "0" | "1")), &SAMPLED),
        (get("x-b3-parentspanid").is_some_and(|parent| !crate::model::is_hex(parent, 16)), &PARENT),
    ]
}

fn sent_otherwise(ours: &Answer, theirs: &Answer) -> [(bool, &'static Class); 2] {
    let single = |sent: &Sent| sent.get("b3").map(str::to_owned);
    [
        (ours.read.is_none() && ours.sent.0.is_empty(), &NOTHING),
        (
            ours.sent.0.len() == 1 && single(&ours.sent) == single(&theirs.sent) && theirs.sent.0.len() > 1,
            &ONE_FORM,
        ),
    ]
}
