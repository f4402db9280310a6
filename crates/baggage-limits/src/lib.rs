//! Limits for OpenTelemetry baggage.
#![allow(clippy::must_use_candidate)]
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
