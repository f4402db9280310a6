//! Carries a trace in AWS X-Ray's header
//! [`X-Amzn-Trace-Id`](https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader),
//! and takes an undecided trace neither for a yes nor for a no.
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator};
//! use otel_xray::{Sampling, SamplingExt, XrayPropagator};
//! use std::collections::HashMap;
//!
//! let xray = XrayPropagator::new();
//! let header = "Self=1-65a8c9d2-0123456789abcdef01234567; Root=1-5759e988-bd862e3fe1be46a994272793; \
//!               Parent=53995c3f42cd8ad8; Sampled=1; Lineage=1:e65a2c4d:0";
//! let request = HashMap::from([("x-amzn-trace-id".to_owned(), header.to_owned())]);
//! let cx = xray.extract_with_context(&Context::new(), &request);
//! assert_eq!(cx.sampling(), Some(Sampling::Accept));
//!
//! let mut next = HashMap::new();
//! xray.inject_context(&cx, &mut next);
//! assert_eq!(
//!     next["x-amzn-trace-id"],
//!     "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:e65a2c4d:0",
//! );
//! ```
//!
//! # Sampling
//!
//! | received | the remote span | sent with it | sent with a span started under it |
//! |---|---|---|---|
//! | `Root`, `Parent`, `Sampled=1` | sampled | `Sampled=1` | what the sampler decided |
//! | `Root`, `Parent`, `Sampled=0` | not sampled | `Sampled=0` | what the sampler decided |
//! | `Root`, `Parent`, and `Sampled=?`, another value or none | not sampled | `Sampled=?` | what the sampler decided |
//! | `Root` and `Sampled=0` or `1` | none | the same again | what the sampler decided |
//! | `Root` alone, as load balancers send it | none | the same again | what the sampler decided |
//!
//! `DecisionSampler` (feature `sampler`) makes the SDK decide on an undecided trace by its root sampler, and obey a
//! decision without a span. Any other sampler takes an undecided trace for a denied one, if it is parent-based;
//! [`XrayPropagator::with_missing_sampled`] is for those who cannot set the sampler.
//!
//! # Lambda
//!
//! [`XrayPropagator::lambda`] reads the environment of the function too, and [`XrayExt::with_lambda_trace`] the trace of
//! one of several invocations at a time.
//!
//! # Ids
//!
//! X-Ray's own trace ids begin with the time in seconds; `XrayIdGenerator` (feature `id-generator`) makes such ids. Any
//! other id is sent as it is: its first 8 digits stand where the time stands. X-Ray takes it, since ids of W3C are
//! allowed there. Nothing is checked on the way in either: a time is what a peer says, and to refuse a wrong one would
//! end a trace.
//!
//! # Bad input
//!
//! A value without a valid `Root`, or with a `Parent` that is none, is not used, nor are two lines of the header: the
//! given context comes back as it was. One rate-limited `tracing` event names the broken rule and the size of the value,
//! and never the value. Keys that X-Ray does not know, and a `Lineage` that is none, are left out and end no trace. They
//! never become `tracestate`, and `tracestate` never becomes a part of the header. Nothing panics.
//!
//! # Limits
//!
//! A value is at most 256 bytes, as AWS has it; a longer one is not looked at. What is sent has at most 101.
//!
//! # Departures
//!
//! - AWS does not publish a grammar of `Lineage`. It is read as OpenTelemetry's propagator for Java does, and sent on
//!   beside the trace that it came with; Java puts it into baggage.
//! - The variable of Lambda is not used where it says `Sampled=0`, see [`XrayPropagator::lambda`].
//! - `Root` and `Parent` are of lower case, as AWS writes them.
//!
//! # Non-goals
//!
//! The header of a response, which a caller asks for with `Sampled=?`. Sampling rules of X-Ray. Segments: spans reach
//! X-Ray by way of an exporter and a collector.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod context;
mod error;
#[cfg(feature = "id-generator")]
mod id_generator;
mod lineage;
mod propagator;
mod trace_header;

pub use context::{Missing, XrayExt};
pub use error::{ErrorKind, ParseError};
#[cfg(feature = "id-generator")]
pub use id_generator::XrayIdGenerator;
pub use lineage::Lineage;
#[cfg(feature = "sampler")]
pub use otel_propagator_core::sampling::DecisionSampler;
pub use otel_propagator_core::sampling::{Sampling, SamplingExt};
pub use propagator::XrayPropagator;
pub use trace_header::TraceHeader;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
