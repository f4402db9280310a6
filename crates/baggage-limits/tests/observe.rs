//! Who counts is told of every report, and of no other.
#![cfg(feature = "observe")]

use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
use opentelemetry_sdk::propagation::BaggagePropagator;
use otel_baggage_limits::{
    Limited, Limits, Report,
    observe::{Observer, observed},
};
use otel_propagator_core::diagnostics::Direction;
use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

#[derive(Default)]
struct Calls(AtomicUsize);

impl Calls {
    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Observer for Calls {
    fn report(&self, _: &Report, _: Direction) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn send(max_members: usize) {
    let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
    let propagator = Limited::new(BaggagePropagator::new(), Limits::new().max_members(max_members));
    propagator.inject_context(&cx, &mut HashMap::new());
}

#[test]
fn a_header_that_goes_whole_is_nothing_to_count() {
    let calls = Arc::new(Calls::default());
    observed(calls.clone(), || send(2));
    assert_eq!(calls.number(), 0);
    observed(calls.clone(), || (0..100).for_each(|_| send(1)));
    assert_eq!(calls.number(), 100);
}

#[test]
fn the_inner_observer_takes_the_place_of_the_outer_one_until_it_is_done() {
    let (outer, inner) = (Arc::new(Calls::default()), Arc::new(Calls::default()));
    observed(outer.clone(), || {
        send(1);
        observed(inner.clone(), || send(1));
        let unwound = catch_unwind(AssertUnwindSafe(|| {
            observed(inner.clone(), || std::panic::resume_unwind(Box::new(())))
        }));
        assert!(unwound.is_err());
        send(1);
    });
    send(1);
    assert_eq!((outer.number(), inner.number()), (2, 1));
}
