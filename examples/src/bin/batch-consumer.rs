//! To whose trace does the work on a batch of messages belong?
//!
//! To its own, with a link to each message's: a span has one parent, and a batch has many senders.

use examples::{Result, Spans, ensure, print_trees, with_span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    global,
    trace::{SpanId, SpanKind, TraceContextExt, Tracer},
};
use otel_carriers::message::{self, MessageExtractor};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use std::collections::HashSet;

/// Headers as Kafka has them: names and bytes, in order, and nothing is ever replaced.
#[derive(Default)]
struct Message(Vec<(String, Vec<u8>)>);

/// What a span of the SDK holds at most.
const MOST_LINKS: usize = 128;

fn main() -> Result {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let spans = Spans::install(CompositePropagator::builder().trace(trace).baggage(baggage).build());

    // Three orders, of which one is sent twice, and a message of somebody who knows nothing of traces.
    let mut batch: Vec<Message> = ["acme", "acme", "globex"].map(produce).into();
    let retried = batch.first_mut().ok_or("no message")?;
    let before = retried.0.clone();
    send(retried, &with_span(&Context::new(), "retry", SpanKind::Producer));
    ensure(retried.0 == before, "a retry keeps the context that the message was created in")?;
    let copy = Message(before);
    batch.extend([copy, Message(vec![("content-type".to_owned(), b"text/plain".to_vec())])]);
    println!("{} messages", batch.len());

    consume(&batch);

    let finished = spans.all()?;
    print_trees(&finished);
    let work = spans.named("process orders")?;
    let traces: HashSet<_> = work.links.iter().map(|link| link.span_context.trace_id()).collect();
    ensure(work.parent_span_id == SpanId::INVALID, "the work is a trace of its own")?;
    ensure(work.links.len() == 3 && traces.len() == 3, "it links to each sender once")
}

fn produce(tenant: &'static str) -> Message {
    let context = Context::new().with_baggage([KeyValue::new("tenant", tenant)]);
    let context = with_span(&context, "send order", SpanKind::Producer);
    let mut message = Message::default();
    send(&mut message, &context);
    context.span().end();
    message
}

fn send(message: &mut Message, context: &Context) {
    global::get_text_map_propagator(|propagator| {
        message::inject(propagator, context, message, read, |message, name, value| match value {
            Some(value) => message.0.push((name.to_owned(), value.into_bytes())),
            None => message.0.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
        });
    });
    context.span().end();
}

fn read(message: &Message) -> MessageExtractor<'_> {
    MessageExtractor::new(message.0.iter().map(|(name, value)| (name, value)))
}

fn consume(batch: &[Message]) {
    let messages: Vec<_> = batch.iter().map(read).collect();
    let links =
        global::get_text_map_propagator(|propagator| message::links(propagator, &messages, MOST_LINKS));
    let tracer = global::tracer("examples");
    let span = tracer.span_builder("process orders").with_kind(SpanKind::Consumer).with_links(links);
    Context::new().with_span(span.start_with_context(&tracer, &Context::new())).span().end();
}
