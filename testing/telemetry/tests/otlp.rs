//! Two services with axum and `tracing` that export by OTLP, held against what an OTLP receiver got: the tenant is on
//! server spans, client spans, log records and one metric, and nothing else of the caller's baggage is.
//!
//! The receiver is a server of its own over loopback that decodes the protobuf messages of OTLP over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "test code outside of a test function")]

use axum::{
    Router,
    body::Bytes,
    extract::{Request, State},
    middleware::{Next, from_fn},
    response::Response,
    routing::{get, post},
};
use opentelemetry::{
    Context, TraceId, global,
    metrics::{Counter, MeterProvider},
    trace::TracerProvider,
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{KeyValue, any_value::Value},
    metrics::v1::{metric::Data, number_data_point},
    trace::v1::span::SpanKind,
};
use opentelemetry_sdk::{
    logs::SdkLoggerProvider,
    metrics::SdkMeterProvider,
    trace::{BatchSpanProcessor, SdkTracerProvider},
};
use otel_composite::telemetry::{BaggageLogProcessor, BaggageSpanProcessor, Entries, Keys, MetricAttributes};
use prost::Message;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tracing::{Instrument, Span, info, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::filter_fn, layer::SubscriberExt, util::SubscriberInitExt};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

// --- the receiver ---------------------------------------------------------------------------------------------

/// What was exported, one line a span, a record or a point: what it is, and its string attributes.
#[derive(Clone, Debug, Default)]
struct Received(Arc<Mutex<Vec<String>>>);

impl Received {
    fn add(&self, what: impl std::fmt::Display, attributes: &[KeyValue]) {
        let attributes = strings(attributes).map(|(key, value)| format!(" {key}={value}"));
        self.0.lock().unwrap().push(format!("{what}:{}", attributes.collect::<Vec<_>>().concat()));
    }

    /// How often each line came.
    fn lines(&self) -> BTreeMap<String, usize> {
        let mut lines = BTreeMap::new();
        for line in self.0.lock().unwrap().iter() {
            *lines.entry(line.clone()).or_default() += 1;
        }
        lines
    }
}

/// The attributes that may come from baggage: those of type string that the layers do not add themselves.
fn strings(attributes: &[KeyValue]) -> impl Iterator<Item = (&str, &str)> {
    attributes.iter().filter_map(|attribute| match attribute.value.as_ref()?.value.as_ref()? {
        Value::StringValue(value) if !is_of_tracing(&attribute.key) => Some((&*attribute.key, &**value)),
        _ => None,
    })
}

fn is_of_tracing(key: &str) -> bool {
    key.starts_with("code.") || key.starts_with("thread.") || ["target", "level", "busy_ns"].contains(&key)
}

async fn traces(State(received): State<Received>, body: Bytes) {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let scopes = request.resource_spans.into_iter().flat_map(|it| it.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        let kind = SpanKind::try_from(span.kind).unwrap().as_str_name().trim_start_matches("SPAN_KIND_");
        received.add(format!("{kind} {} {}", span.name, trace_id(&span.trace_id)), &span.attributes);
    }
}

async fn logs(State(received): State<Received>, body: Bytes) {
    let request = ExportLogsServiceRequest::decode(body).unwrap();
    let scopes = request.resource_logs.into_iter().flat_map(|it| it.scope_logs);
    for record in scopes.flat_map(|scope| scope.log_records) {
        let Some(Value::StringValue(body)) = record.body.and_then(|body| body.value) else { continue };
        received.add(format!("LOG {body} {}", trace_id(&record.trace_id)), &record.attributes);
    }
}

async fn metrics(State(received): State<Received>, body: Bytes) {
    let request = ExportMetricsServiceRequest::decode(body).unwrap();
    let scopes = request.resource_metrics.into_iter().flat_map(|it| it.scope_metrics);
    for metric in scopes.flat_map(|scope| scope.metrics) {
        let Some(Data::Sum(sum)) = metric.data else { continue };
        for point in sum.data_points {
            let Some(number_data_point::Value::AsInt(value)) = point.value else { continue };
            received.add(format!("METRIC {} {value}", metric.name), &point.attributes);
        }
    }
}

/// The trace of a span or record; none is all zeros.
fn trace_id(bytes: &[u8]) -> TraceId {
    TraceId::from_bytes(bytes.try_into().unwrap_or_default())
}

// --- the services ---------------------------------------------------------------------------------------------

#[derive(Clone)]
struct Service {
    stock: String,
    client: reqwest::Client,
    orders: Counter<u64>,
    attributes: Arc<MetricAttributes>,
}

/// A server span for each request, below the caller's.
async fn server_span(request: Request, next: Next) -> Response {
    let extractor = HeaderExtractor(request.headers());
    let parent = global::get_text_map_propagator(|it| it.extract_with_context(&Context::new(), &extractor));
    let span = info_span!("request", otel.name = request.uri().path(), otel.kind = "server");
    span.set_parent(parent).unwrap();
    next.run(request).instrument(span).await
}

