//! Which members are sent, in which order, and what the report says of the others.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use opentelemetry::baggage::Baggage;
use otel_baggage_limits::{
    Limits, Member, Reason,
    wire::{member_len, write_member},
};
use proptest::prelude::*;

const KEYS: &[&str] = &["a", "b", "c"];

fn baggage<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> Baggage {
    let mut baggage = Baggage::new();
    for (key, value) in members {
        baggage.insert(key.to_owned(), value.to_owned());
    }
    baggage
}

/// Rule, limits, what is sent, what is left out.
type Row = (&'static str, Limits, &'static str, &'static [(&'static str, Reason)]);

const ROWS: &[Row] = &[
    ("all fit", Limits::new(), "a=1,b=22,c=333", &[]),
    ("all fit to the byte", Limits::new().max_bytes(14), "a=1,b=22,c=333", &[]),
    ("one byte less", Limits::new().max_bytes(13), "a=1,b=22", &[("c", Reason::TooManyBytes)]),
    (
        "the comma counts",
        Limits::new().max_bytes(7),
        "a=1",
        &[("b", Reason::TooManyBytes), ("c", Reason::TooManyBytes)],
    ),
    (
        "as many as may go, were they shorter",
        Limits::new().max_members(2).max_bytes(7),
        "a=1",
        &[("b", Reason::TooManyBytes), ("c", Reason::TooManyBytes)],
    ),
    ("two members", Limits::new().max_members(2), "a=1,b=22", &[("c", Reason::TooManyMembers)]),
    ("a member's own limit", Limits::new().max_member_bytes(4), "a=1,b=22", &[("c", Reason::MemberTooLong)]),
    ("kept first", Limits::new().keep_first(&["c", "b"]), "c=333,b=22,a=1", &[]),
    (
        "kept first and longest",
        Limits::new().keep_first(&["c"]).max_members(1),
        "c=333",
        &[("a", Reason::TooManyMembers), ("b", Reason::TooManyMembers)],
    ),
    (
        "a short one goes where a long one does not fit",
        Limits::new().keep_first(&["c"]).max_bytes(4),
        "a=1",
        &[("c", Reason::TooManyBytes), ("b", Reason::TooManyBytes)],
    ),
    ("denied", Limits::new().deny(&["b"]), "a=1,c=333", &[("b", Reason::Denied)]),
    ("allowed", Limits::new().allow(&["b"]), "b=22", &[("a", Reason::NotAllowed), ("c", Reason::NotAllowed)]),
    ("denied and allowed", Limits::new().allow(KEYS).deny(&["b"]), "a=1,c=333", &[("b", Reason::Denied)]),
    (
        "denied members take no room",
        Limits::new().deny(&["a"]).max_members(2).max_bytes(10),
        "b=22,c=333",
        &[("a", Reason::Denied)],
    ),
];

#[test]
fn the_rules_choose() {
    let all = baggage([("c", "333"), ("a", "1"), ("b", "22")]);
    for &(rule, limits, header, left_out) in ROWS {
        let selection = limits.select(&all);
        assert_eq!(selection.header(), header, "{rule}");
        let mut reasons: Vec<_> = selection.left_out().collect();
        let mut expected = left_out.to_vec();
        // In the order in which they would have been sent, which is by key unless some are kept first.
        if limits.keep_first.is_empty() {
            assert_eq!(reasons, expected, "{rule}");
        }
        reasons.sort_by_key(|(key, _)| *key);
        expected.sort_by_key(|(key, _)| *key);
        assert_eq!(reasons, expected, "{rule}");
        let report = selection.report();
        assert_eq!((report.measured.members, report.measured.bytes), (3, 14), "{rule}");
        assert_eq!(
            (report.kept.members, report.kept.bytes),
            (header.split(',').count(), header.len()),
            "{rule}"
        );
        assert_eq!(report.is_complete(), left_out.is_empty(), "{rule}");
        assert_eq!(limits.admits(&all), left_out.is_empty(), "{rule}");
        assert_eq!(limits.encode(&all), (selection.header(), report), "{rule}");
        assert_eq!(selection.to_baggage().len(), report.kept.members, "{rule}");
    }
}

