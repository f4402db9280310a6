//! The ends of a chain of consumers: `messages URL FIRST COUNT` sends messages, each with a trace and baggage of its own, to the
//! queue FIRST of the broker at URL, and checks what comes out of the queue `rust`.
//!
//! `OTEL_PROPAGATORS` chooses the formats. Every tenth message is of a trace that is not sampled. It prints the trace ids,
//! sampled or not, for whoever looks at the spans.

use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceState},
};
use otel_composite::CompositePropagator;
use std::{env, error::Error, time::Duration};
use tokio::time::timeout;

mod nats;
mod rabbitmq;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Until the next message has come through the whole chain.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, first, count] = arguments.as_slice() else { return Err("URL FIRST COUNT".into()) };
    let (count, propagator) = (count.parse()?, otel_composite::try_from_env()?);
    if url.starts_with("nats:") {
        run(nats::Broker::connect(url).await?, first, count, &propagator).await
    } else {
        run(rabbitmq::Broker::connect(url, first).await?, first, count, &propagator).await
    }
}

trait Broker {
    async fn send(
        &self,
        queue: &str,
        propagator: &dyn TextMapPropagator,
        cx: &Context,
        number: u64,
    ) -> Result;

    /// What the next message of the queue `rust` carries, and its number.
    async fn take(&mut self, propagator: &dyn TextMapPropagator) -> Result<(Context, u64)>;
}

async fn run(mut broker: impl Broker, first: &str, count: u64, propagator: &CompositePropagator) -> Result {
    for number in 0..count {
        let root = root(number);
        println!("{} {} {}", root.trace_id(), root.span_id(), root.is_sampled());
        let cx = Context::new().with_remote_span_context(root).with_baggage(baggage(number));
        broker.send(first, propagator, &cx, number).await?;
    }
    for _ in 0..count {
        let (received, number) = timeout(PATIENCE, broker.take(propagator)).await??;
        check(&received, number)?;
    }
    Ok(())
}

fn check(received: &Context, number: u64) -> Result {
    let span = received.span();
    let (span, root) = (span.span_context(), root(number));
    let same = span.trace_id() == root.trace_id() && span.is_sampled() == root.is_sampled();
    if !same || span.span_id() == root.span_id() {
        return Err(format!("message {number}: {span:?} of {root:?}").into());
    }
    let expected = baggage(number);
    let has = |entry: &KeyValue| received.baggage().get(&entry.key).map(|value| value.as_str().to_owned());
    let kept = expected.iter().all(|entry| has(entry).as_deref() == Some(&*entry.value.as_str()));
    if !kept || received.baggage().len() != expected.len() {
        return Err(format!("message {number}: {}", received.baggage()).into());
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
