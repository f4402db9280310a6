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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BaggagePropagator;
    use opentelemetry::propagation::TextMapPropagator;
    use std::collections::HashMap;

    fn received(bytes: usize) -> Context {
        let header = format!("a={}", "x".repeat(bytes.saturating_sub(2)));
        let carrier = HashMap::from([("baggage".to_owned(), header)]);
        BaggagePropagator::new().extract_with_context(&Context::new(), &carrier)
    }

    fn remembered<'a>(cx: &'a Context, limits: &Limits) -> Option<&'a str> {
        Encoded::of(cx, cx.baggage())?.header(limits)
    }

    #[test]
    fn what_is_sent_is_remembered_from_512_received_bytes_on() {
        for (bytes, remembers) in [(511, false), (512, true), (513, true)] {
            let (cx, mut sent) = (received(bytes), HashMap::new());
            assert_eq!(remembered(&cx, &Limits::new()), None, "before {bytes} bytes are sent");
            BaggagePropagator::new().inject_context(&cx, &mut sent);
            let expected = sent.get("baggage").map(String::as_str).filter(|_| remembers);
            assert_eq!(remembered(&cx, &Limits::new()), expected, "after {bytes} bytes were sent");
            assert_eq!(remembered(&cx, &Limits::new().max_bytes(9)), None, "within other limits");
            assert_eq!(remembered(&cx.with_cleared_baggage(), &Limits::new()), None, "of other baggage");
        }
    }
}
