//! The traces that other headers named.

use opentelemetry::{
    Context, TraceId,
    trace::{SpanContext, TraceContextExt},
};

/// What a [`CompositePropagator`](crate::CompositePropagator) read but did not choose.
pub trait ConflictExt {
    /// The span contexts of the formats that named another trace than the chosen one, in the order of
    /// preference; empty where all formats agreed.
    ///
    /// A span may link to them, so that the other trace is not lost:
    ///
    /// ```
    /// use opentelemetry::{Context, trace::{Link, TraceContextExt, Tracer, TracerProvider}};
    /// use otel_composite::ConflictExt;
    ///
    /// # let tracer = opentelemetry::trace::noop::NoopTracerProvider::new().tracer("example");
    /// # let extracted = Context::new();
    /// let links = extracted.conflicting_span_contexts().iter().cloned().map(Link::with_context).collect();
    /// let span = tracer.span_builder("handle").with_links(links).start_with_context(&tracer, &extracted);
    /// ```
    ///
    /// They belong to the chosen trace: a context of another trace has none, although values of the given
    /// context live on in it.
    fn conflicting_span_contexts(&self) -> &[SpanContext];
}

impl ConflictExt for Context {
    fn conflicting_span_contexts(&self) -> &[SpanContext] {
        let here = self.span().span_context().trace_id();
        self.get::<NotChosen>()
            .filter(|not_chosen| not_chosen.instead_of == here)
            .map_or(&[], |it| &it.others)
    }
}

struct NotChosen {
    instead_of: TraceId,
    others: Vec<SpanContext>,
}

/// `chosen`, and that `other` was named as well. Two headers of one format count as one.
pub(crate) fn remember(chosen: &Context, other: SpanContext) -> Context {
    let known = chosen.conflicting_span_contexts();
    if known.contains(&other) {
        return chosen.clone();
    }
    let others = known.iter().cloned().chain([other]).collect();
    chosen.with_value(NotChosen { instead_of: chosen.span().span_context().trace_id(), others })
}

/// The context without what an earlier request of the same trace left there.
pub(crate) fn forget(cx: Context) -> Context {
    if cx.conflicting_span_contexts().is_empty() {
        return cx;
    }
    cx.with_value(NotChosen { instead_of: TraceId::INVALID, others: Vec::new() })
}
