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
//! [`decode`] and [`encode`] do the same without a context and return a [`Report`]. A gateway that only passes baggage on
//! uses [`RelayPropagator`], which decodes a member only when it is asked for.
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
//! [`Limits`] say how much is read and sent. By default the 64 members and 8192 bytes are read that W3C obliges everyone to
//! carry, counted over all lines; **4096 bytes are sent**, because most servers as they are installed refuse a request
//! whose `baggage` is longer. `with_limits(Limits::W3C)` sends 8192. Optional whitespace and empty members do not
//! count, since they are not sent; so that work stays bounded, nothing is looked at after 180 members or after the first
//! `max_bytes` + 8192 bytes, whatever they are. A member longer than 4096 bytes is carried where `max_bytes` admits it and
//! counted in [`Report::at_risk`], because other SDKs are known to drop it. Never a part of a member is read or sent.
//!
//! An injector can only set a header. If the context has baggage and none of it may be sent, the header is set to
//! nothing, so that an older one of a request that is passed on does not go out. An empty header is read as none.
//!
//! # Departures
//!
//! - Metadata is not decoded: what is a well-formed property goes out byte for byte as it came in, but a tab between
//!   properties leaves as a space.
//! - A percent sign that begins no escape is read as a percent sign. W3C says only that it must not be written.
//! - Empty members are skipped.
//! - Of several members with one key the last is kept, because a `Baggage` holds one.
//!
//! # Non-goals
//!
//! Upstream's `Baggage` holds at most 64 members and 8192 bytes, not escaped; higher limits do not change that. It also
//! trims whatever Unicode calls white space off the ends of metadata.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod decode;
mod encode;
mod located;
mod member;
mod octets;
mod percent;
mod propagator;
mod property;
mod relay;

pub use decode::{decode, decode_lines};
pub use encode::encode;
pub use located::locate;
pub use otel_baggage_limits::{BothWays, Direction, Keys, Limits, Observer, Reason, Report};
pub use propagator::BaggagePropagator;
pub use relay::{RelayExt, RelayPropagator, Relayed, RelayedMember};

const HEADER: &str = "baggage";

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
