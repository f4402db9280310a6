//! Headers of messages.

mod common;

use common::{OTHER, Sets, TRACEPARENT, all, both, context, seen};
use opentelemetry::{Context, baggage::BaggageExt, propagation::Extractor};
use otel_baggage_limits::PrefixedBaggage;
use otel_carriers::message::{self, MessageExtractor, links};
use otel_jaeger::JaegerPropagator;
use otel_tracecontext::TraceContextPropagator;
use proptest::prelude::*;

type Lines = &'static [(&'static str, &'static str)];
/// Headers, a name, its first value, and all that are text.
type Read = (
    &'static str,
    &'static [(&'static str, &'static [u8])],
    &'static str,
    Option<&'static str>,
    Option<&'static [&'static str]>,
);

type Headers = Vec<(String, String)>;

fn headers(lines: &[(&str, &str)]) -> Headers {
    lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(headers: &Headers) -> MessageExtractor<'_> {
    MessageExtractor::new(headers.iter().map(|(name, value)| (name, value)))
}

/// A client that only appends, as Kafka's, and whose headers can be rebuilt.
fn write(headers: &mut Headers, name: &str, value: Option<String>) {
    match value {
        Some(value) => headers.push((name.to_owned(), value)),
        None => headers.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
    }
}

const READ: &[Read] = &[
    ("absent", &[("id", b"7")], "baggage", None, None),
    ("one", &[("baggage", b"a=1")], "baggage", Some("a=1"), Some(&["a=1"])),
    ("as Go writes it", &[("Baggage", b"a=1")], "baggage", Some("a=1"), Some(&["a=1"])),
    ("asked for in upper case", &[("x-b3-traceid", b"1")], "X-B3-TraceId", Some("1"), Some(&["1"])),
    (
        "the first, and all in order",
        &[("b", b"1"), ("c", b"x"), ("B", b"2")],
        "b",
        Some("1"),
        Some(&["1", "2"]),
    ),
    ("not text", &[("b", b"\xff")], "b", None, Some(&[])),
    ("not text beside text", &[("b", b"\xff"), ("b", b"2")], "b", None, Some(&["2"])),
    ("empty", &[("b", b"")], "b", Some(""), Some(&[""])),
    ("beyond ASCII", &[("b", "\u{e9}".as_bytes())], "b", Some("\u{e9}"), Some(&["\u{e9}"])),
    ("no prefix of a name", &[("baggages", b"1"), ("bag", b"1")], "baggage", None, None),
];

#[test]
fn all_headers_of_a_name_are_read() {
    for &(rule, lines, key, first, all) in READ {
        let message = MessageExtractor::new(lines.iter().copied());
        assert_eq!(message.get(key), first, "{rule}");
        assert_eq!(message.get_all(key).as_deref(), all, "{rule}");
    }
    assert_eq!(MessageExtractor::new([("A", ""), ("b", "")]).keys(), ["A", "b"]);
}

const SENT: &[(&str, Lines, Lines)] = &[
    ("into none", &[], &[("traceparent", TRACEPARENT)]),
    ("others stay", &[("id", "7")], &[("id", "7"), ("traceparent", TRACEPARENT)]),
    (
        "a creation context is not modified",
        &[("traceparent", OTHER), ("baggage", "a=1")],
        &[("traceparent", OTHER), ("baggage", "a=1")],
    ),
    ("whatever its case", &[("Traceparent", OTHER)], &[("Traceparent", OTHER)]),
    (
        "one that is not valid is replaced",
        &[("traceparent", "00-0-0-0"), ("tracestate", "a=1")],
        &[("traceparent", TRACEPARENT)],
    ),
    ("as two are", &[("traceparent", OTHER), ("Traceparent", OTHER)], &[("traceparent", TRACEPARENT)]),
    ("baggage alone is no creation context", &[("baggage", "a=1")], &[("traceparent", TRACEPARENT)]),
];

