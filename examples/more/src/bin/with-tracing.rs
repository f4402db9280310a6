//! How do services that use `tracing`, and not OpenTelemetry's own API, stay in one trace with their baggage?

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use examples::{Result, Spans, client, ensure, extract, inject, is_child, print_trees, serve};
use more_examples::Log;
use opentelemetry::{baggage::BaggageExt, global, trace::SpanKind};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use tower::{Layer, ServiceExt, util::MapRequestLayer};
use tracing::{Instrument, Span, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{filter::LevelFilter, layer::SubscriberExt, util::SubscriberInitExt};

#[tokio::main]
async fn main() -> Result {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let spans = Spans::install(CompositePropagator::builder().trace(trace).baggage(baggage).build());
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt::layer().without_time().with_target(false).with_ansi(false);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(tracing_opentelemetry::layer().with_tracer(global::tracer("examples")))
        .with(lines.with_writer(move || writer.clone()))
        .init();

    let stock = service("stock", None).await?;
    let orders = service("orders", Some(stock)).await?;
    let edge = service("edge", Some(orders)).await?;
    let request = client()?.get(edge).header("baggage", "tenant=acme-retail");
    request.send().await?.error_for_status()?;

    let finished = spans.all()?;
    print_trees(&finished);
    let servers = finished.iter().filter(|span| span.span_kind == SpanKind::Server).collect::<Vec<_>>();
    let calls = finished.iter().filter(|span| span.span_kind == SpanKind::Client).collect::<Vec<_>>();
    let (&[edge, orders, stock], &[to_orders, to_stock]) = (servers.as_slice(), calls.as_slice()) else {
        return Err("not three services and two calls".into());
    };
    let chain = [(to_orders, edge), (orders, to_orders), (to_stock, orders), (stock, to_stock)];
    ensure(chain.iter().all(|(child, parent)| is_child(child, parent)), "three services are one trace")?;
    ensure(log.text().matches("tenant=\"acme-retail\"").count() == 3, "the baggage is on each log line")
}

/// Starts a service that calls the next one.
async fn service(name: &'static str, next: Option<String>) -> Result<String> {
    let router = Router::new().route("/", get(handle)).with_state(next);
    let address = serve(router.layer(from_fn_with_state(name, remote_parent))).await?;
    Ok(format!("http://{address}/"))
}

/// The middleware: a span for each request, under the caller's, with what the log lines are to show.
async fn remote_parent(State(service): State<&'static str>, request: Request, next: Next) -> Response {
    let parent = extract(request.headers());
    let tenant = parent.baggage().get("tenant").map(ToString::to_string);
    let span = info_span!("request", otel.name = service, otel.kind = "server", service, tenant);
    // It fails only where nobody listens to spans.
    let _ = span.set_parent(parent);
    next.run(request).instrument(span).await
}

/// A handler knows nothing of propagation.
async fn handle(State(next): State<Option<String>>) -> std::result::Result<String, String> {
    info!("working");
    match next {
        Some(url) => call(url).await.map_err(|error| error.to_string()),
        None => Ok("done".to_owned()),
    }
}

#[tracing::instrument(name = "call", skip_all, fields(otel.kind = "client"))]
async fn call(url: String) -> Result<String> {
    let client = MapRequestLayer::new(injected).layer(client()?);
    let request = reqwest::Request::new(reqwest::Method::GET, url.parse()?);
    Ok(client.oneshot(request).await?.error_for_status()?.text().await?)
}

/// The client layer: the context of the current span goes out with each request.
fn injected(mut request: reqwest::Request) -> reqwest::Request {
    inject(&Span::current().context(), request.headers_mut());
    request
}
