//! What is asked of a peer and what it answers: one JSON list a line, the same for every peer and for ours.

use serde::{Deserialize, Serialize};

/// A header line as a carrier holds it: name, value.
pub(crate) type Header = (String, String);

/// A format, by its name in `OTEL_PROPAGATORS`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    TraceContext,
    Baggage,
    B3,
    B3Multi,
    Jaeger,
    Xray,
    OtTrace,
}

impl Format {
    pub(crate) const ALL: [Self; 7] =
        [Self::TraceContext, Self::Baggage, Self::B3, Self::B3Multi, Self::Jaeger, Self::Xray, Self::OtTrace];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TraceContext => "tracecontext",
            Self::Baggage => "baggage",
            Self::B3 => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
            Self::Xray => "xray",
            Self::OtTrace => "ottrace",
        }
    }
}

/// A peer starts from headers or from a context of its API's making; then it says what it holds and sends it on.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Command {
    pub(crate) format: Format,
    #[serde(flatten)]
    pub(crate) start: Start,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Start {
    Extract(Vec<Header>),
    Inject(Context),
}

/// What a context holds, as far as the API shows it.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) span_id: Option<String>,
    pub(crate) flags: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tracestate: Option<String>,
    pub(crate) baggage: Vec<Entry>,
    /// The sampling state, of peers whose API has it; of others it is read from what they send.
    #[serde(skip_serializing)]
    pub(crate) sampling: Option<Sampling>,
}

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) metadata: Option<String>,
}

/// <https://github.com/openzipkin/b3-propagation#sampling-state>
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sampling {
    Defer,
    Deny,
    Accept,
    Debug,
}

/// The context that a peer held and the headers that it sent on, or the name of what its SDK threw.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) context: Context,
    pub(crate) headers: Vec<Header>,
    pub(crate) error: Option<String>,
}
