//! What is sent and received, on the OpenTelemetry metrics API.

use crate::{
    Part,
    watch::{Outcome, Watch},
};
use opentelemetry::{
    Key, KeyValue, StringValue,
    metrics::{Counter, Histogram, Meter},
};
use otel_baggage_limits::{Direction, Observer, Reason, Report};
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{
            AtomicU64, AtomicUsize,
            Ordering::{Acquire, Relaxed, Release},
        },
    },
};

const HEADER: Key = Key::from_static_str("propagator.header");
const FORMAT: Key = Key::from_static_str("propagator.format");
const OUTCOME: Key = Key::from_static_str("propagator.outcome");
const REASON: Key = Key::from_static_str("propagator.reason");
const DESCRIPTION: Key = Key::from_static_str("propagator.description");
const DIRECTION: Key = Key::from_static_str("propagator.direction");

/// Stands for every header that no propagator declared.
const OTHER: &str = "other";

/// The instruments. All attributes of the hot path are made beforehand.
pub(crate) struct Metrics {
    sizes: Arc<Sizes>,
    extractions: Arc<Extractions>,
    left_out: Counter<u64>,
    is_silent: bool,
}

impl Metrics {
    pub(crate) fn new<'a>(
        meter: &Meter,
        fields: &[String],
        names: impl Iterator<Item = &'a str>,
        description: &str,
    ) -> Self {
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
        let sizes = Arc::new(Sizes::new(injected.build(), fields));
        let extractions = Arc::new(Extractions::new(extractions.build(), names));
        Self {
            is_silent: !is_collected(meter, description, &extractions, sizes.clone()),
            sizes,
            extractions,
            left_out: left_out.build(),
        }
    }
}

impl Watch for Metrics {
    fn extracted(&self, format: &Part, outcome: Outcome) {
        self.extractions.count(format.name(), outcome);
    }

    fn injected(&self, header: &str, bytes: usize) {
        self.sizes.count(header, bytes);
    }

    fn is_silent(&self) -> bool {
        self.is_silent
    }

    fn policy_left_out(&self) -> bool {
        POLICY_LEFT_OUT.take()
    }

    fn observer(&self) -> Observer {
        let counter = self.left_out.clone();
        Observer::new(move |report| {
            left_out(&counter, report);
            let by_policy = |(reason, _)| matches!(reason, Reason::Denied | Reason::NotAllowed);
            if report.direction == Direction::In && report.reasons().any(by_policy) {
                POLICY_LEFT_OUT.set(true);
            }
        })
    }
}

/// Registers `propagator.info`, and says whether anybody will ever ask for it.
///
/// The API does not tell a meter that records from one that does nothing. But the latter lets go of a callback at once, and
/// so does a provider without a reader. The callback is also where what was counted is handed on.
fn is_collected(meter: &Meter, description: &str, extractions: &Arc<Extractions>, sizes: Arc<Sizes>) -> bool {
    let (description, counted) = ([KeyValue::new(DESCRIPTION, description.to_owned())], extractions.clone());
    meter
        .u64_observable_gauge("propagator.info")
        .with_description("Always 1: its attribute says what the propagator reads and writes")
        .with_callback(move |gauge| {
            gauge.observe(1, &description);
            counted.hand_on();
            sizes.hand_on();
        })
        .build();
    Arc::strong_count(extractions) > 1
}

/// What became of formats since the last collection.
///
/// The counter of an SDK is a lock, or at least a cache line, that all threads write. So threads count apart, and each
/// collection adds up.
struct Extractions {
    counter: Counter<u64>,
    /// The names of the formats, and the attributes of each outcome.
    formats: Vec<(String, [[KeyValue; 2]; OUTCOMES.len()])>,
    /// For each shard, a count of each format's outcomes.
    counts: Vec<Counts>,
}

/// Two cache lines, since processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Counts([AtomicU64; OUTCOMES.len()]);

/// Threads that share one count correctly all the same.
const SHARDS: usize = 16;

