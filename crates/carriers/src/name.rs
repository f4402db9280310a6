//! The names of headers that this workspace knows.

use opentelemetry::propagation::TextMapPropagator;
use std::borrow::Cow;

/// A header that carries context, in lower case.
pub(crate) struct Known {
    /// Its name.
    pub(crate) text: &'static str,
    /// Whether its value is another one in every request.
    #[cfg(feature = "http")]
    pub(crate) is_id: bool,
    #[cfg(feature = "http")]
    pub(crate) header: http::HeaderName,
}

/// The likeliest first.
static KNOWN: [Known; 18] = [
    Known::id("traceparent"),
    Known::id("tracestate"),
    Known::of("baggage"),
    Known::id("b3"),
    Known::id("x-b3-traceid"),
    Known::id("x-b3-spanid"),
    Known::of("x-b3-sampled"),
    Known::of("x-b3-flags"),
    Known::id("x-b3-parentspanid"),
    Known::id("uber-trace-id"),
    Known::id("jaeger-debug-id"),
    Known::of("jaeger-baggage"),
    Known::id("x-amzn-trace-id"),
    Known::id("ot-tracer-traceid"),
    Known::id("ot-tracer-spanid"),
    Known::of("ot-tracer-sampled"),
    Known::of("server-timing"),
    Known::of("access-control-expose-headers"),
];

impl Known {
    const fn id(text: &'static str) -> Self {
        Self::new(text, true)
    }

    const fn of(text: &'static str) -> Self {
        Self::new(text, false)
    }

    #[cfg(feature = "http")]
    const fn new(text: &'static str, is_id: bool) -> Self {
        Self { text, is_id, header: http::HeaderName::from_static(text) }
    }

    #[cfg(not(feature = "http"))]
    const fn new(text: &'static str, _: bool) -> Self {
        Self { text }
    }
}

/// The known header of this name, if it is spelt in lower case as propagators spell it.
#[inline]
pub(crate) fn known(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.text == name)
}

/// The name as an event may show it: a name that a peer chose is not shown.
pub(crate) fn shown(name: &str) -> &'static str {
    in_any_case(name).map_or("other", |known| known.text)
}

/// Whether an empty value is the wish to remove the header, as it is of those that formats have for themselves.
///
/// Of any other name it is a value: `uberctx-tenant` is one entry of the baggage, and it may be empty.
pub(crate) fn empty_removes(name: &str) -> bool {
    in_any_case(name).is_some()
}

/// The same where it is known who writes: its own fields are removed too.
pub(crate) fn empty_from_removes(propagator: &dyn TextMapPropagator, name: &str) -> bool {
    empty_removes(name) || propagator.fields().any(|field| field.eq_ignore_ascii_case(name))
}

fn in_any_case(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.text.eq_ignore_ascii_case(name))
}

/// The name in lower case.
pub(crate) fn lower_case(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
