//! Does a service in Go that is asked over NATS go on with our trace, and do we go on with what it answers?
//!
//! It needs a server, and the program of `peers/nats` at the other end; `.ci/brokers` starts both and runs it. Its argument
//! says which carrier the peer has: `own`, over `nats.Header`, or `canonical`, `propagation.HeaderCarrier`.

use examples::{Result, Spans, ensure, with_span};
use more_examples::queue::Task;
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanKind, TraceContextExt},
};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result {
    let (Ok(url), Some(carrier)) = (std::env::var("NATS_URL"), std::env::args().nth(1)) else {
        println!("no server, or no peer: set NATS_URL and say which carrier the peer has");
        return Ok(());
    };
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let _spans = Spans::install(CompositePropagator::builder().trace(trace).baggage(baggage).build());

    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "ask", SpanKind::Client);
    let mut request = Task::new("");
    request.carry(&context);
    let reply = ask(&async_nats::connect(url).await?, request).await?;
    let names: Vec<_> = reply.headers.iter().map(|(name, _)| name.to_string()).collect();
    println!("go answered with {}", names.join(", "));

    let (sent, answer) = (context.span().span_context().clone(), reply.context());
    let back = answer.span().span_context().clone();
    ensure(
        back.is_valid() && back.span_id() != sent.span_id(),
        "we read Go's span, however it spells the header",
    )?;
    ensure(baggage_of(&answer, "peer").as_deref() == Some("go"), "and its baggage")?;
    let continued = back.trace_id() == sent.trace_id();
    if carrier == "canonical" {
        // It looks for `Traceparent` alone.
        return ensure(!continued, "Go's HeaderCarrier does not find names in lower case");
    }
    ensure(continued, "Go goes on with our trace")?;
    ensure(baggage_of(&answer, "tenant").as_deref() == Some("acme-retail"), "with our baggage")
}

fn baggage_of(context: &Context, key: &str) -> Option<String> {
    context.baggage().get(key).map(ToString::to_string)
}

/// Asks until somebody is there to answer.
async fn ask(client: &async_nats::Client, request: Task) -> Result<Task> {
    for _ in 0..200 {
        let payload = request.payload.clone().into();
        let sent = client.request_with_headers("examples.ours", request.headers.clone(), payload);
        if let Ok(message) = sent.await {
            let mut reply = Task::new("");
            reply.headers = message.headers.unwrap_or_default();
            return Ok(reply);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("nobody answers".into())
}
