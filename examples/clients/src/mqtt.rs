use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message;
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};

pub fn send(propagator: &dyn TextMapPropagator, cx: &Context, properties: &mut PublishProperties) {
    let user = &mut properties.user_properties;
    message::replace(propagator, cx, |name, value| match value {
        Some(value) => user.push((name.to_owned(), value)),
        None => user.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
    });
}

pub fn receive(propagator: &dyn TextMapPropagator, publish: &Publish) -> Context {
    let user = publish.properties.iter().flat_map(|properties| &properties.user_properties);
    message::extract(propagator, user.map(|(name, value)| (name, value)))
}
