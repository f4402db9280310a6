//! Headers of HTTP requests and responses.

#![cfg(feature = "http")]
mod common;

use common::{OTHER, Sets, TRACEPARENT, all, both, context, seen};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
};
use otel_b3::B3Propagator;
use otel_carriers::{
    grpc::MetadataInjector,
    headers::{self, HeaderExtractor, HeaderInjector, ServerTiming, strip},
};
use proptest::prelude::*;
use tonic::metadata::MetadataMap;

type Lines = &'static [(&'static str, &'static str)];

#[allow(clippy::unwrap_used, reason = "the tables have valid headers")]
fn map(lines: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

#[allow(clippy::unwrap_used, reason = "only text is written")]
fn lines(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect()
}

const WRITTEN: &[(&str, Lines, Lines, Lines)] = &[
    ("into none", &[], &[("traceparent", TRACEPARENT)], &[("traceparent", TRACEPARENT)]),
    (
        "others stay",
        &[("host", "a"), ("b3", "0")],
        &[("traceparent", TRACEPARENT)],
        &[("host", "a"), ("b3", "0"), ("traceparent", TRACEPARENT)],
    ),
    ("a retry", &[("traceparent", OTHER)], &[("traceparent", TRACEPARENT)], &[("traceparent", TRACEPARENT)]),
    (
        "all lines of a copied request",
        &[
            ("traceparent", OTHER),
            ("tracestate", "a=1"),
            ("tracestate", "b=2"),
            ("baggage", "secret=1"),
            ("baggage", "b=2"),
        ],
        &[("traceparent", TRACEPARENT)],
        &[("traceparent", TRACEPARENT)],
    ),
    ("nothing to write", &[("Traceparent", OTHER), ("baggage", "secret=1")], &[], &[]),
];

#[test]
fn nothing_of_an_older_context_stays() {
    for &(rule, before, cx, after) in WRITTEN {
        let mut request = map(before);
        headers::inject(&both(), &context(cx), &mut request);
        assert_eq!(lines(&request), after, "{rule}");
    }
}

/// A propagator can only set, and sets nothing where a header is not to go out; that it is no field of its own makes no
/// difference.
#[test]
fn an_empty_value_removes_the_header() {
    let mut request = map(&[("b3", "0"), ("X-B3-Sampled", "1"), ("host", "a")]);
    let propagator = both();
    let mut injector = HeaderInjector::new(&mut request, &propagator);
    for name in ["b3", "x-b3-sampled", "uber-trace-id"] {
        injector.set(name, String::new());
    }
    assert_eq!(lines(&request), [("host", "a")]);
}

#[test]
fn every_field_is_removed() {
    let before: Vec<_> = all().fields().map(str::to_owned).collect();
    let mut request = map(&before.iter().map(|name| (name.as_str(), "1")).collect::<Vec<_>>());
    headers::inject(&all(), &Context::new(), &mut request);
    assert!(request.is_empty(), "{request:?}");
}

#[test]
fn ids_are_never_indexed() {
    let cx = context(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("baggage", "k=v")]);
    let mut request = HeaderMap::new();
    headers::inject(&all(), &cx, &mut request);
    for (name, value) in &request {
        let is_id = !["baggage", "x-b3-sampled", "x-b3-flags"].contains(&name.as_str());
        assert_eq!(value.is_sensitive(), is_id, "{name}");
    }
    assert!(request.contains_key("x-b3-sampled") && request.contains_key("baggage"));
    all().inject_context(&cx, &mut HeaderInjector::new(&mut request, &all()).never_indexed());
    assert!(request.values().all(HeaderValue::is_sensitive), "{request:?}");
}

