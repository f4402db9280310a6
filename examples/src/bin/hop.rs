//! Does a trace, and the baggage beside it, cross a real HTTP hop?

use examples::{Result, Spans, client, ensure, header, is_child, orders, serve};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};

#[tokio::main]
async fn main() -> Result {
    // One statement decides; upstream's `TextMapCompositePropagator::new(vec![…])` would stand in the same place.
    let spans = Spans::install(
        CompositePropagator::builder()
            .trace(TraceContextPropagator::new())
            .baggage(BaggagePropagator::new())
            .build(),
    );

    let address = serve(orders::router()).await?;
    let order = orders::send(&client()?, &format!("http://{address}/orders")).await?;

    println!("outgoing traceparent: {}", header(&order.headers, "traceparent"));
    println!("outgoing baggage header: {}", header(&order.headers, "baggage"));
    println!("{}", order.answer);

    let (sender, downstream) = (spans.named("send order")?, spans.named("GET /orders")?);
    let (trace_id, span_id) = (sender.span_context.trace_id(), sender.span_context.span_id());
    ensure(
        header(&order.headers, "traceparent") == format!("00-{trace_id}-{span_id}-01"),
        "the sender's span is what goes out",
    )?;
    ensure(header(&order.headers, "baggage") == "tenant=acme-retail", "the baggage goes out as it was set")?;
    ensure(order.answer == "downstream baggage tenant=acme-retail", "the baggage arrives")?;
    ensure(is_child(&downstream, &sender), "the downstream span is the child of the sender's, in one trace")?;
    println!("one trace {trace_id}: the downstream span is the child of the sender's span {span_id}");
    Ok(())
}
