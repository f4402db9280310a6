//! What holds for any headers at all.

#![cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]

mod common;

use common::{Headers, House};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt},
};
use otel_composite::{
    B3Propagator, BaggagePropagator, CompositePropagator, ConflictExt, SamplingExt, TraceContextPropagator,
};
use proptest::prelude::*;

/// The headers of all formats, each of them absent, well-formed, cut somewhere, or anything.
fn carriers() -> impl Strategy<Value = Headers> {
    let headers = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "congo=t61rcWkgMzE,foo@@bar=1"),
        ("b3", "0af7651916cd43dd8448eb211c80319c-00000000000000b2-d"),
        ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000b2-1"),
        ("b3", "0"),
        ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
        ("x-b3-spanid", "00000000000000b3"),
        ("x-b3-sampled", "0"),
        ("x-house", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000c3"),
        ("baggage", "tenant=acme,note=a%3Db;ttl=1"),
    ];
    let header = (proptest::sample::select(headers.to_vec()), any::<u8>(), 0..4_u8, ".{0,80}");
    let header = header.prop_map(|((name, value), cut, kind, anything)| {
        let value = match kind {
            0 => anything,
            1 => value.chars().take(usize::from(cut) % value.len()).collect(),
            _ => value.to_owned(),
        };
        (name.to_owned(), value)
    });
    proptest::collection::hash_map(any::<u16>(), header, 0..8)
        .prop_map(|headers| headers.into_values().collect())
}

fn span_of(propagator: &dyn TextMapPropagator, carrier: &Headers) -> SpanContext {
    propagator.extract_with_context(&Context::new(), carrier).span().span_context().clone()
}

fn members(cx: &Context) -> Vec<String> {
    let members = cx.baggage().iter().map(|(key, (value, metadata))| format!("{key}={value};{metadata}"));
    let mut members: Vec<String> = members.collect();
    members.sort();
    members
}

proptest! {
    #[test]
    fn the_span_is_that_of_the_first_format_that_alone_yields_one(carrier in carriers(), swap in any::<bool>()) {
        let formats: [&dyn TextMapPropagator; 3] =
            [&TraceContextPropagator::new(), &B3Propagator::single(), &House];
        let builder = CompositePropagator::builder();
        let builder = if swap {
            builder.trace(House).trace(B3Propagator::single()).trace(TraceContextPropagator::new())
        } else {
            builder.trace(TraceContextPropagator::new()).trace(B3Propagator::single()).trace(House)
        };
        let mut alone = formats.map(|format| span_of(format, &carrier));
        if swap {
            alone.reverse();
        }
        let cx = builder.build().extract_with_context(&Context::new(), &carrier);
        let span = cx.span();
        let ids = |span: &SpanContext| (span.trace_id(), span.span_id());
        let first = alone.iter().find(|span| span.is_valid()).unwrap_or(&SpanContext::NONE);
        prop_assert_eq!(ids(span.span_context()), ids(first));
        let (sampled, of_first) = (span.span_context().is_sampled(), first.is_sampled());
        let by_another = alone.iter().any(|span| span.trace_id() == first.trace_id() && span.is_sampled());
        prop_assert!(sampled || !of_first, "a decision is not taken back");
        prop_assert!(sampled == of_first || by_another, "nor is one made that nobody made");

        let trace_id = span.span_context().trace_id();
        let others: Vec<_> =
            alone.iter().filter(|span| span.is_valid() && span.trace_id() != trace_id).cloned().collect();
        prop_assert_eq!(cx.conflicting_span_contexts(), others);
    }

    #[test]
    fn baggage_and_decisions_come_whatever_the_trace_does(carrier in carriers()) {
        let composite = CompositePropagator::builder()
            .trace(TraceContextPropagator::new())
            .trace(B3Propagator::single())
            .baggage(BaggagePropagator::new())
            .build();
        let cx = composite.extract_with_context(&Context::new(), &carrier);
        let baggage = BaggagePropagator::new().extract_with_context(&Context::new(), &carrier);
        prop_assert_eq!(members(&cx), members(&baggage));
        let b3 = B3Propagator::single().extract_with_context(&Context::new(), &carrier);
        prop_assert_eq!(cx.bare_sampling(), b3.bare_sampling());
    }

    #[test]
    fn the_same_context_gives_the_same_headers(carrier in carriers()) {
        let composite = otel_composite::from_list("tracecontext,b3,b3multi,baggage").unwrap();
        let cx = composite.extract_with_context(&Context::new(), &carrier);
        let inject = |propagator: &CompositePropagator| {
            let mut sent = Headers::new();
            propagator.inject_context(&cx, &mut sent);
            sent
        };
        let sent = inject(&composite);
        prop_assert_eq!(&inject(&composite.clone()), &sent);
        let fields: Vec<&str> = composite.fields().collect();
        prop_assert!(sent.keys().all(|name| fields.contains(&name.as_str())), "{:?}", sent);
    }
}
