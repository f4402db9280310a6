//! What holds for every input.

mod common;

use common::{Headers, extract, extract_in, inject, request};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, trace::TraceContextExt};
use otel_ottrace::{OtTracePropagator, SamplingExt};
use proptest::{option, prelude::*};
use testing::format::{by_lines_and_by_map, span_of};

fn id() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[0-9a-f]{16}", 2 => "[0-9a-f]{32}", 1 => "[0-9a-f]{0,33}", 1 => "0{1,17}", 1 => "[0-9a-fA-F+-]{15,17}"]
}

fn requests() -> impl Strategy<Value = Headers> {
    let value = || prop_oneof![8 => id(), 1 => ".*"];
    let sampled = prop_oneof![4 => "true|false|0|1|True|", 1 => ".{0,6}"];
    (option::weighted(0.9, value()), option::weighted(0.9, value()), option::of(sampled)).prop_map(
        |(trace_id, span_id, sampled)| request(trace_id.as_deref(), span_id.as_deref(), sampled.as_deref()),
    )
}

proptest! {
    #[test]
    fn no_request_panics_or_touches_what_is_not_its_own(request in requests()) {
        let cx = extract_in(&Context::new().with_baggage([KeyValue::new("tenant", "acme")]), &request);
        prop_assert_eq!(cx.baggage().to_string(), "tenant=acme");
        prop_assert_eq!(cx.bare_sampling(), None);
        prop_assert!(!cx.has_active_span() || span_of(&cx).is_valid() && span_of(&cx).is_remote());
    }

    #[test]
    fn what_is_sent_is_what_was_received_and_no_more(request in requests()) {
        for (name, value) in inject(&extract(&request)) {
            let received = request[&name].trim();
            match name.as_str() {
                "ot-tracer-sampled" => {
                    let yes = received == "1" || received.eq_ignore_ascii_case("true");
                    prop_assert_eq!(value, yes.to_string());
                }
                _ => prop_assert!(format!("{received:0>16}").ends_with(&value), "{} of {}", value, received),
            }
        }
    }

    #[test]
    fn the_second_hop_sends_what_the_first_one_sent(request in requests()) {
        let sent = inject(&extract(&request));
        prop_assert_eq!(inject(&extract(&sent)), sent);
    }

    #[test]
    fn extracting_again_changes_nothing(request in requests()) {
        let once = extract(&request);
        let twice = extract_in(&once, &request);
        prop_assert_eq!(span_of(&twice), span_of(&once));
        prop_assert_eq!(inject(&twice), inject(&once));
    }

    #[test]
    fn what_is_sent_comes_back_as_the_same_trace(request in requests()) {
        let here = extract(&request);
        let back = extract_in(&here, &inject(&here));
        prop_assert_eq!(span_of(&back), span_of(&here));
    }

    #[test]
    fn every_carrier_gives_one_answer(request in requests()) {
        let [from_lines, from_map] = by_lines_and_by_map(&OtTracePropagator::new(), &request);
        prop_assert_eq!(span_of(&from_lines), span_of(&from_map));
        prop_assert_eq!(from_lines.sampling(), from_map.sampling());
    }
}
