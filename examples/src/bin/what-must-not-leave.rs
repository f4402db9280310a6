//! What reaches our own services, a partner and a third party of one request's context, and what never leaves?

use axum::{Router, http::HeaderMap, routing::get};
use examples::{Result, client, ensure, serve};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_carriers::headers;
use otel_composite::{
    BaggagePropagator, CompositePropagator, Limits, TraceContextPropagator,
    boundary::{Boundary, Destination, DestinationExt, Keys, Outbound, Trace},
};
use std::str::FromStr;

#[tokio::main]
async fn main() -> Result {
    // What no one gets is said once, whatever the destination.
    let never = Limits::default().deny(&["session.token", "user.email"]);
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let formats = CompositePropagator::builder().trace(trace).baggage(baggage).limits(never).build();
    // A partner gets what is named: a key that somebody adds next year stays here.
    let partner =
        Outbound::external("partner").trace(Trace::Ids).baggage(Keys::of(&["order.region", "user.email"]));
    let boundary = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.svc.cluster.local", "10.0.0.0/8"])?)
        .outbound(partner.hosts(["api.partner.example"])?);
    println!("{boundary}");
    // This is the one to make global.
    let propagator = boundary.wrap(formats);

    let context = request()?;
    println!("in the context: {}", context.baggage());
    let url = format!("http://{}/", serve(Router::new().route("/", get(received))).await?);
    let mut wire = String::new();
    for (host, promise, expected) in [
        (
            "orders.svc.cluster.local",
            "our own service gets the rest",
            "  traceparent: 00-000000000000aaaa0000000000000000-000000000000bbbb-01\n  tracestate: ours=1\n  \
             baggage: order.region=eu,tenant=acme-retail",
        ),
        (
            "api.partner.example",
            "a partner gets ids and what is named",
            "  traceparent: 00-000000000000aaaa0000000000000000-000000000000bbbb-01\n  baggage: order.region=eu",
        ),
        ("api.stripe.com", "a third party gets nothing", ""),
        ("internal.evil.example", "a host that only looks like ours gets nothing", ""),
        ("https://evil.example/?x=.svc.cluster.local", "what is no host gets nothing", ""),
    ] {
        let answer = call(&url, &context.with_destination(Destination::host(host)), &propagator).await?;
        println!("\n{host} received:\n{answer}");
        ensure(answer == expected, promise)?;
        wire += &answer;
    }
    ensure(!wire.contains("jane") && !wire.contains("s3cr3t"), "what is denied is on no wire")
}

/// The context of a request in the middle of which all those calls are made.
fn request() -> Result<Context> {
    let (trace_id, span_id) = (TraceId::from(0xaaaa_u128 << 64), SpanId::from(0xbbbb));
    let trace_state = TraceState::from_str("ours=1")?;
    let span = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, trace_state);
    Ok(Context::new().with_remote_span_context(span).with_baggage([
        KeyValue::new("tenant", "acme-retail"),
        KeyValue::new("order.region", "eu"),
        KeyValue::new("user.email", "jane@example.com"),
        KeyValue::new("session.token", "s3cr3t"),
    ]))
}

/// Calls with a request that has been used before, so that it still holds the headers of an earlier context.
async fn call(url: &str, context: &Context, propagator: &impl TextMapPropagator) -> Result<String> {
    let older = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let mut request =
        client()?.get(url).header("traceparent", older).header("baggage", "session.token=s3cr3t").build()?;
    headers::inject(propagator, context, request.headers_mut());
    Ok(client()?.execute(request).await?.error_for_status()?.text().await?)
}

/// Every service here answers with the context headers that it received.
async fn received(headers: HeaderMap) -> String {
    let line = |name| Some(format!("  {name}: {}", headers.get(name)?.to_str().ok()?));
    ["traceparent", "tracestate", "baggage"].into_iter().filter_map(line).collect::<Vec<_>>().join("\n")
}
