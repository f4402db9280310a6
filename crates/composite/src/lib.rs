//! The [OpenTelemetry propagators](https://opentelemetry.io/docs/specs/otel/context/api-propagators/) of a service as
//! one: formats chosen by code, Cargo feature or `OTEL_PROPAGATORS`, with an order of preference that cannot surprise.
//!
//! ```
//! # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))] {
//! use opentelemetry::{Context, propagation::TextMapPropagator};
//! use otel_composite::{
//!     B3Propagator, BaggagePropagator, CompositePropagator, Limits, TraceContextPropagator, extract_only,
//! };
//! use std::collections::HashMap;
//!
//! let propagator = CompositePropagator::builder()
//!     .trace(TraceContextPropagator::new())        // preferred
//!     .trace(extract_only(B3Propagator::single())) // accepted, never sent
//!     .baggage(BaggagePropagator::new())
//!     .limits(Limits::new().max_bytes(4096))
//!     .build();
//! assert_eq!(
//!     propagator.to_string(),
//!     "extract: tracecontext > b3; inject: tracecontext; baggage: baggage, at most 64 members and 4096 bytes"
//! );
//!
//! let request = HashMap::from([
//!     ("b3".to_owned(), "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1".to_owned()),
//!     ("baggage".to_owned(), "tenant=acme".to_owned()),
//! ]);
//! let cx = propagator.extract_with_context(&Context::new(), &request);
//!
//! let mut sent = HashMap::new();
//! propagator.inject_context(&cx, &mut sent);
//! assert_eq!(sent["traceparent"], "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
//! assert_eq!(sent["baggage"], "tenant=acme");
//! assert!(!sent.contains_key("b3"));
//! # }
//! ```
//!
//! # Running examples
//!
//! In the repository: `cargo run -p examples --bin hop` installs a composite; `cargo run -p more-examples --bin b3-mesh`
//! takes a mesh from B3 to W3C. `examples/README.md` has a question and an example for each situation in which a service
//! meets context.
//!
//! # Which format wins
//!
//! The first trace format, in the order of the builder or the list, that yields a valid remote span context. Of those
//! after it:
//!
//! | a later header | what it adds |
//! |---|---|
//! | is absent or malformed | nothing |
//! | holds a sampling decision without ids, such as `b3: 0` | the decision |
//! | names the same trace | what its format keeps beside the span (the debug state of B3), and its `tracestate` where the winner has none; never its span |
//! | names another trace | nothing but its span context, for a link: [`ConflictExt`] |
//!
//! Where a proxy copies the headers of a request and injects into the copy, those of a trace that was not chosen do not
//! colour the chosen one: `tracestate`, `x-b3-flags` and `ot-tracer-sampled`, which are not always sent, are then overridden
//! with an empty value.
//!
//! A header with a decision alone does not win when it comes first either. Baggage is read whatever the trace does.
//! [`Builder::last_wins`] brings back the order of upstream's composite.
//!
//! # Bad input
//!
//! Where nothing valid came, the given context comes back, with its span and its baggage. Nothing panics. What each
//! format does with a bad header is said in its own crate.
//!
//! # Events
//!
//! With the target `otel_propagator`, as those of the formats; a value that a peer sent is never part of one.
//!
//! | event | level | fields | meaning |
//! |---|---|---|---|
//! | `propagator.conflict` | `WARN` | `chosen`, `not_chosen` (headers), `suppressed` | two headers name different traces; rate-limited |
//! | `propagator.configuration` | `WARN` | `variable`, `problem`, `known` | a setting was not used as it stands; one for each problem |
//! | `propagator.installed` | `INFO` | `propagator` | what [`install`] was given |
//!
//! # Choosing formats
//!
//! **In code**, with the [builder](CompositePropagator::builder), as above.
//!
//! **By feature**: what is not enabled is not compiled. A feature adds names and changes no call.
//!
//! | feature | brings in | names |
//! |---|---|---|
//! | `tracecontext` (default) | `TraceContextPropagator` | `tracecontext` |
//! | `w3c-baggage` (default) | `BaggagePropagator` | `baggage` |
//! | `b3` | `B3Propagator` | `b3`, `b3multi` |
//! | `jaeger` | `JaegerPropagator` | `jaeger` |
//! | `xray` | `XrayPropagator` | `xray`, `xray-lambda` |
//! | `ottrace` | `OtTracePropagator` | `ottrace` |
//! | `sampler` | `DecisionSampler` | |
//! | `metrics` | `Builder::meter` | |
//! | `carriers` | `carriers`: HTTP headers, the environment, messages, stored jobs, SQL | |
//! | `config` | `Config`: the `propagator` block of a declarative configuration, from any format of `serde` | |
//! | `yaml` | `Config::from_yaml`, `from_config_file_or_env` (`OTEL_CONFIG_FILE`) | |
//! | `testing` | `testing`: a carrier that loses, doubles, merges and cuts headers; checks that a handler passes context on | |
//! | `telemetry` | `telemetry`: chosen baggage on spans, log records and metrics | |
//! | `boundary` | `boundary`: what may come in, what may leave, and to whom; with `sampler` its samplers and links too | |
//!
//! **By environment**, with [`from_env`], or by a list of one's own, with [`from_list`]. [`Registry`] adds names.
//!
//! # From B3 to W3C
//!
//! Three steps, each rolled out to all services before the next; whatever is sent meanwhile is understood:
//!
//! ```
//! # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))] {
//! use otel_composite::from_lists;
//!
//! let accepted = "tracecontext,b3,baggage";
//! let accept_both = from_lists(accepted, "b3,baggage")?;
//! let send_both = from_lists(accepted, "tracecontext,b3,baggage")?;
//! let send_w3c = from_lists(accepted, "tracecontext,baggage")?;
//!
//! assert!(accept_both.to_string().starts_with("extract: tracecontext > b3; inject: b3; "));
//! assert!(send_both.to_string().starts_with("extract: tracecontext > b3; inject: tracecontext, b3; "));
//! assert!(send_w3c.to_string().starts_with("extract: tracecontext > b3; inject: tracecontext; "));
//! # }
//! # Ok::<(), otel_composite::SettingError>(())
//! ```
//!
//! In the second step both headers name the same trace, so a debug state still arrives with `b3` and a `tracestate` with
//! `traceparent`. Afterwards `b3` can go from the accepted formats.
//!
//! # Limits
//!
//! Baggage that is sent is within [`Limits`], even if the propagator that writes it has none: see
//! [`Builder::limits`]. Baggage that is read is bounded by the propagator that reads it, and by
//! [`Builder::inbound_limits`] for those that know no bounds; [`Limited`] does it for a single one.
//!
//! # Metrics
//!
//! With the feature `metrics`, `Builder::meter` has these recorded:
//!
//! | instrument | kind, unit | attributes |
//! |---|---|---|
//! | `propagator.injected.size` | histogram, `By` | `propagator.header`: a header of [`fields`], else `other` |
//! | `propagator.extractions` | counter, `{extraction}` | `propagator.format`: its name; `propagator.outcome`: `valid`, `absent`, `malformed`, `not_chosen`, `sampling_only`, or `left_out` of baggage whose keys a policy does not let in |
//! | `propagator.info` | gauge | `propagator.description`: the line that the composite prints. Always 1 |
//! | `propagator.baggage.left_out` | counter, `{member}` | `propagator.direction`: `in` or `out`; `propagator.reason`: a [`Reason`] |
//!
//! A meter that records nothing is a [`Problem::SilentMeter`].
//!
//! The size is that of a header's value. Formats added with [`Builder::other`] have no outcome, since nobody can see what
//! they found. With `last_wins`, a format that was replaced counts as `valid`.
//!
//! Threads count extractions and sizes apart, and the instruments get them when the meter is read, so that no request waits
//! for another.
//!
//! [`fields`]: opentelemetry::propagation::TextMapPropagator::fields
//!
//! # Departures
//!
//! - An `OTEL_PROPAGATORS` of which no name can be used means no propagators. The specification would have the setting
//!   ignored, so that `tracecontext,baggage` were sent. But a service that is told to send `b3` must not send baggage
//!   instead, which may be private: a trace that breaks is seen and fixed, baggage that left is gone. It is warned of,
//!   and [`try_from_env`] makes it an error.
//! - An unset `OTEL_PROPAGATORS` in a build without `tracecontext` means the trace formats that the build has: who compiled
//!   in `b3` alone wants it, and not a service that propagates nothing.
//! - The specification does not say what `none` means beside other names. Here it is warned of and ignored.
//!
//! # Non-goals
//!
//! There are no formats here but those of the features; other crates' propagators fit the builder and [`Registry`].
//! Sampling is the sampler's business: `DecisionSampler` (feature `sampler`) honours what a caller decided or left open.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod carried;
#[cfg(feature = "config")]
mod config;
mod conflict;
mod direction;
mod doctor;
mod env;
mod error;
mod events;
mod extract;
mod formats;
mod install;
mod known;
mod list;
#[cfg(feature = "metrics")]
mod metrics;
mod part;
mod propagator;
mod registry;
#[cfg(feature = "testing")]
pub mod testing;
mod watch;

