//! Baggage in headers of its own: what is read, what is sent, and what is told.

mod common;

use common::{Headers, extract_with, headers, inject_with, uber};
use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
    trace::TraceContextExt,
};
use opentelemetry_http::HeaderExtractor;
use otel_baggage_limits::{BothWays, Observer, Reason};
use otel_jaeger::{JaegerPropagator, Limits, PrefixedBaggage};
use proptest::{collection::btree_map, prelude::*};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};
use testing::lines;

fn both() -> JaegerPropagator {
    JaegerPropagator::new().with_baggage(PrefixedBaggage::both())
}

fn within(limits: Limits) -> JaegerPropagator {
    JaegerPropagator::new().with_baggage(PrefixedBaggage::both().with_limits(limits))
}

/// Keys and values, sorted.
fn read(cx: &Context) -> Vec<(String, String)> {
    let entries = cx.baggage().into_iter().map(|(key, (value, _))| (key.to_string(), value.to_string()));
    entries.collect::<BTreeMap<_, _>>().into_iter().collect()
}

fn received(request: &[(&str, &str)]) -> Vec<(String, String)> {
    read(&extract_with(&both(), &Context::new(), &headers(request.iter().copied())))
}

fn entries(entries: &[(&str, &str)]) -> Vec<(String, String)> {
    entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

type Pairs = &'static [(&'static str, &'static str)];

#[test]
fn what_is_read() {
    let rows: [(&str, Pairs, Pairs); 18] = [
        (
            "Jaeger's own example",
            &[("uberctx-key1", "value%201%20%2F%20blah")],
            &[("key1", "value 1 / blah")],
        ),
        ("several", &[("uberctx-a", "1"), ("uberctx-b", "2")], &[("a", "1"), ("b", "2")]),
        ("a comma", &[("uberctx-key2", "a,b")], &[("key2", "a,b")]),
        ("a plus sign is a space", &[("uberctx-a", "a+b")], &[("a", "a b")]),
        ("lower-case escapes", &[("uberctx-a", "%c3%a9%3a")], &[("a", "é:")]),
        ("empty", &[("uberctx-a", "")], &[("a", "")]),
        ("an equals sign", &[("uberctx-a", "b=c")], &[("a", "b=c")]),
        ("a bad escape costs that entry", &[("uberctx-a", "5%"), ("uberctx-b", "2")], &[("b", "2")]),
        ("no key", &[("uberctx-", "1")], &[]),
        ("another prefix", &[("uberctx", "1"), ("x-uberctx-a", "1"), ("ot-baggage-a", "1")], &[]),
        ("a key that is no token", &[("uberctx-a b", "1"), ("uberctx-c", "2")], &[("c", "2")]),
        ("beyond ASCII in a name", &[("uberctx-é", "1"), ("ubercté", "1")], &[]),
        ("the case of a name", &[("UberCtx-Key", "V")], &[("key", "V")]),
        // jaeger-baggage
        (
            "a list",
            &[("jaeger-baggage", "nometa = nometa-value , meta = meta-value")],
            &[("meta", "meta-value"), ("nometa", "nometa-value")],
        ),
        ("what is no pair", &[("jaeger-baggage", "nometa+novalue")], &[]),
        ("beside a pair", &[("jaeger-baggage", "a=1,b,c=3")], &[("a", "1"), ("c", "3")]),
        ("empty elements", &[("jaeger-baggage", ",, a=1 ,")], &[("a", "1")]),
        ("beside a trace it does not count", &[("jaeger-baggage", "a=1"), ("uber-trace-id", "1:2:0:1")], &[]),
    ];
    for (rule, request, expected) in rows {
        // `HashMap` finds names of lower case alone, as HTTP has them.
        let request: Vec<_> = request.iter().map(|(name, value)| (name.to_lowercase(), *value)).collect();
        let cx = extract_with(&both(), &Context::new(), &headers(request.iter().cloned()));
        assert_eq!(read(&cx), entries(expected), "{rule}: {request:?}");
        let off = extract_with(&JaegerPropagator::new(), &Context::new(), &headers(request));
        assert_eq!(read(&off), [], "{rule}: off");
    }
}

#[test]
fn what_is_received_is_added_to_what_is_there() {
    let mut there = Baggage::new();
    there.insert("tenant", "acme");
    there.insert_with_metadata("user", "amy", "ttl=1");
    let cx = Context::new().with_baggage(there);
    let request = headers([("uberctx-tenant", "other"), ("uberctx-user", "amy"), ("uberctx-new", "1")]);
    let cx = extract_with(&both(), &cx, &request);
    assert_eq!(read(&cx), entries(&[("new", "1"), ("tenant", "other"), ("user", "amy")]));
    let metadata = cx.baggage().get_with_metadata("user").map(|(_, metadata)| metadata.as_str().to_owned());
    assert_eq!(metadata.as_deref(), Some("ttl=1"), "what says the same keeps its metadata");

    let nothing = extract_with(&both(), &cx, &headers([("uberctx-a", "%"), ("jaeger-baggage", "x")]));
    assert_eq!(read(&nothing), read(&cx), "where nothing can be read, the baggage stays");
}

#[test]
fn what_is_sent() {
    let cx = Context::new().with_baggage([
        KeyValue::new("key1", "value 1 / blah"),
        KeyValue::new("plus", "a+b"),
        KeyValue::new("é", "not a token"),
    ]);
    let sent = headers([("uberctx-key1", "value%201%20%2F%20blah"), ("uberctx-plus", "a%2Bb")]);
    assert_eq!(inject_with(&both(), &cx), sent, "without a span too");
    // Names of headers have no case, so the next hop could not tell these apart.
    let cases = ["b", "A", "a"].map(|key| KeyValue::new(key, key));
    let sent = headers([("uberctx-a", "A"), ("uberctx-b", "b")]);
    assert_eq!(inject_with(&both(), &Context::new().with_baggage(cases)), sent, "lower case");
    for mode in [PrefixedBaggage::off(), PrefixedBaggage::extract_only()] {
        assert!(inject_with(&JaegerPropagator::new().with_baggage(mode.clone()), &cx).is_empty(), "{mode:?}");
    }
    let with_span = extract_with(&both(), &cx, &uber("1"));
    assert_eq!(inject_with(&both(), &with_span).len(), 3);
}

#[test]
fn limits_count_lines_of_http() {
    let line = "uberctx-a: 1\r\n".len();
    let request = headers([("uberctx-a", "1"), ("uberctx-b", "2"), ("uberctx-c", "3")]);
    // The first line counts without one byte, as there is no comma before it.
    for (bytes, kept) in
        [(line - 2, 0), (line - 1, 1), (2 * line - 2, 1), (2 * line - 1, 2), (3 * line - 1, 3)]
    {
        let limited = within(Limits::new().max_bytes(bytes));
        let cx = extract_with(&limited, &Context::new(), &request);
        assert_eq!(cx.baggage().len(), kept, "{bytes} bytes read");
        let all = extract_with(&both(), &Context::new(), &request);
        assert_eq!(inject_with(&limited, &all).len(), kept, "{bytes} bytes sent");
    }
    let first = within(Limits::new().max_members(1).keep_first(&["c"]));
    assert_eq!(read(&extract_with(&first, &Context::new(), &request)), entries(&[("c", "3")]));
    let denied = within(Limits::new().deny(&["a", "b"]));
    assert_eq!(read(&extract_with(&denied, &Context::new(), &request)), entries(&[("c", "3")]));

    let many = headers((0..1000).map(|at| (format!("uberctx-{at:04}"), "x")));
    assert_eq!(extract_with(&both(), &Context::new(), &many).baggage().len(), 64);
    let huge = headers([("jaeger-baggage", "a=1,".repeat(1 << 18))]);
    assert_eq!(received(&[("jaeger-baggage", &huge["jaeger-baggage"])]), entries(&[("a", "1")]));
}

#[test]
fn what_is_left_out_is_told_of_without_a_key_or_a_value() {
    let told = lines(|| {
        received(&[("uberctx-secret", "SECRET%"), ("uberctx-other", "1")]);
    });
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("WARN propagator.left_out header=uberctx- direction=in "), "{told:?}");
    assert!(!told[0].to_lowercase().contains("secret"), "{told:?}");
}

