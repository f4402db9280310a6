//! `ot-tracer-*`: a header for each field, as the clients of `LightStep` for `OpenTracing` write them.
//!
//! There is no specification. The rules are those that OpenTelemetry's propagators for Go, Java and JavaScript share;
//! where they do not, the crate's documentation says what is done here.

use crate::{
    ErrorKind, ParseError, Sampling,
    headers::{SAMPLED, SPAN_ID, TRACE_ID},
};
use opentelemetry::trace::{SpanId, TraceId};
use otel_propagator_core::hex;

/// The three headers: the trace that a request belongs to, the caller's span in it, and what the caller decided.
///
/// One that exists is valid: neither id is zero.
///
/// ```
/// use otel_ottrace::{OtTrace, Sampling};
///
/// let received = OtTrace::parse("463ac35c9f6413ad", "48485a3953bb612", Some("true"))?;
/// assert_eq!(received.trace_id().to_string(), "0000000000000000463ac35c9f6413ad");
/// assert_eq!(received.span_id().to_string(), "048485a3953bb612");
/// assert_eq!(received.sampling(), Sampling::Accept);
/// # Ok::<(), otel_ottrace::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct OtTrace {
    trace_id: TraceId,
    span_id: SpanId,
    sampling: Sampling,
}

impl OtTrace {
    /// What a span sends with its requests; `None` where one of the ids is zero.
    ///
    /// The format does not know debug traces, so [`Sampling::Debug`] is [`Sampling::Accept`].
    #[must_use]
    pub fn new(trace_id: TraceId, span_id: SpanId, sampling: Sampling) -> Option<Self> {
        let sampling = if sampling.is_sampled() { Sampling::Accept } else { sampling };
        let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
        valid.then_some(Self { trace_id, span_id, sampling })
    }

