//! Carries a trace in the headers of [B3](https://github.com/openzipkin/b3-propagation), as Zipkin, Envoy and Istio
//! know it, and loses no sampling decision on the way.
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator};
//! use otel_b3::{B3Propagator, Sampling, SamplingExt};
//! use std::collections::HashMap;
//!
//! let b3 = B3Propagator::new();
//! let request = HashMap::from([(
//!     "b3".to_owned(),
//!     "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d-05e3ac9a4f6e3b90".to_owned(),
//! )]);
//! let cx = b3.extract_with_context(&Context::new(), &request);
//! assert_eq!(cx.sampling(), Some(Sampling::Debug));
//!
//! let mut next = HashMap::new();
//! b3.inject_context(&cx, &mut next);
//! assert_eq!(next["b3"], "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d");
//! ```
//!
//! # Sampling
//!
//! B3 knows four [states](Sampling), and a header may carry a decision without a trace. What `TraceFlags` cannot hold
//! stays in the [`Context`](opentelemetry::Context), bound to its trace id, where [`SamplingExt`] reads it:
//!
//! | received | the remote span | sent with it | sent with a span started under it |
//! |---|---|---|---|
//! | ids, `d` or `X-B3-Flags: 1` | sampled | debug | debug |
//! | ids, `1` | sampled | accept | what the sampler decided |
//! | ids, `0` | not sampled | deny | what the sampler decided |
//! | ids alone | not sampled | no state | what the sampler decided |
//! | `0` or `1` alone | none | the same again | what the sampler decided |
//! | `d` alone | none | the same again | debug, with the first trace that starts under it |
//! | nothing | none | nothing | what the sampler decided |
//!
//! `DecisionSampler` (feature `sampler`) makes the SDK decide as B3 means it. With any other sampler a deferred trace is
//! taken for a denied one and a decision alone for nothing.
//!
//! A decision alone is about traces that start in its context. Where another format brought a trace it is kept and not
//! applied. That takes a format that puts its span into the context with
//! [`remote`](otel_propagator_core::remote), as those of this workspace do; another one must be asked before B3.
//!
//! # Running examples
//!
//! In the repository: `cargo run -p more-examples --bin b3-mesh` has a W3C edge, a gateway that reads both and a B3 leaf in one
//! trace, and the steps of a migration with the header bytes of each.
//!
//! # Bad input
//!
//! A value that is not B3 to the letter is not used: a bad single header leaves the multiple ones to be tried, and
//! where these are bad too the given context comes back as it was. Each bad form causes one `tracing` event, which
//! names the first broken rule and the size of the value, and never the value; events are rate-limited. Nothing
//! panics.
//!
//! Of repeated headers the first counts, as B3 says. A header that is there and that the carrier cannot give as text is
//! malformed; `x-b3-flags` counts as absent then, as any value but `1` does.
//!
//! `x-b3-flags` is sent of debug traces alone. Where a request had one, it is sent empty with any other trace, so that a
//! proxy which copies headers sends no older debug flag.
//!
//! # Queues and other case-sensitive carriers
//!
//! HTTP does not care about the case of a header's name; AMQP tables, NATS headers and Kafka records do. What is sent has
//! lower-case names, as B3 asks. What is read under no lower-case name is read under the name in any other letters that
//! the carrier lists ([`Extractor::keys`](opentelemetry::propagation::Extractor::keys)), since Java's SDK
//! sends `X-B3-TraceId`. It also reads no other spelling of the multiple headers, so **send the single header on queues**:
//! `b3` has one spelling everywhere.
//!
//! # Limits
//!
//! A received trace id, span id and state are fixed in size. What is sent is at most 51 bytes in `b3`, and at most
//! 32 in a header of the other form. A value of any length costs no more to read than a valid one, apart from the
//! spaces around it.
//!
//! # Departures
//!
//! - A parent span id is checked where it comes with ids, and never sent, as OpenTelemetry asks. It may be all zeros;
//!   other ids may not.
//! - `true` and `false` are read in `X-B3-Sampled`, in any case of letters, and never sent.
//! - A parent span id may follow the span id at once, as Brave has it, for a trace without a state.
//! - Spaces and tabs around a value are not part of it.
//!
//! # Non-goals
//!
//! Spans are not marked as debug for an exporter. A span id is not shared by client and server. B3 inside
//! `tracestate` is not read.

mod context;
mod error;
mod fields;
mod headers;
mod multi;
mod propagator;
mod single;

#[cfg(feature = "sampler")]
pub use otel_propagator_core::sampling::DecisionSampler;
pub use otel_propagator_core::sampling::{Sampling, SamplingExt};
pub use propagator::{B3Propagator, locate_multi, locate_single};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
