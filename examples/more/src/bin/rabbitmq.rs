//! How does a trace cross RabbitMQ, and what happens to a message that comes back?
//!
//! It needs a broker: `AMQP_URL=amqp://127.0.0.1:5672/%2f`; `.ci/brokers` starts one and runs it.

use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanKind, TraceContextExt},
};
use otel_carriers::message::{self, MessageExtractor};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use std::{collections::BTreeMap, time::Duration};

/// The headers of AMQP 0-9-1.
type Headers = BTreeMap<ShortString, AMQPValue>;

#[tokio::main]
async fn main() -> Result {
    let Ok(url) = std::env::var("AMQP_URL") else {
        println!("no broker: set AMQP_URL");
        return Ok(());
    };
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let propagator = CompositePropagator::builder().trace(trace).baggage(baggage).build();
    let spans = Spans::install(propagator.clone());
    let connection = Connection::connect(&url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    if let Some(task) = std::env::args().nth(1) {
        return with_peer(&channel, &propagator, &task).await;
    }
    declare(&channel, "examples.orders").await?;

    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "send order", SpanKind::Producer);
    let mut headers = Headers::from([("id".into(), AMQPValue::LongInt(7))]);
    send(&propagator, &context, &mut headers);
    publish(&channel, "examples.orders", headers).await?;
    context.span().end();

    // A worker that cannot do it sends it on, in a span of its own: the message keeps who created it.
    let mut headers = take(&channel, "examples.orders").await?;
    let worker = with_span(&Context::new(), "give back", SpanKind::Producer);
    send(&propagator, &worker, &mut headers);
    publish(&channel, "examples.orders", headers).await?;
    worker.span().end();

    let headers = take(&channel, "examples.orders").await?;
    let parent = propagator.extract_with_context(&Context::new(), &read(&headers));
    let context = with_span(&parent, "process order", SpanKind::Consumer);
    let tenant = context.baggage().get("tenant").map(ToString::to_string);
    context.span().end();

    print_trees(&spans.all()?);
    ensure(tenant.as_deref() == Some("acme-retail"), "the baggage arrives")?;
    ensure(headers.get("id") == Some(&AMQPValue::LongInt(7)), "other headers stay")?;
    ensure(
        is_child(&spans.named("process order")?, &spans.named("send order")?),
        "one trace, whoever sent it on",
    )
}

fn send(propagator: &CompositePropagator, context: &Context, headers: &mut Headers) {
    message::inject(propagator, context, headers, read, |headers, name, value| match value {
        Some(value) => drop(headers.insert(name.into(), AMQPValue::LongString(value.into()))),
        None => headers.retain(|older, _| !older.as_str().eq_ignore_ascii_case(name)),
    });
}

/// Of the types that a header can have, text is a long string.
fn read(headers: &Headers) -> MessageExtractor<'_> {
    MessageExtractor::new(headers.iter().filter_map(|(name, value)| match value {
        AMQPValue::LongString(text) => Some((name.as_str(), text.as_bytes())),
        _ => None,
    }))
}

/// One message each way with a peer in another language: it reads `examples.ours` and writes `examples.theirs`.
async fn with_peer(channel: &Channel, propagator: &CompositePropagator, task: &str) -> Result {
    declare(channel, "examples.ours").await?;
    declare(channel, "examples.theirs").await?;
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "send", SpanKind::Producer);
    let mut headers = Headers::new();
    send(propagator, &context, &mut headers);
    publish(channel, "examples.ours", headers).await?;

    let headers = take(channel, "examples.theirs").await?;
    let answer = propagator.extract_with_context(&Context::new(), &read(&headers));
    println!(
        "{task} answered with {}",
        headers.keys().map(ShortString::as_str).collect::<Vec<_>>().join(", ")
    );
    more_examples::answered(&context, &answer, task)
}

async fn declare(channel: &Channel, queue: &str) -> Result {
    channel.queue_declare(queue.into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    Ok(())
}

async fn publish(channel: &Channel, queue: &str, headers: Headers) -> Result {
    let properties = BasicProperties::default().with_headers(headers.into());
    channel
        .basic_publish("".into(), queue.into(), BasicPublishOptions::default(), b"order 7", properties)
        .await?;
    Ok(())
}

async fn take(channel: &Channel, queue: &str) -> Result<Headers> {
    for _ in 0..200 {
        let options = BasicGetOptions { no_ack: true };
        if let Some(message) = channel.basic_get(queue.into(), options).await? {
            return Ok(message
                .properties
                .headers()
                .as_ref()
                .map(|it| it.inner().clone())
                .unwrap_or_default());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("no message came".into())
}
