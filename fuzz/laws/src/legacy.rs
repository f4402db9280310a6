//! `uber-trace-id`, `X-Amzn-Trace-Id` and `ot-tracer-*`, against the shortest readings of them that can be written.

use crate::{
    carrier::{Lines, LinesExt as _, Sent, send},
    given::{GIVEN, has_given_baggage, has_given_span, has_mark},
};
use opentelemetry::{
    Context,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use otel_jaeger::{JaegerExt, JaegerPropagator, PrefixedBaggage, Sampling, SamplingExt};
use otel_ottrace::OtTracePropagator;
use otel_xray::{XrayExt, XrayPropagator};
use std::collections::BTreeMap;

/// A trace, a span and what was decided.
type Trace = (u128, u64, Sampling);

/// Every line of the input is a line of `uber-trace-id`.
pub fn jaeger(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines::of("uber-trace-id", text.split('\n'));
    let jaeger = JaegerPropagator::new();
    let expected = only_line(&lines).and_then(uber_trace_id);
    let trace = expected.map(|(trace, _)| trace);
    let sent = lines.one_answer(|carrier| {
        let sent = next_hop(&jaeger, carrier, trace);
        let cx = jaeger.extract_with_context(&Context::new(), carrier);
        law!(
            cx.is_firehose() == expected.is_some_and(|(_, firehose)| firehose),
            "firehose is kept",
            expected
        );
        sent
    });
    let value = expected.map(|((trace, span, sampling), firehose)| {
        let flags = match sampling {
            Sampling::Defer | Sampling::Deny => 0,
            Sampling::Accept => 1,
            Sampling::Debug => 3,
        };
        format!("{trace:032x}:{span:016x}:0:{:x}", flags | u8::from(firehose) << 3)
    });
    law!(sent.get("uber-trace-id") == value.as_deref(), "what was received goes on", sent, value);
    law!(next_hop(&jaeger, &sent, trace) == sent, "the second hop sends what the first one sent", sent);
}

/// The input is header lines, `name:value`: baggage of Jaeger and of OT Trace.
pub fn prefixed_baggage(data: &[u8]) {
    const NAMES: &[&str] = &[
        "uberctx-a",
        "uberctx-b",
        "uberctx-",
        "jaeger-baggage",
        "jaeger-debug-id",
        "ot-baggage-a",
        "ot-baggage-b",
        "ot-tracer-traceid",
        "ot-tracer-spanid",
    ];
    let text = String::from_utf8_lossy(data);
    let lines = Lines::parse(NAMES, &text);
    let jaeger = JaegerPropagator::new().with_debug_id(true).with_baggage(PrefixedBaggage::both());
    let ottrace = OtTracePropagator::new().with_baggage(PrefixedBaggage::both());
    for propagator in [&jaeger as &dyn TextMapPropagator, &ottrace] {
        let once = carried(propagator, &lines);
        law!(carried(propagator, &once) == once, "the second hop sends what the first one sent", once);
        for (name, value) in &once.0 {
            law!(value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "values are visible", name, value);
            law!(value.trim() == value, "no value has spaces around it", name, value);
        }
    }
}

fn carried(propagator: &dyn TextMapPropagator, carrier: &dyn Extractor) -> Sent {
    let mut sent = Sent::default();
    propagator.inject_context(&propagator.extract_with_context(&Context::new(), carrier), &mut sent);
    sent
}

/// Every line of the input is a line of `x-amzn-trace-id`.
pub fn xray(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let lines = Lines::of("x-amzn-trace-id", text.split('\n'));
    let xray = XrayPropagator::new();
    let expected = only_line(&lines).and_then(amzn_trace_id);
    let trace = expected.as_ref().and_then(|header| Some((header.root, header.parent?, header.sampling)));
    let sent = lines.one_answer(|carrier| {
        let root = expected.as_ref().filter(|header| header.parent.is_none()).map(|header| header.root);
        let cx = xray.extract_with_context(&Context::new(), carrier);
        let remembered = cx.xray_root().map(|root| u128::from_be_bytes(root.to_bytes()));
        law!(remembered == root, "a root alone is remembered", remembered, root);
        next_hop(&xray, carrier, trace)
    });
    let value = expected.as_ref().map(AmznTraceId::write);
    law!(sent.get("x-amzn-trace-id") == value.as_deref(), "what was received goes on", sent, value);
    law!(next_hop(&xray, &sent, trace) == sent, "the second hop sends what the first one sent", sent);
}

/// The input is header lines, `name:value`.
pub fn ottrace(data: &[u8]) {
    const NAMES: &[&str] = &["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"];
    let text = String::from_utf8_lossy(data);
    let lines = Lines::parse(NAMES, &text);
    let ottrace = OtTracePropagator::new();
    let expected = ot_tracer(&lines);
    let sent = lines.one_answer(|carrier| next_hop(&ottrace, carrier, expected));
    let cut = expected.map(|(trace, span, sampling)| (trace & u128::from(u64::MAX), span, sampling));
    let cut = cut.filter(|(trace, ..)| *trace != 0);
    law!(sent.0.is_empty() == cut.is_none(), "what the format can name goes on", sent, cut);
    law!(next_hop(&ottrace, &sent, cut) == sent, "the second hop sends what the first one sent", sent);
    let here = ottrace.extract_with_context(&Context::new(), &lines);
    if cut.is_some() {
        let back = ottrace.extract_with_context(&here, &sent);
        law!(trace_of(&back) == trace_of(&here), "the trace comes back whole", sent);
    }
}

/// What is sent on of these headers, of which so much is expected to be read.
fn next_hop(propagator: &dyn TextMapPropagator, carrier: &dyn Extractor, expected: Option<Trace>) -> Sent {
    let given = propagator.extract_with_context(&GIVEN, carrier);
    law!(has_given_baggage(&given) && has_mark(&given), "the rest of the context is left alone");
    law!(has_given_span(&given) == expected.is_none(), "only valid ids replace the given span", expected);
    let cx = propagator.extract_with_context(&Context::new(), carrier);
    law!(trace_of(&cx) == expected, "headers are read as the grammar says", expected, trace_of(&cx));
    send(propagator, &cx)
}

fn trace_of(cx: &Context) -> Option<Trace> {
    let span = cx.span();
    let span = span.span_context();
    let sampling = cx.sampling().filter(|_| span.is_valid())?;
    law!(span.is_remote(), "a received span is remote");
    law!(span.trace_flags().to_u8() == u8::from(sampling.is_sampled()), "flags say sampled or not", span);
    law!(span.trace_state().header().is_empty(), "nothing becomes tracestate", span);
    Some((
        u128::from_be_bytes(span.trace_id().to_bytes()),
        u64::from_be_bytes(span.span_id().to_bytes()),
        sampling,
    ))
}

/// The span that the first of these formats names which is valid, in the order of the arguments of a composite.
pub(crate) fn expected(lines: &Lines<'_>) -> Option<(u128, u64)> {
    let only = |name| Lines(lines.values(name).map(|value| (name, value)).collect());
    let jaeger = || {
        only_line(&only("uber-trace-id")).and_then(uber_trace_id).map(|((trace, span, _), _)| (trace, span))
    };
    let xray = || {
        let header = only_line(&only("x-amzn-trace-id")).and_then(amzn_trace_id)?;
        Some((header.root, header.parent?))
    };
    let ottrace = || ot_tracer(lines).map(|(trace, span, _)| (trace, span));
    jaeger().or_else(xray).or_else(ottrace)
}

fn only_line<'a>(lines: &Lines<'a>) -> Option<&'a str> {
    match lines.0.as_slice() {
        [(_, line)] => Some(line.trim_matches([' ', '\t'])),
        _ => None,
    }
}

