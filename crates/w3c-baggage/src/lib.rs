//! W3C Baggage.
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
