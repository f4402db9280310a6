//! Each rule at its place in a header.

use otel_ottrace::{ErrorKind, OtTrace};
use proptest::prelude::*;

const TRACE: &str = "463ac35c9f6413ad";
const SPAN: &str = "48485a3953bb6124";

#[test]
fn each_rule_is_found_at_its_place() {
    let rows = [
        (["", SPAN, "1"], ErrorKind::TraceIdWidth, "ot-tracer-traceid", ""),
        (["463ac35c9f6413ad0", SPAN, "1"], ErrorKind::TraceIdWidth, "ot-tracer-traceid", "463ac35c9f6413ad0"),
        (["463ac35c9f6413aD", SPAN, "1"], ErrorKind::TraceIdDigits, "ot-tracer-traceid", "D"),
        (["00", SPAN, "1"], ErrorKind::TraceIdZero, "ot-tracer-traceid", "00"),
        ([TRACE, "", "1"], ErrorKind::SpanIdWidth, "ot-tracer-spanid", ""),
        ([TRACE, "48485a3953bb61240", "1"], ErrorKind::SpanIdWidth, "ot-tracer-spanid", "48485a3953bb61240"),
        ([TRACE, "4\u{e9}8", "1"], ErrorKind::SpanIdDigits, "ot-tracer-spanid", "\u{e9}"),
        ([TRACE, "0", "1"], ErrorKind::SpanIdZero, "ot-tracer-spanid", "0"),
        ([TRACE, SPAN, "yes"], ErrorKind::Sampled, "ot-tracer-sampled", "yes"),
    ];
    for (values, kind, header, part) in rows {
        let [trace_id, span_id, sampled] = values;
        let error = OtTrace::parse(trace_id, span_id, Some(sampled)).unwrap_err();
        let place = ["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"]
            .iter()
            .position(|it| *it == error.header());
        let value = place.and_then(|place| values.get(place)).copied().unwrap_or_default();
        let located = error.located(value);
        assert_eq!((error.kind(), error.header(), located.production), (kind, header, header), "{values:?}");
        assert_eq!(value.get(located.range), Some(part), "{values:?}");
        assert_eq!(error.to_string(), located.rule, "an error says the rule");
    }
}

proptest! {
    #[test]
    fn every_place_is_text_of_the_header(trace_id in "[0-9a-fx\u{e9}]{0,33}") {
        if let Err(error) = OtTrace::parse(&trace_id, SPAN, None) {
            prop_assert!(trace_id.get(error.located(&trace_id).range).is_some());
        }
    }
}
