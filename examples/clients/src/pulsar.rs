use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message;
use pulsar::{message::proto::MessageMetadata, producer::Message};

pub fn send(propagator: &dyn TextMapPropagator, cx: &Context, message: &mut Message) {
    message::replace(propagator, cx, |name, value| match value {
        Some(value) => drop(message.properties.insert(name.to_owned(), value)),
        None => message.properties.retain(|older, _| !older.eq_ignore_ascii_case(name)),
    });
}

/// Of a consumer's message: `message.metadata()`.
pub fn receive(propagator: &dyn TextMapPropagator, metadata: &MessageMetadata) -> Context {
    message::extract(propagator, metadata.properties.iter().map(|property| (&property.key, &property.value)))
}
