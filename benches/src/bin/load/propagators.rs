//! The three chains that are compared.

use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_propagator_b3 as sdk_b3;
use opentelemetry_sdk::propagation as sdk;
use otel_composite::{
    B3Propagator, BaggagePropagator, CompositePropagator, TraceContextPropagator, extract_only, inject_only,
};
use std::sync::Arc;

type Propagator = Arc<dyn TextMapPropagator + Send + Sync>;

/// What each of the three services propagates with.
pub(crate) struct Propagators {
    pub(crate) name: &'static str,
    pub(crate) ours: bool,
    pub(crate) edge: Propagator,
    pub(crate) gateway: Propagator,
    pub(crate) leaf: Propagator,
}

/// The one without propagators comes first: the others are compared with it.
pub(crate) fn all() -> [Propagators; 3] {
    [none(), sdk(), ours()]
}

fn none() -> Propagators {
    let nothing: Propagator = Arc::new(TextMapCompositePropagator::new(Vec::new()));
    Propagators { name: "none", ours: false, edge: nothing.clone(), gateway: nothing.clone(), leaf: nothing }
}

fn sdk() -> Propagators {
    let b3 = || sdk_b3::Propagator::with_encoding(sdk_b3::B3Encoding::SingleHeader);
    let w3c = Arc::new(TextMapCompositePropagator::new(vec![
        Box::new(sdk::TraceContextPropagator::new()),
        Box::new(sdk::BaggagePropagator::new()),
    ]));
    let gateway = Arc::new(TextMapCompositePropagator::new(vec![
        Box::new(extract_only(sdk::TraceContextPropagator::new())),
        Box::new(inject_only(b3())),
        Box::new(sdk::BaggagePropagator::new()),
    ]));
    let leaf = Arc::new(TextMapCompositePropagator::new(vec![
        Box::new(b3()),
        Box::new(sdk::BaggagePropagator::new()),
    ]));
    Propagators { name: "opentelemetry_sdk", ours: false, edge: w3c, gateway, leaf }
}

fn ours() -> Propagators {
    let edge = CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .baggage(BaggagePropagator::new())
        .build();
    let gateway = CompositePropagator::builder()
        .trace(extract_only(TraceContextPropagator::new()))
        .trace(B3Propagator::single())
        .baggage(BaggagePropagator::new())
        .build();
    let leaf = CompositePropagator::builder()
        .trace(B3Propagator::single())
        .baggage(BaggagePropagator::new())
        .build();
    Propagators {
        name: "these crates",
        ours: true,
        edge: Arc::new(edge),
        gateway: Arc::new(gateway),
        leaf: Arc::new(leaf),
    }
}
