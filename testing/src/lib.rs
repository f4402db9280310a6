//! What the tests of several crates share: the events that a call emits, carriers that watch, and what each format is asked.

pub mod carrier;
pub mod format;

use std::{
    fmt,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};
use tracing::{
    Dispatch, Level, Subscriber,
    field::{Field, Visit},
    subscriber::NoSubscriber,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// An event of the propagators.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    level: Level,
    name: &'static str,
    fields: Vec<(&'static str, String)>,
    /// What a person reads.
    pub message: String,
}

impl Event {
    /// A field as text; empty if there is none of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|field| field.0 == name).map_or("", |field| field.1.as_str())
    }
}

/// Level, name and fields, without the message.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.level, self.name)?;
        self.fields.iter().try_for_each(|(name, value)| write!(f, " {name}={value}"))
    }
}

impl Visit for Event {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            name => self.fields.push((name, format!("{value:?}"))),
        }
    }
}

/// The events of the propagators that this thread emits while `run` is called, but for [`hints`].
///
/// # Panics
///
/// If one has neither the propagators' target nor upstream's, or does not repeat its name as a field.
pub fn events(run: impl FnOnce()) -> Vec<Event> {
    recorded(run).into_iter().filter(|event| event.name != HINT).collect()
}

/// The headers of which an event said meanwhile that only a `DecisionSampler` obeys them. It comes once a process, so a
/// test needs one of its own.
pub fn hints(run: impl FnOnce()) -> Vec<String> {
    let hints = recorded(run).into_iter().filter(|event| event.name == HINT);
    hints.map(|event| event.get("header").to_owned()).collect()
}

const HINT: &str = "propagator.no_decision_sampler";

/// A second subscriber, for as long as the process lives. While there is one alone, the first thread that comes to an
/// event decides for all whether anybody wants it, by the subscriber of its own, and a test of another thread may have none.
static BESIDE: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::new()));

fn recorded(run: impl FnOnce()) -> Vec<Event> {
    LazyLock::force(&BESIDE);
    let recorder = Recorder::default();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(recorder.clone()), run);
    std::mem::take(&mut *recorder.0.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The same as one line each.
pub fn lines(run: impl FnOnce()) -> Vec<String> {
    events(run).iter().map(Event::to_string).collect()
}

#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Event>>>);

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if metadata.target().starts_with("opentelemetry") {
            return; // upstream's own
        }
        assert_eq!(metadata.target(), "otel_propagator", "{event:?}");
        let (fields, message) = (Vec::new(), String::new());
        let mut seen = Event { level: *metadata.level(), name: metadata.name(), fields, message };
        event.record(&mut seen);
        let name = seen.fields.iter().position(|field| field.0 == "name").map(|at| seen.fields.remove(at).1);
        assert_eq!(name.as_deref(), Some(seen.name), "formatters and filters see the name as a field");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    }
}
