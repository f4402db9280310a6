//! Which formats does this build of a service have, and what does it send for a request that came with all of them?
//!
//! `cargo run -p otel-composite --no-default-features --features b3 --example formats`, or with other features; with
//! `OTEL_PROPAGATORS` set, the formats that it names.

use opentelemetry::{Context, propagation::TextMapPropagator};
use std::{collections::BTreeMap, collections::HashMap, process::ExitCode};

const REQUEST: [(&str, &str); 3] = [
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
    ("baggage", "tenant=acme-retail"),
];

/// The features that bring in each header.
const COMPILED_IN: [(&str, bool); 3] = [
    ("traceparent", cfg!(feature = "tracecontext")),
    ("b3", cfg!(feature = "b3")),
    ("baggage", cfg!(feature = "w3c-baggage")),
];

fn main() -> ExitCode {
    let compiled_in: Vec<_> = COMPILED_IN.iter().filter(|(_, in_it)| *in_it).map(|(name, _)| *name).collect();
    let asked_for = std::env::var("OTEL_PROPAGATORS").ok();
    let all = compiled_in.join(",").replace("traceparent", "tracecontext");
    let list = asked_for.as_deref().unwrap_or(if all.is_empty() { "none" } else { &all });
    let propagator = match otel_composite::from_list(list) {
        Ok(propagator) => propagator,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{propagator}");

    let request: HashMap<_, _> = REQUEST.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let cx = propagator.extract_with_context(&Context::new(), &request);
    let mut sent = HashMap::new();
    propagator.inject_context(&cx, &mut sent);
    for (name, value) in sent.iter().collect::<BTreeMap<_, _>>() {
        println!("{name}: {value}");
    }

    // Every format that is compiled in sends what it received, and no other sends anything.
    let same = sent.iter().all(|(name, value)| request.get(name) == Some(value));
    let complete = asked_for.is_some() || sent.len() == compiled_in.len();
    if same && complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
