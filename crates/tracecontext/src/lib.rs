//! [W3C Trace Context Level 2](https://www.w3.org/TR/trace-context-2/) for OpenTelemetry: the headers
//! `traceparent` and `tracestate`.
//!
//! ```
//! use opentelemetry::{Context, propagation::TextMapPropagator};
//! use otel_tracecontext::TraceContextPropagator;
//! use std::collections::HashMap;
//!
//! let propagator = TraceContextPropagator::new();
//! let received = HashMap::from([
//!     ("traceparent".to_owned(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03".to_owned()),
//!     ("tracestate".to_owned(), "congo=t61rcWkgMzE , foo@@bar=1".to_owned()),
//! ]);
//! let cx = propagator.extract_with_context(&Context::new(), &received);
//!
//! let mut sent = HashMap::new();
//! propagator.inject_context(&cx, &mut sent);
//! assert_eq!(sent["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03");
//! assert_eq!(sent["tracestate"], "congo=t61rcWkgMzE,foo@@bar=1");
//! ```
//!
//! # Running examples
//!
//! In the repository: `cargo run -p examples --bin hop` shows one hop over HTTP; `-p more-examples --bin
//! conformance-service` is what W3C's own validation service talks to.
//!
//! # Bad input
//!
//! - A `traceparent` that breaks a rule, came more than once, or is not text: the given context comes back as it
//!   is, with its span and its baggage, and `tracestate` is not read.
//! - A `tracestate` that breaks a rule: it is dropped as a whole, `traceparent` is used.
//! - A member of a local `TraceState` that the grammar does not allow: it is not sent, the others are.
//!
//! Each is one rate-limited event with the target `otel_propagator` that names the header, the rule and sizes,
//! and never holds a value.
//!
//! # Limits
//!
//! A `tracestate` has at most 32 members that are not empty, keys and values have at most 256 bytes each, and all
//! its lines together at most 32768 bytes. A `traceparent` of a later version may be of any length; what follows
//! its fourth field is not looked at.
//!
//! Three things depend on the carrier:
//!
//! - One that gives each header once, such as a `HashMap`, cannot show a second line.
//! - `opentelemetry_http::HeaderExtractor` leaves out a line that is not visible ASCII if another line is.
//! - An `Injector` can only set. If the trace state has members and none of them may be sent, an empty `tracestate` is
//!   set, so that an older one in the carrier does not go out. If the trace state is empty, nothing is set: inject into
//!   a carrier without an older `tracestate`.
//!
//! # Departures
//!
//! None from the rules. Where the specification leaves a choice:
//!
//! - The flags `01` (sampled) and `02` (random trace id) are kept, the others cleared.
//! - Where a key comes twice, both members are kept as they were received.
//! - A broken `tracestate` is not used in parts, whatever the version of `traceparent`.
//!
//! The API's types lose two things: the random flag of a span that the sampler drops, and keys that `TraceState` refuses
//! (`foo@@bar`). If a header has them, the `Context` keeps them. Such keys cannot be read through `TraceState`;
//! [`TraceStateList`] reads them. They are sent until something changes the span's trace state, or another span is
//! received.
//!
//! # Non-goals
//!
//! Whoever makes the id of a new trace decides on its random flag. `tracestate` is not shortened:
//! what is within the limits is sent whole.

mod byte_set;
mod error;
mod events;
mod propagator;
mod received;
mod trace_state_list;
mod traceparent;
mod tracestate;

pub use error::{ErrorKind, Field, ParseError, TraceStateError};
pub use propagator::TraceContextPropagator;
pub use trace_state_list::TraceStateList;
pub use traceparent::TraceParent;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
