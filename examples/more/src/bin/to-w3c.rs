//! How does a mesh leave Jaeger's or X-Ray's header for W3C's, one service after the other, without a broken trace?
//!
//! `cargo run -p more-examples --bin to-w3c`; the lists are what `OTEL_PROPAGATORS` may hold, apart for what is read and
//! what is sent.

use axum::{Json, Router, http::HeaderMap, routing::get};
use examples::{Result, client, ensure, install, serve, with_span};
use opentelemetry::{
    Context,
    trace::{SpanKind, TraceContextExt},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_b3::DecisionSampler;
use otel_carriers::headers;
use otel_composite::{CompositePropagator, from_list, from_lists};
use std::collections::HashSet;

/// What a service saw of the request that it received.
#[derive(serde::Deserialize, serde::Serialize)]
struct Seen {
    headers: Vec<String>,
    trace: String,
}

#[tokio::main]
async fn main() -> Result {
    // It decides on what the other side left open, as X-Ray's load balancers do.
    let sampler = DecisionSampler::new(Sampler::AlwaysOn);
    install(from_list("tracecontext")?, SdkTracerProvider::builder().with_sampler(sampler).build());
    for old in ["jaeger", "xray"] {
        migrate(old).await?;
    }
    Ok(())
}

/// The steps, each rolled out to all services before the next: in the middle of one, every other service is a step back.
async fn migrate(old: &str) -> Result {
    let (old, both) = (old.to_owned(), format!("tracecontext,{old}"));
    let w3c = "tracecontext".to_owned();
    let steps = [
        ("before", &old, &old),
        ("1. accept both", &both, &old),
        ("2. send both", &both, &both),
        ("3. send W3C", &both, &w3c),
        ("after", &w3c, &w3c),
    ];
    let mut services = Vec::new();
    for (name, read, sent) in steps {
        services.push((name, from_lists(read, sent)?));
    }

    println!("from {old} to W3C, four services in a row:");
    for ((name, step), (_, before)) in services.iter().zip(services.iter().take(1).chain(&services)) {
        let seen = call(&[step, before, step, before]).await?;
        println!("{name:15} {} trace(s)  {step}", traces(&seen));
        for header in seen.get(1).map(|seen| seen.headers.as_slice()).unwrap_or_default() {
            println!("  {header}");
        }
        ensure(traces(&seen) == 1, "no step breaks a trace")?;
    }
    let (Some((_, first)), Some((_, last))) = (services.first(), services.last()) else { return Ok(()) };
    let seen = call(&[first, last, first, last]).await?;
    println!("{old} only beside W3C only, without the steps between: {} traces\n", traces(&seen));
    ensure(traces(&seen) == 4, "why there are steps")
}

/// Starts the services, each on a port of its own and calling the next, and calls the first.
async fn call(services: &[&CompositePropagator]) -> Result<Vec<Seen>> {
    let mut next = None;
    for &propagator in services.iter().rev() {
        let propagator = propagator.clone();
        let handler = move |headers: HeaderMap| answer(propagator.clone(), headers, next.clone());
        next = Some(format!("http://{}/", serve(Router::new().route("/", get(handler))).await?));
    }
    let url = next.ok_or("no services")?;
    Ok(client()?.get(url).send().await?.error_for_status()?.json().await?)
}

async fn answer(
    propagator: CompositePropagator,
    headers: HeaderMap,
    next: Option<String>,
) -> std::result::Result<Json<Vec<Seen>>, String> {
    let parent = headers::extract(&propagator, &headers);
    let context = with_span(&parent, "answer", SpanKind::Server);
    let trace = context.span().span_context().trace_id().to_string();
    let mut seen = vec![Seen { headers: context_headers(&headers), trace }];
    if let Some(next) = next {
        seen.extend(forward(&context, &propagator, next).await.map_err(|error| error.to_string())?);
    }
    Ok(Json(seen))
}

async fn forward(context: &Context, propagator: &CompositePropagator, url: String) -> Result<Vec<Seen>> {
    let mut request = client()?.get(url).build()?;
    let context = with_span(context, "call", SpanKind::Client);
    headers::inject(propagator, &context, request.headers_mut());
    Ok(client()?.execute(request).await?.error_for_status()?.json().await?)
}

/// The header lines that carry context, as they came.
fn context_headers(headers: &HeaderMap) -> Vec<String> {
    let names = ["traceparent", "uber-trace-id", "x-amzn-trace-id"];
    let lines = headers.iter().filter(|(name, _)| names.contains(&name.as_str()));
    lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default())).collect()
}

/// How many traces the services were in, all together.
fn traces(seen: &[Seen]) -> usize {
    seen.iter().map(|seen| seen.trace.as_str()).collect::<HashSet<_>>().len()
}