#[test]
fn headers_of_http_are_read() {
    let mut lines = http::HeaderMap::new();
    for (name, value) in [("Uberctx-Tenant", "acme"), ("uberctx-tenant", "second"), ("accept", "*/*")] {
        let name = name.parse::<http::HeaderName>().unwrap_or_else(|_| unreachable!());
        lines.append(name, http::HeaderValue::from_static(value));
    }
    let cx = both().extract_with_context(&Context::new(), &HeaderExtractor(&lines));
    assert_eq!(read(&cx), entries(&[("tenant", "acme")]), "of a name that comes twice the first line counts");
}

#[test]
fn each_way_has_limits_and_whoever_asked_is_told() {
    let told = Arc::new(AtomicUsize::new(0));
    let one = || Limits::new().max_members(1);
    for (inbound, outbound) in [(1, 2), (2, 1), (1, 1), (2, 2)] {
        let asked = told.clone();
        let mut limits = BothWays::new();
        limits.observer = Observer::new(move |report| {
            asked.fetch_add(report.left_out(Reason::TooManyMembers), Relaxed);
        });
        if inbound == 1 {
            limits.inbound = one();
        }
        if outbound == 1 {
            limits.outbound = one();
        }
        let propagator = JaegerPropagator::new().with_baggage(PrefixedBaggage::both().with_limits(limits));
        let request = headers([("uberctx-a", "1"), ("uberctx-b", "2")]);
        let cx = extract_with(&propagator, &Context::new(), &request);
        assert_eq!(cx.baggage().len(), inbound);
        assert_eq!(told.swap(0, Relaxed), 2 - inbound);
        let all = extract_with(&both(), &Context::new(), &request);
        let sent = inject_with(&propagator, &all);
        assert_eq!(sent.keys().filter(|name| name.starts_with("uberctx-")).count(), outbound);
        assert_eq!(told.swap(0, Relaxed), 2 - outbound);
    }
}

proptest! {
    #[test]
    fn what_is_sent_is_read_as_the_same(baggage in btree_map("[a-z0-9-]{1,8}", ".{0,20}", 0..20)) {
        let cx = Context::new().with_baggage(baggage.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
        let sent = inject_with(&both(), &cx);
        prop_assert!(sent.values().all(|value| value.bytes().all(|byte| byte.is_ascii_graphic())), "{:?}", sent);
        let again = extract_with(&both(), &Context::new(), &sent);
        prop_assert_eq!(read(&again), read(&cx));
        prop_assert_eq!(inject_with(&both(), &again), sent);
    }

    #[test]
    fn no_headers_panic_or_make_more_than_the_limits_admit(
        request in btree_map("(uberctx-|jaeger-baggage)[a-z =,%]{0,6}", ".{0,30}|[a-z=,% +]{0,60}", 0..8),
        members in 0..4_usize,
    ) {
        let limited = within(Limits::new().max_members(members));
        let request: Headers = request;
        let cx = extract_with(&limited, &Context::new(), &request);
        // `jaeger-baggage` and the headers count apart.
        prop_assert!(cx.baggage().len() <= 2 * members);
        prop_assert!(!cx.span().span_context().is_valid());
        prop_assert!(inject_with(&limited, &cx).len() <= members);
    }
}
