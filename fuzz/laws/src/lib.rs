//! What must hold for every input, one function a fuzz target.
//!
//! Each takes arbitrary bytes and panics with the name of the law that they break. The same functions run under
//! libFuzzer (`fuzz/fuzz_targets`) and, over every input that is checked in, in `cargo test` (`tests/replay.rs`).

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    unreachable_pub,
    reason = "a broken law panics; that is what this crate is for"
)]

macro_rules! law {
    ($holds:expr, $name:expr $(, $seen:expr)* $(,)?) => {
        if !$holds {
            $crate::broken($name, &[$((stringify!($seen), &$seen as &dyn std::fmt::Debug)),*])
        }
    };
}

mod b3;
mod baggage;
mod boundary;
mod carrier;
mod carriers;
mod composite;
mod differential;
mod given;
mod hop;
mod inspect;
mod legacy;
mod model;
mod process;
mod script;
mod subscriber;
mod tracecontext;

pub use b3::{b3_multi, b3_single};
pub use baggage::{baggage_in, baggage_out, relay};
pub use boundary::boundary;
pub use carriers::carriers;
pub use composite::composite;
pub use differential::{Class, classes, differential_b3, differential_baggage, differential_tracecontext};
pub use hop::hop;
pub use inspect::inspect;
pub use legacy::{jaeger, ottrace, prefixed_baggage, xray};
pub use process::{met_by_process, process};
pub use tracecontext::{traceparent, tracestate};

/// A law as the fuzzers run it.
pub type Law = fn(&[u8]);

/// Every target by its name, which is also the name of its corpus.
pub const TARGETS: &[(&str, Law)] = &[
    ("traceparent", traceparent),
    ("tracestate", tracestate),
    ("baggage_in", baggage_in),
    ("baggage_out", baggage_out),
    ("relay", relay),
    ("b3_single", b3_single),
    ("b3_multi", b3_multi),
    ("jaeger", jaeger),
    ("xray", xray),
    ("ottrace", ottrace),
    ("prefixed_baggage", prefixed_baggage),
    ("carriers", carriers),
    ("composite", composite),
    ("hop", hop),
    ("process", process),
    ("inspect", inspect),
    ("boundary", boundary),
    ("differential_tracecontext", differential_tracecontext),
    ("differential_baggage", differential_baggage),
    ("differential_b3", differential_b3),
];

#[cold]
#[track_caller]
fn broken(law: &str, seen: &[(&str, &dyn std::fmt::Debug)]) -> ! {
    let seen: Vec<_> = seen.iter().map(|(name, value)| format!("\n  {name} = {value:?}")).collect();
    let seen = seen.concat();
    panic!("broken law: {law}{seen}")
}
