//! The events of the propagators, as one line each.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fmt::{self, Write as _},
    sync::{Arc, Mutex},
};
use tracing::{Event, Subscriber, field::Field};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _};

/// Collects what is emitted with the target of the propagators.
#[derive(Clone, Default)]
pub(crate) struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// Calls `run` and returns the events of this thread meanwhile.
    pub(crate) fn during(run: impl FnOnce()) -> Vec<String> {
        let events = Self::default();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(events.clone()), run);
        std::mem::take(&mut *events.0.lock().unwrap())
    }
}

impl<S: Subscriber> Layer<S> for Events {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != "otel_propagator" {
            return;
        }
        let mut line = Line(format!("{} {}", event.metadata().level(), event.metadata().name()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
}

struct Line(String);

impl tracing::field::Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() != "message" {
            write!(self.0, " {field}={value:?}").unwrap();
        }
    }
}
