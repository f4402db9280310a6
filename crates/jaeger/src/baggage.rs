//! `uberctx-*` and `jaeger-baggage`: <https://www.jaegertracing.io/sdk-migration/#baggage>.

use crate::percent;
use std::borrow::Cow;

/// > Key: `uberctx-{baggage-key}`
pub(crate) const PREFIX: &str = "uberctx-";

/// Where a request that brings no trace may list baggage as people write it by hand, `k1=v1, k2=v2`.
///
/// <https://github.com/jaegertracing/jaeger-client-go#debug-traces-forced-sampling>
pub(crate) const JAEGER_BAGGAGE: &str = "jaeger-baggage";

/// > the baggage values are URL-encoded when using the `HTTP_HEADERS` propagation format
pub(crate) fn decode(value: &str) -> Option<Cow<'_, str>> {
    percent::decode(value).ok()
}
