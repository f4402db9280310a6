//! Baggage that is passed on without being decoded.

mod common;

use common::{Sent, baggage, entries, expected, given, is_strict, received};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
};
use otel_w3c_baggage::{
    BaggagePropagator, BothWays, Limits, Observer, Reason, RelayExt, RelayPropagator, decode,
};
use proptest::prelude::*;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

fn relay(limits: Limits) -> RelayPropagator {
    RelayPropagator::of(BaggagePropagator::new().with_limits(limits))
}

fn sent(propagator: &RelayPropagator, cx: &Context) -> Option<String> {
    let mut sent = Sent::default();
    propagator.inject_context(cx, &mut sent);
    assert!(sent.0.len() <= 1, "one header at most: {sent:?}");
    sent.0.pop().map(|(_, value)| value)
}

fn hop(limits: Limits, lines: &[&str]) -> Option<String> {
    let relay = relay(limits);
    sent(&relay, &relay.extract_with_context(&Context::new(), &received(lines)))
}

#[test]
fn what_is_well_formed_goes_on_as_it_is_and_the_rest_as_it_must() {
    let long = format!("a={}", "x".repeat(5000));
    let rows: [(&str, Limits, &[&str], Option<&str>); 17] = [
        ("nothing", Limits::new(), &[], None),
        (
            "as it is, in its order",
            Limits::new(),
            &["b=%c3%A9;p=1;q,a=1+=%41"],
            Some("b=%c3%A9;p=1;q,a=1+=%41"),
        ),
        ("several lines", Limits::new(), &["b=1", "a=2,c=3"], Some("b=1,a=2,c=3")),
        ("without optional whitespace", Limits::new(), &[" b =\t1 ; p = 2 ,, a=1"], Some("b=1;p = 2,a=1")),
        ("a tab between properties is a space", Limits::new(), &["b=1;p\t;\tq"], Some("b=1;p ; q")),
        ("what is no property is escaped", Limits::new(), &["b=1;\"é"], Some("b=1;%22%C3%A9")),
        ("no property at all", Limits::new(), &["b=1; ;"], Some("b=1")),
        ("a bad member is skipped", Limits::new(), &["b=1,c d=2,e,f=\",a=2"], Some("b=1,a=2")),
        ("nothing can be read", Limits::new(), &["b,c"], None),
        ("the last of a key, in the place of the first", Limits::new(), &["b=1,a=2,b=3"], Some("b=3,a=2")),
        ("members", Limits::new().max_members(1), &["b=1,a=2"], Some("b=1")),
        ("bytes", Limits::new().max_bytes(7), &["b=1,aa=2,c=3"], Some("b=1,c=3")),
        ("kept first", Limits::new().max_members(1).keep_first(&["a"]), &["b=1,a=2"], Some("a=2")),
        ("denied", Limits::new().deny(&["b"]), &["b=1,a=2"], Some("a=2")),
        ("allowed", Limits::new().allow(&["b*"]), &["bb=1,a=2"], Some("bb=1")),
        ("more is read than is sent", Limits::new(), &[&long, "b=1"], Some("b=1")),
        ("W3C's maximum", Limits::W3C, &[&long], Some(&long)),
    ];
    for (rule, limits, lines, expected) in rows {
        assert_eq!(hop(limits, lines).as_deref(), expected, "{rule}");
    }
}

#[test]
fn what_may_not_be_sent_overrides_an_older_header() {
    let inbound = RelayPropagator::new();
    let cx = inbound.extract_with_context(&Context::new(), &received(&["a=1"]));
    let outbound = RelayPropagator::of(
        BaggagePropagator::new()
            .with_limits(BothWays { outbound: Limits::new().deny(&["a"]), ..BothWays::new() }),
    );
    assert_eq!(sent(&outbound, &cx).as_deref(), Some(""));
    assert_eq!(sent(&outbound, &Context::new()), None);
}

#[test]
fn the_application_s_members_go_first_and_win() {
    let relay = RelayPropagator::new();
    let cx = relay.extract_with_context(&Context::new(), &received(&["z=1;p,b=%41"]));
    let set = |entries: &[common::Entry]| cx.with_baggage(baggage(entries.iter().copied()));
    for (entries, limits, expected) in [
        (&[][..], Limits::new(), "z=1;p,b=%41"),
        (&[("y", "é", "q")], Limits::new(), "y=%C3%A9;q,z=1;p,b=%41"),
        (&[("z", "2", ""), ("c", "3", "")], Limits::new(), "c=3,z=2,b=%41"),
        (&[("y", "2", "")], Limits::new().max_members(2), "y=2,z=1;p"),
        (&[("y", "2", "")], Limits::new().max_members(2).keep_first(&["b"]), "b=%41,y=2"),
        (&[("y", "2", "")], Limits::new().deny(&["y", "z"]), "b=%41"),
    ] {
        let propagator = RelayPropagator::of(
            BaggagePropagator::new().with_limits(BothWays { outbound: limits, ..BothWays::new() }),
        );
        assert_eq!(sent(&propagator, &set(entries)).as_deref(), Some(expected), "{entries:?}");
    }
    let cx = set(&[("y", "2", "")]).without_relayed_baggage();
    assert_eq!(sent(&relay, &cx).as_deref(), Some("y=2"));
    // A copied request may still have what was taken away.
    assert_eq!(sent(&relay, &set(&[]).without_relayed_baggage()).as_deref(), Some(""));
    assert_eq!(sent(&relay, &Context::new()), None);
}

