//! Our propagators, in this process, behind the same protocol as the peers.

use crate::protocol::{Answer, Command, Context as Text, Entry, Format, Start};
use opentelemetry::{
    Context,
    baggage::{BaggageExt, KeyValueMetadata},
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_b3::B3Propagator;
use otel_baggage_limits::{Limits, PrefixedBaggage};
use otel_carriers::message;
use otel_jaeger::JaegerPropagator;
use otel_ottrace::OtTracePropagator;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use otel_xray::XrayPropagator;

pub(crate) fn answer(command: &Command) -> Answer {
    let propagator = propagator(command.format);
    let context = match &command.start {
        Start::Extract(headers) => {
            message::extract(&*propagator, headers.iter().map(|(name, value)| (name, value)))
        }
        Start::Inject(wanted) => build(wanted),
    };
    let mut headers = Vec::new();
    message::replace(&*propagator, &context, |name, value| {
        headers.extend(value.map(|value| (name.to_owned(), value))); // there is nothing older to remove
    });
    let tracestate =
        headers.iter().find(|(name, _)| name == "tracestate").map(|(_, value): &(_, String)| value.clone());
    let context = Text { tracestate, ..describe(&context) };
    Answer { context, headers, error: None }
}

fn propagator(format: Format) -> Box<dyn TextMapPropagator> {
    match format {
        Format::TraceContext => Box::new(TraceContextPropagator::new()),
        // What W3C obliges everyone to carry, both ways; by default less is sent.
        Format::Baggage => Box::new(BaggagePropagator::new().with_limits(Limits::new().max_bytes(8192))),
        Format::B3 => Box::new(B3Propagator::single()),
        Format::B3Multi => Box::new(B3Propagator::multi()),
        Format::Jaeger => Box::new(JaegerPropagator::new().with_baggage(PrefixedBaggage::both())),
        Format::Xray => Box::new(XrayPropagator::new()),
        Format::OtTrace => Box::new(OtTracePropagator::new().with_baggage(PrefixedBaggage::both())),
    }
}

/// The context that the command describes, made with the API.
fn build(wanted: &Text) -> Context {
    let entries = wanted.baggage.iter().map(|entry| {
        let metadata = entry.metadata.clone().unwrap_or_default();
        KeyValueMetadata::new(entry.key.clone(), entry.value.clone(), metadata.as_str())
    });
    let context = Context::new().with_baggage(entries);
    let (Some(trace_id), Some(span_id)) = (&wanted.trace_id, &wanted.span_id) else { return context };
    let members = wanted.tracestate.iter().flat_map(|text| text.split(',')).filter_map(|m| m.split_once('='));
    context.with_remote_span_context(SpanContext::new(
        TraceId::from_hex(trace_id).unwrap_or(TraceId::INVALID),
        SpanId::from_hex(span_id).unwrap_or(SpanId::INVALID),
        TraceFlags::new(wanted.flags),
        true,
        TraceState::from_key_value(members).unwrap_or_default(),
    ))
}

/// What the API says of the context.
fn describe(context: &Context) -> Text {
    let baggage = context.baggage().iter().map(|(key, (value, metadata))| Entry {
        key: key.to_string(),
        value: value.to_string(),
        metadata: Some(metadata.as_str().to_owned()),
    });
    let baggage = baggage.collect();
    let span = context.span().span_context().clone();
    if !span.is_valid() {
        return Text { baggage, ..Text::default() };
    }
    Text {
        trace_id: Some(span.trace_id().to_string()),
        span_id: Some(span.span_id().to_string()),
        flags: span.trace_flags().to_u8(),
        // Upstream's `TraceState` refuses some keys that Level 2 allows; what is sent on has them all.
        tracestate: None,
        baggage,
        sampling: None,
    }
}
