//! What holds for every input.

mod common;

use common::{Headers, extract, extract_in, extract_with, headers, inject, inject_with};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, trace::TraceContextExt};
use otel_jaeger::{JaegerExt, JaegerPropagator, SamplingExt, UberTraceId};
use proptest::{option, prelude::*};
use testing::format::{by_lines_and_by_map, span_of};

fn id() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-f]{16}", "[0-9a-f]{32}", "[0-9a-fA-F]{0,33}", "0{0,17}", "[0-9a-z+-]{1,3}"]
}

/// A value that is valid or nearly so, percent-encoded or not.
fn value() -> impl Strategy<Value = String> {
    let fields = (id(), id(), id(), "[0-9a-f]{0,3}|[0138b]", "||||:| |:0");
    let nearly = (fields, any::<u8>()).prop_map(|((trace, span, parent, flags, tail), encoded)| {
        let value = format!("{trace}:{span}:{parent}:{flags}{tail}");
        match encoded % 4 {
            0 => value.replace(':', "%3A"),
            1 => value.replace(':', "%3a"),
            _ => value,
        }
    });
    prop_oneof![4 => nearly, 1 => ".*", 1 => "[:%0-9a-f]{0,80}"]
}

fn requests() -> impl Strategy<Value = Headers> {
    (option::of(value()), option::of(".{0,140}")).prop_map(|(uber, debug)| {
        let uber = uber.map(|value| ("uber-trace-id", value));
        headers(uber.into_iter().chain(debug.map(|value| ("jaeger-debug-id", value))))
    })
}

proptest! {
    #[test]
    fn no_request_panics_or_touches_what_is_not_its_own(request in requests(), debug in any::<bool>()) {
        let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
        let cx = extract_with(&JaegerPropagator::new().with_debug_id(debug), &cx, &request);
        prop_assert_eq!(cx.baggage().to_string(), "tenant=acme");
        prop_assert!(!cx.has_active_span() || span_of(&cx).is_valid() && span_of(&cx).is_remote());
        prop_assert!(cx.jaeger_debug_id().is_none_or(|id| debug && id.len() <= 128));
    }

    #[test]
    fn a_value_that_is_read_is_written_and_read_as_the_same(value in value()) {
        if let Ok(header) = UberTraceId::parse(&value) {
            prop_assert_eq!(UberTraceId::parse(&header.to_string()), Ok(header));
            prop_assert_eq!(header.to_string().len(), 53);
            let digits = |text: &str| u128::from_str_radix(text, 16).unwrap_or_default();
            let plain = value.replace("%3A", ":").replace("%3a", ":");
            if !plain.contains('%') {
                let fields: Vec<_> = plain.split(':').collect();
                prop_assert_eq!(header.trace_id().to_bytes(), digits(fields[0]).to_be_bytes());
                prop_assert_eq!(u128::from(u64::from_be_bytes(header.span_id().to_bytes())), digits(fields[1]));
                prop_assert_eq!(header.sampling().is_sampled(), digits(fields[3]) & 1 == 1);
            }
        }
    }

    #[test]
    fn what_is_sent_is_in_its_header_its_alphabet_and_its_size(request in requests()) {
        for (name, value) in inject(&extract(&request)) {
            prop_assert_eq!(name, "uber-trace-id");
            prop_assert_eq!(value.len(), 53);
            prop_assert!(value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':')), "{}", value);
        }
    }

    #[test]
    fn the_second_hop_sends_what_the_first_one_sent(request in requests()) {
        for short in [false, true] {
            let propagator = JaegerPropagator::new().with_64_bit_trace_ids(short);
            let sent = inject_with(&propagator, &extract(&request));
            prop_assert_eq!(inject_with(&propagator, &extract(&sent)), sent);
        }
    }

    #[test]
    fn extracting_again_changes_nothing(request in requests()) {
        let once = extract(&request);
        let twice = extract_in(&once, &request);
        prop_assert_eq!(span_of(&twice), span_of(&once));
        prop_assert_eq!(inject(&twice), inject(&once));
    }

    #[test]
    fn every_carrier_gives_one_answer(request in requests()) {
        let [from_lines, from_map] = by_lines_and_by_map(&JaegerPropagator::new(), &request);
        prop_assert_eq!(span_of(&from_lines), span_of(&from_map));
        prop_assert_eq!(from_lines.sampling(), from_map.sampling());
    }

    #[test]
    fn every_trace_comes_back(trace in 1_u128.., span in 1_u64.., flags in "[01389b]") {
        let request = headers([("uber-trace-id", format!("{trace:032x}:{span:016x}:0:{flags}"))]);
        prop_assert_eq!(inject(&extract(&request)), request);
    }
}
