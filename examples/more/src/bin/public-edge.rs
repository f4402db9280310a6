//! What may a stranger do to the traces of a public service, and what may a caller that the gateway knows?

use axum::{Router, extract::Request, http::HeaderMap, routing::get};
use examples::{Result, client, ensure, extract, serve};
use opentelemetry::{
    baggage::BaggageExt,
    global,
    propagation::TextMapPropagator,
    trace::{SpanKind, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider};
use otel_b3::{B3Propagator, DecisionSampler};
use otel_carriers::headers;
use otel_composite::{
    BaggagePropagator, CompositePropagator, TraceContextPropagator,
    boundary::{Boundary, Inbound, Keys, RestartLinks, Strategy, UnguessableSampler},
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::main]
async fn main() -> Result {
    let boundary = Boundary::deny_external()
        // The gateway sets this header, and takes it away where a caller sent it.
        .inbound(
            Inbound::new("authenticated", Strategy::Continue)
                .when_header("x-gateway-auth", "yes")
                .trust_sampled(false)
                .accept_baggage(Keys::of(&["tenant"])),
        )
        .otherwise(
            Inbound::new("anonymous", Strategy::RestartWithLink).accept_baggage(Keys::of(&["cohort"])),
        );
    println!("{boundary}");
    global::set_text_map_propagator(boundary.wrap(formats()));
    let exporter = InMemorySpanExporter::default();
    global::set_tracer_provider(provider(Sampler::AlwaysOn, &exporter));
    let url = format!("http://{}/", serve(Router::new().route("/", get(handle))).await?);

    let anonymous = call(&url, &[]).await?;
    println!("anonymous:     {anonymous}");
    ensure(!anonymous.contains(TRACE), "a stranger's trace is not ours")?;
    ensure(anonymous.ends_with("tenant=none cohort=blue"), "a forged tenant is not believed")?;
    let authenticated = call(&url, &[("x-gateway-auth", "yes")]).await?;
    println!("authenticated: {authenticated}");
    ensure(authenticated.starts_with(TRACE), "a caller that the gateway knows is continued")?;
    ensure(authenticated.ends_with("tenant=acme-retail cohort=none"), "with the keys that it may send")?;

    let spans = exporter.get_finished_spans()?;
    let links: Vec<Vec<String>> = spans
        .iter()
        .map(|span| span.links.iter().map(|link| link.span_context.trace_id().to_string()).collect())
        .collect();
    println!("links of each span: {links:?}");
    ensure(links == [vec![], vec![TRACE.to_owned()], vec![], vec![]], "one link, on the first span alone")?;
    ensure(
        spans.iter().take(2).all(|span| span.span_context.trace_state().header().is_empty()),
        "no tracestate",
    )?;

    forged_flags()
}

fn formats() -> CompositePropagator {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    CompositePropagator::builder().trace(trace).trace(B3Propagator::single()).baggage(baggage).build()
}

/// Decides on every trace that nobody trusted decided on, by ids that no caller can have chosen.
fn provider(root: Sampler, exporter: &InMemorySpanExporter) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(DecisionSampler::new(UnguessableSampler::new(root)))
        .with_span_processor(RestartLinks::new())
        .with_simple_exporter(exporter.clone())
        .build()
}

/// A service as any other: nothing here knows of the boundary.
async fn handle(request: Request) -> String {
    let tracer = global::tracer("edge");
    let parent = extract(request.headers());
    let server =
        tracer.span_builder("GET /").with_kind(SpanKind::Server).start_with_context(&tracer, &parent);
    let cx = parent.with_span(server);
    drop(tracer.start_with_context("work", &cx));
    let baggage = |key| cx.baggage().get(key).map_or("none", |value| value.as_str());
    let trace_id = cx.span().span_context().trace_id();
    format!("{trace_id} tenant={} cohort={}", baggage("tenant"), baggage("cohort"))
}

/// A caller that says all that it can.
async fn call(url: &str, more: &[(&str, &str)]) -> Result<String> {
    let mut request = client()?
        .get(url)
        .header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
        .header("tracestate", "ot=rv:ffffffffffffff")
        .header("b3", "d")
        .header("baggage", "tenant=acme-retail,cohort=blue");
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    Ok(request.send().await?.error_for_status()?.text().await?)
}

/// A service that records one request in a hundred, and 10,000 callers that want to be recorded.
fn forged_flags() -> Result {
    let (exporter, percent) = (InMemorySpanExporter::default(), Sampler::TraceIdRatioBased(0.01));
    let tracer = provider(percent, &exporter).tracer("edge");
    let forged = |at: u64| {
        let mut headers = HeaderMap::new();
        if let Ok(value) = format!("00-{:032x}-00000000000000ff-01", u128::from(at + 1)).parse() {
            headers.insert("traceparent", value);
        }
        headers
    };
    let sampled = |propagator: &dyn TextMapPropagator| {
        let is_sampled = |&at: &u64| {
            let cx = headers::extract(propagator, &forged(at));
            cx.with_span(tracer.start_with_context("GET /", &cx)).span().span_context().is_sampled()
        };
        (0..10_000).filter(is_sampled).count()
    };
    let before = sampled(&formats());
    let untrusted =
        Boundary::allow_all().otherwise(Inbound::new("all", Strategy::Continue).trust_sampled(false));
    let after = sampled(&untrusted.wrap(formats()));
    println!("forged sampled flags: {before} of 10,000 requests recorded before, {after} after");
    ensure(before == 10_000 && (20..=200).contains(&after), "a caller cannot have itself recorded")
}
