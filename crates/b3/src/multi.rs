//! `x-b3-*`: a header for each field.
//!
//! <https://github.com/openzipkin/b3-propagation#multiple-headers>
//!
//! > When encoding in case-sensitive transports, prefer lowercase keys

use crate::{
    Sampling,
    error::ParseError,
    fields::{self, Fields, Ids},
    headers::{FLAGS, Header, SAMPLED, SPAN_ID, TRACE_ID, Unreadable},
};
use otel_propagator_core::hex;

/// Reads the headers that `get` gives; `None` where they say nothing.
pub(crate) fn parse<'a>(
    get: impl Fn(&str) -> Result<Option<&'a str>, Unreadable>,
) -> Result<Option<Fields>, ParseError> {
    let get = |header: Header| get(header.name()).map_err(|Unreadable| ParseError::NotText(header));
    let ids = identifiers(get)?;
    let sampling = sampling_state(get)?;
    Ok(match (ids, sampling) {
        (Some(ids), sampling) => Some(Fields::Trace(ids, sampling)),
        (None, Sampling::Defer) => None,
        (None, decision) => Some(Fields::Decision(decision)),
    })
}

/// > Unless propagating only the Sampling State, the `X-B3-TraceId` header is required.
///
/// The same is said of `X-B3-SpanId`. A parent of no span is not looked at.
fn identifiers<'a>(
    get: impl Fn(Header) -> Result<Option<&'a str>, ParseError>,
) -> Result<Option<Ids>, ParseError> {
    match (get(Header::TraceId)?, get(Header::SpanId)?) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(ParseError::TraceIdMissing),
        (Some(_), None) => Err(ParseError::SpanIdMissing),
        (Some(trace_id), Some(span_id)) => {
            let trace_id = fields::trace_id(trace_id.as_bytes())?;
            let span_id = fields::span_id(span_id.as_bytes())?;
            get(Header::ParentSpanId)?.map_or(Ok(()), |parent| fields::parent_span_id(parent.as_bytes()))?;
            Ok(Some(Ids { trace_id, span_id }))
        }
    }
}

