//! In a process of its own: whether a sampler was built is known of the whole process, and the hint comes once.

use opentelemetry::{Context, propagation::TextMapPropagator};
use opentelemetry_sdk::trace::Sampler;
use otel_b3::{B3Propagator, DecisionSampler};
use otel_propagator_core::sampling::is_decision_sampler_installed;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer, layer::SubscriberExt as _};

/// The names of the events.
#[derive(Clone, Debug, Default)]
struct Names(Arc<Mutex<Vec<&'static str>>>);

impl<S: Subscriber> Layer<S> for Names {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(event.metadata().name());
    }
}

fn told_of(value: &str) -> Vec<&'static str> {
    let names = Names::default();
    let carrier = HashMap::from([("b3".to_owned(), value.to_owned())]);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(names.clone()), || {
        drop(B3Propagator::new().extract_with_context(&Context::new(), &carrier));
    });
    std::mem::take(&mut *names.0.lock().unwrap_or_else(PoisonError::into_inner))
}

#[test]
fn a_state_that_nobody_asks_for_is_told_of_once() {
    let ids = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1";
    for decided in ["-0", "-1"] {
        assert_eq!(told_of(&format!("{ids}{decided}")), [""; 0], "the flag says it");
    }
    assert!(!is_decision_sampler_installed());
    assert_eq!(told_of(ids), ["propagator.no_decision_sampler"]);
    for again in [ids, "0", "d"] {
        assert_eq!(told_of(again), [""; 0]);
    }
    let _sampler = DecisionSampler::new(Sampler::AlwaysOn);
    assert!(is_decision_sampler_installed());
}