#[test]
fn what_http_cannot_carry_is_left_out() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let sets = Sets(vec![
        set("traceparent", "1\r\nb3: 0"),
        set("b3", "\0"),
        set("not a name", "1"),
        set("", "1"),
        set("tracestate", ""),
        set("X-Kept", "1"),
    ]);
    let mut request = map(&[("traceparent", OTHER), ("b3", "0"), ("tracestate", "a=1")]);
    let events = testing::lines(|| headers::inject(&sets, &Context::new(), &mut request));
    assert_eq!(lines(&request), [("x-kept", "1")]);
    let event = "WARN propagator.not_carried carrier=http direction=out header=traceparent rule=not a header of HTTP \
                 values=4 bytes=8 suppressed=0";
    assert_eq!(events, [event]);
}

/// A map of headers has room for some ten thousand.
#[test]
fn one_header_too_many_is_left_out() {
    let mut full = HeaderMap::new();
    let names = (0..).map(|number| HeaderName::try_from(format!("h{number}")).unwrap());
    for name in names {
        if full.try_append(name, HeaderValue::from_static("1")).is_err() {
            break;
        }
    }
    let cx = context(&[("traceparent", TRACEPARENT)]);
    let before = full.clone();
    let events = testing::lines(|| headers::inject(&both(), &cx, &mut full));
    let event = "WARN propagator.not_carried carrier=http direction=out header=traceparent rule=not a header of HTTP \
                 values=1 bytes=55 suppressed=0";
    assert_eq!(events, [event]);
    HeaderInjector::new(&mut full, &both()).reserve(usize::MAX);
    ServerTiming::trace().exposed().apply(&cx, &mut full);
    assert!(full == before);
    full.remove("h0");
    headers::inject(&both(), &cx, &mut full);
    assert_eq!(full["traceparent"], TRACEPARENT);
}

#[test]
fn every_line_is_read() {
    let request =
        map(&[("Baggage", "a=1"), ("baggage", "b=\u{e9},c=3"), ("tracestate", ""), ("x", "1"), ("x", "2")]);
    let extractor = HeaderExtractor::new(&request);
    assert_eq!(extractor.get("BAGGAGE"), Some("a=1"));
    assert_eq!(extractor.get_all("baggage"), Some(vec!["a=1", "b=\u{e9},c=3"]));
    assert_eq!(extractor.get_all("tracestate"), Some(vec![""]));
    assert_eq!(extractor.get_all("X"), Some(vec!["1", "2"]), "a name that nobody knows");
    assert_eq!((extractor.get("b3"), extractor.get_all("b3")), (None, None));
    assert_eq!(extractor.get_all("not a name"), None);
    assert_eq!(extractor.keys(), ["baggage", "tracestate", "x"]);
}

#[test]
fn nothing_is_told_of_what_is_good() {
    let request = map(&[("baggage", "a=1"), ("baggage", ""), ("traceparent", TRACEPARENT)]);
    assert_eq!(testing::lines(|| drop(headers::extract(&both(), &request))), [""; 0]);
}

#[test]
fn room_is_made_for_what_is_announced() {
    let (mut request, mut metadata) = (HeaderMap::new(), MetadataMap::new());
    HeaderInjector::new(&mut request, &both()).reserve(100);
    MetadataInjector::new(&mut metadata, &both()).reserve(100);
    assert!(request.capacity() >= 100 && metadata.into_headers().capacity() >= 100);
}

#[test]
fn a_line_that_is_not_text_costs_no_other() {
    let mut request = map(&[("baggage", "a=1"), ("baggage", "b=2")]);
    request.append("baggage", HeaderValue::from_bytes(b"c=\xff").unwrap());
    request.append("tracestate", HeaderValue::from_bytes(b"\xff").unwrap());
    let events = testing::lines(|| {
        let extractor = HeaderExtractor::new(&request);
        assert_eq!(extractor.get_all("baggage"), Some(vec!["a=1", "b=2"]));
        assert_eq!(extractor.get_all("tracestate"), Some(vec![]), "the propagator says so");
    });
    let event = "WARN propagator.not_carried carrier=http direction=in header=baggage rule=not UTF-8 values=1 bytes=3 \
                 suppressed=0";
    assert_eq!(events, [event]);
}

