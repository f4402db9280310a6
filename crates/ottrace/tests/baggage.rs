//! Baggage in headers of its own.

mod common;

use common::{Headers, SHORT, SPAN, busy, extract_with, headers, inject_with, ot};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
use otel_baggage_limits::{BothWays, Observer, Reason};
use otel_ottrace::{Limits, OtTracePropagator, PrefixedBaggage};
use proptest::{collection::btree_map, prelude::*};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

fn both() -> OtTracePropagator {
    OtTracePropagator::new().with_baggage(PrefixedBaggage::both())
}

fn within(limits: Limits) -> OtTracePropagator {
    OtTracePropagator::new().with_baggage(PrefixedBaggage::both().with_limits(limits))
}

/// A request with a trace and these headers beside it.
fn with_trace<V: ToString>(others: impl IntoIterator<Item = (&'static str, V)>) -> Headers {
    ot(Some("true")).into_iter().chain(headers(others)).collect()
}

fn read(cx: &Context) -> BTreeMap<String, String> {
    cx.baggage().into_iter().map(|(key, (value, _))| (key.to_string(), value.to_string())).collect()
}

#[test]
fn values_are_read_and_sent_as_they_are() {
    let rows = [
        ("a word", "acme", true),
        ("spaces within", "a b", true),
        ("what looks like an escape", "%41", true),
        ("a comma", "a,b;c=d\"", true),
        ("empty", "", true),
        ("a space before", " a", false),
        ("a space after", "a ", false),
        ("beyond ASCII", "é", false),
        ("a line end", "a\r\nx: y", false),
    ];
    for (rule, value, carried) in rows {
        let expected = Some(value.to_owned()).filter(|_| carried);
        let cx = extract_with(&both(), &Context::new(), &with_trace([("ot-baggage-key", value)]));
        assert_eq!(read(&cx).remove("key"), expected, "{rule}: read");
        let cx = extract_with(&both(), &Context::new(), &with_trace::<&str>([]))
            .with_baggage([KeyValue::new("key", value)]);
        assert_eq!(inject_with(&both(), &cx).remove("ot-baggage-key"), expected, "{rule}: sent");
    }
}

#[test]
fn baggage_goes_with_a_trace_alone() {
    let alone = headers([("ot-baggage-key", "1")]);
    assert!(read(&extract_with(&both(), &Context::new(), &alone)).is_empty());
    let cx = Context::new().with_baggage([KeyValue::new("key", "1")]);
    assert!(inject_with(&both(), &cx).is_empty());
}

#[test]
fn it_is_off_unless_asked_for() {
    let request = with_trace([("ot-baggage-key", "1")]);
    assert!(read(&extract_with(&OtTracePropagator::new(), &Context::new(), &request)).is_empty());
    for mode in [PrefixedBaggage::off(), PrefixedBaggage::extract_only()] {
        let sent = inject_with(&OtTracePropagator::new().with_baggage(mode.clone()), &busy());
        assert!(!sent.contains_key("ot-baggage-tenant"), "{mode:?}");
    }
    assert_eq!(inject_with(&both(), &busy())["ot-baggage-tenant"], "acme");
}

#[test]
fn limits_hold_both_ways() {
    let limited = within(Limits::new().max_members(1).keep_first(&["b"]));
    let request = with_trace([("ot-baggage-a", "1"), ("ot-baggage-b", "2")]);
    assert_eq!(read(&extract_with(&limited, &Context::new(), &request)), headers([("b", "2")]));
    let all = extract_with(&both(), &Context::new(), &request);
    assert_eq!(inject_with(&limited, &all), with_trace([("ot-baggage-b", "2")]));
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
        let propagator = OtTracePropagator::new().with_baggage(PrefixedBaggage::both().with_limits(limits));
        let request = with_trace([("ot-baggage-a", "1"), ("ot-baggage-b", "2")]);
        let cx = extract_with(&propagator, &Context::new(), &request);
        assert_eq!(cx.baggage().len(), inbound);
        assert_eq!(told.swap(0, Relaxed), 2 - inbound);
        let all = extract_with(&both(), &Context::new(), &request);
        let sent = inject_with(&propagator, &all);
        assert_eq!(sent.keys().filter(|name| name.starts_with("ot-baggage-")).count(), outbound);
        assert_eq!(told.swap(0, Relaxed), 2 - outbound);
    }
}

proptest! {
    #[test]
    fn what_is_sent_is_read_as_the_same(baggage in btree_map("[a-z0-9-]{1,8}", "[ -~]{0,20}|.{0,4}", 0..20)) {
        let span = headers([("ot-tracer-traceid", SHORT), ("ot-tracer-spanid", SPAN)]);
        let cx = extract_with(&both(), &Context::new(), &span)
            .with_baggage(baggage.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())));
        let sent = inject_with(&both(), &cx);
        let again = extract_with(&both(), &Context::new(), &sent);
        let (mine, all) = (read(&again), read(&cx));
        prop_assert!(mine.iter().all(|(key, value)| all.get(key) == Some(value)));
        prop_assert_eq!(inject_with(&both(), &again), sent);
    }
}
