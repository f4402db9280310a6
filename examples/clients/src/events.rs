use cloudevents::{Event, event::ExtensionValue};
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message::{self, MessageExtractor};

/// An event keeps the context that it began with, and a name is of lower-case letters and digits.
pub fn send(propagator: &dyn TextMapPropagator, cx: &Context, event: &mut Event) {
    message::inject(propagator, cx, event, read, |event, name, value| match value {
        Some(value) if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            event.set_extension(name, value)
        }
        _ => drop(event.remove_extension(name)),
    });
}

pub fn receive(propagator: &dyn TextMapPropagator, event: &Event) -> Context {
    propagator.extract_with_context(&Context::new(), &read(event))
}

fn read(event: &Event) -> MessageExtractor<'_> {
    MessageExtractor::new(event.iter_extensions().filter_map(|(name, value)| match value {
        ExtensionValue::String(text) => Some((name, text)),
        _ => None,
    }))
}
