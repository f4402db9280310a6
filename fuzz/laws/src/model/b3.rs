//! <https://github.com/openzipkin/b3-propagation>

use super::{id, is_hex, trim};

/// > Sampling State
///
/// <https://github.com/openzipkin/b3-propagation#sampling-state>
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum State {
    Defer,
    Deny,
    Accept,
    Debug,
}

/// What a request carries: ids, a decision, or both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Trace {
    pub(crate) ids: Option<(u128, u64)>,
    pub(crate) state: State,
}

impl State {
    /// > Debug implies an accept decision
    pub(crate) fn is_sampled(self) -> bool {
        matches!(self, Self::Accept | Self::Debug)
    }
}

/// > b3={TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}, where the last two fields are optional.
///
/// Each of them, so that a parent may follow the span id at once, as Brave has it.
pub(crate) fn single(value: &str) -> Option<Trace> {
    let value = trim(value);
    if let Some(state) = single_state(value) {
        return Some(Trace { ids: None, state });
    }
    let fields: Vec<&str> = value.split('-').collect();
    let (trace, span, state, parent) = match *fields.as_slice() {
        [trace, span] => (trace, span, None, None),
        [trace, span, parent] if parent.len() == 16 => (trace, span, None, Some(parent)),
        [trace, span, state] => (trace, span, Some(state), None),
        [trace, span, state, parent] => (trace, span, Some(state), Some(parent)),
        _ => return None,
    };
    let state = state.map_or(Some(State::Defer), single_state)?;
    parent.is_none_or(|parent| is_hex(parent, 16)).then_some(Trace { ids: Some(ids(trace, span)?), state })
}

fn single_state(field: &str) -> Option<State> {
    match field {
        "0" => Some(State::Deny),
        "1" => Some(State::Accept),
        "d" => Some(State::Debug),
        _ => None,
    }
}

/// > The X-B3-TraceId header is encoded as 32 or 16 lower-hex characters.
fn ids(trace: &str, span: &str) -> Option<(u128, u64)> {
    Some((id(trace, 32).or_else(|| id(trace, 16))?, u64::try_from(id(span, 16)?).ok()?))
}

/// The multiple form; `None` where it is absent or malformed.
pub(crate) fn multi<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<Trace> {
    let get = |name| get(name).map(trim);
    let state = multi_state(get("x-b3-flags"), get("x-b3-sampled"))?;
    match (get("x-b3-traceid"), get("x-b3-spanid")) {
        (None, None) => (state != State::Defer).then_some(Trace { ids: None, state }),
        (trace, span) => {
            let ids = Some(ids(trace?, span?)?);
            get("x-b3-parentspanid").is_none_or(|parent| is_hex(parent, 16)).then_some(Trace { ids, state })
        }
    }
}

/// > Debug is encoded as X-B3-Flags: 1. Absent or any other value can be ignored.
///
/// `true` and `false` were sent before the specification was written.
fn multi_state(flags: Option<&str>, sampled: Option<&str>) -> Option<State> {
    if flags == Some("1") {
        return Some(State::Debug);
    }
    match sampled.map(str::to_ascii_lowercase).as_deref() {
        None => Some(State::Defer),
        Some("0" | "false") => Some(State::Deny),
        Some("1" | "true") => Some(State::Accept),
        Some(_) => None,
    }
}

/// What is sent in `b3`.
pub(crate) fn write_single(trace: Trace) -> String {
    let state = match trace.state {
        State::Defer => "",
        State::Deny => "0",
        State::Accept => "1",
        State::Debug => "d",
    };
    let Some((trace_id, span_id)) = trace.ids else { return state.to_owned() };
    let dash = if state.is_empty() { "" } else { "-" };
    format!("{trace_id:032x}-{span_id:016x}{dash}{state}")
}

/// What is sent in the multiple form.
pub(crate) fn write_multi(trace: Trace) -> Vec<(String, String)> {
    let ids = trace.ids.map(|(trace_id, span_id)| {
        [("x-b3-traceid", format!("{trace_id:032x}")), ("x-b3-spanid", format!("{span_id:016x}"))]
    });
    let state = match trace.state {
        State::Defer => None,
        State::Deny => Some(("x-b3-sampled", "0")),
        State::Accept => Some(("x-b3-sampled", "1")),
        State::Debug => Some(("x-b3-flags", "1")),
    };
    let state = state.map(|(name, value)| (name, value.to_owned()));
    ids.into_iter().flatten().chain(state).map(|(name, value)| (name.to_owned(), value)).collect()
}
