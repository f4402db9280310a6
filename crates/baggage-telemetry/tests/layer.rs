//! Entries on the lines of `tracing_subscriber::fmt`.

#![cfg(feature = "json")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::context;
use opentelemetry::{Context, trace::TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_baggage_telemetry::{BaggageLayer, Entries, Keys};
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing::{Subscriber, field, info, info_span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, Registry, fmt::format::JsonFields, layer::SubscriberExt};

const TENANT: Keys = Keys::of(&["tenant"]);

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<String> {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap().lines().map(str::to_owned).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The layer that writes here, without what differs from run to run.
    fn text<S: Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>>(&self) -> impl Layer<S> {
        let writer = self.clone();
        let layer = tracing_subscriber::fmt::layer().without_time().with_target(false).with_level(false);
        layer.with_ansi(false).with_writer(move || writer.clone())
    }
}

/// What is written while `run` is called with the tenant in the current context.
fn lines(entries: impl Into<Entries>, baggage: &[(&str, &str)], run: impl FnOnce()) -> Vec<String> {
    let log = Log::default();
    let subscriber = Registry::default().with(log.text()).with(BaggageLayer::new(entries));
    let _current = context(baggage.iter().copied()).attach();
    tracing::subscriber::with_default(subscriber, run);
    log.lines()
}

fn acme(run: impl FnOnce()) -> Vec<String> {
    lines(TENANT, &[("tenant", "acme"), ("user.email", "j@e.com")], run)
}

#[test]
fn spans_and_the_events_in_them() {
    let found = acme(|| {
        info!("outside of any span");
        let outer = info_span!("outer", order = 7);
        outer.in_scope(|| {
            info!(paid = true, "in a span");
            info_span!("inner").in_scope(|| info!("below"));
        });
        outer.in_scope(|| info!("once more"));
    });
    let expected = [
        "outside of any span",
        "outer{order=7 tenant=\"acme\"}: in a span paid=true",
        "outer{order=7 tenant=\"acme\"}:inner{tenant=\"acme\"}: below",
        "outer{order=7 tenant=\"acme\"}: once more",
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_field_that_has_a_value_is_not_written_twice() {
    let found = acme(|| {
        info_span!("with a value", tenant = "ours").in_scope(|| info!("a"));
        info_span!("without one", tenant = field::Empty).in_scope(|| info!("b"));
        let span = info_span!("recorded before", tenant = field::Empty, region = field::Empty);
        span.record("region", "eu");
        span.record("tenant", "ours");
        span.in_scope(|| info!("c"));
    });
    let expected = [
        "with a value{tenant=\"ours\"}: a",
        "without one{tenant=\"acme\"}: b",
        "recorded before{region=\"eu\" tenant=\"ours\"}: c",
    ];
    assert_eq!(found, expected);
    let prefixed = Entries::of(TENANT).prefix("baggage.");
    let found =
        lines(prefixed, &[("tenant", "acme")], || info_span!("s", tenant = "ours").in_scope(|| info!("d")));
    assert_eq!(found, ["s{tenant=\"ours\" baggage.tenant=\"acme\"}: d"]);
}

#[test]
fn a_caller_can_neither_end_a_line_nor_add_a_field() {
    let hostile = "a\"} tenant=\"b\n\u{1b}[31mforged\r\u{2028}";
    let found = lines(TENANT, &[("tenant", hostile)], || info_span!("s").in_scope(|| info!("e")));
    assert_eq!(found, [r#"s{tenant="a\"} tenant=\"b\n\u{1b}[31mforged\r\u{2028}"}: e"#]);
}

#[test]
fn the_context_at_the_first_entry_that_has_entries() {
    let log = Log::default();
    let subscriber = Registry::default().with(log.text()).with(BaggageLayer::new(TENANT));
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("s");
        span.in_scope(|| info!("before"));
        {
            let _current = context([("page", "of no interest")]).attach();
            span.in_scope(|| info!("others"));
        }
        let _current = context([("tenant", "first")]).attach();
        span.in_scope(|| info!("first"));
        let _current = context([("tenant", "second")]).attach();
        span.in_scope(|| info!("second"));
    });
    assert_eq!(
        log.lines(),
        ["s: before", "s: others", "s{tenant=\"first\"}: first", "s{tenant=\"first\"}: second"]
    );
}

#[test]
fn objects_of_json() {
    let log = Log::default();
    let writer = log.clone();
    let json = tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone());
    let entries = Entries::of(Keys::of(&["tenant", "cohort"]));
    let subscriber =
        Registry::default().with(json).with(BaggageLayer::new(entries).with_fields::<JsonFields>());
    let _current = context([("tenant", "a\"\\\n\u{1}é"), ("cohort", "b")]).attach();
    tracing::subscriber::with_default(subscriber, || {
        info_span!("with", order = 7).in_scope(|| info!("a"));
        info_span!("without").in_scope(|| info!("b"));
        info_span!("own", tenant = "ours").in_scope(|| info!("c"));
    });
    let spans: Vec<_> = log
        .lines()
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["span"].clone())
        .collect();
    let expected = [
        serde_json::json!({"name": "with", "order": 7, "tenant": "a\"\\\n\u{1}é", "cohort": "b"}),
        serde_json::json!({"name": "without", "tenant": "a\"\\\n\u{1}é", "cohort": "b"}),
        serde_json::json!({"name": "own", "tenant": "ours", "cohort": "b"}),
    ];
    assert_eq!(spans, expected);
}

/// Each layer of `fmt` has its own fields, and its own of ours.
#[test]
fn text_and_json_at_once() {
    let (log, objects) = (Log::default(), Log::default());
    let writer = objects.clone();
    let subscriber = Registry::default()
        .with(log.text())
        .with(tracing_subscriber::fmt::layer().json().with_writer(move || writer.clone()))
        .with(BaggageLayer::new(TENANT))
        .with(BaggageLayer::new(TENANT).with_fields::<JsonFields>());
    let _current = context([("tenant", "acme")]).attach();
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("s", tenant = field::Empty);
        span.in_scope(|| info!("a"));
    });
    assert_eq!(log.lines(), ["s{tenant=\"acme\"}: a"]);
    assert!(objects.lines()[0].contains(r#""span":{"tenant":"acme","name":"s"}"#), "{:?}", objects.lines());
}

/// It stands behind the layer that makes a span's context current; in front of it, it does not see the context of a
/// span that the same call makes current.
#[test]
fn its_place_beside_tracing_opentelemetry() {
    let traces = SdkTracerProvider::builder().build();
    let run = || {
        let span = info_span!("request");
        span.set_parent(context([("tenant", "acme")])).unwrap();
        span.in_scope(|| info_span!("inner").in_scope(|| info!("a")));
    };
    let rows = [
        ("behind it", true, "request{tenant=\"acme\"}:inner{tenant=\"acme\"}: a"),
        ("in front of it", false, "request:inner{tenant=\"acme\"}: a"),
    ];
    for (place, is_behind, expected) in rows {
        let log = Log::default();
        let opentelemetry = traces.tracer("test");
        let ours = BaggageLayer::new(TENANT);
        let subscriber: Box<dyn Subscriber + Send + Sync> = if is_behind {
            Box::new(
                Registry::default()
                    .with(tracing_opentelemetry::layer().with_tracer(opentelemetry))
                    .with(ours)
                    .with(log.text()),
            )
        } else {
            Box::new(
                Registry::default()
                    .with(ours)
                    .with(log.text())
                    .with(tracing_opentelemetry::layer().with_tracer(opentelemetry)),
            )
        };
        tracing::subscriber::with_default(subscriber, run);
        assert_eq!(log.lines(), [expected], "{place}");
    }
}

/// A filter of one layer hides spans from it; nothing is written for these, and no event is swallowed.
#[test]
fn beside_filters_of_single_layers() {
    let (all, errors) = (Log::default(), Log::default());
    let subscriber = Registry::default()
        .with(all.text().with_filter(LevelFilter::INFO))
        .with(errors.text().with_filter(LevelFilter::ERROR))
        .with(BaggageLayer::new(TENANT).with_filter(LevelFilter::INFO));
    let _current = context([("tenant", "acme")]).attach();
    tracing::subscriber::with_default(subscriber, || {
        tracing::error_span!("e").in_scope(|| {
            info_span!("i").in_scope(|| {
                info!("a");
                tracing::debug_span!("d").in_scope(|| tracing::error!("b"));
            });
        });
    });
    let (e, i) = ("e{tenant=\"acme\"}", "i{tenant=\"acme\"}");
    assert_eq!(all.lines(), [format!("{e}:{i}: a"), format!("{e}:{i}: b")]);
    assert_eq!(errors.lines(), [format!("{e}: b")]);
}

/// A span is entered while the current context is borrowed, as it is in a propagator that traces.
#[test]
fn under_a_borrow_of_the_context() {
    let found = acme(|| Context::map_current(|_| info_span!("s").in_scope(|| info!("a"))));
    assert_eq!(found, ["s{tenant=\"acme\"}: a"]);
}

#[test]
fn it_shows_its_entries() {
    let entries = Entries::from(TENANT);
    let shown = format!("BaggageLayer({entries:?})");
    assert_eq!(format!("{:?}", BaggageLayer::new(entries)), shown);
    assert!(shown.contains("tenant"), "{shown}");
}
