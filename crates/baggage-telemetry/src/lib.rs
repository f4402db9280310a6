//! Puts chosen entries of [baggage](https://www.w3.org/TR/baggage/) on spans, log records and metrics: the tenant on
//! every span and every log line of every service.
//!
//! ```
//! # #[cfg(all(feature = "trace", feature = "logs"))] {
//! use opentelemetry_sdk::{logs::SdkLoggerProvider, trace::{BatchSpanProcessor, InMemorySpanExporter, SdkTracerProvider}};
//! use otel_baggage_telemetry::{BaggageLogProcessor, BaggageSpanProcessor, Entries, Keys};
//!
//! // Which keys is a mandatory argument.
//! let entries = Entries::of(Keys::of(&["tenant", "cohort.*"])).except(Keys::of(&["cohort.secret"]));
//!
//! # let exporter = InMemorySpanExporter::default();
//! let exporting = BatchSpanProcessor::builder(exporter).build();
//! let spans = SdkTracerProvider::builder()
//!     .with_span_processor(BaggageSpanProcessor::new(entries.clone()).before(exporting))
//!     .build();
//! let logs = SdkLoggerProvider::builder()
//!     .with_log_processor(BaggageLogProcessor::new(entries)) // before the one that exports
//!     // .with_batch_exporter(exporter)
//!     .build();
//! # }
//! ```
//!
//! | where to | with | feature |
//! |---|---|---|
//! | spans of the SDK | `BaggageSpanProcessor` | `trace` (default) |
//! | log records of the SDK | `BaggageLogProcessor` | `logs` (default) |
//! | attributes of an instrument | [`MetricAttributes`] | |
//! | lines of `tracing_subscriber::fmt` | `BaggageLayer` | `tracing-subscriber`, for lines of JSON `json` |
//!
//! # What is copied
//!
//! - The entries whose keys [`Entries`] name, as attributes of type string. Exclusions win. A prefix can be put before the key.
//! - Values longer than 256 bytes are cut at a character; of more than 16 entries the first are copied. Both bounds can
//!   be set.
//! - Never the metadata of an entry.
//! - Never under a name that the span or the record has already.
//!
//! **Whose word it is.** Baggage comes from whoever calls, and a copy of it is what the caller says. The copy takes place
//! after extraction: an entry that the limits of the propagator or a trust boundary did not accept is not in the context
//! any more, and so is not there to be copied. Nothing here tells received entries from those that this service set.
//!
//! # Spans
//!
//! A span gets the entries of its parent context when it starts, whoever starts it: the SDK's own API,
//! `tracing-opentelemetry`, in a task or thread of its own, as long as that has the context. Entries that are added to the
//! context later are on the spans below. A span that is not recorded costs nothing: the SDK asks no processor.
//!
//! # Logs
//!
//! A log record gets the entries of the context that is current where the log call is made. With `tracing` and
//! `opentelemetry-appender-tracing` that is the context of the innermost span entered, which `tracing-opentelemetry`
//! makes current. A record lacks the entries when
//!
//! | the log call is made | what helps |
//! |---|---|
//! | where the extracted context was only passed on, and never attached | `cx.attach()`, `future.with_context(cx)`, or a span whose parent it is |
//! | in a spawned task or thread | `future.instrument(span)`, `future.with_context(cx)`; a closure attaches the context itself |
//! | under a layer of `tracing-opentelemetry` with `with_context_activation(false)` | to leave it on |
//! | in a span that a filter keeps from the layer of `tracing-opentelemetry`, below none that it sees | to filter the lines, and not the spans, of a level |
//! | before `set_parent`: a span's parent is set once, before it is first entered | `set_parent` right after the span is made |
//!
//! To see it: the SDK takes `trace_id` from the same current context, so a record that should have a trace and lacks it
//! was made without its context, and lacks the entries for the same reason. (The feature
//! `experimental_use_tracing_span_context` of the bridge finds the trace by another way; such a record can have a trace and
//! no entries.)
//!
//! # Limits
//!
//! Nothing is allocated for a context without baggage or without a chosen entry. Each copied entry costs one clone of its
//! key and of its value. To see a span's own attributes takes a copy of the span, which is made where there is an entry to
//! copy, and nowhere else.
//!
//! # Departures
//!
//! OpenTelemetry specifies no such processor. Go's `baggagecopy` and Java's `BaggageSpanProcessor` copy under the same keys.
//! Both replace an attribute that the span was started with; here the service's own word stands. Both copy everything where
//! no key is named; here that has to be written.
//!
//! # Non-goals
//!
//! Attributes of the resource, which belong to a process and not to a request. Events of spans.

#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg_attr(
    not(all(feature = "trace", feature = "logs", feature = "tracing-subscriber")),
    allow(dead_code, reason = "each feature uses a part of it")
)]
mod entries;
#[cfg(feature = "tracing-subscriber")]
mod layer;
#[cfg(feature = "logs")]
mod log;
mod metric;
#[cfg(feature = "trace")]
mod span;

pub use entries::Entries;
#[cfg(feature = "tracing-subscriber")]
pub use layer::{BaggageLayer, SpanText};
#[cfg(feature = "logs")]
pub use log::BaggageLogProcessor;
pub use metric::MetricAttributes;
pub use otel_propagator_core::keys::Keys;
#[cfg(feature = "trace")]
pub use span::BaggageSpanProcessor;

#[cfg(all(doctest, feature = "trace", feature = "logs"))]
#[doc = include_str!("../README.md")]
struct ReadMe;
