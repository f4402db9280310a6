//! From propagators to a composite.

#[cfg(feature = "metrics")]
use opentelemetry::metrics::Meter;

use crate::{
    CompositePropagator, Concern, extract::Reader, metrics::Metrics, part::Part, propagator::Inner,
    writer::Writer,
};
use opentelemetry::propagation::TextMapPropagator;
use otel_baggage_limits::Limits;
use std::{fmt, sync::Arc};

/// Collects the propagators of a [`CompositePropagator`].
///
/// Any propagator is taken, from this workspace or not.
#[derive(Clone, Default)]
#[must_use]
pub struct Builder {
    trace: Vec<Part>,
    baggage: Vec<Part>,
    other: Vec<Part>,
    limits: Option<Limits>,
    last_wins: bool,
    #[cfg(feature = "metrics")]
    meter: Option<Meter>,
}

impl Builder {
    /// Adds a trace format, less preferred than those added before.
    ///
    /// Extraction chooses the first that yields a valid remote span context; injection writes every one.
    pub fn trace<P: TextMapPropagator + Send + Sync + 'static>(self, propagator: P) -> Self {
        self.part(Concern::Trace, Part::new(propagator))
    }

    /// Adds a baggage format: always read, after the trace, and always written.
    ///
    /// Of several, the last that finds baggage replaces what the others found.
    pub fn baggage<P: TextMapPropagator + Send + Sync + 'static>(self, propagator: P) -> Self {
        self.part(Concern::Baggage, Part::new(propagator))
    }

    /// Adds a propagator of some other concern: always read, last, and always written.
    ///
    /// It is not judged by what it yields, so one that changes the span does so.
    pub fn other<P: TextMapPropagator + Send + Sync + 'static>(self, propagator: P) -> Self {
        self.part(Concern::Other, Part::new(propagator))
    }

    /// Holds the baggage that is sent to these limits; [`Limits::new()`] unless set.
    ///
    /// They are checked once, before any propagator that may send baggage writes, and what it writes as `baggage` is
    /// measured. A `BaggagePropagator` of this workspace does that by itself and is given these limits, so nothing
    /// is measured twice where all propagators are this workspace's. One that was built with other limits for the
    /// way out keeps them: without a call of this method they alone hold for it, with it both do.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Whether the last format that yields a span is chosen, as upstream's `TextMapCompositePropagator` does it,
    /// instead of the first. Off by default.
    ///
    /// A format that replaces the span of another replaces its `tracestate` too, and no conflict is reported.
    pub fn last_wins(mut self, last_wins: bool) -> Self {
        self.last_wins = last_wins;
        self
    }

    /// Counts what is sent and received, with instruments of this meter: see the [crate](crate#metrics).
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

    pub(crate) fn part(mut self, concern: Concern, part: Part) -> Self {
        match concern {
            Concern::Trace => self.trace.push(part),
            Concern::Baggage => self.baggage.push(part),
            Concern::Other => self.other.push(part),
        }
        self
    }

    /// The composite.
    #[must_use]
    pub fn build(mut self) -> CompositePropagator {
        self.hand_on_limits();
        self.read_once();
        let (description, fields) = (self.to_string(), self.fields());
        let metrics = self.metrics(&fields);
        let writer = Writer::new(self.parts(), self.limits);
        let readers = |parts: Vec<Part>| {
            let extracting = parts.into_iter().filter(|part| part.extracts);
            let outcomes = |part: &Part| Some(metrics.as_ref()?.outcomes(&part.facts.name));
            extracting
                .map(|part| (outcomes(&part), part))
                .map(|(outcomes, part)| Reader::new(part, outcomes))
                .collect()
        };
        CompositePropagator(Arc::new(Inner {
            trace: readers(self.trace),
            last_wins: self.last_wins,
            baggage: readers(self.baggage),
            other: readers(self.other),
            writer,
            fields,
            description,
            metrics,
        }))
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.trace.iter().chain(&self.baggage).chain(&self.other)
    }

    fn hand_on_limits(&mut self) {
        let Some(limits) = self.limits else { return };
        for part in self.trace.iter_mut().chain(&mut self.baggage).chain(&mut self.other) {
            part.hold_to(limits);
        }
    }

    /// Reading the same headers a second time in the same way brings nothing.
    fn read_once(&mut self) {
        let mut reading: Vec<Part> = Vec::new();
        for part in &mut self.trace {
            part.extracts &= !reading.iter().any(|earlier| earlier.reads_as(part));
            reading.push(part.clone());
        }
    }

    /// In the order of the propagators, each once: header names are compared without case.
    fn fields(&self) -> Vec<String> {
        self.parts().flat_map(Part::fields).fold(Vec::new(), |mut fields, field| {
            if !fields.iter().any(|known: &String| known.eq_ignore_ascii_case(&field)) {
                fields.push(field);
            }
            fields
        })
    }

    #[cfg(feature = "metrics")]
    fn metrics(&self, fields: &[String]) -> Option<Metrics> {
        self.meter.as_ref().map(|meter| Metrics::new(meter, fields))
    }

    #[cfg(not(feature = "metrics"))]
    #[allow(clippy::unused_self, reason = "the other one needs it")]
    fn metrics(&self, _: &[String]) -> Option<Metrics> {
        None
    }
}

/// One line that a person can read, without the values of any request.
impl fmt::Display for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |parts: &mut dyn Iterator<Item = &Part>, separator: &str| {
            let names: Vec<&str> = parts.map(|part| &*part.facts.name).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(separator) }
        };
        let last_wins = if self.last_wins { " (last wins)" } else { "" };
        write!(
            f,
            "extract{last_wins}: {}",
            names(&mut self.trace.iter().filter(|part| part.extracts), " > ")
        )?;
        write!(f, "; inject: {}", names(&mut self.trace.iter().filter(|part| part.injects), ", "))?;
        write!(f, "; baggage: {}", described(&self.baggage, self.limits))?;
        if !self.other.is_empty() {
            write!(f, "; other: {}", described(&self.other, self.limits))?;
        }
        Ok(())
    }
}

/// The names of propagators that may send baggage, each with its limits and with the only way it is used.
fn described(parts: &[Part], limits: Option<Limits>) -> String {
    let part = |part: &Part| {
        let way = match (part.extracts, part.injects) {
            (true, true) => "",
            (true, false) => " (extract only)",
            (false, true) => " (inject only)",
            (false, false) => " (unused)",
        };
        let name = &part.facts.name;
        match part.at_most(limits) {
            Some((members, bytes)) => format!("{name}{way}, at most {members} members and {bytes} bytes"),
            None => format!("{name}{way}"),
        }
    };
    match parts {
        [] => "nothing".to_owned(),
        parts => parts.iter().map(part).collect::<Vec<_>>().join(", "),
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
