//! `uber-trace-id`: <https://www.jaegertracing.io/sdk-migration/#propagation-format>.

use crate::{
    ErrorKind, ParseError, Sampling,
    error::LONGEST,
    percent::{self, NotPercentEncoded},
};
use memchr::memchr;
use opentelemetry::trace::{SpanId, TraceId};
use otel_propagator_core::hex;
use std::{fmt, str::FromStr};

/// > Case-insensitive in HTTP. Lower-case in protocols that preserve header case.
pub(crate) const UBER_TRACE_ID: &str = "uber-trace-id";

/// The length in bytes of what is written.
const WRITTEN: usize = "80f198ee56343ba864fe8b2a57d3eff7:e457b5a2e4d86bd1:0:b".len();

/// The upper half of a trace id of 64 bits.
const EMPTY_HALF: &[u8] = b"0000000000000000";

/// An `uber-trace-id`: the trace that a request belongs to, the caller's span in it, and what the caller decided.
///
/// One that exists is valid: neither id is zero. The parent span id is deprecated, so it is not kept and `0` is written
/// for it. Reading what was written gives the same value.
///
/// ```
/// use otel_jaeger::{Sampling, UberTraceId};
///
/// let received: UberTraceId = "4d0000000000000016:17c29:0:3".parse()?;
/// assert_eq!(received.trace_id().to_string(), "000000000000004d0000000000000016");
/// assert_eq!(received.span_id().to_string(), "0000000000017c29");
/// assert_eq!(received.sampling(), Sampling::Debug);
/// assert_eq!(received.to_string(), "000000000000004d0000000000000016:0000000000017c29:0:3");
/// # Ok::<(), otel_jaeger::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UberTraceId {
    trace_id: TraceId,
    span_id: SpanId,
    flags: Bitmap,
}

/// > One byte bitmap, as one or two hex digits (leading zero may be omitted)
///
/// Only the bits of which Jaeger says what they mean are ever set in it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
struct Bitmap(u8);

impl Bitmap {
    /// > Bit 1 (right-most, least significant, bit mask `0x01`) is "sampled" flag
    const SAMPLED: u8 = 0x01;
    /// > Bit 2 (bit mask `0x02`) is "debug" flag
    const DEBUG: u8 = 0x02;
    /// > Bit 4 (bit mask `0x08`) is "firehose" flag
    const FIREHOSE: u8 = 0x08;

    const fn sets(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// > Debug flag should only be set when the sampled flag is set
    ///
    /// > Other bits are unused
    const fn known(bits: u8) -> Self {
        let debug = if bits & Self::SAMPLED == 0 { 0 } else { Self::DEBUG };
        Self(bits & (Self::SAMPLED | debug | Self::FIREHOSE))
    }
}

impl UberTraceId {
    /// What a span sends with its requests; `None` where one of the ids is zero.
    ///
    /// Jaeger cannot leave a decision to the receiver, so [`Sampling::Defer`] is written as not sampled.
    ///
    /// ```
    /// use opentelemetry::trace::{SpanId, TraceId};
    /// use otel_jaeger::{Sampling, UberTraceId};
    ///
    /// let header = UberTraceId::new(TraceId::from(7), SpanId::from(9), Sampling::Accept).unwrap();
    /// assert_eq!(header.to_string(), "00000000000000000000000000000007:0000000000000009:0:1");
    /// assert_eq!(UberTraceId::new(TraceId::INVALID, SpanId::from(9), Sampling::Accept), None);
    /// ```
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, sampling: Sampling) -> Option<Self> {
        let flags = Bitmap(match sampling {
            Sampling::Defer | Sampling::Deny => 0,
            Sampling::Accept => Bitmap::SAMPLED,
            Sampling::Debug => Bitmap::SAMPLED | Bitmap::DEBUG,
        });
        let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
        valid.then_some(Self { trace_id, span_id, flags })
    }

    /// The same with the firehose flag set, or not: a trace that backends store without an index.
    ///
    /// ```
    /// use otel_jaeger::UberTraceId;
    ///
    /// let header = UberTraceId::parse("4d:17c29:0:1")?.with_firehose(true);
    /// assert!(header.is_firehose() && header.to_string().ends_with(":9"));
    /// # Ok::<(), otel_jaeger::ParseError>(())
    /// ```
    #[must_use]
    pub const fn with_firehose(mut self, firehose: bool) -> Self {
        let others = self.flags.0 & !Bitmap::FIREHOSE;
        self.flags = Bitmap(if firehose { others | Bitmap::FIREHOSE } else { others });
        self
    }

