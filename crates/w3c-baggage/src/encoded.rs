//! Received baggage that nobody changed is encoded once, however often it is sent.

use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    trace::{SpanContext, TraceContextExt},
};
use otel_baggage_limits::Limits;
use std::{ptr, sync::OnceLock};

/// From so many received bytes on, the second time it is sent saves more than remembering costs by far.
const WORTHWHILE_BYTES: usize = 512;

/// Beside received baggage in its context: the header that it was sent as, once it was sent.
#[derive(Debug)]
pub(crate) struct Encoded {
    /// Keeps the received baggage alive, so that no other can come to live at its address.
    received: Context,
    header: OnceLock<(Limits, String)>,
}

impl Encoded {
    /// The context, ready to remember how its baggage is sent where the header that it came from is long enough.
    pub(crate) fn remember(cx: Context, received_bytes: usize) -> Context {
        if received_bytes < WORTHWHILE_BYTES {
            return cx;
        }
        // Not with its span, which could not end before the last context made from this one is gone.
        let received = cx.with_remote_span_context(SpanContext::NONE);
        cx.with_value(Self { received, header: OnceLock::new() })
    }

    /// What is remembered, if the baggage of the context is still the very one that was received.
    pub(crate) fn of<'a>(cx: &'a Context, baggage: &Baggage) -> Option<&'a Self> {
        cx.get::<Self>().filter(|encoded| ptr::eq(encoded.received.baggage(), baggage))
    }

    /// The header that the baggage is sent as within these limits, if that is known.
    pub(crate) fn header(&self, limits: &Limits) -> Option<&str> {
        self.header.get().filter(|(of, _)| of == limits).map(|(_, header)| header.as_str())
    }

    /// Remembers that the whole baggage is sent as this header. The first limits win: one service has one.
    pub(crate) fn keep(&self, limits: Limits, header: &str) {
        self.header.get_or_init(|| (limits, header.to_owned()));
    }
}
