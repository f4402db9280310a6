//! What is said of a request, as data: every type is `serde::Serialize`.

use crate::Source;
use otel_propagator_core::located::Located;
use serde::Serialize;

/// All that a service makes of a request's headers.
///
/// ```
/// use otel_inspect::{Config, Report, Request, Severity, inspect};
///
/// let report: Report = inspect(&Request::new([("baggage", "a=1,broken")]), &Config::default());
/// assert!(report.chosen.is_none(), "there is no trace");
/// assert_eq!(report.findings[0].severity, Severity::Warning);
/// assert!(!report.is_clean(), "a member is lost");
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// What the text was taken for.
    pub source: Source,
    /// How many bytes were not looked at.
    pub left_out: usize,
    /// The header lines that carry context, in their order.
    pub headers: Vec<Header>,
    /// What each format that the service reads found, in the order of preference.
    pub formats: Vec<Format>,
    /// The trace that the service continues; `None` where it starts one of its own.
    pub chosen: Option<Chosen>,
    /// The members of the received baggage, in their order.
    pub baggage: Vec<Member>,
    /// The members of the received `tracestate`, in their order.
    pub tracestate: Vec<State>,
    /// What the service sends on with a span of its own.
    pub sent: Vec<Sent>,
    /// What a trust boundary does, where the service has one.
    pub boundary: Option<Policy>,
    /// What is lost, broken or at risk, the worst first.
    pub findings: Vec<Finding>,
    /// What `opentelemetry_sdk`'s own propagators would have done otherwise.
    pub sdk: Vec<Difference>,
}

impl Report {
    /// Whether nothing is lost or broken.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }
}

/// A header line that carries context.
///
/// ```
/// use otel_inspect::{Config, Header, Request, inspect};
///
/// let report = inspect(&Request::new([("Host", "shop"), ("Baggage", "a=1")]), &Config::default());
/// let header: &Header = &report.headers[0];
/// assert_eq!((header.name.as_str(), header.value.as_str(), header.is_text), ("baggage", "a=1", true));
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Header {
    /// The name, in lower case.
    pub name: String,
    /// The value; where it is no text, its bytes with escapes for those that are not visible ASCII.
    pub value: String,
    /// Whether a carrier can give the value as text.
    pub is_text: bool,
    /// The parts of the value that the grammar knows, in their order; none where it is no text.
    pub parts: Vec<Part>,
    /// The rules that it breaks, in their order.
    pub problems: Vec<Problem>,
}

/// A part of a header's value.
///
/// ```
/// use otel_inspect::{Config, Part, Request, inspect};
///
/// let value = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let report = inspect(&Request::new([("traceparent", value)]), &Config::default());
/// let flags: &Part = report.headers[0].parts.last().unwrap();
/// assert_eq!((flags.production, &value[flags.from..flags.to]), ("trace-flags", "01"));
/// assert!(flags.meaning.contains("sampled"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// The first byte.
    pub from: usize,
    /// The byte after the last one.
    pub to: usize,
    /// The name that the specification gives it.
    pub production: &'static str,
    /// What it says, for a person; empty where the text says it.
    pub meaning: String,
}

/// A rule that a header breaks.
///
/// ```
/// use otel_inspect::{Config, Problem, Request, inspect};
///
/// let report = inspect(&Request::new([("b3", "x")]), &Config::new("b3")?);
/// let problem: &Problem = &report.headers[0].problems[0];
/// assert_eq!((problem.from, problem.to), (0, 1));
/// assert!(problem.specification.starts_with("https://"));
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Problem {
    /// The first byte that breaks it, from 0.
    pub from: usize,
    /// The byte after the last one; `from` where something is missing.
    pub to: usize,
    /// The part of the grammar, as the specification names it.
    pub production: &'static str,
    /// The rule, as one clause.
    pub rule: &'static str,
    /// Where the rule stands.
    pub specification: &'static str,
}

impl Problem {
    pub(crate) fn at(located: Located) -> Self {
        let Located { production, rule, range, url, .. } = located;
        Self { from: range.start, to: range.end, production, rule, specification: url }
    }
}

