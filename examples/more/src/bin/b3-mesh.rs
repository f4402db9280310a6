//! How do W3C and B3 services share one trace, and what does each step of a migration from B3 to W3C cost?

use axum::{Json, Router, http::HeaderMap, routing::get};
use examples::{Result, client, ensure, install, serve, with_span};
use opentelemetry::{
    Context,
    trace::{SpanKind, TraceContextExt},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_b3::DecisionSampler;
use otel_carriers::headers;
use otel_composite::{B3Propagator, CompositePropagator, SamplingExt, TraceContextPropagator, extract_only};
use std::collections::HashSet;

/// A service: what it is called, and what it reads and sends.
type Service = (&'static str, fn() -> CompositePropagator);

const EDGE: Service = ("edge, W3C only", w3c);
const GATEWAY: Service = ("gateway, both", both);
const LEAF: Service = ("leaf, B3 only", b3);

/// The steps of a migration. A mesh takes each service in its own time from one to the next.
const STEPS: [Service; 5] = [
    ("B3 only", b3),
    ("accept both, send B3", || b3_first().trace(extract_only(TraceContextPropagator::new())).build()),
    ("accept both, send both", both),
    ("accept both, send W3C", || w3c_first().trace(extract_only(B3Propagator::single())).build()),
    ("W3C only", w3c),
];

/// What a service saw of the request that it received.
#[derive(serde::Deserialize, serde::Serialize)]
struct Seen {
    service: String,
    headers: Vec<String>,
    trace: String,
    b3: String,
}

#[tokio::main]
async fn main() -> Result {
    let sampler = DecisionSampler::new(Sampler::AlwaysOn);
    install(w3c(), SdkTracerProvider::builder().with_sampler(sampler).build());

    println!("a request through the edge:");
    let seen = call(&[EDGE, GATEWAY, LEAF], &HeaderMap::new()).await?;
    show(&seen);
    ensure(traces(&seen) == 1, "edge, gateway and leaf are one trace")?;

    println!("\na request that a B3 client wants to be debugged:");
    let debug = "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-d".parse()?;
    let headers = [(http::HeaderName::from_static("b3"), debug)].into_iter().collect();
    let seen = call(&[GATEWAY, LEAF, GATEWAY, LEAF, GATEWAY, EDGE], &headers).await?;
    show(&seen);
    let ours = seen.iter().all(|seen| seen.trace == "80f198ee56343ba864fe8b2a57d3eff7");
    ensure(ours, "all are in the client's trace")?;
    let b3_peers = seen.iter().filter(|seen| !seen.service.contains("W3C"));
    ensure(b3_peers.clone().all(|seen| seen.b3 == "Debug"), "the debug flag reaches every B3 service")?;

    println!("\na migration, each step next to the one before, four services in a row:");
    println!("{:23} {:>12}  {:8} headers sent", "step", "header bytes", "traces");
    for (&step, &before) in STEPS.iter().zip(STEPS.first().into_iter().chain(&STEPS)) {
        let seen = call(&[step, before, step, before], &HeaderMap::new()).await?;
        let sent = seen.get(1).map(|seen| seen.headers.as_slice()).unwrap_or_default();
        let names = sent.iter().filter_map(|line| line.split(':').next()).collect::<Vec<_>>().join(", ");
        // A line break ends each line on the wire.
        let bytes = sent.iter().map(|line| line.len() + 2).sum::<usize>();
        println!("{:23} {bytes:>12}  {:<8} {names}", step.0, traces(&seen));
        ensure(traces(&seen) == 1, "no step breaks a trace")?;
    }
    let seen = call(&[STEPS[0], STEPS[4], STEPS[0], STEPS[4]], &HeaderMap::new()).await?;
    println!("B3 only beside W3C only, without the steps between: {} traces", traces(&seen));
    ensure(traces(&seen) == 4, "why there are steps")
}

fn w3c_first() -> otel_composite::Builder {
    CompositePropagator::builder().trace(TraceContextPropagator::new())
}

fn b3_first() -> otel_composite::Builder {
    CompositePropagator::builder().trace(B3Propagator::single())
}

fn w3c() -> CompositePropagator {
    w3c_first().build()
}

fn b3() -> CompositePropagator {
    b3_first().build()
}

/// B3 is tried first here, so that its debug flag is seen where a peer sends both.
fn both() -> CompositePropagator {
    b3_first().trace(TraceContextPropagator::new()).build()
}

/// Starts the services, each on a port of its own and calling the next, and calls the first.
async fn call(services: &[Service], headers: &HeaderMap) -> Result<Vec<Seen>> {
    let mut next = None;
    for service in services.iter().rev() {
        let (name, propagator) = (service.0, (service.1)());
        let handler = move |headers: HeaderMap| answer(name, propagator.clone(), headers, next.clone());
        next = Some(format!("http://{}/", serve(Router::new().route("/", get(handler))).await?));
    }
    let url = next.ok_or("no services")?;
    Ok(client()?.get(url).headers(headers.clone()).send().await?.error_for_status()?.json().await?)
}

async fn answer(
    service: &'static str,
    propagator: CompositePropagator,
    headers: HeaderMap,
    next: Option<String>,
) -> std::result::Result<Json<Vec<Seen>>, String> {
    let parent = headers::extract(&propagator, &headers);
    let context = with_span(&parent, service, SpanKind::Server);
    let seen = Seen {
        service: service.to_owned(),
        headers: context_headers(&headers),
        trace: context.span().span_context().trace_id().to_string(),
        b3: context.sampling().map(|state| format!("{state:?}")).unwrap_or_default(),
    };
    let mut seen = vec![seen];
    if let Some(next) = next {
        let further = forward(&context, &propagator, next).await.map_err(|error| error.to_string())?;
        seen.extend(further);
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
    let lines = headers.iter().filter(|(name, _)| ["b3", "traceparent"].contains(&name.as_str()));
    lines.map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or_default())).collect()
}

fn show(seen: &[Seen]) {
    for Seen { service, headers, b3, .. } in seen {
        let headers = if headers.is_empty() { "nothing".to_owned() } else { headers.join("\n    ") };
        println!("  {service}: {b3}\n    {headers}");
    }
    println!("  traces: {}", traces(seen));
}

/// How many traces the services were in, all together.
fn traces(seen: &[Seen]) -> usize {
    seen.iter().map(|seen| seen.trace.as_str()).collect::<HashSet<_>>().len()
}
