//! From headers to a report, by way of the propagators themselves.

use crate::{
    Config, Line, Request,
    carrier::Carrier,
    findings::findings,
    http2_len,
    members::{self, Journey},
    parts::anatomy,
    policy,
    report::{Chosen, Format, Header, Outcome, Problem, Report, Sent, Span, State},
    request::carries_context,
    sdk,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags},
};
use otel_b3::{Sampling, SamplingExt};
use otel_composite::CompositePropagator;
use otel_ottrace::OtTrace;
use std::collections::{BTreeMap, HashMap};

/// Says what a service that is set like this makes of the request.
///
/// ```
/// use otel_inspect::{Config, Request, inspect};
///
/// let request = Request::parse(b"traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01");
/// let report = inspect(&request, &Config::default());
/// assert_eq!(report.headers[0].problems[0].rule, "parent-id is not lower-case hex");
/// assert!(report.chosen.is_none() && !report.is_clean());
/// ```
#[must_use]
pub fn inspect(request: &Request, config: &Config) -> Report {
    let carrier = Carrier(request);
    let read = config.propagator.extract_with_context(&Context::new(), &carrier);
    let accepted = config.accept(&carrier, &read);
    let own = with_own_span(&accepted);
    let (going, unheld) = (config.send(&own), config.send_unheld(&own));
    let (headers, missing) = headers(request, &carrier);
    let formats = formats(&carrier, config, &read);
    let chosen = chosen(&formats, &accepted);
    let passed = Journey { config, read: &read, accepted: &accepted, unheld: &unheld, going: &going };
    let (baggage, not_shown) = members::members(&carrier, &passed);
    let mut report = Report {
        source: request.source(),
        left_out: request.left_out(),
        tracestate: tracestate(&carrier.joined("tracestate")),
        sdk: sdk::differences(&carrier, &formats, config.reads_baggage.then_some(&read), &unheld),
        boundary: policy::policy(config, &read, &accepted, &unheld, &going),
        sent: sent(going),
        findings: Vec::new(),
        headers,
        formats,
        chosen,
        baggage,
    };
    report.findings = findings(&report, &carrier, config, &missing, not_shown);
    report
}

/// The header lines that carry context, and what is missing beside them.
fn headers(request: &Request, carrier: &Carrier<'_>) -> (Vec<Header>, Vec<(&'static str, Problem)>) {
    let lines = request.lines().iter().filter(|line| carries_context(&line.name));
    let mut headers: Vec<Header> = lines.map(header).collect();
    let mut missing = Vec::new();
    for (name, problem) in several(carrier) {
        match headers.iter_mut().find(|header| header.name == name) {
            Some(header) if header.is_text => header.problems.push(problem),
            // That it is no text is said of the header itself.
            Some(_) => {}
            None => missing.push((name, problem)),
        }
    }
    (headers, missing)
}

fn header(line: &Line) -> Header {
    let value = line.text().map_or_else(|| line.value.escape_ascii().to_string(), str::to_owned);
    let anatomy = line.text().map(|text| anatomy(&line.name, text)).unwrap_or_default();
    let (name, is_text) = (line.name.clone(), line.text().is_some());
    Header { name, value, is_text, parts: anatomy.parts, problems: anatomy.problems }
}

/// What is broken in formats that have a header for each field.
fn several(carrier: &Carrier<'_>) -> impl Iterator<Item = (&'static str, Problem)> {
    let b3 = otel_b3::locate_multi(carrier).map(|(name, located)| (name, Problem::at(located)));
    let [trace_id, span_id, sampled] =
        ["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"].map(|name| carrier.get(name));
    let ids = (trace_id.is_some() || span_id.is_some())
        .then(|| OtTrace::parse(trace_id.unwrap_or_default(), span_id.unwrap_or_default(), sampled).err());
    let ottrace = ids.flatten().map(|error| {
        let name = error.header();
        (name, Problem::at(error.located(carrier.get(name).unwrap_or_default())))
    });
    b3.into_iter().chain(ottrace)
}

