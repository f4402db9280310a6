//! A proxy strips the headers: what does the next service do, who notices, and how is the trace healed?

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use examples::{Result, Spans, client, ensure, extract, inject, is_child, print_trees, serve, with_span};
use more_examples::Log;
use opentelemetry::{
    Context, global,
    trace::{SpanId, SpanKind, TraceContextExt},
};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use std::{collections::HashMap, sync::Once};

/// What travels in the body, which the proxy forwards as it is.
#[derive(serde::Deserialize, serde::Serialize)]
struct Invoice {
    number: u32,
    /// What the headers should have carried.
    #[serde(default)]
    context: HashMap<String, String>,
}

#[tokio::main]
async fn main() -> Result {
    let log = Log::install();
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let spans = Spans::install(CompositePropagator::builder().trace(trace).baggage(baggage).build());
    let billing = serve(Router::new().route("/invoices", post(receive))).await?;
    let strip = post(strip).with_state(format!("http://{billing}/invoices"));
    let proxy = format!("http://{}/invoices", serve(Router::new().route("/invoices", strip)).await?);

    println!("three invoices through a proxy that strips headers:");
    for number in 1..=3 {
        send(&proxy, number, false).await?;
    }
    let finished = spans.take()?;
    print_trees(&finished);
    let roots = finished.iter().filter(|span| span.parent_span_id == SpanId::INVALID).count();
    ensure(finished.len() == 6 && roots == 6, "the requests work, and each next span is a new root")?;
    let gaps = log.text().matches("came without a trace context").count();
    ensure(gaps == 1, "the gap is on the log once")?;

    println!("\nthe same, with the context in the JSON as well:");
    send(&proxy, 4, true).await?;
    let healed = spans.take()?;
    print_trees(&healed);
    let [sender, receiver] = healed.as_slice() else { return Err("not two spans".into()) };
    ensure(is_child(receiver, sender), "the trace is whole again")
}

async fn send(proxy: &str, number: u32, in_body: bool) -> Result {
    let context = with_span(&Context::new(), "send invoice", SpanKind::Client);
    let mut invoice = Invoice { number, context: HashMap::new() };
    if in_body {
        global::get_text_map_propagator(|global| global.inject_context(&context, &mut invoice.context));
    }
    let mut request = client()?.post(proxy).json(&invoice).build()?;
    inject(&context, request.headers_mut());
    client()?.execute(request).await?.error_for_status()?;
    context.span().end();
    Ok(())
}

/// The proxy: a new request with the body alone.
async fn strip(State(url): State<String>, body: String) -> std::result::Result<String, String> {
    let request = async {
        let request = client()?.post(url).header("content-type", "application/json").body(body);
        Ok::<_, examples::Error>(request.send().await?.error_for_status()?.text().await?)
    };
    request.await.map_err(|error| error.to_string())
}

/// The service behind it.
async fn receive(headers: HeaderMap, Json(invoice): Json<Invoice>) -> String {
    let parent = from_headers(&headers).or_else(|| from_body(&invoice)).unwrap_or_else(|| {
        // Once: it is the same gap each time. A service with more routes has one for each.
        static GAP: Once = Once::new();
        GAP.call_once(|| {
            tracing::warn!(service = "billing", route = "POST /invoices", "came without a trace context");
        });
        Context::new()
    });
    with_span(&parent, "receive invoice", SpanKind::Server).span().end();
    format!("received invoice {}", invoice.number)
}

fn from_headers(headers: &HeaderMap) -> Option<Context> {
    Some(extract(headers)).filter(TraceContextExt::has_active_span)
}

fn from_body(invoice: &Invoice) -> Option<Context> {
    let extract = |global: &dyn opentelemetry::propagation::TextMapPropagator| {
        global.extract_with_context(&Context::new(), &invoice.context)
    };
    Some(global::get_text_map_propagator(extract)).filter(TraceContextExt::has_active_span)
}
