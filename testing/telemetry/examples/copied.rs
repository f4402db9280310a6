//! Prints which attributes `BaggageSpanProcessor` puts on a span for each header of a file: see
//! `interop/baggage-telemetry`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a program for tests")]

use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_composite::{
    BaggagePropagator,
    telemetry::{BaggageSpanProcessor, Entries, Keys},
};
use std::{collections::HashMap, env, fs};

fn main() {
    let mut arguments = env::args().skip(1);
    let entries = match arguments.next().as_deref() {
        Some("all") => Entries::all(),
        _ => Entries::of(Keys::of(&["tenant", "cohort.*"])).except(Keys::of(&["cohort.secret"])),
    };
    let processor = BaggageSpanProcessor::new(entries);
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let file = arguments.next().expect("a file with a header on each line");
    for header in fs::read_to_string(file).unwrap().lines() {
        let request = HashMap::from([("baggage".to_owned(), header.to_owned())]);
        let cx = BaggagePropagator::new().extract_with_context(&Context::new(), &request);
        let span = provider.tracer("interop").start_with_context("span", &cx);
        let attributes = span.exported_data().unwrap().attributes;
        let text =
            attributes.iter().map(|it| [escaped(it.key.as_str()), escaped(&it.value.as_str())].join("="));
        let mut text: Vec<_> = text.collect();
        text.sort();
        println!("{}", text.join(" "));
    }
}

fn escaped(text: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'0'..=b'9' | b'.' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}
