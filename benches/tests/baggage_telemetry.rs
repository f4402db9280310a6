//! What copying baggage to telemetry asks of the allocator: nothing where nothing is copied, and else what the same
//! attributes cost that are set by hand. A program without a harness, since every thread is counted, and that of a harness
//! allocates while a test runs.

use benches::allocation::{Counting, Usage, count};
use opentelemetry::{
    Context, InstrumentationScope, Key, KeyValue, StringValue,
    baggage::{Baggage, BaggageExt},
    logs::{AnyValue, LogRecord as _, Logger, LoggerProvider},
    trace::{Span as _, SpanBuilder, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogProcessor, SdkLogRecord, SdkLoggerProvider},
    trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor},
};
use otel_baggage_telemetry::{BaggageLogProcessor, BaggageSpanProcessor, Entries, Keys, MetricAttributes};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Drops what it is given, and sets these attributes first.
#[derive(Clone, Debug, Default)]
struct ByHand(Vec<(Key, StringValue)>);

impl SpanProcessor for ByHand {
    fn on_start(&self, span: &mut Span, _: &Context) {
        for (key, value) in &self.0 {
            span.set_attribute(KeyValue::new(key.clone(), value.clone()));
        }
    }

    fn on_end(&self, _: SpanData) {}

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl LogProcessor for ByHand {
    fn emit(&self, record: &mut SdkLogRecord, _: &InstrumentationScope) {
        for (key, value) in &self.0 {
            record.add_attribute(key.clone(), AnyValue::String(value.clone()));
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// What it costs to start and end a span that has attributes of its own.
fn span(sampler: Sampler, processor: impl SpanProcessor + 'static, cx: &Context, own: usize) -> Usage {
    let provider = SdkTracerProvider::builder().with_sampler(sampler).with_span_processor(processor).build();
    let tracer = provider.tracer("test");
    let attributes = ["a", "b", "c", "d"].map(|key| KeyValue::new(key, 1));
    let builder = SpanBuilder::from_name("span").with_attributes(attributes.into_iter().take(own));
    let mut span = None;
    let starts = count(|| span = Some(tracer.build_with_context(builder.clone(), cx)));
    let ends = count(|| span.take().expect("it was started").end());
    Usage { allocations: starts.allocations + ends.allocations, ..Usage::default() }
}

fn log(processor: impl LogProcessor + 'static, cx: &Context) -> Usage {
    let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
    let logger = provider.logger("test");
    let _current = cx.clone().attach();
    count(|| logger.emit(logger.create_log_record()))
}

fn baggage(count: usize) -> Vec<(Key, StringValue)> {
    (0..count).map(|n| (format!("k{n:02}").into(), format!("value {n}").into())).collect()
}

fn context(entries: &[(Key, StringValue)]) -> Context {
    let entries = entries.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    Context::new().with_baggage(entries.collect::<Baggage>())
}

fn main() {
    let keys = Keys::of(&["k*"]);
    let ours = || BaggageSpanProcessor::new(Entries::of(keys.clone()).max_entries(64));
    let none = || ByHand::default();
    let _ = Context::new().baggage(); // made once
    for (what, sampler, cx) in [
        ("a span that is not recorded", Sampler::AlwaysOff, context(&baggage(8))),
        ("no baggage", Sampler::AlwaysOn, Context::new()),
        ("empty baggage", Sampler::AlwaysOn, context(&[])),
        ("no chosen entry", Sampler::AlwaysOn, context(&[("x".into(), "y".into())])),
    ] {
        for own in [0, 4] {
            let (with, without) = (
                span(sampler.clone(), ours().before(none()), &cx, own),
                span(sampler.clone(), none(), &cx, own),
            );
            assert_eq!(with, without, "{what}, {own} attributes");
        }
        if what != "a span that is not recorded" {
            assert_eq!(log(BaggageLogProcessor::new(keys.clone()), &cx).allocations, 0, "{what}");
        }
    }
    for entries in [1, 2, 8, 16, 64].map(baggage) {
        let (cx, by_hand) = (context(&entries), ByHand(entries.clone()));
        let with = span(Sampler::AlwaysOn, ours().before(none()), &cx, 0);
        assert_eq!(
            with,
            span(Sampler::AlwaysOn, by_hand.clone(), &cx, 0),
            "{} entries on a span",
            entries.len()
        );
        assert_eq!(
            with.allocations - span(Sampler::AlwaysOn, none(), &cx, 0).allocations,
            2 * entries.len() + 1,
            "keys, values, and the list"
        );

        // One more for the list of the attributes that the span has, which are looked through.
        let with = span(Sampler::AlwaysOn, ours().before(none()), &cx, 4).allocations;
        assert_eq!(
            with,
            span(Sampler::AlwaysOn, by_hand.clone(), &cx, 4).allocations + 1,
            "beside 4 attributes"
        );

        let log_entries = BaggageLogProcessor::new(Entries::of(keys.clone()).max_entries(64));
        assert_eq!(log(log_entries, &cx), log(by_hand, &cx), "{} entries on a log record", entries.len());
    }
    let cut = Entries::of(keys.clone()).max_value_bytes(3);
    let with =
        span(Sampler::AlwaysOn, BaggageSpanProcessor::new(cut).before(none()), &context(&baggage(4)), 0);
    assert_eq!(
        with,
        span(Sampler::AlwaysOn, ByHand(baggage(4)), &context(&baggage(4)), 0),
        "a value that is cut is not cloned before"
    );

    let attributes = MetricAttributes::new().only("k00", ["value 0"]).at_most("k01", 2);
    drop(attributes.of(&context(&baggage(2)))); // the values are known then
    for (what, cx) in
        [("no baggage", Context::new()), ("no named entry", context(&[("x".into(), "y".into())]))]
    {
        assert_eq!(count(|| drop(attributes.of(&cx))).allocations, 0, "{what}");
    }
    let cx = context(&baggage(2));
    assert!(
        count(|| drop(attributes.of(&cx))).allocations <= 2,
        "the list, and the value that `only` was given"
    );
}
