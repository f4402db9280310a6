//! `b3`: everything in one header.
//!
//! > `b3={TraceId}-{SpanId}-{SamplingState}-{ParentSpanId}`, where the last two fields are optional.
//!
//! <https://github.com/openzipkin/b3-propagation#single-header>

use crate::{
    Sampling,
    error::ParseError,
    fields::{self, Fields, Ids},
};
use opentelemetry::trace::{SpanId, TraceId};
use otel_propagator_core::hex;

pub(crate) const B3: &str = "b3";

/// > When only propagating a sampling decision, the header is still named `b3`, but only contains the sampling
/// > state.
///
/// Every field has its place, so no byte after the longest value of 68 is looked at.
pub(crate) fn parse(value: &str) -> Result<Fields, ParseError> {
    let value = value.as_bytes();
    if let [state] = *value {
        return sampling_state(state).map(Fields::Decision);
    }
    let (trace_id, rest) = trace_id(value)?;
    let (span_id, rest) = span_id(rest)?;
    let sampling = state_and_parent(rest)?;
    Ok(Fields::Trace(Ids { trace_id, span_id }, sampling))
}

/// > The first position of the `b3` value is the 32 or 16 lower-hex character TraceId.
///
/// <https://github.com/openzipkin/b3-propagation#traceid-2>
fn trace_id(input: &[u8]) -> Result<(TraceId, &[u8]), ParseError> {
    // Where a 128-bit id has its 17th digit, a 64-bit id has ended.
    let width = if matches!(input.get(16), None | Some(b'-')) { 16 } else { 32 };
    let (digits, rest) = input.split_at_checked(width).ok_or(ParseError::TraceIdWidth)?;
    Ok((fields::trace_id(digits)?, rest))
}

/// > The second position of the `b3` value is the 16 lower-hex character SpanId.
///
/// <https://github.com/openzipkin/b3-propagation#spanid-2>
fn span_id(input: &[u8]) -> Result<(SpanId, &[u8]), ParseError> {
    match input {
        [] => Err(ParseError::SpanIdMissing),
        [b'-', input @ ..] => {
            let (digits, rest) = input.split_at_checked(16).ok_or(ParseError::SpanIdWidth)?;
            Ok((fields::span_id(digits)?, rest))
        }
        _ => Err(ParseError::TraceIdWidth),
    }
}

/// > When the sampling state isn't Defer, it is encoded as a single hex character in the third position of the
/// > `b3` value.
///
/// > When present, ParentSpanId is the 16 lower-hex characters in the final position of `b3`.
///
/// <https://github.com/openzipkin/b3-propagation#sampling-state-2>
///
/// Both are optional, so a parent may follow the span id of a deferred trace; its width tells it from a state.
fn state_and_parent(input: &[u8]) -> Result<Sampling, ParseError> {
    match *input {
        [] => Ok(Sampling::Defer),
        [b'-', state] => sampling_state(state),
        [b'-', state, b'-', ref parent @ ..] => {
            let sampling = sampling_state(state)?;
            fields::parent_span_id(parent).map(|()| sampling)
        }
        [b'-', ref parent @ ..] if parent.len() == 16 => {
            fields::parent_span_id(parent).map(|()| Sampling::Defer)
        }
        [b'-', ..] => Err(ParseError::SamplingState),
        _ => Err(ParseError::SpanIdWidth),
    }
}

const fn sampling_state(character: u8) -> Result<Sampling, ParseError> {
    match character {
        b'0' => Ok(Sampling::Deny),
        b'1' => Ok(Sampling::Accept),
        b'd' => Ok(Sampling::Debug),
        _ => Err(ParseError::SamplingState),
    }
}

/// Writes the value; `short` sends a 64-bit trace id as 16 digits.
pub(crate) fn write(fields: &Fields, short: bool) -> String {
    match *fields {
        Fields::Trace(Ids { trace_id, span_id }, sampling) => {
            let trace_id = hex::encode_u128(u128::from_be_bytes(trace_id.to_bytes()));
            let span_id = hex::encode_u64(u64::from_be_bytes(span_id.to_bytes()));
            fields::text(&[fields::significant(&trace_id, short), b"-", &span_id, third_field(sampling)])
        }
        Fields::Decision(sampling) => {
            let [_, state @ ..] = third_field(sampling) else { return String::new() };
            fields::text(&[state])
        }
    }
}

/// > Defer is absence of the sampling field.
const fn third_field(sampling: Sampling) -> &'static [u8] {
    match sampling {
        Sampling::Defer => b"",
        Sampling::Deny => b"-0",
        Sampling::Accept => b"-1",
        Sampling::Debug => b"-d",
    }
}