/// What each trace format finds on its own.
fn formats(carrier: &Carrier<'_>, config: &Config, read: &Context) -> Vec<Format> {
    let chosen = read.span().span_context().clone();
    let mut is_chosen = false;
    let formats = config.formats.iter().map(|(name, alone)| {
        let found = alone.extract_with_context(&Context::new(), carrier);
        let span = span(&found);
        let outcome = match &span {
            None if found.sampling().is_some() => Outcome::DecisionOnly,
            None if is_there(alone, carrier) => Outcome::Refused,
            None => Outcome::Absent,
            Some(_) if found.span().span_context().trace_id() != chosen.trace_id() => Outcome::Conflicts,
            Some(_) if is_chosen => Outcome::Agrees,
            Some(_) => Outcome::Chosen,
        };
        is_chosen |= outcome == Outcome::Chosen;
        Format { name: name.clone(), outcome, span }
    });
    formats.collect()
}

/// Whether a header that the format reads is there; `tracestate` alone is nothing.
fn is_there(propagator: &CompositePropagator, carrier: &Carrier<'_>) -> bool {
    propagator.extract_fields().any(|name| name != "tracestate" && carrier.get_all(name).is_some())
}

fn span(cx: &Context) -> Option<Span> {
    let span = cx.span();
    let span = span.span_context();
    span.is_valid().then(|| Span {
        trace_id: span.trace_id().to_string(),
        span_id: span.span_id().to_string(),
        sampling: match cx.sampling() {
            Some(Sampling::Defer) => "defer",
            Some(Sampling::Debug) => "debug",
            Some(Sampling::Accept) => "accept",
            Some(Sampling::Deny) | None => "deny",
        },
        random: span.trace_flags() & TraceFlags::new(2) == TraceFlags::new(2),
    })
}

fn chosen(formats: &[Format], cx: &Context) -> Option<Chosen> {
    let format = formats.iter().find(|format| format.outcome == Outcome::Chosen)?;
    let others =
        formats.iter().filter(|other| matches!(other.outcome, Outcome::Agrees | Outcome::Conflicts)).count();
    let why = match others {
        0 => "it is the only format with a valid trace".to_owned(),
        _ => format!("it stands first in the list of the {} formats with a valid trace", others + 1),
    };
    Some(Chosen { format: format.name.clone(), span: span(cx)?, why })
}

/// What goes out, by name.
fn sent(headers: HashMap<String, String>) -> Vec<Sent> {
    let headers: BTreeMap<String, String> = headers.into_iter().collect();
    headers
        .into_iter()
        .map(|(name, value)| Sent {
            bytes: name.len() + ": \r\n".len() + value.len(),
            http2_bytes: http2_len(&name, &value, true),
            http2_first_bytes: http2_len(&name, &value, false),
            name,
            value,
        })
        .collect()
}

/// With a span that the service starts under the caller's. The span id is made up, and the same for the same request, so
/// that a report can be compared with another.
fn with_own_span(cx: &Context) -> Context {
    let span = cx.span();
    let caller = span.span_context();
    if !caller.is_valid() {
        return cx.clone();
    }
    let id = u64::from_be_bytes(caller.span_id().to_bytes()).rotate_left(32) | 1;
    let (state, flags) = (caller.trace_state().clone(), caller.trace_flags());
    cx.with_remote_span_context(SpanContext::new(caller.trace_id(), SpanId::from(id), flags, false, state))
}

fn tracestate(header: &str) -> Vec<State> {
    let members = header.split(',').map(|member| member.trim_matches([' ', '\t']));
    let members = members.filter_map(|member| member.split_once('=')).take(crate::parts::MAX_MEMBERS);
    members.map(|(key, value)| State { key: key.to_owned(), value: value.to_owned() }).collect()
}