pub use builder::Builder;
#[cfg(feature = "config")]
pub use config::{Config, ConfigError};
pub use conflict::ConflictExt;
pub use direction::{extract_only, inject_only};
pub use doctor::{Diagnosis, Finding, doctor};
pub use error::{Problem, RegisterError, SettingError};
pub use install::{Handle, install};
pub use known::Concern;
#[cfg(feature = "b3")]
pub use otel_b3::B3Propagator;
pub use otel_baggage_limits::{BothWays, Limited, Limits, Observer, PrefixedBaggage, Reason, Report};
/// Chosen baggage on spans, log records and metrics: the crate `otel-baggage-telemetry`.
#[cfg(feature = "telemetry")]
pub use otel_baggage_telemetry as telemetry;
/// What context travels in: the crate `otel-carriers`.
#[cfg(feature = "carriers")]
pub use otel_carriers as carriers;
#[cfg(feature = "jaeger")]
pub use otel_jaeger::{JaegerExt, JaegerPropagator};
#[cfg(feature = "ottrace")]
pub use otel_ottrace::OtTracePropagator;
#[cfg(feature = "sampler")]
pub use otel_propagator_core::sampling::DecisionSampler;
pub use otel_propagator_core::sampling::{Sampling, SamplingExt};
#[cfg(feature = "tracecontext")]
pub use otel_tracecontext::{ParseError, TraceContextPropagator, TraceParent};
/// What may come in, what may leave, and to whom: the crate `otel-trust-boundary`.
///
/// ```
/// use otel_composite::{boundary::{Boundary, Outbound}, from_list};
///
/// let mesh = Outbound::internal("mesh").hosts(["*.svc.cluster.local"])?;
/// let propagator = Boundary::deny_external().outbound(mesh).wrap(from_list("tracecontext,baggage")?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "boundary")]
pub use otel_trust_boundary as boundary;
#[cfg(feature = "w3c-baggage")]
pub use otel_w3c_baggage::{BaggagePropagator, RelayExt, RelayPropagator, Relayed, RelayedMember};
#[cfg(feature = "xray")]
pub use otel_xray::{XrayExt, XrayPropagator};
pub use part::{ExtractOnly, InjectOnly, IntoPart, Part};
pub use propagator::CompositePropagator;
pub use registry::Registry;

