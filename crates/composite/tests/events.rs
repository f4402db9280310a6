//! What the operator is told. A program of its own, because throttles last as long as the process.

#![allow(missing_docs, reason = "a test program")]

mod common;

use common::{House, headers};
use opentelemetry::{Context, propagation::TextMapPropagator};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use otel_composite::{CompositePropagator, ConflictExt, install};

const W3C: (&str, &str) = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
const SAME: (&str, &str) = ("x-house", "0af7651916cd43dd8448eb211c80319c-00000000000000c3");
const OTHER: (&str, &str) = ("x-house", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000c3");

fn propagator() -> CompositePropagator {
    CompositePropagator::builder().trace(TraceContextPropagator::new()).trace(House).build()
}

#[test]
fn a_conflict_is_one_event_with_the_headers_and_no_value() {
    let propagator = propagator();
    let extract = |pairs: &[_]| {
        let carrier = headers(pairs);
        testing::lines(|| drop(propagator.extract_with_context(&Context::new(), &carrier)))
    };
    assert_eq!(extract(&[W3C]), [""; 0]);
    assert_eq!(extract(&[W3C, SAME]), [""; 0]);
    assert_eq!(
        extract(&[W3C, OTHER]),
        ["WARN propagator.conflict chosen=traceparent not_chosen=x-house suppressed=0"]
    );
}

#[test]
fn conflicts_are_throttled_and_still_remembered() {
    let propagator = CompositePropagator::builder().trace(House).trace(TraceContextPropagator::new()).build();
    let carrier = headers(&[W3C, OTHER]);
    let events = testing::lines(|| {
        for _ in 0..1000 {
            let cx = propagator.extract_with_context(&Context::new(), &carrier);
            assert_eq!(cx.conflicting_span_contexts().len(), 1);
        }
    });
    assert_eq!(events.len(), 5);
}

#[test]
fn last_wins_reports_no_conflict() {
    let builder = CompositePropagator::builder().trace(TraceContextPropagator::new()).trace(House);
    let propagator = builder.last_wins(true).build();
    let carrier = headers(&[W3C, OTHER]);
    let events = testing::lines(|| drop(propagator.extract_with_context(&Context::new(), &carrier)));
    assert_eq!(events, [""; 0]);
}

/// Ours and another's are held to the same limits by one check.
#[cfg(feature = "w3c-baggage")]
#[test]
fn what_limits_leave_out_is_one_event() {
    use opentelemetry::{KeyValue, baggage::BaggageExt};
    use otel_composite::{BaggagePropagator, Limits};

    let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
    let ours = || CompositePropagator::builder().baggage(BaggagePropagator::new());
    let builders = [ours(), ours().trace(TraceContextPropagator::new()), ours().other(House)];
    for builder in builders {
        let propagator = builder.limits(Limits::new().max_members(1)).build();
        let events = testing::lines(|| propagator.inject_context(&cx, &mut headers(&[])));
        assert_eq!(events.len(), 1, "{propagator}: {events:?}");
        assert!(events.iter().all(|event| event.contains("left_out=1 kept=1 bytes=7")), "{events:?}");
    }
}

/// A relay keeps its baggage elsewhere, so that nobody sees in the context what it has read.
#[cfg(feature = "w3c-baggage")]
#[test]
fn what_a_relay_may_not_receive_is_told_of_as_of_any_other_baggage() {
    use otel_composite::{BaggagePropagator, Limits, RelayPropagator};

    let limits = |bytes| Limits::new().max_bytes(bytes);
    let builder = || CompositePropagator::builder().inbound_limits(limits("a=1,b=2".len()));
    let propagators = [
        builder().baggage(BaggagePropagator::new()).build(),
        builder().baggage(RelayPropagator::new()).build(),
        builder().baggage(RelayPropagator::new().with_limits(limits("a=1,b=2,c=3".len()))).build(),
    ];
    let received = headers(&[("baggage", "a=1,b=2,c=3")]);
    for propagator in propagators {
        let events = testing::lines(|| drop(propagator.extract_with_context(&Context::new(), &received)));
        assert_eq!(events.len(), 1, "{propagator}: {events:?}");
        assert!(events.iter().all(|event| event.contains("left_out=1 kept=2 bytes=11")), "{events:?}");
    }
}

#[test]
fn what_is_installed_is_told_once_on_one_line() {
    let propagator = propagator();
    let events = testing::lines(|| {
        let handle = install(propagator.clone());
        handle.inject_context(&Context::new(), &mut headers(&[]));
    });
    assert_eq!(events, [format!("INFO propagator.installed propagator={propagator}")]);
}

/// Each rule has a throttle of its own, so ten of one mistake do not hide another one of the same header.
#[cfg(feature = "tracecontext")]
#[test]
fn ten_zero_trace_ids_do_not_hide_a_zero_parent_id() {
    let propagator =
        CompositePropagator::builder().trace(otel_composite::TraceContextPropagator::new()).build();
    let told = |times: usize, value: &str| {
        let carrier = headers(&[("traceparent", value)]);
        let events = testing::lines(|| {
            for _ in 0..times {
                drop(propagator.extract_with_context(&Context::new(), &carrier));
            }
        });
        events
            .into_iter()
            .filter_map(|event| Some(event.split_once("rule=")?.1.to_owned()))
            .collect::<Vec<_>>()
    };
    let trace_id = told(10, "00-00000000000000000000000000000000-b7ad6b7169203331-01");
    assert_eq!(trace_id, ["trace-id is all zeroes bytes=55 suppressed=0"; 5]);
    let parent_id = told(1, "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01");
    assert_eq!(parent_id, ["parent-id is all zeroes bytes=55 suppressed=0"]);
}
