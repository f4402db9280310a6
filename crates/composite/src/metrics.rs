//! What is sent and received, on the OpenTelemetry metrics API.

use crate::{extract::Yield, part::Part};
use opentelemetry::{
    Context, Key, KeyValue, StringValue,
    metrics::{Counter, Histogram, Meter},
    propagation::{Extractor, Injector},
};
use otel_baggage_limits::{
    Report,
    observe::{Observer, observed},
};
use otel_propagator_core::diagnostics::Direction;
use std::sync::Arc;

const HEADER: Key = Key::from_static_str("propagator.header");
const FORMAT: Key = Key::from_static_str("propagator.format");
const OUTCOME: Key = Key::from_static_str("propagator.outcome");
const REASON: Key = Key::from_static_str("propagator.reason");
const DIRECTION: Key = Key::from_static_str("propagator.direction");

/// Stands for every header that no propagator declared.
const OTHER: &str = "other";

/// The instruments. All attributes of the hot path are made beforehand.
pub(crate) struct Metrics {
    injected: Histogram<u64>,
    /// The declared headers, and the attributes of each.
    headers: Vec<(String, [KeyValue; 1])>,
    other: [KeyValue; 1],
    extractions: Counter<u64>,
    left_out: Arc<LeftOut>,
}

impl Metrics {
    pub(crate) fn new(meter: &Meter, fields: &[String]) -> Self {
        let injected = meter
            .u64_histogram("propagator.injected.size")
            .with_description("The size of the headers that were injected")
            .with_unit("By");
        let extractions = meter
            .u64_counter("propagator.extractions")
            .with_description("What became of each format that could have been extracted")
            .with_unit("{extraction}");
        let left_out = meter
            .u64_counter("propagator.baggage.left_out")
            .with_description("Baggage members that were not read or not sent")
            .with_unit("{member}");
        let header = |field: &String| (field.clone(), [KeyValue::new(HEADER, field.clone())]);
        Self {
            injected: injected.build(),
            headers: fields.iter().map(header).collect(),
            other: [KeyValue::new(HEADER, OTHER)],
            extractions: extractions.build(),
            left_out: Arc::new(LeftOut(left_out.build())),
        }
    }

    pub(crate) fn outcomes(&self, format: &str) -> Outcomes {
        // Copies of the name are shared, not made again.
        let format = StringValue::from(Arc::<str>::from(format));
        let attributes = |outcome: Outcome| {
            [KeyValue::new(FORMAT, format.clone()), KeyValue::new(OUTCOME, outcome.as_str())]
        };
        Outcomes { counter: self.extractions.clone(), attributes: Outcome::ALL.map(attributes) }
    }

    /// Counts what is left out of baggage while `run` runs.
    pub(crate) fn observed<T>(&self, run: impl FnOnce() -> T) -> T {
        observed(self.left_out.clone(), run)
    }

    /// An injector that measures what it passes on.
    pub(crate) fn measured<'a>(&'a self, injector: &'a mut dyn Injector) -> Measured<'a> {
        Measured { metrics: self, injector }
    }

    fn header(&self, name: &str) -> &[KeyValue] {
        let known = self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        known.map_or(&self.other, |(_, attributes)| attributes)
    }
}

/// Counts what becomes of one format.
pub(crate) struct Outcomes {
    counter: Counter<u64>,
    attributes: [[KeyValue; 2]; Outcome::ALL.len()],
}

impl Outcomes {
    pub(crate) fn count(&self, yielded: Yield, part: &Part, extractor: &dyn Extractor, after: &Context) {
        let outcome = match yielded {
            Yield::Chosen => Outcome::Valid,
            Yield::NotChosen => Outcome::NotChosen,
            Yield::Nothing if !is_present(part, extractor) => Outcome::Absent,
            Yield::Nothing if has_decision(part, after) => Outcome::SamplingOnly,
            Yield::Nothing => Outcome::Malformed,
        };
        if let Some(attributes) = self.attributes.get(outcome as usize) {
            self.counter.add(1, attributes);
        }
    }
}

#[derive(Clone, Copy)]
enum Outcome {
    Valid,
    Absent,
    Malformed,
    NotChosen,
    SamplingOnly,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Valid, Self::Absent, Self::Malformed, Self::NotChosen, Self::SamplingOnly];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Absent => "absent",
            Self::Malformed => "malformed",
            Self::NotChosen => "not_chosen",
            Self::SamplingOnly => "sampling_only",
        }
    }
}

/// A header that is there but not as text is only seen by `get_all`.
fn is_present(part: &Part, extractor: &dyn Extractor) -> bool {
    part.facts.reads.iter().any(|name| extractor.get(name).is_some() || extractor.get_all(name).is_some())
}

#[cfg(feature = "b3")]
fn has_decision(part: &Part, after: &Context) -> bool {
    use otel_b3::SamplingExt as _;
    part.facts.reads.iter().any(|name| name == "b3") && after.bare_sampling().is_some()
}

#[cfg(not(feature = "b3"))]
fn has_decision(_: &Part, _: &Context) -> bool {
    false
}

pub(crate) struct Measured<'a> {
    metrics: &'a Metrics,
    injector: &'a mut dyn Injector,
}

impl Injector for Measured<'_> {
    fn set(&mut self, key: &str, value: String) {
        self.metrics.injected.record(value.len() as u64, self.metrics.header(key));
        self.injector.set(key, value);
    }

    fn reserve(&mut self, additional: usize) {
        self.injector.reserve(additional);
    }
}

struct LeftOut(Counter<u64>);

impl Observer for LeftOut {
    fn report(&self, report: &Report, direction: Direction) {
        let direction = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        for (reason, members) in report.reasons() {
            let attributes = [KeyValue::new(DIRECTION, direction), KeyValue::new(REASON, reason.as_str())];
            self.0.add(members as u64, &attributes);
        }
    }
}
