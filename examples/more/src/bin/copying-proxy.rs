//! A proxy copies the headers of its caller into its own request: what of them goes on that should not?
//!
//! The proxy restarts the trace at its boundary, lets out no baggage but `region`, and reads B3 without writing it.

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, header::HOST},
    routing::get,
};
use examples::{Result, Spans, client, ensure, serve, with_span};
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{SpanKind, TraceContextExt},
};
use opentelemetry_http::HeaderInjector;
use otel_carriers::headers;
use otel_composite::{
    B3Propagator, BaggagePropagator, CompositePropagator, Limits, TraceContextPropagator, extract_only,
};

/// How the proxy writes its context into the copied headers.
type Write = fn(&CompositePropagator, &Context, &mut HeaderMap);

#[tokio::main]
async fn main() -> Result {
    let propagator = CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(extract_only(B3Propagator::single()))
        .baggage(BaggagePropagator::new())
        .limits(Limits::default().allow(&["region"]))
        .build();
    let _spans = Spans::install(propagator.clone());
    let upstream = format!("http://{}/", serve(Router::new().route("/", get(received))).await?);

    let before = through(&propagator, &upstream, only_set).await?;
    println!("what the next service receives of a proxy that only sets headers:\n{before}");
    ensure(
        before.contains("vendor=secret"),
        "the caller's tracestate goes out beside a trace that is not its own",
    )?;
    ensure(before.contains("b3: 0"), "and a b3 that nobody here wrote, which says not to sample")?;

    let after = through(&propagator, &upstream, removing).await?;
    println!("\nof one that removes what it reads before it writes:\n{after}");
    for (name, promise) in [
        ("vendor", "no tracestate of another trace"),
        ("b3:", "no format that is only read"),
        ("jane", "no baggage that may not leave"),
    ] {
        ensure(!after.contains(name), promise)?;
    }
    ensure(after.contains("traceparent: 00-") && after.contains("accept: text/plain"), "the rest goes on")
}

/// An `Injector` can set a header. What the propagator does not write this time stays as it was copied.
fn only_set(propagator: &CompositePropagator, context: &Context, copied: &mut HeaderMap) {
    propagator.inject_context(context, &mut HeaderInjector(copied));
}

fn removing(propagator: &CompositePropagator, context: &Context, copied: &mut HeaderMap) {
    headers::strip(copied, propagator.extract_fields());
    headers::inject(propagator, context, copied);
}

/// Sends one request through a proxy; the answer shows what the service behind it received.
async fn through(propagator: &CompositePropagator, upstream: &str, write: Write) -> Result<String> {
    let state = (propagator.clone(), upstream.to_owned(), write);
    let proxy = serve(Router::new().route("/", get(forward)).with_state(state)).await?;
    let request = client()?
        .get(format!("http://{proxy}/"))
        .header("accept", "text/plain")
        .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        .header("tracestate", "vendor=secret")
        .header("baggage", "user.email=jane@example.com")
        .header("b3", "0");
    Ok(request.send().await?.error_for_status()?.text().await?)
}

async fn forward(
    State((propagator, url, write)): State<(CompositePropagator, String, Write)>,
    received: HeaderMap,
) -> std::result::Result<String, String> {
    let forward = async {
        // A trace of its own: the caller is not trusted.
        let context = with_span(&Context::new(), "proxy", SpanKind::Client);
        let mut request = client()?.get(url).headers(received).build()?;
        request.headers_mut().remove(HOST);
        write(&propagator, &context, request.headers_mut());
        context.span().end();
        Ok::<_, examples::Error>(client()?.execute(request).await?.error_for_status()?.text().await?)
    };
    forward.await.map_err(|error| error.to_string())
}

async fn received(headers: HeaderMap) -> String {
    let line =
        |(name, value): (_, &http::HeaderValue)| format!("  {name}: {}", value.to_str().unwrap_or("?"));
    headers.iter().map(line).collect::<Vec<_>>().join("\n")
}
