//! Our events take no event of the application with them, whatever the filters of single layers.
//!
//! A subscriber that is asked about an event and then does not get it keeps what its layers' filters answered, and
//! applies that to the next event of the thread. Hence nobody is asked.

use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_b3::B3Propagator;
use otel_tracecontext::TraceContextPropagator;
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer as _, fmt, layer::SubscriberExt as _};

/// What a console shows.
#[derive(Clone, Debug, Default)]
struct Console(Arc<Mutex<Vec<u8>>>);

impl io::Write for Console {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Console {
    fn lines_with(&self, text: &str) -> usize {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&shown).lines().filter(|line| line.contains(text)).count()
    }
}

#[test]
fn every_error_of_the_application_reaches_the_console() {
    let (errors, all) = (Console::default(), Console::default());
    let writer = |console: &Console| {
        let console = console.clone();
        move || console.clone()
    };
    let subscriber = tracing_subscriber::registry()
        .with(fmt::layer().with_ansi(false).with_writer(writer(&errors)).with_filter(LevelFilter::ERROR))
        .with(fmt::layer().with_ansi(false).with_writer(writer(&all)).with_filter(LevelFilter::INFO));
    let request = |name: &str| HashMap::from([(name.to_owned(), "x".to_owned())]);
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..20 {
            TraceContextPropagator::new().extract_with_context(&Context::new(), &request("traceparent"));
            B3Propagator::new().extract_with_context(&Context::new(), &request("b3"));
            tracing::error!("payment failed");
        }
    });
    assert_eq!(errors.lines_with("payment failed"), 20);
    assert_eq!(all.lines_with("payment failed"), 20);
    assert_eq!(all.lines_with("traceparent header not used"), 5);
    assert_eq!(errors.lines_with("header not used"), 0);
}
