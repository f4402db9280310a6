//! What listens to events in a process: nobody, layers with filters of their own, or one that itself propagates.

use crate::carrier::Sent;
use arbitrary::Arbitrary;
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
use otel_b3::B3Propagator;
use otel_composite::CompositePropagator;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use std::{
    cell::Cell,
    collections::HashMap,
    fmt::{self, Write as _},
    sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};
use tracing::{
    Dispatch, Event, Subscriber, dispatcher,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{Layer, layer, layer::SubscriberExt as _};

/// What an application has set up.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(crate) enum Application {
    Silent,
    /// A console for errors, and a log of everything from INFO on, each with a filter of its own.
    Filtered,
    /// An exporter that sends each event to a collector, in a context of its own and with headers.
    Exporting,
}

/// The subscriber under which requests are handled.
#[derive(Debug)]
pub(crate) struct Subscribed(Application);

impl Application {
    pub(crate) fn run(self, handle: impl FnOnce(&Subscribed)) {
        static FILTERED: LazyLock<Dispatch> = LazyLock::new(|| {
            let errors = Console(&ERRORS).with_filter(LevelFilter::ERROR);
            let all = Console(&ALL).with_filter(LevelFilter::INFO);
            tracing_subscriber::registry().with(errors).with(all).into()
        });
        static EXPORTING: LazyLock<Dispatch> =
            LazyLock::new(|| tracing_subscriber::registry().with(Exporting).into());
        static UNTHROTTLED: LazyLock<()> =
            LazyLock::new(|| otel_propagator_core::diagnostics::set_throttled(false));
        LazyLock::force(&UNTHROTTLED);
        let subscribed = Subscribed(self);
        match self {
            Self::Silent => handle(&subscribed),
            Self::Filtered => dispatcher::with_default(&FILTERED, || handle(&subscribed)),
            Self::Exporting => dispatcher::with_default(&EXPORTING, || handle(&subscribed)),
        }
    }
}

impl Subscribed {
    /// An error of the application reaches every layer that wants it, whatever was told of headers before.
    pub(crate) fn errors_arrive(&self) {
        if !matches!(self.0, Application::Filtered) {
            return;
        }
        let shown = || [&ERRORS, &ALL].map(|console| console.load(Relaxed));
        // Other threads of a test may show errors as well, so that there may be more.
        let before = shown();
        tracing::error!("payment failed");
        let arrived = shown().iter().zip(before).all(|(now, before)| *now > before);
        law!(arrived, "an error of the application reaches the console");
    }
}

static ERRORS: AtomicU64 = AtomicU64::new(0);
static ALL: AtomicU64 = AtomicU64::new(0);

/// Counts the application's lines.
struct Console(&'static AtomicU64);

impl<S: Subscriber> Layer<S> for Console {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        if event.metadata().target() != otel_propagator_core::diagnostics::TARGET {
            self.0.fetch_add(1, Relaxed);
        }
    }
}

/// Attaches a context, receives into it and sends it, for each event.
struct Exporting;

static PROPAGATOR: LazyLock<CompositePropagator> = LazyLock::new(|| {
    CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(B3Propagator::single())
        .baggage(BaggagePropagator::new())
        .build()
});

thread_local!(static IS_EXPORTING: Cell<bool> = const { Cell::new(false) });

impl<S: Subscriber> Layer<S> for Exporting {
    fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
        if IS_EXPORTING.replace(true) {
            return;
        }
        let mut seen = Text::default();
        event.record(&mut seen);
        let suppressed = Context::current().with_telemetry_suppressed();
        let _attached = suppressed.with_baggage([KeyValue::new("event", seen.0)]).attach();
        let answer = HashMap::from([("traceparent".to_owned(), "x".to_owned())]);
        drop(PROPAGATOR.extract(&answer));
        let mut sent = Sent::default();
        PROPAGATOR.inject(&mut sent);
        law!(sent.get("baggage").is_some(), "the exporter's own request has its own baggage", sent);
        IS_EXPORTING.set(false);
    }
}

#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, _: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{value:?}");
    }
}
