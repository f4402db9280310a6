//! What a person should know of a report, the worst first.

use crate::{
    Config,
    carrier::Carrier,
    members::{NOT_ACCEPTED, WITHHELD},
    report::{Finding, Header, Member, Outcome, Problem, Report, Severity},
};
use otel_baggage_limits::{AT_RISK_BYTES, Reason};
use otel_tracecontext::TraceStateList;
use std::collections::BTreeSet;

/// Of more findings than these the rest is counted.
const MAX_FINDINGS: usize = 200;

/// Why a member breaks the grammar.
const GRAMMAR: [Reason; 3] = [Reason::NoEqualsSign, Reason::Key, Reason::Value];

/// What is done on purpose.
const POLICY: [Reason; 2] = [Reason::Denied, Reason::NotAllowed];

/// Headers that may come on one line only.
const SINGLE: [&str; 12] = [
    "traceparent",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "x-amzn-trace-id",
    "ot-tracer-traceid",
    "ot-tracer-spanid",
    "ot-tracer-sampled",
];

pub(crate) fn findings(
    report: &Report,
    carrier: &Carrier<'_>,
    config: &Config,
    missing: &[(&str, Problem)],
    not_shown: usize,
) -> Vec<Finding> {
    let has_trace = report.formats.iter().any(|format| format.outcome == Outcome::Chosen);
    let lost = if has_trace { Severity::Warning } else { Severity::Error };
    let mut told = Told(Vec::new());
    if not_shown > 0 {
        told.tell(Severity::Warning, "baggage", format!("{not_shown} more members are not shown"));
    }
    if report.left_out > 0 {
        told.tell(Severity::Warning, "", format!("{} bytes were not looked at", report.left_out));
    }
    let before = told.0.len();
    lines(carrier, config, &mut told);
    for header in &report.headers {
        told.header(header, config.reads(&header.name), lost);
    }
    for (name, problem) in missing {
        let severity = if config.reads(name) { lost } else { Severity::Note };
        told.tell(severity, name, problem.rule.to_owned());
    }
    unread(report, config, has_trace, &mut told);
    let is_told = told.0.len() > before;
    formats(report, lost, is_told, &mut told);
    tracestate(report, carrier, has_trace, &mut told);
    report.baggage.iter().for_each(|member| told.member(member));
    boundary(report, &mut told);
    told.sorted()
}

struct Told(Vec<Finding>);

impl Told {
    fn tell(&mut self, severity: Severity, header: &str, text: String) {
        self.0.push(Finding { severity, header: header.to_owned(), text });
    }

    fn header(&mut self, header: &Header, is_read: bool, lost: Severity) {
        let severity = match &*header.name {
            _ if !is_read => Severity::Note,
            "baggage" | "tracestate" => Severity::Warning,
            _ => lost,
        };
        if !header.is_text {
            let text = "the value is not visible ASCII, so carriers do not give it as text";
            self.tell(severity, &header.name, text.to_owned());
        }
        for problem in header.problems.iter().take(MAX_FINDINGS) {
            self.tell(severity, &header.name, format!("{} (column {})", problem.rule, problem.from + 1));
        }
    }

    /// What breaks the grammar is told of the header already, and what a trust boundary does is told of it.
    fn member(&mut self, member: &Member) {
        match &member.left_out {
            Some(reason) if GRAMMAR.iter().any(|rule| rule.as_str() == reason) => {}
            Some(reason) if reason == NOT_ACCEPTED || reason == WITHHELD => {}
            Some(reason) => {
                let is_policy = POLICY.iter().any(|rule| reason.ends_with(rule.as_str()));
                let severity = if is_policy { Severity::Note } else { Severity::Warning };
                let text = format!("member {:?} is left out: {reason}", short(&member.key));
                self.tell(severity, "baggage", text);
            }
            None if member.sent_bytes > AT_RISK_BYTES => {
                let text =
                    format!("member {:?} is longer than others are known to carry", short(&member.key));
                self.tell(Severity::Warning, "baggage", text);
            }
            None => {}
        }
    }

    fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.severity);
        let mut seen = BTreeSet::new();
        self.0.retain(|finding| seen.insert((finding.header.clone(), finding.text.clone())));
        let more = self.0.len().saturating_sub(MAX_FINDINGS);
        self.0.truncate(MAX_FINDINGS);
        if more > 0 {
            self.tell(Severity::Note, "", format!("{more} more findings"));
        }
        self.0
    }
}

fn lines(carrier: &Carrier<'_>, config: &Config, told: &mut Told) {
    for name in SINGLE {
        let lines = carrier.count(name);
        if lines > 1 {
            let severity = if config.reads(name) { Severity::Error } else { Severity::Note };
            let text = "lines of a header that may come once: nobody can tell which one is meant";
            told.tell(severity, name, format!("{lines} {text}"));
        }
    }
}

/// Headers that carry context to a service that does not look at them.
fn unread(report: &Report, config: &Config, has_trace: bool, told: &mut Told) {
    let names: BTreeSet<&str> = report.headers.iter().map(|header| &*header.name).collect();
    for name in names.into_iter().filter(|name| !config.reads(name)) {
        let carries_baggage =
            name.contains("baggage") || name.starts_with("uberctx-") || *name == *"jaeger-debug-id";
        let severity = match (carries_baggage, has_trace) {
            _ if name == "tracestate" => Severity::Note,
            (true, _) => Severity::Warning,
            (false, true) => Severity::Note,
            (false, false) => Severity::Error,
        };
        told.tell(severity, name, "no format of this service reads it".to_owned());
    }
}

fn formats(report: &Report, lost: Severity, is_told: bool, told: &mut Told) {
    for format in &report.formats {
        match format.outcome {
            Outcome::Refused if !is_told => {
                told.tell(lost, &format.name, "its headers are there and cannot be used".to_owned());
            }
            Outcome::Conflicts => told.tell(
                Severity::Error,
                &format.name,
                "it names another trace than the chosen format: one of the two traces breaks here".to_owned(),
            ),
            Outcome::Chosen if format.span.as_ref().is_some_and(|span| span.sampling == "defer") => {
                let text = "the caller leaves the sampling decision to this service; \
                            what is shown as sent on is of a span that is not sampled";
                told.tell(Severity::Note, &format.name, text.to_owned());
            }
            Outcome::DecisionOnly => told.tell(
                Severity::Note,
                &format.name,
                "a sampling decision without a trace: it is about the trace that starts here".to_owned(),
            ),
            _ => {}
        }
    }
}

/// A rule that lines break together, and not one of them alone.
fn tracestate(report: &Report, carrier: &Carrier<'_>, has_trace: bool, told: &mut Told) {
    let lines = report.headers.iter().filter(|header| header.name == "tracestate");
    if carrier.count("tracestate") < 2 || !has_trace || lines.clone().any(|line| !line.problems.is_empty()) {
        return;
    }
    if let Err(error) = TraceStateList::parse(&carrier.joined("tracestate")) {
        told.tell(Severity::Warning, "tracestate", format!("all lines together: {error}"));
    }
}

/// What a policy does on purpose is no fault.
fn boundary(report: &Report, told: &mut Told) {
    let Some(policy) = &report.boundary else { return };
    if matches!(policy.trace, "restarted-with-link" | "not-continued") {
        let text = "the trust boundary does not continue the caller's trace";
        told.tell(Severity::Note, "", text.to_owned());
    }
    if !policy.not_accepted.is_empty() {
        let text = format!("the trust boundary does not let in {}", short(&policy.not_accepted.join(", ")));
        told.tell(Severity::Note, "baggage", text);
    }
    for withheld in &policy.withheld {
        let what = if withheld.keys.is_empty() { "it".to_owned() } else { short(&withheld.keys.join(", ")) };
        let text =
            format!("the trust boundary keeps {what} from {}: rule {:?}", policy.destination, policy.rule);
        told.tell(Severity::Note, &withheld.header, text);
    }
}

/// The first characters of a peer's text; `{:?}` escapes what is not printable.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}
