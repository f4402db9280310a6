//! From propagators to a composite.

use crate::{
    CompositePropagator, Concern, IntoPart, Part, Problem, events,
    known::Shared,
    propagator::{Composite, InOrder},
    watch::Watch,
};
#[cfg(feature = "metrics")]
use opentelemetry::metrics::Meter;
use otel_baggage_limits::{BothWays, Limited, Limits, Observer};
use std::{fmt, sync::Arc};

/// Collects the propagators of a [`CompositePropagator`].
///
/// Any propagator is taken, from this workspace or not, also in the `Box` that upstream's composite takes. They are
/// asked in the order in which they are added, on the way in and on the way out.
///
/// ```
/// use opentelemetry::propagation::TextMapPropagator;
/// use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
/// use otel_composite::CompositePropagator;
///
/// let boxed: Box<dyn TextMapPropagator + Send + Sync> = Box::new(TraceContextPropagator::new());
/// let propagator = CompositePropagator::builder().baggage(BaggagePropagator::new()).trace(boxed).build();
/// assert_eq!(propagator.fields().collect::<Vec<_>>(), ["baggage", "traceparent", "tracestate"]);
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    /// In the order in which they read.
    parts: Vec<Part>,
    /// The places of the parts, in the order in which they write.
    writing: Vec<usize>,
    limits: Option<Limits>,
    inbound_limits: Option<Limits>,
    last_wins: bool,
    problems: Vec<Problem>,
    #[cfg(feature = "boundary")]
    boundary: Option<otel_trust_boundary::Boundary>,
    #[cfg(feature = "metrics")]
    meter: Option<Meter>,
}

impl Builder {
    /// Adds a trace format, less preferred than those added before.
    ///
    /// Extraction chooses the first that yields a valid remote span context; injection writes every one.
    pub fn trace<Kind>(self, propagator: impl IntoPart<Kind>) -> Self {
        self.part(propagator.into_part(Concern::Trace))
    }

    /// Adds a baggage format: always read, whatever the trace does, and always written.
    ///
    /// Of several, the last that finds baggage replaces what the others found.
    pub fn baggage<Kind>(self, propagator: impl IntoPart<Kind>) -> Self {
        self.part(propagator.into_part(Concern::Baggage))
    }

    /// Adds a propagator of some other concern: always read and always written.
    ///
    /// It is not judged by what it yields, so one that changes the span does so.
    ///
    /// ```
    /// use opentelemetry_sdk::propagation::TraceContextPropagator;
    /// use otel_composite::{CompositePropagator, Concern};
    ///
    /// let propagator = CompositePropagator::builder().other(TraceContextPropagator::new()).build();
    /// assert_eq!(propagator.parts().next().unwrap().concern(), Concern::Other);
    /// ```
    pub fn other<Kind>(self, propagator: impl IntoPart<Kind>) -> Self {
        self.part(propagator.into_part(Concern::Other))
    }

    /// Holds the baggage that is sent to these limits; [`Limits::new()`] unless set.
    ///
    /// They are checked once, before any propagator writes, and what is written as `baggage` is measured. A
    /// `BaggagePropagator` of this workspace does that by itself and is given these limits, so nothing is measured
    /// twice where all propagators are this workspace's. One that was built with other limits for the way out keeps
    /// them: without a call of this method they alone hold for it, unless another propagator knows none; with it both
    /// do.
    ///
    /// ```
    /// use opentelemetry_sdk::propagation::BaggagePropagator;
    /// use otel_composite::{CompositePropagator, Limits};
    ///
    /// let limits = Limits::new().max_members(8).deny(&["user.*"]);
    /// let propagator = CompositePropagator::builder().baggage(BaggagePropagator::new()).limits(limits).build();
    /// assert!(propagator.to_string().ends_with("at most 8 members and 4096 bytes, never user.*"));
    /// ```
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Holds the baggage that is read to these limits; [`Limits::new()`] unless set.
    ///
    /// A propagator of this workspace that was built with other limits for the way in keeps them, and is held to these
    /// too.
    ///
    /// ```
    /// # #[cfg(feature = "w3c-baggage")] {
    /// use opentelemetry::{Context, baggage::BaggageExt, propagation::TextMapPropagator};
    /// use otel_composite::{BaggagePropagator, CompositePropagator, Limits};
    /// use std::collections::HashMap;
    ///
    /// let propagator = CompositePropagator::builder()
    ///     .baggage(BaggagePropagator::new())
    ///     .inbound_limits(Limits::new().allow(&["tenant"]))
    ///     .build();
    /// let request = HashMap::from([("baggage".to_owned(), "tenant=acme,cart=3".to_owned())]);
    /// let cx = propagator.extract_with_context(&Context::new(), &request);
    /// assert_eq!(cx.baggage().to_string(), "tenant=acme");
    /// # }
    /// ```
    pub fn inbound_limits(mut self, limits: Limits) -> Self {
        self.inbound_limits = Some(limits);
        self
    }