/// Hexadecimal digits, none of them a sign.
fn hex(digits: &str) -> Option<u128> {
    let all = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if all { u128::from_str_radix(digits, 16).ok() } else { None }
}

fn lower_hex(digits: &str) -> Option<u128> {
    hex(digits).filter(|_| !digits.bytes().any(|byte| byte.is_ascii_uppercase()))
}

fn non_zero(id: u128) -> Option<u128> {
    Some(id).filter(|&id| id != 0)
}

fn uber_trace_id(value: &str) -> Option<(Trace, bool)> {
    let decoded = if value.contains('%') { percent_decoded(value)? } else { value.to_owned() };
    let fields: Vec<&str> = decoded.split(':').collect();
    let [trace, span, parent, flags] = *fields.as_slice() else { return None };
    let short_enough = trace.len() <= 32 && span.len() <= 16 && parent.len() <= 16 && flags.len() <= 2;
    let parent = if parent.is_empty() { Some(0) } else { hex(parent) };
    let flags = hex(flags).filter(|_| short_enough && parent.is_some())?;
    let sampling = match flags & 3 {
        1 => Sampling::Accept,
        3 => Sampling::Debug,
        _ => Sampling::Deny,
    };
    let span = u64::try_from(non_zero(hex(span)?)?).ok()?;
    Some(((non_zero(hex(trace)?)?, span, sampling), flags & 8 != 0))
}

