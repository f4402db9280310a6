//! `Limited` around propagators that know no limits.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use http::{HeaderMap, HeaderValue};
use opentelemetry::{
    Context, Key, KeyValue, StringValue,
    baggage::{Baggage, BaggageExt, BaggageMetadata},
    propagation::{
        Extractor, Injector, TextMapCompositePropagator, TextMapPropagator, text_map_propagator::FieldIter,
    },
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use otel_baggage_limits::{Direction, Limited, Limits};
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use testing::carrier::{Lines, Reserved, Sent};

/// A propagator that escapes every byte there is, with as much around them as is allowed.
#[derive(Debug)]
struct Verbose;

impl TextMapPropagator for Verbose {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let escape =
            |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        let member = |(key, (value, _)): (&Key, &(StringValue, BaggageMetadata))| {
            format!("{key} = {}", escape(value.as_str()))
        };
        let members: Vec<_> = cx.baggage().iter().map(member).collect();
        injector.set("Baggage", members.join(" , "));
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| ["Baggage".to_owned()]);
        FieldIter::new(&*FIELDS)
    }
}

fn many(members: usize, value: &str) -> Context {
    Context::new().with_baggage((0..members).map(|i| KeyValue::new(format!("key{i:02}"), value.to_owned())))
}

fn entries(baggage: &Baggage) -> BTreeMap<String, (String, String)> {
    baggage
        .iter()
        .map(|(key, (value, metadata))| (key.to_string(), (value.to_string(), metadata.to_string())))
        .collect()
}

#[test]
fn sixty_four_long_values_keep_to_the_limits() {
    let cx = many(64, &"é".repeat(100));
    let unlimited = Sent::by(&BaggagePropagator::new(), &cx);
    assert!(unlimited.only("baggage").unwrap().len() > 20_000, "the SDK has changed");
    for (limits, bytes) in [(Limits::new(), 3500..=4096), (Limits::W3C, 7600..=8192)] {
        let propagator = Limited::new(BaggagePropagator::new(), limits);
        let sent = Sent::by(&propagator, &cx);
        let header = sent.only("baggage").unwrap();
        assert!(bytes.contains(&header.len()), "as much as fits: {}", header.len());
        assert_eq!(
            Some(header),
            Sent::by(&propagator, &many(64, &"é".repeat(100))).only("baggage"),
            "the same again"
        );
        let next =
            BaggagePropagator::new().extract_with_context(&Context::new(), &Lines::of("baggage", [header]));
        for (key, (value, _)) in entries(next.baggage()) {
            assert_eq!(value, "é".repeat(100), "whole members only: {key}");
        }
        assert_eq!(next.baggage().len(), header.split(',').count());
    }
}

#[test]
fn what_fits_goes_as_the_inner_propagator_writes_it() {
    let cx = Context::new().with_baggage([KeyValue::new("a", "b=c")]);
    for limits in [Limits::new(), Limits::new().max_bytes("a=b%3Dc".len())] {
        let sent = Sent::by(&Limited::new(BaggagePropagator::new(), limits), &cx);
        assert_eq!(sent.only("baggage"), Some("a=b%3Dc"));
    }
}

#[test]
fn what_the_inner_propagator_writes_longer_than_we_do_is_measured_too() {
    let cx = Context::new().with_baggage([KeyValue::new("a", "====="), KeyValue::new("b", "1")]);
    // `a======,b=1` is 11 bytes, and the SDK makes `a=%3D%3D%3D%3D%3D,b=1` of it.
    for (bytes, header) in
        [(21, Some(21)), (20, Some("a=%3D%3D%3D%3D%3D".len())), (17, Some(17)), (16, Some(3)), (2, Some(0))]
    {
        let sent = Sent::by(&Limited::new(BaggagePropagator::new(), Limits::new().max_bytes(bytes)), &cx);
        assert_eq!(sent.only("baggage").map(str::len), header, "{bytes} bytes");
    }
    for (bytes, members) in [(17, 2), (16, 1)] {
        let limits = Limits::new().max_member_bytes(bytes);
        let sent = Sent::by(&Limited::new(BaggagePropagator::new(), limits), &cx);
        assert_eq!(sent.only("baggage").unwrap().split(',').count(), members, "{bytes} bytes a member");
    }
}