async fn order(State(service): State<Service>) -> String {
    info!("ordering");
    service.orders.add(1, &service.attributes.of(&Context::current()));
    let call = tokio::spawn(call(service.client, service.stock).in_current_span());
    call.await.unwrap()
}

#[tracing::instrument(name = "GET", skip_all, fields(otel.kind = "client"))]
async fn call(client: reqwest::Client, url: String) -> String {
    let mut request = reqwest::Request::new(reqwest::Method::GET, url.parse().unwrap());
    let cx = Span::current().context();
    global::get_text_map_propagator(|it| it.inject_context(&cx, &mut HeaderInjector(request.headers_mut())));
    client.execute(request).await.unwrap().text().await.unwrap()
}

async fn stock() -> &'static str {
    info!("in stock");
    "yes"
}

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

// --- the test -------------------------------------------------------------------------------------------------

struct Exporting {
    traces: SdkTracerProvider,
    logs: SdkLoggerProvider,
    metrics: SdkMeterProvider,
}

/// The whole of what a service sets up.
fn export_to(receiver: SocketAddr) -> Exporting {
    let client = || reqwest::blocking::Client::builder().no_proxy().build().unwrap();
    let url = |signal: &str| format!("http://{receiver}/v1/{signal}");
    let spans = SpanExporter::builder().with_http().with_http_client(client());
    let spans = BatchSpanProcessor::builder(spans.with_endpoint(url("traces")).build().unwrap()).build();
    let logs = LogExporter::builder().with_http().with_http_client(client());
    let metrics = MetricExporter::builder().with_http().with_http_client(client());

    let entries = Entries::of(Keys::of(&["tenant"]));
    let traces = SdkTracerProvider::builder()
        .with_span_processor(BaggageSpanProcessor::new(entries.clone()).before(spans))
        .build();
    let logs = SdkLoggerProvider::builder()
        .with_log_processor(BaggageLogProcessor::new(entries))
        .with_batch_exporter(logs.with_endpoint(url("logs")).build().unwrap())
        .build();
    let metrics = SdkMeterProvider::builder()
        .with_periodic_exporter(metrics.with_endpoint(url("metrics")).build().unwrap())
        .build();

    let is_ours = || filter_fn(|metadata| metadata.target() == "otlp");
    tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(traces.tracer("services")).with_filter(is_ours()))
        .with(OpenTelemetryTracingBridge::new(&logs).with_filter(is_ours()))
        .init();
    global::set_text_map_propagator(otel_composite::from_list("tracecontext,baggage").unwrap());
    Exporting { traces, logs, metrics }
}

/// Three requests: of a known tenant, of one that is made up, and without baggage.
async fn requests(meters: &SdkMeterProvider) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let stock = serve(Router::new().route("/stock", get(stock)).layer(from_fn(server_span))).await;
    let service = Service {
        stock: format!("http://{stock}/stock"),
        client: client.clone(),
        orders: meters.meter("services").u64_counter("orders").build(),
        attributes: Arc::new(MetricAttributes::new().only("tenant", ["acme"])),
    };
    let router = Router::new().route("/order", get(order)).with_state(service);
    let orders = serve(router.layer(from_fn(server_span))).await;
    for (digit, baggage) in [
        ('1', "tenant=acme;ttl=60,user.email=jane%40example.com,tenant.secret=7"),
        ('2', "tenant=made%20up%0Aline,user.email=jane%40example.com"),
        ('3', ""),
    ] {
        let request = client.get(format!("http://{orders}/order")).header("baggage", baggage);
        let request = request.header("traceparent", format!("00-{}-b7ad6b7169203331-01", trace(digit)));
        assert_eq!(request.send().await.unwrap().text().await.unwrap(), "yes");
    }
}

fn trace(last: char) -> String {
    TRACE.chars().take(31).chain([last]).collect()
}

#[test]
fn the_tenant_is_where_an_otlp_receiver_sees_it() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let received = Received::default();
    let router = Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/logs", post(logs))
        .route("/v1/metrics", post(metrics))
        .with_state(received.clone());
    let address = runtime.block_on(serve(router));
    let exporting = export_to(address);
    runtime.block_on(requests(&exporting.metrics));
    exporting.traces.shutdown().unwrap();
    exporting.logs.shutdown().unwrap();
    exporting.metrics.shutdown().unwrap();

    let mut expected = BTreeMap::new();
    for (digit, tenant) in [('1', " tenant=acme"), ('2', " tenant=made up\nline"), ('3', "")] {
        for what in ["SERVER /order", "CLIENT GET", "SERVER /stock", "LOG ordering", "LOG in stock"] {
            expected.insert(format!("{what} {}:{tenant}", trace(digit)), 1);
        }
    }
    for point in ["METRIC orders 1: tenant=acme", "METRIC orders 1: tenant=_OTHER", "METRIC orders 1:"] {
        expected.insert(point.to_owned(), 1);
    }
    assert_eq!(received.lines(), expected);
}
