//! A sampler that obeys what was received of a decision.

use crate::{
    diagnostics,
    sampling::{self, Sampling},
};
use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt, TraceId, TraceState},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};
use tracing::Level;

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
        sampling::installed();
        Self { root: root.into(), inner: None }
    }

    /// What `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` ask for, with what was received obeyed before.
    ///
    /// A `parentbased_` sampler becomes the root sampler. Any other one also decides on spans whose parent has no state
    /// besides its flag, as it would alone. A name that is not known, or an argument that is not a number from 0 to 1, is
    /// one event `propagator.configuration` and the specification's default: `parentbased_always_on`, `1.0`.
    /// <https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration>
    ///
    /// ```
    /// use opentelemetry_sdk::trace::SdkTracerProvider;
    /// use otel_propagator_core::sampling::DecisionSampler;
    ///
    /// let provider = SdkTracerProvider::builder().with_sampler(DecisionSampler::from_env()).build();
    /// ```
    #[must_use]
    pub fn from_env() -> Self {
        Self::from_settings(|variable| std::env::var(variable).ok())
    }

    fn from_settings(get: impl Fn(&str) -> Option<String>) -> Self {
        let get =
            |variable| get(variable).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let name = get(SAMPLER).map_or("parentbased_always_on".to_owned(), |name| name.to_ascii_lowercase());
        let (sampler, is_parent_based) = match name.strip_prefix("parentbased_") {
            Some(root) => (root, true),
            None => (name.as_str(), false),
        };
        let sampler = match sampler {
            "always_on" => Sampler::AlwaysOn,
            "always_off" => Sampler::AlwaysOff,
            "traceidratio" => Sampler::TraceIdRatioBased(ratio(get(SAMPLER_ARG))),
            _ => {
                configuration(SAMPLER, "is none of the known samplers: parentbased_always_on is used");
                return Self::new(Sampler::AlwaysOn);
            }
        };
        let root = Self::new(sampler.clone());
        if is_parent_based { root } else { root.with_inner(sampler) }
    }

    /// Asks `inner` about everything that no state was received of, instead of following the parent.
    ///
    /// ```
    /// use opentelemetry_sdk::trace::Sampler;
    /// use otel_propagator_core::sampling::DecisionSampler;
    ///
    /// let everything = DecisionSampler::new(Sampler::AlwaysOn).with_inner(Sampler::AlwaysOn);
    /// ```
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

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// > Sampling probability, a number in the [0..1] range, e.g. "0.25". Default is 1.0 if unset.
fn ratio(argument: Option<String>) -> f64 {
    let Some(argument) = argument else { return 1.0 };
    argument.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio)).unwrap_or_else(|| {
        configuration(SAMPLER_ARG, "is no number from 0 to 1: 1 is used");
        1.0
    })
}

fn configuration(variable: &'static str, problem: &'static str) {
    tracing::event!(
        name: "propagator.configuration", target: diagnostics::TARGET, Level::WARN,
        name = "propagator.configuration", variable, problem,
        "{variable} {problem}"
    );
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

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    /// The settings, and whether a root, a child of a sampled and a child of an unsampled span are sampled; the trace id
    /// is in the upper half of all.
    type Row = (&'static str, Option<&'static str>, Option<&'static str>, [bool; 3]);

    const ROWS: &[Row] = &[
        ("unset", None, None, [true, true, false]),
        ("empty is unset", Some(" "), Some(""), [true, true, false]),
        ("always on", Some("always_on"), None, [true, true, true]),
        ("always off", Some("always_off"), None, [false, false, false]),
        ("a ratio", Some("traceidratio"), Some("0.25"), [false, false, false]),
        ("another", Some("traceidratio"), Some(" 1 "), [true, true, true]),
        ("of parents, on", Some("parentbased_always_on"), None, [true, true, false]),
        ("of parents, off", Some("parentbased_always_off"), None, [false, true, false]),
        ("of parents, a ratio", Some("parentbased_traceidratio"), Some("0.25"), [false, true, false]),
        ("in other letters", Some("Always_OFF"), None, [false, false, false]),
        ("a ratio without its argument", Some("parentbased_traceidratio"), None, [true, true, false]),
        ("no number", Some("parentbased_traceidratio"), Some("a quarter"), [true, true, false]),
        ("less than 0", Some("parentbased_traceidratio"), Some("-0.1"), [true, true, false]),
        ("more than 1", Some("parentbased_traceidratio"), Some("1.1"), [true, true, false]),
        ("no number at all", Some("parentbased_traceidratio"), Some("NaN"), [true, true, false]),
        ("not known", Some("sometimes"), None, [true, true, false]),
        ("not there in Rust", Some("parentbased_jaeger_remote"), None, [true, true, false]),
    ];

    #[test]
    fn the_settings_are_those_of_the_specification() {
        let trace_id = TraceId::from(0x0123_4567_89ab_cdef_c000_0000_0000_0000);
        let parent = |flags| {
            let span = SpanContext::new(trace_id, SpanId::from(1), flags, true, TraceState::NONE);
            Context::new().with_remote_span_context(span)
        };
        let parents = [Context::new(), parent(TraceFlags::SAMPLED), parent(TraceFlags::NOT_SAMPLED)];
        for &(rule, name, argument, expected) in ROWS {
            let sampler = DecisionSampler::from_settings(|variable| {
                let value = if variable == SAMPLER { name } else { argument };
                value.map(str::to_owned)
            });
            let is_sampled = parents.each_ref().map(|parent| {
                let result = sampler.should_sample(Some(parent), trace_id, "", &SpanKind::Server, &[], &[]);
                result.decision == SamplingDecision::RecordAndSample
            });
            assert_eq!(is_sampled, expected, "{rule}");
        }
    }
}
