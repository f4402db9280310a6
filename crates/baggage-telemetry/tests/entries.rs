//! Which entries are copied, and how.

mod common;

use common::{attributes_of, context, copied};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    trace::SpanBuilder,
};
use otel_baggage_telemetry::{Entries, Keys};
use proptest::prelude::*;

#[test]
fn keys() {
    let baggage =
        [("tenant", "acme"), ("cohort.beta", "yes"), ("cohort.secret", "7"), ("user.email", "j@e.com")];
    let cohorts = Keys::of(&["cohort.*"]);
    let rows: [(&str, Entries, &[&str]); 11] = [
        ("no key, no copy", Keys::NONE.into(), &[]),
        ("an exact name", Keys::of(&["tenant"]).into(), &["tenant=acme"]),
        ("a name that is not there", Keys::of(&["region"]).into(), &[]),
        ("a name is not a prefix", Keys::of(&["ten", "tenants"]).into(), &[]),
        ("upper and lower case are two", Keys::of(&["Tenant"]).into(), &[]),
        ("a prefix", cohorts.clone().into(), &["cohort.beta=yes", "cohort.secret=7"]),
        ("a suffix", Keys::of(&["*.secret"]).into(), &["cohort.secret=7"]),
        ("owned", vec!["tenant".to_owned()].into(), &["tenant=acme"]),
        ("an exclusion", Entries::of(cohorts.clone()).except(Keys::of(&["*.secret"])), &["cohort.beta=yes"]),
        ("an exclusion wins over the same name", Entries::of(cohorts.clone()).except(cohorts), &[]),
        (
            "everything, written, but what is excluded",
            Entries::all().except(Keys::of(&["user.*"])),
            &["cohort.beta=yes", "cohort.secret=7", "tenant=acme"],
        ),
    ];
    for (rule, entries, expected) in rows {
        assert_eq!(copied(entries, baggage), expected, "{rule}");
    }
}

#[test]
fn names_and_values() {
    let entries = || Entries::of(Keys::of(&["a"]));
    let rows = [
        ("as it is", entries(), "a b;c=d%20", "a=a b;c=d%20"),
        ("an empty value is a value", entries(), "", "a="),
        ("a prefix", entries().prefix("baggage."), "1", "baggage.a=1"),
        ("an owned prefix", entries().prefix("x".repeat(3)), "1", "xxxa=1"),
        ("n - 1 bytes", entries().max_value_bytes(4), "abc", "a=abc"),
        ("n bytes", entries().max_value_bytes(4), "abcd", "a=abcd"),
        ("n + 1 bytes", entries().max_value_bytes(4), "abcde", "a=abcd"),
        ("two bytes that fit", entries().max_value_bytes(4), "abé", "a=abé"),
        ("two bytes of which one fits", entries().max_value_bytes(4), "abcé", "a=abc"),
        ("four bytes of which three fit", entries().max_value_bytes(4), "a🦀", "a=a"),
        ("four bytes alone, of which three fit", entries().max_value_bytes(3), "🦀", "a="),
        ("no byte", entries().max_value_bytes(0), "abc", "a="),
        (
            "the prefix is not part of the bound",
            entries().prefix("baggage.").max_value_bytes(1),
            "12",
            "baggage.a=1",
        ),
    ];
    for (rule, entries, value, expected) in rows {
        assert_eq!(copied(entries, [("a", value)]), [expected], "{rule}");
    }
    let len = |bytes: usize| copied(entries(), [("a", &*"v".repeat(bytes))]).concat().len() - "a=".len();
    assert_eq!((len(255), len(256), len(257)), (255, 256, 256), "256 bytes by default");
}

#[test]
fn how_many() {
    let keys: Vec<String> = (0..64).map(|n| format!("k{n:02}")).collect();
    let copied = |entries: Entries, count: usize| {
        copied(entries, keys.iter().take(count).map(|key| (key.as_str(), "v")))
    };
    for (count, expected) in [(15, 15), (16, 16), (17, 16), (64, 16)] {
        assert_eq!(copied(Entries::all(), count).len(), expected, "16 by default, of {count}");
    }
    for (most, expected) in [(0, 0), (1, 1), (63, 63), (64, 64), (65, 64), (usize::MAX, 64)] {
        assert_eq!(copied(Entries::all().max_entries(most), 64).len(), expected, "at most {most}");
    }
    let named_first = Entries::of(Keys::of(&["k63", "k0*", "*"])).max_entries(3);
    for _ in 0..20 {
        let stay = copied(named_first.clone(), 64);
        assert_eq!(stay, ["k63=v", "k00=v", "k01=v"], "in the order of the patterns, then of the keys");
    }
}

#[test]
fn metadata_is_not_copied() {
    let mut baggage = Baggage::new();
    baggage.insert_with_metadata("tenant", "acme", "secret=7");
    let cx = Context::new().with_baggage(baggage);
    let attributes = attributes_of(Entries::all(), &cx, SpanBuilder::from_name("span"));
    assert!(!format!("{attributes:?}").contains("secret"), "{attributes:?}");
}

proptest! {
    #[test]
    fn only_what_is_there_and_named(
        baggage in prop::collection::btree_map("[a-c]{1,3}", "\\PC{0,12}", 0..20),
        (names, except) in (prop::collection::vec("[a-c*]{1,3}", 0..3), prop::collection::vec("[a-c*]{1,3}", 0..3)),
        (max_value_bytes, max_entries) in (0_usize..16, 0_usize..20),
    ) {
        let (names, except) = (Keys::from(names), Keys::from(except));
        let entries = Entries::of(names.clone()).except(except.clone()).prefix("p.")
            .max_value_bytes(max_value_bytes).max_entries(max_entries);
        let cx = context(baggage.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        let attributes = attributes_of(entries.clone(), &cx, SpanBuilder::from_name("span"));

        let named = |key: &str| names.contains(key) && !except.contains(key);
        let named_keys = baggage.keys().filter(|key| named(key)).count();
        prop_assert_eq!(attributes.len(), named_keys.min(max_entries));
        for attribute in &attributes {
            let key = attribute.key.as_str().strip_prefix("p.").unwrap_or("no prefix");
            prop_assert!(named(key) && entries.contains(key), "{key} was not named");
            let (value, whole) = (attribute.value.as_str(), &baggage[key]);
            prop_assert!(whole.starts_with(&*value) && value.len() <= max_value_bytes);
            let next = whole.chars().nth(value.chars().count()).map_or(usize::MAX, char::len_utf8);
            prop_assert!(value.len().saturating_add(next) > max_value_bytes, "cut as late as can be");
        }
        prop_assert_eq!(attributes, attributes_of(entries, &cx, SpanBuilder::from_name("span")), "the same again");
    }
}
