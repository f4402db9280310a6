//! The inspector: what it shows is in the text, and what it says is what the propagators do.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_http::HeaderExtractor;
use otel_composite::CompositePropagator;
use otel_inspect::{Config, Report, Request, inspect as explain, to_json, to_text};
use std::{collections::HashMap, sync::LazyLock};

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
    let trace = span.span_context().is_valid().then(|| span.span_context().trace_id().to_string());
    let told = report.chosen.as_ref().map(|chosen| chosen.span.trace_id.clone());
    law!(told == trace, "the chosen trace is the one that is extracted", told, trace);
    let going = report.baggage.iter().filter(|member| member.left_out.is_none()).count();
    law!(going <= cx.baggage().len(), "no member is said to go on that was not read", report.baggage);
    let mut sent = HashMap::new();
    propagator.inject_context(&cx, &mut sent);
    let baggage = sent.get("baggage").map(String::as_str).unwrap_or_default();
    let told = report.sent.iter().find(|sent| sent.name == "baggage").map_or("", |sent| &sent.value);
    law!(told == baggage, "the baggage that is said to be sent is sent", told, baggage);
}
