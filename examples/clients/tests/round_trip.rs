//! A context goes through each client's own message, there and back, and nothing of an older one stays.

use ::pulsar::{
    message::proto::{KeyValue, MessageMetadata},
    producer,
};
use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use clients::{events, kafka, mqtt, pulsar, sqs};
use cloudevents::{Event, EventBuilder as _, EventBuilderV10};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::TraceContextExt,
};
use otel_carriers::ContextMap;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use rdkafka::message::{Header, Headers as _, OwnedHeaders, OwnedMessage};
use rumqttc::v5::mqttbytes::{
    QoS,
    v5::{Publish, PublishProperties},
};
use std::collections::HashMap;

type Lines = [(&'static str, &'static str)];
/// What a message that already has these headers says after the context was written, and its other headers.
type Carried = fn(&dyn TextMapPropagator, &Context, &Lines) -> (Context, Vec<String>);

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

const CLIENTS: &[(&str, Carried)] = &[
    ("rdkafka", through_kafka),
    ("rumqttc", through_mqtt),
    ("pulsar", through_pulsar),
    ("aws-sdk-sqs", through_sqs),
    ("cloudevents-sdk", through_events),
];

const BEFORE: &[(&str, &Lines)] = &[
    ("a new message", &[]),
    ("a message with headers of its own", &[("id", "7")]),
    ("an older tracestate and baggage", &[("id", "7"), ("tracestate", "older=1"), ("baggage", "older=1")]),
    (
        "an older context that is not valid",
        &[("traceparent", "00-0-0-0"), ("tracestate", "older=1"), ("id", "7")],
    ),
];

/// An event keeps the context that it began with.
const CREATED: &Lines =
    &[("traceparent", OTHER), ("tracestate", "older=1"), ("baggage", "older=1"), ("id", "7")];

fn propagator() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ])
}

fn context(headers: &[(&str, &str)]) -> Context {
    headers.iter().copied().collect::<ContextMap>().extract(&propagator())
}

fn seen(cx: &Context) -> String {
    let mut baggage: Vec<_> = cx.baggage().iter().map(|(key, (value, _))| format!("{key}={value}")).collect();
    baggage.sort();
    let span = cx.span().span_context().clone();
    format!("{}/{} {} {}", span.trace_id(), span.span_id(), span.trace_state().header(), baggage.join(","))
}

#[test]
fn one_trace_with_its_baggage_and_nothing_older() {
    let cx = context(&[("traceparent", TRACEPARENT), ("baggage", "tenant=acme,city=K%C3%B6ln")]);
    for (client, carried) in CLIENTS {
        for (rule, before) in BEFORE {
            let (received, others) = carried(&propagator(), &cx, before);
            assert_eq!(seen(&received), seen(&cx), "{client}: {rule}");
            assert_eq!(
                others.len(),
                before.iter().filter(|(name, _)| *name == "id").count(),
                "{client}: {rule}"
            );
            let (received, _) = carried(&propagator(), &Context::new(), before);
            assert_eq!(seen(&received), seen(&Context::new()), "{client}: {rule}, and nothing to write");
        }
        let (received, others) = carried(&propagator(), &cx, CREATED);
        let kept = if *client == "cloudevents-sdk" { context(CREATED) } else { cx.clone() };
        assert_eq!(
            (seen(&received), others),
            (seen(&kept), vec!["id".to_owned()]),
            "{client}: a creation context"
        );
    }
}

fn through_kafka(propagator: &dyn TextMapPropagator, cx: &Context, before: &Lines) -> (Context, Vec<String>) {
    let older = before.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(*value) })
    });
    let sent = kafka::send(propagator, cx, &older);
    let message =
        OwnedMessage::new(None, None, "orders".into(), rdkafka::Timestamp::NotAvailable, 0, 0, Some(sent));
    let headers = rdkafka::Message::headers(&message).expect("it has headers");
    (kafka::receive(propagator, headers), others(headers.iter().map(|header| header.key)))
}

fn through_mqtt(propagator: &dyn TextMapPropagator, cx: &Context, before: &Lines) -> (Context, Vec<String>) {
    let user_properties = before.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let mut properties = PublishProperties { user_properties, ..PublishProperties::default() };
    mqtt::send(propagator, cx, &mut properties);
    let names: Vec<_> = properties.user_properties.iter().map(|(name, _)| name.clone()).collect();
    let publish = Publish::new("orders", QoS::AtLeastOnce, "order 7", Some(properties));
    (mqtt::receive(propagator, &publish), others(names.iter().map(String::as_str)))
}

fn through_pulsar(
    propagator: &dyn TextMapPropagator,
    cx: &Context,
    before: &Lines,
) -> (Context, Vec<String>) {
    let properties = before.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let mut message = producer::Message { properties, ..producer::Message::default() };
    pulsar::send(propagator, cx, &mut message);
    let names: Vec<_> = message.properties.keys().cloned().collect();
    // As its producer writes them.
    let properties = message.properties.into_iter().map(|(key, value)| KeyValue { key, value }).collect();
    let metadata = MessageMetadata { properties, ..MessageMetadata::default() };
    (pulsar::receive(propagator, &metadata), others(names.iter().map(String::as_str)))
}

fn through_sqs(propagator: &dyn TextMapPropagator, cx: &Context, before: &Lines) -> (Context, Vec<String>) {
    let text = |value: &str| {
        MessageAttributeValue::builder()
            .data_type("String")
            .string_value(value)
            .build()
            .expect("it has a type")
    };
    let mut attributes: HashMap<_, _> =
        before.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect();
    sqs::send(propagator, cx, &mut attributes);
    let names: Vec<_> = attributes.keys().cloned().collect();
    let message = Message::builder().set_message_attributes(Some(attributes)).build();
    (sqs::receive(propagator, &message), others(names.iter().map(String::as_str)))
}

fn through_events(
    propagator: &dyn TextMapPropagator,
    cx: &Context,
    before: &Lines,
) -> (Context, Vec<String>) {
    let mut event: Event = EventBuilderV10::new()
        .id("7")
        .source("/orders")
        .ty("order.placed")
        .build()
        .expect("it has what it needs");
    before.iter().for_each(|(name, value)| event.set_extension(name, *value));
    events::send(propagator, cx, &mut event);
    let others = others(event.iter_extensions().map(|(name, _)| name));
    (events::receive(propagator, &event), others)
}

fn others<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.filter(|name| !["traceparent", "tracestate", "baggage"].contains(name)).map(str::to_owned).collect()
}

/// What the page says to write is what is compiled here.
#[test]
fn the_page_has_these_functions_word_for_word() {
    let page = include_str!("../../../docs/carriers.md");
    for (file, text) in [
        ("kafka.rs", include_str!("../src/kafka.rs")),
        ("mqtt.rs", include_str!("../src/mqtt.rs")),
        ("pulsar.rs", include_str!("../src/pulsar.rs")),
        ("sqs.rs", include_str!("../src/sqs.rs")),
        ("events.rs", include_str!("../src/events.rs")),
    ] {
        assert!(
            page.contains(&format!("```rust,ignore\n{text}```\n")),
            "docs/carriers.md is to have {file}:\n{text}"
        );
    }
}