    /// Reads a header value, percent-encoded or not. White space around it is not part of the grammar and refused.
    ///
    /// Short ids are padded with zeros on the left. Digits may be of upper case.
    ///
    /// # Errors
    ///
    /// The first rule, from the left, that is broken.
    ///
    /// ```
    /// use otel_jaeger::{ErrorKind, UberTraceId};
    ///
    /// let plain = UberTraceId::parse("4d:17c29:0:1")?;
    /// assert_eq!(UberTraceId::parse("4d%3A17c29%3a0%3A1")?, plain);
    /// assert_eq!(UberTraceId::parse("4d:17c29:1").map_err(|e| e.kind()), Err(ErrorKind::FieldCount));
    /// # Ok::<(), otel_jaeger::ParseError>(())
    /// ```
    pub fn parse(value: &str) -> Result<Self, ParseError> {
        // An escape is three bytes, so a value of three times the length may still be short enough.
        if value.len() > 3 * LONGEST {
            return Err(ErrorKind::TooLong.into());
        }
        // No byte of a value that is plain needs an escape, so most are read without a look for one.
        identity(value.as_bytes()).or_else(|error| {
            if !value.contains('%') {
                return Err(error);
            }
            let decoded = percent::decode(value).map_err(|NotPercentEncoded| ErrorKind::Escape)?;
            identity(decoded.as_bytes())
        })
    }

    /// The trace; never zero.
    #[must_use]
    pub const fn trace_id(self) -> TraceId {
        self.trace_id
    }

    /// The caller's span; never zero.
    #[must_use]
    pub const fn span_id(self) -> SpanId {
        self.span_id
    }

    /// What the caller decided; never [`Sampling::Defer`].
    #[must_use]
    pub const fn sampling(self) -> Sampling {
        match (self.flags.sets(Bitmap::SAMPLED), self.flags.sets(Bitmap::DEBUG)) {
            (_, true) => Sampling::Debug,
            (true, false) => Sampling::Accept,
            (false, false) => Sampling::Deny,
        }
    }

    /// Whether backends are asked to store the trace without an index.
    #[must_use]
    pub const fn is_firehose(self) -> bool {
        self.flags.sets(Bitmap::FIREHOSE)
    }

    /// Writes the value in one exactly sized `String`; `short` sends a 64-bit trace id as 16 digits.
    pub(crate) fn write(self, short: bool) -> String {
        let value = self.to_bytes();
        let value = if short { value.strip_prefix(EMPTY_HALF).unwrap_or(&value) } else { &value };
        // It is ASCII, so nothing is ever left out.
        std::str::from_utf8(value).unwrap_or_default().to_owned()
    }

    /// > Senders SHOULD generate hex strings of exactly 16 or 32 characters in length
    fn to_bytes(self) -> [u8; WRITTEN] {
        let mut value = *b"................................:................:0:.";
        value[..32].copy_from_slice(&hex::encode_u128(u128::from_be_bytes(self.trace_id.to_bytes())));
        value[33..49].copy_from_slice(&hex::encode_u64(u64::from_be_bytes(self.span_id.to_bytes())));
        let [_, flags] = hex::encode_u8(self.flags.0);
        value[52] = flags;
        value
    }
}

impl FromStr for UberTraceId {
    type Err = ParseError;

    fn from_str(value: &str) -> Result<Self, ParseError> {
        Self::parse(value)
    }
}

impl fmt::Display for UberTraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.to_bytes()).map_err(|_| fmt::Error)?)
    }
}

/// > `{trace-id}:{span-id}:{parent-span-id}:{flags}`
///
/// <https://www.jaegertracing.io/sdk-migration/#value>
fn identity(input: &[u8]) -> Result<UberTraceId, ParseError> {
    if input.len() > LONGEST {
        return Err(ErrorKind::TooLong.into());
    }
    if let Some(header) = as_written(input) {
        return Ok(header);
    }
    let [trace, span, parent, bits] = fields(input).ok_or(ErrorKind::FieldCount)?;
    let trace_id = trace_id(trace)?;
    let span_id = span_id(span)?;
    parent_span_id(parent)?;
    Ok(UberTraceId { trace_id, span_id, flags: flags(bits)? })
}

