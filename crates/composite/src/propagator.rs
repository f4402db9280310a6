//! All propagators of a service as one.

use crate::{
    Builder,
    extract::{Extraction, Reader},
    metrics::Metrics,
    writer::Writer,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use std::{fmt, sync::Arc};

/// All propagators of a service as one: see the [crate](crate) for what it promises.
///
/// Cloning copies a pointer. Both `Debug` and `Display` show what it reads and writes on one line:
///
/// ```
/// use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
/// use otel_composite::CompositePropagator;
///
/// let propagator = CompositePropagator::builder()
///     .trace(TraceContextPropagator::new())
///     .baggage(BaggagePropagator::new())
///     .build();
/// assert_eq!(
///     propagator.to_string(),
///     "extract: TraceContextPropagator; inject: TraceContextPropagator; baggage: BaggagePropagator, \
///      at most 64 members and 8192 bytes"
/// );
/// ```
#[derive(Clone)]
pub struct CompositePropagator(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) trace: Vec<Reader>,
    pub(crate) last_wins: bool,
    pub(crate) baggage: Vec<Reader>,
    pub(crate) other: Vec<Reader>,
    pub(crate) writer: Writer,
    pub(crate) fields: Vec<String>,
    pub(crate) description: String,
    pub(crate) metrics: Option<Metrics>,
}

impl CompositePropagator {
    /// A composite of nothing yet.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl TextMapPropagator for CompositePropagator {
    /// Writes every format, with the baggage within the limits.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        match &self.0.metrics {
            None => self.0.writer.inject(cx, injector),
            Some(metrics) => {
                metrics.observed(|| self.0.writer.inject(cx, &mut metrics.measured(injector)));
            }
        }
    }

    /// Reads the trace from the first format that yields a valid one, then all baggage, then the rest. Where
    /// nothing valid came, the given context comes back.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match &self.0.metrics {
            None => self.0.extract(cx, extractor),
            Some(metrics) => metrics.observed(|| self.0.extract(cx, extractor)),
        }
    }

    /// The headers that are written, each once, in the order of the propagators.
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.0.fields)
    }
}

impl Inner {
    fn extract(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let mut extraction = Extraction::new(cx, extractor);
        for reader in &self.trace {
            if self.last_wins { extraction.prefer_later(reader) } else { extraction.prefer_earlier(reader) }
        }
        self.baggage.iter().for_each(|reader| extraction.baggage(reader));
        self.other.iter().for_each(|reader| extraction.other(reader));
        extraction.finish()
    }
}

impl fmt::Display for CompositePropagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.description)
    }
}

impl fmt::Debug for CompositePropagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
