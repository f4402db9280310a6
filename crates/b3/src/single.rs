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
use otel_propagator_core::{
    hex,
    located::{Located, within},
};

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

/// Where a value breaks the grammar; `None` where it does not.
pub(crate) fn locate(value: &str) -> Option<Located> {
    let error = parse(value).err()?;
    let field = match error {
        ParseError::SpanIdMissing => return Some(error.at(value.len()..value.len())),
        ParseError::SpanIdWidth | ParseError::SpanIdDigits | ParseError::SpanIdZero => 1,
        ParseError::SamplingState if value.len() > 1 => 2,
        // A parent follows the state, or the span id at once, and nothing follows it.
        ParseError::ParentSpanIdWidth | ParseError::ParentSpanIdDigits => {
            let start = value.match_indices('-').map(|(at, _)| at + 1).take(3).last().unwrap_or_default();
            return Some(error.at(start..value.len()));
        }
        _ => 0,
    };
    let start = value.split('-').take(field).map(|field| field.len() + 1).sum();
    let len = value.split('-').nth(field).map_or(0, str::len);
    Some(error.at(within(value, start..start + len)))
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
        Fields::Trace(ids, sampling) => write_trace(ids, sampling, short),
        Fields::Decision(sampling) => fields::text(third_field(sampling).as_slice()),
    }
}

fn write_trace(Ids { trace_id, span_id }: Ids, sampling: Sampling, short: bool) -> String {
    let mut value = *b"................................-................-.";
    value[..32].copy_from_slice(&hex::encode_u128(u128::from_be_bytes(trace_id.to_bytes())));
    value[33..49].copy_from_slice(&hex::encode_u64(u64::from_be_bytes(span_id.to_bytes())));
    let end = third_field(sampling).map_or(49, |state| {
        value[50] = state;
        51
    });
    let start = if short && value.starts_with(fields::EMPTY_HALF) { 16 } else { 0 };
    fields::text(value.get(start..end).unwrap_or_default())
}

/// > Defer is absence of the sampling field.
const fn third_field(sampling: Sampling) -> Option<u8> {
    match sampling {
        Sampling::Defer => None,
        Sampling::Deny => Some(b'0'),
        Sampling::Accept => Some(b'1'),
        Sampling::Debug => Some(b'd'),
    }
}

#[cfg(test)]
#[allow(clippy::string_slice, reason = "the identifiers are ASCII")]
mod tests {
    use super::*;
    use ParseError::*;

    const LONG: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SHORT: &str = "64fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";
    const PARENT: &str = "05e3ac9a4f6e3b90";
    const ZERO: &str = "0000000000000000";

    fn trace(trace_id: u128, sampling: Sampling) -> Fields {
        let span_id = SpanId::from(0xe457_b5a2_e4d8_6bd1);
        Fields::Trace(Ids { trace_id: TraceId::from(trace_id), span_id }, sampling)
    }

    fn long(sampling: Sampling) -> Fields {
        trace(0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7, sampling)
    }

    fn short(sampling: Sampling) -> Fields {
        trace(0x64fe_8b2a_57d3_eff7, sampling)
    }

    #[test]
    fn accepted() {
        use Sampling::{Accept, Debug, Defer, Deny};
        let rows = [
            // #traceid-2
            ("32 characters", format!("{LONG}-{SPAN}-1"), long(Accept)),
            ("16 characters are the lower half", format!("{SHORT}-{SPAN}-1"), short(Accept)),
            ("a 128-bit id may have an empty upper half", format!("{ZERO}{SHORT}-{SPAN}-1"), short(Accept)),
            // #sampling-state-2
            ("Defer is absence of the sampling field", format!("{LONG}-{SPAN}"), long(Defer)),
            ("of a 64-bit id, too", format!("{SHORT}-{SPAN}"), short(Defer)),
            ("deny", format!("{LONG}-{SPAN}-0"), long(Deny)),
            ("debug", format!("{LONG}-{SPAN}-d"), long(Debug)),
            ("state alone: deny", "0".to_owned(), Fields::Decision(Deny)),
            ("state alone: accept", "1".to_owned(), Fields::Decision(Accept)),
            ("state alone: debug", "d".to_owned(), Fields::Decision(Debug)),
            // #parentspanid-2
            ("a parent in the final position", format!("{LONG}-{SPAN}-1-{PARENT}"), long(Accept)),
            ("a parent of a debug trace", format!("{SHORT}-{SPAN}-d-{PARENT}"), short(Debug)),
            ("a parent of a deferred trace", format!("{LONG}-{SPAN}-{PARENT}"), long(Defer)),
            ("an all-zero parent is no parent", format!("{LONG}-{SPAN}-0-{ZERO}"), long(Deny)),
        ];
        for (rule, value, expected) in rows {
            assert_eq!(parse(&value), Ok(expected), "{rule}: {value:?}");
        }
    }