/// A value as this crate writes it, and most others do: whole ids in lower case, and no parent. Its parts are where they
/// always are, so they are read without a look for them: 2000 instructions an extraction become 1706.
fn as_written(input: &[u8]) -> Option<UberTraceId> {
    let (trace, rest) = input.split_first_chunk()?;
    let (span, rest) = rest.strip_prefix(b":")?.split_first_chunk()?;
    let [bits @ (b'0' | b'1')] = rest.strip_prefix(b":0:")? else { return None };
    let sampling = if *bits == b'1' { Sampling::Accept } else { Sampling::Deny };
    UberTraceId::new(hex::decode_u128(trace)?.into(), hex::decode_u64(span)?.into(), sampling)
}

/// The four fields, and nothing where there are not exactly four.
fn fields(input: &[u8]) -> Option<[&[u8]; 4]> {
    let (trace, rest) = until_colon(input)?;
    let (span, rest) = until_colon(rest)?;
    let (parent, flags) = until_colon(rest)?;
    until_colon(flags).is_none().then_some([trace, span, parent, flags])
}

fn until_colon(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (field, rest) = input.split_at_checked(memchr(b':', input)?)?;
    Some((field, rest.get(1..)?))
}

/// > Receivers MUST accept hex-strings shorter than 32 characters and 0-pad them on the left
///
/// > Value of 0 is not valid
fn trace_id(digits: &[u8]) -> Result<TraceId, ParseError> {
    let whole = digits.try_into().ok().and_then(hex::decode_u128);
    match whole.map_or_else(|| short_trace_id(digits), Ok)? {
        0 => Err(ErrorKind::TraceIdZero.into()),
        id => Ok(TraceId::from(id)),
    }
}

/// Of fewer digits, or of upper case.
fn short_trace_id(digits: &[u8]) -> Result<u128, ErrorKind> {
    let digits = padded(digits).ok_or(ErrorKind::TraceIdWidth)?;
    hex::decode_u128(&digits).ok_or(ErrorKind::TraceIdDigits)
}

/// > Receivers MUST accept hex-strings shorter than 16 characters and 0-pad them on the left
///
/// > Value of 0 is not valid
fn span_id(digits: &[u8]) -> Result<SpanId, ParseError> {
    let whole = digits.try_into().ok().and_then(hex::decode_u64);
    match whole.map_or_else(|| short_span_id(digits), Ok)? {
        0 => Err(ErrorKind::SpanIdZero.into()),
        id => Ok(SpanId::from(id)),
    }
}

fn short_span_id(digits: &[u8]) -> Result<u64, ErrorKind> {
    let digits = padded(digits).ok_or(ErrorKind::SpanIdWidth)?;
    hex::decode_u64(&digits).ok_or(ErrorKind::SpanIdDigits)
}

/// > Deprecated, most Jaeger clients ignore on the receiving side, but still include it on the sending side
///
/// It goes nowhere, so an empty one costs no trace; another text in it shows that the value is not Jaeger's.
fn parent_span_id(digits: &[u8]) -> Result<(), ParseError> {
    if matches!(digits, [] | b"0") {
        return Ok(());
    }
    let digits = padded(digits).ok_or(ErrorKind::ParentSpanIdWidth)?;
    Ok(hex::decode_u64(&digits).map(drop).ok_or(ErrorKind::ParentSpanIdDigits)?)
}

fn flags(digits: &[u8]) -> Result<Bitmap, ParseError> {
    let digits = padded(digits).ok_or(ErrorKind::Flags)?;
    Ok(hex::decode_u8(&digits).map(Bitmap::known).ok_or(ErrorKind::Flags)?)
}

/// One to `N` digits in lower case, with zeros before them.
fn padded<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let mut padded = [b'0'; N];
    let zeros = N.checked_sub(digits.len()).filter(|&zeros| zeros < N)?;
    let (_, place) = padded.split_at_mut_checked(zeros)?;
    place.copy_from_slice(digits);
    padded.make_ascii_lowercase();
    Some(padded)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test")]
mod tests {
    use super::*;
    use ErrorKind::*;

    const LONG: &str = "80f198ee56343ba864fe8b2a57d3eff7";
    const SPAN: &str = "e457b5a2e4d86bd1";
    const PARENT: &str = "05e3ac9a4f6e3b90";

