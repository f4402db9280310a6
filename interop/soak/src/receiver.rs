//! An OTLP receiver over HTTP that counts.

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::any_value::Value,
};
use prost::Message;
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, PoisonError},
    thread,
};
use tokio::{net::TcpListener, runtime};

/// What came in, by kind and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Received(Arc<Mutex<BTreeMap<String, u64>>>);

impl Received {
    /// How often it came in.
    pub(crate) fn count(&self, what: &str) -> u64 {
        self.counts().get(what).copied().unwrap_or_default()
    }

    /// Everything.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn add(&self, what: String, times: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += times;
    }
}

/// Starts it on a thread and a port of its own: the address, and what it receives.
///
/// # Errors
///
/// Where no port is free.
pub(crate) fn start() -> io::Result<(String, Received)> {
    let received = Received::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = format!("http://{}", listener.local_addr()?);
    let routes = Router::new()
        .route("/v1/traces", post(traces))
        .route("/v1/logs", post(logs))
        .route("/v1/metrics", post(metrics))
        .with_state(received.clone());
    let runtime = runtime::Builder::new_current_thread().enable_io().build()?;
    thread::spawn(move || {
        runtime.block_on(async { axum::serve(TcpListener::from_std(listener)?, routes).await })
    });
    Ok((address, received))
}

async fn traces(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    for span in scopes.flat_map(|scope| scope.spans) {
        received.add(format!("span {}", span.name), 1);
        // What the baggage processor copied.
        let copied = span.attributes.iter().filter(|attribute| attribute.key == "tenant").count();
        received.add(format!("span {} with its tenant", span.name), copied as u64);
    }
    StatusCode::OK
}

async fn logs(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportLogsServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
    for record in scopes.flat_map(|scope| scope.log_records) {
        let name = record
            .attributes
            .iter()
            .find(|attribute| attribute.key == "name")
            .and_then(|name| name.value.clone());
        let text = match name.or(record.body).and_then(|value| value.value) {
            Some(Value::StringValue(text)) => text,
            _ => "other".to_owned(),
        };
        received.add(format!("log {text}"), 1);
    }
    StatusCode::OK
}

async fn metrics(State(received): State<Received>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportMetricsServiceRequest::decode(body) else { return StatusCode::BAD_REQUEST };
    let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    for metric in scopes.flat_map(|scope| scope.metrics) {
        received.add(format!("metric {}", metric.name), 1);
    }
    StatusCode::OK
}
