//! How does a trace cross Kafka, and what happens to a record that is sent on?
//!
//! It needs a broker: `KAFKA_BROKER=127.0.0.1:9092`; `.ci/brokers` starts one and runs it, alone and with a peer.

use chrono::Utc;
use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanKind, TraceContextExt},
};
use otel_carriers::message::{self, MessageExtractor};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use rskafka::{
    client::{
        Client, ClientBuilder,
        partition::{Compression, PartitionClient, UnknownTopicHandling},
    },
    record::Record,
};
use std::{collections::BTreeMap, time::Duration};

/// The headers of a record.
type Headers = BTreeMap<String, Vec<u8>>;

#[tokio::main]
async fn main() -> Result {
    let Ok(broker) = std::env::var("KAFKA_BROKER") else {
        println!("no broker: set KAFKA_BROKER");
        return Ok(());
    };
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let propagator = CompositePropagator::builder().trace(trace).baggage(baggage).build();
    let spans = Spans::install(propagator.clone());
    let client = ClientBuilder::new(vec![broker]).build().await?;
    if let Some(task) = std::env::args().nth(1) {
        return with_peer(&client, &propagator, &task).await;
    }
    let orders = topic(&client, "examples.orders").await?;

    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "send order", SpanKind::Producer);
    let mut headers = Headers::from([("id".to_owned(), b"7".to_vec())]);
    send(&propagator, &context, &mut headers);
    let first = publish(&orders, headers).await?;
    context.span().end();

    // A worker that cannot do it sends it on, in a span of its own: the record keeps who created it.
    let mut headers = take(&orders, first).await?;
    let worker = with_span(&Context::new(), "give back", SpanKind::Producer);
    send(&propagator, &worker, &mut headers);
    let second = publish(&orders, headers).await?;
    worker.span().end();

    let headers = take(&orders, second).await?;
    let parent = propagator.extract_with_context(&Context::new(), &MessageExtractor::new(&headers));
    let context = with_span(&parent, "process order", SpanKind::Consumer);
    let tenant = context.baggage().get("tenant").map(ToString::to_string);
    context.span().end();

    print_trees(&spans.all()?);
    let names: Vec<_> = headers.keys().map(String::as_str).collect();
    ensure(names == ["baggage", "id", "traceparent"], "one of each header, and the others stay")?;
    ensure(tenant.as_deref() == Some("acme-retail"), "the baggage arrives")?;
    ensure(
        is_child(&spans.named("process order")?, &spans.named("send order")?),
        "one trace, whoever sent it on",
    )
}

fn send(propagator: &CompositePropagator, context: &Context, headers: &mut Headers) {
    message::inject(
        propagator,
        context,
        headers,
        |headers| MessageExtractor::new(headers),
        |headers, name, value| match value {
            Some(value) => drop(headers.insert(name.to_owned(), value.into_bytes())),
            None => headers.retain(|older, _| !older.eq_ignore_ascii_case(name)),
        },
    );
}

/// One record each way with a peer in another language: it reads `examples.ours` and writes `examples.theirs`.
async fn with_peer(client: &Client, propagator: &CompositePropagator, task: &str) -> Result {
    let (ours, theirs) = (topic(client, "examples.ours").await?, topic(client, "examples.theirs").await?);
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "send", SpanKind::Producer);
    let mut headers = Headers::new();
    send(propagator, &context, &mut headers);
    publish(&ours, headers).await?;

    let headers = take(&theirs, 0).await?;
    let answer = propagator.extract_with_context(&Context::new(), &MessageExtractor::new(&headers));
    println!("{task} answered with {}", headers.keys().map(String::as_str).collect::<Vec<_>>().join(", "));
    // Its span, which Kafka has behind the older one, is what is read.
    more_examples::answered(&context, &answer, task)
}

/// A topic of one partition, made if it is not there.
async fn topic(client: &Client, name: &str) -> Result<PartitionClient> {
    // The error of a topic that is there already is none.
    let _ = client.controller_client()?.create_topic(name, 1, 1, 5_000).await;
    Ok(client.partition_client(name, 0, UnknownTopicHandling::Retry).await?)
}

/// The offset of what was sent.
async fn publish(partition: &PartitionClient, headers: Headers) -> Result<i64> {
    let record = Record { key: None, value: Some(b"order 7".to_vec()), headers, timestamp: Utc::now() };
    let offsets = partition.produce(vec![record], Compression::NoCompression).await?;
    offsets.first().copied().ok_or_else(|| "no offset".into())
}

async fn take(partition: &PartitionClient, offset: i64) -> Result<Headers> {
    for _ in 0..600 {
        let (records, _) = partition.fetch_records(offset, 1..1_000_000, 100).await?;
        if let Some(first) = records.into_iter().next() {
            return Ok(first.record.headers);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("no record came".into())
}
