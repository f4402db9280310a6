//! Beside `opentelemetry-propagator-b3`: where the two disagree, and the rule that decides it.

mod common;

use common::{Headers, IDS, PARENT, SPAN, TRACE, extract, headers, inject};
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState, Tracer, TracerProvider},
};
use opentelemetry_propagator_b3::{B3Encoding, Propagator};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_b3::{B3Propagator, Sampling, SamplingExt};
use proptest::{collection::btree_map, option, prelude::*, sample::select};
use std::collections::HashMap;

const ENCODINGS: [B3Encoding; 3] =
    [B3Encoding::SingleHeader, B3Encoding::MultipleHeader, B3Encoding::SingleAndMultiHeader];

fn their_context(encoding: &B3Encoding, request: &Headers) -> Context {
    let carrier: HashMap<_, _> = request.clone().into_iter().collect();
    Propagator::with_encoding(encoding.clone()).extract_with_context(&Context::new(), &carrier)
}

fn their_headers(encoding: &B3Encoding, cx: &Context) -> Headers {
    let mut carrier = HashMap::new();
    Propagator::with_encoding(encoding.clone()).inject_context(cx, &mut carrier);
    carrier.into_iter().collect()
}

/// What was read, written as a single header: `T`, `S`, `P` for the known ids, `!` for debug without the sampled flag.
fn theirs(encoding: &B3Encoding, request: &Headers) -> String {
    let cx = their_context(encoding, request);
    let flags = cx.span().span_context().trace_flags().to_u8();
    let state = match flags {
        0x02 => "",
        0x04 => "-d!",
        0x05 => "-d",
        0x01 => "-1",
        _ => "-0",
    };
    shown(&cx, state)
}

fn ours(request: &Headers) -> String {
    let cx = extract(request);
    let state = match cx.sampling() {
        None | Some(Sampling::Defer) => "",
        Some(Sampling::Deny) => "-0",
        Some(Sampling::Accept) => "-1",
        Some(Sampling::Debug) => "-d",
    };
    shown(&cx, state)
}

fn shown(cx: &Context, state: &str) -> String {
    let span = cx.span().span_context().clone();
    let ids = if span.is_valid() { format!("{}-{}", span.trace_id(), span.span_id()) } else { String::new() };
    let state = if ids.is_empty() && cx.bare_sampling().is_none() { "" } else { state };
    (ids + state).replace(TRACE, "T").replace(SPAN, "S").replace(PARENT, "P")
}

/// Short for a value: `T`, `S` and `P` stand for the ids.
fn request(pairs: &[(&str, &str)]) -> Headers {
    headers(
        pairs
            .iter()
            .map(|(name, value)| (*name, value.replace('T', TRACE).replace('S', SPAN).replace('P', PARENT))),
    )
}

const ID: (&str, &str) = ("x-b3-traceid", "T");
const SP: (&str, &str) = ("x-b3-spanid", "S");

#[test]
fn where_both_read_the_same() {
    let rows: [&[(&str, &str)]; 14] = [
        &[],
        &[("b3", "T-S")],
        &[("b3", "T-S-0")],
        &[("b3", "T-S-1")],
        &[("b3", "T-S-1-P")],
        &[("b3", "T-S-2")],
        &[("b3", "T")],
        &[("b3", "T-S-1-P-1")],
        &[ID, SP],
        &[ID, SP, ("x-b3-sampled", "1")],
        &[ID, SP, ("x-b3-sampled", "0")],
        &[ID, SP, ("x-b3-sampled", "false")],
        &[ID, SP, ("x-b3-flags", "1")],
        &[("b3", "T-S-1"), ("x-b3-traceid", "P"), SP],
    ];
    for row in rows {
        for encoding in ENCODINGS {
            assert_eq!(theirs(&encoding, &request(row)), ours(&request(row)), "{encoding:?}: {row:?}");
        }
    }
}

