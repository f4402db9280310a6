//! What the propagator makes of a whole set of headers, and what it sends.

mod common;

use common::{
    SPAN, TRACE, assert_untouched, busy, extract, extract_in, extract_with, headers, inject, inject_with,
    span, uber,
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use otel_jaeger::{JaegerExt, JaegerPropagator, Sampling, SamplingExt};

/// Flags as they are received and as they are sent on; what they say.
const FLAGS: [(&str, &str, Sampling, bool); 9] = [
    ("0", "0", Sampling::Deny, false),
    ("00", "0", Sampling::Deny, false),
    ("1", "1", Sampling::Accept, false),
    ("01", "1", Sampling::Accept, false),
    ("2", "0", Sampling::Deny, false),
    ("3", "3", Sampling::Debug, false),
    ("8", "8", Sampling::Deny, true),
    ("9", "9", Sampling::Accept, true),
    ("0f", "b", Sampling::Debug, true),
];

#[test]
fn every_flag_arrives_and_goes_on() {
    for (received, sent, sampling, firehose) in FLAGS {
        let cx = extract_in(&busy(), &uber(received));
        let span = cx.span().span_context().clone();
        assert_eq!(cx.sampling(), Some(sampling), "{received}");
        assert_eq!(cx.is_firehose(), firehose, "{received}");
        assert_eq!((span.trace_id().to_string(), span.span_id().to_string()), (TRACE.into(), SPAN.into()));
        assert_eq!(
            span.trace_flags(),
            TraceFlags::default().with_sampled(sampling.is_sampled()),
            "{received}"
        );
        assert_eq!(span.trace_state(), &TraceState::NONE);
        assert!(span.is_remote());
        assert_eq!(cx.baggage().to_string(), "tenant=acme");
        assert_eq!(inject(&cx), uber(sent), "{received}");
    }
}

#[test]
fn bad_input_leaves_the_context_as_it_was() {
    let megabyte = "8".repeat(1 << 20);
    let rows = [
        ("absent", headers::<&str, &str>([])),
        ("other headers", headers([("uber-trace", "1:2:0:1"), ("traceparent", "00")])),
        ("empty", headers([("uber-trace-id", "")])),
        ("only spaces", headers([("uber-trace-id", " \t ")])),
        ("a megabyte", headers([("uber-trace-id", &megabyte)])),
        ("a megabyte of spaces", headers([("uber-trace-id", " ".repeat(1 << 20))])),
        ("a megabyte of escapes", headers([("uber-trace-id", "%3A".repeat(1 << 20))])),
        ("two values in one", headers([("uber-trace-id", "1:2:0:1,1:2:0:1")])),
        ("a header within", headers([("uber-trace-id", "1:2:0:1\r\njaeger-debug-id: x")])),
        ("a trace of zeros", headers([("uber-trace-id", "0:1:0:1")])),
        ("a debug id that nobody asked for", headers([("jaeger-debug-id", "x")])),
        ("baggage that nobody asked for", headers([("uberctx-tenant", "evil")])),
    ];
    for (rule, request) in rows {
        assert_untouched(&extract_in(&busy(), &request), rule);
        assert_eq!(extract(&request).sampling(), None, "{rule}");
        assert_eq!(extract(&request).jaeger_debug_id(), None, "{rule}");
    }
}

#[test]
fn two_lines_are_refused_and_so_is_what_is_no_text() {
    let mut lines = http::HeaderMap::new();
    lines.append("uber-trace-id", http::HeaderValue::from_static("1:2:0:1"));
    let read = |lines: &http::HeaderMap| {
        JaegerPropagator::new().extract_with_context(&busy(), &HeaderExtractor(lines))
    };
    assert_eq!(read(&lines).span().span_context().trace_id().to_string(), format!("{:032}", 1));
    lines.append("uber-trace-id", http::HeaderValue::from_static("1:2:0:1"));
    assert_untouched(&read(&lines), "two lines");

    let mut lines = http::HeaderMap::new();
    lines.insert("uber-trace-id", http::HeaderValue::from_bytes(b"\xff").unwrap_or_else(|_| unreachable!()));
    assert_untouched(&read(&lines), "no text");
}

#[test]
fn spaces_around_a_value_and_the_case_of_its_name_do_not_matter() {
    let mut lines = http::HeaderMap::new();
    lines.insert(
        "Uber-Trace-Id".parse::<http::HeaderName>().unwrap_or_else(|_| unreachable!()),
        http::HeaderValue::from_static(" \t4D0000000000000016:17C29:0:1 "),
    );
    let cx = JaegerPropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(&lines));
    assert_eq!(inject(&cx)["uber-trace-id"], "000000000000004d0000000000000016:0000000000017c29:0:1");
}

#[test]
fn nothing_is_sent_where_there_is_no_span() {
    let bare = Context::new().with_bare_sampling(Sampling::Debug);
    for cx in [Context::new(), Context::new().with_remote_span_context(SpanContext::NONE), bare] {
        assert!(inject(&cx).is_empty());
    }
}

