//! A bad header of each format with a subscriber, on a target that has no clock and no console: nothing may trap, and
//! every header causes its event. `node testing/whole-process/run-wasm.mjs FILE` runs it.

use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_b3::B3Propagator;
use otel_propagator_core::diagnostics::BURST;
use otel_tracecontext::TraceContextPropagator;
use std::{
    collections::HashMap,
    process::ExitCode,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};
use tracing::{Event, Subscriber};
use tracing_subscriber::{Layer, layer, layer::SubscriberExt as _};

static SEEN: AtomicUsize = AtomicUsize::new(0);

struct Counting;

impl<S: Subscriber> Layer<S> for Counting {
    fn on_event(&self, _: &Event<'_>, _: layer::Context<'_, S>) {
        SEEN.fetch_add(1, Relaxed);
    }
}

fn main() -> ExitCode {
    let formats: [(&str, &dyn TextMapPropagator); 2] =
        [("traceparent", &TraceContextPropagator::new()), ("b3", &B3Propagator::new())];
    let expected = formats.len() * BURST;
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Counting), || {
        for (header, propagator) in formats {
            let bad = HashMap::from([(header.to_owned(), "x".to_owned())]);
            for _ in 0..2 * BURST {
                drop(propagator.extract(&bad));
                drop(propagator.extract_with_context(&Context::new(), &bad));
            }
        }
    });
    if SEEN.load(Relaxed) == expected { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