    #[test]
    fn rejected() {
        let upper = LONG.to_uppercase();
        let rows = [
            ("empty", String::new(), TraceIdWidth),
            // #traceid-2
            ("no trace id", format!("-{SPAN}-1"), TraceIdWidth),
            ("15 characters", format!("{}-{SPAN}-1", &SHORT[1..]), TraceIdDigits),
            ("17 characters", format!("a{SHORT}-{SPAN}-1"), TraceIdDigits),
            ("31 characters", format!("{}-{SPAN}-1", &LONG[1..]), TraceIdDigits),
            ("33 characters", format!("a{LONG}-{SPAN}-1"), TraceIdWidth),
            ("64 characters", format!("{LONG}{LONG}-{SPAN}-1"), TraceIdWidth),
            ("too short for either", SHORT[1..].to_owned(), TraceIdWidth),
            ("between the two", LONG[1..].to_owned(), TraceIdWidth),
            ("upper case", format!("{upper}-{SPAN}-1"), TraceIdDigits),
            ("a sign is not a digit", format!("+{}-{SPAN}-1", &LONG[1..]), TraceIdDigits),
            ("no prefix", format!("0x{}-{SPAN}-1", &LONG[2..]), TraceIdDigits),
            ("not hexadecimal", format!("g{}-{SPAN}-1", &LONG[1..]), TraceIdDigits),
            ("not ASCII", format!("é{}-{SPAN}-1", &LONG[2..]), TraceIdDigits),
            ("all zeros", format!("{ZERO}{ZERO}-{SPAN}-1"), TraceIdZero),
            ("all zeros, 64 bits", format!("{ZERO}-{SPAN}-1"), TraceIdZero),
            ("a UUID", "b970dafd-0d95-40aa-95d8-1d8725aebe40".to_owned(), TraceIdDigits),
            // #spanid-2
            ("a trace id alone", LONG.to_owned(), SpanIdMissing),
            ("a 64-bit trace id alone", SHORT.to_owned(), SpanIdMissing),
            ("empty", format!("{LONG}-"), SpanIdWidth),
            ("empty before a state", format!("{LONG}--1"), SpanIdWidth),
            ("15 characters", format!("{LONG}-{}", &SPAN[1..]), SpanIdWidth),
            ("15 characters before a state", format!("{LONG}-{}-1", &SPAN[1..]), SpanIdDigits),
            ("17 characters", format!("{LONG}-{SPAN}a"), SpanIdWidth),
            ("17 characters before a state", format!("{LONG}-{SPAN}a-1"), SpanIdWidth),
            ("32 characters", format!("{LONG}-{LONG}-1"), SpanIdWidth),
            ("upper case", format!("{LONG}-{}-1", SPAN.to_uppercase()), SpanIdDigits),
            ("a sign is not a digit", format!("{LONG}-+{}-1", &SPAN[1..]), SpanIdDigits),
            ("not ASCII", format!("{LONG}-{}é-1", &SPAN[2..]), SpanIdDigits),
            ("all zeros", format!("{LONG}-{ZERO}-1"), SpanIdZero),
            // #sampling-state-2
            ("empty", format!("{LONG}-{SPAN}-"), SamplingState),
            ("empty before a parent", format!("{LONG}-{SPAN}--{PARENT}"), SamplingState),
            ("two characters", format!("{LONG}-{SPAN}-11"), SamplingState),
            ("two characters before a parent", format!("{LONG}-{SPAN}-01-{PARENT}"), SamplingState),
            ("another digit", format!("{LONG}-{SPAN}-2"), SamplingState),
            ("another letter before a parent", format!("{LONG}-{SPAN}-a-{PARENT}"), SamplingState),
            ("upper case", format!("{LONG}-{SPAN}-D"), SamplingState),
            ("true is for X-B3-Sampled", format!("{LONG}-{SPAN}-true"), SamplingState),
            ("not ASCII", format!("{LONG}-{SPAN}-é"), SamplingState),
            ("another state alone", "2".to_owned(), SamplingState),
            ("a hyphen alone", "-".to_owned(), SamplingState),
            ("upper case alone", "D".to_owned(), SamplingState),
            ("more than a state alone", "1-".to_owned(), TraceIdWidth),
            ("two states", "1-1".to_owned(), TraceIdWidth),
            // #parentspanid-2
            ("empty", format!("{LONG}-{SPAN}-1-"), ParentSpanIdWidth),
            ("15 characters", format!("{LONG}-{SPAN}-1-{}", &PARENT[1..]), ParentSpanIdWidth),
            ("17 characters", format!("{LONG}-{SPAN}-1-{PARENT}a"), ParentSpanIdWidth),
            ("upper case", format!("{LONG}-{SPAN}-1-{}", PARENT.to_uppercase()), ParentSpanIdDigits),
            ("a sign is not a digit", format!("{LONG}-{SPAN}-1--{}", &PARENT[1..]), ParentSpanIdDigits),
            ("not hexadecimal", format!("{LONG}-{SPAN}-1-g{}", &PARENT[1..]), ParentSpanIdDigits),
            (
                "upper case without a state",
                format!("{LONG}-{SPAN}-{}", PARENT.to_uppercase()),
                ParentSpanIdDigits,
            ),
            ("15 characters without a state", format!("{LONG}-{SPAN}-{}", &PARENT[1..]), SamplingState),
            ("17 characters without a state", format!("{LONG}-{SPAN}-{PARENT}a"), SamplingState),
            ("a trailing hyphen", format!("{LONG}-{SPAN}-1-{PARENT}-"), ParentSpanIdWidth),
            ("a fifth field", format!("{LONG}-{SPAN}-1-{PARENT}-1"), ParentSpanIdWidth),
        ];
        for (rule, value, error) in rows {
            assert_eq!(parse(&value), Err(error), "{rule}: {value:?}");
        }
    }

