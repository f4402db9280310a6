//! Which baggage a caller sent.

use opentelemetry::{
    Context, Key, StringValue,
    baggage::{Baggage, BaggageExt, BaggageMetadata},
    trace::{SpanContext, TraceContextExt},
};
use std::ptr;

/// Beside baggage that was received: the context that it was received in.
#[derive(Debug)]
struct Origin(Option<Context>);

/// The context, in which its baggage is known as a caller's.
pub(crate) fn received(cx: &Context) -> Context {
    // Not with its span, which could not end before the last context made from this one is gone, and not with an earlier
    // origin, which would keep one yet earlier.
    let origin = cx.with_remote_span_context(SpanContext::NONE);
    let origin = if cx.get::<Origin>().is_some() { origin.with_value(Origin(None)) } else { origin };
    cx.with_value(Origin(Some(origin)))
}

/// Whether a member of the context's baggage is as a caller sent it.
pub(crate) fn is_received(cx: &Context, key: &str, value: &StringValue) -> bool {
    let origin = cx.get::<Origin>().and_then(|origin| origin.0.as_ref());
    origin.is_some_and(|origin| origin.baggage().get(key) == Some(value))
}

/// Whether an extraction found no baggage, so that the given one is still there.
pub(crate) fn is_same(given: &Context, extracted: &Context) -> bool {
    ptr::eq(given.baggage(), extracted.baggage())
}

/// The members of which this is true, and how many others there are; `None` where there are no others.
pub(crate) fn filtered(
    baggage: &Baggage,
    mut keep: impl FnMut(&Key, &StringValue) -> bool,
) -> Option<(Baggage, usize)> {
    if baggage.iter().all(|(key, (value, _))| keep(key, value)) {
        return None;
    }
    let kept: Baggage = baggage.iter().filter(|(key, (value, _))| keep(key, value)).map(member).collect();
    let dropped = baggage.len().saturating_sub(kept.len());
    Some((kept, dropped))
}

pub(crate) fn copy(baggage: &Baggage) -> Baggage {
    baggage.iter().map(member).collect()
}

type Content = (Key, (StringValue, BaggageMetadata));

fn member((key, content): (&Key, &(StringValue, BaggageMetadata))) -> Content {
    (key.clone(), content.clone())
}
