//! The trace in a response, for whoever sent the request.

use http::{HeaderMap, HeaderValue, header::ACCESS_CONTROL_EXPOSE_HEADERS};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use otel_propagator_core::hex;
use std::fmt;

/// Tells a client which trace its request belonged to, in the response header
/// [`Server-Timing`](https://www.w3.org/TR/server-timing/), which scripts in a browser can read.
///
/// It is never there unless [`apply`](Self::apply) is called, is appended to the other metrics of that header, and holds
/// the ids and flags of the server's span and nothing else: never baggage, never `tracestate`. A layer that lets the
/// *request's* propagator write to a response sends a caller's baggage back to it, which is why this is a type of its own.
///
/// ```
/// use http::HeaderMap;
/// use opentelemetry::trace::TraceContextExt;
/// use otel_carriers::{ContextMap, headers::ServerTiming};
/// use otel_tracecontext::TraceContextPropagator;
///
/// let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let cx = ContextMap::from_iter([("traceparent", traceparent)]).extract(&TraceContextPropagator::new());
/// let mut response = HeaderMap::new();
/// response.insert("server-timing", "db;dur=53".parse().unwrap());
///
/// ServerTiming::trace().apply(&cx, &mut response);
/// let lines: Vec<_> = response.get_all("server-timing").iter().collect();
/// assert_eq!(lines, ["db;dur=53", &format!("trace;desc={traceparent}")]);
///
/// let span = ServerTiming::read(&response).unwrap();
/// assert_eq!(&span, cx.span().span_context());
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ServerTiming {
    form: Form,
    exposed: bool,
    only_sampled: bool,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Trace,
    Ids,
}

impl ServerTiming {
    /// `trace;desc=00-…`, as the [draft of Trace Context Level 3](https://w3c.github.io/trace-context/) has it.
    #[must_use]
    pub const fn trace() -> Self {
        Self { form: Form::Trace, exposed: false, only_sampled: false }
    }

    /// `traceparent;desc="00-…"`, which the agents of browsers read today.
    #[must_use]
    pub const fn traceparent() -> Self {
        Self { form: Form::Ids, exposed: false, only_sampled: false }
    }

    /// Also lets scripts of other origins read it: `Access-Control-Expose-Headers: Server-Timing`.
    #[must_use]
    pub const fn exposed(mut self) -> Self {
        self.exposed = true;
        self
    }

    /// Writes only where the span is sampled, so that there is something to find under the ids.
    ///
    /// ```
    /// use http::HeaderMap;
    /// use otel_carriers::{ContextMap, headers::ServerTiming};
    /// use otel_tracecontext::TraceContextPropagator;
    ///
    /// let response_to = |traceparent: &str| {
    ///     let cx = ContextMap::from_iter([("traceparent", traceparent)]).extract(&TraceContextPropagator::new());
    ///     let mut response = HeaderMap::new();
    ///     ServerTiming::traceparent().exposed().only_sampled().apply(&cx, &mut response);
    ///     response
    /// };
    /// let sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    /// assert_eq!(response_to(sampled)["server-timing"], format!("traceparent;desc=\"{sampled}\""));
    /// assert_eq!(response_to(sampled)["access-control-expose-headers"], "Server-Timing");
    ///
    /// let not_sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    /// assert!(response_to(not_sampled).is_empty());
    /// ```
    #[must_use]
    pub const fn only_sampled(mut self) -> Self {
        self.only_sampled = true;
        self
    }

    /// Appends the span of `cx` to the headers of a response; nothing where it has none.
    pub fn apply(self, cx: &Context, headers: &mut HeaderMap) {
        let span = cx.span();
        let span = span.span_context();
        if !span.is_valid() || (self.only_sampled && !span.is_sampled()) {
            return;
        }
        let ids = Ids(span);
        let metric = match self.form {
            Form::Trace => format!("trace;desc={ids}"),
            Form::Ids => format!("traceparent;desc=\"{ids}\""),
        };
        // Digits and the text above are always a header's value.
        let Ok(metric) = HeaderValue::try_from(metric) else { return };
        // A map that holds as much as it can stays as it is.
        let is_there = headers.try_append("server-timing", metric).is_ok();
        if self.exposed && is_there {
            let _ =
                headers.try_append(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("Server-Timing"));
        }
    }

    /// The span that a response names in either form, quoted or not; the first that is valid.
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Option<SpanContext> {
        let lines = headers.get_all("server-timing").iter();
        let lines = lines.filter_map(|line| std::str::from_utf8(line.as_bytes()).ok());
        lines.flat_map(|line| line.split(unquoted(','))).find_map(metric)
    }
}

/// Whether a character is this separator, and in no quoted string: `db;desc="a, trace"` is one metric.
fn unquoted(separator: char) -> impl FnMut(char) -> bool {
    let (mut is_quoted, mut is_escaped) = (false, false);
    move |c| {
        is_quoted ^= c == '"' && !is_escaped;
        is_escaped = is_quoted && c == '\\' && !is_escaped;
        c == separator && !is_quoted
    }
}

/// > server-timing-metric = metric-name *( OWS ";" OWS server-timing-param )
///
/// <https://www.w3.org/TR/server-timing/#the-server-timing-header-field>
fn metric(text: &str) -> Option<SpanContext> {
    let mut parts = text.split(unquoted(';')).map(str::trim);
    let name = parts.next()?;
    if !["trace", "traceparent"].iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return None;
    }
    let mut params = parts.filter_map(|param| param.split_once('='));
    let (_, desc) = params.find(|(name, _)| name.trim().eq_ignore_ascii_case("desc"))?;
    let desc = desc.trim();
    ids(desc.strip_prefix('"').and_then(|desc| desc.strip_suffix('"')).unwrap_or(desc))
}

/// Version 00 alone: the draft has no other.
fn ids(text: &str) -> Option<SpanContext> {
    let mut fields = text.split('-');
    let [version, trace_id, span_id, flags] = [(); 4].map(|()| fields.next().unwrap_or_default().as_bytes());
    if version != b"00" || fields.next().is_some() {
        return None;
    }
    let trace_id = TraceId::from(hex::decode_u128(trace_id.try_into().ok()?)?);
    let span_id = SpanId::from(hex::decode_u64(span_id.try_into().ok()?)?);
    let flags = TraceFlags::new(hex::decode_u8(flags.try_into().ok()?)? & KNOWN_FLAGS);
    let span = SpanContext::new(trace_id, span_id, flags, true, TraceState::NONE);
    span.is_valid().then_some(span)
}

/// Sampled and random.
const KNOWN_FLAGS: u8 = 3;

struct Ids<'a>(&'a SpanContext);

impl fmt::Display for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.0.trace_flags().to_u8() & KNOWN_FLAGS;
        write!(f, "00-{}-{}-{flags:02x}", self.0.trace_id(), self.0.span_id())
    }
}