#[test]
fn one_member_beyond_ascii_costs_no_line() {
    let request = map(&[("baggage", "a=1,b=\u{e9},c=3")]);
    assert_eq!(seen(&headers::extract(&both(), &request)), "- a=1,c=3");
}

const STRIPPED: &[(&str, &[&str], &[&str])] = &[
    ("nothing", &[], &["host", "b3", "uberctx-a", "uberctx-b", "uberctx"]),
    ("a name", &["b3"], &["host", "uberctx-a", "uberctx-b", "uberctx"]),
    ("whatever its case", &["B3", "Host"], &["uberctx-a", "uberctx-b", "uberctx"]),
    ("all that begin so", &["Uberctx-*"], &["host", "b3", "uberctx"]),
    ("all", &["*"], &[]),
    ("what is no name", &["not a name", ""], &["host", "b3", "uberctx-a", "uberctx-b", "uberctx"]),
];

#[test]
fn headers_are_stripped_by_name() {
    for &(rule, names, left) in STRIPPED {
        let mut request =
            map(&["host", "b3", "uberctx-a", "b3", "uberctx-b", "uberctx"].map(|name| (name, "1")));
        strip(&mut request, names);
        let mut seen: Vec<_> = request.keys().map(HeaderName::as_str).collect();
        seen.sort_by_key(|name| {
            ["host", "b3", "uberctx-a", "uberctx-b", "uberctx"].iter().position(|it| it == name)
        });
        assert_eq!(seen, left, "{rule}");
    }
}

#[test]
fn a_gateway_strips_what_it_only_reads() {
    let b3 = B3Propagator::new();
    let mut request = map(&[("b3", "0"), ("x-b3-sampled", "0"), ("host", "a")]);
    strip(&mut request, b3.fields().chain(["x-b3-*"]));
    assert_eq!(lines(&request), [("host", "a")]);
}

