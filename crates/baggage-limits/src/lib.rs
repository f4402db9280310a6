//! Limits for OpenTelemetry baggage, counted on the wire as [W3C Baggage](https://www.w3.org/TR/baggage/#limits) asks,
//! and a decorator that holds any propagator to them.
//!
//! ```
//! use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
//! use opentelemetry_sdk::propagation::BaggagePropagator;
//! use otel_baggage_limits::{Limited, Limits, Reason};
//! use std::collections::HashMap;
//!
//! const LIMITS: Limits = Limits::new().max_members(2).keep_first(&["tenant"]);
//!
//! let cx = Context::new().with_baggage(["cart", "page", "tenant"].map(|key| KeyValue::new(key, "1")));
//! let selection = LIMITS.select(cx.baggage());
//! assert_eq!(selection.left_out().collect::<Vec<_>>(), [("page", Reason::TooManyMembers)]);
//! assert_eq!(selection.header(), "tenant=1,cart=1");
//!
//! let mut carrier = HashMap::new();
//! Limited::new(BaggagePropagator::new(), LIMITS).inject_context(&cx, &mut carrier);
//! assert!(["cart=1,tenant=1", "tenant=1,cart=1"].contains(&carrier["baggage"].as_str()));
//! ```
//!
//! # Running examples
//!
//! In the repository: `cargo run -p more-examples --bin baggage-growth` shows header bytes over ten hops, untouched and limited;
//! `what-must-not-leave` shows what other services receive under `deny` and `allow`.
//!
//! # What is too much
//!
//! [`Limits`] say it, [`Selection`] tells which members are sent and which are left out, [`Report`] tells how many and
//! for which [`Reason`]. What is left out is the same on every run, is never a part of a member, and never fails a
//! request. One rate-limited event names the rule and sizes, no key and no value.
//!
//! # Limits
//!
//! 64 members and 8192 bytes by default, commas and escapes counted. [`wire`] measures and writes by one table, so what
//! is measured is what is sent.
//!
//! # Departures
//!
//! W3C leaves open what is dropped over the limits. Here the keys of [`Limits::keep_first`] stay longest, then those
//! that sort first; a member that does not fit lets shorter ones behind it go.
//!
//! # Non-goals
//!
//! [`Limited`] bounds another propagator; it does not mend how that one encodes. The SDK's writes a percent sign as it
//! is, so the value `%41` arrives as `A`.
//!
//! # Features
//!
//! - `observe`: [`observe`] hands every report to a caller that counts them.
#![cfg_attr(
    not(feature = "observe"),
    allow(rustdoc::broken_intra_doc_links, reason = "the feature's module")
)]

mod admission;
mod bounded;
mod events;
mod limited;
mod limits;
#[cfg(feature = "observe")]
pub mod observe;
mod property;
mod report;
pub mod wire;

pub use admission::{Member, Selection};
pub use bounded::whole_members;
pub use limited::Limited;
pub use limits::Limits;
pub use report::{Reason, Report, Size};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