/// > Debug is encoded as `X-B3-Flags: 1`. Absent or any other value can be ignored. Debug implies an accept
/// > decision, so don't also send the `X-B3-Sampled` header.
///
/// <https://github.com/openzipkin/b3-propagation#debug-flag>
fn sampling_state<'a>(
    get: impl Fn(Header) -> Result<Option<&'a str>, ParseError>,
) -> Result<Sampling, ParseError> {
    if get(Header::Flags) == Ok(Some("1")) {
        Ok(Sampling::Debug)
    } else {
        get(Header::Sampled)?.map_or(Ok(Sampling::Defer), sampled)
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

/// Hands each header to `set`; `short` sends a 64-bit trace id as 16 digits. Where the request has an older debug flag, it
/// is overridden. An older `X-B3-Sampled` is not, beside a trace whose decision is open: an empty one is malformed.
pub(crate) fn write(
    fields: &Fields,
    short: bool,
    has_older_flags: impl FnOnce() -> bool,
    mut set: impl FnMut(&'static str, String),
) {
    let sampling = match *fields {
        Fields::Trace(Ids { trace_id, span_id }, sampling) => {
            let trace_id = hex::encode_u128(u128::from_be_bytes(trace_id.to_bytes()));
            let span_id = hex::encode_u64(u64::from_be_bytes(span_id.to_bytes()));
            set(TRACE_ID, fields::text(fields::significant(&trace_id, short)));
            set(SPAN_ID, fields::text(&span_id));
            sampling
        }
        Fields::Decision(sampling) => sampling,
    };
    match sampling {
        Sampling::Defer | Sampling::Debug => {}
        Sampling::Deny => set(SAMPLED, "0".to_owned()),
        Sampling::Accept => set(SAMPLED, "1".to_owned()),
    }
    if sampling == Sampling::Debug {
        set(FLAGS, "1".to_owned());
    } else if has_older_flags() {
        set(FLAGS, String::new());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::PARENT_SPAN_ID;
    use ParseError::*;
    use opentelemetry::trace::{SpanId, TraceId};

    const LONG: (&str, &str) = (TRACE_ID, "463ac35c9f6413ad48485a3953bb6124");
    const SHORT: (&str, &str) = (TRACE_ID, "48485a3953bb6124");
    const SPAN: (&str, &str) = (SPAN_ID, "a2fb4a1d1a96d312");
    const PARENT: (&str, &str) = (PARENT_SPAN_ID, "0020000000000001");

    /// What a carrier cannot give as text.
    const NOT_TEXT: &str = "\u{fffd}";

    /// Rule, headers, expected.
    type Row<E> = (&'static str, &'static [(&'static str, &'static str)], E);

    fn read(headers: &[(&str, &str)]) -> Result<Option<Fields>, ParseError> {
        parse(|name| match headers.iter().find(|header| header.0 == name) {
            Some(&(_, NOT_TEXT)) => Err(Unreadable),
            header => Ok(header.map(|header| header.1)),
        })
    }

    fn trace(trace_id: u128, sampling: Sampling) -> Fields {
        let span_id = SpanId::from(0xa2fb_4a1d_1a96_d312);
        Fields::Trace(Ids { trace_id: TraceId::from(trace_id), span_id }, sampling)
    }

    fn long(sampling: Sampling) -> Fields {
        trace(0x463a_c35c_9f64_13ad_4848_5a39_53bb_6124, sampling)
    }

    #[test]
    fn accepted() {
        use Sampling::{Accept, Debug, Defer, Deny};
        let alone = Fields::Decision;
        let rows: &[Row<Option<Fields>>] = &[
            // #multiple-headers
            ("nothing", &[], None),
            ("a parent of nothing says nothing", &[PARENT], None),
            ("32 characters", &[LONG, SPAN], Some(long(Defer))),
            ("16 characters are the lower half", &[SHORT, SPAN], Some(trace(0x4848_5a39_53bb_6124, Defer))),
            // #parentspanid-1
            ("a parent", &[LONG, SPAN, PARENT, (SAMPLED, "1")], Some(long(Accept))),
            (
                "an all-zero parent is no parent",
                &[LONG, SPAN, (PARENT_SPAN_ID, "0000000000000000")],
                Some(long(Defer)),
            ),
            // #sampling-state-1
            ("accept", &[LONG, SPAN, (SAMPLED, "1")], Some(long(Accept))),
            ("deny", &[LONG, SPAN, (SAMPLED, "0")], Some(long(Deny))),
            (
                "a lenient implementation may accept true",
                &[LONG, SPAN, (SAMPLED, "true")],
                Some(long(Accept)),
            ),
            ("and false", &[LONG, SPAN, (SAMPLED, "false")], Some(long(Deny))),
            ("as Python writes them", &[LONG, SPAN, (SAMPLED, "True")], Some(long(Accept))),
            ("in any case", &[LONG, SPAN, (SAMPLED, "FALSE")], Some(long(Deny))),
            ("deny alone", &[(SAMPLED, "0")], Some(alone(Deny))),
            ("accept alone", &[(SAMPLED, "1")], Some(alone(Accept))),
            ("accept alone, as a word", &[(SAMPLED, "true")], Some(alone(Accept))),
            // #debug-flag
            ("debug", &[LONG, SPAN, (FLAGS, "1")], Some(long(Debug))),
            ("debug alone", &[(FLAGS, "1")], Some(alone(Debug))),
            ("debug implies accept", &[LONG, SPAN, (FLAGS, "1"), (SAMPLED, "0")], Some(long(Debug))),
            ("and makes the other header idle", &[(FLAGS, "1"), (SAMPLED, "-")], Some(alone(Debug))),
            (
                "any other value can be ignored",
                &[LONG, SPAN, (FLAGS, "0"), (SAMPLED, "1")],
                Some(long(Accept)),
            ),
            ("the sampled bit of Finagle", &[LONG, SPAN, (FLAGS, "6")], Some(long(Defer))),
            ("an empty one", &[LONG, SPAN, (FLAGS, ""), (SAMPLED, "0")], Some(long(Deny))),
            ("two digits are another value", &[LONG, SPAN, (FLAGS, "01")], Some(long(Defer))),
            ("a set bit of another number", &[LONG, SPAN, (FLAGS, "3")], Some(long(Defer))),
            ("and of a larger one", &[LONG, SPAN, (FLAGS, "9"), (SAMPLED, "0")], Some(long(Deny))),
            ("01 alone", &[(FLAGS, "01")], None),
            ("3 alone", &[(FLAGS, "3")], None),
            ("9 alone", &[(FLAGS, "9")], None),
            ("what is not text is another value", &[LONG, SPAN, (FLAGS, NOT_TEXT)], Some(long(Defer))),
            ("no flags", &[(FLAGS, "0")], None),
            (
                "debug makes a header idle that is not text",
                &[(FLAGS, "1"), (SAMPLED, NOT_TEXT)],
                Some(alone(Debug)),
            ),
        ];
        for (rule, headers, expected) in rows {
            assert_eq!(read(headers), Ok(*expected), "{rule}: {headers:?}");
        }
    }

    #[test]
    fn rejected() {
        let rows: &[Row<ParseError>] = &[
            // there, but not text
            ("a trace id", &[(TRACE_ID, NOT_TEXT), SPAN], NotText(Header::TraceId)),
            ("a trace id alone", &[(TRACE_ID, NOT_TEXT)], NotText(Header::TraceId)),
            ("a span id", &[LONG, (SPAN_ID, NOT_TEXT)], NotText(Header::SpanId)),
            ("a parent", &[LONG, SPAN, (PARENT_SPAN_ID, NOT_TEXT)], NotText(Header::ParentSpanId)),
            ("a state", &[LONG, SPAN, (SAMPLED, NOT_TEXT)], NotText(Header::Sampled)),
            ("a state alone", &[(SAMPLED, NOT_TEXT)], NotText(Header::Sampled)),
            // #traceid-1
            ("a span id alone", &[SPAN], TraceIdMissing),
            ("a span id and a state", &[SPAN, (SAMPLED, "1")], TraceIdMissing),
            ("empty", &[(TRACE_ID, ""), SPAN], TraceIdWidth),
            ("15 characters", &[(TRACE_ID, "8485a3953bb6124"), SPAN], TraceIdWidth),
            ("17 characters", &[(TRACE_ID, "148485a3953bb6124"), SPAN], TraceIdWidth),
            ("31 characters", &[(TRACE_ID, "63ac35c9f6413ad48485a3953bb6124"), SPAN], TraceIdWidth),
            ("33 characters", &[(TRACE_ID, "1463ac35c9f6413ad48485a3953bb6124"), SPAN], TraceIdWidth),
            ("upper case", &[(TRACE_ID, "463AC35C9F6413AD48485A3953BB6124"), SPAN], TraceIdDigits),
            ("a sign is not a digit", &[(TRACE_ID, "+63ac35c9f6413ad48485a3953bb6124"), SPAN], TraceIdDigits),
            ("a sign, 64 bits", &[(TRACE_ID, "-8485a3953bb6124"), SPAN], TraceIdDigits),
            ("not ASCII", &[(TRACE_ID, "é485a3953bb6124"), SPAN], TraceIdDigits),
            ("all zeros", &[(TRACE_ID, "00000000000000000000000000000000"), SPAN], TraceIdZero),
            ("all zeros, 64 bits", &[(TRACE_ID, "0000000000000000"), SPAN], TraceIdZero),
            // #spanid-1
            ("a trace id alone", &[LONG], SpanIdMissing),
            ("a trace id and debug", &[LONG, (FLAGS, "1")], SpanIdMissing),
            ("empty", &[LONG, (SPAN_ID, "")], SpanIdWidth),
            ("15 characters", &[LONG, (SPAN_ID, "2fb4a1d1a96d312")], SpanIdWidth),
            ("17 characters", &[LONG, (SPAN_ID, "0a2fb4a1d1a96d312")], SpanIdWidth),
            ("32 characters", &[LONG, (SPAN_ID, "463ac35c9f6413ad48485a3953bb6124")], SpanIdWidth),
            ("upper case", &[LONG, (SPAN_ID, "A2FB4A1D1A96D312")], SpanIdDigits),
            ("a sign is not a digit", &[LONG, (SPAN_ID, "+2fb4a1d1a96d312")], SpanIdDigits),
            ("all zeros", &[LONG, (SPAN_ID, "0000000000000000")], SpanIdZero),
            // #parentspanid-1
            ("empty", &[LONG, SPAN, (PARENT_SPAN_ID, "")], ParentSpanIdWidth),
            ("an arbitrary nonsense value", &[LONG, SPAN, (PARENT_SPAN_ID, "-")], ParentSpanIdWidth),
            ("15 characters", &[LONG, SPAN, (PARENT_SPAN_ID, "020000000000001")], ParentSpanIdWidth),
            ("17 characters", &[LONG, SPAN, (PARENT_SPAN_ID, "00020000000000001")], ParentSpanIdWidth),
            ("upper case", &[LONG, SPAN, (PARENT_SPAN_ID, "002000000000000A")], ParentSpanIdDigits),
            (
                "a sign is not a digit",
                &[LONG, SPAN, (PARENT_SPAN_ID, "-020000000000001")],
                ParentSpanIdDigits,
            ),
            // #sampling-state-1
            ("an empty header is malformed", &[LONG, SPAN, (SAMPLED, "")], SamplingState),
            ("empty, alone", &[(SAMPLED, "")], SamplingState),
            ("another digit", &[LONG, SPAN, (SAMPLED, "2")], SamplingState),
            ("two digits", &[LONG, SPAN, (SAMPLED, "01")], SamplingState),
            ("d is for b3", &[LONG, SPAN, (SAMPLED, "d")], SamplingState),
            ("d alone", &[(SAMPLED, "d")], SamplingState),
            ("a longer word", &[LONG, SPAN, (SAMPLED, "truee")], SamplingState),
            ("not ASCII", &[LONG, SPAN, (SAMPLED, "１")], SamplingState),
            ("whatever the flags", &[LONG, SPAN, (SAMPLED, "x"), (FLAGS, "0")], SamplingState),
        ];
        for (rule, headers, error) in rows {
            assert_eq!(read(headers), Err(*error), "{rule}: {headers:?}");
        }
    }

    #[test]
    fn a_structural_byte_in_any_position_is_refused() {
        let headers = [LONG, SPAN, PARENT, (SAMPLED, "1")];
        for (index, (name, value)) in headers.into_iter().enumerate() {
            for byte in "-,;=%@+ \t\"\\\r\n\0".chars() {
                for position in 0..=value.len() {
                    let (before, after) = value.split_at(position);
                    for after in [Some(after), after.get(1..)].into_iter().flatten() {
                        let value = format!("{before}{byte}{after}");
                        let mut headers = headers;
                        headers[index].1 = &value;
                        assert!(read(&headers).is_err(), "{name}: {value:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_exactly_sized_and_read_back() {
        use Sampling::{Accept, Debug, Defer, Deny};
        let traces = [Defer, Deny, Accept, Debug].into_iter().map(long);
        for fields in traces.chain([Deny, Accept, Debug].map(Fields::Decision)) {
            let mut headers = Vec::new();
            write(&fields, false, || false, |name, value| headers.push((name, value)));
            assert!(headers.iter().all(|(_, value)| value.capacity() == value.len()), "{headers:?}");
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(read(&headers), Ok(Some(fields)), "{headers:?}");
        }
    }
}
