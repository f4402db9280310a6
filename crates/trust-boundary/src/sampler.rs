//! Samplers: one that tells the propagator where requests go, and one that no caller can lead.

use crate::{host::Authority, mark};
use opentelemetry::{
    Context, KeyValue, Value,
    trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingResult, ShouldSample};
use std::{
    fmt,
    hash::{BuildHasher, RandomState},
};

/// Leaves every decision to another sampler, and tells the propagator where the requests of client and producer spans
/// go: the sampler bridge.
///
/// It reads `server.address` and `server.port`, or the older `net.peer.name` and `net.peer.port`, of each such span
/// when it starts, sampled or not, and puts the destination into the span's trace state as the member
/// `otel-destination`. A [`Guarded`](crate::Guarded) propagator obeys it and takes it away, so that it is on no wire.
/// Instrumentation need not know of it, as long as it gives the attributes when it makes the span: `reqwest-tracing` and
/// `tonic-tracing-opentelemetry` do.
///
/// What it costs: the span's trace state is copied, with one member more, and the member shows in exported client spans
/// and what is below them. A propagator that is not guarded sends it. Of a trace state that has 32 members already, the most
/// that there may be, the last one is lost to it, here and in what is sent. A host that together with its port is longer
/// than the 256 bytes of a value counts as not known.
///
/// Spans of servers and consumers do not inherit the mark, internal ones do, and nothing is inherited of a remote
/// parent.
///
/// ```
/// use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
/// use otel_trust_boundary::DestinationSampler;
///
/// let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(0.01)));
/// let provider = SdkTracerProvider::builder().with_sampler(DestinationSampler::new(sampler)).build();
/// ```
#[derive(Clone, Debug)]
pub struct DestinationSampler {
    inner: Box<dyn ShouldSample>,
}

impl DestinationSampler {
    /// Lets `inner` decide.
    #[must_use]
    pub fn new(inner: impl Into<Box<dyn ShouldSample>>) -> Self {
        mark::bridge();
        Self { inner: inner.into() }
    }
}

impl ShouldSample for DestinationSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result =
            self.inner.should_sample(parent_context, trace_id, name, span_kind, attributes, links);
        let state = &result.trace_state;
        let changed = match span_kind {
            SpanKind::Client | SpanKind::Producer => marked(state, destination(attributes)),
            SpanKind::Internal if !has_remote_parent(parent_context) => None,
            _ => marked(state, None),
        };
        if let Some(changed) = changed {
            result.trace_state = changed;
        }
        result
    }
}

fn has_remote_parent(parent: Option<&Context>) -> bool {
    parent.is_some_and(|cx| cx.span().span_context().is_remote())
}

/// The trace state with this mark and no other, if that is not what it is.
///
/// A client span is never left without its mark, since a destination of an outer context would then be taken for its own.
fn marked(state: &TraceState, destination: Option<String>) -> Option<TraceState> {
    let Some(destination) = destination else {
        return mark::is_in(state).then(|| mark::without(state, mark::KEY));
    };
    // Where there are 32 members, `insert` removes the last one, as whoever adds one should:
    // <https://www.w3.org/TR/trace-context-2/#mutating-the-tracestate-field>.
    state.insert(mark::KEY, destination).or_else(|_| state.insert(mark::KEY, mark::NO_HOST)).ok()
}

/// The host and the port that the attributes name; what is no host is marked as such, so that no destination of an
/// outer context is taken for it.
fn destination(attributes: &[KeyValue]) -> Option<String> {
    const NAMES: [(&str, &str); 2] = [("server.address", "server.port"), ("net.peer.name", "net.peer.port")];
    let find = |name: &str| attributes.iter().rfind(|it| it.key.as_str() == name).map(|it| &it.value);
    let (host, port) = NAMES.iter().find_map(|(host, port)| Some((find(host)?, find(port))))?;
    Some(authority(host, port).map_or_else(|| mark::NO_HOST.to_owned(), |to| to.to_string()))
}

fn authority(host: &Value, port: Option<&Value>) -> Option<Authority> {
    let mut authority = Authority::parse(&host.as_str()).ok()?;
    if let Some(port) = port {
        let port = port.as_str().parse().ok().filter(|&port: &u16| port != 0)?;
        authority.port = Some(port);
    }
    Some(authority)
}

/// Asks another sampler with a trace id that no caller can have chosen.
///
/// A sampler that decides by the trace id, as `Sampler::TraceIdRatioBased` does, samples every request of a caller that
/// sends ids which begin with zeros. Here it is asked with a keyed hash of the id: the same decision for each span of a
/// trace in this process, and none that can be foreseen. It belongs around the sampler of traces that nobody trusted
/// decided on:
///
/// ```
/// use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
/// use otel_propagator_core::sampling::DecisionSampler;
/// use otel_trust_boundary::UnguessableSampler;
///
/// let one_percent = UnguessableSampler::new(Sampler::TraceIdRatioBased(0.01));
/// let provider = SdkTracerProvider::builder().with_sampler(DecisionSampler::new(one_percent)).build();
/// ```
///
/// Two services that both decide about one trace decide apart.
#[derive(Clone)]
pub struct UnguessableSampler {
    inner: Box<dyn ShouldSample>,
    key: RandomState,
}

impl UnguessableSampler {
    /// Lets `inner` decide.
    #[must_use]
    pub fn new(inner: impl Into<Box<dyn ShouldSample>>) -> Self {
        Self { inner: inner.into(), key: RandomState::new() }
    }

    fn hashed(&self, trace_id: TraceId) -> TraceId {
        let id = u128::from_be_bytes(trace_id.to_bytes());
        let (high, low) = (self.key.hash_one((0_u8, id)), self.key.hash_one((1_u8, id)));
        TraceId::from(u128::from(high) << 64 | u128::from(low))
    }
}

impl fmt::Debug for UnguessableSampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnguessableSampler").field(&self.inner).finish()
    }
}

impl ShouldSample for UnguessableSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let trace_id = self.hashed(trace_id);
        self.inner.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}