#[test]
fn nothing_is_sent_of_nothing() {
    let (empty, none) = (Baggage::new(), Limits::new().max_members(0).max_bytes(0));
    assert_eq!(none.select(&empty).header(), "");
    assert!(none.admits(&empty) && none.select(&empty).report().is_complete());
}

#[test]
fn four_kilobytes_are_a_risk_and_stay() {
    for (bytes, at_risk) in [(4095, 0), (4096, 0), (4097, 1)] {
        let value = "x".repeat(bytes - 2);
        let report = Limits::new().select(&baggage([("a", value.as_str()), ("b", "")])).report();
        assert_eq!((report.at_risk, report.kept.members), (at_risk, 2), "{bytes} bytes");
        let report =
            Limits::new().max_bytes(bytes).select(&baggage([("a", value.as_str()), ("b", "")])).report();
        assert_eq!(
            (report.at_risk, report.kept.members),
            (at_risk, 1),
            "{bytes} bytes and no room for another"
        );
        let limits = Limits::new().max_member_bytes(4096);
        assert_eq!(limits.admits(&baggage([("a", value.as_str())])), at_risk == 0, "{bytes} bytes");
    }
}

/// The rules once more, one member after the other.
fn slowly(baggage: &Baggage, limits: &Limits) -> String {
    let rank = |key: &str| limits.keep_first.iter().position(|first| *first == key).unwrap_or(usize::MAX);
    let mut keys: Vec<&str> = baggage.iter().map(|(key, _)| key.as_str()).collect();
    keys.sort_by_key(|key| (rank(key), *key));
    let (mut header, mut members) = (String::new(), 0);
    for key in keys {
        let member = format!("{key}={}", baggage.get(key).unwrap());
        let longer = if members == 0 { member.clone() } else { format!("{header},{member}") };
        let fits = members < limits.max_members && longer.len() <= limits.max_bytes;
        if fits && member.len() <= limits.max_member_bytes.unwrap_or(usize::MAX) {
            (header, members) = (longer, members + 1);
        }
    }
    header
}

proptest! {
    #[test]
    fn a_header_is_its_members_as_each_is_written_alone(
        members in prop::collection::vec(("[a-c]{1,2}", "[a-z]{0,20}|[ -~é]{0,20}", "|p|[-;=% \tp\"é,]{0,8}"), 0..8),
    ) {
        let mut baggage = Baggage::new();
        for (key, value, metadata) in members {
            baggage.insert_with_metadata(key, value, metadata);
        }
        let selection = Limits::new().select(&baggage);
        let mut header = Vec::new();
        for Member { key, value, metadata, wire_len, .. } in selection.members() {
            prop_assert_eq!(wire_len, member_len(key, value, metadata));
            if !header.is_empty() {
                header.push(b',');
            }
            write_member(&mut header, key, value, metadata);
        }
        prop_assert_eq!(selection.header().into_bytes(), header);
    }

    #[test]
    fn the_choice_is_the_same_as_one_member_after_the_other(
        members in prop::collection::vec(("[a-c]{1,3}|common[.]prefix[.]of[.]keys[.][a-c]{1,4}", "[a-z]{0,40}"), 0..20),
        max_members in 0..12_usize,
        max_bytes in 0..300_usize,
        max_member_bytes in prop::option::of(0..60_usize),
        first in any::<bool>(),
    ) {
        let baggage = baggage(members.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let limits = Limits::new().max_members(max_members).max_bytes(max_bytes);
        let limits = max_member_bytes.map_or(limits, |bytes| limits.max_member_bytes(bytes));
        let limits = if first { limits.keep_first(&["b", "common.prefix.of.keys.c", "a"]) } else { limits };
        let selection = limits.select(&baggage);
        prop_assert_eq!(selection.header(), slowly(&baggage, &limits));
        prop_assert_eq!(selection.members().count() + selection.left_out().count(), baggage.len());
        prop_assert_eq!(limits.admits(&baggage), selection.report().is_complete());
    }
}
