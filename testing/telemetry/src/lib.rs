//! Tests alone: `tests/otlp.rs`, and the code of the page on baggage and telemetry.

#[cfg(doctest)]
#[doc = include_str!("../../../docs/baggage-telemetry.md")]
struct Page;
