//! All propagators of a service as one.

use crate::{
    Part, Problem,
    extract::Extraction,
    known::Shared,
    watch::{Watch, Watched},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
#[cfg(feature = "boundary")]
use otel_trust_boundary::{Boundary, Guarded};
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
///      at most 64 members and 4096 bytes"
/// );
/// ```
#[derive(Clone)]
pub struct CompositePropagator(pub(crate) Arc<Composite>);

/// What the clones share.
#[derive(Clone)]
pub(crate) struct Composite {
    pub(crate) parts: Vec<Part>,
    pub(crate) last_wins: bool,
    /// Whether there is more than one trace format.
    pub(crate) has_others: bool,
    /// All parts that inject, within limits where one of them needs that.
    pub(crate) writer: Shared,
    pub(crate) fields: Vec<String>,
    pub(crate) extract_fields: Vec<String>,
    pub(crate) description: String,
    pub(crate) watch: Option<Arc<dyn Watch>>,
    pub(crate) problems: Vec<Problem>,
    /// The same composite within a trust boundary, which every call goes to.
    #[cfg(feature = "boundary")]
    pub(crate) guarded: Option<Guarded<CompositePropagator>>,
}

impl CompositePropagator {
    /// Its propagators, in the order in which they read.
    ///
    /// ```
    /// # #[cfg(all(feature = "tracecontext", feature = "b3"))] {
    /// let propagator = otel_composite::from_lists("tracecontext,b3", "tracecontext")?;
    /// let parts = propagator.parts().map(|part| (part.name(), part.extracts(), part.injects()));
    /// assert_eq!(parts.collect::<Vec<_>>(), [("tracecontext", true, true), ("b3", true, false)]);
    /// # }
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    #[must_use]
    pub fn parts(&self) -> impl ExactSizeIterator<Item = &Part> {
        self.0.parts.iter()
    }

    /// The names of all headers that extraction reads, each once, also of formats that are never sent.
    ///
    /// [`fields`](TextMapPropagator::fields) are those that injection writes. A carrier that copies headers, or a proxy
    /// that takes them away, needs both. Of a propagator that is not of this workspace only the headers are known that
    /// it writes.
    ///
    /// ```
    /// # #[cfg(all(feature = "tracecontext", feature = "b3"))] {
    /// use opentelemetry::propagation::TextMapPropagator;
    ///
    /// let propagator = otel_composite::from_lists("tracecontext,b3", "tracecontext")?;
    /// assert_eq!(propagator.fields().collect::<Vec<_>>(), ["traceparent", "tracestate"]);
    /// assert!(propagator.extract_fields().any(|field| field == "x-b3-traceid"));
    /// # }
    /// # Ok::<(), otel_composite::SettingError>(())
    /// ```
    #[must_use]
    pub fn extract_fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.0.extract_fields)
    }

    /// What was wrong with the settings that it was made from, such as a name in `OTEL_PROPAGATORS` that was not used.
    ///
    /// [`from_env`](crate::from_env) also tells of each with an event, which nobody sees where the subscriber comes later.
    ///
    /// ```
    /// let propagator = otel_composite::from_env();
    /// for problem in propagator.problems() {
    ///     eprintln!("{problem}");
    /// }
    /// # assert_eq!(propagator.problems(), []);
    /// ```
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.0.problems
    }

    /// The policy of [`Builder::boundary`](crate::Builder::boundary), if there is one.
    #[cfg(feature = "boundary")]
    #[must_use]
    pub fn boundary(&self) -> Option<&Boundary> {
        self.0.guarded.as_ref().map(Guarded::boundary)
    }

    #[cfg(feature = "boundary")]
    pub(crate) fn within(self, boundary: Boundary) -> Self {
        // What is only read may be in a request that is copied, too.
        let boundary = boundary.context_headers(self.extract_fields());
        Self::of_guarded(boundary.wrap(self))
    }

    /// The same as a composite, which can say what it is made of.
    #[cfg(feature = "boundary")]
    pub(crate) fn of_guarded(guarded: Guarded<Self>) -> Self {
        let composite = Composite::clone(&guarded.inner().0);
        let description = format!("{guarded:?}");
        Self(Arc::new(Composite { description, guarded: Some(guarded), ..composite }))
    }
}

impl TextMapPropagator for CompositePropagator {
    // The trait's own `inject` and `extract` run inside `Context::map_current`, where an event that attaches a context
    // panics.
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    /// Writes every format, in the order in which they were given, with the baggage within the limits.
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        #[cfg(feature = "boundary")]
        if let Some(guarded) = &self.0.guarded {
            return guarded.inject_context(cx, injector);
        }
        let Composite { writer, watch, .. } = &*self.0;
        match watch.as_deref() {
            None => writer.inject_context(cx, injector),
            Some(watch) => writer.inject_context(cx, &mut Watched { watch, injector }),
        }
    }

    /// Asks every propagator, in the order in which they were given, and takes the trace from the first format that
    /// yields a valid one. Where nothing valid came, the given context comes back.
    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        #[cfg(feature = "boundary")]
        if let Some(guarded) = &self.0.guarded {
            return guarded.extract_with_context(cx, extractor);
        }
        Extraction::new(cx, extractor, &self.0).of(&self.0.parts)
    }

    /// The headers that are written, each once, in the order in which they are.
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.0.fields)
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

/// Propagators that inject, one after the other.
#[derive(Debug)]
pub(crate) struct InOrder {
    pub(crate) propagators: Vec<Shared>,
    pub(crate) fields: Vec<String>,
}

impl TextMapPropagator for InOrder {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        for propagator in &self.propagators {
            propagator.inject_context(cx, injector);
        }
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}
