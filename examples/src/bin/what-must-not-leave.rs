//! Which baggage reaches our own services, a partner and a third party, and which never leaves?

use axum::{Router, http::HeaderMap, routing::get};
use examples::{Result, client, ensure, serve};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_carriers::headers;
use otel_composite::{BaggagePropagator, CompositePropagator, Limits, TraceContextPropagator};

#[tokio::main]
async fn main() -> Result {
    // Our own services get everything but what is denied. This is the one to make global.
    let ours = propagator(Limits::default().deny(&["session.token", "user.email"]));
    // A partner gets what is named: a key that somebody adds next year stays here.
    let partners = propagator(Limits::default().allow(&["order.region"]));

    let context = request();
    println!("in the context: {}", context.baggage());
    let url = format!("http://{}/", serve(Router::new().route("/", get(received))).await?);

    let own = call(&url, &context, Some(&ours)).await?;
    println!("\nour own service received:\n{own}");
    ensure(own.contains("baggage: order.region=eu,tenant=acme-retail\n"), "our own service gets the rest")?;

    let partner = call(&url, &context, Some(&partners)).await?;
    println!("\na partner received:\n{partner}");
    ensure(partner.contains("baggage: order.region=eu\n"), "a partner gets what is named, and nothing else")?;

    let third_party = call(&url, &context, None).await?;
    println!("\na third party received:\n{third_party}");
    let context_headers = ["traceparent", "tracestate", "baggage"];
    ensure(!context_headers.iter().any(|name| third_party.contains(name)), "a third party gets no context")?;

    let wire = [own, partner, third_party].concat();
    ensure(!wire.contains("jane") && !wire.contains("s3cr3t"), "what is denied is on no wire")
}

fn propagator(limits: Limits) -> CompositePropagator {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    CompositePropagator::builder().trace(trace).baggage(baggage).limits(limits).build()
}

/// The context of a request in the middle of which all those calls are made.
fn request() -> Context {
    let (trace_id, span_id) = (TraceId::from(0xaaaa_u128 << 64), SpanId::from(0xbbbb));
    let span = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::NONE);
    Context::new().with_remote_span_context(span).with_baggage([
        KeyValue::new("tenant", "acme-retail"),
        KeyValue::new("order.region", "eu"),
        KeyValue::new("user.email", "jane@example.com"),
        KeyValue::new("session.token", "s3cr3t"),
    ])
}

/// Calls with the context as `propagator` lets it out; without one, with none of it.
async fn call(url: &str, context: &Context, propagator: Option<&CompositePropagator>) -> Result<String> {
    let mut request = client()?.get(url).build()?;
    if let Some(propagator) = propagator {
        headers::inject(propagator, context, request.headers_mut());
    }
    Ok(client()?.execute(request).await?.error_for_status()?.text().await?)
}

/// Every service here answers with the headers that it received.
async fn received(headers: HeaderMap) -> String {
    let line =
        |(name, value): (_, &http::HeaderValue)| format!("  {name}: {}", value.to_str().unwrap_or("?"));
    headers.iter().map(line).collect::<Vec<_>>().join("\n")
}
