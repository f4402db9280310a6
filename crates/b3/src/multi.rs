//! `x-b3-*`: a header for each field.
//!
//! <https://github.com/openzipkin/b3-propagation#multiple-headers>
//!
//! > When encoding in case-sensitive transports, prefer lowercase keys

use crate::{
    Sampling,
    error::ParseError,
    fields::{self, Fields, Ids},
};
use otel_propagator_core::hex;

pub(crate) const TRACE_ID: &str = "x-b3-traceid";
pub(crate) const SPAN_ID: &str = "x-b3-spanid";
pub(crate) const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
pub(crate) const SAMPLED: &str = "x-b3-sampled";
pub(crate) const FLAGS: &str = "x-b3-flags";

/// Reads the headers that `get` gives; `None` where they say nothing.
pub(crate) fn parse<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Fields>, ParseError> {
    let ids = identifiers(&get)?;
    let sampling = sampling_state(&get)?;
    Ok(match (ids, sampling) {
        (Some(ids), sampling) => Some(Fields::Trace(ids, sampling)),
        (None, Sampling::Defer) => None,
        (None, decision) => Some(Fields::Decision(decision)),
    })
}

/// > Unless propagating only the Sampling State, the `X-B3-TraceId` header is required.
///
/// The same is said of `X-B3-SpanId`. A parent of no span is not looked at.
fn identifiers<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Ids>, ParseError> {
    match (get(TRACE_ID), get(SPAN_ID)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ParseError::TraceIdMissing),
        (Some(_), None) => Err(ParseError::SpanIdMissing),
        (Some(trace_id), Some(span_id)) => {
            let trace_id = fields::trace_id(trace_id.as_bytes())?;
            let span_id = fields::span_id(span_id.as_bytes())?;
            get(PARENT_SPAN_ID).map_or(Ok(()), |parent| fields::parent_span_id(parent.as_bytes()))?;
            Ok(Some(Ids { trace_id, span_id }))
        }
    }
}

/// > Debug is encoded as `X-B3-Flags: 1`. Absent or any other value can be ignored. Debug implies an accept
/// > decision, so don't also send the `X-B3-Sampled` header.
///
/// <https://github.com/openzipkin/b3-propagation#debug-flag>
fn sampling_state<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Sampling, ParseError> {
    if get(FLAGS) == Some("1") {
        Ok(Sampling::Debug)
    } else {
        get(SAMPLED).map_or(Ok(Sampling::Defer), sampled)
    }
}

/// > some tracers propagated `X-B3-Sampled` as `true` or `false` as opposed to `1` or `0`. While you shouldn't
/// > encode `X-B3-Sampled` as `true` or `false`, a lenient implementation may accept them.
///
/// <https://github.com/openzipkin/b3-propagation#sampling-state-1>
///
/// Those tracers write them in more than one case, and others read them so.
fn sampled(value: &str) -> Result<Sampling, ParseError> {
    match value {
        "0" => Ok(Sampling::Deny),
        "1" => Ok(Sampling::Accept),
        _ if value.eq_ignore_ascii_case("false") => Ok(Sampling::Deny),
        _ if value.eq_ignore_ascii_case("true") => Ok(Sampling::Accept),
        _ => Err(ParseError::SamplingState),
    }
}

/// Hands each header to `set`; `short` sends a 64-bit trace id as 16 digits.
pub(crate) fn write(fields: &Fields, short: bool, mut set: impl FnMut(&'static str, String)) {
    let sampling = match *fields {
        Fields::Trace(Ids { trace_id, span_id }, sampling) => {
            let trace_id = hex::encode_u128(u128::from_be_bytes(trace_id.to_bytes()));
            let span_id = hex::encode_u64(u64::from_be_bytes(span_id.to_bytes()));
            set(TRACE_ID, fields::text(&[fields::significant(&trace_id, short)]));
            set(SPAN_ID, fields::text(&[&span_id]));
            sampling
        }
        Fields::Decision(sampling) => sampling,
    };
    match sampling {
        Sampling::Defer => {}
        Sampling::Deny => set(SAMPLED, "0".to_owned()),
        Sampling::Accept => set(SAMPLED, "1".to_owned()),
        Sampling::Debug => set(FLAGS, "1".to_owned()),
    }
}

/// The header that a broken rule is about.
pub(crate) const fn header(error: ParseError) -> &'static str {
    match error {
        ParseError::TraceIdMissing
        | ParseError::TraceIdWidth
        | ParseError::TraceIdDigits
        | ParseError::TraceIdZero => TRACE_ID,
        ParseError::SpanIdMissing
        | ParseError::SpanIdWidth
        | ParseError::SpanIdDigits
        | ParseError::SpanIdZero => SPAN_ID,
        ParseError::ParentSpanIdWidth | ParseError::ParentSpanIdDigits => PARENT_SPAN_ID,
        ParseError::SamplingState => SAMPLED,
    }
}
