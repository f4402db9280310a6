//! The events of refused headers. They stand alone because each rule has one throttle in the whole process.

mod common;

use common::{Headers, SHORT, SPAN, extract, ot, request};
use opentelemetry::propagation::TextMapPropagator;
use otel_ottrace::OtTracePropagator;
use testing::{carrier::Attaching, events, format::refused};

fn told_of(request: &Headers) -> Vec<(String, String, String)> {
    refused(|| drop(extract(request)))
}

#[test]
fn each_bad_set_is_told_of_once_with_header_rule_and_size() {
    let (trace, span, sampled) = ("ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled");
    let rows = [
        (trace, "no trace id", request(None, Some("SECRET"), None), 0),
        (
            trace,
            "trace id is neither 1 to 16 characters nor 32",
            request(Some("SECRETSECRETSECRET"), Some(SPAN), None),
            18,
        ),
        (trace, "trace id is not lower-case hex", request(Some("SECRET"), Some(SPAN), None), 6),
        (trace, "trace id is zero", request(Some("0"), Some("SECRET"), None), 1),
        (span, "no span id", request(Some("SECRET"), None, None), 0),
        (
            span,
            "span id is not 1 to 16 characters",
            request(Some(SHORT), Some("SECRETSECRETSECRET"), None),
            18,
        ),
        (span, "span id is not lower-case hex", request(Some(SHORT), Some("SECRET"), None), 6),
        (span, "span id is zero", request(Some(SHORT), Some("0"), Some("SECRET")), 1),
        (sampled, "sampled is neither true nor false", request(Some(SHORT), Some(SPAN), Some("SECRET")), 6),
    ];
    for (header, rule, request, bytes) in rows {
        let expected = (header.to_owned(), rule.to_owned(), bytes.to_string());
        assert_eq!(told_of(&request), [expected], "{request:?}");
    }

    // Of the rule that came last, so that its throttle is not another test's.
    let flood = request(Some(SHORT), Some(SPAN), Some("a flood"));
    let told = events(|| (0..10_000).for_each(|_| drop(extract(&flood))));
    assert!((1..=10).contains(&told.len()), "{} events", told.len());
}

#[test]
fn a_set_that_is_good_or_absent_is_not_told_of() {
    for good in [Headers::new(), ot(None), ot(Some("true")), request(None, None, Some("?"))] {
        assert_eq!(told_of(&good), [], "{good:?}");
    }
}

/// Subscribers, exporters and carriers may attach contexts, which panics under a borrow of the current one.
#[test]
fn the_current_context_is_not_borrowed_while_a_carrier_is_asked() {
    let mut carrier = Attaching::with("attach");
    let _guard = extract(&ot(None)).attach();
    OtTracePropagator::new().inject(&mut carrier);
    assert_eq!(events(|| drop(OtTracePropagator::new().extract(&carrier))).len(), 1);
}