const TIMING: &[(&str, ServerTiming, Lines)] = &[
    (
        "W3C's draft",
        ServerTiming::trace(),
        &[("server-timing", "trace;desc=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
    ),
    (
        "what browsers' agents read",
        ServerTiming::traceparent(),
        &[("server-timing", "traceparent;desc=\"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\"")],
    ),
    (
        "other origins may read it",
        ServerTiming::trace().exposed(),
        &[
            ("server-timing", "trace;desc=00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("access-control-expose-headers", "Server-Timing"),
        ],
    ),
];

#[test]
fn a_response_names_the_trace_and_nothing_else() {
    let cx = context(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("baggage", "user.email=a@b.c")]);
    for &(rule, timing, expected) in TIMING {
        let mut response = HeaderMap::new();
        timing.apply(&cx, &mut response);
        assert_eq!(lines(&response), expected, "{rule}");
        let mut response = map(&[("server-timing", "db;dur=53"), ("access-control-expose-headers", "ETag")]);
        timing.apply(&cx, &mut response);
        assert_eq!(response.get_all("server-timing").iter().next().unwrap(), "db;dur=53", "{rule}: appended");
        assert_eq!(
            ServerTiming::read(&response).as_ref().map(|span| span.span_id().to_string()).as_deref(),
            Some("b7ad6b7169203331"),
            "{rule}"
        );
        let mut response = HeaderMap::new();
        timing.apply(&Context::new(), &mut response);
        assert!(response.is_empty(), "{rule}: no span");
    }
}

#[test]
fn flags_are_sampled_and_random() {
    for (flags, written, only_sampled) in
        [("00", "00", false), ("01", "01", true), ("02", "02", false), ("03", "03", true), ("ff", "03", true)]
    {
        let cx = context(&[(
            "traceparent",
            &format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"),
        )]);
        let mut response = HeaderMap::new();
        ServerTiming::trace().apply(&cx, &mut response);
        assert!(response["server-timing"].to_str().unwrap().ends_with(&format!("-{written}")), "{flags}");
        let mut response = HeaderMap::new();
        ServerTiming::trace().only_sampled().apply(&cx, &mut response);
        assert_eq!(!response.is_empty(), only_sampled, "{flags}");
    }
}

const IDS: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";

#[test]
fn a_response_is_read() {
    let rows: &[(&str, &[&str], Option<u8>)] = &[
        ("unquoted", &["trace;desc=00-IDS-01"], Some(1)),
        ("quoted", &["trace;desc=\"00-IDS-01\""], Some(1)),
        ("the other name", &["traceparent;desc=\"00-IDS-00\""], Some(0)),
        ("whatever its case, with spaces", &["  Trace ; DESC = 00-IDS-03 "], Some(3)),
        ("among others", &["db;dur=53, miss;desc=x,trace;dur=1;desc=00-IDS-01;x"], Some(1)),
        ("on another line", &["db;dur=53", "trace;desc=00-IDS-01"], Some(1)),
        (
            "the first that is valid",
            &["trace;desc=00-IDS,trace;desc=00-IDS-01,trace;desc=00-IDS-00"],
            Some(1),
        ),
        ("unknown flags are cleared", &["trace;desc=00-IDS-ff"], Some(3)),
        ("zero ids", &["trace;desc=00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"], None),
        ("another version", &["trace;desc=01-IDS-01"], None),
        ("upper case", &["trace;desc=00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"], None),
        ("a short id", &["trace;desc=00-0af7-b7ad6b7169203331-01"], None),
        ("too much", &["trace;desc=00-IDS-01-01"], None),
        ("half a quote", &["trace;desc=\"00-IDS-01"], None),
        ("a metric in a quoted string", &[r#"db;desc="a,trace;desc=00-IDS-01,b""#], None),
        ("a description in another's", &[r#"trace;x=";desc=00-IDS-00;";desc=00-IDS-01"#], Some(1)),
        (
            "a quote in a quoted string",
            &[r#"db;desc="\",trace;desc=00-IDS-01,\\",trace;desc=00-IDS-00"#],
            Some(0),
        ),
        ("beside what is not ASCII", &["db;desc=\"\u{e9}\", trace;desc=00-IDS-01"], Some(1)),
        ("another metric", &["traces;desc=00-IDS-01"], None),
        ("no description", &["trace;dur=1"], None),
        ("empty", &["", ",;,"], None),
    ];
    for &(rule, values, flags) in rows {
        let mut response = HeaderMap::new();
        for value in values {
            response.append("server-timing", value.replace("IDS", IDS).parse().unwrap());
        }
        let span = ServerTiming::read(&response);
        assert_eq!(span.as_ref().map(|span| span.trace_flags().to_u8()), flags, "{rule}");
        if let Some(span) = span {
            assert_eq!(format!("{}-{}", span.trace_id(), span.span_id()), IDS, "{rule}");
            assert!(span.is_remote(), "{rule}");
        }
    }
}

proptest! {
    #[test]
    fn any_line_is_read(name in "[a-z;=]{0,12}", value in prop::collection::vec(any::<u8>(), 0..32)) {
        let mut request = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            request.append("baggage", value.clone());
            request.append("server-timing", value);
        }
        let _ = ServerTiming::read(&request);
        let extractor = HeaderExtractor::new(&request);
        prop_assert_eq!(extractor.get("baggage"), std::str::from_utf8(&value).ok().filter(|_| !request.is_empty()));
        let mut written = HeaderMap::new();
        let text = String::from_utf8_lossy(&value).into_owned();
        headers::inject(&Sets(vec![(name.clone(), text.clone())]), &Context::new(), &mut written);
        prop_assert!(written.len() <= 1);
        for (_, value) in &written {
            prop_assert_eq!(value.as_bytes(), text.as_bytes());
        }
    }
}
