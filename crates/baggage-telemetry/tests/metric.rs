//! Entries as attributes of an instrument.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::context;
use opentelemetry::{Context, KeyValue, metrics::MeterProvider};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, MetricData},
};
use otel_baggage_telemetry::MetricAttributes;
use std::{collections::BTreeSet, sync::Barrier, thread};

fn of(attributes: &MetricAttributes, baggage: &[(&str, &str)]) -> Vec<String> {
    let found = attributes.of(&context(baggage.iter().copied()));
    found.iter().map(|attribute| format!("{}={}", attribute.key, attribute.value)).collect()
}

#[test]
fn an_allow_list() {
    let attributes = MetricAttributes::new().only("tenant", ["acme", "globex"]).only("region", ["eu"]);
    let rows: [(&str, &[_], &[&str]); 8] = [
        ("a value of the list", &[("tenant", "acme")], &["tenant=acme"]),
        ("another one", &[("tenant", "globex")], &["tenant=globex"]),
        ("upper and lower case are two", &[("tenant", "Acme")], &["tenant=_OTHER"]),
        ("no value of the list", &[("tenant", "acme2")], &["tenant=_OTHER"]),
        ("empty", &[("tenant", "")], &["tenant=_OTHER"]),
        ("not there", &[("cohort", "b")], &[]),
        ("no baggage", &[], &[]),
        (
            "in the order in which they were added",
            &[("region", "eu"), ("tenant", "acme")],
            &["tenant=acme", "region=eu"],
        ),
    ];
    for (rule, baggage, expected) in rows {
        assert_eq!(of(&attributes, baggage), expected, "{rule}");
    }
    assert!(of(&MetricAttributes::new(), &[("tenant", "acme")]).is_empty(), "none by default");
}

#[test]
fn a_cap() {
    for most in [0, 1, 2, 7, 64] {
        let attributes = MetricAttributes::new().at_most("tenant", most);
        let of = |value: &str| of(&attributes, &[("tenant", value)]);
        for value in 0..most + 3 {
            let expected = if value < most { format!("tenant=t{value}") } else { "tenant=_OTHER".to_owned() };
            assert_eq!(of(&format!("t{value}")), [expected], "of at most {most}");
        }
        for value in (0..most).rev() {
            assert_eq!(of(&format!("t{value}")), [format!("tenant=t{value}")], "known ones stay");
        }
    }
}

#[test]
fn values_are_cut_before_they_are_told_apart() {
    let attributes = MetricAttributes::new().at_most("tenant", 2);
    let long = |bytes: usize, end: &str| format!("{}{end}", "v".repeat(bytes));
    let cut = format!("tenant={}", long(256, ""));
    assert_eq!(of(&attributes, &[("tenant", &long(256, "1"))]), [cut.as_str()]);
    assert_eq!(of(&attributes, &[("tenant", &long(256, "2"))]), [cut.as_str()]);
    assert_eq!(of(&attributes, &[("tenant", &long(255, "é"))]), [format!("tenant={}", long(255, ""))]);
    assert_eq!(of(&attributes, &[("tenant", "third")]), ["tenant=_OTHER"]);
}

/// All threads together see no more values than there may be, and all of a value's measurements that are told apart
/// bear its name.
#[test]
fn a_cap_across_threads() {
    for _ in 0..20 {
        let (attributes, together) = (MetricAttributes::new().at_most("tenant", 8), Barrier::new(4));
        let seen = thread::scope(|threads| {
            let run = |first: usize| {
                together.wait();
                let value = |at: usize| format!("t{}", (first + at) % 12);
                (0..48).map(|at| (value(at), of(&attributes, &[("tenant", &value(at))]).concat())).collect()
            };
            let running =
                [0, 3, 6, 9].map(|first| threads.spawn(move || -> Vec<(String, String)> { run(first) }));
            running.map(|thread| thread.join().unwrap()).concat()
        });
        for (value, attribute) in &seen {
            assert!(attribute == "tenant=_OTHER" || *attribute == format!("tenant={value}"), "{attribute}");
        }
        let values: BTreeSet<_> = seen.iter().map(|(_, attribute)| attribute).collect();
        assert_eq!(values.len(), 8 + 1, "{values:?}");
    }
}

#[test]
fn on_an_instrument() {
    let exporter = InMemoryMetricExporter::default();
    let meters = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let orders = meters.meter("test").u64_counter("orders").build();
    let attributes = MetricAttributes::new().only("tenant", ["acme"]);
    for tenant in ["acme", "made up", "acme", "made up too"] {
        orders.add(1, &attributes.of(&context([("tenant", tenant)])));
    }
    orders.add(1, &attributes.of(&Context::new()));
    meters.force_flush().unwrap();

    let metrics = exporter.get_finished_metrics().unwrap();
    let metric = metrics[0].scope_metrics().next().unwrap().metrics().next().unwrap();
    let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { panic!("{metric:?}") };
    let point = |attributes: Vec<KeyValue>, value| (attributes, value);
    let mut points: Vec<_> =
        sum.data_points().map(|it| point(it.attributes().cloned().collect(), it.value())).collect();
    points.sort_by_key(|point| format!("{point:?}"));
    let tenant = |value: &'static str| vec![KeyValue::new("tenant", value)];
    assert_eq!(points, [(tenant("_OTHER"), 2), (tenant("acme"), 2), (vec![], 1)]);
}
