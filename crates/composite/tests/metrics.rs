//! What a real `SdkMeterProvider` collects.

#![cfg(all(feature = "metrics", feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{Headers, House, Pairs, headers};
use opentelemetry::{
    Context, KeyValue, Value,
    baggage::BaggageExt,
    metrics::{Meter, MeterProvider},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use opentelemetry_sdk::metrics::{
    InMemoryMetricExporter, SdkMeterProvider,
    data::{AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics},
};
use otel_composite::{
    B3Propagator, BaggagePropagator, BothWays, Builder, CompositePropagator, Limits, Problem, RelayExt,
    RelayPropagator, TraceContextPropagator,
};
use std::collections::BTreeMap;
use testing::carrier::{EmptyLists, NotText, Reserved};

/// A meter and what was recorded with it.
struct Recorder(SdkMeterProvider, InMemoryMetricExporter);

/// The values of a metric by its attributes' values, in the order of the attributes' names.
type Points = BTreeMap<Vec<String>, (u64, u64)>;

impl Recorder {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        Self(SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build(), exporter)
    }

    fn build(&self, builder: Builder) -> CompositePropagator {
        builder.meter(&self.0.meter("test")).build()
    }

    /// Name to unit and points: the count and the sum of a histogram, the value of a counter twice.
    fn collected(self) -> BTreeMap<String, (String, Points)> {
        self.0.force_flush().unwrap();
        let collected = self.1.get_finished_metrics().unwrap();
        let scopes = collected.last().into_iter().flat_map(ResourceMetrics::scope_metrics);
        let metrics = scopes.flat_map(ScopeMetrics::metrics);
        metrics.map(|metric| (metric.name().to_owned(), (metric.unit().to_owned(), points(metric)))).collect()
    }

    fn points(self, name: &str) -> Points {
        self.collected().remove(name).map(|(_, points)| points).unwrap_or_default()
    }
}

fn points(metric: &Metric) -> Points {
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Histogram(histogram)) => histogram
            .data_points()
            .map(|point| (values(point.attributes()), (point.count(), point.sum())))
            .collect(),
        AggregatedMetrics::U64(MetricData::Gauge(gauge)) => gauge
            .data_points()
            .map(|point| (values(point.attributes()), (point.value(), point.value())))
            .collect(),
        AggregatedMetrics::U64(MetricData::Sum(sum)) => sum
            .data_points()
            .map(|point| (values(point.attributes()), (point.value(), point.value())))
            .collect(),
        other => panic!("{other:?}"),
    }
}

fn values<'a>(attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<String> {
    let mut attributes: Vec<&KeyValue> = attributes.collect();
    attributes.sort_by(|a, b| a.key.cmp(&b.key));
    let value = |value: &Value| value.as_str().into_owned();
    attributes.into_iter().map(|attribute| value(&attribute.value)).collect()
}

fn expected(rows: &[(&[&str], (u64, u64))]) -> Points {
    rows.iter().map(|(values, point)| (values.iter().map(ToString::to_string).collect(), *point)).collect()
}

fn formats() -> Builder {
    CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(B3Propagator::single())
        .trace(House)
        .baggage(BaggagePropagator::new())
}

/// Of the formats above, each so many times.
fn by_format(outcomes: [&str; 4], times: u64) -> Points {
    let names = ["tracecontext", "b3", "House", "baggage"];
    let point = |(name, outcome): (&str, &str)| (vec![name.to_owned(), outcome.to_owned()], (times, times));
    names.into_iter().zip(outcomes).map(point).collect()
}

/// A policy that lets none of the keys in is no fault of the caller's.
#[test]
fn baggage_that_a_policy_leaves_out_is_not_malformed() {
    let rows = [
        ("not allowed", "b=1,c=2", "left_out"),
        ("one is allowed", "a=1,b=2", "valid"),
        ("malformed", "=", "malformed"),
        ("malformed and not allowed", "b=1,=", "left_out"),
    ];
    for (rule, header, outcome) in rows {
        let recorder = Recorder::new();
        let ours = BaggagePropagator::new()
            .with_limits(BothWays { inbound: Limits::new().allow(&["a"]), ..BothWays::new() });
        let propagator = recorder.build(CompositePropagator::builder().baggage(ours));
        let _ = propagator.extract_with_context(&Context::new(), &headers(&[("baggage", header)]));
        let expected = expected(&[(&["baggage", outcome], (1, 1))]);
        assert_eq!(recorder.points("propagator.extractions"), expected, "{rule}");
    }
}

