//! Entries on the log records of the SDK, by way of `tracing` and without.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::context;
use opentelemetry::{
    Context, InstrumentationScope,
    logs::{AnyValue, LogRecord as _, Logger, LoggerProvider, Severity},
    trace::{FutureExt, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{InMemoryLogExporter, LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider},
    trace::{Sampler, SdkTracerProvider},
};
use otel_baggage_telemetry::{BaggageLogProcessor, Entries, Keys};
use std::sync::{Arc, Mutex};
use tracing::{Instrument, info, info_span, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, layer::SubscriberExt};

const TENANT: Keys = Keys::of(&["tenant"]);

fn logging(entries: impl Into<Entries>) -> (SdkLoggerProvider, InMemoryLogExporter) {
    let exporter = InMemoryLogExporter::default();
    let provider = SdkLoggerProvider::builder()
        .with_log_processor(BaggageLogProcessor::new(entries))
        .with_simple_exporter(exporter.clone())
        .build();
    (provider, exporter)
}

fn acme() -> Context {
    context([("tenant", "acme"), ("user.email", "jane@example.com")])
}

/// Each record's body, whether it has a trace, and its attributes.
fn records(exporter: &InMemoryLogExporter) -> Vec<(String, bool, Vec<String>)> {
    let mut found = Vec::new();
    for log in exporter.get_emitted_logs().unwrap() {
        let text = |value: &AnyValue| match value {
            AnyValue::String(text) => text.to_string(),
            other => format!("{other:?}"),
        };
        let attributes = log.record.attributes_iter().map(|(key, value)| format!("{key}={}", text(value)));
        let body = log.record.body().map(text).unwrap_or_default();
        found.push((body, log.record.trace_context().is_some(), attributes.collect()));
    }
    found
}

fn attributes(exporter: &InMemoryLogExporter) -> Vec<Vec<String>> {
    records(exporter).into_iter().map(|record| record.2).collect()
}

fn log(logger: &SdkLogger, own: &[(&'static str, &'static str)]) {
    let mut record = logger.create_log_record();
    record.add_attributes(own.iter().copied());
    logger.emit(record);
}

#[test]
fn the_context_that_is_current_at_the_call() {
    let (provider, exporter) = logging(TENANT);
    let logger = provider.logger("test");
    log(&logger, &[]);
    {
        let _current = acme().attach();
        log(&logger, &[]);
        let _inner = context([("tenant", "globex")]).attach();
        log(&logger, &[]);
    }
    log(&logger, &[]);
    assert_eq!(attributes(&exporter), [&[][..], &["tenant=acme"], &["tenant=globex"], &[]]);
}

#[test]
fn an_attribute_that_a_record_has_stays_alone() {
    let rows: [(&str, Entries, &[_], &[&str]); 4] = [
        ("the same name", TENANT.into(), &[("tenant", "ours")], &["tenant=ours"]),
        ("another name", TENANT.into(), &[("order", "7")], &["order=7", "tenant=acme"]),
        (
            "another name with a prefix",
            Entries::of(TENANT).prefix("b."),
            &[("tenant", "ours")],
            &["tenant=ours", "b.tenant=acme"],
        ),
        (
            "the name with the prefix",
            Entries::of(TENANT).prefix("b."),
            &[("b.tenant", "ours")],
            &["b.tenant=ours"],
        ),
    ];
    let _current = acme().attach();
    for (rule, entries, own, expected) in rows {
        let (provider, exporter) = logging(entries);
        log(&provider.logger("test"), own);
        assert_eq!(attributes(&exporter), [expected], "{rule}");
    }
}

/// Propagators and others log while the current context is borrowed. The SDK's simple exporter attaches a context, and
/// so panics there; one that queues records does not.
#[test]
fn a_log_call_under_a_borrow_of_the_context() {
    #[derive(Clone, Debug, Default)]
    struct Queue(Arc<Mutex<Vec<SdkLogRecord>>>);
    impl LogProcessor for Queue {
        fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
            self.0.lock().unwrap().push(record.clone());
        }
        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }
    }
    let (ours, queue) = (BaggageLogProcessor::new(TENANT), Queue::default());
    let provider =
        SdkLoggerProvider::builder().with_log_processor(ours).with_log_processor(queue.clone()).build();
    let _current = acme().attach();
    Context::map_current(|_| Context::map_current(|_| log(&provider.logger("test"), &[])));
    assert_eq!(queue.0.lock().unwrap()[0].attributes_iter().count(), 1);
}

/// An exporter that attaches contexts, as HTTP clients do, is called after our borrow has ended.
#[test]
fn a_processor_behind_it_may_attach() {
    #[derive(Debug)]
    struct Attaching;
    impl LogProcessor for Attaching {
        fn emit(&self, _: &mut SdkLogRecord, _: &InstrumentationScope) {
            drop(Context::new().attach());
        }
        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }
    }
    let ours = BaggageLogProcessor::new(TENANT);
    let provider =
        SdkLoggerProvider::builder().with_log_processor(ours).with_log_processor(Attaching).build();
    let _current = acme().attach();
    log(&provider.logger("test"), &[]);
}

