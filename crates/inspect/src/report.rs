//! What is said of a request, as data: every type is `serde::Serialize`.

use crate::Source;
use otel_propagator_core::located::Located;
use serde::Serialize;

/// All that a service makes of a request's headers.
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

impl From<Located> for Problem {
    fn from(located: Located) -> Self {
        let Located { production, rule, range, url, .. } = located;
        Self { from: range.start, to: range.end, production, rule, specification: url }
    }
}

/// What a format found.
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
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct State {
    /// The vendor's key.
    pub key: String,
    /// The vendor's value.
    pub value: String,
}

/// A header that the service sends on.
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
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Withheld {
    /// The header.
    pub header: String,
    /// The keys of the members that are kept back; empty where it is the whole header.
    pub keys: Vec<String>,
}

/// Something that a person should know.
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
