//! One way only: in this crate's composite and in upstream's.

#![allow(missing_docs, reason = "a test program")]

mod common;

use common::{Headers, House, HouseHeader, headers};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use otel_composite::{CompositePropagator, Limits, extract_only, inject_only};

const HOUSE: (&str, &str) = ("x-house", "0af7651916cd43dd8448eb211c80319c-00000000000000c3");

/// A value of the context before.
struct Given;

fn sent(propagator: &dyn TextMapPropagator, cx: &Context) -> Vec<String> {
    let mut carrier = Headers::new();
    propagator.inject_context(cx, &mut carrier);
    let mut names: Vec<String> = carrier.into_keys().collect();
    names.sort();
    names
}

fn fields(propagator: &dyn TextMapPropagator) -> Vec<&str> {
    propagator.fields().collect()
}

#[test]
fn alone() {
    let cx = House.extract_with_context(&Context::new(), &headers(&[HOUSE]));
    let rows: [(&str, &dyn TextMapPropagator, bool, &[&str]); 5] = [
        ("both ways", &House, true, &["x-house"]),
        ("extract only", &extract_only(House), true, &[]),
        ("inject only", &inject_only(House), false, &["x-house"]),
        ("neither", &extract_only(inject_only(House)), false, &[]),
        ("neither, the other way round", &inject_only(extract_only(House)), false, &[]),
    ];
    for (rule, propagator, extracts, expected) in rows {
        let read = propagator.extract_with_context(&Context::new().with_value(Given), &headers(&[HOUSE]));
        assert!(read.get::<Given>().is_some(), "{rule}: the rest of the context stays");
        assert_eq!(read.has_active_span(), extracts, "{rule}");
        assert_eq!(sent(propagator, &cx), expected, "{rule}");
        assert_eq!(fields(propagator), expected, "{rule}");
    }
}

#[test]
fn within_upstreams_composite() {
    let upstream = TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(extract_only(House)),
    ]);
    let cx = upstream.extract_with_context(&Context::new(), &headers(&[HOUSE]));
    assert!(cx.span().span_context().is_valid());
    assert_eq!(sent(&upstream, &cx), ["traceparent", "tracestate"]);
    assert!(!fields(&upstream).contains(&"x-house"));
}

#[test]
fn within_our_composite() {
    let ours = CompositePropagator::builder()
        .trace(inject_only(TraceContextPropagator::new()))
        .trace(extract_only(House))
        .other(inject_only(extract_only(House)))
        .build();
    assert_eq!(
        ours.to_string(),
        "extract: House; inject: TraceContextPropagator; baggage: nothing; other: House (unused)"
    );
    let cx = ours.extract_with_context(&Context::new(), &headers(&[HOUSE, ("traceparent", "00-1-1-1")]));
    assert_eq!(sent(&ours, &cx), ["traceparent", "tracestate"]);
    assert_eq!(fields(&ours), ["traceparent", "tracestate"]);
}

#[test]
fn others_are_read_as_well() {
    let propagator = CompositePropagator::builder().other(House).build();
    let cx = propagator.extract_with_context(&Context::new(), &headers(&[HOUSE]));
    assert!(cx.get::<HouseHeader>().is_some());
}

#[test]
fn debug_shows_what_is_inside() {
    assert_eq!(format!("{:?}", extract_only(House)), "ExtractOnly(House)");
    assert_eq!(format!("{:?}", inject_only(House)), "InjectOnly(House)");
}

#[test]
fn fields_keep_their_order_and_do_not_repeat() {
    for _ in 0..20 {
        let propagator = CompositePropagator::builder()
            .baggage(opentelemetry_sdk::propagation::BaggagePropagator::new())
            .trace(House)
            .trace(TraceContextPropagator::new())
            .other(TraceContextPropagator::new())
            .build();
        assert_eq!(fields(&propagator), ["baggage", "x-house", "traceparent", "tracestate"]);
        assert_eq!(fields(&propagator.clone()), fields(&propagator));
    }
}

#[test]
fn a_part_says_which_way_it_goes() {
    let composite = CompositePropagator::builder()
        .trace(inject_only(House))
        .trace(extract_only(House))
        .trace(House)
        .build();
    let ways: Vec<_> = composite.parts().map(|part| (part.extracts(), part.injects())).collect();
    assert_eq!(ways, [(false, true), (true, false), (true, true)]);
}

/// Nothing is known of it, so it is held to the limits.
#[test]
fn a_boxed_propagator_sends_no_more_baggage_than_is_allowed() {
    let boxed: Box<dyn TextMapPropagator + Send + Sync> =
        Box::new(opentelemetry_sdk::propagation::BaggagePropagator::new());
    let composite =
        CompositePropagator::builder().baggage(boxed).limits(Limits::new().max_members(1)).build();
    let cx = Context::new().with_baggage([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
    let mut sent = Headers::new();
    composite.inject_context(&cx, &mut sent);
    assert_eq!(sent["baggage"], "a=1");
}