impl Extractions {
    fn new<'a>(counter: Counter<u64>, names: impl Iterator<Item = &'a str>) -> Self {
        let formats: Vec<_> = names.map(|name| (name.to_owned(), outcomes(name))).collect();
        let counts = (0..SHARDS * formats.len()).map(|_| Counts::default()).collect();
        Self { counter, formats, counts }
    }

    fn count(&self, format: &str, outcome: Outcome) {
        let format = self.formats.iter().position(|(name, _)| name == format);
        let counts = format.and_then(|format| self.counts.get(shard() * self.formats.len() + format));
        let place = OUTCOMES.iter().position(|(known, _)| *known == outcome);
        if let Some(count) = counts.zip(place).and_then(|(Counts(counts), place)| counts.get(place)) {
            count.fetch_add(1, Relaxed);
        }
    }

    fn hand_on(&self) {
        let formats = self.formats.iter().cycle();
        for (Counts(counts), (_, outcomes)) in self.counts.iter().zip(formats) {
            for (count, attributes) in counts.iter().zip(outcomes) {
                match count.swap(0, Relaxed) {
                    0 => {}
                    counted => self.counter.add(counted, attributes),
                }
            }
        }
    }
}

/// How often which size was injected since the last collection.
///
/// The API has no histogram that is read later, so each collection records every size as often as it came: nothing of what a
/// histogram says is lost. Sizes repeat; one for which there is no place is recorded at once.
struct Sizes {
    histogram: Histogram<u64>,
    /// The declared headers and the attributes of each; the last stands for all others.
    headers: Vec<(String, [KeyValue; 1])>,
    /// For each shard, some sizes of each header.
    seen: Vec<Seen>,
}

/// Sizes of one header, one more than they are, and how often they came. Zero is a free place.
#[derive(Default)]
#[repr(align(128))]
struct Seen([(AtomicUsize, AtomicU64); SIZES]);

/// Of these a size has its place.
const SIZES: usize = 32;

impl Sizes {
    fn new(histogram: Histogram<u64>, fields: &[String]) -> Self {
        let names = fields.iter().map(String::as_str).chain([OTHER]);
        let headers: Vec<_> =
            names.map(|name| (name.to_owned(), [KeyValue::new(HEADER, name.to_owned())])).collect();
        let seen = (0..SHARDS * headers.len()).map(|_| Seen::default()).collect();
        Self { histogram, headers, seen }
    }

    fn count(&self, header: &str, bytes: usize) {
        let known = self.headers.iter().position(|(field, _)| field.eq_ignore_ascii_case(header));
        let header = known.unwrap_or(self.headers.len().saturating_sub(1));
        let seen = self.seen.get(shard() * self.headers.len() + header);
        match seen.and_then(|seen| seen.place(bytes)) {
            Some(count) => {
                // So that who reads the count sees the size.
                count.fetch_add(1, Release);
            }
            None => self.record(header, bytes),
        }
    }

    fn record(&self, header: usize, bytes: usize) {
        if let Some((_, attributes)) = self.headers.get(header) {
            self.histogram.record(bytes as u64, attributes);
        }
    }

    fn hand_on(&self) {
        for (Seen(places), header) in self.seen.iter().zip((0..self.headers.len()).cycle()) {
            for (size, count) in places {
                for _ in 0..count.swap(0, Acquire) {
                    self.record(header, size.load(Relaxed).saturating_sub(1));
                }
            }
        }
    }
}

impl Seen {
    /// The count of this size. Who comes first takes the place, and keeps it.
    fn place(&self, bytes: usize) -> Option<&AtomicU64> {
        let (size, count) = self.0.get(bytes % SIZES)?;
        let wanted = bytes.saturating_add(1);
        let found = match size.load(Relaxed) {
            0 => size.compare_exchange(0, wanted, Relaxed, Relaxed).unwrap_or_else(|taken| taken),
            taken => taken,
        };
        (found == wanted || found == 0).then_some(count)
    }
}

/// Where the calling thread counts.
fn shard() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static SHARD: usize = THREADS.fetch_add(1, Relaxed) % SHARDS;
    }
    SHARD.with(|shard| *shard)
}

thread_local! {
    /// What an extraction under way on this thread has left out.
    static POLICY_LEFT_OUT: Cell<bool> = const { Cell::new(false) };
}

const OUTCOMES: [(Outcome, &str); 6] = [
    (Outcome::Valid, "valid"),
    (Outcome::Absent, "absent"),
    (Outcome::Malformed, "malformed"),
    (Outcome::NotChosen, "not_chosen"),
    (Outcome::SamplingOnly, "sampling_only"),
    (Outcome::LeftOut, "left_out"),
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
