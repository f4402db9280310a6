//! A bounded propagator for the `baggage` header of [W3C Baggage](https://www.w3.org/TR/baggage/).
//!
//! ```
//! use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
//! use otel_w3c_baggage::BaggagePropagator;
//! use std::collections::HashMap;
//!
//! let propagator = BaggagePropagator::new();
//! let received = HashMap::from([("baggage".to_owned(), "userId=Am%C3%A9lie, a=b=c;ttl=30".to_owned())]);
//! let cx = propagator.extract_with_context(&Context::new(), &received);
//! assert_eq!(cx.baggage().get("userId").unwrap().as_str(), "Amélie");
//! assert_eq!(cx.baggage().get("a").unwrap().as_str(), "b=c");
//!
//! let mut sent = HashMap::new();
//! propagator.inject_context(&cx, &mut sent);
//! assert_eq!(sent["baggage"], "a=b=c;ttl=30,userId=Am%C3%A9lie");
//! ```
//!
//! [`decode`] and [`encode`] do the same without a context and give a [`Report`].
//!
//! # Running examples
//!
//! In the repository: `cargo run -p more-examples --bin baggage-at-work` sets, reads, lists and removes baggage and puts chosen
//! keys on telemetry; `hop` sends it over HTTP.
//!
//! # Bad input
//!
//! A member that breaks a rule is skipped, the good ones beside it stay; a percent-escape that is not UTF-8 becomes
//! U+FFFD. Where nothing can be read the given context comes back, with its baggage. Nothing panics. One rate-limited
//! event a header names the rule and sizes, never a value. Metadata cannot become a member or a header: what may not
//! stand in a property is escaped before it is sent.
//!
//! # Limits
//!
//! [`Limits`] say how much is read and sent: by default the 64 members and 8192 bytes that W3C obliges everyone to
//! carry, counted on the wire and over all lines. Reading stops at the limit, so a header of a megabyte costs what one
//! of 8192 bytes costs, and keeps the leading members that fit. A member longer than 4096 bytes is carried and counted
//! in [`Report::at_risk`], because other SDKs are known to drop it. Never a part of a member is read or sent.
//!
//! # Departures
//!
//! - Metadata is not decoded: what is a well-formed property goes out byte for byte as it came in.
//! - A percent sign that begins no escape is read as a percent sign. W3C says only that it must not be written.
//! - The 180 members of W3C's grammar are no limit of their own, and empty members are skipped.
//! - Of several members with one key the last is kept, because a `Baggage` holds one.
//!
//! # Non-goals
//!
//! Upstream's `Baggage` holds at most 64 members and 8192 bytes, not escaped; higher limits do not change that. It also
//! trims whatever Unicode calls white space off the ends of metadata.

mod encoded;
mod list;
mod member;
mod percent;
mod propagator;

pub use list::{decode, decode_lines, encode};
pub use otel_baggage_limits::{Limits, Reason, Report};
pub use propagator::BaggagePropagator;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
