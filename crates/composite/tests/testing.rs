//! Handlers that lose the context in each way, and what the test kit says of them.

#![cfg(all(feature = "testing", feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]

use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, TraceFlags},
};
use otel_composite::{
    CompositePropagator, from_list,
    testing::{Headers, Lost, Request},
};

/// What a handler makes of the context that it received before it sends.
type Change = fn(&Context) -> Context;

fn hop(propagator: &CompositePropagator, received: &Headers, change: Change) -> Headers {
    let cx = change(&propagator.extract_with_context(&Context::new(), received));
    let mut sent = Headers::new();
    propagator.inject_context(&cx, &mut sent);
    sent
}

fn with_span(cx: &Context, change: fn(&SpanContext) -> SpanContext) -> Context {
    let span = change(cx.span().span_context());
    cx.with_remote_span_context(span)
}

#[test]
fn what_a_handler_loses_is_told() {
    let rows: [(&str, Change, Result<(), Lost>); 5] = [
        ("nothing", Context::clone, Ok(())),
        ("the context", |_| Context::new(), Err(Lost::Trace)),
        (
            "its parent",
            |cx| {
                with_span(cx, |span| {
                    let state = span.trace_state().clone();
                    SpanContext::new(1.into(), 2.into(), span.trace_flags(), false, state)
                })
            },
            Err(Lost::AnotherTrace),
        ),
        (
            "the decision",
            |cx| {
                with_span(cx, |span| {
                    let state = span.trace_state().clone();
                    SpanContext::new(span.trace_id(), 2.into(), TraceFlags::NOT_SAMPLED, false, state)
                })
            },
            Err(Lost::Decision),
        ),
        (
            "all but the span",
            |cx| Context::new().with_remote_span_context(cx.span().span_context().clone()),
            Err(Lost::Baggage),
        ),
    ];
    for list in ["tracecontext,baggage", "b3,baggage", "b3multi,tracecontext,baggage"] {
        let Ok(propagator) = from_list(list) else { unreachable!() };
        let request = Request::new(&propagator);
        for (rule, change, expected) in rows {
            let sent = hop(&propagator, request.headers(), change);
            assert_eq!(request.check(&sent), expected, "{list}: {rule}");
        }
    }
}

#[test]
fn what_a_proxy_does_is_survived_or_told() {
    let Ok(propagator) = from_list("tracecontext,baggage") else { unreachable!() };
    let request = Request::new(&propagator);
    let headers = || request.headers().clone();
    let rows = [
        ("nothing", headers(), Ok(())),
        ("reordered", headers().reorder(), Ok(())),
        ("upper case", headers().upper_case(), Ok(())),
        ("merged", headers().merge(), Ok(())),
        ("doubled baggage", headers().double("baggage"), Ok(())),
        ("doubled baggage, merged", headers().double("baggage").merge(), Ok(())),
        ("a doubled traceparent is refused", headers().double("Traceparent"), Err(Lost::Trace)),
        ("the same, merged", headers().double("traceparent").merge(), Err(Lost::Trace)),
        ("no traceparent", headers().lose("Traceparent"), Err(Lost::Trace)),
        ("no baggage", headers().lose("baggage"), Err(Lost::Baggage)),
        ("cut", headers().cut(20), Err(Lost::Trace)),
        ("cut where nothing is", headers().cut(100), Ok(())),
    ];
    for (rule, received, expected) in rows {
        assert_eq!(request.check(&hop(&propagator, &received, Context::clone)), expected, "{rule}");
    }
}

#[test]
fn a_carrier_keeps_lines() {
    let mut headers = Headers::from([("a", "1"), ("B", "2"), ("A", "é")]);
    assert_eq!(headers.keys(), ["a", "B", "A"]);
    assert_eq!(headers.get_all("b"), Some(vec!["2"]));
    assert_eq!(headers.get_all("c"), None);
    assert_eq!(headers.clone().cut(1).get_all("a"), Some(vec!["1", ""]), "never within a character");
    headers.set("a", "3".to_owned());
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("B", "2"), ("a", "3")], "an older header is replaced");
    headers.set("b", String::new());
    assert_eq!(headers.iter().len(), 1, "an empty value leaves none");
    for entry in ["uberctx-tenant", "Ot-Baggage-tenant"] {
        headers.set(entry, String::new());
        assert_eq!(headers.get(entry), Some(""), "an entry of the baggage may be empty");
    }
}
