//! `otelp send`.

use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};
use otel_inspect::printable;
use std::{collections::HashMap, error::Error, process::ExitCode, time::Duration};

pub(crate) fn run(
    baggage: &[String],
    unsampled: bool,
    url: &str,
    propagators: &str,
) -> Result<ExitCode, Box<dyn Error>> {
    if !url.starts_with("http://") {
        return Err(
            "only http:// is spoken; for https, give the headers of `otelp exec -- env` to curl".into()
        );
    }
    let headers = headers(&new_trace(baggage, !unsampled)?, propagators)?;
    let agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .build()
        .new_agent();
    let mut request = agent.get(url);
    for (name, value) in &headers {
        crate::print(&format!("{name}: {}\n", printable(value)))?;
        request = request.header(name, value);
    }
    let response = request.call()?;
    crate::print(&format!("{} answered {}\n", printable(url), response.status()))?;
    Ok(if response.status().is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A context with a trace that starts here.
pub(crate) fn new_trace(baggage: &[String], sampled: bool) -> Result<Context, Box<dyn Error>> {
    let ids = RandomIdGenerator::default();
    let flags = TraceFlags::new(2).with_sampled(sampled);
    let span = SpanContext::new(ids.new_trace_id(), ids.new_span_id(), flags, false, TraceState::NONE);
    let entries: Result<Vec<KeyValue>, String> = baggage
        .iter()
        .map(|entry| {
            let (key, value) = entry.split_once('=').ok_or_else(|| format!("{entry:?} is not KEY=VALUE"))?;
            Ok(KeyValue::new(key.to_owned(), value.to_owned()))
        })
        .collect();
    Ok(Context::new().with_remote_span_context(span).with_baggage(entries?))
}

/// What a service with these propagators sends, by name.
fn headers(cx: &Context, propagators: &str) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut headers = HashMap::new();
    otel_composite::from_list(propagators)?.inject_context(cx, &mut headers);
    let mut headers: Vec<(String, String)> = headers.into_iter().collect();
    headers.sort();
    Ok(headers)
}