    fn header(trace_id: u128, span_id: u64, sampling: Sampling) -> UberTraceId {
        UberTraceId::new(TraceId::from(trace_id), SpanId::from(span_id), sampling).unwrap()
    }

    fn long(sampling: Sampling) -> UberTraceId {
        header(0x80f1_98ee_5634_3ba8_64fe_8b2a_57d3_eff7, 0xe457_b5a2_e4d8_6bd1, sampling)
    }

    #[test]
    fn accepted() {
        use Sampling::{Accept, Debug, Deny};
        let short = |sampling| header(0x4d_0000_0000_0000_0016, 0x17c29, sampling);
        let rows = [
            // {trace-id}, {span-id}
            ("shorter values are padded", "4d0000000000000016:17c29:0:1".to_owned(), short(Accept)),
            ("one digit each", "1:2:0:1".to_owned(), header(1, 2, Accept)),
            ("15 digits", format!("{:015x}:{:015x}:0:1", 1, 2), header(1, 2, Accept)),
            ("16 digits", format!("{:016x}:{:016x}:0:1", 1, 2), header(1, 2, Accept)),
            ("17 digits of a trace", format!("{:017x}:2:0:1", 1), header(1, 2, Accept)),
            ("31 digits", format!("{:031x}:2:0:1", 1), header(1, 2, Accept)),
            ("32 digits", format!("{LONG}:{SPAN}:0:1"), long(Accept)),
            ("upper case", format!("{LONG}:{SPAN}:0:1").to_uppercase(), long(Accept)),
            // {parent-span-id}
            ("0 means root span", format!("{LONG}:{SPAN}:0:0"), long(Deny)),
            ("a parent", format!("{LONG}:{SPAN}:{PARENT}:0"), long(Deny)),
            ("a parent of one digit", format!("{LONG}:{SPAN}:a:0"), long(Deny)),
            ("all zeros", format!("{LONG}:{SPAN}:{:016}:0", 0), long(Deny)),
            ("an empty parent", format!("{LONG}:{SPAN}::1"), long(Accept)),
            // {flags}
            ("not sampled", format!("{LONG}:{SPAN}:0:0"), long(Deny)),
            ("two digits", format!("{LONG}:{SPAN}:0:01"), long(Accept)),
            ("debug", format!("{LONG}:{SPAN}:0:3"), long(Debug)),
            ("debug with two digits", format!("{LONG}:{SPAN}:0:03"), long(Debug)),
            ("debug should only be set with sampled", format!("{LONG}:{SPAN}:0:2"), long(Deny)),
            ("firehose", format!("{LONG}:{SPAN}:0:9"), long(Accept).with_firehose(true)),
            ("firehose alone", format!("{LONG}:{SPAN}:0:8"), long(Deny).with_firehose(true)),
            ("every flag of four bits", format!("{LONG}:{SPAN}:0:0f"), long(Debug).with_firehose(true)),
            ("upper case", format!("{LONG}:{SPAN}:0:B"), long(Debug).with_firehose(true)),
            ("bits without a meaning", format!("{LONG}:{SPAN}:0:f4"), long(Deny)),
            ("hex and not decimal", format!("{LONG}:{SPAN}:0:11"), long(Accept)),
            // As a whole it may be URL-encoded.
            ("upper-case escapes", "4d0000000000000016%3A17c29%3A0%3A1".to_owned(), short(Accept)),
            ("lower-case escapes", "4d0000000000000016%3a17c29%3a0%3a1".to_owned(), short(Accept)),
            ("some of them", "4d0000000000000016:17c29%3A0:1".to_owned(), short(Accept)),
            ("an escaped digit", "4d000000000000001%36:17c29:0:1".to_owned(), short(Accept)),
            (
                "all of the longest",
                all_escaped(&format!("{LONG}:{SPAN}:{PARENT}:0b")),
                long(Debug).with_firehose(true),
            ),
        ];
        for (rule, value, expected) in rows {
            assert_eq!(UberTraceId::parse(&value), Ok(expected), "{rule}: {value:?}");
        }
    }

    fn all_escaped(value: &str) -> String {
        value.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat()
    }

