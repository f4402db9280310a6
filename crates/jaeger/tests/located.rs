//! Each rule at its place in a header.

use otel_jaeger::{ErrorKind, UberTraceId};
use proptest::prelude::*;

const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
const SPAN: &str = "e457b5a2e4d86bd1";

#[test]
fn each_rule_is_found_at_its_place() {
    let rows = [
        (format!("{TRACE}:{SPAN}:{SPAN}:0123"), ErrorKind::TooLong, "uber-trace-id", "23"),
        ("%zz:1:0:1".into(), ErrorKind::Escape, "uber-trace-id", "%zz:1:0:1"),
        ("1:2:0:1:5:6".into(), ErrorKind::FieldCount, "uber-trace-id", ":5:6"),
        ("1:2:0".into(), ErrorKind::FieldCount, "uber-trace-id", ""),
        ("1%3A2%3A0".into(), ErrorKind::FieldCount, "uber-trace-id", "1%3A2%3A0"),
        (format!("{TRACE}0:1:0:1"), ErrorKind::TraceIdWidth, "trace-id", "80f198ee56343ba864fe8b2a57d3eff70"),
        ("1y2z:1:0:1".into(), ErrorKind::TraceIdDigits, "trace-id", "y"),
        ("1y%3A1%3A0%3A1".into(), ErrorKind::TraceIdDigits, "trace-id", "1y%3A1%3A0%3A1"),
        ("00:1:0:1".into(), ErrorKind::TraceIdZero, "trace-id", "00"),
        (format!("1:{SPAN}0:0:1"), ErrorKind::SpanIdWidth, "span-id", "e457b5a2e4d86bd10"),
        ("1:\u{e9}2:0:1".into(), ErrorKind::SpanIdDigits, "span-id", "\u{e9}"),
        ("1:0:0:1".into(), ErrorKind::SpanIdZero, "span-id", "0"),
        (format!("1:2:{SPAN}0:1"), ErrorKind::ParentSpanIdWidth, "parent-span-id", "e457b5a2e4d86bd10"),
        ("1:2:3g:1".into(), ErrorKind::ParentSpanIdDigits, "parent-span-id", "g"),
        ("1:2:0:x1".into(), ErrorKind::Flags, "flags", "x"),
        ("1:2:0:".into(), ErrorKind::Flags, "flags", ""),
    ];
    for (value, kind, production, part) in rows {
        let error = UberTraceId::parse(&value).unwrap_err();
        let located = error.located(&value);
        assert_eq!(error.kind(), kind, "{value}");
        assert_eq!((located.production, value.get(located.range)), (production, Some(part)), "{value}");
        assert_eq!(error.to_string(), located.rule, "an error says the rule");
    }
}

proptest! {
    #[test]
    fn every_place_is_text_of_the_header(value in "[0-9a-fx:%\u{e9}]{0,80}") {
        if let Err(error) = UberTraceId::parse(&value) {
            prop_assert!(value.get(error.located(&value).range).is_some());
        }
    }
}
