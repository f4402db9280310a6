//! What X-Ray says of a trace and no other format does, in the `Context`.

use crate::{Lineage, ParseError, Sampling, SamplingExt, TraceHeader};
use opentelemetry::{
    Context,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_propagator_core::{diagnostics::Rejected, header::field_value, sampling::hint};

/// Where Lambda puts the trace of the invocation, if there is one invocation at a time.
pub(crate) const VARIABLE: &str = "_X_AMZN_TRACE_ID";

/// The trace of a `Root` that came without `Parent`.
#[derive(Debug)]
struct Root(TraceId);

/// The `Lineage` that came with a trace; none where it came again without.
#[derive(Debug)]
struct LineageOf {
    trace_id: TraceId,
    lineage: Option<Lineage>,
}

/// What a header means that names a span and says neither `Sampled=0` nor `Sampled=1`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Missing {
    /// The receiver decides: `DecisionSampler` asks its root sampler. Other samplers take it for a no.
    #[default]
    Defer,
    /// The trace is sampled.
    Sampled,
    /// The trace is not sampled, as OpenTelemetry's propagators for Java and Go have it.
    NotSampled,
}

impl Missing {
    pub(crate) const fn unless_decided(self, received: Sampling) -> Sampling {
        match (received, self) {
            (Sampling::Defer, Self::Sampled) => Sampling::Accept,
            (Sampling::Defer, Self::NotSampled) => Sampling::Deny,
            (received, _) => received,
        }
    }
}

/// What X-Ray's header says beyond the span context and its [sampling state](SamplingExt).
pub trait XrayExt: sealed::Sealed {
    /// The trace that a load balancer named: the `Root` that was received last without a `Parent`.
    ///
    /// It makes no span context, since there is no span. Sent on it is only where no span is started; a service that
    /// starts one can put it on the span as an attribute or a link, to find the request in the load balancer's logs.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
    /// use otel_xray::{XrayExt, XrayPropagator};
    /// use std::collections::HashMap;
    ///
    /// let header = "Root=1-5759e988-bd862e3fe1be46a994272793";
    /// let request = HashMap::from([("x-amzn-trace-id".to_owned(), header.to_owned())]);
    /// let cx = XrayPropagator::new().extract_with_context(&Context::new(), &request);
    /// assert!(!cx.has_active_span());
    /// assert_eq!(cx.xray_root().unwrap().to_string(), "5759e988bd862e3fe1be46a994272793");
    /// ```
    fn xray_root(&self) -> Option<TraceId>;

    /// The `Lineage` that came with the trace of the context's span, or with the [root](Self::xray_root) where there is
    /// no span. It is sent on.
    fn xray_lineage(&self) -> Option<Lineage>;

    /// The context with the trace of one invocation of a Lambda function: the value that the runtime hands to the
    /// function, such as `lambda_runtime::Context::xray_trace_id`.
    ///
    /// Where invocations run at once in one process, the environment variable that
    /// [`XrayPropagator::lambda`](crate::XrayPropagator::lambda) reads cannot be theirs all; this can. `lambda` obeys
    /// it: given a context that has a valid span, it does not look at the variable.
    ///
    /// The given context comes back where it has a valid span already, where the value cannot be used, and where it
    /// says `Sampled=0`, as `lambda` explains.
    ///
    /// ```
    /// use opentelemetry::{Context, trace::TraceContextExt};
    /// use otel_xray::XrayExt;
    ///
    /// let of_the_invocation = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    /// let cx = Context::new().with_lambda_trace(of_the_invocation);
    /// assert_eq!(cx.span().span_context().span_id().to_string(), "53995c3f42cd8ad8");
    /// ```
    #[must_use]
    fn with_lambda_trace(&self, header: &str) -> Context;
}

impl XrayExt for Context {
    fn xray_root(&self) -> Option<TraceId> {
        self.get::<Root>().map(|&Root(root)| root)
    }

    fn xray_lineage(&self) -> Option<Lineage> {
        let span = self.span();
        let span = span.span_context();
        if span.is_valid() { lineage_of(self, span.trace_id()) } else { lineage_of(self, self.xray_root()?) }
    }

    fn with_lambda_trace(&self, header: &str) -> Context {
        with_invocation(self, self.clone(), header, Missing::Defer)
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for opentelemetry::Context {}
}

fn lineage_of(cx: &Context, trace_id: TraceId) -> Option<Lineage> {
    cx.get::<LineageOf>().filter(|of| of.trace_id == trace_id)?.lineage
}

/// The header that the context sends: its span, else a root that was received; nothing where there is neither.
pub(crate) fn to_send(cx: &Context) -> Option<TraceHeader> {
    let span = cx.span();
    let span = span.span_context();
    let header = if span.is_valid() {
        TraceHeader::new(span.trace_id(), span.span_id(), cx.sampling()?)?
    } else {
        TraceHeader::without_parent(cx.xray_root()?, cx.bare_sampling().unwrap_or(Sampling::Defer))
    };
    Some(header.with_lineage(lineage_of(cx, header.root())))
}

/// The context with what a header, or a variable, of this name says.
pub(crate) fn with_header(
    cx: &Context,
    name: &'static str,
    header: TraceHeader,
    missing: Missing,
) -> Context {
    let cx = match (header.parent(), header.sampling()) {
        (Some(parent), sampling) => {
            let sampling = missing.unless_decided(sampling);
            if sampling == Sampling::Defer {
                hint(name);
            }
            let flags = TraceFlags::default();
            let span = SpanContext::new(header.root(), parent, flags, true, TraceState::NONE);
            cx.with_remote_sampling(span, sampling)
        }
        (None, Sampling::Defer) => cx.with_value(Root(header.root())),
        (None, decision) => {
            hint(name);
            cx.with_value(Root(header.root())).with_bare_sampling(decision)
        }
    };
    let (trace_id, lineage) = (header.root(), header.lineage());
    if lineage == lineage_of(&cx, trace_id) { cx } else { cx.with_value(LineageOf { trace_id, lineage }) }
}

/// What was received, with the trace of an invocation of a Lambda function, unless the given context has a valid span.
pub(crate) fn with_invocation(given: &Context, received: Context, header: &str, missing: Missing) -> Context {
    if given.span().span_context().is_valid() {
        return received;
    }
    let value = field_value(header);
    match TraceHeader::parse(value).map_err(ParseError::rule) {
        Ok(header) if header.sampling() == Sampling::Deny => received,
        Ok(header) => with_header(&received, VARIABLE, header, missing),
        Err(rule) => {
            Rejected::new(VARIABLE, rule, value.len()).emit();
            received
        }
    }
}
