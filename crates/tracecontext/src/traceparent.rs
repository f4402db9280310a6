//! The `traceparent` header: <https://www.w3.org/TR/trace-context-2/#traceparent-header>.

use crate::error::{ErrorKind, Field, ParseError};
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};
use otel_propagator_core::hex;
use std::{fmt, str::FromStr};

/// > Version 255 ("ff") is invalid.
///
/// <https://www.w3.org/TR/trace-context-2/#version>
const FORBIDDEN_VERSION: u8 = 0xff;

/// <https://www.w3.org/TR/trace-context-2/#random-trace-id-flag>
const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// The length of a `traceparent` of version `00` in bytes.
const LENGTH: usize = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".len();

/// A `traceparent`: the trace that a request belongs to, the caller's span in it, and the caller's flags.
///
/// One that exists is valid: neither id is zero, and only the flags `01` (sampled) and `02` (random trace id)
/// can be set. It is written in version `00`, and reading what was written gives the same value.
///
/// ```
/// use otel_tracecontext::TraceParent;
///
/// let traceparent: TraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert_eq!(traceparent.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert_eq!(traceparent.span_id().to_string(), "b7ad6b7169203331");
/// assert!(traceparent.flags().is_sampled());
/// assert_eq!(traceparent.to_string(), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
/// # Ok::<(), otel_tracecontext::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct TraceParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
}

impl TraceParent {
    /// Reads a header value. White space around it is not part of the grammar and refused.
    ///
    /// A version from `01` to `fe` is read by its first four fields, whatever follows them after a dash:
    /// <https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent>. Flags without a meaning in
    /// Level 2 are cleared: <https://www.w3.org/TR/trace-context-2/#other-flags>.
    ///
    /// # Errors
    ///
    /// The first field, from the left, that breaks a rule, and the rule.
    ///
    /// ```
    /// use otel_tracecontext::{ErrorKind, TraceParent};
    ///
    /// let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe-more";
    /// assert_eq!(
    ///     TraceParent::parse(later)?.to_string(),
    ///     "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02",
    /// );
    /// assert_eq!(TraceParent::parse("").map_err(|e| e.kind()), Err(ErrorKind::TooShort));
    /// # Ok::<(), otel_tracecontext::ParseError>(())
    /// ```
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        let (version, rest) = version(value.as_bytes())?;
        let (traceparent, rest) = version_format(dash(rest, Field::Version)?)?;
        end(version, rest)?;
        Ok(traceparent)
    }

    /// The `traceparent` that a span sends with its requests; `None` where the span context is not valid.
    ///
    /// ```
    /// use opentelemetry::trace::SpanContext;
    /// use otel_tracecontext::TraceParent;
    ///
    /// assert_eq!(TraceParent::from_span_context(&SpanContext::NONE), None);
    /// ```
    #[must_use]
    pub fn from_span_context(span_context: &SpanContext) -> Option<Self> {
        span_context.is_valid().then(|| Self {
            trace_id: span_context.trace_id(),
            span_id: span_context.span_id(),
            flags: known(span_context.trace_flags()),
        })
    }

    /// The trace; never zero.
    #[must_use]
    pub const fn trace_id(self) -> TraceId {
        self.trace_id
    }

    /// The caller's span, which the specification calls `parent-id`; never zero.
    #[must_use]
    pub const fn span_id(self) -> SpanId {
        self.span_id
    }

    /// The caller's flags: none but `01` (sampled) and `02` (random trace id).
    #[must_use]
    pub const fn flags(self) -> TraceFlags {
        self.flags
    }

    pub(crate) fn is_random(self) -> bool {
        self.flags & RANDOM == RANDOM
    }

    pub(crate) fn with_random(self) -> Self {
        Self { flags: self.flags | RANDOM, ..self }
    }

    fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = *b"00-................................-................-..";
        bytes[3..35].copy_from_slice(&hex::encode_u128(u128::from_be_bytes(self.trace_id.to_bytes())));
        bytes[36..52].copy_from_slice(&hex::encode_u64(u64::from_be_bytes(self.span_id.to_bytes())));
        bytes[53..].copy_from_slice(&hex::encode_u8(self.flags.to_u8()));
        bytes
    }
}

impl FromStr for TraceParent {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        Self::parse(value)
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_bytes()).map_err(|_| fmt::Error)?)
    }
}

