//! Jaeger's propagator of the version of OpenTelemetry before, on that version's API and its own floor. Both versions write
//! and read the same `HashMap`.

#![allow(deprecated, reason = "those who still have the format are who is asked about")]

use crate::{Task, carrier::Carrier, rows::Contender, task};
use opentelemetry_0_32::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_jaeger_propagator::Propagator;
use std::{collections::HashMap, hint::black_box};

const HEADER: &str = "uber-trace-id";
/// As [`crate::rows`] has it.
pub(crate) const VALUE: &str = "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1";

/// Who is asked for.
#[derive(Clone, Copy)]
pub(crate) enum Beside {
    /// In our column ours, on the present API.
    Ours,
    /// In our column the floor of that API.
    ItsFloor,
}

fn span() -> SpanContext {
    let trace_id = TraceId::from_bytes(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
    let span_id = SpanId::from_bytes(0xb7ad_6b71_6920_3331_u64.to_be_bytes());
    SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, true, TraceState::default())
}

/// Writes the span.
pub(crate) fn inject(beside: Beside, who: Contender) -> Option<Task> {
    let mut carrier: HashMap<String, String> = HashMap::new();
    match (who, beside) {
        (Contender::Sdk, _) => {
            let (propagator, context) = (Propagator::new(), Context::new().with_remote_span_context(span()));
            Some(Box::new(move || propagator.inject_context(black_box(&context), &mut carrier)))
        }
        (Contender::Ours, Beside::ItsFloor) => Some(Box::new(move || {
            carrier.set(HEADER, black_box(VALUE).to_owned());
        })),
        (Contender::Ours, Beside::Ours) => {
            let propagator = crate::contenders::ours::jaeger();
            Some(task::inject::<HashMap<_, _>>(propagator, &|| crate::input::span(0)))
        }
        _ => None,
    }
}

/// Reads the header.
pub(crate) fn extract(beside: Beside, who: Contender) -> Option<Task> {
    let lines = [(HEADER, VALUE.to_owned())];
    let carrier: HashMap<String, String> = Carrier::of(&lines);
    match (who, beside) {
        (Contender::Sdk, _) => {
            let propagator = Propagator::new();
            Some(Box::new(move || {
                black_box(propagator.extract_with_context(&Context::new(), black_box(&carrier)));
            }))
        }
        (Contender::Ours, Beside::ItsFloor) => Some(Box::new(move || {
            black_box(Extractor::get(black_box(&carrier), HEADER));
            black_box(Context::new().with_remote_span_context(black_box(span())));
        })),
        (Contender::Ours, Beside::Ours) => Some(task::extract(crate::contenders::ours::jaeger(), carrier)),
        _ => None,
    }
}
