//! Which members are carried, and what the report says of the others.

use otel_baggage_limits::{AT_RISK_BYTES, Admission, Direction, Keys, Limits, Observer, Reason, Report};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

fn admission<'a>(limits: &'a Limits, members: &[(&str, usize)]) -> (Vec<String>, Admission<'a>) {
    let mut admission = Admission::new("baggage", Direction::Out, limits);
    let admitted = members.iter().filter(|(key, bytes)| {
        admission.measure(*bytes);
        admission.admit(key, *bytes)
    });
    (admitted.map(|(key, _)| (*key).to_owned()).collect(), admission)
}

static W3C: Limits = Limits::W3C;

/// `a=1`, `b=22`, `c=333`
const MEMBERS: &[(&str, usize)] = &[("a", 3), ("b", 4), ("c", 5)];

/// Rule, limits, what is carried, what is left out for which reason.
type Row = (&'static str, Limits, &'static str, &'static [(Reason, usize)]);

const ROWS: &[Row] = &[
    ("all fit", Limits::new(), "abc", &[]),
    ("all fit to the byte", Limits::new().max_bytes(14), "abc", &[]),
    ("one byte less", Limits::new().max_bytes(13), "ab", &[(Reason::TooManyBytes, 1)]),
    ("the comma counts", Limits::new().max_bytes(7), "a", &[(Reason::TooManyBytes, 2)]),
    ("no room", Limits::new().max_bytes(2), "", &[(Reason::TooManyBytes, 3)]),
    (
        "a shorter one goes",
        Limits::new().max_bytes(8).deny(&["a"]),
        "b",
        &[(Reason::TooManyBytes, 1), (Reason::Denied, 1)],
    ),
    ("two members", Limits::new().max_members(2), "ab", &[(Reason::TooManyMembers, 1)]),
    ("no members", Limits::new().max_members(0), "", &[(Reason::TooManyMembers, 3)]),
    ("both", Limits::new().max_members(2).max_bytes(7), "a", &[(Reason::TooManyBytes, 2)]),
    ("a member's own limit", Limits::new().max_member_bytes(4), "ab", &[(Reason::MemberTooLong, 1)]),
    ("denied", Limits::new().deny(&["b"]), "ac", &[(Reason::Denied, 1)]),
    ("allowed", Limits::new().allow(&["b"]), "b", &[(Reason::NotAllowed, 2)]),
    ("denied and allowed", Limits::new().allow(&["*"]).deny(&["b"]), "ac", &[(Reason::Denied, 1)]),
    ("nothing is allowed", Limits::new().allow(&[]), "", &[(Reason::NotAllowed, 3)]),
    (
        "upper case is another key",
        Limits::new().allow(&["A", "b"]).deny(&["B"]),
        "b",
        &[(Reason::NotAllowed, 2)],
    ),
    (
        "denied members take no room",
        Limits::new().deny(&["a"]).max_members(2).max_bytes(10),
        "bc",
        &[(Reason::Denied, 1)],
    ),
];

#[test]
fn the_rules_choose() {
    for (rule, limits, carried, left_out) in ROWS {
        let (keys, mut admission) = admission(limits, MEMBERS);
        assert_eq!(keys.concat(), *carried, "{rule}");
        let report = admission.report();
        assert_eq!(report.reasons().collect::<Vec<_>>(), *left_out, "{rule}");
        assert_eq!((report.measured.members, report.measured.bytes), (3, 14), "{rule}");
        let kept = MEMBERS.iter().filter(|(key, _)| carried.contains(key));
        let bytes = kept.clone().map(|(_, bytes)| bytes + 1).sum::<usize>().saturating_sub(1);
        assert_eq!((report.kept.members, report.kept.bytes), (kept.count(), bytes), "{rule}");
        assert_eq!(report.is_complete(), left_out.is_empty(), "{rule}");
        let asks_of_keys =
            limits.allow.is_some() || !limits.deny.is_empty() || limits.max_member_bytes.is_some();
        assert_eq!(admission.admit_all(), !asks_of_keys && left_out.is_empty(), "{rule}");
    }
}

#[test]
fn lists_may_be_owned() {
    let listed = |keys: &[&str]| -> Keys { keys.iter().map(|key| (*key).to_owned()).collect() };
    let (keys, _) =
        admission(&Limits::new().allow_keys(listed(&["a", "c*"])).deny_keys(listed(&["a*"])), MEMBERS);
    assert_eq!(keys, ["c"]);
    let limits = Limits::new().keep_keys_first(listed(&["c", "a"]));
    assert_eq!(["a", "b", "c"].map(|key| limits.rank(key)), [1, usize::MAX, 0]);
    assert_eq!(limits, Limits::new().keep_first(&["c", "a"]));
}

#[test]
fn each_way_has_a_default_of_its_own() {
    for (limits, direction, most) in [
        (Limits::new(), Direction::In, 8192),
        (Limits::new(), Direction::Out, 4096),
        (Limits::default().max_members(1), Direction::Out, 4096),
        (Limits::W3C, Direction::In, 8192),
        (Limits::W3C, Direction::Out, 8192),
        (Limits::new().max_bytes(9), Direction::In, 9),
        (Limits::new().max_bytes(9), Direction::Out, 9),
    ] {
        let admission = Admission::new("baggage", direction, &limits);
        assert_eq!(
            [admission.room(most), admission.room(most + 1)],
            [Ok(()), Err(Reason::TooManyBytes)],
            "{limits:?}"
        );
    }
}

#[test]
fn four_kilobytes_are_a_risk_and_stay() {
    for (bytes, at_risk) in [(AT_RISK_BYTES - 1, 0), (AT_RISK_BYTES, 0), (AT_RISK_BYTES + 1, 1)] {
        let (_, mut admission) = admission(&W3C, &[("a", bytes), ("b", 3)]);
        assert_eq!(
            (admission.report().at_risk, admission.report().kept.members),
            (at_risk, 2),
            "{bytes} bytes"
        );
        assert!(admission.admit_all());
        assert_eq!(admission.report().at_risk, at_risk, "{bytes} bytes");
        admission.take_back(bytes, Reason::Superseded);
        assert_eq!((admission.report().at_risk, admission.report().kept.members), (0, 1), "{bytes} bytes");
    }
}

#[test]
fn a_superseded_member_gives_its_room_back() {
    let limits = Limits::new().max_bytes(7);
    let (_, mut admission) = admission(&limits, &[("a", 3), ("a", 3)]);
    admission.take_back(3, Reason::Superseded);
    assert_eq!((admission.report().kept.members, admission.report().kept.bytes), (1, 3));
    assert!(admission.admit("b", 3) && !admission.admit("c", 1));
    assert_eq!(admission.report().left_out(Reason::Superseded), 1);
}

#[test]
fn names_are_short_and_different() {
    let report = {
        let mut admission = Admission::new("baggage", Direction::In, &W3C);
        for reason in
            [Reason::NotText, Reason::NoEqualsSign, Reason::Key, Reason::Value, Reason::MemberTooLong]
                .into_iter()
                .chain([Reason::TooManyBytes, Reason::TooManyMembers, Reason::BaggageFull, Reason::Denied])
                .chain([Reason::NotAllowed, Reason::Superseded])
        {
            admission.leave_out(reason);
        }
        admission.received(99).report()
    };
    assert_eq!((report.measured.bytes, report.direction, report.header), (99, Direction::In, "baggage"));
    let names: Vec<_> = report.reasons().map(|(reason, _)| reason.name()).collect();
    assert_eq!(
        names,
        [
            "not_text",
            "no_equals_sign",
            "key_malformed",
            "value_malformed",
            "member_too_long",
            "too_many_bytes",
            "too_many_members",
            "baggage_full",
            "key_denied",
            "key_not_allowed",
            "superseded"
        ]
    );
}

#[test]
fn an_observer_sees_every_report_that_tells_something() {
    let seen = Arc::new(Mutex::new(Vec::<Report>::new()));
    let reports = seen.clone();
    let observer = Observer::new(move |report| reports.lock().unwrap().push(*report));
    let (_, complete) = admission(&W3C, MEMBERS);
    observer.tell(&complete.report());
    assert!(seen.lock().unwrap().is_empty());
    let limits = Limits::new().max_members(1);
    let (_, incomplete) = admission(&limits, MEMBERS);
    (0..100).for_each(|_| observer.clone().tell(&incomplete.report()));
    assert_eq!(*seen.lock().unwrap(), [incomplete.report(); 100]);
    let (_, long) = admission(&W3C, &[("a", 5000)]);
    observer.tell(&long.report());
    assert_eq!(seen.lock().unwrap().pop(), Some(long.report()));
    let both = observer.clone().and(Observer::NONE).and(observer.clone());
    both.tell(&incomplete.report());
    assert_eq!(seen.lock().unwrap().len(), 102);
    assert_eq!(format!("{:?} {observer:?}", Observer::default()), "nobody Observer");
}

/// The rules once more, one member after the other.
fn slowly(members: &[(String, usize)], limits: &Limits) -> Vec<String> {
    let (mut keys, mut bytes) = (Vec::new(), 0);
    for (key, len) in members {
        let longer = if keys.is_empty() { *len } else { bytes + 1 + len };
        let fits = keys.len() < limits.max_members && longer <= limits.most_bytes(Direction::Out);
        if fits && *len <= limits.max_member_bytes.unwrap_or(usize::MAX) {
            keys.push(key.clone());
            bytes = longer;
        }
    }
    keys
}

proptest! {
    #[test]
    fn the_choice_is_the_same_as_one_member_after_the_other(
        members in prop::collection::vec(("[a-c]{1,3}", 1..40_usize), 0..20),
        max_members in 0..12_usize,
        max_bytes in 0..300_usize,
        max_member_bytes in prop::option::of(0..60_usize),
    ) {
        let limits = Limits::new().max_members(max_members).max_bytes(max_bytes);
        let limits = Limits::max_member_bytes(limits, max_member_bytes.unwrap_or(usize::MAX));
        let given: Vec<_> = members.iter().map(|(key, len)| (key.as_str(), *len)).collect();
        let (keys, admission) = admission(&limits, &given);
        prop_assert_eq!(&keys, &slowly(&members, &limits));
        let left_out: usize = admission.report().reasons().map(|(_, count)| count).sum();
        prop_assert_eq!(keys.len() + left_out, members.len());
    }
}
