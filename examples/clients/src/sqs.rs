use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message;
use std::collections::HashMap;

/// A message may have ten attributes, and none of them may be empty.
pub fn send(
    propagator: &dyn TextMapPropagator,
    cx: &Context,
    attributes: &mut HashMap<String, MessageAttributeValue>,
) {
    let text = |value| MessageAttributeValue::builder().data_type("String").string_value(value).build().ok();
    message::replace(propagator, cx, |name, value| match value.filter(|value| !value.is_empty()) {
        Some(value) => attributes.extend(text(value).map(|value| (name.to_owned(), value))),
        None => attributes.retain(|older, _| !older.eq_ignore_ascii_case(name)),
    });
}

/// Ask for them: `receive_message().message_attribute_names("All")`.
pub fn receive(propagator: &dyn TextMapPropagator, message: &Message) -> Context {
    let attributes = message.message_attributes().into_iter().flatten();
    message::extract(
        propagator,
        attributes.filter_map(|(name, value)| Some((name.as_str(), value.string_value()?))),
    )
}
