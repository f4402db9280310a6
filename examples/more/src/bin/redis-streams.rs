//! How does a trace cross a stream of Redis, and what happens to an entry that is put back?
//!
//! It needs a server: `REDIS_URL=redis://127.0.0.1:6379`; `.ci/brokers` starts one and runs it.

use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanKind, TraceContextExt},
};
use otel_carriers::message::{self, MessageExtractor};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use redis::{
    AsyncCommands, Value,
    aio::MultiplexedConnection,
    streams::{StreamReadOptions, StreamReadReply},
};

/// An entry: the context's fields are beside those of the application.
type Entry = Vec<(String, String)>;

#[tokio::main]
async fn main() -> Result {
    let Ok(url) = std::env::var("REDIS_URL") else {
        println!("no server: set REDIS_URL");
        return Ok(());
    };
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let propagator = CompositePropagator::builder().trace(trace).baggage(baggage).build();
    let spans = Spans::install(propagator.clone());
    let mut redis = redis::Client::open(url)?.get_multiplexed_async_connection().await?;
    if let Some(task) = std::env::args().nth(1) {
        return with_peer(&mut redis, &propagator, &task).await;
    }

    // A stream keeps what was read: this begins with an empty one.
    let _: usize = redis.del("examples.orders").await?;
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "add order", SpanKind::Producer);
    let mut entry = Entry::from([("order".to_owned(), "7".to_owned())]);
    write(&propagator, &context, &mut entry);
    let first = add(&mut redis, "examples.orders", &entry).await?;
    context.span().end();

    // A worker that cannot do it puts it back, in a span of its own: the entry keeps who created it.
    let (id, mut entry) = take(&mut redis, "examples.orders", "0").await?;
    ensure(id == first, "nobody else has written")?;
    let worker = with_span(&Context::new(), "put back", SpanKind::Producer);
    write(&propagator, &worker, &mut entry);
    add(&mut redis, "examples.orders", &entry).await?;
    worker.span().end();

    let (_, entry) = take(&mut redis, "examples.orders", &first).await?;
    let parent = propagator.extract_with_context(&Context::new(), &read(&entry));
    let context = with_span(&parent, "process order", SpanKind::Consumer);
    let tenant = context.baggage().get("tenant").map(ToString::to_string);
    context.span().end();

    print_trees(&spans.all()?);
    ensure(tenant.as_deref() == Some("acme-retail"), "the baggage arrives")?;
    ensure(entry.contains(&("order".to_owned(), "7".to_owned())), "other fields stay")?;
    ensure(
        is_child(&spans.named("process order")?, &spans.named("add order")?),
        "one trace, whoever put it back",
    )
}

fn write(propagator: &CompositePropagator, context: &Context, entry: &mut Entry) {
    message::inject(propagator, context, entry, read, |entry, name, value| match value {
        Some(value) => entry.push((name.to_owned(), value)),
        None => entry.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
    });
}

fn read(entry: &Entry) -> MessageExtractor<'_> {
    MessageExtractor::new(entry.iter().map(|(name, value)| (name, value)))
}

/// One entry each way with a peer in another language: it reads `examples.ours` and writes `examples.theirs`.
async fn with_peer(
    redis: &mut MultiplexedConnection,
    propagator: &CompositePropagator,
    task: &str,
) -> Result {
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "send", SpanKind::Producer);
    let mut entry = Entry::new();
    write(propagator, &context, &mut entry);
    add(redis, "examples.ours", &entry).await?;

    let (_, entry) = take(redis, "examples.theirs", "0").await?;
    let answer = propagator.extract_with_context(&Context::new(), &read(&entry));
    let names: Vec<_> = entry.iter().map(|(name, _)| name.as_str()).collect();
    println!("{task} answered with {}", names.join(", "));
    more_examples::answered(&context, &answer, task)
}

async fn add(redis: &mut MultiplexedConnection, stream: &str, entry: &Entry) -> Result<String> {
    let id: Option<String> = redis.xadd(stream, "*", entry).await?;
    id.ok_or_else(|| "the stream has gone".into())
}

/// The first entry behind another one, with its id.
async fn take(redis: &mut MultiplexedConnection, stream: &str, behind: &str) -> Result<(String, Entry)> {
    let options = StreamReadOptions::default().count(1).block(10_000);
    let reply: Option<StreamReadReply> = redis.xread_options(&[stream], &[behind], &options).await?;
    let entries = reply.into_iter().flat_map(|reply| reply.keys).flat_map(|key| key.ids);
    let entry = entries.into_iter().next().ok_or("no entry came")?;
    let fields = entry.map.into_iter().filter_map(|(name, value)| match value {
        Value::BulkString(text) => Some((name, String::from_utf8(text).ok()?)),
        _ => None,
    });
    Ok((entry.id, fields.collect()))
}