#[test]
fn what_is_written_with_whitespace_is_measured_with_it() {
    let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
    let header = |bytes| {
        let sent = Sent::by(&Limited::new(Verbose, Limits::new().max_bytes(bytes)), &cx);
        sent.0.first().map(|(_, value)| value.len())
    };
    // `a = %31 , b = %32`
    assert_eq!(header(17), Some(17));
    assert_eq!(header(16), Some("a = %31 ".len()));
    assert_eq!(header(7), Some(0), "the member takes eight");
}

#[test]
fn limits_hold_for_the_sdk() {
    let cx = Context::new().with_baggage(["a", "b", "c"].map(|key| KeyValue::new(key, "1")));
    let rows = [
        (Limits::new(), "a=1,b=1,c=1"),
        (Limits::new().max_members(2), "a=1,b=1"),
        (Limits::new().max_members(1).keep_first(&["b"]), "b=1"),
        (Limits::new().deny(&["b"]), "a=1,c=1"),
        (Limits::new().allow(&["b"]), "b=1"),
        (Limits::new().max_bytes(10), "a=1,b=1"),
    ];
    for (limits, expected) in rows {
        let sent = Sent::by(&Limited::new(BaggagePropagator::new(), limits.clone()), &cx);
        let mut members: Vec<_> = sent.only("baggage").unwrap().split(',').collect();
        members.sort_unstable();
        assert_eq!(members.join(","), expected, "{limits:?}");
    }
    let nothing = Limits::new().allow(&[]);
    let sent = Sent::by(&Limited::new(BaggagePropagator::new(), nothing.clone()), &cx);
    assert_eq!(sent.only("baggage"), Some(""), "it overrides what the carrier may hold");
    let sent = Sent::by(&Limited::new(BaggagePropagator::new(), nothing.clone()), &Context::new());
    assert_eq!(sent.only("baggage"), None);
    let sent = Sent::by(&Limited::new(TraceContextPropagator::new(), nothing), &cx);
    assert_eq!(sent.only("baggage"), None, "it does not send baggage");
}

/// The SDK writes metadata as it is.
#[test]
fn metadata_forges_no_member() {
    let mut baggage = Baggage::new();
    baggage.insert_with_metadata("a", "1", "p,admin=true");
    baggage.insert_with_metadata("b", "2", "p=1;q");
    let cx = Context::new().with_baggage(baggage);
    let sent = Sent::by(&Limited::new(BaggagePropagator::new(), Limits::new()), &cx);
    let mut members: Vec<_> = sent.only("baggage").unwrap().split(',').collect();
    members.sort_unstable();
    assert_eq!(members, ["a=1;p%2Cadmin=true", "b=2;p=1;q"]);
    for (metadata, expected) in [(",", "a=1;%2C"), ("\"", "a=1;%22"), ("\\", "a=1;%5C"), ("p", "a=1;p")] {
        let mut baggage = Baggage::new();
        baggage.insert_with_metadata("a", "1", metadata);
        let cx = Context::new().with_baggage(baggage);
        let sent = Sent::by(&Limited::new(BaggagePropagator::new(), Limits::new()), &cx);
        assert_eq!(sent.only("baggage"), Some(expected), "{metadata} alone");
    }
}

#[test]
fn the_other_headers_go_once_and_as_they_are() {
    let composite = TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]);
    let span = SpanContext::new(
        TraceId::from(1),
        SpanId::from(2),
        TraceFlags::SAMPLED,
        true,
        TraceState::from_key_value([("a", "1")]).unwrap(),
    );
    for value in ["1", "=====", &"é".repeat(100)] {
        let cx = many(64, value).with_remote_span_context(span.clone());
        for limits in [Limits::new(), Limits::new().max_bytes(100)] {
            let propagator = Limited::new(
                TextMapCompositePropagator::new(vec![
                    Box::new(TraceContextPropagator::new()),
                    Box::new(BaggagePropagator::new()),
                ]),
                limits.clone(),
            );
            let sent = Sent::by(&propagator, &cx);
            let names: Vec<_> =
                sent.0.iter().map(|(name, _)| name.as_str()).filter(|name| *name != "baggage").collect();
            assert_eq!(names, ["traceparent", "tracestate"], "{limits:?}");
            assert!(
                sent.only("baggage").is_none_or(|header| header.len() <= limits.most_bytes(Direction::Out))
            );
            let fields = |propagator: &dyn TextMapPropagator| {
                propagator.fields().map(str::to_owned).collect::<BTreeSet<_>>()
            };
            assert_eq!(fields(&propagator), fields(&composite));
        }
    }
}

