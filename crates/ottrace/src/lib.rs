//! Carries a trace in the headers `ot-tracer-traceid`, `ot-tracer-spanid` and `ot-tracer-sampled`, which OpenTelemetry
//! calls [OT Trace](https://opentelemetry.io/docs/specs/otel/context/api-propagators/#propagators-distribution).
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
//! use otel_ottrace::OtTracePropagator;
//! use std::collections::HashMap;
//!
//! let request = HashMap::from([
//!     ("ot-tracer-traceid".to_owned(), "463ac35c9f6413ad".to_owned()),
//!     ("ot-tracer-spanid".to_owned(), "48485a3953bb6124".to_owned()),
//!     ("ot-tracer-sampled".to_owned(), "true".to_owned()),
//! ]);
//! let cx = OtTracePropagator::new().extract_with_context(&Context::new(), &request);
//! assert_eq!(cx.span().span_context().trace_id().to_string(), "0000000000000000463ac35c9f6413ad");
//! assert!(cx.span().span_context().is_sampled());
//! ```
//!
//! The format is deprecated in OpenTelemetry. It is for a mesh that has clients of `LightStep` for `OpenTracing` in it,
//! and then better read than sent: `otel-composite` has `extract_only` for that, and this crate as its feature `ottrace`.
//!
//! # Trace ids
//!
//! What is sent is the lower half of the trace id, since the clients know 64 bits alone. Where the context into which
//! such headers are extracted has a span of a trace with this lower half, the whole id is restored: so a request that
//! names its trace in `traceparent` too is in one trace, if that is read first, and so is what comes back to a service
//! in the context of the request that it sent.
//!
//! # Sampling
//!
//! | received | the remote span | sent with it | sent with a span started under it |
//! |---|---|---|---|
//! | `true`, `1` | sampled | `true` | what the sampler decided |
//! | `false`, `0` | not sampled | `false` | what the sampler decided |
//! | empty, or no `ot-tracer-sampled` | not sampled | no `ot-tracer-sampled` | what the sampler decided |
//!
//! In the last row nobody has decided: `DecisionSampler` (feature `sampler`) asks its root sampler. Any other sampler
//! takes it for a no, if it is parent-based.
//!
//! # Baggage
//!
//! Off unless [`OtTracePropagator::with_baggage`] asks for it. Values go out as they are, since the format knows no
//! escapes; one that cannot stand in a header is left out, as is metadata.
//!
//! # Bad input
//!
//! Headers of which one breaks a rule are not used: the given context comes back as it was. One rate-limited `tracing`
//! event names the header, the rule and the size of the value, and never the value. Nothing panics. Of repeated headers
//! the first counts. A header that the carrier cannot give as text counts as absent.
//!
//! # Limits
//!
//! Each value is fixed in size, at most 32 bytes, and a longer one costs no more to read. [`Limits`] say how much baggage
//! is read and sent, both counted in lines of HTTP/1.1.
//!
//! # Departures
//!
//! There is no specification. Where OpenTelemetry's propagators for Go, Java and JavaScript differ:
//!
//! - `true`, `false`, `1` and `0` are read in any case of letters, as in Go; another word costs the trace, as there.
//! - An id of fewer than 16 digits is padded, as in Java: the clients write no leading zeros.
//! - Without `ot-tracer-sampled` nobody has decided; the three read it as not sampled.
//!
//! # Non-goals
//!
//! The binary form, `ot-tracer-state-bin`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod baggage;
mod error;
mod headers;
mod ot_tracer;
mod propagator;

pub use error::{ErrorKind, ParseError};
pub use ot_tracer::OtTrace;
pub use otel_baggage_limits::{Limits, PrefixedBaggage};
#[cfg(feature = "sampler")]
pub use otel_propagator_core::sampling::DecisionSampler;
pub use otel_propagator_core::sampling::{Sampling, SamplingExt};
pub use propagator::OtTracePropagator;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