/// The propagators that `OTEL_PROPAGATORS` asks for at the time of the call.
///
/// | value | means |
/// |---|---|
/// | unset, empty, or nothing but white space and commas | `tracecontext,baggage`; in a build without `tracecontext`, the trace formats that it has |
/// | `none` | no propagators |
/// | a comma-separated list | these, the trace formats in the order of preference |
///
/// Names are trimmed, compared without case, and used once. A name that cannot be used (unknown, not compiled in, of a
/// format that this crate does not have, or `none` beside others) costs one `propagator.configuration` event, which also
/// says which names are known and which feature to enable; the other names are used. A list that is quoted, or has
/// semicolons or spaces between its names, is understood and told of as well.
///
/// More variables are this crate's own and limit the baggage, as [`Builder::limits`] and [`Builder::inbound_limits`] do:
///
/// | variable | holds |
/// |---|---|
/// | `OTELP_BAGGAGE_MAX_MEMBERS` | the most members that are sent |
/// | `OTELP_BAGGAGE_MAX_BYTES` | the most bytes of the header that is sent |
/// | `OTELP_BAGGAGE_INBOUND_MAX_MEMBERS` | the most members that are read |
/// | `OTELP_BAGGAGE_INBOUND_MAX_BYTES` | the most bytes that are read |
///
/// Whatever was wrong can also be asked of the result, with [`CompositePropagator::problems`]; [`try_from_env`] has it as
/// an error.
///
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>
///
/// ```
/// let propagator = otel_composite::from_env();
/// # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage"))]
/// assert!(propagator.to_string().starts_with("extract: tracecontext; inject: tracecontext; baggage: baggage"));
/// ```
#[must_use]
pub fn from_env() -> CompositePropagator {
    Registry::new().builder_from_env().build()
}

