//! What the OpenTelemetry propagator crates of this workspace share: fixed-width hexadecimal digits,
//! the lines of a repeated header, and diagnostics that a peer can neither flood nor write into.
//!
//! ```
//! use otel_propagator_core::{header, hex};
//! use std::collections::HashMap;
//!
//! let carrier = HashMap::from([("x-span".to_owned(), "00f067aa0ba902b7".to_owned())]);
//! let sixteen_digits = |value: &str| {
//!     value.as_bytes().try_into().ok().and_then(hex::decode_u64).ok_or("not 16 lower-case digits")
//! };
//! assert_eq!(header::parse_line(&carrier, "x-span", sixteen_digits), Some(0x00f0_67aa_0ba9_02b7));
//! ```
//!
//! This crate is for authors of propagators. A service depends on `otel-composite` instead.
//!
//! # Bad input
//!
//! Nothing here panics or allocates more than the carrier's own list of lines. Events name the header, the
//! rule and sizes; a value that a peer sent is never part of one.
//!
//! # Non-goals
//!
//! No grammar lives here: each format's crate knows its own headers.

mod decision;
pub mod diagnostics;
pub mod header;
pub mod hex;
pub mod keys;
pub mod leftover;
pub mod located;
pub mod remote;
pub mod restart;
#[cfg(feature = "sampler")]
mod sampler;
pub mod sampling;
mod throttle;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
