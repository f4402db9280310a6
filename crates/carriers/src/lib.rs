//! What context travels in: the carriers that [OpenTelemetry's
//! propagators](https://opentelemetry.io/docs/specs/otel/context/api-propagators/) write to and read from, so that
//! nobody writes an `Injector` or an `Extractor` by hand.
//!
//! ```
//! # #[cfg(feature = "http")] {
//! use http::HeaderMap;
//! use opentelemetry::trace::TraceContextExt;
//! use otel_carriers::headers;
//! use otel_tracecontext::TraceContextPropagator;
//!
//! let propagator = TraceContextPropagator::new();
//! let mut inbound = HeaderMap::new();
//! inbound.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
//! inbound.insert("tracestate", "vendor=1".parse().unwrap());
//! let cx = headers::extract(&propagator, &inbound);
//!
//! // A proxy copies the headers of its caller. Nothing of an older context stays in them.
//! let mut outbound = inbound.clone();
//! let other = opentelemetry::Context::new();
//! headers::inject(&propagator, &other, &mut outbound);
//! assert!(outbound.is_empty());
//! headers::inject(&propagator, &cx, &mut outbound);
//! assert_eq!(outbound["tracestate"], "vendor=1");
//! # }
//! ```
//!
//! | module | what it is for | feature |
//! |---|---|---|
//! | `headers` | `http::HeaderMap` of requests, `Server-Timing` of responses | `http` |
//! | `grpc` | metadata of gRPC, layers for servers and clients | `tonic` |
//! | [`message`] | the headers of any message broker, links to a batch | none |
//! | [`environment`] | variables of child processes | none |
//! | [`ContextMap`] | what is stored: outbox tables, job queues | none; `serde` |
//! | `json` | any object, `_meta` of the Model Context Protocol, CloudEvents | `json` |
//! | [`sql_comment`] | a comment in a statement | none |
//!
//! Wherever it fits, a module has the same two functions: `inject(propagator, cx, target)` and
//! `extract(propagator, source)`, which gives a context that has nothing of the current one. The types behind them are
//! an [`Injector`](opentelemetry::propagation::Injector) and an
//! [`Extractor`](opentelemetry::propagation::Extractor) for those who call a propagator themselves. Any propagator does,
//! the global one too: `global::get_text_map_propagator(|propagator| headers::inject(propagator, &cx, map))`.
//!
//! # What they promise
//!
//! - **All lines are read**, in order, so that a doubled `traceparent` is seen and no line of `baggage` is lost.
//! - **Names are compared without their case** and written in lower case (environment variables in their own form).
//! - **Writing replaces.** All [fields](opentelemetry::propagation::TextMapPropagator::fields) of the propagator are
//!   removed before it writes: no retry, redirect or copied request sends an older `tracestate`, `baggage` or `b3`
//!   beside or in place of what the propagator lets out. An empty value removes a header that is one of these fields, or
//!   that a format has for itself; of any other name, such as one entry of Jaeger's baggage, it is a value.
//! - **No format is known.** Values are passed on as they are; names are known only to mark ids and to name them in events.
//!
//! # Bad input
//!
//! A value that is not text (UTF-8) is absent: it never panics, and the lines beside it are read. A name or value that a
//! carrier cannot hold is left out, and an older one of that name with it. In both cases one rate-limited event,
//! `propagator.not_carried`, names the carrier, the header if it is a well-known one, the rule and the size, and never a
//! value. It is emitted when the carrier is dropped.
//!
//! # Limits
//!
//! The propagators bound what they read and write; a carrier copies nothing but what it is asked for, and one look-up
//! costs at most one walk through the names that are there.
//!
//! # Departures
//!
//! OpenTelemetry asks a setter to preserve the case of a name. These write lower case, which is how every propagator
//! spells its names, since a reader that goes by case is then found by all.
//!
//! # Non-goals
//!
//! Instrumentation: no span is started here. Binary forms of the context.

#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod environment;
#[cfg(feature = "tonic")]
pub mod grpc;
#[cfg(feature = "http")]
pub mod headers;
#[cfg(feature = "json")]
pub mod json;
mod left_out;
pub mod message;
mod name;
mod sql;
mod stored;

pub use sql::sql_comment;
pub use stored::ContextMap;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
