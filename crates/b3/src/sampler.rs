//! A sampler that knows the four states.

use crate::{Sampling, context};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{ParentBasedSampler, SamplingDecision, SamplingResult, ShouldSample};

/// Obeys what B3 said of a trace, and leaves all other traces to another sampler.
///
/// | received | the new span |
/// |---|---|
/// | [`Debug`](Sampling::Debug), with or without ids | is sampled, and so is each one of its trace here |
/// | [`Deny`](Sampling::Deny), with or without ids | is dropped |
/// | [`Defer`](Sampling::Defer) | the root sampler is asked: the unset flag of the parent is not a no |
/// | [`Accept`](Sampling::Accept) without ids | is sampled |
/// | everything else | the inner sampler is asked |
///
/// A decision without ids is about spans that start a trace. Under a bare debug decision the first such trace goes on
/// as a debug trace.
///
/// Any other sampler takes a deferred trace for a denied one, if it is parent-based, and may drop a debug trace, which
/// is still sent on as such.
///
/// ```
/// use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
/// use otel_b3::B3Sampler;
///
/// let provider = SdkTracerProvider::builder()
///     .with_sampler(B3Sampler::new(Sampler::TraceIdRatioBased(0.01)))
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct B3Sampler {
    root: Box<dyn ShouldSample>,
    inner: Box<dyn ShouldSample>,
}

impl B3Sampler {
    /// Asks `root` for traces that start here and for those that nobody decided on. A span with a parent follows
    /// the parent's sampled flag.
    ///
    /// `root` must not be parent-based itself: it would take the unset flag of a deferred trace for a decision.
    #[must_use]
    pub fn new(root: impl Into<Box<dyn ShouldSample>>) -> Self {
        let root = root.into();
        Self { inner: Box::new(ParentBasedSampler::new(root.clone())), root }
    }

    /// Asks `inner` about everything that B3 says nothing of, instead of following the parent.
    #[must_use]
    pub fn with_inner(mut self, inner: impl Into<Box<dyn ShouldSample>>) -> Self {
        self.inner = inner.into();
        self
    }
}

impl ShouldSample for B3Sampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let sampler = match parent_context.and_then(|cx| context::state_for_new_span(cx, trace_id)) {
            Some(Sampling::Debug | Sampling::Accept) => {
                return decided(SamplingDecision::RecordAndSample, parent_context);
            }
            Some(Sampling::Deny) => return decided(SamplingDecision::Drop, parent_context),
            Some(Sampling::Defer) => &self.root,
            None => &self.inner,
        };
        sampler.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

fn decided(decision: SamplingDecision, parent: Option<&Context>) -> SamplingResult {
    let trace_state = parent.map_or(TraceState::NONE, |cx| cx.span().span_context().trace_state().clone());
    SamplingResult { decision, attributes: Vec::new(), trace_state }
}