#[test]
fn a_span_of_any_origin_is_sent_with_its_flag() {
    // https://www.w3.org/TR/trace-context-2/#random-trace-id-flag is 2, and no debug flag.
    for (flags, sent) in [(0, "0"), (1, "1"), (2, "0"), (3, "1"), (4, "0"), (8, "0"), (0xff, "1")] {
        for remote in [false, true] {
            assert_eq!(inject(&span(TraceFlags::new(flags), remote)), uber(sent), "flags {flags}");
        }
    }
}

#[test]
fn the_states_of_other_formats_go_on_as_far_as_jaeger_can_say_them() {
    for (sampling, sent) in
        [(Sampling::Defer, "0"), (Sampling::Deny, "0"), (Sampling::Accept, "1"), (Sampling::Debug, "3")]
    {
        let received = span(TraceFlags::default(), true).span().span_context().clone();
        assert_eq!(inject(&Context::new().with_remote_sampling(received, sampling)), uber(sent));
    }
}

#[test]
fn a_64_bit_trace_id_is_sent_as_configured() {
    let padded = "000000000000000064fe8b2a57d3eff7";
    let one_bit_above = "00000000000000010000000000000001";
    let rows = [
        ("padded by default", "64fe8b2a57d3eff7", false, padded),
        ("as it came", "64fe8b2a57d3eff7", true, "64fe8b2a57d3eff7"),
        ("the width that came does not matter", padded, true, "64fe8b2a57d3eff7"),
        ("a longer id is never cut", TRACE, true, TRACE),
        ("nor with one bit above", one_bit_above, true, one_bit_above),
        ("the highest of 64 bits", "ffffffffffffffff", true, "ffffffffffffffff"),
    ];
    for (rule, received, short, sent) in rows {
        let propagator = JaegerPropagator::new().with_64_bit_trace_ids(short);
        let cx = extract(&headers([("uber-trace-id", format!("{received}:{SPAN}:0:1"))]));
        let expected = headers([("uber-trace-id", format!("{sent}:{SPAN}:0:1"))]);
        assert_eq!(inject_with(&propagator, &cx), expected, "{rule}");
    }
}

#[test]
fn flags_are_about_their_own_trace_alone() {
    let other = busy().span().span_context().clone();
    for (received, ..) in FLAGS {
        let cx = extract(&uber(received)).with_remote_span_context(other.clone());
        assert_eq!(cx.sampling(), Some(Sampling::Accept), "{received} of another trace");
        assert!(!cx.is_firehose(), "{received} of another trace");
    }
    assert!(!extract(&uber("9")).with_remote_span_context(SpanContext::NONE).is_firehose());
}

#[test]
fn what_came_last_of_a_trace_counts() {
    for (first, ..) in FLAGS {
        for (last, sent, ..) in FLAGS {
            let cx = extract_in(&extract(&uber(first)), &uber(last));
            assert_eq!(inject(&cx), uber(sent), "{first}, then {last}");
        }
    }
}

#[test]
fn a_debug_id_asks_for_a_debug_trace_where_that_is_on() {
    let on = JaegerPropagator::new().with_debug_id(true);
    let request = headers([("jaeger-debug-id", "ticket%2047 11")]);
    let cx = extract_with(&on, &Context::new(), &request);
    assert_eq!((cx.jaeger_debug_id(), cx.sampling()), (Some("ticket 47 11"), Some(Sampling::Debug)));
    assert!(!cx.has_active_span());
    assert!(inject_with(&on, &cx).is_empty(), "it is not sent on");

    let mut with_trace = uber("0");
    with_trace.extend(request);
    let cx = extract_with(&on, &Context::new(), &with_trace);
    assert_eq!((cx.jaeger_debug_id(), cx.sampling()), (None, Some(Sampling::Deny)), "beside a trace");

    for bad in ["", "a\nb", "%", &"x".repeat(129)] {
        let cx = extract_with(&on, &Context::new(), &headers([("jaeger-debug-id", bad)]));
        assert_eq!((cx.jaeger_debug_id(), cx.sampling()), (None, None), "{bad:?}");
    }
}

#[test]
fn fields_are_exactly_what_injection_may_write() {
    let propagator = JaegerPropagator::new().with_debug_id(true);
    assert_eq!(propagator.fields().collect::<Vec<_>>(), ["uber-trace-id"]);
    assert_eq!(JaegerPropagator::new().extract_fields().collect::<Vec<_>>(), ["uber-trace-id"]);
    assert_eq!(propagator.extract_fields().collect::<Vec<_>>(), ["uber-trace-id", "jaeger-debug-id"]);
}

#[test]
fn the_current_context_is_used_where_none_is_given() {
    let _guard = extract(&uber("3")).attach();
    let mut carrier = std::collections::HashMap::new();
    JaegerPropagator::new().inject(&mut carrier);
    assert_eq!(carrier.into_iter().collect::<common::Headers>(), uber("3"));
    let empty = std::collections::HashMap::<String, String>::new();
    assert_eq!(JaegerPropagator::new().extract(&empty).sampling(), Some(Sampling::Debug));
}
