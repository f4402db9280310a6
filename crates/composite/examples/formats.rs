//! Which formats does this build of a service have, and what does it send for a request that came with all of them?
//!
//! `cargo run -p otel-composite --no-default-features --features b3 --example formats`, or with other features; with
//! `OTEL_PROPAGATORS` set, the formats that it names.

use opentelemetry::{Context, propagation::TextMapPropagator};
use std::{collections::BTreeMap, collections::HashMap, process::ExitCode};

/// The name in `OTEL_PROPAGATORS`, what a request brings of the format, and whether it is compiled in.
type Format = (&'static str, &'static [(&'static str, &'static str)], bool);

const FORMATS: [Format; 7] = [
    (
        "tracecontext",
        &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")],
        cfg!(feature = "tracecontext"),
    ),
    ("b3", &[("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1")], cfg!(feature = "b3")),
    (
        "jaeger",
        &[("uber-trace-id", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1")],
        cfg!(feature = "jaeger"),
    ),
    (
        "xray",
        &[("x-amzn-trace-id", "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1")],
        cfg!(feature = "xray"),
    ),
    // It holds half of a trace id, which another format before it makes whole.
    (
        "ottrace",
        &[
            ("ot-tracer-traceid", "8448eb211c80319c"),
            ("ot-tracer-spanid", "b7ad6b7169203331"),
            ("ot-tracer-sampled", "true"),
        ],
        cfg!(feature = "ottrace"),
    ),
    ("baggage", &[("baggage", "tenant=acme-retail")], cfg!(feature = "w3c-baggage")),
    // It sends the three headers of a span that is sampled.
    (
        "b3multi",
        &[
            ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
            ("x-b3-spanid", "b7ad6b7169203331"),
            ("x-b3-sampled", "1"),
        ],
        cfg!(feature = "b3"),
    ),
];

fn main() -> ExitCode {
    let compiled_in: Vec<_> = FORMATS.iter().filter(|format| format.2).collect();
    let asked_for = std::env::var("OTEL_PROPAGATORS").ok();
    let all = compiled_in.iter().map(|format| format.0).collect::<Vec<_>>().join(",");
    let list = asked_for.as_deref().unwrap_or(if all.is_empty() { "none" } else { &all });
    let propagator = match otel_composite::from_list(list) {
        Ok(propagator) => propagator,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{propagator}");

    let headers = FORMATS.iter().flat_map(|format| format.1);
    let request: HashMap<_, _> = headers.map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let cx = propagator.extract_with_context(&Context::new(), &request);
    let mut sent = HashMap::new();
    propagator.inject_context(&cx, &mut sent);
    for (name, value) in sent.iter().collect::<BTreeMap<_, _>>() {
        println!("{name}: {value}");
    }

    // Every format that is compiled in sends what it received, and no other sends anything.
    let same = sent.iter().all(|(name, value)| request.get(name) == Some(value));
    let complete =
        asked_for.is_some() || sent.len() == compiled_in.iter().map(|format| format.1.len()).sum::<usize>();
    if same && complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
