//! The inspector: what it shows is in the text, and what it says is what the propagators do.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt},
};
use opentelemetry_http::HeaderExtractor;
use otel_composite::CompositePropagator;
use otel_inspect::{Config, Report, Request, inspect as explain, to_json, to_text};
use otel_propagator_core::sampling::{Sampling, SamplingExt};
use std::{
    collections::{BTreeSet, HashMap},
    sync::LazyLock,
};

const LISTS: [&str; 5] = [
    "tracecontext,baggage",
    "b3,tracecontext,baggage",
    "baggage,b3multi",
    "jaeger,xray,ottrace,baggage",
    "xray,ottrace,b3,tracecontext,jaeger,baggage",
];

static SETUPS: LazyLock<Vec<(Config, CompositePropagator)>> = LazyLock::new(|| {
    let setup = |list| Some((Config::new(list).ok()?, otel_composite::from_list(list).ok()?));
    LISTS.into_iter().filter_map(setup).collect()
});

/// Any text, with a first byte that chooses the formats.
pub fn inspect(data: &[u8]) {
    let Some((&choice, text)) = data.split_first() else { return };
    let Some((config, propagator)) = SETUPS.get(usize::from(choice) % LISTS.len()) else { return };
    let request = Request::parse(text);
    let report = explain(&request, config);
    parts_are_in_the_value(&report);
    for shown in [to_text(&report), to_json(&report)] {
        law!(shown.chars().all(|c| c == '\n' || !c.is_control()), "no control character is shown", shown);
    }
    agrees(&report, &request, propagator);
}

fn parts_are_in_the_value(report: &Report) {
    for header in &report.headers {
        let mut end = 0;
        for part in &header.parts {
            let within = header.value.get(part.from..part.to).is_some_and(|text| !text.is_empty());
            law!(end <= part.from && within, "parts are in order and inside the value", header);
            end = part.to;
        }
        let inside = header.problems.iter().all(|it| header.value.get(it.from..it.to).is_some());
        law!(inside, "a problem is in the value or at its end", header);
    }
}

/// With the carrier of hyper and axum, and with that of tonic and of maps, which gives the first line of a header only.
fn agrees(report: &Report, request: &Request, propagator: &CompositePropagator) {
    let mut headers = HeaderMap::new();
    for line in request.lines() {
        let name = HeaderName::from_bytes(line.name.as_bytes());
        let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(&line.value)) else { return };
        if headers.try_append(name, value).is_err() {
            return;
        }
    }
    agrees_with(report, propagator, &HeaderExtractor(&headers));
    let once = headers.iter().filter(|(name, _)| headers.get_all(*name).iter().count() == 1);
    let map: HashMap<String, String> =
        once.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned()))).collect();
    if map.len() == headers.len() {
        agrees_with(report, propagator, &map);
    }
}

fn agrees_with(report: &Report, propagator: &CompositePropagator, carrier: &dyn Extractor) {
    let cx = propagator.extract_with_context(&Context::new(), carrier);
    let span = cx.span();
    let span = span.span_context();
    let extracted = span.is_valid().then(|| {
        let sampling = cx.sampling().unwrap_or(Sampling::Deny);
        (span.trace_id().to_string(), span.span_id().to_string(), format!("{sampling:?}").to_lowercase())
    });
    let told = report.chosen.as_ref().map(|chosen| &chosen.span);
    let told = told.map(|it| (it.trace_id.clone(), it.span_id.clone(), it.sampling.to_owned()));
    law!(told == extracted, "the chosen span and its decision are what is extracted", told, extracted);
    let going = report.baggage.iter().filter(|member| member.left_out.is_none()).count();
    law!(going <= cx.baggage().len(), "no member is said to go on that was not read", report.baggage);
    let mut sent = HashMap::new();
    propagator.inject_context(&with_own_span(&cx), &mut sent);
    // Which says that there is nothing: no HTTP carrier of ours sends it.
    sent.retain(|_, value: &mut String| !value.is_empty());
    let told: HashMap<&str, &str> = report.sent.iter().map(|sent| (&*sent.name, &*sent.value)).collect();
    let names = |sent: Vec<&str>| sent.into_iter().map(str::to_owned).collect::<BTreeSet<_>>();
    let names = [names(told.keys().copied().collect()), names(sent.keys().map(String::as_str).collect())];
    law!(names[0] == names[1], "the headers that are said to be sent are sent", names);
    for name in ["baggage", "tracestate"] {
        let (told, sent) = (told.get(name).copied(), sent.get(name).map(String::as_str));
        law!(told == sent, "what is said to be sent is sent", name, told, sent);
    }
}

/// With a span of the service's own under the caller's.
fn with_own_span(cx: &Context) -> Context {
    let span = cx.span();
    let caller = span.span_context();
    if !caller.is_valid() {
        return cx.clone();
    }
    let (flags, state) = (caller.trace_flags(), caller.trace_state().clone());
    let own = SpanContext::new(caller.trace_id(), SpanId::from(u64::MAX), flags, false, state);
    cx.with_remote_span_context(own)
}
