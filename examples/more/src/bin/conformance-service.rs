//! Does the W3C's own validation service find anything wrong with our `traceparent` and `tracestate`?
//!
//! `cargo run -p more-examples --bin conformance-service -- 127.0.0.1:5000` serves `POST /test`; then, from the
//! folder `test` of <https://github.com/w3c/trace-context>:
//! `SPEC_LEVEL=2 python3 test.py http://127.0.0.1:5000/test`.

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use examples::{Result, client, extract, inject, install, with_span};
use opentelemetry::{
    Context,
    trace::{SpanKind, TraceContextExt},
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_composite::TraceContextPropagator;

/// One request that the validation service asks for.
#[derive(serde::Deserialize)]
struct Call {
    url: String,
    arguments: serde_json::Value,
}

#[tokio::main]
async fn main() -> Result {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    install(TraceContextPropagator::new(), SdkTracerProvider::default());

    let client = client()?;
    let test = move |headers: HeaderMap, Json(calls): Json<Vec<Call>>| answer(client.clone(), headers, calls);
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}/test", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/test", post(test))).await?;
    Ok(())
}

async fn answer(client: reqwest::Client, headers: HeaderMap, calls: Vec<Call>) -> StatusCode {
    let server = with_span(&extract(&headers), "POST /test", SpanKind::Server);
    for call in calls {
        if let Err(error) = send(&client, &server, call).await {
            tracing::error!(%error, "a call failed");
            return StatusCode::BAD_GATEWAY;
        }
    }
    StatusCode::OK
}

async fn send(client: &reqwest::Client, server: &Context, call: Call) -> Result {
    let context = with_span(server, "POST", SpanKind::Client);
    let mut request = client.post(call.url).json(&call.arguments).build()?;
    inject(&context, request.headers_mut());
    client.execute(request).await?.error_for_status()?;
    context.span().end();
    Ok(())
}
