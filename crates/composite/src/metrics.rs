//! What is sent and received, on the OpenTelemetry metrics API.

use crate::{
    Part,
    watch::{Outcome, Watch},
};
use opentelemetry::{
    Key, KeyValue, StringValue,
    metrics::{Counter, Histogram, Meter},
};
use otel_baggage_limits::{Observer, Report};
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
    /// The names of the formats, and the attributes of each outcome.
    formats: Vec<(String, [[KeyValue; 2]; OUTCOMES.len()])>,
    left_out: Counter<u64>,
}

impl Metrics {
    pub(crate) fn new<'a>(meter: &Meter, fields: &[String], names: impl Iterator<Item = &'a str>) -> Self {
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
            formats: names.map(|name| (name.to_owned(), outcomes(name))).collect(),
            left_out: left_out.build(),
        }
    }

    fn header(&self, name: &str) -> &[KeyValue] {
        let known = self.headers.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
        known.map_or(&self.other, |(_, attributes)| attributes)
    }
}

impl Watch for Metrics {
    fn extracted(&self, format: &Part, outcome: Outcome) {
        let outcomes = self.formats.iter().find(|(name, _)| name == format.name());
        let place = OUTCOMES.iter().position(|(known, _)| *known == outcome);
        if let Some(attributes) = outcomes.zip(place).and_then(|((_, outcomes), place)| outcomes.get(place)) {
            self.extractions.add(1, attributes);
        }
    }

    fn injected(&self, header: &str, bytes: usize) {
        self.injected.record(bytes as u64, self.header(header));
    }

    fn observer(&self) -> Observer {
        let counter = self.left_out.clone();
        Observer::new(move |report| left_out(&counter, report))
    }
}

const OUTCOMES: [(Outcome, &str); 5] = [
    (Outcome::Valid, "valid"),
    (Outcome::Absent, "absent"),
    (Outcome::Malformed, "malformed"),
    (Outcome::NotChosen, "not_chosen"),
    (Outcome::SamplingOnly, "sampling_only"),
];

fn outcomes(format: &str) -> [[KeyValue; 2]; OUTCOMES.len()] {
    // Copies of the name are shared, not made again.
    let format = StringValue::from(Arc::<str>::from(format));
    OUTCOMES.map(|(_, outcome)| [KeyValue::new(FORMAT, format.clone()), KeyValue::new(OUTCOME, outcome)])
}

fn left_out(counter: &Counter<u64>, report: &Report) {
    for (reason, members) in report.reasons() {
        let direction = KeyValue::new(DIRECTION, report.direction.as_str());
        counter.add(members as u64, &[direction, KeyValue::new(REASON, reason.name())]);
    }
}