/// What a format found.
///
/// ```
/// use otel_inspect::{Config, Format, Outcome, Request, inspect};
///
/// let report = inspect(&Request::new([("b3", "0")]), &Config::new("tracecontext,b3")?);
/// let [w3c, b3]: &[Format] = report.formats.as_slice() else { panic!("two are read") };
/// assert_eq!((w3c.name.as_str(), w3c.outcome), ("tracecontext", Outcome::Absent));
/// assert_eq!((b3.name.as_str(), b3.outcome), ("b3", Outcome::DecisionOnly));
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Format {
    /// As `OTEL_PROPAGATORS` names it.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The span that it names, if any.
    pub span: Option<Span>,
}

/// What became of a format.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Outcome {
    /// None of its headers is there.
    Absent,
    /// Its headers are there and cannot be used.
    Refused,
    /// A sampling decision without a trace.
    DecisionOnly,
    /// A trace, and it was chosen.
    Chosen,
    /// The same trace as the chosen one.
    Agrees,
    /// Another trace than the chosen one.
    Conflicts,
}

/// A span context.
///
/// ```
/// use otel_inspect::{Config, Request, Span, inspect};
///
/// let report = inspect(&Request::new([("b3", "00000000000000aa-00000000000000bb-d")]), &Config::new("b3")?);
/// let span: &Span = report.formats[0].span.as_ref().unwrap();
/// assert_eq!(span.trace_id, "000000000000000000000000000000aa", "ids of 64 bits are padded");
/// assert_eq!(span.sampling, "debug");
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Span {
    /// 32 digits.
    pub trace_id: String,
    /// 16 digits.
    pub span_id: String,
    /// `defer`, `deny`, `accept` or `debug`.
    pub sampling: &'static str,
    /// Whether the trace id is known to be random.
    pub random: bool,
}

/// The trace that the service continues, and why that one.
///
/// ```
/// use otel_inspect::{Chosen, Config, Request, inspect};
///
/// let report = inspect(&Request::new([("b3", "00000000000000aa-00000000000000bb")]), &Config::new("b3")?);
/// let chosen: &Chosen = report.chosen.as_ref().unwrap();
/// assert_eq!((chosen.format.as_str(), chosen.span.span_id.as_str()), ("b3", "00000000000000bb"));
/// assert_eq!(chosen.why, "it is the only format with a valid trace");
/// # Ok::<(), otel_composite::SettingError>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Chosen {
    /// The format that named it.
    pub format: String,
    /// The caller's span.
    pub span: Span,
    /// Why, as one sentence.
    pub why: String,
}

/// A member of the received baggage.
///
/// ```
/// use otel_inspect::{Config, Member, Request, inspect};
///
/// let report = inspect(&Request::new([("baggage", "name=Am%C3%A9lie;ttl=30")]), &Config::default());
/// let member: &Member = &report.baggage[0];
/// assert_eq!((member.value.as_str(), member.metadata.as_str()), ("Amélie", "ttl=30"));
/// assert_eq!((member.left_out.as_deref(), member.sent_bytes), (None, "name=Am%C3%A9lie;ttl=30".len()));
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Member {
    /// The key; the whole text of a member that cannot be read.
    pub key: String,
    /// The value, decoded.
    pub value: String,
    /// The metadata, as received.
    pub metadata: String,
    /// The bytes as received.
    pub received_bytes: usize,
    /// The bytes that it takes when it is sent on; 0 where it is not.
    pub sent_bytes: usize,
    /// Why it is not read or not sent; `None` where it goes on.
    pub left_out: Option<String>,
}

/// A member of the received `tracestate`.
///
/// ```
/// use otel_inspect::{Config, Request, State, inspect};
///
/// let report = inspect(&Request::new([("tracestate", "dd=s:1")]), &Config::default());
/// let state: &State = &report.tracestate[0];
/// assert_eq!((state.key.as_str(), state.value.as_str()), ("dd", "s:1"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The vendor's key.
    pub key: String,
    /// The vendor's value.
    pub value: String,
}