fn read(limits: Limits, lines: &[&str]) -> BTreeMap<String, (String, String)> {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append("baggage", HeaderValue::from_str(line).unwrap());
    }
    let given = Context::new().with_baggage([KeyValue::new("given", "stays")]);
    let propagator = Limited::new(BaggagePropagator::new(), limits);
    entries(propagator.extract_with_context(&given, &HeaderExtractor(&headers)).baggage())
}

fn keys(limits: Limits, lines: &[&str]) -> String {
    read(limits, lines).into_keys().collect::<Vec<_>>().join(",")
}

#[test]
fn what_is_read_ends_where_the_limits_do() {
    let long = format!("a=1,b=2,c={}", "x".repeat(9000));
    let rows: [(&str, Limits, &[&str], &str); 12] = [
        ("all fit", Limits::new(), &["a=1,b=2"], "a,b"),
        ("the SDK alone drops the whole header", Limits::new(), &[&long], "a,b"),
        ("bytes", Limits::new().max_bytes(7), &["a=1,b=2,c=3"], "a,b"),
        ("one byte less", Limits::new().max_bytes(6), &["a=1,b=2,c=3"], "a"),
        ("members", Limits::new().max_members(2), &["a=1,,b=2,c=3"], "a,b"),
        ("no members", Limits::new().max_members(0), &["a=1"], "given"),
        ("a member's own limit", Limits::new().max_member_bytes(3), &["a=1,b=22,c=3"], "a,c"),
        ("allowed", Limits::new().allow(&["b"]), &["a=1,b=2"], "b"),
        ("denied", Limits::new().deny(&["b"]), &["a=1,b=2"], "a"),
        ("nothing is left", Limits::new().allow(&[]), &["a=1,b=2"], "given"),
        ("nothing can be read, where the SDK alone clears the baggage", Limits::new(), &["a;b"], "given"),
        ("nothing is there", Limits::new(), &[], "given"),
    ];
    for (rule, limits, lines, expected) in rows {
        assert_eq!(keys(limits, lines), expected, "{rule}");
    }
}

#[test]
fn metadata_is_left_as_the_inner_propagator_read_it() {
    let read = read(Limits::new().deny(&["b"]), &["a=1;p;;q = \"1\",b=2"]);
    assert_eq!(read["a"], ("1".to_owned(), "p;;q = \"1\"".to_owned()));
}

/// Which headers a propagator is shown.
#[derive(Debug)]
struct Names;

