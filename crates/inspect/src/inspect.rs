//! From headers to a report, by way of the propagators themselves.

use crate::{
    Config, Request,
    carrier::Carrier,
    http2_len,
    parts::anatomy,
    report::{Chosen, Finding, Format, Header, Member, Outcome, Report, Sent, Severity, Span, State},
    sdk,
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags},
};
use otel_b3::{Sampling, SamplingExt};
use otel_baggage_limits::{Limits, Reason};
use otel_composite::{CompositePropagator, ConflictExt};
use otel_w3c_baggage::decode;
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
    let cx = config.propagator.extract_with_context(&Context::new(), &carrier);
    let headers = headers(request, config);
    let formats = formats(&carrier, config, &cx);
    let chosen = chosen(&formats, &cx);
    let sent = sent(config, &cx);
    let baggage = baggage(&carrier, config, &sent);
    let mut report = Report {
        source: request.source(),
        left_out: request.left_out(),
        tracestate: tracestate(&carrier.joined("tracestate")),
        sdk: sdk::differences(&carrier, config),
        findings: Vec::new(),
        headers,
        formats,
        chosen,
        baggage,
        sent,
    };
    report.findings = findings(&report, &carrier, &cx);
    report
}

/// The headers that the configured formats read, and those that they would read were they configured.
fn headers(request: &Request, _: &Config) -> Vec<Header> {
    let lines = request.lines().iter().filter(|line| carries_context(&line.name));
    lines
        .map(|line| {
            let value = line.text().map_or_else(|| line.value.escape_ascii().to_string(), str::to_owned);
            let anatomy = line.text().map(|text| anatomy(&line.name, text)).unwrap_or_default();
            let (name, is_text) = (line.name.clone(), line.text().is_some());
            Header { name, value, is_text, parts: anatomy.parts, problems: anatomy.problems }
        })
        .collect()
}

fn carries_context(name: &str) -> bool {
    matches!(name, "traceparent" | "tracestate" | "baggage" | "b3" | "uber-trace-id" | "x-amzn-trace-id")
        || ["x-b3-", "uberctx-", "ot-tracer-", "ot-baggage-"].iter().any(|prefix| name.starts_with(prefix))
}

/// What each trace format finds on its own.
fn formats(carrier: &Carrier<'_>, config: &Config, cx: &Context) -> Vec<Format> {
    let chosen = cx.span().span_context().clone();
    let mut is_chosen = false;
    let names = config.formats.iter().filter(|name| !matches!(&***name, "baggage" | "none"));
    names
        .filter_map(|name| {
            let alone = otel_composite::from_list(name).ok()?;
            let found = alone.extract_with_context(&Context::new(), carrier);
            let span = span(&found);
            let outcome = match &span {
                None if found.sampling().is_some() => Outcome::DecisionOnly,
                None if is_there(&alone, carrier) => Outcome::Refused,
                None => Outcome::Absent,
                Some(_) if found.span().span_context().trace_id() != chosen.trace_id() => Outcome::Conflicts,
                Some(_) if is_chosen => Outcome::Agrees,
                Some(_) => Outcome::Chosen,
            };
            is_chosen |= outcome == Outcome::Chosen;
            Some(Format { name: name.clone(), outcome, span })
        })
        .collect()
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

/// What goes out with a span that the service starts under the caller's.
fn sent(config: &Config, cx: &Context) -> Vec<Sent> {
    let cx = with_own_span(cx);
    let mut headers = HashMap::new();
    config.propagator.inject_context(&cx, &mut headers);
    let headers: BTreeMap<String, String> = headers.into_iter().collect();
    headers
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| Sent {
            bytes: name.len() + ": \r\n".len() + value.len(),
            http2_bytes: http2_len(&name, &value, true),
            name,
            value,
        })
        .collect()
}

/// The span id is made up, and the same for the same request, so that a report can be compared with another.
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