/// Relayed baggage is not in `Context::baggage`.
#[test]
fn a_relay_has_outcomes_of_its_own() {
    let allowed = BothWays { inbound: Limits::new().allow(&["a"]), ..BothWays::new() };
    let rows = [
        ("text that goes on", Context::new(), &[("baggage", "a=1")][..], "valid"),
        ("in the place of baggage", with_baggage(), &[("baggage", "a=1")], "valid"),
        ("not allowed", Context::new(), &[("baggage", "b=1")], "left_out"),
        ("malformed", Context::new(), &[("baggage", "=")], "malformed"),
        ("malformed, after another", relayed(), &[("baggage", "=")], "malformed"),
        ("the same again", relayed(), &[("baggage", "a=1")], "valid"),
        ("nothing", relayed(), &[], "absent"),
    ];
    for (rule, given, request, outcome) in rows {
        let recorder = Recorder::new();
        let relay = RelayPropagator::new().with_limits(allowed.clone());
        let propagator = recorder.build(CompositePropagator::builder().baggage(relay));
        let cx = propagator.extract_with_context(&given, &headers(request));
        let is_valid = outcome == "valid";
        assert!(!is_valid || cx.baggage().is_empty() && cx.relayed_baggage().len() == 1, "{rule}");
        let expected = expected(&[(&["baggage relay", outcome], (1, 1))]);
        assert_eq!(recorder.points("propagator.extractions"), expected, "{rule}");
    }
}

fn with_baggage() -> Context {
    Context::new().with_baggage([KeyValue::new("x", "y")])
}

fn relayed() -> Context {
    RelayPropagator::new().extract_with_context(&Context::new(), &headers(&[("baggage", "a=1")]))
}

/// The API hands out a meter that does nothing where no provider is set, and never says so.
#[test]
fn a_meter_that_records_nothing_is_told() {
    let silent = |meter: &Meter| formats().meter(meter).build().problems() == [Problem::SilentMeter];
    assert!(silent(&opentelemetry::global::meter("before the provider is set")));
    assert!(silent(&SdkMeterProvider::builder().build().meter("nobody reads")), "no reader");
    let Recorder(provider, _) = Recorder::new();
    assert!(!silent(&provider.meter("test")));
    assert_eq!(formats().build().problems(), [], "none is asked for");
}

#[test]
fn what_there_is_can_be_asked_for_in_each_service() {
    let recorder = Recorder::new();
    let propagator = recorder.build(formats());
    let expected = expected(&[(&[&propagator.to_string()], (1, 1))]);
    assert_eq!(recorder.points("propagator.info"), expected);
}

const W3C: (&str, &str) = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