    /// Whether the last format that yields a span is chosen, as upstream's `TextMapCompositePropagator` does it,
    /// instead of the first. Off by default.
    ///
    /// A format that replaces the span of another replaces its `tracestate` too, and no conflict is reported.
    ///
    /// ```
    /// # #[cfg(all(feature = "tracecontext", feature = "b3"))] {
    /// let registry = otel_composite::Registry::new();
    /// let propagator = registry.builder_from_list("tracecontext,b3")?.last_wins(true).build();
    /// assert!(propagator.to_string().starts_with("extract (last wins): tracecontext > b3; "));
    /// # }
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    pub fn last_wins(mut self, last_wins: bool) -> Self {
        self.last_wins = last_wins;
        self
    }

    /// Holds everything to a trust boundary: what may come in, what may leave, and to whom.
    ///
    /// It is the same as `boundary.wrap(propagator)`, of a composite that can still say what it is made of;
    /// [`doctor`](crate::doctor()) prints the policy.
    ///
    /// ```
    /// # #[cfg(all(feature = "tracecontext", feature = "w3c-baggage"))] {
    /// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
    /// use otel_composite::{CompositePropagator, BaggagePropagator, boundary::Boundary};
    /// use std::collections::HashMap;
    ///
    /// let propagator = CompositePropagator::builder()
    ///     .baggage(BaggagePropagator::new())
    ///     .boundary(Boundary::deny_external())
    ///     .build();
    /// let mut sent = HashMap::new();
    /// propagator.inject_context(&Context::new().with_baggage([KeyValue::new("tenant", "acme")]), &mut sent);
    /// assert_eq!(sent.get("baggage").map(String::as_str), Some(""), "and an older header is overridden");
    /// # }
    /// ```
    #[cfg(feature = "boundary")]
    pub fn boundary(mut self, boundary: otel_trust_boundary::Boundary) -> Self {
        self.boundary = Some(boundary);
        self
    }

