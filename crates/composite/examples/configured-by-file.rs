//! Propagators by configuration file, with limits and a trust boundary, and the report of what is installed.
//!
//! `cargo run -p otel-composite --features yaml,b3,boundary --example configured-by-file`, or with a file of your own in
//! `OTEL_CONFIG_FILE`.

use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
use otel_composite::{
    Builder, Config, ConfigError, Registry,
    boundary::{Destination, DestinationExt},
    doctor, install,
};
use std::{collections::HashMap, process::ExitCode};

const CONFIGURATION: &str = r#"
file_format: "1.1"
propagator:
  composite:
    - tracecontext:
    - b3:
  composite_list: ${MORE_PROPAGATORS:-baggage}
otel_composite/development:
  extract_only: [b3]
  limits:
    max_members: 16
    keep_first: [tenant]
    deny: [user.*]
  trust_boundary:
    default_egress_action: suppress_trace_context
    rules:
      - direction: egress
        name: mesh
        external: false
        conditions: {attribute_patterns: {key: server.address, included: ["*.internal"]}}
tracer_provider: # everything else is the SDK's
  processors: []
"#;

fn main() -> ExitCode {
    // What is wrong is told with its path and line, and nothing is installed.
    let misspelt = CONFIGURATION.replace("- b3:", "- b33:");
    let error = configured(&misspelt).err();
    println!("{}\n", error.as_ref().map(ToString::to_string).unwrap_or_default());

    println!("before:\n{}", doctor());
    let propagator = match std::env::var_os("OTEL_CONFIG_FILE") {
        Some(_) => otel_composite::from_config_file_or_env(),
        None => configured(CONFIGURATION).map(Builder::build),
    };
    let propagator = match propagator {
        Ok(propagator) => install(propagator),
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    println!("after:\n{}", doctor());

    let baggage = [KeyValue::new("tenant", "acme"), KeyValue::new("user.email", "amy@example.com")];
    let cx = Context::new().with_baggage(baggage);
    let sent_to = |host: &str| {
        let mut sent = HashMap::new();
        propagator.inject_context(&cx.with_destination(Destination::host(host)), &mut sent);
        println!("sent to {host}: {sent:?}");
        sent.remove("baggage")
    };
    let sent = [sent_to("orders.internal"), sent_to("partner.example")];

    let told =
        error.is_some_and(|error| error.line() == Some(6) && error.path() == "propagator.composite[1].b33");
    let limited = std::env::var_os("OTEL_CONFIG_FILE").is_some()
        || sent == [Some("tenant=acme".to_owned()), Some(String::new())];
    if told && propagator.is_global() && limited { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn configured(text: &str) -> Result<Builder, ConfigError> {
    Registry::new().builder_from_config(&Config::from_yaml(text)?)
}
