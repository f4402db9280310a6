//! What `opentelemetry_sdk`'s own propagators make of the same headers, where it is something else.

use crate::{Config, carrier::Carrier, report::Difference};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// The rows of `docs/from-the-sdk.md` that these headers meet.
pub(crate) fn differences(carrier: &Carrier<'_>, config: &Config) -> Vec<Difference> {
    let mut rows = Vec::new();
    let has = |name: &str| config.formats.iter().any(|format| format == name);
    if has("tracecontext") {
        trace_context(carrier, &mut rows);
    }
    if has("baggage") {
        baggage(carrier, &mut rows);
    }
    rows
}

fn trace_context(carrier: &Carrier<'_>, rows: &mut Vec<Difference>) {
    let sdk = span(&TraceContextPropagator::new(), carrier);
    let ours = span(&otel_tracecontext::TraceContextPropagator::new(), carrier);
    let mut row = |row, sdk, here| rows.push(Difference { row, sdk, here });
    match (sdk.is_valid(), ours.is_valid()) {
        (true, false) if carrier.count("traceparent") > 1 => {
            row("two `traceparent` lines", "the first is used", "refused");
        }
        (true, false) => {
            row("fields shorter or longer than 2, 32, 16, 2 digits; signs", "accepted", "refused");
        }
        _ => {}
    }
    if !(sdk.is_valid() && ours.is_valid()) {
        return;
    }
    if sdk.trace_flags() != ours.trace_flags() {
        row("random flag (02)", "cleared", "kept to the end, also through spans that the sampler drops");
    }
    if sdk.trace_state() != ours.trace_state() {
        if carrier.count("tracestate") > 1 {
            row("several `tracestate` lines", "the first is read", "joined in order");
        } else {
            row(
                "tracestate outside the grammar, or with more than 32 members",
                "kept in part",
                "dropped whole",
            );
        }
    }
}

fn baggage(carrier: &Carrier<'_>, rows: &mut Vec<Difference>) {
    let sdk = BaggagePropagator::new().extract_with_context(&Context::new(), carrier);
    let ours = otel_w3c_baggage::BaggagePropagator::new().extract_with_context(&Context::new(), carrier);
    let (sdk, ours) = (sdk.baggage(), ours.baggage());
    if same(sdk, ours) {
        return;
    }
    let mut row = |row, sdk, here| rows.push(Difference { row, sdk, here });
    let header = carrier.joined("baggage");
    if carrier.count("baggage") > 1 {
        row("several `baggage` lines", "the first is read", "all, limits over the sum");
    }
    if carrier.get("baggage").is_some_and(|line| line.len() > 8192) {
        row("header over 8192 bytes", "dropped whole", "the leading members that fit are kept");
    }
    let value_has = |byte: char| {
        header.split(',').any(|member| member.split_once('=').is_some_and(|(_, value)| value.contains(byte)))
    };
    if value_has('=') {
        row("`a=b=c`", "value `b`", "value `b=c`");
    }
    if value_has(';') {
        row("metadata", "decoded on the way in, raw on the way out: a comma in it forges a member", "opaque");
    }
    if rows_is_empty(rows) {
        rows.push(Difference {
            row: "other members that are outside the grammar",
            sdk: "read in part, or read otherwise",
            here: "skipped, or read to the letter",
        });
    }
}

fn rows_is_empty(rows: &[Difference]) -> bool {
    rows.iter().all(|row| !row.row.contains("baggage") && !row.row.contains('`'))
}

fn span(propagator: &impl TextMapPropagator, carrier: &Carrier<'_>) -> SpanContext {
    propagator.extract_with_context(&Context::new(), carrier).span().span_context().clone()
}

fn same(one: &Baggage, other: &Baggage) -> bool {
    one.len() == other.len()
        && one.iter().all(|(key, content)| other.get_with_metadata(key.as_str()) == Some(content))
}