/// The same as [`from_env`], for a service that would rather not start than start with a setting it cannot use.
///
/// ```no_run
/// fn main() -> Result<(), otel_composite::SettingError> {
///     let propagator = otel_composite::install(otel_composite::try_from_env()?);
///     // …
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// Everything that is wrong with the variables, at once.
pub fn try_from_env() -> Result<CompositePropagator, SettingError> {
    Registry::new().try_builder_from_env().map(Builder::build)
}

/// What the file says that `OTEL_CONFIG_FILE` names, else what [`from_env`] says.
///
/// > When `OTEL_CONFIG_FILE` is set, all other environment variables besides those referenced in the configuration file
/// > for environment variable substitution MUST be ignored
///
/// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#declarative-configuration>
///
/// ```
/// let propagator = otel_composite::from_config_file_or_env()?;
/// # Ok::<(), otel_composite::ConfigError>(())
/// ```
///
/// # Errors
///
/// Where the file cannot be read or used. Problems with variables are told as by [`from_env`].
#[cfg(feature = "yaml")]
pub fn from_config_file_or_env() -> Result<CompositePropagator, ConfigError> {
    let registry = Registry::new();
    match std::env::var_os("OTEL_CONFIG_FILE").filter(|path| !path.is_empty()) {
        Some(path) => registry.builder_from_config(&Config::from_file(path)?).map(Builder::build),
        None => Ok(registry.builder_from_env().build()),
    }
}

/// The propagators of a list such as `OTEL_PROPAGATORS` holds: see [`from_env`].
///
/// ```
/// # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))] {
/// let propagator = otel_composite::from_list("b3, tracecontext, baggage")?;
/// assert!(propagator.to_string().starts_with("extract: b3 > tracecontext; inject: b3, tracecontext; "));
/// # }
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
///
/// # Errors
///
/// All names that cannot be used, at once.
pub fn from_list(list: &str) -> Result<CompositePropagator, SettingError> {
    Registry::new().builder_from_list(list).map(Builder::build)
}

/// One list for what is read, in the order of preference, and one for what is sent.
///
/// ```
/// # #[cfg(all(feature = "tracecontext", feature = "b3"))] {
/// let propagator = otel_composite::from_lists("tracecontext,b3", "tracecontext")?;
/// assert_eq!(propagator.to_string(), "extract: tracecontext > b3; inject: tracecontext; baggage: nothing");
/// # }
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
///
/// # Errors
///
/// All names of either list that cannot be used, at once.
pub fn from_lists(extract: &str, inject: &str) -> Result<CompositePropagator, SettingError> {
    Registry::new().builder_from_lists(extract, inject).map(Builder::build)
}

#[cfg(all(doctest, feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#[doc = include_str!("../README.md")]
struct ReadMe;