/// The rule that decides; the request; what they read when they write single, multi, both; what we read.
type Row = (&'static str, &'static [(&'static str, &'static str)], [&'static str; 3], &'static str);

const READ_DIFFERENTLY: &[Row] = &[
    ("sampling state can be sent on its own", &[("b3", "0")], [""; 3], "-0"),
    ("sampling state can be sent on its own", &[("b3", "1")], [""; 3], "-1"),
    ("sampling state can be sent on its own", &[("b3", "d")], [""; 3], "-d"),
    ("sampling state can be sent on its own", &[("x-b3-sampled", "0")], [""; 3], "-0"),
    ("sampling state can be sent on its own", &[("x-b3-flags", "1")], [""; 3], "-d"),
    ("single takes precedence, decisions too", &[("b3", "0"), ID, SP], ["T-S"; 3], "-0"),
    ("the debug flag sets the sampled flag", &[("b3", "T-S-d")], ["T-S-d!", "", "T-S-d!"], "T-S-d"),
    ("what is sent does not bear on what is read", &[("b3", "T-S-d-P")], ["T-S-d!", "", "T-S-d!"], "T-S-d"),
    ("true and false are read", &[ID, SP, ("x-b3-sampled", "true")], ["", "T-S-1", ""], "T-S-1"),
    ("in any case of letters", &[ID, SP, ("x-b3-sampled", "False")], [""; 3], "T-S-0"),
    ("but not in b3", &[("b3", "T-S-false")], ["T-S-0"; 3], ""),
    ("but not in b3", &[("b3", "T-S-true")], ["", "T-S-1", ""], ""),
    ("d is for b3 alone", &[ID, SP, ("x-b3-sampled", "d")], ["T-S-d!", "", "T-S-d!"], ""),
    ("flags other than 1 are ignored", &[ID, SP, ("x-b3-flags", "0")], ["T-S-0"; 3], "T-S"),
    (
        "flags other than 1 are ignored",
        &[ID, SP, ("x-b3-flags", "0"), ("x-b3-sampled", "1")],
        ["T-S-0"; 3],
        "T-S-1",
    ),
    ("an empty state is malformed", &[("b3", "T-S-")], ["T-S"; 3], ""),
    ("an empty parent is malformed", &[("b3", "T-S-1-")], ["T-S-1"; 3], ""),
    ("a fifth field is malformed", &[("b3", "T-S-1-P-")], ["T-S-1"; 3], ""),
    ("the last two fields are optional, each", &[("b3", "T-S-P")], [""; 3], "T-S"),
    ("a malformed parent is malformed data", &[ID, SP, ("x-b3-parentspanid", "-")], ["T-S"; 3], ""),
    (
        "a sign is no hex character",
        &[("b3", "+0000000000000000000000000000001-+000000000000001-1")],
        ["00000000000000000000000000000001-0000000000000001-1"; 3],
        "",
    ),
    ("whitespace is not part of a value", &[("b3", " T-S-1 ")], [""; 3], "T-S-1"),
];

#[test]
fn where_they_read_differently() {
    for (rule, row, expected, our_own) in READ_DIFFERENTLY {
        for (encoding, expected) in ENCODINGS.iter().zip(expected) {
            assert_eq!(&theirs(encoding, &request(row)), expected, "{rule}: theirs, {encoding:?}: {row:?}");
        }
        assert_eq!(&ours(&request(row)), our_own, "{rule}: ours: {row:?}");
    }
}

/// The rules of [`READ_DIFFERENTLY`] as far as they can bear on a request.
fn rules(request: &Headers) -> Vec<&'static str> {
    let get = |name: &str| request.get(name).map_or("", String::as_str);
    let (single, sampled) = (get("b3"), get("x-b3-sampled"));
    let third = single.split('-').nth(2).unwrap_or_default();
    let parent = get("x-b3-parentspanid");
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let bad_parent = !(parent.len() == 16 && parent.bytes().all(lower_hex));
    let rules = [
        ("a decision alone", extract(request).bare_sampling().is_some()),
        ("debug in b3", third == "d"),
        ("words", sampled.eq_ignore_ascii_case("true") || sampled.eq_ignore_ascii_case("false")),
        ("words in b3", matches!(third, "true" | "false")),
        ("d in x-b3-sampled", sampled == "d"),
        ("flags other than 1", get("x-b3-flags") == "0"),
        ("a trailing hyphen", single.ends_with('-')),
        ("a parent without a state", third.len() == 16),
        ("a malformed parent", request.contains_key("x-b3-parentspanid") && bad_parent),
        ("a sign", request.values().any(|value| value.contains('+'))),
        ("whitespace", request.values().any(|value| value.trim() != value)),
    ];
    rules.into_iter().filter_map(|(rule, applies)| applies.then_some(rule)).collect()
}

fn id() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[0-9a-f]{16}", 4 => "[0-9a-f]{32}", 1 => "0{16,32}", 1 => "[0-9a-fA-Fg+-]{15,17}"]
}

