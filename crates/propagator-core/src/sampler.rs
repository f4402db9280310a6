//! A sampler that obeys what was received of a decision.

use crate::sampling::{self, Sampling};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

/// Obeys the [state](Sampling) that was received with a trace, and leaves all other traces to another sampler.
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
/// use otel_propagator_core::sampling::DecisionSampler;
///
/// let provider = SdkTracerProvider::builder()
///     .with_sampler(DecisionSampler::new(Sampler::TraceIdRatioBased(0.01)))
///     .build();
/// ```
#[derive(Clone, Debug)]
pub struct DecisionSampler {
    root: Box<dyn ShouldSample>,
    inner: Option<Box<dyn ShouldSample>>,
}

impl DecisionSampler {
    /// Asks `root` for traces that start here and for those that nobody decided on. A span with a parent follows
    /// the parent's sampled flag.
    ///
    /// `root` must not be parent-based itself: it would take the unset flag of a deferred trace for a decision.
    #[must_use]
    pub fn new(root: impl Into<Box<dyn ShouldSample>>) -> Self {
        Self { root: root.into(), inner: None }
    }

    /// Asks `inner` about everything that no state was received of, instead of following the parent.
    #[must_use]
    pub fn with_inner(mut self, inner: impl Into<Box<dyn ShouldSample>>) -> Self {
        self.inner = Some(inner.into());
        self
    }
}

impl ShouldSample for DecisionSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let state = parent_context.and_then(|cx| sampling::state_for_new_span(cx, trace_id));
        let sampler = match (state, &self.inner) {
            (Some(Sampling::Defer), _) => &self.root,
            (None, Some(inner)) => inner,
            (state, _) => match state.or_else(|| flag_of_parent(parent_context?)) {
                Some(state) => return decided(state, parent_context),
                None => &self.root,
            },
        };
        sampler.should_sample(parent_context, trace_id, name, span_kind, attributes, links)
    }
}

/// What the sampled flag of a valid parent says.
fn flag_of_parent(parent: &Context) -> Option<Sampling> {
    let span = parent.span();
    let parent = span.span_context();
    parent.is_valid().then(|| if parent.is_sampled() { Sampling::Accept } else { Sampling::Deny })
}

fn decided(state: Sampling, parent: Option<&Context>) -> SamplingResult {
    let decision =
        if state.is_sampled() { SamplingDecision::RecordAndSample } else { SamplingDecision::Drop };
    let trace_state = parent.map_or(TraceState::NONE, |cx| cx.span().span_context().trace_state().clone());
    SamplingResult { decision, attributes: Vec::new(), trace_state }
}