#[test]
fn outcomes_by_format() {
    let same = ("b3", "0af7651916cd43dd8448eb211c80319c-00000000000000b2-1");
    let other = ("x-house", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000c3");
    let rows: [(&str, Pairs<'_>, [&str; 4]); 12] = [
        ("a tracestate alone says nothing", &[("tracestate", "a=1")], ["absent"; 4]),
        ("flags that ask for nothing", &[("x-b3-flags", "0")], ["absent"; 4]),
        ("flags that ask for debug", &[("x-b3-flags", "1")], ["absent", "sampling_only", "absent", "absent"]),
        ("a parent of nothing", &[("x-b3-parentspanid", "00000000000000b2")], ["absent"; 4]),
        ("nothing", &[], ["absent", "absent", "absent", "absent"]),
        (
            "all valid",
            &[W3C, same, other, ("baggage", "a=1")],
            ["valid", "not_chosen", "not_chosen", "valid"],
        ),
        ("the second", &[same], ["absent", "valid", "absent", "absent"]),
        (
            "malformed",
            &[("traceparent", "x"), ("b3", "x"), ("x-house", "x"), ("baggage", "x")],
            ["malformed"; 4],
        ),
        (
            "one of several B3 headers",
            &[("x-b3-spanid", "00000000000000b2")],
            ["absent", "malformed", "absent", "absent"],
        ),
        ("a decision alone", &[("b3", "0")], ["absent", "sampling_only", "absent", "absent"]),
        (
            "a decision is no excuse for another format",
            &[("b3", "0"), ("x-house", "x")],
            ["absent", "sampling_only", "malformed", "absent"],
        ),
        ("a decision beside a winner", &[W3C, ("b3", "0")], ["valid", "sampling_only", "absent", "absent"]),
    ];
    for (rule, pairs, outcomes) in rows {
        let recorder = Recorder::new();
        let propagator = recorder.build(formats());
        for _ in 0..3 {
            propagator.extract_with_context(&Context::new(), &headers(pairs));
        }
        let points = recorder.points("propagator.extractions");
        assert_eq!(points, by_format(outcomes, 3), "{rule}");
    }
}

/// > The `GetAll` function SHOULD return an empty collection if the key doesn't exist in the carrier
#[test]
fn an_empty_collection_is_an_absent_header() {
    let recorder = Recorder::new();
    recorder.build(formats()).extract_with_context(&Context::new(), &EmptyLists);
    assert_eq!(recorder.points("propagator.extractions"), by_format(["absent"; 4], 1));
}

/// A decision of an earlier request in a context that is used again is not this request's.
#[test]
fn a_decision_is_counted_where_it_came() {
    let earlier = B3Propagator::single().extract_with_context(&Context::new(), &headers(&[("b3", "0")]));
    let rows = [
        ("garbage", "x", "malformed"),
        ("the same decision again", "0", "sampling_only"),
        ("another", "1", "sampling_only"),
    ];
    for (rule, value, outcome) in rows {
        let recorder = Recorder::new();
        recorder.build(formats()).extract_with_context(&earlier, &headers(&[("b3", value)]));
        let expected = by_format(["absent", outcome, "absent", "absent"], 1);
        assert_eq!(recorder.points("propagator.extractions"), expected, "{rule}");
    }
}

/// One that puts empty baggage into the context has found none.
#[test]
fn empty_baggage_is_not_valid() {
    let recorder = Recorder::new();
    let builder =
        CompositePropagator::builder().baggage(opentelemetry_sdk::propagation::BaggagePropagator::new());
    recorder.build(builder).extract_with_context(&Context::new(), &headers(&[("baggage", ";;;")]));
    let row: &[&str] = &["BaggagePropagator", "malformed"];
    assert_eq!(recorder.points("propagator.extractions"), expected(&[(row, (1, 1))]));
}

/// A header that is there, of which the carrier cannot give a line as text.
#[test]
fn a_header_that_is_not_text_is_malformed() {
    let recorder = Recorder::new();
    let builder = CompositePropagator::builder().trace(TraceContextPropagator::new());
    recorder.build(builder).extract_with_context(&Context::new(), &NotText(&["traceparent"]));
    let row: &[&str] = &["tracecontext", "malformed"];
    assert_eq!(recorder.points("propagator.extractions"), expected(&[(row, (1, 1))]));
}

/// Where the last one wins, an earlier one was valid all the same.
#[test]
fn outcomes_where_the_last_wins() {
    let b3 = ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000b2-1");
    let rows: [(&str, Pairs<'_>, [&str; 4]); 4] = [
        ("nothing", &[], ["absent"; 4]),
        ("both valid", &[W3C, b3], ["valid", "valid", "absent", "absent"]),
        ("the first", &[W3C, ("b3", "x")], ["valid", "malformed", "absent", "absent"]),
        ("the second", &[("traceparent", "x"), b3], ["malformed", "valid", "absent", "absent"]),
    ];
    let given = House.extract_with_context(
        &Context::new(),
        &headers(&[("x-house", "0af7651916cd43dd8448eb211c80319c-00000000000000c3")]),
    );
    for (rule, pairs, outcomes) in rows {
        let recorder = Recorder::new();
        let propagator = recorder.build(formats().last_wins(true));
        propagator.extract_with_context(&given, &headers(pairs));
        let points = recorder.points("propagator.extractions");
        assert_eq!(points, by_format(outcomes, 1), "{rule}");
    }
}

#[test]
fn sizes_by_header() {
    let recorder = Recorder::new();
    let propagator = recorder.build(formats());
    let received = headers(&[W3C, ("tracestate", "congo=1"), ("baggage", "a=1,b=2")]);
    let cx = propagator.extract_with_context(&Context::new(), &received);
    let mut sent = Headers::new();
    propagator.inject_context(&cx, &mut sent);
    propagator.inject_context(&cx, &mut sent);
    assert_eq!(sent.len(), 5, "{sent:?}");
    let rows: [(&[&str], _); 5] = [
        (&["traceparent"], (2, 110)),
        (&["tracestate"], (2, 14)),
        (&["b3"], (2, 102)),
        (&["x-house"], (2, 98)),
        (&["baggage"], (2, 14)),
    ];
    assert_eq!(recorder.points("propagator.injected.size"), expected(&rows));
}

/// More sizes than there are places for, from threads that share places: each is recorded once, before or at the collection.
#[test]
fn every_size_of_every_thread_is_recorded_once() {
    let recorder = Recorder::new();
    let propagator = recorder.build(CompositePropagator::builder().baggage(BaggagePropagator::new()));
    let sizes: Vec<usize> = (2..80).collect();
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                for size in &sizes {
                    let entry = KeyValue::new("a", "1".repeat(size - "a=".len()));
                    let cx = Context::new().with_baggage([entry]);
                    propagator.inject_context(&cx, &mut Headers::new());
                }
            });
        }
    });
    let all = (20 * sizes.len() as u64, 20 * sizes.iter().sum::<usize>() as u64);
    // What one collection has handed on, the next does not hand on again.
    recorder.0.force_flush().unwrap();
    assert_eq!(recorder.points("propagator.injected.size"), expected(&[(&["baggage"], all)]));
}

