//! What the tests of trace formats ask of each.

use crate::{Event, events};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use std::collections::{BTreeMap, HashMap};

/// Header names and values.
pub type Headers = BTreeMap<String, String>;

/// Headers of these names and values.
pub fn headers<N: ToString, V: ToString>(pairs: impl IntoIterator<Item = (N, V)>) -> Headers {
    pairs.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

/// The context with what the propagator reads.
pub fn extract(propagator: &impl TextMapPropagator, cx: &Context, headers: &Headers) -> Context {
    let carrier: HashMap<_, _> = headers.clone().into_iter().collect();
    propagator.extract_with_context(cx, &carrier)
}

/// What the propagator sends.
pub fn inject(propagator: &impl TextMapPropagator, cx: &Context) -> Headers {
    let mut carrier = HashMap::new();
    propagator.inject_context(cx, &mut carrier);
    carrier.into_iter().collect()
}

/// The span of a context.
#[must_use]
pub fn span_of(cx: &Context) -> SpanContext {
    cx.span().span_context().clone()
}

/// A context that has a span and baggage already.
#[must_use]
pub fn busy() -> Context {
    let state = TraceState::from_key_value([("vendor", "7")]).unwrap_or_default();
    let span = SpanContext::new(TraceId::from(7), SpanId::from(7), TraceFlags::SAMPLED, false, state);
    Context::new().with_remote_span_context(span).with_baggage([KeyValue::new("tenant", "acme")])
}

/// That nothing of [`busy`] changed.
///
/// # Panics
///
/// If something did.
pub fn assert_untouched(cx: &Context, rule: &str) {
    assert_eq!(span_of(cx), span_of(&busy()), "{rule}");
    assert_eq!(cx.baggage().to_string(), busy().baggage().to_string(), "{rule}");
}

/// What is read of the headers of a server and of a map, as far as both can hold these.
pub fn by_lines_and_by_map(propagator: &impl TextMapPropagator, request: &Headers) -> [Context; 2] {
    let (mut lines, mut as_text) = (HeaderMap::new(), Headers::new());
    for (name, value) in request {
        let Ok(line) = HeaderValue::from_str(value) else { continue };
        if let (Ok(name), true) = (HeaderName::from_bytes(name.as_bytes()), line.to_str().is_ok()) {
            as_text.insert(name.to_string(), value.clone());
            lines.insert(name, line);
        }
    }
    let by_lines = propagator.extract_with_context(&Context::new(), &HeaderExtractor(&lines));
    [by_lines, extract(propagator, &Context::new(), &as_text)]
}

/// The header, rule and bytes of each event while `run` is called: that a header was refused, without a word of it.
///
/// # Panics
///
/// If another event is emitted, or one that holds `SECRET`.
pub fn refused(run: impl FnOnce()) -> Vec<(String, String, String)> {
    let fields = |event: &Event| {
        assert!(event.to_string().starts_with("WARN propagator.rejected "), "{event:?}");
        assert!(!format!("{event:?}").contains("SECRET"), "{event:?}");
        let [header, rule, bytes] = ["header", "rule", "bytes"].map(|name| event.get(name).to_owned());
        (header, rule, bytes)
    };
    events(run).iter().map(fields).collect()
}

/// The same of a request with these lines of one header.
///
/// # Panics
///
/// If a server could not have received them.
pub fn refused_lines(
    propagator: &impl TextMapPropagator,
    name: &'static str,
    lines: &[&[u8]],
) -> Vec<(String, String, String)> {
    let mut carrier = HeaderMap::new();
    for line in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        carrier.append(name, line);
    }
    assert_eq!(carrier.len(), lines.len(), "{name}: a server could not have received these");
    refused(|| drop(propagator.extract_with_context(&Context::new(), &HeaderExtractor(&carrier))))
}
