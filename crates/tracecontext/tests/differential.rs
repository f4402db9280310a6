//! The same headers through `opentelemetry_sdk`'s propagator and this one. Every disagreement is listed with the
//! rule that decides it, so that a change upstream is noticed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code outside of a test function")]

mod common;

use common::{Lines, VALID, context_of, header, inject};
use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::propagation::TraceContextPropagator as Sdk;
use otel_tracecontext::{ErrorKind, ParseError, TraceContextPropagator as Ours, TraceParent};

const STATE: &str = "https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values";

/// `traceparent` lines on which the two agree.
const SAME: &[&[&str]] = &[
    &[],
    &[""],
    &["nonsense"],
    &[VALID],
    &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"],
    &["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"],
    &["ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
    &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"],
    &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01."],
    &["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"],
    &["00-00000000000000000000000000000000-b7ad6b7169203331-01"],
    &["00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"],
    &["\t 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 \t"],
];

/// The rule, `traceparent` lines, and whether the SDK uses them; we do the other thing.
const DIFFERENT: &[(&str, &[&str], bool)] = &[
    ("one line only", &[VALID, VALID], true),
    ("2HEXDIGLC, not one digit", &["0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("2HEXDIGLC, not a sign", &["+0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("2HEXDIGLC, not more digits", &["000-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("lower case in the version", &["CC-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("32HEXDIGLC, not fewer", &["00-af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("32HEXDIGLC, not a sign", &["00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("32HEXDIGLC, not more", &["00-00af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
    ("16HEXDIGLC, not fewer", &["00-0af7651916cd43dd8448eb211c80319c-7ad6b7169203331-01"], true),
    ("16HEXDIGLC, not a sign", &["00-0af7651916cd43dd8448eb211c80319c-+7ad6b7169203331-01"], true),
    ("2HEXDIGLC flags, not one", &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"], true),
    ("2HEXDIGLC flags, not a sign", &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1"], true),
    ("2HEXDIGLC flags, not three", &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001"], true),
    ("version 00 ends with its flags", &["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"], true),
    ("OWS is space and tab", &["\u{a0}00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"], true),
];

fn span_context(propagator: &dyn TextMapPropagator, carrier: &Lines<'_>) -> SpanContext {
    propagator.extract_with_context(&Context::new(), carrier).span().span_context().clone()
}

fn traceparents<'a>(lines: &[&'a str]) -> Lines<'a> {
    Lines(lines.iter().map(|&line| ("traceparent", line)).collect())
}

#[test]
fn traceparent_is_read_alike() {
    for lines in SAME {
        let carrier = traceparents(lines);
        assert_eq!(span_context(&Ours::new(), &carrier), span_context(&Sdk::new(), &carrier), "{lines:?}");
    }
}

#[test]
fn where_it_is_not_the_specification_decides() {
    for &(rule, lines, sdk_uses_it) in DIFFERENT {
        let carrier = traceparents(lines);
        assert_eq!(span_context(&Sdk::new(), &carrier).is_valid(), sdk_uses_it, "SDK: {rule}: {lines:?}");
        assert_eq!(span_context(&Ours::new(), &carrier).is_valid(), !sdk_uses_it, "ours: {rule}: {lines:?}");
    }
}

/// Every header that is one byte away from a valid one. Where we use it, so does the SDK, with the same ids and
/// decision; what the SDK alone uses has a field of another width, a sign, an upper-case digit or a dash too many.
#[test]
fn one_byte_away_from_a_valid_traceparent_the_sdk_is_only_ever_more_lenient() {
    let read = |c: &SpanContext| (c.trace_id(), c.span_id(), c.is_sampled(), c.is_valid());
    for changed in one_byte_away() {
        let carrier = traceparents(&[&changed]);
        let (ours, sdk) = (span_context(&Ours::new(), &carrier), span_context(&Sdk::new(), &carrier));
        if ours.is_valid() || !sdk.is_valid() {
            assert_eq!(read(&ours), read(&sdk), "{changed:?}");
        } else {
            let kind = TraceParent::parse(changed.trim_matches([' ', '\t'])).map_err(ParseError::kind);
            let lenient = [
                Err(ErrorKind::TooShort),
                Err(ErrorKind::NotLowerHex),
                Err(ErrorKind::Delimiter),
                Err(ErrorKind::TrailingData),
            ];
            assert!(lenient.contains(&kind), "{kind:?}: {changed:?}");
        }
    }
}

fn one_byte_away() -> impl Iterator<Item = String> {
    let places = |byte: u8| (0..=VALID.len()).map(move |place| (char::from(byte).to_string(), place));
    (0..0x80).flat_map(places).flat_map(|(byte, place)| {
        let (before, after) = VALID.split_at(place);
        let rest = after.get(1..).unwrap_or_default();
        [[before, &byte, rest].concat(), [before, &byte, after].concat(), [before, rest].concat()]
    })
}

/// The rule, `traceparent`, flags that the SDK reads, flags that we read.
#[test]
fn the_random_flag_is_read_by_us_alone() {
    for (flags, sdk, ours) in
        [("00", 0, 0), ("01", 1, 1), ("02", 0, 2), ("03", 1, 3), ("fc", 0, 0), ("ff", 1, 3)]
    {
        let traceparent = VALID.replace("-01", &format!("-{flags}"));
        let carrier = traceparents(&[&traceparent]);
        assert_eq!(span_context(&Sdk::new(), &carrier).trace_flags().to_u8(), sdk, "SDK: {flags}");
        assert_eq!(span_context(&Ours::new(), &carrier).trace_flags().to_u8(), ours, "ours: {flags}");
    }
}

/// `tracestate` lines of which the two read the same members.
const SAME_STATE: &[&[&str]] = &[
    &[],
    &[""],
    &["a=1"],
    &["a=1,b=2"],
    &[" a=1\t,\tb=2 "],
    &["a= 1"],
    &["a=1,a=2"],
    &["A=1"],
    &["a"],
    &["a=1,b"],
    &["@a=1"],
    &["tenant@vendor=1"],
];

/// The rule, `tracestate` lines, members that the SDK reads, members that we read and send.
const DIFFERENT_STATE: &[(&str, &[&str], &str, &str)] = &[
    ("all lines count", &["a=1", "b=2"], "a=1", "a=1,b=2"),
    ("an empty first line is not the end", &["", "b=2"], "", "b=2"),
    ("white space is an empty member", &["a=1, ,b=2,"], "a=1,b=2", "a=1,b=2"),
    ("@ is an ordinary character", &["foo@@bar=1,b=2"], "", "foo@@bar=1,b=2"),
    ("@ is an ordinary character at the end", &["foo@averylongvendor=1"], "", "foo@averylongvendor=1"),
    ("a value has one character at least", &["a=,b=2"], "a=,b=2", ""),
    ("a value has no equals sign", &["a==1"], "a=1", ""),
    ("a value has no tab", &["a=1\t2"], "a=1\t2", ""),
    ("a value is ASCII", &["a=\u{f6}"], "a=\u{f6}", ""),
    ("a value has no control character", &["a=1\r\nb: c"], "a=1\r\nb: c", ""),
    ("a key has one character at least", &["=1"], "=1", ""),
];

fn members(span_context: &SpanContext) -> String {
    span_context.trace_state().header()
}

fn states<'a>(lines: &[&'a str]) -> Lines<'a> {
    common::with_tracestate(lines)
}

#[test]
fn tracestate_is_read_alike() {
    for lines in SAME_STATE {
        let carrier = states(lines);
        assert_eq!(span_context(&Ours::new(), &carrier), span_context(&Sdk::new(), &carrier), "{lines:?}");
    }
}

#[test]
fn where_the_members_are_not_the_same_the_specification_decides() {
    for &(rule, lines, sdk, ours) in DIFFERENT_STATE {
        let carrier = states(lines);
        assert_eq!(members(&span_context(&Sdk::new(), &carrier)), sdk, "SDK: {rule} ({STATE})");
        let sent = inject(&Ours::new().extract_with_context(&Context::new(), &carrier));
        assert_eq!(header(&sent, "tracestate").unwrap_or_default(), ours, "ours: {rule} ({STATE})");
    }
}

#[test]
fn more_than_32_members_are_cut_off_by_the_sdk_and_refused_by_us() {
    let line = (0..33).map(|i| format!("k{i}=1")).collect::<Vec<_>>().join(",");
    let carrier = states(&[&line]);
    assert_eq!(span_context(&Sdk::new(), &carrier).trace_state().into_iter().len(), 32);
    assert_eq!(span_context(&Ours::new(), &carrier).trace_state().into_iter().len(), 0);
}

fn sdk_inject(cx: &Context) -> HeaderMap {
    let mut headers = HeaderMap::new();
    Sdk::new().inject_context(cx, &mut HeaderInjector(&mut headers));
    headers
}

#[test]
fn headers_are_written_alike() {
    for (flags, pairs) in [(0, &[("a", "1")][..]), (1, &[("a", "1")]), (1, &[("b", " 2"), ("t@v", "3")])] {
        let cx = context_of(flags, TraceState::from_key_value(pairs.iter().copied()).unwrap());
        assert_eq!(inject(&cx), sdk_inject(&cx), "{flags} {pairs:?}");
    }
}

/// The rule, flags, members, what the SDK sends, what we send.
#[test]
fn where_the_headers_are_not_the_same_the_specification_decides() {
    let (sampled, random) = (VALID, VALID.replace("-01", "-03"));
    for (rule, flags, pairs, sdk, ours) in [
        ("an empty tracestate should not be sent", 1, &[][..], (sampled, Some("")), (sampled, None)),
        ("the random flag must be sent on", 3, &[("a", "1")], (sampled, Some("a=1")), (&random, Some("a=1"))),
        (
            "a value is not empty",
            1,
            &[("a", ""), ("b", "2")],
            (sampled, Some("a=,b=2")),
            (sampled, Some("b=2")),
        ),
        (
            "a key is not empty",
            1,
            &[("", "1"), ("b", "2")],
            (sampled, Some("=1,b=2")),
            (sampled, Some("b=2")),
        ),
        (
            "a value has no control character",
            1,
            &[("a", "\0"), ("b", "2")],
            (sampled, None),
            (sampled, Some("b=2")),
        ),
    ] {
        let cx = context_of(flags, TraceState::from_key_value(pairs.iter().copied()).unwrap());
        let (by_sdk, by_us) = (sdk_inject(&cx), inject(&cx));
        let both = |headers: &HeaderMap| {
            let value = |name| header(headers, name).map(str::to_owned);
            (value("traceparent").unwrap(), value("tracestate"))
        };
        let owned =
            |(traceparent, state): (&str, Option<&str>)| (traceparent.to_owned(), state.map(str::to_owned));
        assert_eq!(both(&by_sdk), owned(sdk), "SDK: {rule}");
        assert_eq!(both(&by_us), owned(ours), "ours: {rule}");
    }
}