/// One allocation of the exact size.
impl From<TraceParent> for String {
    fn from(traceparent: TraceParent) -> Self {
        std::str::from_utf8(&traceparent.to_bytes()).unwrap_or_default().to_owned()
    }
}

/// > version = 2HEXDIGLC ; this document assumes version 00. Version ff is forbidden
///
/// <https://www.w3.org/TR/trace-context-2/#version>
fn version(input: &[u8]) -> Result<(u8, &[u8]), ParseError> {
    let (version, rest) = digits(input, Field::Version, hex::decode_u8)?;
    if version == FORBIDDEN_VERSION {
        return Err(ParseError::new(Field::Version, ErrorKind::ForbiddenVersion));
    }
    Ok((version, rest))
}

/// > version-format = trace-id "-" parent-id "-" trace-flags
///
/// <https://www.w3.org/TR/trace-context-2/#version-format>
fn version_format(input: &[u8]) -> Result<(TraceParent, &[u8]), ParseError> {
    let (trace_id, rest) = trace_id(input)?;
    let (span_id, rest) = parent_id(dash(rest, Field::TraceId)?)?;
    let (flags, rest) = trace_flags(dash(rest, Field::ParentId)?)?;
    Ok((TraceParent { trace_id, span_id, flags }, rest))
}

/// > trace-id = 32HEXDIGLC ; 16 bytes array identifier. All zeroes forbidden
///
/// <https://www.w3.org/TR/trace-context-2/#trace-id>
fn trace_id(input: &[u8]) -> Result<(TraceId, &[u8]), ParseError> {
    match digits(input, Field::TraceId, hex::decode_u128)? {
        (0, _) => Err(ParseError::new(Field::TraceId, ErrorKind::AllZero)),
        (id, rest) => Ok((TraceId::from(id), rest)),
    }
}

/// > parent-id = 16HEXDIGLC ; 8 bytes array identifier. All zeroes forbidden
///
/// <https://www.w3.org/TR/trace-context-2/#parent-id>
fn parent_id(input: &[u8]) -> Result<(SpanId, &[u8]), ParseError> {
    match digits(input, Field::ParentId, hex::decode_u64)? {
        (0, _) => Err(ParseError::new(Field::ParentId, ErrorKind::AllZero)),
        (id, rest) => Ok((SpanId::from(id), rest)),
    }
}

/// > trace-flags = 2HEXDIGLC ; 8 bit flags.
///
/// <https://www.w3.org/TR/trace-context-2/#trace-flags>
fn trace_flags(input: &[u8]) -> Result<(TraceFlags, &[u8]), ParseError> {
    let (flags, rest) = digits(input, Field::TraceFlags, hex::decode_u8)?;
    Ok((known(TraceFlags::new(flags)), rest))
}

/// > The behavior of other flags, such as (00000100) is not defined and is reserved for future use. Vendors
/// > MUST set those to zero.
///
/// <https://www.w3.org/TR/trace-context-2/#other-flags>
fn known(flags: TraceFlags) -> TraceFlags {
    flags & (TraceFlags::SAMPLED | RANDOM)
}

/// Exactly as many digits as the decoder takes, from the front.
fn digits<const WIDTH: usize, T>(
    input: &[u8],
    field: Field,
    decode: impl Fn(&[u8; WIDTH]) -> Option<T>,
) -> Result<(T, &[u8]), ParseError> {
    let (digits, rest) = input.split_first_chunk().ok_or(ParseError::new(field, ErrorKind::TooShort))?;
    Ok((decode(digits).ok_or(ParseError::new(field, ErrorKind::NotLowerHex))?, rest))
}

/// The dash after a field.
fn dash(input: &[u8], after: Field) -> Result<&[u8], ParseError> {
    input.strip_prefix(b"-").ok_or(ParseError::new(after, ErrorKind::Delimiter))
}

/// What may follow the flags: in version `00` nothing, later a dash and what this version cannot know.
///
/// > Vendors MUST check that the 2 characters are either at the end of the string or followed by a dash.
///
/// <https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent>
fn end(version: u8, rest: &[u8]) -> Result<(), ParseError> {
    match (version, rest) {
        (_, []) | (1.., [b'-', ..]) => Ok(()),
        (0, _) => Err(ParseError::new(Field::TraceFlags, ErrorKind::TrailingData)),
        (1.., _) => Err(ParseError::new(Field::TraceFlags, ErrorKind::Delimiter)),
    }
}