    #[test]
    fn a_structural_byte_in_any_position_is_refused() {
        for value in [format!("{LONG}-{SPAN}-1-{PARENT}"), format!("{LONG}-{SPAN}-1"), "0".to_owned()] {
            for byte in "-,;=%@+ \t\"\\\r\n\0".chars() {
                for position in 0..=value.len() {
                    let (before, after) = value.split_at(position);
                    let inserted = format!("{before}{byte}{after}");
                    assert!(parse(&inserted).is_err(), "inserted: {inserted:?}");
                    let Some(replaced) = after.get(1..).map(|after| format!("{before}{byte}{after}")) else {
                        continue;
                    };
                    assert!(replaced == value || parse(&replaced).is_err(), "replaced: {replaced:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_exactly_sized_and_read_back() {
        let states = [Sampling::Defer, Sampling::Deny, Sampling::Accept, Sampling::Debug];
        let traces = states.map(long).into_iter().chain(states.map(short));
        let decisions = states.into_iter().skip(1).map(Fields::Decision);
        for fields in traces.chain(decisions) {
            for short in [false, true] {
                let value = write(&fields, short);
                assert_eq!(parse(&value), Ok(fields), "{value}");
                assert_eq!(value.capacity(), value.len(), "{value}");
            }
        }
    }
}