/// A header that the service sends on.
///
/// ```
/// use otel_inspect::{Config, Request, Sent, inspect};
///
/// let report = inspect(&Request::new([("baggage", "a=1 , b=2")]), &Config::default());
/// let sent: &Sent = &report.sent[0];
/// assert_eq!((sent.value.as_str(), sent.bytes), ("a=1,b=2", "baggage: a=1,b=2\r\n".len()));
/// assert!(sent.http2_bytes < sent.http2_first_bytes, "the name is sent once");
/// ```
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Sent {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
    /// The bytes on an HTTP/1.1 connection: name, colon, space, value and line end.
    pub bytes: usize,
    /// The bytes on an HTTP/2 connection when the name has been sent before: an index and the value, Huffman-coded.
    pub http2_bytes: usize,
    /// The bytes of the first request of the connection, which spells out the name too.
    pub http2_first_bytes: usize,
}

/// What a trust boundary does with the request.
///
/// ```
/// # #[cfg(feature = "boundary")] {
/// use otel_inspect::{Config, Policy, Request, inspect};
/// use otel_trust_boundary::{Boundary, Destination};
///
/// let config = Config::default().with_boundary(Boundary::deny_external(), Destination::host("api.example"));
/// let report = inspect(&Request::new([("baggage", "tenant=acme")]), &config);
/// let policy: &Policy = report.boundary.as_ref().unwrap();
/// assert_eq!((policy.trace, policy.rule.as_str()), ("none", "unknown"));
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Policy {
    /// What became of the caller's trace: `continued`, `restarted-with-link`, `not-continued`, or `none` where there is none.
    pub trace: &'static str,
    /// The keys of baggage that were read and not accepted.
    pub not_accepted: Vec<String>,
    /// Where the next request goes to, with the port if it is known; `unknown` if nothing is.
    pub destination: String,
    /// The rule for this destination.
    pub rule: String,
    /// What the destination does not get.
    pub withheld: Vec<Withheld>,
}

/// A header, or a part of it, that a trust boundary keeps from a destination.
///
/// ```
/// # #[cfg(feature = "boundary")] {
/// use otel_inspect::{Config, Request, Withheld, inspect};
/// use otel_trust_boundary::{Boundary, Destination, Keys, Outbound};
///
/// let partner = Outbound::external("partner").baggage(Keys::of(&["order"]));
/// let policy = Boundary::deny_external().outbound(partner);
/// let config = Config::default().with_boundary(policy, Destination::named("partner"));
/// let report = inspect(&Request::new([("baggage", "order=7,tenant=acme")]), &config);
/// let withheld: &Withheld = &report.boundary.unwrap().withheld[0];
/// assert_eq!((withheld.header.as_str(), withheld.keys.as_slice()), ("baggage", &["tenant".to_owned()][..]));
/// # }
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Withheld {
    /// The header.
    pub header: String,
    /// The keys of the members that are kept back; empty where it is the whole header.
    pub keys: Vec<String>,
}

/// Something that a person should know.
///
/// ```
/// use otel_inspect::{Config, Finding, Request, Severity, inspect};
///
/// let report = inspect(&Request::new([("traceparent", "00-bad")]), &Config::default());
/// let worst: &Finding = &report.findings[0];
/// assert_eq!((worst.severity, worst.header.as_str()), (Severity::Error, "traceparent"));
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The header that it is about; empty where it is about several.
    pub header: String,
    /// What is the matter, as one sentence.
    pub text: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Severity {
    /// A trace is lost or two headers contradict each other.
    Error,
    /// A part of what was sent does not go on, or may be lost at the next peer.
    Warning,
    /// Good to know.
    Note,
}

/// Something that the SDK's own propagators would have done otherwise.
///
/// ```
/// use otel_inspect::{Config, Difference, Request, inspect};
///
/// let report = inspect(&Request::new([("baggage", "since=2019"), ("baggage", "cart=3")]), &Config::default());
/// let row: &Difference = &report.sdk[0];
/// println!("{}: {} (here: {})", row.row, row.sdk, row.here);
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The row of `docs/from-the-sdk.md`, as it stands there.
    pub row: &'static str,
    /// What the SDK does.
    pub sdk: &'static str,
    /// What is done here.
    pub here: &'static str,
}