/// Whether records are wanted is for those to say who export them.
#[test]
fn it_makes_no_record_wanted() {
    #[derive(Debug)]
    struct OnlyErrors;
    impl LogProcessor for OnlyErrors {
        fn emit(&self, _: &mut SdkLogRecord, _: &InstrumentationScope) {}
        fn force_flush(&self) -> OTelSdkResult {
            Ok(())
        }
        fn event_enabled(&self, level: Severity, _: &str, _: Option<&str>) -> bool {
            level >= Severity::Error
        }
    }
    let ours = BaggageLogProcessor::new(TENANT);
    let provider =
        SdkLoggerProvider::builder().with_log_processor(ours).with_log_processor(OnlyErrors).build();
    let logger = provider.logger("test");
    assert!(!logger.event_enabled(Severity::Info, "test", None));
    assert!(logger.event_enabled(Severity::Error, "test", None));
    provider.force_flush().unwrap();
    provider.shutdown().unwrap();
}

/// Runs under a subscriber that has the layer of `tracing-opentelemetry` and the bridge to these logs.
fn with_tracing(sampler: Sampler, is_activating: bool, provider: &SdkLoggerProvider, run: impl FnOnce()) {
    let traces = SdkTracerProvider::builder().with_sampler(sampler).build();
    let spans = tracing_opentelemetry::layer()
        .with_tracer(traces.tracer("test"))
        .with_context_activation(is_activating)
        .with_filter(LevelFilter::INFO);
    let logs = OpenTelemetryTracingBridge::new(provider);
    tracing::subscriber::with_default(tracing_subscriber::registry().with(spans).with(logs), run);
}

fn request() -> tracing::Span {
    let span = info_span!("request");
    span.set_parent(acme()).unwrap();
    span
}

#[test]
fn by_way_of_tracing() {
    for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
        let (provider, exporter) = logging(TENANT);
        with_tracing(sampler.clone(), true, &provider, || {
            let span = request();
            span.in_scope(|| info!("in the span"));
            span.in_scope(|| info_span!("inner").in_scope(|| info!("in a span below")));
            info!(parent: &span, "with the span as parent, outside of it");
            let _current = acme().attach();
            info!("in an attached context");
            info!(tenant = "ours", "with its own");
        });
        let lacks = vec![];
        let has = || vec!["tenant=acme".to_owned()];
        let expected = [
            ("in the span", true, has()),
            ("in a span below", true, has()),
            ("with the span as parent, outside of it", false, lacks),
            ("in an attached context", false, has()),
            ("with its own", false, vec!["tenant=ours".to_owned()]),
        ];
        let expected = expected.map(|(body, has_trace, attributes)| (body.to_owned(), has_trace, attributes));
        assert_eq!(records(&exporter), expected, "{sampler:?}");
    }
}

/// The table of the crate's documentation: a record that lacks its entries lacks its trace.
#[test]
fn what_lacks_its_entries_lacks_its_trace() {
    let (provider, exporter) = logging(TENANT);
    with_tracing(Sampler::AlwaysOn, true, &provider, || {
        let extracted = acme();
        info!("passed on and never attached");
        drop(extracted);
        let span = request();
        let entered = span.enter();
        std::thread::scope(|threads| {
            let dispatch = tracing::dispatcher::get_default(Clone::clone);
            let in_thread = move || tracing::dispatcher::with_default(&dispatch, || info!("in a thread"));
            threads.spawn(in_thread).join().unwrap();
        });
        drop(entered);
        tracing::debug_span!("filtered away").in_scope(|| info!("in a span that the layer does not see"));
    });
    with_tracing(Sampler::AlwaysOn, false, &provider, || {
        request().in_scope(|| info!("under a layer that activates nothing"));
    });
    let bodies = [
        "passed on and never attached",
        "in a thread",
        "in a span that the layer does not see",
        "under a layer that activates nothing",
    ];
    assert_eq!(records(&exporter), bodies.map(|body| (body.to_owned(), false, vec![])));
}

#[tokio::test(flavor = "current_thread")]
async fn in_spawned_tasks() {
    let (provider, exporter) = logging(TENANT);
    let traces = SdkTracerProvider::builder().build();
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(traces.tracer("test")))
        .with(OpenTelemetryTracingBridge::new(&provider));
    // One thread runs all of these tasks.
    let _default = tracing::subscriber::set_default(subscriber);
    let span = request();
    let pause = || async { tokio::task::yield_now().await };
    let tasks = [
        tokio::spawn(
            async move {
                pause().await;
                info!("instrumented");
                pause().await;
                info!("later");
            }
            .instrument(span.clone()),
        ),
        tokio::spawn(
            async move {
                pause().await;
                info!("with its context");
            }
            .with_context(acme()),
        ),
        tokio::spawn(async move {
            pause().await;
            info!("alone");
        }),
    ];
    for task in tasks {
        task.await.unwrap();
    }
    let mut records = records(&exporter);
    records.sort();
    let has = || vec!["tenant=acme".to_owned()];
    let expected = [
        ("alone", false, vec![]),
        ("instrumented", true, has()),
        ("later", true, has()),
        ("with its context", false, has()),
    ];
    assert_eq!(
        records,
        expected.map(|(body, has_trace, attributes)| (body.to_owned(), has_trace, attributes))
    );
}

/// With the SDK's own API the trace and the entries come out of one context too.
#[test]
fn beside_spans_of_the_sdk() {
    let (provider, exporter) = logging(TENANT);
    let traces = SdkTracerProvider::builder().build();
    let cx = acme();
    let cx = cx.with_span(traces.tracer("test").start_with_context("span", &cx));
    let _current = cx.attach();
    let mut record = provider.logger("test").create_log_record();
    record.set_body("paid".into());
    provider.logger("test").emit(record);
    assert_eq!(records(&exporter), [("paid".to_owned(), true, vec!["tenant=acme".to_owned()])]);
}
