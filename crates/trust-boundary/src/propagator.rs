//! Any propagator, held to the policy.

use crate::{
    Boundary, Destination, DestinationExt, Inbound, Outbound, Strategy, Trace,
    action::Action,
    destination::{Kind, Stated},
    events::{self, Decision},
    gate::{Gate, Names},
    mark, origin,
    sieve::{Lists, Sieve},
    watch::Watch,
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_propagator_core::{
    diagnostics::Direction,
    keys::Keys,
    remote, restart,
    sampling::{Sampling, SamplingExt},
};
use std::{borrow::Cow, fmt, ptr, sync::Arc};

/// Any propagator, held to a [`Boundary`]: what [`Boundary::wrap`] returns.
///
/// `Display` prints the policy as a table, `Debug` what is wrapped, on one line.
#[derive(Clone)]
pub struct Guarded<P> {
    inner: P,
    boundary: Boundary,
    fields: Names,
    /// Whether the policy changes nothing of what is received, or of what is sent.
    accepts_all: bool,
    sends_all: bool,
    watch: Option<Arc<dyn Watch>>,
}

impl Boundary {
    /// Holds a propagator to this policy: the one for [`opentelemetry::global::set_text_map_propagator`].
    ///
    /// ```
    /// use otel_trust_boundary::{Boundary, Guarded};
    /// use otel_tracecontext::TraceContextPropagator;
    ///
    /// let propagator: Guarded<_> = Boundary::deny_external().wrap(TraceContextPropagator::new());
    /// println!("{propagator}");
    /// assert_eq!(format!("{propagator:?}"), "TraceContextPropagator; within a trust boundary");
    /// opentelemetry::global::set_text_map_propagator(propagator);
    /// ```
    #[must_use]
    pub fn wrap<P: TextMapPropagator>(self, propagator: P) -> Guarded<P> {
        Guarded::new(propagator, self)
    }
}

impl<P: TextMapPropagator> Guarded<P> {
    pub(crate) fn new(inner: P, boundary: Boundary) -> Self {
        Self {
            fields: Names::new(inner.fields().chain(boundary.headers.iter().map(AsRef::as_ref))),
            accepts_all: boundary.accepts_all(),
            sends_all: boundary.sends_all(),
            watch: boundary.watch(),
            inner,
            boundary,
        }
    }
}

impl<P> Guarded<P> {
    /// The policy.
    #[must_use]
    pub const fn boundary(&self) -> &Boundary {
        &self.boundary
    }

    /// The wrapped propagator. What is called on it is held to no policy.
    #[must_use]
    pub const fn inner(&self) -> &P {
        &self.inner
    }
}

impl<P> fmt::Display for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.boundary.fmt(f)
    }
}

impl<P: fmt::Debug> fmt::Debug for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}; within a trust boundary", self.inner)
    }
}

impl<P: TextMapPropagator> TextMapPropagator for Guarded<P> {
    // Events are emitted, so the current context must not be borrowed meanwhile, as it is in the trait's own `inject`.
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    /// Sends of the context what the rule for its destination allows.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let is_marked = mark::is_in(cx.span().span_context().trace_state());
        if self.sends_all && !is_marked && self.watch.is_none() {
            return self.inner.inject_context(cx, injector);
        }
        let (place, problem) = destination_of(cx, |destination| self.place_of(destination));
        let rule = place.and_then(|at| self.boundary.outbound.get(at)).unwrap_or(&self.boundary.unknown);
        let mut sent = Sent::new(cx, rule, is_marked);
        let mut gate = Gate::new(injector, rule, sent.context.baggage(), &self.fields);
        self.inner.inject_context(&sent.context, &mut gate);
        if !self.boundary.are_carriers_fresh {
            gate.override_older();
        }
        let dropped = gate.dropped;
        sent.decision.keys_dropped += dropped;
        sent.has_anything |= dropped > 0;
        if let Some(problem) = problem.filter(|_| sent.has_anything && !rule.sends_all()) {
            events::unknown_destination(problem);
        }
        let place = place.unwrap_or(self.boundary.outbound.len());
        sent.decision.tell(self.watch.as_deref(), Direction::Out, place, rule.name());
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// The context with what the first rule that applies takes of the request.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        if self.accepts_all && self.watch.is_none() || remote::is_probe(cx) {
            return without_mark(cx, self.inner.extract_with_context(cx, extractor));
        }
        let place = self.boundary.place_for(extractor);
        let rule = self.boundary.inbound.get(place).unwrap_or(&self.boundary.otherwise);
        let sieve = Sieve::new(extractor, &rule.baggage);
        let extractor = if rule.baggage == Keys::ALL { extractor } else { &sieve };
        let extracted = without_mark(cx, self.inner.extract_with_context(cx, extractor));
        let caller = extracted.span();
        let caller = if is_same_span(cx, &extracted) { &SpanContext::NONE } else { caller.span_context() };
        let (accepted, mut decision) = Arrival { given: cx, extracted: &extracted, caller, rule }.accept();
        decision.keys_dropped += sieve.dropped();
        let is_undecoded = origin::is_same(cx, &extracted) || extracted.baggage().is_empty();
        let accepted =
            if is_undecoded { self.with_text(accepted, &Lists(extractor), rule) } else { accepted };
        decision.tell(self.watch.as_deref(), Direction::In, place, rule.name());
        let keeps_origin = self.boundary.asks_for_origin() && !origin::is_same(cx, &accepted);
        if keeps_origin { origin::received(&accepted) } else { accepted }
    }

    /// The headers of the wrapped propagator.
    fn fields(&self) -> FieldIter<'_> {
        self.inner.fields()
    }
}

