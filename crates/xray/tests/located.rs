//! Each rule at its place in a header.

use otel_xray::{ErrorKind, TraceHeader};
use proptest::prelude::*;

const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";

#[test]
fn each_rule_is_found_at_its_place() {
    let fill = "a".repeat(250);
    let rows = [
        (format!("a={fill}bcdefgh"), ErrorKind::TooLong, "tracing header", "fgh"),
        ("Self=1".into(), ErrorKind::RootMissing, "Root", ""),
        ("Parent=1; Root = 2-5759e988-bd86 ".into(), ErrorKind::RootVersion, "Root", "2-5759e988-bd86"),
        ("Root=1-5759e988-bd86;a=b".into(), ErrorKind::RootWidth, "Root", "1-5759e988-bd86"),
        ("a;Root=1-5759e98X-bd862e3fe1be46a994272793".into(), ErrorKind::RootDigits, "Root", "X"),
        (
            "Root=1-00000000-000000000000000000000000".into(),
            ErrorKind::RootZero,
            "Root",
            "1-00000000-000000000000000000000000",
        ),
        (format!("Root={ROOT};Parent=53995c3f42cd8a"), ErrorKind::ParentWidth, "Parent", "53995c3f42cd8a"),
        (format!("Parent=53995c3f42cd8aD8; Root={ROOT}"), ErrorKind::ParentDigits, "Parent", "D"),
        (format!("Root={ROOT};Parent=0000000000000000"), ErrorKind::ParentZero, "Parent", "0000000000000000"),
        (format!("Root={ROOT};Sampled=1;Sampled= 0 "), ErrorKind::Repeated, "Sampled", "0"),
    ];
    for (value, kind, production, part) in rows {
        let error = TraceHeader::parse(&value).unwrap_err();
        let located = error.located(&value);
        assert_eq!(error.kind(), kind, "{value}");
        assert_eq!((located.production, value.get(located.range)), (production, Some(part)), "{value}");
        assert_eq!(error.to_string(), located.rule, "an error says the rule");
    }
}

proptest! {
    #[test]
    fn every_place_is_text_of_the_header(
        value in "(Root|Parent|Sampled|a)=[0-9a-fx\u{e9} -]{0,40}(;(Root|Parent|Sampled|a)=[0-9a-fx\u{e9} -]{0,40}){0,3}",
    ) {
        if let Err(error) = TraceHeader::parse(&value) {
            prop_assert!(value.get(error.located(&value).range).is_some());
        }
    }
}