#[test]
fn a_message_is_created_once() {
    let cx = context(&[("traceparent", TRACEPARENT)]);
    for &(rule, before, after) in SENT {
        let mut message = headers(before);
        message::inject(&both(), &cx, &mut message, read, write);
        assert_eq!(message, headers(after), "{rule}");
        message::inject(&both(), &cx, &mut message, read, write);
        assert_eq!(message, headers(after), "{rule}, and a retry");
    }
}

#[test]
fn a_replaced_context_leaves_nothing() {
    let before = [
        ("Tracestate", "a=1"),
        ("baggage", "a=1"),
        ("BAGGAGE", "b=2"),
        ("id", "7"),
        ("b3", "0"),
        ("TraceParent", OTHER),
    ];
    let cx = context(&[("traceparent", TRACEPARENT)]);
    let mut message = headers(&before);
    message::replace(&both(), &cx, |name, value| write(&mut message, name, value));
    assert_eq!(message, headers(&[("id", "7"), ("b3", "0"), ("traceparent", TRACEPARENT)]));
    message::replace(&all(), &Context::new(), |name, value| write(&mut message, name, value));
    assert_eq!(message, headers(&[("id", "7")]));
}

#[test]
fn what_could_become_another_header_is_left_out() {
    let forged = Sets(headers(&[
        ("baggage", "a=1\r\nb3: 1"),
        ("x\n", "1"),
        ("b3: 1", "1"),
        ("b 3", "1"),
        ("\u{e9}", "1"),
        ("", "1"),
        ("TraceState", ""),
        ("tab", "a\tb"),
        ("baggages", "\0"),
    ]));
    let mut message = headers(&[("baggage", "old=1"), ("tracestate", "old=1")]);
    let lines = testing::lines(|| {
        message::replace(&forged, &Context::new(), |name, value| write(&mut message, name, value));
    });
    assert_eq!(message, headers(&[("tab", "a\tb")]));
    let event = "WARN propagator.not_carried carrier=message direction=out header=baggage rule=a control character \
                 values=7 bytes=10 suppressed=0";
    assert_eq!(lines, [event]);
}

#[test]
fn a_value_that_is_not_text_is_reported_where_nobody_else_can_see_it() {
    let lines = testing::lines(|| {
        let values: [(&str, &[u8]); 3] =
            [("baggage", b"a=1"), ("baggage", b"\xff\xff"), ("tracestate", b"\xff")];
        let message = MessageExtractor::new(values);
        assert_eq!(message.get_all("baggage"), Some(vec!["a=1"]));
        // The propagator sees that there is no line: it says so itself.
        assert_eq!(message.get_all("tracestate"), Some(vec![]));
    });
    let event = "WARN propagator.not_carried carrier=message direction=in header=baggage rule=not UTF-8 values=1 \
                 bytes=2 suppressed=0";
    assert_eq!(lines, [event]);
}

#[test]
fn a_doubled_traceparent_is_refused() {
    let doubled = [("traceparent", TRACEPARENT), ("traceparent", OTHER)];
    assert_eq!(seen(&message::extract(&both(), doubled)), "- ");
    assert_ne!(seen(&message::extract(&both(), doubled[..1].iter().copied())), "- ");
}

/// What came is gone through once for each name that is asked for, and nothing is copied of it but what is kept.
#[test]
fn an_absurd_number_of_headers_is_within_the_limits() {
    const HEADERS: usize = 100_000;
    let numbered: Vec<(String, String)> =
        (0..HEADERS).map(|number| (format!("h{number}"), number.to_string())).collect();
    let read = |name: &str, value: fn(usize) -> String| {
        let lines = (0..HEADERS).map(|number| (name.to_owned(), value(number)));
        let lines: Headers = lines.chain(numbered.iter().cloned()).collect();
        message::extract(&both(), lines.iter().map(|(name, value)| (name, value)))
    };
    assert_eq!(seen(&read("traceparent", |_| TRACEPARENT.to_owned())), "- ", "none of them is the one");
    let baggage = read("baggage", |number| format!("k{number}=v"));
    assert_eq!(baggage.baggage().len(), 64, "what W3C asks for, and no more");
    let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    let names: Vec<String> = (0..HEADERS).map(|number| format!("uberctx-{number}")).collect();
    let entries = message::extract(&jaeger, names.iter().map(|name| (name, "v")));
    assert_eq!(entries.baggage().len(), 64, "as many entries as there may be members");
    let one = numbered.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let one = one.chain([("TraceParent", TRACEPARENT)]);
    assert_ne!(seen(&message::extract(&both(), one)), "- ", "one good header among them is found");
}

