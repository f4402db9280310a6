//! What the examples with brokers share.

pub mod queue;

pub use examples::{Error, Result};

use examples::ensure;
use opentelemetry::{Context, baggage::BaggageExt, trace::TraceContextExt};
use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

/// The log of this process: it goes to the standard output, and can be looked at.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Makes it the place where `tracing` events go.
    #[must_use]
    pub fn install() -> Self {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().with_ansi(false).without_time();
        subscriber.with_writer(move || writer.clone()).init();
        log
    }

    /// What has been written so far.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        io::stdout().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

/// Whether a peer in another language went on with our trace and baggage, in a span and with an entry of its own.
///
/// # Errors
///
/// Which of it it did not.
pub fn answered(sent: &Context, answer: &Context, peer: &str) -> Result {
    let (sent, back) = (sent.span().span_context().clone(), answer.span().span_context().clone());
    ensure(back.trace_id() == sent.trace_id(), "the peer goes on with our trace")?;
    ensure(back.span_id() != sent.span_id(), "in a span of its own")?;
    let entry = |key: &str| answer.baggage().get(key).map(ToString::to_string);
    ensure(entry("tenant").as_deref() == Some("acme-retail"), "with our baggage")?;
    ensure(entry("peer").as_deref() == Some(peer), "and with its own")
}

/// The code of the project's pages that needs more than `examples` has.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../docs/carriers.md")]
    struct Carriers;

    #[doc = include_str!("../../../docs/nothing-is-sent.md")]
    struct NothingIsSent;

    #[doc = include_str!("../../../docs/trust-boundary.md")]
    struct TrustBoundary;
}