    #[test]
    fn rejected() {
        let rows = [
            ("empty", String::new(), FieldCount),
            ("one field", LONG.to_owned(), FieldCount),
            ("three fields", format!("{LONG}:{SPAN}:1"), FieldCount),
            ("five fields", format!("{LONG}:{SPAN}:0:1:1"), FieldCount),
            ("a colon after the flags", format!("{LONG}:{SPAN}:0:1:"), FieldCount),
            ("a megabyte", "8".repeat(1 << 20), TooLong),
            ("a megabyte of colons", ":".repeat(1 << 20), TooLong),
            ("longer than any", format!("{LONG}:{SPAN}:{PARENT}:001"), TooLong),
            ("longer than any, escaped", all_escaped(&format!("{LONG}:{SPAN}:{PARENT}:001")), TooLong),
            // {trace-id}
            ("empty", ":1:0:1".to_owned(), TraceIdWidth),
            ("33 digits", format!("0{LONG}:1:0:1"), TraceIdWidth),
            ("zero", "0:1:0:1".to_owned(), TraceIdZero),
            ("all zeros", format!("{:032}:1:0:1", 0), TraceIdZero),
            ("a sign", "+4d:1:0:1".to_owned(), TraceIdDigits),
            ("a prefix", "0x4d:1:0:1".to_owned(), TraceIdDigits),
            ("not hex", "4g:1:0:1".to_owned(), TraceIdDigits),
            ("not ASCII", "４:1:0:1".to_owned(), TraceIdDigits),
            ("a control that lower case would hide", "\u{10}4d:1:0:1".to_owned(), TraceIdDigits),
            ("a space", " 4d:1:0:1".to_owned(), TraceIdDigits),
            // {span-id}
            ("empty", "1::0:1".to_owned(), SpanIdWidth),
            ("17 digits", format!("1:0{SPAN}:0:1"), SpanIdWidth),
            ("zero", "1:0:0:1".to_owned(), SpanIdZero),
            ("a sign", "1:-1:0:1".to_owned(), SpanIdDigits),
            ("not hex", "1:xyz:0:1".to_owned(), SpanIdDigits),
            // {parent-span-id}
            ("17 digits", format!("1:2:0{PARENT}:1"), ParentSpanIdWidth),
            ("not hex", "1:2:zz:1".to_owned(), ParentSpanIdDigits),
            // {flags}
            ("empty", "1:2:0:".to_owned(), Flags),
            ("three digits", "1:2:0:100".to_owned(), Flags),
            ("not hex", "1:2:0:g".to_owned(), Flags),
            ("a sign", "1:2:0:+1".to_owned(), Flags),
            ("a space", "1:2:0:1 ".to_owned(), Flags),
            // As a whole it may be URL-encoded.
            ("half an escape", "1%3A2%3A0%3A1%".to_owned(), Escape),
            ("no escape", "1%3A2%3A0%3g1".to_owned(), Escape),
            ("encoded twice", "1%253A2%253A0%253A1".to_owned(), FieldCount),
            ("not UTF-8", "1%ff:2:0:1".to_owned(), Escape),
        ];
        for (rule, value, kind) in rows {
            assert_eq!(UberTraceId::parse(&value).map_err(ParseError::kind), Err(kind), "{rule}: {value:?}");
        }
    }

    #[test]
    fn a_structural_byte_in_any_position_is_refused() {
        let value = format!("{LONG}:{SPAN}:0:1");
        for byte in "-,;=@ \t\"\\\r\n\0g".chars() {
            for (position, _) in value.char_indices() {
                let (before, after) = value.split_at(position);
                let value = format!("{before}{byte}{after}");
                assert!(UberTraceId::parse(&value).is_err(), "{value:?}");
            }
        }
    }

    #[test]
    fn what_is_written_is_exactly_sized_and_read_back() {
        let short = header(0x64fe_8b2a_57d3_eff7, 1, Sampling::Accept);
        for header in [long(Sampling::Deny), long(Sampling::Accept), long(Sampling::Debug), short] {
            for header in [header, header.with_firehose(true)] {
                for short in [false, true] {
                    let value = header.write(short);
                    assert_eq!(value.capacity(), value.len(), "{value}");
                    assert_eq!(UberTraceId::parse(&value), Ok(header), "{value}");
                }
                assert_eq!(header.write(false), header.to_string());
            }
        }
        assert_eq!(short.write(true), "64fe8b2a57d3eff7:0000000000000001:0:1");
        assert_eq!(long(Sampling::Defer), long(Sampling::Deny), "Jaeger cannot defer");
    }
}
