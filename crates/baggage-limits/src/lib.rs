//! Limits for OpenTelemetry baggage, counted on the wire as [W3C Baggage](https://www.w3.org/TR/baggage/#limits) asks,
//! and a decorator that holds any propagator to them.
//!
//! ```
//! use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
//! use opentelemetry_sdk::propagation::BaggagePropagator;
//! use otel_baggage_limits::{Limited, Limits};
//! use std::collections::HashMap;
//!
//! const LIMITS: Limits = Limits::new().max_members(2).keep_first(&["tenant"]);
//!
//! let cx = Context::new().with_baggage(["cart", "page", "tenant"].map(|key| KeyValue::new(key, "1")));
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
//! [`Limits`] say it, [`BothWays`] for each direction. An [`Admission`] applies them, member after member, for whoever
//! reads or writes baggage, and its [`Report`] tells how many members were left out and for which [`Reason`]. What is left out is the same on every run, is
//! never a part of a member, and never fails a request. One rate-limited event names the rule and sizes, no key and no
//! value; an [`Observer`] sees every report.
//!
//! # Limits
//!
//! 64 members; 8192 bytes of a received header, as W3C obliges, and 4096 of one that is sent, since most servers refuse
//! more as they are installed. [`Limits::W3C`] sends 8192. Bytes are counted on the wire, commas and escapes too. Of a
//! received header, optional whitespace and empty elements do not count, so that what was padded is read: [`Elements`] says
//! how far.
//!
//! # Departures
//!
//! W3C leaves open what is dropped over the limits. Here the keys of [`Limits::keep_first`] stay longest, then those
//! that come first in a received header, or sort first in one that is sent; a member that does not fit lets shorter ones
//! after it go.
//!
//! # Non-goals
//!
//! [`Limited`] bounds another propagator; it does not correct how that one encodes. The SDK's writes a percent sign as it
//! is, so the value `%41` arrives as `A`.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admission;
mod both_ways;
mod elements;
mod limited;
mod limits;
mod observer;
mod order;
mod prefixed;
mod report;

pub use admission::Admission;
pub use both_ways::BothWays;
pub use elements::{Elements, MOST_ELEMENTS};
pub use limited::Limited;
pub use limits::Limits;
pub use observer::Observer;
pub use order::{Order, SortKey};
pub use otel_propagator_core::{diagnostics::Direction, keys::Keys};
pub use prefixed::PrefixedBaggage;
pub use report::{AT_RISK_BYTES, Reason, Report, Size};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
