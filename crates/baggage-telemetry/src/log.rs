//! Chosen entries of baggage on the log records of the SDK.

use crate::Entries;
use opentelemetry::{
    Context, InstrumentationScope,
    baggage::BaggageExt,
    logs::{AnyValue, LogRecord as _, Severity},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord},
};
use std::time::Duration;

/// Puts chosen entries of the current context's baggage on each log record.
///
/// ```
/// use opentelemetry::{Context, KeyValue, Key, baggage::BaggageExt, logs::{AnyValue, Logger, LoggerProvider}};
/// use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
/// use otel_baggage_telemetry::{BaggageLogProcessor, Keys};
///
/// let exporter = InMemoryLogExporter::default();
/// let provider = SdkLoggerProvider::builder()
///     .with_log_processor(BaggageLogProcessor::new(Keys::of(&["tenant"]))) // before whatever exports
///     .with_simple_exporter(exporter.clone())
///     .build();
///
/// let _current = Context::new().with_baggage([KeyValue::new("tenant", "acme")]).attach();
/// let logger = provider.logger("docs");
/// logger.emit(logger.create_log_record());
/// let sent = exporter.get_emitted_logs()?;
/// let tenant = (Key::new("tenant"), AnyValue::from("acme"));
/// assert_eq!(sent[0].record.attributes_iter().collect::<Vec<_>>(), [&tenant]);
/// # Ok::<(), opentelemetry_sdk::error::OTelSdkError>(())
/// ```
///
/// The record passes the processors in the order of their registration, so this one stands before the one that
/// exports. A record's own attributes are never replaced.
///
/// The SDK hands no context to a log processor. It runs on the thread that logs, so the current context is the one
/// that the log call was made in; the [documentation of the crate](crate#logs) says when it is not.
#[derive(Clone, Debug)]
pub struct BaggageLogProcessor(Entries);

impl BaggageLogProcessor {
    /// Copies these entries: [`Keys`](crate::Keys), or [`Entries`] where there is more to say.
    #[must_use]
    pub fn new(entries: impl Into<Entries>) -> Self {
        Self(entries.into())
    }
}

impl LogProcessor for BaggageLogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        // Reads may nest, so this is well also where the log call is made while the current context is borrowed.
        Context::map_current(|cx| {
            for entry in self.0.chosen(cx.baggage()) {
                if !record.attributes_iter().any(|(key, _)| entry.is_named(key.as_str())) {
                    record.add_attribute(entry.name(), AnyValue::String(entry.value()));
                }
            }
        });
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    /// The SDK makes a record as soon as one processor wants it. This one alone wants none.
    fn event_enabled(&self, _: Severity, _: &str, _: Option<&str>) -> bool {
        false
    }
}
