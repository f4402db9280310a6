#![cfg_attr(docsrs, feature(doc_cfg))]
//! Explains propagation headers: which part of a value means what, which rule is broken and where, which format wins,
//! what is left out by which limit, and what goes out next.
//!
//! ```
//! use otel_inspect::{Config, Request, inspect};
//!
//! let request = Request::parse(
//!     b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n\
//!       baggage: tenant=acme retail,cohort=b",
//! );
//! let report = inspect(&request, &Config::default());
//! assert_eq!(report.chosen.as_ref().unwrap().format, "tracecontext");
//! assert_eq!(report.headers[1].problems[0].from, "tenant=acme".len());
//! assert_eq!(report.baggage[1].left_out, None);
//! println!("{}", otel_inspect::to_text(&report));
//! ```
//!
//! It asks the propagators themselves, so it says what they do. The command `otelp` (feature `cli`) prints the same in a
//! terminal.
//!
//! # Bad input
//!
//! It is what this crate is for. A text is cut at [`MAX_TEXT_BYTES`], its header lines at [`MAX_LINES`]; nothing
//! panics. A [`Report`] holds what was received, with escapes where it is not visible ASCII; [`to_text`] prints no
//! control character.
//!
//! # Non-goals
//!
//! It records no spans and speaks to no backend. It does not look into the payload of a request.

mod carrier;
mod config;
mod findings;
mod http2;
mod inspect;
mod members;
mod parts;
mod policy;
mod report;
mod request;
mod sdk;
mod text;

pub use config::Config;
pub use http2::http2_len;
pub use inspect::inspect;
pub use report::{
    Chosen, Difference, Finding, Format, Header, Member, Outcome, Part, Policy, Problem, Report, Sent,
    Severity, Span, State, Withheld,
};
pub use request::{Line, MAX_LINES, MAX_TEXT_BYTES, Request, Source};
pub use text::{printable, to_ansi_text, to_json, to_text};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
