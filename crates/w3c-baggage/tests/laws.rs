//! What holds for any baggage, any header and any limits.

mod common;

use common::{entries, is_strict};
use opentelemetry::{StringValue, baggage::Baggage};
use otel_w3c_baggage::{Direction, Limits, decode, decode_lines, encode};
use proptest::prelude::*;

const KEYS: &[&str] = &["a", "bb", "tenant"];

fn any_baggage() -> impl Strategy<Value = Baggage> {
    let members = |count| prop::collection::vec((key(), text(), text()), count);
    prop_oneof![8 => members(0..8), 1 => members(60..70)].prop_map(|members| {
        let mut baggage = Baggage::new();
        for (key, value, metadata) in members {
            baggage.insert_with_metadata(key, value, metadata);
        }
        baggage
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(KEYS).prop_map(str::to_owned),
        "[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,20}",
        "shared[.]prefix[.][ab]{1,4}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[ -~]{0,40}",
        2 => "[-,;=%@+ \t\r\n\0\"\\\\é€a4F]{0,30}",
        1 => ".{0,20}",
        1 => (200..900_usize).prop_map(|bytes| "x".repeat(bytes)),
    ]
}

/// Headers that come near to the grammar.
fn header() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        "[ \t]{0,2}[a-c]{1,2}[ \t]{0,2}=[ \t]{0,2}[!-~]{0,12}(;[ -~]{0,8}){0,2}",
        "[-,;=%@+ \t\r\n\0\"\\\\éa4F]{0,12}",
    ];
    prop::collection::vec(member, 0..12).prop_map(|members| members.join(","))
}

prop_compose! {
    fn any_limits()(
        members in prop_oneof![Just(64), 0..70_usize],
        bytes in prop_oneof![Just(8192), 0..9000_usize, 0..60_usize],
        member_bytes in prop::option::of(0..200_usize),
        shape in 0..8_u8,
    ) -> Limits {
        let limits = Limits::new().max_members(members).max_bytes(bytes);
        let limits = match member_bytes {
            Some(bytes) => limits.max_member_bytes(bytes),
            None => limits,
        };
        let limits = if shape & 1 == 0 { limits } else { limits.keep_first(&["tenant", "bb"]) };
        let limits = if shape & 2 == 0 { limits } else { limits.deny(&["a"]) };
        if shape & 4 == 0 { limits } else { limits.allow(KEYS) }
    }
}

/// The same members, put in by the opposite order, in a map with another seed.
fn again(baggage: &Baggage) -> Baggage {
    let mut members: Vec<_> = baggage.iter().collect();
    members.reverse();
    members.into_iter().map(|(key, content)| (key.clone(), content.clone())).collect()
}

proptest! {
    #[test]
    fn keys_and_values_come_back(baggage in any_baggage()) {
        let unlimited = Limits::new().max_bytes(usize::MAX);
        let (header, report) = encode(&baggage, &unlimited);
        prop_assert!(report.is_complete());
        let (read, report) = decode(&header, &unlimited);
        prop_assert!(report.is_complete() || baggage.len() > read.len());
        for (key, (value, _)) in entries(&read) {
            prop_assert_eq!(baggage.get(&key).map(StringValue::as_str), Some(value.as_str()));
        }
        prop_assert_eq!(read.len() + report.left_out(otel_w3c_baggage::Reason::BaggageFull), baggage.len());
    }

    #[test]
    fn what_is_written_is_strict_and_within_limits(baggage in any_baggage(), limits in any_limits()) {
        let (header, report) = encode(&baggage, &limits);
        prop_assert!(header.is_empty() || is_strict(&header), "{:?}", header);
        prop_assert!(header.len() <= limits.most_bytes(Direction::Out));
        prop_assert_eq!((report.kept.bytes, report.kept.members), (header.len(), header.split_terminator(',').count()));
        prop_assert!(report.kept.members <= limits.max_members);
        let most = limits.max_member_bytes.unwrap_or(usize::MAX);
        prop_assert!(header.split(',').all(|member| member.len() <= most));
        prop_assert_eq!(report.measured.members, baggage.len());
        let left_out: usize = report.reasons().map(|(_, count)| count).sum();
        prop_assert_eq!(report.kept.members + left_out, baggage.len());
    }

    #[test]
    fn nothing_goes_out_that_was_not_in(baggage in any_baggage(), limits in any_limits()) {
        let (header, _) = encode(&baggage, &limits);
        let (read, _) = decode(&header, &Limits::new().max_bytes(usize::MAX));
        for (key, (value, _)) in entries(&read) {
            prop_assert_eq!(baggage.get(&key).map(StringValue::as_str), Some(value.as_str()));
            prop_assert!(limits.check(&key, 0).is_ok());
        }
    }

    #[test]
    fn the_same_baggage_gives_the_same_bytes(baggage in any_baggage(), limits in any_limits()) {
        prop_assert_eq!(encode(&baggage, &limits), encode(&again(&baggage), &limits));
    }

    #[test]
    fn the_second_hop_sends_what_the_first_one_sent(baggage in any_baggage(), limits in any_limits()) {
        // What is escaped in metadata stays so, and upstream's `Baggage` has room for 8192 bytes of it.
        let bytes = limits.most_bytes(Direction::Out).min(8192);
        let limits = limits.max_bytes(bytes);
        let (header, _) = encode(&baggage, &limits);
        let (read, _) = decode(&header, &limits);
        prop_assert_eq!(encode(&read, &limits).0, header);
    }

    #[test]
    fn any_header_is_read_within_limits(header in header(), limits in any_limits()) {
        let (baggage, report) = decode(&header, &limits);
        prop_assert!(baggage.len() <= limits.max_members.min(64));
        prop_assert!(report.kept.bytes <= limits.most_bytes(Direction::In).min(header.len()));
        prop_assert_eq!(report.kept.members, baggage.len());
        prop_assert_eq!(report.measured.bytes, header.len());
        for (key, _) in entries(&baggage) {
            prop_assert!(header.contains(&key) && limits.check(&key, 0).is_ok());
        }
    }

    #[test]
    fn any_text_is_read(header: String, limits in any_limits()) {
        let (baggage, _) = decode(&header, &limits);
        let (header, _) = encode(&baggage, &limits);
        prop_assert!(header.is_empty() || is_strict(&header));
    }

    #[test]
    fn lines_are_read_as_one(lines in prop::collection::vec(header(), 1..5), limits in any_limits()) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let (apart, one) = (decode_lines(&lines, &limits), decode(&lines.join(","), &limits));
        prop_assert_eq!(entries(&apart.0), entries(&one.0));
        prop_assert_eq!(apart.1, one.1);
    }
}
