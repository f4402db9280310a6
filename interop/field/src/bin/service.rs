//! A Rust service of the chain: `service hand|tower PORT`.
//!
//! `hand` starts its server span itself, as the example of `opentelemetry-http` does; `tower` is under
//! `opentelemetry-instrumentation-tower`. The client span is written by hand in both. `OTEL_PROPAGATORS` chooses the
//! formats, `FIELD_PROPAGATORS=sdk` the SDK's propagators in the place of ours.

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderMap, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::get,
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    global,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::{FutureExt, SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_propagator_b3::{B3Encoding, Propagator as SdkB3};
use opentelemetry_sdk::{
    Resource,
    propagation::{BaggagePropagator as SdkBaggage, TraceContextPropagator as SdkTraceContext},
    trace::{Sampler, SdkTracerProvider},
};
use otel_composite::DecisionSampler;
use serde_json::{Map, Value, json};
use std::{env, error::Error, io};
use tokio::net::TcpListener;

/// The headers that a service reports as it received them.
const REPORTED: &[&str] = &[
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "x-amzn-trace-id",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut arguments = env::args().skip(1);
    let (kind, port) = arguments.next().zip(arguments.next()).ok_or_else(|| io::Error::other("KIND PORT"))?;
    let sdk = env::var("FIELD_PROPAGATORS").is_ok_and(|whose| whose == "sdk");
    // A blocking client may not be made on a thread of the runtime.
    tokio::task::spawn_blocking(move || telemetry(sdk)).await??;
    let name: &'static str = Box::leak(format!("rust-{kind}").into_boxed_str());
    let client = reqwest::Client::builder().no_proxy().build()?;
    let app = Router::new().route("/", get(answer)).with_state((name, client));
    let app = match kind.as_str() {
        "tower" => app.layer(opentelemetry_instrumentation_tower::http::server::Layer::new()),
        _ => app.layer(from_fn(server_span)),
    };
    axum::serve(TcpListener::bind(format!("127.0.0.1:{port}")).await?, app).await?;
    Ok(())
}

fn telemetry(sdk: bool) -> Result<(), Box<dyn Error + Send + Sync>> {
    let exporter = SpanExporter::builder().with_http().build()?;
    let provider =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(Resource::builder().build());
    let provider = if sdk {
        provider.with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
    } else {
        provider.with_sampler(DecisionSampler::new(Sampler::AlwaysOn))
    };
    global::set_tracer_provider(provider.build());
    if sdk {
        global::set_text_map_propagator(sdk_propagators());
    } else {
        otel_composite::install(otel_composite::from_env());
    }
    Ok(())
}

/// What a service without our crates would register for the same list.
fn sdk_propagators() -> TextMapCompositePropagator {
    let list = env::var("OTEL_PROPAGATORS").unwrap_or_default();
    let known = |name: &str| -> Option<Box<dyn TextMapPropagator + Send + Sync>> {
        Some(match name.trim() {
            "tracecontext" => Box::new(SdkTraceContext::new()),
            "baggage" => Box::new(SdkBaggage::new()),
            "b3" => Box::new(SdkB3::with_encoding(B3Encoding::SingleHeader)),
            "b3multi" => Box::new(SdkB3::with_encoding(B3Encoding::MultipleHeader)),
            _ => return None,
        })
    };
    TextMapCompositePropagator::new(list.split(',').filter_map(known).collect())
}

/// The server span, by hand.
async fn server_span(request: Request, next: Next) -> Response {
    let parent =
        global::get_text_map_propagator(|propagator| propagator.extract(&HeaderExtractor(request.headers())));
    let tracer = global::tracer("field");
    let span = tracer.span_builder("GET /").with_kind(SpanKind::Server).start_with_context(&tracer, &parent);
    next.run(request).with_context(parent.with_span(span)).await
}

/// Says what it sees, and asks the next service of the list.
async fn answer(State((name, client)): State<(&'static str, reqwest::Client)>, request: Request) -> Response {
    let report = report(name, &Context::current(), request.headers());
    let to = request.uri().query().and_then(|query| query.strip_prefix("to=")).unwrap_or_default();
    let mut reports = vec![report];
    if let Some((next, rest)) = to.split_once(',').or_else(|| (!to.is_empty()).then_some((to, ""))) {
        match call(&client, next, rest).await {
            Ok(more) => reports.extend(more),
            Err(error) => return (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
        }
    }
    Value::Array(reports).to_string().into_response()
}

async fn call(
    client: &reqwest::Client,
    next: &str,
    rest: &str,
) -> Result<Vec<Value>, Box<dyn Error + Send + Sync>> {
    let mut headers = HeaderMap::new();
    let tracer = global::tracer("field");
    let span = tracer.span_builder("GET").with_kind(SpanKind::Client).start(&tracer);
    let cx = Context::current_with_span(span);
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&cx, &mut HeaderInjector(&mut headers));
    });
    let url = format!("http://{next}/?to={rest}");
    let answer = client.get(url).headers(headers).send().await?;
    let status = answer.status();
    let body = answer.bytes().await?;
    cx.span().end();
    if !status.is_success() {
        return Err(format!("{next}: {status}: {}", String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body)?)
}

fn report(name: &str, cx: &Context, headers: &HeaderMap) -> Value {
    let span = cx.span();
    let span = span.span_context();
    let baggage: Map<_, _> =
        cx.baggage().iter().map(|(key, (value, _))| (key.to_string(), value.as_str().into())).collect();
    let received: Map<_, _> = REPORTED
        .iter()
        .filter_map(|&name| {
            let lines: Vec<_> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
            (!lines.is_empty()).then(|| (name.to_owned(), lines.join(",").into()))
        })
        .collect();
    json!({
        "service": name,
        "trace": span.trace_id().to_string(),
        "span": span.span_id().to_string(),
        "sampled": span.is_sampled(),
        "tracestate": span.trace_state().header(),
        "baggage": baggage,
        "headers": received,
    })
}