fn percent_decoded(value: &str) -> Option<String> {
    let mut pieces = value.split('%');
    let mut octets = pieces.next()?.replace('+', " ").into_bytes();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        octets.push(u8::try_from(hex(digits)?).ok()?);
        octets.extend(rest.replace('+', " ").bytes());
    }
    String::from_utf8(octets).ok()
}

struct AmznTraceId {
    root: u128,
    parent: Option<u64>,
    sampling: Sampling,
    lineage: Option<String>,
}

impl AmznTraceId {
    fn write(&self) -> String {
        let parent = self.parent.map(|parent| format!(";Parent={parent:016x}")).unwrap_or_default();
        let sampled = match (self.sampling, self.parent) {
            (Sampling::Accept, _) => ";Sampled=1",
            (Sampling::Deny, _) => ";Sampled=0",
            (_, Some(_)) => ";Sampled=?",
            (_, None) => "",
        };
        let lineage = self.lineage.as_ref().map(|it| format!(";Lineage={it}")).unwrap_or_default();
        let (time, random) = (self.root >> 96, self.root & (u128::MAX >> 32));
        format!("Root=1-{time:08x}-{random:024x}{parent}{sampled}{lineage}")
    }
}

fn amzn_trace_id(value: &str) -> Option<AmznTraceId> {
    if value.len() > 256 {
        return None;
    }
    let mut fields = BTreeMap::new();
    for pair in value.split(';') {
        let Some((key, value)) = pair.split_once('=') else { continue };
        let (key, value) = (key.trim_matches([' ', '\t']), value.trim_matches([' ', '\t']));
        let before = fields.insert(key, value);
        let twice = before.is_some_and(|before| before != value);
        if twice && ["Root", "Parent", "Sampled"].contains(&key) {
            return None;
        }
    }
    let root: Vec<&str> = fields.get("Root")?.split('-').collect();
    let ["1", time, random] = *root.as_slice() else { return None };
    let root = Some(format!("{time}{random}")).filter(|_| time.len() == 8 && random.len() == 24)?;
    let parent = match fields.get("Parent") {
        Some(digits) => {
            Some(u64::try_from(non_zero(lower_hex(digits).filter(|_| digits.len() == 16)?)?).ok()?)
        }
        None => None,
    };
    let sampling = match fields.get("Sampled") {
        Some(&"1") => Sampling::Accept,
        Some(&"0") => Sampling::Deny,
        _ => Sampling::Defer,
    };
    let lineage = fields.get("Lineage").and_then(|text| lineage(text));
    Some(AmznTraceId { root: non_zero(lower_hex(&root)?)?, parent, sampling, lineage })
}

fn lineage(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.split(':').collect();
    let [first, hash, second] = *parts.as_slice() else { return None };
    let count = |digits: &str, most: u32| {
        let count: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
        Some(count).filter(|&count| count <= most)
    };
    lower_hex(hash).filter(|_| hash.len() == 8 && text.len() <= 18)?;
    Some(format!("{}:{hash}:{}", count(first, 32767)?, count(second, 255)?))
}

fn ot_tracer(lines: &Lines<'_>) -> Option<Trace> {
    let get = |name| lines.values(name).next().map(|value| value.trim_matches([' ', '\t']));
    let (trace, span) = (get("ot-tracer-traceid")?, get("ot-tracer-spanid")?);
    if !(trace.len() <= 16 || trace.len() == 32) || span.len() > 16 {
        return None;
    }
    let sampling = match get("ot-tracer-sampled").unwrap_or_default().to_ascii_lowercase().as_str() {
        "" => Sampling::Defer,
        "0" | "false" => Sampling::Deny,
        "1" | "true" => Sampling::Accept,
        _ => return None,
    };
    Some((non_zero(lower_hex(trace)?)?, u64::try_from(non_zero(lower_hex(span)?)?).ok()?, sampling))
}
