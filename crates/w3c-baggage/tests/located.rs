//! Each skipped member at its place in a header.

use otel_w3c_baggage::locate;
use proptest::prelude::*;

#[test]
fn each_skipped_member_is_found_at_its_place() {
    let rows: [(&str, &[(&str, &str)]); 9] = [
        ("a=1,b=2;p;q=r, c = 3 ", &[]),
        (",, ,", &[]),
        ("us er=1", &[("key", " ")]),
        ("\u{e9}=1", &[("key", "\u{e9}")]),
        ("=1", &[("key", "=")]),
        ("alone", &[("list-member", "")]),
        ("a=1, b= x y,c=3", &[("value", " ")]),
        ("a=\u{e9}", &[("value", "\u{e9}")]),
        ("a=\"1\",b,c d=e", &[("value", "\""), ("list-member", ""), ("key", " ")]),
    ];
    for (header, expected) in rows {
        let places: Vec<_> =
            locate(header).map(|it| (it.production, header.get(it.range).unwrap())).collect();
        assert_eq!(places, expected, "{header}");
    }
}

#[test]
fn what_is_missing_is_missed_at_the_end_of_its_member() {
    let at: Vec<_> = locate("a=1, alone ,b=2").map(|it| (it.range, it.rule)).collect();
    assert_eq!(at, [(10..10, "a member has no equals sign")]);
}

proptest! {
    #[test]
    fn every_place_is_text_of_the_header(header in "[a-c=,; \t\u{e9}\"]{0,40}") {
        for located in locate(&header) {
            prop_assert!(header.get(located.range.clone()).is_some(), "{located:?}");
        }
    }
}
