//! Our propagators beside the SDK's and beside the floor that the upstream API sets, in one run.
//!
//! The rows stand in [`rows`], once; `compare`, `growth` and the criterion benches all take them from there.

pub mod allocation;
mod boundary;
pub mod callgrind;
pub mod carrier;
pub mod clock;
pub mod contenders;
pub mod floor;
pub mod hostile;
mod http_carriers;
pub mod input;
#[cfg(feature = "jaeger")]
mod jaeger;
#[cfg(feature = "metrics")]
mod metrics;
mod pair;
pub mod report;
pub mod rows;
pub mod svg;
pub mod targets;
pub mod task;

/// One call of what is measured.
pub type Task = Box<dyn FnMut()>;
