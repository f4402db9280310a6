//! `uberctx-*` and `jaeger-baggage`: <https://www.jaegertracing.io/sdk-migration/#baggage>.

use crate::percent;
use opentelemetry::{Context, propagation::Extractor};
use otel_baggage_limits::{Elements, Prefixed, Reason};
use otel_propagator_core::header::trim;
use std::borrow::Cow;

/// > Key: `uberctx-{baggage-key}`
pub(crate) const PREFIX: &str = "uberctx-";

/// Where a request that brings no trace may list baggage, as people write it by hand.
///
/// <https://github.com/jaegertracing/jaeger-client-go#debug-traces-forced-sampling>
pub(crate) const JAEGER_BAGGAGE: &str = "jaeger-baggage";

/// > the baggage values are URL-encoded when using the `HTTP_HEADERS` propagation format
pub(crate) fn decode(value: &str) -> Option<Cow<'_, str>> {
    percent::decode(value).ok()
}

/// The context with the entries of `jaeger-baggage`, `k1=v1, k2=v2`.
pub(crate) fn with_list(prefixed: &Prefixed, cx: &Context, extractor: &dyn Extractor) -> Context {
    let Some(list) = extractor.get(JAEGER_BAGGAGE) else { return cx.clone() };
    let (mut received, lines) = (prefixed.received(JAEGER_BAGGAGE), [list]);
    let mut elements = Elements::new(&lines, prefixed.inbound_limits());
    for element in elements.by_ref() {
        match element.split_once('=') {
            Some((key, value)) => received.entry(trim(key), decode(trim(value)), element.len()),
            None => received.leave_out(Reason::NoEqualsSign),
        }
    }
    if let Some(reason) = elements.cut() {
        received.leave_out(reason);
    }
    received.added_to(cx)
}