#[test]
fn a_batch_links_to_each_context_once() {
    let ids = |number: usize| format!("00-0af7651916cd43dd8448eb211c80319c-{number:016x}-01");
    let batch = |numbers: &[usize]| {
        numbers.iter().map(|number| headers(&[("traceparent", &ids(*number))])).collect::<Vec<_>>()
    };
    for (rule, numbers, max, expected) in [
        ("an empty batch", &[][..], 128, &[][..]),
        ("two of three are equal", &[1, 2, 1], 128, &[1, 2]),
        ("no valid context", &[0, 0], 128, &[]),
        ("none is asked for", &[1, 2], 0, &[]),
        ("fewer than at most", &[1, 2], 3, &[1, 2]),
        ("as many as at most", &[1, 2, 3], 3, &[1, 2, 3]),
        ("more than at most", &[1, 2, 3, 4], 3, &[1, 2, 3]),
        ("an equal one does not count", &[1, 1, 2, 3], 2, &[1, 2]),
    ] {
        let batch = batch(numbers);
        let messages: Vec<_> = batch.iter().map(read).collect();
        let links = links(&TraceContextPropagator::new(), &messages, max);
        let spans: Vec<_> = links.iter().map(|link| link.span_context.span_id().to_string()).collect();
        assert_eq!(spans, expected.iter().map(|id| format!("{id:016x}")).collect::<Vec<_>>(), "{rule}");
    }
}

proptest! {
    #[test]
    fn any_headers_are_read(lines in prop::collection::vec(("[a-cA-C]{0,2}", prop::collection::vec(any::<u8>(), 0..4)), 0..12), key in "[a-c]{0,2}") {
        let message = MessageExtractor::new(lines.iter().map(|(name, value)| (name, value)));
        let values: Vec<&[u8]> = lines.iter().filter(|(name, _)| name.to_lowercase() == key).map(|(_, value)| value.as_slice()).collect();
        let texts: Vec<&str> = values.iter().filter_map(|value| std::str::from_utf8(value).ok()).collect();
        prop_assert_eq!(message.get(&key), values.first().and_then(|value| std::str::from_utf8(value).ok()));
        prop_assert_eq!(message.get_all(&key), (!values.is_empty()).then_some(texts));
        prop_assert_eq!(message.keys().len(), lines.len());
    }

    #[test]
    fn whatever_was_there_one_value_of_a_name_is_there_afterwards(
        before in prop::collection::vec(("traceparent|TraceParent|tracestate|TRACESTATE|baggage|Baggage|b3|Other", ".{0,8}"), 0..8),
        baggage in any::<bool>(),
    ) {
        let before: Headers = before;
        let others = before.iter().filter(|(name, _)| ["b3", "other"].contains(&&*name.to_ascii_lowercase()));
        let mut expected: Headers = others.cloned().collect();
        expected.extend(headers(&[("traceparent", TRACEPARENT)]));
        expected.extend(baggage.then(|| ("baggage".to_owned(), "k=v".to_owned())));
        let cx = context(&[("traceparent", TRACEPARENT), ("baggage", if baggage { "k=v" } else { "" })]);
        let mut message = before;
        message::replace(&both(), &cx, |name, value| write(&mut message, name, value));
        prop_assert_eq!(message, expected);
    }
}