/// Each member on its own, and what becomes of it among the others.
fn baggage(carrier: &Carrier<'_>, config: &Config, sent: &[Sent]) -> Vec<Member> {
    if !config.formats.iter().any(|name| name == "baggage") {
        return Vec::new();
    }
    let header = carrier.joined("baggage");
    let read = config.propagator.extract_with_context(&Context::new(), carrier);
    let sent = sent.iter().find(|sent| sent.name == "baggage").map_or("", |sent| &sent.value);
    let texts: Vec<&str> = header.split(',').map(|text| text.trim_matches([' ', '\t'])).collect();
    let texts: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
    let key_of = |text: &str| {
        text.split_once('=').map_or(text, |(key, _)| key.trim_end_matches([' ', '\t'])).to_owned()
    };
    let last: HashMap<String, usize> =
        texts.iter().enumerate().map(|(at, text)| (key_of(text), at)).collect();
    let one = Limits::new();
    let members = texts.iter().enumerate().map(|(at, text)| {
        let (alone, report) = decode(text, &one);
        let (key, received_bytes) = (key_of(text), text.len());
        let found = alone.get_with_metadata(&key);
        let (value, metadata) =
            found.map_or(("", ""), |(value, metadata)| (value.as_str(), metadata.as_str()));
        let going = sent.split(',').find(|member| member.split('=').next() == Some(&key));
        let left_out = match report.reasons().next() {
            Some((reason, _)) => Some(reason.to_string()),
            None if last.get(&key) != Some(&at) => Some(Reason::Superseded.to_string()),
            None if read.baggage().get(&key).is_none() => {
                Some("not read: over the limits, or not allowed".to_owned())
            }
            None if going.is_none() => Some("read, not sent: over the limits, or not allowed".to_owned()),
            None => None,
        };
        let sent_bytes = if left_out.is_none() { going.map_or(0, str::len) } else { 0 };
        Member {
            key,
            value: value.to_owned(),
            metadata: metadata.to_owned(),
            received_bytes,
            sent_bytes,
            left_out,
        }
    });
    members.collect()
}

fn tracestate(header: &str) -> Vec<State> {
    let members = header.split(',').map(|member| member.trim_matches([' ', '\t']));
    let members = members.filter_map(|member| member.split_once('='));
    members.map(|(key, value)| State { key: key.to_owned(), value: value.to_owned() }).collect()
}

fn findings(report: &Report, carrier: &Carrier<'_>, cx: &Context) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tell = |severity, header: &str, text: String| {
        findings.push(Finding { severity, header: header.to_owned(), text });
    };
    let lost = if report.chosen.is_none() { Severity::Error } else { Severity::Warning };
    for name in ["traceparent", "b3", "uber-trace-id", "x-amzn-trace-id"] {
        let lines = carrier.count(name);
        if lines > 1 {
            tell(
                Severity::Error,
                name,
                format!("{lines} lines of a header that may come once: nobody can tell which one is meant"),
            );
        }
    }
    for header in &report.headers {
        if !header.is_text {
            tell(
                lost,
                &header.name,
                "the value is not visible ASCII, so carriers do not give it as text".to_owned(),
            );
        }
        for problem in &header.problems {
            let severity = if header.name == "baggage" { Severity::Warning } else { lost };
            tell(severity, &header.name, format!("{} (column {})", problem.rule, problem.at + 1));
        }
    }
    let known =
        report.headers.iter().any(|it| !it.problems.is_empty() || !it.is_text || carrier.count(&it.name) > 1);
    for format in &report.formats {
        match format.outcome {
            Outcome::Refused if !known => {
                tell(lost, &format.name, "its headers are there and cannot be used".to_owned());
            }
            Outcome::Conflicts => tell(
                Severity::Error,
                &format.name,
                "it names another trace than the chosen format: one of the two traces breaks here".to_owned(),
            ),
            Outcome::DecisionOnly => {
                tell(
                    Severity::Note,
                    &format.name,
                    "a sampling decision without a trace: it is about the trace that starts here".to_owned(),
                );
            }
            _ => {}
        }
    }
    let tracestate = !report.tracestate.is_empty() && report.chosen.is_some();
    if tracestate
        && !report.sent.iter().any(|sent| sent.name == "tracestate")
        && cx.conflicting_span_contexts().is_empty()
    {
        tell(
            Severity::Warning,
            "tracestate",
            "it breaks a rule, so it is dropped whole; the trace goes on without it".to_owned(),
        );
    }
    for member in report.baggage.iter().filter(|member| member.left_out.is_some()) {
        let reason = member.left_out.as_deref().unwrap_or_default();
        tell(Severity::Warning, "baggage", format!("member {:?} is left out: {reason}", short(&member.key)));
    }
    let at_risk =
        report.baggage.iter().filter(|member| member.sent_bytes > otel_baggage_limits::AT_RISK_BYTES);
    for member in at_risk {
        tell(
            Severity::Warning,
            "baggage",
            format!("member {:?} is longer than others are known to carry", short(&member.key)),
        );
    }
    if report.left_out > 0 {
        tell(Severity::Warning, "", format!("{} bytes were not looked at", report.left_out));
    }
    findings.sort_by_key(|finding| finding.severity);
    findings.dedup();
    findings
}

/// The first characters of a peer's text; `{:?}` escapes what is not printable.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