    /// Reads the values of `ot-tracer-traceid`, `ot-tracer-spanid` and, if there is one, `ot-tracer-sampled`.
    ///
    /// # Errors
    ///
    /// The first rule that is broken, in the order of the arguments.
    ///
    /// ```
    /// use otel_ottrace::{ErrorKind, OtTrace};
    ///
    /// let error = OtTrace::parse("463ac35c9f6413ad", "48485a3953bb6124", Some("yes")).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::Sampled);
    /// ```
    pub fn parse(trace_id: &str, span_id: &str, sampled: Option<&str>) -> Result<Self, ParseError> {
        Ok(Self {
            trace_id: parse_trace_id(trace_id.as_bytes())?,
            span_id: parse_span_id(span_id.as_bytes())?,
            sampling: parse_sampled(sampled.unwrap_or_default())?,
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

    /// What the caller decided; [`Sampling::Defer`] where the header is absent or empty. Never [`Sampling::Debug`].
    #[must_use]
    pub const fn sampling(self) -> Sampling {
        self.sampling
    }

    /// The same in the trace of which this one's id is the lower half.
    pub(crate) fn in_trace(mut self, longer: TraceId) -> Self {
        let [longer_id, id] = [longer, self.trace_id].map(|id| u128::from_be_bytes(id.to_bytes()));
        if id == u128::from(lower_half(longer_id)) {
            self.trace_id = longer;
        }
        self
    }

    /// Whether the format can name the trace: something other than zeros is left of its id.
    pub(crate) fn can_be_sent(&self) -> bool {
        lower_half(u128::from_be_bytes(self.trace_id.to_bytes())) != 0
    }

    /// Hands each header to `set`.
    ///
    /// The clients that know this format know 64-bit trace ids alone, so the upper half is not sent.
    pub(crate) fn write(self, mut set: impl FnMut(&'static str, String)) {
        let trace_id = lower_half(u128::from_be_bytes(self.trace_id.to_bytes()));
        set(TRACE_ID, digits(trace_id));
        set(SPAN_ID, digits(u64::from_be_bytes(self.span_id.to_bytes())));
        match self.sampling {
            Sampling::Defer => {}
            Sampling::Deny => set(SAMPLED, "false".to_owned()),
            Sampling::Accept | Sampling::Debug => set(SAMPLED, "true".to_owned()),
        }
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the lower half is what is wanted")]
const fn lower_half(trace_id: u128) -> u64 {
    trace_id as u64
}

fn digits(id: u64) -> String {
    // They are ASCII, so this is never empty.
    std::str::from_utf8(&hex::encode_u64(id)).unwrap_or_default().to_owned()
}

/// 16 digits or 32; fewer than 16 are what the clients write of an id that begins with zeros.
fn parse_trace_id(digits: &[u8]) -> Result<TraceId, ParseError> {
    let id = match digits.try_into() {
        Ok(digits) => hex::decode_u128(digits),
        Err(_) => hex::decode_u64(&padded(digits).ok_or(ErrorKind::TraceIdWidth)?).map(u128::from),
    };
    match id.ok_or(ErrorKind::TraceIdDigits)? {
        0 => Err(ErrorKind::TraceIdZero.into()),
        id => Ok(TraceId::from(id)),
    }
}

fn parse_span_id(digits: &[u8]) -> Result<SpanId, ParseError> {
    let digits = padded(digits).ok_or(ErrorKind::SpanIdWidth)?;
    match hex::decode_u64(&digits).ok_or(ErrorKind::SpanIdDigits)? {
        0 => Err(ErrorKind::SpanIdZero.into()),
        id => Ok(SpanId::from(id)),
    }
}

/// One to 16 digits, with zeros before them.
fn padded(digits: &[u8]) -> Option<[u8; 16]> {
    let mut padded = [b'0'; 16];
    let zeros = padded.len().checked_sub(digits.len()).filter(|&zeros| zeros < 16)?;
    let (_, place) = padded.split_at_mut_checked(zeros)?;
    place.copy_from_slice(digits);
    Some(padded)
}

fn parse_sampled(text: &str) -> Result<Sampling, ParseError> {
    match text {
        "" => Ok(Sampling::Defer),
        "0" => Ok(Sampling::Deny),
        "1" => Ok(Sampling::Accept),
        _ if text.eq_ignore_ascii_case("false") => Ok(Sampling::Deny),
        _ if text.eq_ignore_ascii_case("true") => Ok(Sampling::Accept),
        _ => Err(ErrorKind::Sampled.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorKind::*;

    const LONG: &str = "463ac35c9f6413ad48485a3953bb6124";
    const SHORT: &str = "48485a3953bb6124";
    const SPAN: &str = "a2fb4a1d1a96d312";

    fn trace(trace_id: u128, sampling: Sampling) -> Option<OtTrace> {
        OtTrace::new(TraceId::from(trace_id), SpanId::from(0xa2fb_4a1d_1a96_d312), sampling)
    }

    #[test]
    fn accepted() {
        use Sampling::{Accept, Defer, Deny};
        let (long, short) = (0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124, 0x4848_5a39_53bb_6124);
        let rows = [
            ("32 digits", LONG, SPAN, Some("true"), long, Accept),
            ("16 digits are the lower half", SHORT, SPAN, Some("true"), short, Accept),
            (
                "15 digits of an id that begins with a zero",
                "8485a3953bb6124",
                SPAN,
                None,
                0x848_5a39_53bb_6124,
                Defer,
            ),
            ("one digit", "7", SPAN, None, 7, Defer),
            ("false", SHORT, SPAN, Some("false"), short, Deny),
            ("in any case, as Python writes it", SHORT, SPAN, Some("True"), short, Accept),
            ("in any case", SHORT, SPAN, Some("FALSE"), short, Deny),
            ("1", SHORT, SPAN, Some("1"), short, Accept),
            ("0", SHORT, SPAN, Some("0"), short, Deny),
            ("empty", SHORT, SPAN, Some(""), short, Defer),
            ("absent", SHORT, SPAN, None, short, Defer),
        ];
        for (rule, trace_id, span_id, sampled, expected, sampling) in rows {
            assert_eq!(OtTrace::parse(trace_id, span_id, sampled).ok(), trace(expected, sampling), "{rule}");
        }
        assert_eq!(
            OtTrace::parse(SHORT, "1", None).map(OtTrace::span_id),
            Ok(SpanId::from(1)),
            "a short span id"
        );
    }

    #[test]
    fn rejected() {
        let megabyte = "8".repeat(1 << 20);
        let rows = [
            ("empty", "", SPAN, None, TraceIdWidth),
            ("17 digits", "048485a3953bb6124", SPAN, None, TraceIdWidth),
            ("31 digits", "63ac35c9f6413ad48485a3953bb6124", SPAN, None, TraceIdWidth),
            ("33 digits", "0463ac35c9f6413ad48485a3953bb6124", SPAN, None, TraceIdWidth),
            ("a megabyte", &megabyte, SPAN, None, TraceIdWidth),
            ("upper case", "48485A3953BB6124", SPAN, None, TraceIdDigits),
            ("a sign", "+8485a3953bb6124", SPAN, None, TraceIdDigits),
            ("a prefix", "0x8485a3953bb612", SPAN, None, TraceIdDigits),
            ("not ASCII", "é485a3953bb6124", SPAN, None, TraceIdDigits),
            ("zero", "0", SPAN, None, TraceIdZero),
            ("all zeros", "00000000000000000000000000000000", SPAN, None, TraceIdZero),
            ("an empty span id", SHORT, "", None, SpanIdWidth),
            ("17 digits", SHORT, "0a2fb4a1d1a96d312", None, SpanIdWidth),
            ("a megabyte", SHORT, &megabyte, None, SpanIdWidth),
            ("upper case", SHORT, "A2FB4A1D1A96D312", None, SpanIdDigits),
            ("a sign", SHORT, "-2fb4a1d1a96d312", None, SpanIdDigits),
            ("all zeros", SHORT, "0000000000000000", None, SpanIdZero),
            ("another word", SHORT, SPAN, Some("x"), Sampled),
            ("a longer word", SHORT, SPAN, Some("truee"), Sampled),
            ("another digit", SHORT, SPAN, Some("2"), Sampled),
            ("two digits", SHORT, SPAN, Some("01"), Sampled),
            ("a letter of B3", SHORT, SPAN, Some("d"), Sampled),
            ("a megabyte", SHORT, SPAN, Some(&megabyte), Sampled),
        ];
        for (rule, trace_id, span_id, sampled, kind) in rows {
            let error = OtTrace::parse(trace_id, span_id, sampled).map_err(ParseError::kind);
            assert_eq!(error, Err(kind), "{rule}");
        }
    }

    #[test]
    fn what_is_written_is_exactly_sized_and_read_back() {
        for sampling in [Sampling::Defer, Sampling::Deny, Sampling::Accept, Sampling::Debug] {
            for trace in [trace(0x4848_5a39_53bb_6124, sampling), trace(1, sampling)].into_iter().flatten() {
                let mut headers = Vec::new();
                trace.write(|name, value| headers.push((name, value)));
                assert!(headers.iter().all(|(_, value)| value.capacity() == value.len()), "{headers:?}");
                let get = |name| headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
                let [trace_id, span_id] = [TRACE_ID, SPAN_ID].map(|name| get(name).unwrap_or_default());
                assert_eq!(OtTrace::parse(trace_id, span_id, get(SAMPLED)), Ok(trace), "{headers:?}");
            }
        }
    }

    #[test]
    fn the_upper_half_is_that_of_the_trace_whose_lower_half_it_is() {
        let rows = [
            ("the lower half", 0x1_0000_0000_0000_0007, 7, 0x1_0000_0000_0000_0007),
            ("another lower half", 0x1_0000_0000_0000_0008, 7, 7),
            ("of 128 bits itself", 0x1_0000_0000_0000_0007, 0x2_0000_0000_0000_0007, 0x2_0000_0000_0000_0007),
            ("no upper half", 7, 7, 7),
            ("no trace", 0, 7, 7),
        ];
        for (rule, known, received, expected) in rows {
            let restored = trace(received, Sampling::Accept).map(|it| it.in_trace(TraceId::from(known)));
            assert_eq!(restored, trace(expected, Sampling::Accept), "{rule}");
        }
    }
}