impl TextMapPropagator for Names {
    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        assert_eq!(extractor.keys().contains(&"baggage"), extractor.get("baggage").is_some());
        cx.with_value(Read(extractor.keys().join(",")))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn a_header_of_which_nothing_is_left_is_not_there() {
    let carrier = Lines(vec![("baggage", "a=1"), ("other", "1")]);
    for (limits, expected) in [(Limits::new(), "baggage,other"), (Limits::new().allow(&[]), "other")] {
        let cx = Limited::new(Names, limits).extract_with_context(&Context::new(), &carrier);
        assert_eq!(cx.get::<Read>().map(|read| read.0.as_str()), Some(expected));
    }
}

struct Read(String);

/// Reads every line, and the other headers besides.
#[derive(Debug)]
struct AllLines;

impl TextMapPropagator for AllLines {
    fn inject_context(&self, _: &Context, _: &mut dyn Injector) {}

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        assert_eq!(extractor.get("other"), Some("1,2,3,4"));
        assert_eq!(extractor.get_all("other"), Some(vec!["1,2,3,4"]));
        assert_eq!(extractor.get("absent"), None);
        assert_eq!(extractor.get_all("absent"), None);
        assert_eq!(extractor.keys(), ["baggage", "other"]);
        cx.with_value(Read(extractor.get_all("BAGGAGE").unwrap().join("|")))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn limits_go_over_all_lines_of_baggage_and_no_other_header() {
    let mut headers = HeaderMap::new();
    for line in ["a=1,b=2", "c=3,d=4", "e=5"] {
        headers.append("baggage", HeaderValue::from_static(line));
    }
    headers.append("other", HeaderValue::from_static("1,2,3,4"));
    let rows = [
        (Limits::new(), "a=1,b=2|c=3,d=4|e=5"),
        (Limits::new().max_bytes(19), "a=1,b=2|c=3,d=4|e=5"),
        (Limits::new().max_bytes(18), "a=1,b=2|c=3,d=4"),
        (Limits::new().max_bytes(14), "a=1,b=2|c=3"),
        (Limits::new().max_bytes(7), "a=1,b=2"),
        (Limits::new().max_members(3), "a=1,b=2|c=3"),
        (Limits::new().max_members(3).keep_first(&["e", "d"]), "a=1|d=4|e=5"),
        (Limits::new().max_members(3).deny(&["b", "c"]), "a=1|d=4|e=5"),
        (Limits::new().max_members(1), "a=1"),
    ];
    for (limits, expected) in rows {
        let cx = Limited::new(AllLines, limits.clone())
            .extract_with_context(&Context::new(), &HeaderExtractor(&headers));
        assert_eq!(cx.get::<Read>().unwrap().0, expected, "{limits:?}");
    }
}

/// Has baggage in a header of its own.
#[derive(Debug)]
struct Foreign;

impl TextMapPropagator for Foreign {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.reserve(3);
        injector.set("foreign", "a b c".to_owned());
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let keys = extractor.get("foreign").unwrap_or_default().split(' ');
        cx.with_baggage(keys.map(|key| KeyValue::new(key.to_owned(), "1")))
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn baggage_of_another_header_is_held_to_the_number_of_members_too() {
    let carrier = std::collections::HashMap::from([("foreign".to_owned(), "a b c".to_owned())]);
    for (limits, expected) in [
        (Limits::new(), "a,b,c"),
        (Limits::new().max_members(2), "a,b"),
        (Limits::new().max_members(2).keep_first(&["c"]), "a,c"),
        (Limits::new().max_bytes(7), "a,b"),
    ] {
        let cx = Limited::new(Foreign, limits.clone()).extract_with_context(&Context::new(), &carrier);
        assert_eq!(entries(cx.baggage()).into_keys().collect::<Vec<_>>().join(","), expected, "{limits:?}");
    }
}

/// A member is measured as it stands in the header, whatever it would be on the way out.
#[test]
fn a_member_is_as_long_as_it_came() {
    let limits = || Limits::new().max_member_bytes(4);
    for (header, expected) in [("a=!!", "a"), ("a=!!!", "given"), ("a=%21", "given")] {
        assert_eq!(keys(limits(), &[header]), expected, "{header}");
    }
}

/// Writes members that no context has.
#[derive(Debug)]
struct Adding;

impl TextMapPropagator for Adding {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.set("baggage", "a=1,b=2,c=3".to_owned());
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

#[test]
fn what_the_inner_propagator_writes_as_more_members_is_counted() {
    for (most, expected) in [(4, "a=1,b=2,c=3"), (3, "a=1,b=2,c=3"), (2, "a=1,b=2"), (0, "")] {
        let mut sent = std::collections::HashMap::new();
        Limited::new(Adding, Limits::new().max_members(most)).inject_context(&Context::new(), &mut sent);
        assert_eq!(sent["baggage"], expected, "{most} members");
    }
}

#[test]
fn room_that_the_inner_propagator_asks_for_is_made() {
    let mut reserved = Reserved::default();
    Limited::new(Foreign, Limits::new()).inject_context(&Context::new(), &mut reserved);
    assert_eq!(reserved.0, 3);
}

proptest! {
    #[test]
    fn the_sdk_sends_what_is_within_limits_and_was_there(
        members in prop::collection::vec(("[a-z.]{1,12}", "[ -~]{0,20}|[=%,;é ]{0,30}", "[-,;=% \r\n\"a]{0,12}"), 0..30),
        max_members in 0..40_usize,
        max_bytes in 0..600_usize,
    ) {
        let mut baggage = Baggage::new();
        for (key, value, metadata) in members {
            baggage.insert_with_metadata(key, value, metadata);
        }
        let cx = Context::new().with_baggage(baggage);
        let limits = Limits::new().max_members(max_members).max_bytes(max_bytes);
        let sent = Sent::by(&Limited::new(BaggagePropagator::new(), limits), &cx);
        let header = sent.only("baggage").unwrap_or_default();
        prop_assert!(header.len() <= max_bytes);
        prop_assert!(header.split_terminator(',').count() <= max_members);
        for member in header.split_terminator(',') {
            let key = member.split('=').next().unwrap();
            prop_assert!(cx.baggage().get(key).is_some(), "{:?} in {:?}", key, header);
        }
        prop_assert!(header.bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }
}
