//! Carries a trace in Jaeger's header [`uber-trace-id`](https://www.jaegertracing.io/sdk-migration/#propagation-format),
//! and loses neither its debug nor its firehose flag on the way.
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator};
//! use otel_jaeger::{JaegerPropagator, Sampling, SamplingExt};
//! use std::collections::HashMap;
//!
//! let jaeger = JaegerPropagator::new();
//! let request = HashMap::from([("uber-trace-id".to_owned(), "4d0000000000000016:17c29:0:3".to_owned())]);
//! let cx = jaeger.extract_with_context(&Context::new(), &request);
//! assert_eq!(cx.sampling(), Some(Sampling::Debug));
//!
//! let mut next = HashMap::new();
//! jaeger.inject_context(&cx, &mut next);
//! assert_eq!(next["uber-trace-id"], "000000000000004d0000000000000016:0000000000017c29:0:3");
//! ```
//!
//! The format is [deprecated in OpenTelemetry](https://opentelemetry.io/docs/specs/otel/context/api-propagators/#propagators-distribution)
//! in favour of W3C Trace Context. A mesh that leaves it reads both and sends both until the last service has moved,
//! and then only reads it: `otel-composite` does that with its feature `jaeger`.
//!
//! # Flags
//!
//! | received | the remote span | sent with it | sent with a span started under it |
//! |---|---|---|---|
//! | `0`, and `2` alone | not sampled | `0` | what the sampler decided |
//! | `1` | sampled | `1` | what the sampler decided |
//! | `3` | sampled | `3`, debug | `3`, debug |
//! | `8` beside any of these | as these say | `8` beside it, firehose | `8` beside it, firehose |
//! | all other bits | not looked at | cleared | cleared |
//!
//! What `TraceFlags` cannot hold stays in the [`Context`](opentelemetry::Context), bound to its trace id, where
//! [`SamplingExt`] and [`JaegerExt`] read it. `DecisionSampler` (feature `sampler`) makes the SDK record a debug trace.
//! Jaeger cannot leave a decision to the receiver: a deferred one, of B3 or X-Ray, is sent as not sampled.
//!
//! # Baggage
//!
//! Off unless [`JaegerPropagator::with_baggage`] asks for it. Values are percent-encoded, and a plus sign that is received
//! is a space, as Jaeger's own clients write it. Jaeger knows no metadata, so none is sent.
//!
//! # Bad input
//!
//! A value that is not Jaeger's to the letter is not used, nor are two lines of the header: the given context comes back
//! as it was. One rate-limited `tracing` event names the broken rule and the size of the value, and never the value.
//! Nothing panics. An entry of baggage whose key is no token or whose value is not percent-encoded is left out alone.
//!
//! # Limits
//!
//! A value is at most 69 bytes, or 207 percent-encoded; a longer one is not looked at. What is sent has at most 53.
//! [`Limits`] say how much baggage is read and sent, both counted in lines of HTTP/1.1.
//!
//! # Departures
//!
//! - The parent span id is checked and not kept. It may be empty; `0` is sent.
//! - The flags are hexadecimal, as Jaeger's text and the clients that send them have it. Jaeger's client for Go and
//!   OpenTelemetry's for Java read them as decimal, so they refuse `b`, which is debug and firehose at once.
//! - The value may be percent-encoded as a whole, as Jaeger's clients accept it.
//! - Of an id, upper-case digits are read, and lower-case ones sent.
//! - Spaces and tabs around a value are not part of it.
//!
//! # Non-goals
//!
//! Headers of other names, which Jaeger's own clients could be told to use. Spans are not marked for an exporter.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod baggage;
mod context;
mod debug_id;
mod error;
mod percent;
mod propagator;
mod uber_trace_id;

pub use context::JaegerExt;
pub use debug_id::MAX_DEBUG_ID_BYTES;
pub use error::{ErrorKind, ParseError};
pub use otel_baggage_limits::{Limits, PrefixedBaggage};
#[cfg(feature = "sampler")]
pub use otel_propagator_core::sampling::DecisionSampler;
pub use otel_propagator_core::sampling::{Sampling, SamplingExt};
pub use propagator::JaegerPropagator;
pub use uber_trace_id::UberTraceId;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
