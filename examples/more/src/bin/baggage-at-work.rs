//! How is baggage set, read, listed, removed and put on spans, metrics and logs?

use examples::{Result, ensure, extract, header, inject};
use http::HeaderMap;
use more_examples::Log;
use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt, KeyValueMetadata},
    metrics::MeterProvider,
    trace::{Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    metrics::{
        InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
        data::{AggregatedMetrics, MetricData, ScopeMetrics, SumDataPoint},
    },
    trace::{InMemorySpanExporter, SdkTracerProvider, SimpleSpanProcessor},
};
use otel_baggage_telemetry::{BaggageLayer, BaggageSpanProcessor, Keys, MetricAttributes};
use otel_composite::BaggagePropagator;
use tracing_subscriber::{layer::SubscriberExt, util::SubscriberInitExt};

/// What goes on telemetry. Never all of the baggage: a peer chooses its keys, and what is copied is stored and shown.
const CHOSEN: Keys = Keys::of(&["order.region", "tenant"]);

fn main() -> Result {
    opentelemetry::global::set_text_map_propagator(BaggagePropagator::new());
    let context = set_read_list_remove()?;
    println!("\non telemetry, by choice of keys:");
    on_a_span(&context)?;
    on_a_metric(&context)?;
    on_log_lines(&context)
}

fn set_read_list_remove() -> Result<Context> {
    let context = Context::new().with_baggage([
        KeyValueMetadata::new("tenant", "acme-retail", ""),
        KeyValueMetadata::new("order.region", "eu", "source=gateway;ttl=60"),
        KeyValueMetadata::new("user.email", "jane@example.com", ""),
    ]);
    let mut headers = HeaderMap::new();
    inject(&context, &mut headers);
    println!("sent: {}", header(&headers, "baggage"));

    let context = extract(&headers);
    println!("read: tenant={:?}", context.baggage().get("tenant").map(ToString::to_string));
    println!("listed:");
    let mut members = context.baggage().iter().collect::<Vec<_>>();
    members.sort_by_key(|(key, _)| key.as_str());
    for (key, (value, metadata)) in members {
        println!("  {key} = {value}, metadata {:?}", metadata.as_str());
    }
    let metadata = context.baggage().get_with_metadata("order.region").map(|(_, metadata)| metadata.as_str());
    ensure(metadata == Some("source=gateway;ttl=60"), "metadata arrives as it was sent")?;

    // A context never changes: to remove is to go on with another one.
    let context = context.with_baggage(keep(context.baggage(), |key| key != "user.email"));
    let mut headers = HeaderMap::new();
    inject(&context, &mut headers);
    println!("sent after the removal: {}", header(&headers, "baggage"));
    ensure(!header(&headers, "baggage").contains("jane"), "what is removed is not sent")?;
    Ok(context)
}

/// The members that are to stay.
fn keep(baggage: &Baggage, stays: impl Fn(&str) -> bool) -> Baggage {
    let members = baggage.iter().filter(|(key, _)| stays(key.as_str()));
    members.map(|(key, member)| (key.clone(), member.clone())).collect()
}

/// A processor puts the chosen entries on every span that starts under this context.
fn on_a_span(context: &Context) -> Result {
    let exporter = InMemorySpanExporter::default();
    let exporting = SimpleSpanProcessor::new(exporter.clone());
    let processor = BaggageSpanProcessor::new(CHOSEN).before(exporting);
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();

    drop(provider.tracer("examples").start_with_context("order", context));
    let attributes = exporter.get_finished_spans()?.remove(0).attributes;
    println!("span attributes: {}", text(&attributes));
    ensure(text(&attributes) == "order.region=eu, tenant=acme-retail", "the span has the chosen keys")
}

/// Each value is a time series that stays: the values that are told apart are named, or at least counted.
fn on_a_metric(context: &Context) -> Result {
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    let orders = meters.meter("examples").u64_counter("orders").build();

    let chosen = MetricAttributes::new().only("order.region", ["eu", "us"]).at_most("tenant", 100);
    orders.add(1, &chosen.of(context));
    meters.force_flush()?;
    let mut counted = counter_attributes(&exporter)?;
    counted.sort_by(|a, b| a.key.cmp(&b.key));
    println!("metric attributes: {}", text(&counted));
    ensure(text(&counted) == "order.region=eu, tenant=acme-retail", "the metric has the chosen keys")
}

/// A layer adds them to the spans, and so to the log lines, that `tracing_subscriber::fmt` writes.
fn on_log_lines(context: &Context) -> Result {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_target(false);
    tracing_subscriber::registry()
        .with(lines.with_writer(move || writer.clone()))
        .with(BaggageLayer::new(CHOSEN))
        .init();

    let _current = context.clone().attach();
    tracing::info_span!("order").in_scope(|| tracing::info!("order placed"));
    let expected = "order{order.region=\"eu\" tenant=\"acme-retail\"}: order placed";
    ensure(log.text().contains(expected), "the log line has the chosen keys")
}

/// The attributes of the only counter.
fn counter_attributes(exporter: &InMemoryMetricExporter) -> Result<Vec<KeyValue>> {
    let mut found = Vec::new();
    for metrics in exporter.get_finished_metrics()? {
        for metric in metrics.scope_metrics().flat_map(ScopeMetrics::metrics) {
            if let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() {
                found.extend(sum.data_points().flat_map(SumDataPoint::attributes).cloned());
            }
        }
    }
    Ok(found)
}

fn text(attributes: &[KeyValue]) -> String {
    attributes.iter().map(|a| format!("{}={}", a.key, a.value)).collect::<Vec<_>>().join(", ")
}
