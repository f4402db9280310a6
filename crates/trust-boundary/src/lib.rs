//! What trace context and baggage may come in, what may leave, and to whom: a decorator for any OpenTelemetry
//! propagator, for the [privacy](https://www.w3.org/TR/trace-context-2/#privacy-considerations) and
//! [security](https://www.w3.org/TR/trace-context-2/#security-considerations) considerations of W3C Trace Context and
//! [those of Baggage](https://www.w3.org/TR/baggage/#privacy-considerations).
//!
//! ```
//! use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
//! use otel_trust_boundary::{Boundary, Destination, DestinationExt, Outbound};
//! use otel_w3c_baggage::BaggagePropagator;
//! use std::collections::HashMap;
//!
//! let boundary = Boundary::deny_external()
//!     .outbound(Outbound::internal("mesh").hosts(["*.svc.cluster.local", "10.0.0.0/8"])?);
//! // The one for `opentelemetry::global::set_text_map_propagator`.
//! let propagator = boundary.wrap(BaggagePropagator::new());
//!
//! let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
//! let sent_to = |host: &str| {
//!     let mut request = HashMap::new();
//!     propagator.inject_context(&cx.with_destination(Destination::host(host)), &mut request);
//!     request["baggage"].clone()
//! };
//! assert_eq!(sent_to("orders.svc.cluster.local"), "tenant=acme");
//! assert_eq!(sent_to("api.stripe.com"), "", "an older header of the request is overridden");
//! # Ok::<(), otel_trust_boundary::HostError>(())
//! ```
//!
//! # Inbound
//!
//! What becomes of a caller's context is decided by [rules](Inbound), the first that applies. [`Strategy`] says what
//! they can do; the words are those of the [OpenTelemetry proposal](https://github.com/open-telemetry/opentelemetry-specification/pull/5055)
//! on trace continuation, so that a decider in the SDK is a change of names.
//!
//! | | the parent of the next span | its trace | baggage |
//! |---|---|---|---|
//! | [`Continue`](Strategy::Continue) | the caller's span | the caller's | what is [accepted](Inbound::accept_baggage) |
//! | `Continue`, [untrusted](Inbound::trust_sampled) | the caller's span | the caller's; this service decides on sampling | what is accepted |
//! | [`RestartWithLink`](Strategy::RestartWithLink) | none | a new one; its first span is linked to the caller's | what is accepted |
//! | [`RestartWithoutLink`](Strategy::RestartWithoutLink) | none | a new one | what is accepted |
//! | [`Ignore`](Strategy::Ignore) | as before | as before | as before |
//!
//! A restart takes nothing of the caller's trace: not its `tracestate`, not a decision about sampling with ids or
//! without, nothing that the wrapped propagator keeps beside the span.
//!
//! # Destinations
//!
//! What leaves is decided by [rules](Outbound) for destinations. A propagator is not told where a request goes; it gets
//! known in three ways:
//!
//! 1. **A value in the context**: [`DestinationExt::with_destination`]. It also holds where instrumentation injects
//!    another context than the one that is attached, as long as that context names no destination.
//! 2. **The sampler bridge**: `DestinationSampler` (feature `sdk`) sees `server.address` of every client span, sampled
//!    or not, and marks it. No instrumentation has to change. The mark is a member of the span's trace state, which
//!    this propagator obeys and takes away; of a caller's trace state it is taken away too, so that no peer says where
//!    our requests go. It counts only in a process that has made such a sampler.
//! 3. **At the wire**: `EgressLayer` (feature `tower`) and `Boundary::strip` (feature `http`) see the URI and remove
//!    what is forbidden, whatever put it there.
//!
//! Where 1 and 2 differ, the later one counts: a value that was set on the marked span's own context, else the mark.
//! Where nothing says where a request goes, or what says so is no host, the rule for
//! [unknown](Boundary::unknown) destinations holds, and an event tells of it.
//!
//! # Sampling
//!
//! With [`trust_sampled(false)`](Inbound::trust_sampled) no caller can have a request recorded, with a flag, a debug
//! flag or a decision without ids, nor keep one from being recorded. `DecisionSampler` of `otel-propagator-core`
//! (feature `sampler`) then asks the root sampler, as it does for B3's deferred state. `UnguessableSampler` keeps a caller from
//! choosing trace ids that a ratio always samples.
//!
//! # Bad input
//!
//! Of headers nothing is read here but the keys of `tracestate` and of baggage lists, and what a rule asks for; the rest is
//! the wrapped propagator's. A host is compared by its labels, never as text: see [`Destination::host`] for what is none;
//! the answer is then the rule for unknown destinations. Nothing panics.
//!
//! # Events
//!
//! With the target `otel_propagator`, rate-limited as those of the formats. No value that a peer sent is part of one.
//!
//! | event | level | fields | meaning |
//! |---|---|---|---|
//! | `propagator.boundary` | `DEBUG` | `direction`, `rule`, `action`, `keys_dropped`, `suppressed` | a rule changed what is used (`in`) or sent (`out`) |
//! | `propagator.destination` | `WARN` | `problem`, `suppressed` | nobody can say where a request goes, so it gets what unknown destinations get |
//! | `propagator.left_out` | `WARN` | those of [`LeftOut`](otel_propagator_core::diagnostics::LeftOut) | a caller sent a mark of the sampler bridge |
//!
//! What passes unchanged is counted, and not told of.
//!
//! # Metrics
//!
//! With the feature `metrics`, `Boundary::meter` has `propagator.boundary.decisions` counted, in `{decision}`:
//!
//! | attribute | values |
//! |---|---|
//! | `propagator.direction` | `in`, `out` |
//! | `propagator.boundary.rule` | the name of a rule |
//! | `propagator.boundary.action` | `continued`, `restarted_with_link`, `restarted`, `ignored`; `injected`, `ids_injected`, `suppressed`; `keys_dropped` |
//!
//! A request whose context has a trace and whose baggage loses keys counts twice: once by what became of the trace, once
//! as `keys_dropped`.
//!
//! # Limits
//!
//! A policy that changes nothing costs no allocation. A host is looked up once for each of its labels, an address once
//! for each length of a prefix that the rules have, however many hosts they name.
//!
//! A context that has a span already loses what is not baggage when it is restarted: the API cannot take a span away,
//! and an invalid one counts as a parent that is not sampled. What the wrapped propagator puts into a context beside span
//! and baggage does not survive a restart either, but for baggage that it keeps as text; a propagator that reads headers of
//! your own stands beside this one.
//!
//! Headers are told apart by name: `tracestate`, `baggage` and other systems' baggage headers are what they are, and every
//! other header counts as the trace's. Of headers that are made from keys (`uberctx-…`), an older one
//! in a copied request is removed by `EgressLayer` alone. A header that the wrapped propagator reads and does not write is
//! overridden where [`Boundary::context_headers`] names it.
//!
//! Keys are looked at twice: in the context, and in lists such as `baggage` as text, since a propagator may
//! pass these on without decoding them (`RelayPropagator` of `otel-w3c-baggage`). On the way out, what is in the text alone
//! came from a caller. Of a caller's list at most 180 members and 16,384 bytes are looked at, and no other member is accepted.
//!
//! A client that follows a redirect sends the headers of the first request on to another host. Neither the context nor the
//! span says so; an `EgressLayer` below what follows redirects sees the host of each request. Where there is none, as in
//! `reqwest`, have redirects to other hosts not followed.
//!
//! # Departures
//!
//! - W3C says that a mutation of `tracestate` should be rare; here the mark of the sampler bridge is removed always, and
//!   `ot` where the caller's sampling is not trusted.
//! - The proposal decides before the sampler, by the attributes of a span. A propagator has no attributes, so inbound
//!   rules see the request instead.
//! - The proposal takes the first egress rule that applies. Here the one with the [most specific host](Outbound::hosts)
//!   decides, so that it is found in the same time among any number of rules; the rule for all others is
//!   [`Boundary::unknown`], which a configuration calls `default_egress_action`.
//!
//! # Non-goals
//!
//! It authenticates nobody: it believes the headers that a rule names. It does not change what a service records.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod action;
mod boundary;
#[cfg(feature = "config")]
mod config;
mod destination;
mod events;
mod gate;
mod host;
mod inbound;
mod index;
#[cfg(feature = "tower")]
mod layer;
#[cfg(feature = "sdk")]
mod links;
mod list;
mod mark;
#[cfg(feature = "metrics")]
mod metrics;
mod origin;
mod outbound;
mod propagator;
#[cfg(feature = "sdk")]
mod sampler;
mod sieve;
#[cfg(feature = "http")]
mod strip;
mod table;
mod watch;

pub use boundary::Boundary;
#[cfg(feature = "config")]
pub use config::ConfigError;
pub use destination::{Destination, DestinationExt};
pub use host::HostError;
pub use inbound::{Inbound, Strategy};
#[cfg(feature = "tower")]
pub use layer::{Egress, EgressLayer};
#[cfg(feature = "sdk")]
pub use links::RestartLinks;
pub use otel_propagator_core::{keys::Keys, restart::RestartExt};
pub use outbound::{Outbound, Trace};
pub use propagator::Guarded;
#[cfg(feature = "sdk")]
pub use sampler::{DestinationSampler, UnguessableSampler};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadMe;