    /// Counts what is sent and received, with instruments of this meter: see the [crate](crate#metrics).
    ///
    /// A meter that was made before the meter provider was set records nothing, for ever:
    /// [`problems`](CompositePropagator::problems), [`doctor`](crate::doctor()) and an event then say so.
    ///
    /// ```
    /// use otel_composite::Registry;
    ///
    /// let meter = opentelemetry::global::meter("otel-composite");
    /// let propagator = Registry::new().builder_from_env().meter(&meter).build();
    /// ```
    #[cfg(feature = "metrics")]
    pub fn meter(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

    pub(crate) fn part(mut self, part: Part) -> Self {
        self.writing.push(self.parts.len());
        self.parts.push(part);
        self
    }

    /// Adds parts whose order of writing is not that of reading.
    pub(crate) fn parts(parts: Vec<Part>, writing: Vec<usize>) -> Self {
        Self { parts, writing, ..Self::default() }
    }

    pub(crate) fn with_limits(self, inbound_limits: Option<Limits>, limits: Option<Limits>) -> Self {
        Self { limits, inbound_limits, ..self }
    }

    pub(crate) fn with_problems(self, problems: Vec<Problem>) -> Self {
        Self { problems, ..self }
    }

    pub(crate) fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The composite.
    #[must_use]
    pub fn build(mut self) -> CompositePropagator {
        let (inbound, outbound) = (self.inbound_limits.as_ref(), self.limits.as_ref());
        self.parts.iter_mut().for_each(|part| part.take_limits(inbound, outbound));
        self.read_once();
        let (description, fields) = (self.to_string(), distinct(self.writers().flat_map(Part::fields)));
        let watch = self.watch(&fields, &description);
        if watch.as_ref().is_some_and(|watch| watch.is_silent()) {
            events::configuration("meter", &Problem::SilentMeter, "");
            self.problems.push(Problem::SilentMeter);
        }
        let observer = watch.as_ref().map(|watch| watch.observer()).unwrap_or_default();
        let inbound = self.inbound_limits.as_ref();
        self.parts.iter_mut().for_each(|part| part.settle(inbound, &observer));
        #[cfg(feature = "boundary")]
        let boundary = self.boundary.take();
        let propagator = CompositePropagator(Arc::new(Composite {
            writer: self.writer(&fields, observer),
            watch,
            fields,
            extract_fields: distinct(self.parts.iter().flat_map(Part::extract_fields)),
            description,
            has_others: self.parts.iter().filter(|part| part.concern == Concern::Trace).count() > 1,
            parts: self.parts,
            last_wins: self.last_wins,
            problems: self.problems,
            #[cfg(feature = "boundary")]
            guarded: None,
        }));
        #[cfg(feature = "boundary")]
        let propagator = match boundary {
            Some(boundary) => propagator.within(boundary),
            None => propagator,
        };
        propagator
    }

    /// Reading the same headers a second time in the same way brings nothing: the one that decides stays.
    fn read_once(&mut self) {
        let mut reading: Vec<Part> = Vec::new();
        let read = |part: &mut Part| {
            part.extracts &= !reading.iter().any(|other| other.reads_as(part));
            reading.push(part.clone());
        };
        let trace = self.parts.iter_mut().filter(|part| part.concern == Concern::Trace);
        if self.last_wins { trace.rev().for_each(read) } else { trace.for_each(read) }
    }

    fn writers(&self) -> impl Iterator<Item = &Part> {
        self.writing.iter().filter_map(|&place| self.parts.get(place)).filter(|part| part.injects)
    }

    /// The limits that all parts are held to; `None` where each holds to them by itself.
    fn checked(&self) -> Option<Limits> {
        let needs_check = self.writers().any(|part| part.needs_check(self.limits.as_ref()));
        needs_check.then(|| self.limits.clone().unwrap_or_default())
    }

    fn writer(&self, fields: &[String], observer: Observer) -> Shared {
        let propagators = self.writers().map(|part| part.propagator.clone()).collect();
        let all = InOrder { propagators, fields: fields.to_vec() };
        match self.checked() {
            None => Arc::new(all),
            Some(limits) => Arc::new(Limited::new(all, BothWays { observer, ..limits.into() })),
        }
    }

    #[cfg(feature = "metrics")]
    fn watch(&self, fields: &[String], description: &str) -> Option<Arc<dyn Watch>> {
        let names = self.parts.iter().filter(|part| part.extracts).map(Part::name);
        let meter = self.meter.as_ref()?;
        Some(Arc::new(crate::metrics::Metrics::new(meter, fields, names, description)))
    }

    #[cfg(not(feature = "metrics"))]
    #[allow(clippy::unused_self, reason = "the other one needs it")]
    fn watch(&self, _: &[String], _: &str) -> Option<Arc<dyn Watch>> {
        None
    }
}

impl CompositePropagator {
    /// A composite of nothing yet.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

/// Each name once: header names are compared without case.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.fold(Vec::new(), |mut distinct, name| {
        if !distinct.iter().any(|known: &String| known.eq_ignore_ascii_case(name)) {
            distinct.push(name.to_owned());
        }
        distinct
    })
}

/// One line that a person can read, without the values of any request.
impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |concern| move |part: &&Part| part.concern == concern;
        let names = |parts: Vec<&Part>, separator: &str| {
            let names: Vec<&str> = parts.into_iter().map(Part::name).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(separator) }
        };
        let reads = self.parts.iter().filter(of(Concern::Trace)).filter(|part| part.extracts).collect();
        let writes = self.writers().filter(of(Concern::Trace)).collect();
        let last_wins = if self.last_wins { " (last wins)" } else { "" };
        write!(f, "extract{last_wins}: {}; inject: {}", names(reads, " > "), names(writes, ", "))?;
        write!(f, "; baggage: {}", self.described(Concern::Baggage))?;
        if self.parts.iter().any(|part| part.concern == Concern::Other) {
            write!(f, "; other: {}", self.described(Concern::Other))?;
        }
        Ok(())
    }
}

impl Builder {
    /// The names of propagators that may send baggage, each with its limits and with the only way it is used.
    fn described(&self, concern: Concern) -> String {
        let checked = self.checked();
        let part = |part: &Part| {
            let way = match (part.extracts, part.injects) {
                (true, true) => "",
                (true, false) => " (extract only)",
                (false, true) => " (inject only)",
                (false, false) => " (unused)",
            };
            let name = part.name();
            match part.outbound_in_words(checked.as_ref()) {
                Some(words) => format!("{name}{way}, {words}"),
                None => format!("{name}{way}"),
            }
        };
        // A trace format that brings baggage along is named with both.
        let brings = |part: &Part| {
            concern == Concern::Baggage && part.concern == Concern::Trace && part.sends_baggage()
        };
        let of = |part: &&Part| part.concern == concern || brings(part);
        let parts: Vec<String> = self.parts.iter().filter(of).map(part).collect();
        if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
