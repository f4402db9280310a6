//! What is counted.

#![cfg(all(feature = "metrics", feature = "tower"))]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Formats, Headers, local, request, sent};
use http::HeaderValue;
use opentelemetry::{Context, KeyValue, metrics::MeterProvider, propagation::TextMapPropagator};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData, ResourceMetrics, ScopeMetrics},
};
use otel_trust_boundary::{
    Boundary, Destination, DestinationExt, EgressLayer, Inbound, Keys, Outbound, Strategy,
};
use tower_layer::Layer;
use tower_service::Service;

struct Meter {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Meter {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
        Self { provider, exporter }
    }

    /// `direction rule action count` of every combination.
    fn counted(&self) -> Vec<String> {
        self.provider.force_flush().unwrap();
        let exported = self.exporter.get_finished_metrics().unwrap();
        let metrics =
            exported.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
        let mut counted = Vec::new();
        for metric in metrics.filter(|metric| metric.name() == "propagator.boundary.decisions") {
            let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else {
                unreachable!("a counter")
            };
            counted = sum.data_points().map(|point| line(point.attributes(), point.value())).collect();
        }
        counted.sort_unstable();
        counted
    }
}

fn line<'a>(attributes: impl Iterator<Item = &'a KeyValue>, value: u64) -> String {
    let attributes: Vec<&KeyValue> = attributes.collect();
    let find =
        |name: &str| attributes.iter().find(|it| it.key.as_str() == name).map(|it| it.value.to_string());
    let [direction, rule, action] = ["direction", "boundary.rule", "boundary.action"]
        .map(|name| find(&format!("propagator.{name}")).unwrap_or_default());
    format!("{direction} {rule} {action} {value}")
}

fn boundary(meter: &Meter) -> Boundary {
    Boundary::deny_external()
        .inbound(Inbound::new("restart", Strategy::RestartWithLink).when_header("x-rule", "restart"))
        .inbound(
            Inbound::new("keys", Strategy::Continue)
                .accept_baggage(Keys::of(&["tenant"]))
                .when_header("x-rule", "keys"),
        )
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .meter(meter.provider.meter("test"))
}

#[test]
fn every_decision() {
    let meter = Meter::new();
    let guarded = boundary(&meter).wrap(Formats);
    for (rule, times) in [("restart", 1), ("keys", 2), ("other", 3)] {
        for _ in 0..times {
            let mut request = request();
            request.insert("x-rule".to_owned(), rule.to_owned());
            drop(guarded.extract_with_context(&Context::new(), &request));
        }
    }
    drop(guarded.extract_with_context(&Context::new(), &Headers::new()));
    for host in ["orders.internal", "api.stripe.com", "api.stripe.com"] {
        sent(&guarded, &local().with_destination(Destination::host(host)));
    }
    sent(&guarded, &Context::new());
    let expected = [
        "in keys continued 2",
        "in keys keys_dropped 2",
        "in otherwise continued 3",
        "in restart restarted_with_link 1",
        "out mesh injected 1",
        "out unknown keys_dropped 2",
        "out unknown suppressed 2",
    ];
    assert_eq!(meter.counted(), expected);
}

#[test]
fn a_policy_that_changes_nothing_counts_too() {
    let meter = Meter::new();
    let guarded = Boundary::allow_all().meter(meter.provider.meter("test")).wrap(Formats);
    drop(guarded.extract_with_context(&Context::new(), &request()));
    sent(&guarded, &local());
    assert_eq!(meter.counted(), ["in otherwise continued 1", "out unknown injected 1"]);
}

struct Client;

impl Service<http::Request<()>> for Client {
    type Response = ();
    type Error = ();
    type Future = std::future::Ready<Result<(), ()>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), ()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<()>) -> Self::Future {
        std::future::ready(Ok(()))
    }
}

#[test]
fn the_layer_counts() {
    let meter = Meter::new();
    let mut client = EgressLayer::new(boundary(&meter)).layer(Client);
    for host in ["orders.internal", "api.stripe.com"] {
        let mut request = http::Request::get(format!("http://{host}/")).body(()).unwrap();
        request.headers_mut().insert("traceparent", HeaderValue::from_static(common::TRACEPARENT));
        request.headers_mut().insert("baggage", HeaderValue::from_static("a=1,b=2"));
        drop(client.call(request));
    }
    let expected = ["out mesh injected 1", "out unknown keys_dropped 1", "out unknown suppressed 1"];
    assert_eq!(meter.counted(), expected);
}
