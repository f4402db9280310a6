//! The ends of a chain of RabbitMQ's consumers: `messages URL COUNT` sends messages, each with a trace and baggage of its own,
//! to the queue `python`, and checks what comes out of the queue `rust`.
//!
//! `OTEL_PROPAGATORS` chooses the formats. Every tenth message is of a trace that is not sampled. It prints the trace ids,
//! sampled or not, for whoever looks at the spans.

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_carriers::message::{self, MessageExtractor};
use otel_composite::CompositePropagator;
use std::{collections::BTreeMap, env, error::Error, time::Duration};

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
type Headers = BTreeMap<ShortString, AMQPValue>;

#[tokio::main]
async fn main() -> Result {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, count] = arguments.as_slice() else { return Err("URL COUNT".into()) };
    let count: u64 = count.parse()?;
    let propagator = otel_composite::try_from_env()?;
    let channel = Connection::connect(url, ConnectionProperties::default()).await?.create_channel().await?;
    for queue in ["python", "rust"] {
        channel.queue_declare(queue.into(), QueueDeclareOptions::default(), FieldTable::default()).await?;
    }
    channel.queue_purge("rust".into(), QueuePurgeOptions::default()).await?;
    for number in 0..count {
        let root = root(number);
        println!("{} {} {}", root.trace_id(), root.span_id(), root.is_sampled());
        let cx = Context::new().with_remote_span_context(root).with_baggage(baggage(number));
        send(&channel, &propagator, &cx, number).await?;
    }
    for _ in 0..count {
        let (headers, number) = take(&channel).await?;
        let received = propagator.extract_with_context(&Context::new(), &read(&headers));
        let span = received.span();
        let (span, root) = (span.span_context(), root(number));
        let same = span.trace_id() == root.trace_id() && span.is_sampled() == root.is_sampled();
        if !same || span.span_id() == root.span_id() {
            return Err(format!("message {number}: {span:?} of {root:?}").into());
        }
        let expected = baggage(number);
        let has =
            |entry: &KeyValue| received.baggage().get(&entry.key).map(|value| value.as_str().to_owned());
        let kept = expected.iter().all(|entry| has(entry).as_deref() == Some(&*entry.value.as_str()));
        if !kept || received.baggage().len() != expected.len() {
            return Err(format!("message {number}: {}", received.baggage()).into());
        }
    }
    Ok(())
}

fn root(number: u64) -> SpanContext {
    let flags = if number % 10 == 9 { TraceFlags::NOT_SAMPLED } else { TraceFlags::SAMPLED };
    let trace = TraceId::from(0xace0_u128 << 112 | u128::from(std::process::id()) << 64 | u128::from(number));
    SpanContext::new(trace, SpanId::from(number + 1), flags, true, TraceState::NONE)
}

fn baggage(number: u64) -> [KeyValue; 2] {
    [KeyValue::new("order", format!("o{number}")), KeyValue::new("tenant", "acme-retail")]
}

async fn send(channel: &Channel, propagator: &CompositePropagator, cx: &Context, number: u64) -> Result {
    let mut headers = Headers::new();
    message::inject(propagator, cx, &mut headers, read, |headers, name, value| match value {
        Some(value) => drop(headers.insert(name.into(), AMQPValue::LongString(value.into()))),
        None => headers.retain(|older, _| !older.as_str().eq_ignore_ascii_case(name)),
    });
    let properties = BasicProperties::default().with_headers(headers.into());
    let body = number.to_string();
    channel
        .basic_publish(
            "".into(),
            "python".into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            properties,
        )
        .await?;
    Ok(())
}

async fn take(channel: &Channel) -> Result<(Headers, u64)> {
    for _ in 0..1200 {
        if let Some(message) = channel.basic_get("rust".into(), BasicGetOptions { no_ack: true }).await? {
            let headers = message.properties.headers().as_ref().map(|it| it.inner().clone());
            return Ok((headers.unwrap_or_default(), std::str::from_utf8(&message.data)?.parse()?));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Err("no message came".into())
}

/// Of the types that a header can have, text is a long string.
fn read(headers: &Headers) -> MessageExtractor<'_> {
    MessageExtractor::new(headers.iter().filter_map(|(name, value)| match value {
        AMQPValue::LongString(text) => Some((name.as_str(), text.as_bytes())),
        _ => None,
    }))
}
