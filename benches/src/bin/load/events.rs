//! Counts the lines that the propagators write to the log.

use otel_propagator_core::diagnostics::{BURST, TARGET, WINDOW};
use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// Lines by header, rule and whatever else tells one throttle from another.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Counts {
    pub(crate) fn install() -> Self {
        let counts = Self::default();
        tracing_subscriber::registry().with(counts.clone()).init();
        counts
    }

    /// Prints the lines; whether each rule kept to its burst.
    pub(crate) fn report(&self, elapsed: Duration) -> bool {
        let counts = self.0.lock().expect("no thread panicked");
        let windows = elapsed.as_secs() / WINDOW.as_secs() + 2;
        let bound = windows * BURST as u64;
        let total: u64 = counts.values().sum();
        println!("\n{total} log lines in {} s, at most {bound} a rule:", elapsed.as_secs());
        for (rule, lines) in &*counts {
            println!("- {lines} x {rule}");
        }
        let bounded = counts.values().all(|&lines| lines <= bound);
        if !bounded {
            println!("FAILED: a rule wrote more than {bound} lines");
        }
        bounded
    }
}

impl<S: Subscriber> Layer<S> for Counts {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            let mut rule = Rule::default();
            event.record(&mut rule);
            *self.0.lock().expect("no thread panicked").entry(rule.0).or_default() += 1;
        }
    }
}

#[derive(Default)]
struct Rule(String);

impl Visit for Rule {
    fn record_str(&mut self, field: &Field, value: &str) {
        if matches!(field.name(), "header" | "rule" | "direction") {
            self.0.push_str(value);
            self.0.push_str("; ");
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
