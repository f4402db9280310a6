//! One hop by hand: the service that `downstream` serves, and the request that `send-request` sends.

use crate::{Result, extract, inject, with_span};
use axum::{Router, routing::get};
use http::HeaderMap;
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanKind, TraceContextExt},
};

/// `GET /orders`, answered with the tenant that the baggage names.
pub fn router() -> Router {
    Router::new().route("/orders", get(orders))
}

async fn orders(headers: HeaderMap) -> String {
    let parent = extract(&headers);
    if parent.has_active_span() {
        eprintln!("GET /orders goes on with trace {}", parent.span().span_context().trace_id());
    } else {
        eprintln!("no trace context came in: GET /orders starts a trace of its own");
    }
    let context = with_span(&parent, "GET /orders", SpanKind::Server);
    let tenant = context.baggage().get("tenant").map_or("missing", |value| value.as_str());
    let answer = format!("downstream baggage tenant={tenant}");
    context.span().end();
    answer
}

/// What was sent, and what came back.
#[derive(Debug)]
#[non_exhaustive]
pub struct Order {
    /// The headers of the request.
    pub headers: HeaderMap,
    /// The text of the answer.
    pub answer: String,
}

/// Sends an order of the tenant `acme-retail`.
///
/// # Errors
///
/// When the service cannot be reached, or answers with an error.
pub async fn send(client: &reqwest::Client, url: &str) -> Result<Order> {
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "send order", SpanKind::Client);
    let mut request = client.get(url).build()?;
    inject(&context, request.headers_mut());
    let headers = request.headers().clone();
    let answer = client.execute(request).await?.error_for_status()?.text().await?;
    context.span().end();
    Ok(Order { headers, answer })
}
