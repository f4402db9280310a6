//! A tool of the Model Context Protocol is called over standard input: is its work in the caller's trace?

use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{SpanKind, TraceContextExt},
};
use otel_carriers::json;
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use serde_json::{Map, Value, json};

fn main() -> Result {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let propagator = CompositePropagator::builder().trace(trace).baggage(baggage).build();
    let spans = Spans::install(propagator.clone());

    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "tools/call get_weather", SpanKind::Client);
    let mut params =
        json!({"name": "get_weather", "arguments": {"location": "New York"}, "_meta": {"progressToken": 7}});
    json::inject_meta(&propagator, &context, params.as_object_mut().ok_or("params are an object")?);
    let request = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).to_string();
    println!("the request: {request}");
    ensure(answer(&propagator, &request)? == "72 degrees for acme-retail", "the tool sees the baggage")?;
    context.span().end();

    for params in [json!({}), json!({"_meta": null}), json!({"_meta": {"traceparent": 7}})] {
        let request =
            json!({"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": params}).to_string();
        ensure(answer(&propagator, &request)? == "72 degrees for nobody", "a call without a trace works")?;
    }

    let finished = spans.all()?;
    print_trees(&finished);
    let children =
        finished.iter().filter(|span| finished.iter().any(|parent| is_child(span, parent))).count();
    ensure(finished.len() == 5 && children == 1, "the tool's work is in the caller's trace")
}

/// The server at the other end of the pipe.
fn answer(propagator: &CompositePropagator, request: &str) -> Result<String> {
    let request: Map<String, Value> = serde_json::from_str(request)?;
    let parent = match request.get("params") {
        Some(Value::Object(params)) => json::extract_meta(propagator, params),
        _ => Context::new(),
    };
    let context = with_span(&parent, "get_weather", SpanKind::Server);
    let tenant = context.baggage().get("tenant").map_or("nobody".to_owned(), ToString::to_string);
    context.span().end();
    Ok(format!("72 degrees for {tenant}"))
}
