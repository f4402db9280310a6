//! What the examples share: a tracing SDK whose finished spans can be looked at, a server on a free loopback
//! port, a client, and a way to fail with a sentence.

use opentelemetry::{
    Context, global,
    propagation::TextMapPropagator,
    trace::{SpanId, SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use otel_carriers::headers;
use std::{net::SocketAddr, time::Duration};

pub mod orders;

/// Whatever went wrong, as a sentence.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What an example returns: an error makes its process exit with 1.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Checks a promise.
///
/// # Errors
///
/// When the promise does not hold.
pub fn ensure(holds: bool, promise: &str) -> Result {
    if holds { Ok(()) } else { Err(format!("broken promise: {promise}").into()) }
}

/// Makes `propagator` and a tracing SDK the global ones, as a service does when it starts.
pub fn install(propagator: impl TextMapPropagator + Send + Sync + 'static, provider: SdkTracerProvider) {
    global::set_tracer_provider(provider);
    global::set_text_map_propagator(propagator);
}

/// The spans that this process has finished so far.
#[derive(Debug)]
pub struct Spans(InMemorySpanExporter);

impl Spans {
    /// Makes `propagator` and a tracing SDK the global ones, as a service does when it starts.
    pub fn install(propagator: impl TextMapPropagator + Send + Sync + 'static) -> Self {
        let exporter = InMemorySpanExporter::default();
        global::set_tracer_provider(
            SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build(),
        );
        global::set_text_map_propagator(propagator);
        Self(exporter)
    }

    /// All of them, in the order in which they began.
    ///
    /// # Errors
    ///
    /// When the exporter cannot be read.
    pub fn all(&self) -> Result<Vec<SpanData>> {
        let mut spans = self.0.get_finished_spans()?;
        spans.sort_by_key(|span| span.start_time);
        Ok(spans)
    }

    /// All of them, and forgets them.
    ///
    /// # Errors
    ///
    /// When the exporter cannot be read.
    pub fn take(&self) -> Result<Vec<SpanData>> {
        let spans = self.all()?;
        self.0.reset();
        Ok(spans)
    }

    /// The first with this name.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn named(&self, name: &str) -> Result<SpanData> {
        let found = self.all()?.into_iter().find(|span| span.name == name);
        found.ok_or_else(|| format!("no span named {name:?} has ended").into())
    }
}

/// Prints spans as trees: each trace with its id, each span under its parent.
pub fn print_trees(spans: &[SpanData]) {
    for root in spans.iter().filter(|span| !spans.iter().any(|other| is_child(span, other))) {
        println!("trace {}", root.span_context.trace_id());
        print_branch(root, spans, 1);
    }
}

fn print_branch(span: &SpanData, spans: &[SpanData], depth: usize) {
    let orphan = depth == 1 && span.parent_span_id != SpanId::INVALID;
    let links = span.links.iter().map(|link| format!(" -> linked to trace {}", link.span_context.trace_id()));
    println!(
        "{:indent$}{}{}{}",
        "",
        span.name,
        if orphan { " (parent not here)" } else { "" },
        links.collect::<String>(),
        indent = 2 * depth
    );
    for child in spans.iter().filter(|other| is_child(other, span)) {
        print_branch(child, spans, depth + 1);
    }
}

/// Whether `child` is a child of `parent`, in the same trace.
#[must_use]
pub fn is_child(child: &SpanData, parent: &SpanData) -> bool {
    child.parent_span_id == parent.span_context.span_id()
        && child.span_context.trace_id() == parent.span_context.trace_id()
}

/// The context that the headers of a request carry.
#[must_use]
pub fn extract(headers: &http::HeaderMap) -> Context {
    global::get_text_map_propagator(|propagator| headers::extract(propagator, headers))
}

/// `parent` with a new span under the one it has.
#[must_use]
pub fn with_span(parent: &Context, name: &'static str, kind: SpanKind) -> Context {
    let tracer = global::tracer("examples");
    parent.with_span(tracer.span_builder(name).with_kind(kind).start_with_context(&tracer, parent))
}

/// Writes `context` into the headers of a request.
pub fn inject(context: &Context, headers: &mut http::HeaderMap) {
    global::get_text_map_propagator(|propagator| headers::inject(propagator, context, headers));
}

/// Serves `router` on a free loopback port until the process ends.
///
/// # Errors
///
/// When no port can be had.
pub async fn serve(router: axum::Router) -> Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, router).into_future());
    Ok(address)
}

/// An HTTP client that talks to loopback directly and never waits for long.
///
/// # Errors
///
/// When the client cannot be made.
pub fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build()?)
}

/// The text of a header; empty where it is not there.
#[must_use]
pub fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The code of the project's own pages.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../README.md")]
    struct ReadMe;

    #[doc = include_str!("../../docs/from-the-sdk.md")]
    struct FromTheSdk;
}
