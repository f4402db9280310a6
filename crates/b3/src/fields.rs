//! What B3 headers say in either form, and the identifiers in it.

use crate::{Sampling, error::ParseError};
use opentelemetry::trace::{SpanId, TraceId};
use otel_propagator_core::hex;

/// > Trace identifiers are often sent with a sampling decision. However, it is valid and common practice to send a
/// > sampling decision independently.
///
/// <https://github.com/openzipkin/b3-propagation#overall-process>
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fields {
    /// Identifiers, which are never all zeros, with their sampling state.
    Trace(Ids, Sampling),
    /// A decision alone, which is never [`Sampling::Defer`].
    Decision(Sampling),
}

impl Fields {
    pub(crate) const fn sampling(self) -> Sampling {
        match self {
            Self::Trace(_, sampling) | Self::Decision(sampling) => sampling,
        }
    }
}

/// The identifiers that go on. A parent span id does not.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Ids {
    pub(crate) trace_id: TraceId,
    pub(crate) span_id: SpanId,
}

/// > The `X-B3-TraceId` header is encoded as 32 or 16 lower-hex characters.
///
/// <https://github.com/openzipkin/b3-propagation#traceid-1>
///
/// A 64-bit id is the lower half of a 128-bit one.
pub(crate) fn trace_id(digits: &[u8]) -> Result<TraceId, ParseError> {
    match (digits.try_into(), digits.try_into()) {
        (Ok(digits), _) => non_zero_trace_id(hex::decode_u128(digits)),
        (_, Ok(digits)) => non_zero_trace_id(hex::decode_u64(digits).map(u128::from)),
        _ => Err(ParseError::TraceIdWidth),
    }
}

fn non_zero_trace_id(value: Option<u128>) -> Result<TraceId, ParseError> {
    match value {
        None => Err(ParseError::TraceIdDigits),
        Some(0) => Err(ParseError::TraceIdZero),
        Some(value) => Ok(TraceId::from(value)),
    }
}

/// > The `X-B3-SpanId` header is encoded as 16 lower-hex characters.
///
/// <https://github.com/openzipkin/b3-propagation#spanid-1>
pub(crate) fn span_id(digits: &[u8]) -> Result<SpanId, ParseError> {
    let digits = digits.try_into().map_err(|_| ParseError::SpanIdWidth)?;
    match hex::decode_u64(digits) {
        None => Err(ParseError::SpanIdDigits),
        Some(0) => Err(ParseError::SpanIdZero),
        Some(value) => Ok(SpanId::from(value)),
    }
}

/// > It is encoded as 16 lower-hex characters.
///
/// <https://github.com/openzipkin/b3-propagation#parentspanid-1>
///
/// All zeros are how some tracers write that there is no parent. Since the id goes nowhere, they cost no trace.
pub(crate) fn parent_span_id(digits: &[u8]) -> Result<(), ParseError> {
    let digits = digits.try_into().map_err(|_| ParseError::ParentSpanIdWidth)?;
    hex::decode_u64(digits).map(drop).ok_or(ParseError::ParentSpanIdDigits)
}

/// The upper half of a trace id of 64 bits.
pub(crate) const EMPTY_HALF: &[u8] = b"0000000000000000";

/// The digits of a trace id: the lower 16 where `short` is asked for and the rest is zeros.
pub(crate) fn significant(digits: &[u8; 32], short: bool) -> &[u8] {
    if short { digits.strip_prefix(EMPTY_HALF).unwrap_or(digits) } else { digits }
}

/// An exactly sized `String` of ASCII, so that nothing is ever left out.
pub(crate) fn text(ascii: &[u8]) -> String {
    std::str::from_utf8(ascii).unwrap_or_default().to_owned()
}