#[test]
fn received_members_take_the_place_of_what_the_context_had() {
    let relay = RelayPropagator::new();
    let first = relay.extract_with_context(&given(), &received(&["a=1"]));
    assert!(first.baggage().is_empty());
    let second = relay.extract_with_context(&first, &received(&["b=2"]));
    assert_eq!(sent(&relay, &second).as_deref(), Some("b=2"));
    for lines in [vec![], vec!["bad"]] {
        let same = relay.extract_with_context(&second, &received(&lines));
        assert_eq!(
            sent(&relay, &same).as_deref(),
            Some("b=2"),
            "where nothing can be read the context comes back"
        );
    }
    let same = relay.extract_with_context(&given(), &received(&["bad"]));
    assert_eq!(entries(same.baggage()), expected(&[("given", "stays", "")]));
}

#[test]
fn a_member_is_decoded_when_it_is_asked_for() {
    let cx =
        RelayPropagator::new().extract_with_context(&Context::new(), &received(&["a=%20é,b=%ff;p=%20,c=1"]));
    let relayed = cx.relayed_baggage();
    assert_eq!((relayed.len(), relayed.is_empty()), (2, false));
    let member = relayed.get("b").unwrap();
    assert_eq!((member.key, &*member.value, member.metadata), ("b", "\u{fffd}", "p=%20"));
    assert!(relayed.get("a").is_none() && relayed.get("B").is_none());
    assert_eq!(format!("{relayed:?}"), "Relayed { members: 2 }", "nothing of a peer's");
    assert!(Context::new().relayed_baggage().get("a").is_none());
}

#[test]
fn what_is_left_out_is_reported_both_ways() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let seen = reports.clone();
    let observer = Observer::new(move |report| seen.lock().unwrap().extend(report.reasons()));
    let limits = Limits::new().max_members(1);
    let propagator =
        BaggagePropagator::new().with_limits(BothWays { outbound: limits, observer, ..BothWays::new() });
    let relay = RelayPropagator::of(propagator);
    let cx = relay.extract_with_context(&Context::new(), &received(&["a=1,b=2,c"]));
    relay.inject_context(&cx, &mut HashMap::new());
    assert_eq!(*reports.lock().unwrap(), [(Reason::NoEqualsSign, 1), (Reason::TooManyMembers, 1)]);
}

#[test]
fn a_context_that_is_used_again_and_again_keeps_one_header() {
    let relay = RelayPropagator::new();
    let carrier = HashMap::from([("baggage".to_owned(), format!("a={}", "x".repeat(600)))]);
    let mut cx = Context::new();
    for _ in 0..30_000 {
        cx = relay.extract_with_context(&cx, &carrier);
    }
    assert_eq!(cx.relayed_baggage().len(), 1);
}

fn header() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        "[ \t]{0,2}[a-c]{1,2}[ \t]{0,2}=[ \t]{0,2}([!-~]|%41){0,8}(;[ -~é\t]{0,8}){0,2}",
        "[-,;=%@+ \t\r\n\0\"\\\\éa4F]{0,12}",
    ];
    prop::collection::vec(member, 0..12).prop_map(|members| members.join(","))
}

proptest! {
    #[test]
    fn the_next_hop_reads_what_it_would_read_of_a_propagator_that_decodes(
        header in header(),
        max_members in prop_oneof![Just(64), 0..6_usize],
        max_bytes in prop_oneof![Just(4096), 0..60_usize],
        deny in any::<bool>(),
    ) {
        let limits = Limits::new().max_members(max_members).max_bytes(max_bytes);
        let limits = if deny { limits.deny(&["a"]) } else { limits };
        let carrier = HashMap::from([("baggage".to_owned(), header.clone())]);
        let decoding = BaggagePropagator::new().with_limits(BothWays { inbound: limits.clone(), outbound: Limits::W3C, ..BothWays::new() });
        let relay = RelayPropagator::of(decoding.clone());
        let plain = decoding.extract_with_context(&Context::new(), &carrier);
        let relayed = relay.extract_with_context(&Context::new(), &carrier);
        let decoded = relayed.relayed_baggage().iter().map(|member| (member.key.to_owned(), member.value.into_owned()));
        let values = entries(plain.baggage()).into_iter().map(|(key, (value, _))| (key, value));
        let mut decoded: Vec<_> = decoded.collect();
        decoded.sort();
        prop_assert_eq!(decoded, values.collect::<Vec<_>>());
        let (mut ours, mut theirs) = (HashMap::new(), HashMap::new());
        relay.inject_context(&relayed, &mut ours);
        decoding.inject_context(&plain, &mut theirs);
        prop_assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
        let read = |carrier: &HashMap<String, String>| decode(&carrier["baggage"], &Limits::W3C);
        if Extractor::get(&ours, "baggage").is_some() {
            prop_assert_eq!(entries(&read(&ours).0), entries(&read(&theirs).0));
            prop_assert!(is_strict(&ours["baggage"].replace('%', "%25")), "{:?}", ours);
        }
        // What was sent is sent again, and nothing is added to it.
        let again = RelayPropagator::new().extract_with_context(&Context::new(), &ours);
        prop_assert_eq!(sent(&relay, &again), ours.get("baggage").cloned());
        let set = sent(&relay, &relayed.with_baggage([KeyValue::new("own", "x")])).unwrap();
        let expected = ours.get("baggage").map_or("own=x".to_owned(), |header| format!("own=x,{header}"));
        prop_assert_eq!(set, expected);
    }
}