fn single() -> impl Strategy<Value = String> {
    let state = option::of("0|1|d|2||D|true|false|11");
    (id(), id(), state, option::of(id()), "||||-| ").prop_map(|(trace, span, state, parent, tail)| {
        let fields: Vec<_> = [Some(trace), Some(span), state, parent].into_iter().flatten().collect();
        fields.join("-") + &tail
    })
}

fn requests() -> impl Strategy<Value = Headers> {
    const NAMES: [&str; 5] =
        ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"];
    let state = || prop_oneof!["0|1|d|true|TRUE|false|2|", "[ -~]{0,3}"];
    let value = prop_oneof![4 => id(), 2 => state()];
    let multi = btree_map(select(&NAMES[..]).prop_map(str::to_owned), value, 0..6);
    let states = (option::of(state()), option::of(state()));
    (option::of(prop_oneof![3 => single(), 1 => state()]), multi, states).prop_map(
        |(single, mut multi, states)| {
            multi.extend(single.map(|value| ("b3".to_owned(), value)));
            multi.extend(states.0.map(|value| ("x-b3-sampled".to_owned(), value)));
            multi.extend(states.1.map(|value| ("x-b3-flags".to_owned(), value)));
            multi
        },
    )
}

proptest! {
    #[test]
    fn every_disagreement_has_a_rule(request in requests()) {
        for encoding in ENCODINGS {
            let (theirs, ours) = (theirs(&encoding, &request), ours(&request));
            prop_assert!(theirs == ours || !rules(&request).is_empty(), "{:?}: {} or {}", encoding, theirs, ours);
        }
    }
}

fn span(flags: u8) -> Context {
    let received = extract(&request(&[("b3", "T-S")]));
    let ids = received.span().span_context().clone();
    let flags = TraceFlags::new(flags);
    let span = SpanContext::new(ids.trace_id(), ids.span_id(), flags, false, TraceState::NONE);
    Context::new().with_remote_span_context(span)
}

#[test]
fn where_they_write_differently() {
    let single = |state: &str| request(&[("b3", &format!("T-S{state}"))]);
    let rows = [
        ("random is a flag of W3C and no deferral", 2, "", "-0"),
        ("and says nothing of sampling", 3, "", "-1"),
        ("a flag that W3C reserves is no debug", 4, "-d", "-0"),
        ("and says nothing of sampling", 5, "-d", "-1"),
    ];
    for (rule, flags, theirs, ours) in rows {
        let their_single = their_headers(&ENCODINGS[0], &span(flags));
        assert_eq!(their_single.get("b3"), single(theirs).get("b3"), "{rule}: theirs");
        assert_eq!(inject(B3Propagator::single(), &span(flags)), single(ours), "{rule}: ours");
    }

    let both = common::Form::Both.headers(IDS, Some('1'));
    assert_eq!(
        their_headers(&ENCODINGS[0], &span(1)),
        both,
        "they write both forms where single is asked for"
    );
    assert_eq!(inject(B3Propagator::single(), &span(1)), single("-1"));

    let deny = common::Form::Both.headers(None, Some('0'));
    assert_eq!(their_headers(&ENCODINGS[2], &Context::new()), deny, "they deny where nobody decided");
    assert_eq!(inject(B3Propagator::single_and_multi(), &Context::new()), Headers::new());
}

#[test]
fn where_they_write_the_same() {
    let forms = [B3Propagator::multi(), B3Propagator::single_and_multi()];
    for (encoding, ours) in ENCODINGS.iter().skip(1).zip(forms) {
        for flags in [0, 1] {
            assert_eq!(their_headers(encoding, &span(flags)), inject(ours, &span(flags)), "{encoding:?}");
        }
    }
}

/// "MUST preserve a debug trace flag, if received, and propagate it with subsequent requests":
/// <https://opentelemetry.io/docs/specs/otel/context/api-propagators/#b3-extract>
#[test]
fn through_a_span_of_the_sdk_they_lose_debug() {
    let provider =
        SdkTracerProvider::builder().with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn))).build();
    let tracer = provider.tracer("service");
    let request = request(&[("b3", "T-S-d")]);
    let state = |sent: &Headers| sent["b3"].split('-').next_back().map(str::to_owned);
    let started = |cx: &Context| cx.with_span(tracer.start_with_context("request", cx));

    let theirs = their_headers(&ENCODINGS[0], &started(&their_context(&ENCODINGS[0], &request)));
    assert_eq!(state(&theirs).as_deref(), Some("0"));
    let ours = inject(B3Propagator::single(), &started(&extract(&request)));
    assert_eq!(state(&ours).as_deref(), Some("d"));
}
