//! How does a task in a queue belong to the trace that sent it: as a child, or as a trace of its own with a link?
//!
//! In this process by default; with `NATS_URL=nats://127.0.0.1:4222` in the headers of a real NATS server.

use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use more_examples::queue::{Queue, Task};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    global,
    trace::{FutureExt, Link, SpanId, SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_sdk::trace::SpanData;
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use std::collections::HashSet;

#[tokio::main]
async fn main() -> Result {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let spans = Spans::install(CompositePropagator::builder().trace(trace).baggage(baggage).build());
    let mut queue = Queue::open().await?;
    println!("queue: {}", if matches!(queue, Queue::Nats(..)) { "a NATS server" } else { "in this process" });
    one_task(&mut queue, &spans).await?;
    fan_out(&mut queue, &spans).await?;
    retry(&mut queue, &spans).await
}

/// One message, one consumer: the consumer's span is a child of the producer's.
async fn one_task(queue: &mut Queue, spans: &Spans) -> Result {
    println!("\none task, consumed as a child; then one without headers:");
    produce(queue, "send order", 1).await?;
    queue.send(Task::new("a task without headers")).await?;

    let parent = queue.receive().await?.context();
    work().with_context(with_span(&parent, "process order", SpanKind::Consumer)).await;
    ensure(!Context::current().has_active_span(), "nothing is left active after a task")?;
    let parent = queue.receive().await?.context();
    work().with_context(with_span(&parent, "process stranger", SpanKind::Consumer)).await;

    let [producer, consumer, inner, stranger, _] = take(spans)?;
    ensure(is_child(&consumer, &producer) && is_child(&inner, &consumer), "the consumer is a child")?;
    ensure(tenant(&inner).as_deref() == Some("acme-retail"), "the work has the producer's baggage")?;
    let root = stranger.parent_span_id == SpanId::INVALID;
    ensure(root && tenant(&stranger).is_none(), "the next task gets nothing of the one before")
}

/// One producer, a thousand messages: each consumer has a trace of its own that links back.
async fn fan_out(queue: &mut Queue, spans: &Spans) -> Result {
    println!("\na thousand tasks, each a trace of its own with a link back:");
    produce(queue, "send images", 1000).await?;
    for _ in 0..1000 {
        let context = linked(&queue.receive().await?.context(), "resize image");
        context.span().end();
    }
    let finished = spans.take()?;
    let (producer, consumers) = finished.split_first().ok_or("no spans")?;
    print_trees(finished.get(..3).unwrap_or_default());
    println!("... and {} more", consumers.len() - 2);
    let traces = consumers.iter().map(|span| span.span_context.trace_id()).collect::<HashSet<_>>();
    ensure(traces.len() == 1000 && consumers.iter().all(|span| links_to(span, producer)), "a link each")
}

/// A task that fails goes back as it came, so that every attempt links to the one who sent it.
async fn retry(queue: &mut Queue, spans: &Spans) -> Result {
    println!("\na task that fails once and is retried:");
    produce(queue, "send mail", 1).await?;
    for attempt in ["deliver mail (fails)", "deliver mail (again)"] {
        let task = queue.receive().await?;
        linked(&task.context(), attempt).span().end();
        if attempt.contains("fails") {
            queue.send(task).await?;
        }
    }
    let [producer, first, second] = take(spans)?;
    ensure(links_to(&first, &producer) && links_to(&second, &producer), "a retry keeps the original link")
}

/// Sends `count` tasks that carry the context of one producer span.
async fn produce(queue: &Queue, name: &'static str, count: usize) -> Result {
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, name, SpanKind::Producer);
    for number in 0..count {
        let mut task = Task::new(format!("task {number}"));
        task.carry(&context);
        queue.send(task).await?;
    }
    context.span().end();
    Ok(())
}

/// What a consumer does, in whatever context it is given.
async fn work() {
    let context = Context::current();
    let inner = with_span(&context, "work", SpanKind::Internal);
    tokio::task::yield_now().await;
    for context in [&inner, &context] {
        let tenant = context.baggage().get("tenant").map(ToString::to_string);
        context.span().set_attributes(tenant.map(|tenant| KeyValue::new("tenant", tenant)));
        context.span().end();
    }
}

/// The received baggage, and a root span with a link to whoever sent it.
fn linked(received: &Context, name: &'static str) -> Context {
    let tracer = global::tracer("examples");
    let link = Link::with_context(received.span().span_context().clone());
    let span = tracer.span_builder(name).with_kind(SpanKind::Consumer).with_links(vec![link]);
    received.with_span(span.start_with_context(&tracer, &Context::new()))
}

fn links_to(span: &SpanData, producer: &SpanData) -> bool {
    let producer = &producer.span_context;
    span.parent_span_id == SpanId::INVALID
        && span.links.iter().any(|link| link.span_context.span_id() == producer.span_id())
}

fn tenant(span: &SpanData) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == "tenant").map(|a| a.value.to_string())
}

/// Prints the spans that have ended since the last time, of which there have to be `N`.
fn take<const N: usize>(spans: &Spans) -> Result<[SpanData; N]> {
    let spans = spans.take()?;
    print_trees(&spans);
    spans.try_into().map_err(|_| "not the number of spans that there should be".into())
}