impl<P: TextMapPropagator> Guarded<P> {
    /// A restarted context, with the baggage that the propagator does not decode: what it keeps of it is beside the
    /// caller's span, and was left behind with it.
    fn with_text(&self, cx: Context, lists: &Lists<'_>, rule: &Inbound) -> Context {
        let is_restart = matches!(rule.strategy, Strategy::RestartWithLink | Strategy::RestartWithoutLink);
        if is_restart && !lists.is_empty() { self.inner.extract_with_context(&cx, lists) } else { cx }
    }
}

impl<P> Guarded<P> {
    /// The place of the rule for a destination, or why there is none.
    fn place_of(&self, destination: Option<&Destination>) -> (Option<usize>, Option<&'static str>) {
        let Some(destination) = destination else {
            return (None, Some("nothing says where the request goes"));
        };
        let place = self.boundary.place_of(destination);
        let problem = match &destination.0 {
            Kind::Unusable(rule) => Some(*rule),
            Kind::Named(_) if place.is_none() => Some("no outbound rule has the name"),
            _ => None,
        };
        (place, problem)
    }
}

/// Finds the destination of an injection: what was stated of this very span, else what the sampler saw of it, else
/// what was stated of an earlier one, else what the current context says.
fn destination_of<T>(cx: &Context, then: impl FnOnce(Option<&Destination>) -> T) -> T {
    let marked = mark::destination(cx);
    match (cx.get::<Stated>(), marked) {
        (Some(stated), Some(_)) if stated.span_id == cx.span().span_context().span_id() => {
            then(Some(&stated.destination))
        }
        (_, Some(marked)) => then(Some(&marked)),
        (Some(stated), None) => then(Some(&stated.destination)),
        // Reading is safe also where the current context is borrowed already.
        (None, None) => Context::map_current(|current| then(current.destination())),
    }
}

/// What is sent of a context.
struct Sent<'a> {
    context: Cow<'a, Context>,
    decision: Decision,
    has_anything: bool,
}

impl<'a> Sent<'a> {
    fn new(cx: &'a Context, rule: &Outbound, is_marked: bool) -> Self {
        let mut sent = Self::trace(cx, rule, is_marked);
        if rule.restricts_baggage() {
            let sends = |key: &opentelemetry::Key, value: &opentelemetry::StringValue| {
                rule.sends(key.as_str(), origin::is_received(cx, key.as_str(), value))
            };
            if let Some((kept, dropped)) = origin::filtered(cx.baggage(), sends) {
                sent.context = Cow::Owned(sent.context.with_baggage(kept));
                sent.decision.keys_dropped = dropped;
            }
        }
        sent.has_anything |= !cx.baggage().is_empty();
        sent
    }

    fn trace(cx: &'a Context, rule: &Outbound, is_marked: bool) -> Self {
        let span = cx.span();
        let span = span.span_context();
        let has_state = span.trace_state().into_iter().len() > usize::from(is_marked);
        let (action, replacement, is_change) = match rule.trace {
            Trace::All => (Action::Injected, is_marked.then(|| without_marked_state(span)), false),
            Trace::Ids => {
                let is_any = has_state || is_marked;
                (
                    Action::IdsInjected,
                    is_any.then(|| mark::with_trace_state(span, TraceState::NONE)),
                    has_state,
                )
            }
            Trace::Nothing => (Action::Suppressed, span.is_valid().then_some(SpanContext::NONE), true),
        };
        let context = match replacement {
            Some(span) => Cow::Owned(cx.with_remote_span_context(span)),
            None => Cow::Borrowed(cx),
        };
        let has_anything = span.is_valid();
        let trace = has_anything.then_some(action);
        Self {
            context,
            decision: Decision { trace, keys_dropped: 0, is_change: is_change && has_anything },
            has_anything,
        }
    }
}

/// A request, and the rule for it.
struct Arrival<'a> {
    given: &'a Context,
    extracted: &'a Context,
    /// The caller's span; not valid where the caller named none.
    caller: &'a SpanContext,
    rule: &'a Inbound,
}

