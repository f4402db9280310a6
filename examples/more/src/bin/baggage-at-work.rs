//! How is baggage set, read, listed, removed and put on spans, metrics and logs?

use examples::{Result, Spans, ensure, extract, header, inject};
use http::HeaderMap;
use more_examples::Log;
use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt, KeyValueMetadata},
    global,
    metrics::MeterProvider,
    trace::{TraceContextExt, Tracer},
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, PeriodicReader, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData, ScopeMetrics, SumDataPoint},
};
use otel_composite::BaggagePropagator;

/// What goes on telemetry. Never all of the baggage: a peer chooses its keys, and each value is a new time series.
const CHOSEN: [&str; 2] = ["order.region", "tenant"];

fn main() -> Result {
    let log = Log::install();
    let spans = Spans::install(BaggagePropagator::new());
    let context = set_read_list_remove()?;
    on_telemetry(&context, &log, &spans)
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

fn on_telemetry(context: &Context, log: &Log, spans: &Spans) -> Result {
    println!("\non telemetry, by choice of keys:");
    let chosen = CHOSEN.map(|key| {
        let value = context.baggage().get(key).map_or("missing", |value| value.as_str());
        KeyValue::new(key, value.to_owned())
    });

    let tracer = global::tracer("examples");
    let span =
        tracer.span_builder("order").with_attributes(chosen.clone()).start_with_context(&tracer, context);
    context.with_span(span).span().end();
    let attributes = spans.named("order")?.attributes;
    println!("span attributes: {}", text(&attributes));
    ensure(attributes == chosen, "the span has the chosen keys")?;

    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let meters = SdkMeterProvider::builder().with_reader(reader).build();
    meters.meter("examples").u64_counter("orders").build().add(1, &chosen);
    meters.force_flush()?;
    let counted = counter_attributes(&exporter)?;
    println!("metric attributes: {}", text(&counted));
    ensure(
        counted.len() == 2 && counted.iter().all(|a| chosen.contains(a)),
        "the metric has the chosen keys",
    )?;

    let [region, tenant] = &chosen;
    tracing::info!(region = %region.value, tenant = %tenant.value, "order placed");
    ensure(log.text().contains("tenant=acme-retail"), "the log line has the chosen keys")
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
