//! What holds for every input.

mod common;

use common::{Headers, NAME, extract, extract_in, headers, inject};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, trace::TraceContextExt};
use otel_xray::{Lineage, SamplingExt, TraceHeader, XrayExt, XrayPropagator};
use proptest::{collection::vec, option, prelude::*};
use testing::format::{by_lines_and_by_map, span_of};

fn pair() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "Root=1-[0-9a-f]{8}-[0-9a-f]{24}",
        1 => "Root=[12]?-?[0-9a-fA-F]{7,9}-?[0-9a-f]{23,25}",
        3 => "Parent=[0-9a-f]{16}",
        1 => "Parent=[0-9a-fA-F+]{0,17}",
        3 => "Sampled=[01?]",
        1 => "Sampled=.{0,3}",
        2 => "Lineage=[0-9]{1,5}:[0-9a-f]{8}:[0-9]{1,3}",
        1 => "Lineage=[0-9a-f:+-]{0,20}",
        1 => "Self=1-[0-9a-f]{8}-[0-9a-f]{24}",
        1 => "[A-Za-z]{0,5}=?.{0,8}",
    ]
}

fn value() -> impl Strategy<Value = String> {
    let pairs = (vec((pair(), "| |\t"), 0..7)).prop_map(|pairs| {
        pairs.into_iter().map(|(pair, space)| format!("{space}{pair}")).collect::<Vec<_>>().join(";")
    });
    let good = ("[0-9a-f]{8}-[0-9a-f]{24}", "[0-9a-f]{16}", "|;Sampled=1|;Sampled=0|;Sampled=\\?")
        .prop_map(|(root, parent, sampled)| format!("Root=1-{root};Parent={parent}{sampled}"));
    prop_oneof![4 => pairs, 4 => good, 1 => ".*", 1 => "[;=a-zA-Z0-9-]{0,300}"]
}

fn requests() -> impl Strategy<Value = Headers> {
    option::of(value()).prop_map(|value| headers(value.map(|value| (NAME, value))))
}

proptest! {
    #[test]
    fn no_request_panics_or_touches_what_is_not_its_own(request in requests()) {
        let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
        let cx = extract_in(&cx, &request);
        prop_assert_eq!(cx.baggage().to_string(), "tenant=acme");
        if cx.has_active_span() {
            prop_assert!(span_of(&cx).is_valid() && span_of(&cx).is_remote());
            prop_assert_eq!(span_of(&cx).trace_state().header(), "");
            prop_assert_eq!(cx.xray_root(), None);
        }
    }

    #[test]
    fn a_value_that_is_read_is_written_and_read_as_the_same(value in value()) {
        if let Ok(header) = TraceHeader::parse(&value) {
            let written = header.to_string();
            prop_assert_eq!(TraceHeader::parse(&written), Ok(header));
            prop_assert!(written.len() <= 101);
            for part in written.split(';').filter(|part| !part.starts_with("Sampled") && !part.starts_with("Lineage")) {
                prop_assert!(value.contains(part.split_once('=').map_or(part, |(_, id)| id)), "{} of {}", part, value);
            }
            prop_assert!(value.len() <= 256);
        }
    }

    #[test]
    fn what_is_sent_is_in_its_header_and_its_alphabet(request in requests()) {
        for (name, value) in inject(&extract(&request)) {
            prop_assert_eq!(name, NAME);
            prop_assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=;-:?".contains(&byte)), "{}", value);
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
    fn the_order_of_pairs_does_not_matter(pairs in vec(pair(), 0..6), turn in 0..6_usize) {
        let mut turned = pairs.clone();
        turned.rotate_left(turn.min(pairs.len()));
        let [one, other] = [pairs, turned].map(|pairs| TraceHeader::parse(&pairs.join(";")));
        prop_assert_eq!(one.is_ok(), other.is_ok());
        let identity = |header: TraceHeader| (header.root(), header.parent(), header.sampling());
        prop_assert_eq!(one.ok().map(identity), other.ok().map(identity));
    }

    #[test]
    fn every_carrier_gives_one_answer(request in requests()) {
        let [from_lines, from_map] = by_lines_and_by_map(&XrayPropagator::new(), &request);
        prop_assert_eq!(span_of(&from_lines), span_of(&from_map));
        prop_assert_eq!(from_lines.sampling(), from_map.sampling());
    }

    #[test]
    fn every_trace_comes_back(trace in 1_u128.., span in 1_u64.., sampled in "[01?]", first in 0..32768_u16, hash: u32, second: u8) {
        let (time, random) = (trace >> 96, trace & (u128::MAX >> 32));
        let header = format!("Root=1-{time:08x}-{random:024x};Parent={span:016x};Sampled={sampled}");
        for header in [format!("{header};Lineage={first}:{hash:08x}:{second}"), header] {
            prop_assert_eq!(inject(&extract(&headers([(NAME, &header)]))), headers([(NAME, &header)]));
            let lineage: Option<Lineage> = extract(&headers([(NAME, &header)])).xray_lineage();
            prop_assert_eq!(lineage.is_some(), header.contains("Lineage"));
        }
    }
}