impl Arrival<'_> {
    fn accept(&self) -> (Context, Decision) {
        let rule = self.rule;
        let (action, cx) = match rule.strategy {
            Strategy::Continue => (Action::Continued, self.continued()),
            Strategy::RestartWithLink => (Action::RestartedWithLink, self.restarted()),
            Strategy::RestartWithoutLink => (Action::Restarted, self.restarted()),
            Strategy::Ignore => {
                return (self.given.clone(), self.decision(Action::Ignored, self.baggage_len()));
            }
        };
        let (cx, keys_dropped) = self.with_baggage(cx);
        (cx, self.decision(action, keys_dropped))
    }

    fn decision(&self, action: Action, keys_dropped: usize) -> Decision {
        let trace = self.caller.is_valid().then_some(action);
        Decision { trace, keys_dropped, is_change: trace.is_some() && action != Action::Continued }
    }

    fn continued(&self) -> Context {
        let cx = restart::forgotten(self.extracted.clone());
        if self.rule.trusts_sampled { cx } else { self.deferred(cx) }
    }

    /// The context without anything that the caller decided about sampling.
    fn deferred(&self, cx: Context) -> Context {
        let before = self.given.bare_sampling();
        let cx = if cx.bare_sampling() == before {
            cx
        } else {
            cx.with_bare_sampling(before.unwrap_or(Sampling::Defer))
        };
        if !self.caller.is_valid() {
            return cx;
        }
        // https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/: nothing but thresholds and random
        // values, by which samplers decide.
        let trace_state = mark::without(self.caller.trace_state(), "ot");
        cx.with_remote_sampling(mark::with_trace_state(self.caller, trace_state), Sampling::Defer)
    }

    /// The given context, without a span where the caller's was to be its parent.
    fn restarted(&self) -> Context {
        if !self.caller.is_valid() {
            return restart::forgotten(self.given.clone());
        }
        let cx = without_span(self.given);
        if self.rule.strategy == Strategy::RestartWithLink {
            restart::linked(&cx, self.caller, &self.rule.link_attributes)
        } else {
            restart::forgotten(cx)
        }
    }

    /// The context with the baggage that is accepted; the given one where none is.
    fn with_baggage(&self, cx: Context) -> (Context, usize) {
        if origin::is_same(self.given, self.extracted) {
            return (cx, 0);
        }
        let received = self.extracted.baggage();
        let accepts = |key: &opentelemetry::Key, _: &_| self.rule.baggage.contains(key.as_str());
        let is_all = self.rule.baggage == Keys::ALL;
        match (!is_all).then(|| origin::filtered(received, accepts)).flatten() {
            None if origin::is_same(&cx, self.extracted) => (cx, 0),
            None => (cx.with_baggage(origin::copy(received)), 0),
            Some((kept, dropped)) if kept.is_empty() => {
                let is_given = origin::is_same(&cx, self.given);
                let cx = if is_given { cx } else { cx.with_baggage(origin::copy(self.given.baggage())) };
                (cx, dropped)
            }
            Some((kept, dropped)) => (cx.with_baggage(kept), dropped),
        }
    }

    fn baggage_len(&self) -> usize {
        if origin::is_same(self.given, self.extracted) { 0 } else { self.extracted.baggage().len() }
    }
}

/// The extracted context without a mark: a caller does not say where our requests go.
fn without_mark(given: &Context, extracted: Context) -> Context {
    let span = extracted.span();
    let span = span.span_context();
    if !mark::is_in(span.trace_state()) || is_same_span(given, &extracted) {
        return extracted;
    }
    let span = without_marked_state(span);
    events::forged_mark(span.trace_state().into_iter().len());
    extracted.with_remote_span_context(span)
}

fn without_marked_state(span: &SpanContext) -> SpanContext {
    mark::with_trace_state(span, mark::without(span.trace_state(), mark::KEY))
}

/// The context, or what can be kept of it where it has a span.
///
/// A span cannot be taken away, and `Sampler::ParentBased` takes an invalid one for a parent that is not sampled. So
/// a context with a span, which no server has that extracts before it starts one, leaves everything else behind but
/// its baggage.
fn without_span(cx: &Context) -> Context {
    if !cx.has_active_span() {
        return cx.clone();
    }
    let mut without = Context::new();
    if cx.is_telemetry_suppressed() {
        without = without.with_telemetry_suppressed();
    }
    if cx.baggage().is_empty() { without } else { without.with_baggage(origin::copy(cx.baggage())) }
}

/// Whether an extraction found no span, so that the given one is still there.
///
/// Each span lives in an allocation of its own, and `given` keeps the old one alive, so a new one has another address,
/// whatever it says.
fn is_same_span(given: &Context, extracted: &Context) -> bool {
    match (given.has_active_span(), extracted.has_active_span()) {
        (true, true) => ptr::eq(given.span().span_context(), extracted.span().span_context()),
        (given, extracted) => given == extracted,
    }
}