/// Sends what it does not declare, after it has made room.
#[derive(Debug)]
struct Undeclared;

impl TextMapPropagator for Undeclared {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.reserve(100);
        (0..100).for_each(|number| injector.set(&format!("x-{number}"), "1".to_owned()));
    }
    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }
    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&[])
    }
}

/// New header names cannot make new attribute values.
#[test]
fn undeclared_headers_are_one() {
    let recorder = Recorder::new();
    let propagator = recorder.build(CompositePropagator::builder().other(Undeclared));
    propagator.inject_context(&Context::new(), &mut Headers::new());
    assert_eq!(recorder.points("propagator.injected.size"), expected(&[(&["other"], (100, 100))]));
}

#[test]
fn room_that_a_propagator_asks_for_is_made() {
    let mut reserved = Reserved::default();
    let propagator = Recorder::new().build(CompositePropagator::builder().other(Undeclared));
    propagator.inject_context(&Context::new(), &mut reserved);
    assert_eq!(reserved.0, 100);
}

#[test]
fn members_left_out_by_reason() {
    let recorder = Recorder::new();
    let limits = Limits::new().max_members(1).deny(&["secret"]);
    let propagator = recorder.build(formats().limits(limits));
    let received = headers(&[("baggage", "a=1,b,c,=x,secret=1,a=2,d=4")]);
    for _ in 0..20 {
        let cx = propagator.extract_with_context(&Context::new(), &received);
        assert_eq!(cx.baggage().len(), 3);
        propagator.inject_context(&cx, &mut Headers::new());
    }
    let rows: [(&[&str], _); 5] = [
        (&["in", "no_equals_sign"], (40, 40)),
        (&["in", "key_malformed"], (20, 20)),
        (&["in", "superseded"], (20, 20)),
        (&["out", "key_denied"], (20, 20)),
        (&["out", "too_many_members"], (20, 20)),
    ];
    assert_eq!(recorder.points("propagator.baggage.left_out"), expected(&rows));
}

#[test]
fn a_foreign_propagator_is_counted_as_well() {
    let recorder = Recorder::new();
    let sdk = opentelemetry_sdk::propagation::BaggagePropagator::new();
    let builder = CompositePropagator::builder().baggage(sdk).limits(Limits::new().max_members(1));
    let propagator = recorder.build(builder);
    let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
    propagator.inject_context(&cx, &mut Headers::new());
    let rows: [(&[&str], _); 1] = [(&["out", "too_many_members"], (1, 1))];
    assert_eq!(recorder.points("propagator.baggage.left_out"), expected(&rows));
}

#[test]
fn two_composites_count_apart() {
    let (first, second) = (Recorder::new(), Recorder::new());
    let (one, two) = (first.build(formats()), second.build(formats()));
    let received = headers(&[("baggage", "a=1,b")]);
    one.extract_with_context(&Context::new(), &received);
    two.extract_with_context(&Context::new(), &received);
    two.extract_with_context(&Context::new(), &received);
    formats().build().extract_with_context(&Context::new(), &received);
    let row: &[&str] = &["in", "no_equals_sign"];
    assert_eq!(first.points("propagator.baggage.left_out"), expected(&[(row, (1, 1))]));
    assert_eq!(second.points("propagator.baggage.left_out"), expected(&[(row, (2, 2))]));
}

#[test]
fn units_are_documented_ones() {
    let recorder = Recorder::new();
    let propagator = recorder.build(formats());
    let cx = propagator.extract_with_context(&Context::new(), &headers(&[W3C, ("baggage", "a=1,b")]));
    propagator.inject_context(&cx, &mut Headers::new());
    let units: BTreeMap<String, String> =
        recorder.collected().into_iter().map(|(name, (unit, _))| (name, unit)).collect();
    let rows = [
        ("propagator.baggage.left_out", "{member}"),
        ("propagator.extractions", "{extraction}"),
        ("propagator.info", ""),
        ("propagator.injected.size", "By"),
    ];
    assert_eq!(units, rows.map(|(name, unit)| (name.to_owned(), unit.to_owned())).into());
}
