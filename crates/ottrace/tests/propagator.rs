//! What the propagator makes of a whole set of headers, and what it sends.

mod common;

use common::{
    Headers, LONG, SHORT, SPAN, assert_untouched, busy, extract, extract_in, inject, ot, request, span,
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use otel_ottrace::{OtTracePropagator, Sampling, SamplingExt};

/// As it is received and as it is sent on; what it says.
const SAMPLED: [(Option<&str>, Option<&str>, Sampling); 8] = [
    (None, None, Sampling::Defer),
    (Some(""), None, Sampling::Defer),
    (Some("true"), Some("true"), Sampling::Accept),
    (Some("True"), Some("true"), Sampling::Accept),
    (Some("1"), Some("true"), Sampling::Accept),
    (Some("false"), Some("false"), Sampling::Deny),
    (Some("FALSE"), Some("false"), Sampling::Deny),
    (Some("0"), Some("false"), Sampling::Deny),
];

#[test]
fn every_decision_arrives_and_goes_on() {
    for (received, sent, sampling) in SAMPLED {
        let cx = extract_in(&busy(), &ot(received));
        let span = cx.span().span_context().clone();
        assert_eq!(cx.sampling(), Some(sampling), "{received:?}");
        assert_eq!(span.trace_id().to_string(), format!("{SHORT:0>32}"));
        assert_eq!(span.span_id().to_string(), SPAN);
        assert_eq!(
            span.trace_flags(),
            TraceFlags::default().with_sampled(sampling.is_sampled()),
            "{received:?}"
        );
        assert_eq!(span.trace_state(), &TraceState::NONE);
        assert!(span.is_remote());
        assert_eq!(cx.baggage().to_string(), "tenant=acme");
        assert_eq!(inject(&cx), ot(sent), "{received:?}");
    }
}

#[test]
fn bad_input_leaves_the_context_as_it_was() {
    let megabyte = "8".repeat(1 << 20);
    let rows = [
        ("absent", Headers::new()),
        ("no span id", request(Some(SHORT), None, Some("true"))),
        ("no trace id", request(None, Some(SPAN), Some("true"))),
        ("a decision alone", request(None, None, Some("true"))),
        ("empty ids", request(Some(""), Some(""), Some("true"))),
        ("a megabyte of a trace id", request(Some(&megabyte), Some(SPAN), None)),
        ("a megabyte of a span id", request(Some(SHORT), Some(&megabyte), None)),
        ("a megabyte of spaces", request(Some(&" ".repeat(1 << 20)), Some(SPAN), None)),
        ("a megabyte of a decision", request(Some(SHORT), Some(SPAN), Some(&megabyte))),
        ("another word", request(Some(SHORT), Some(SPAN), Some("x"))),
        ("a header within", request(Some(SHORT), Some(SPAN), Some("true\r\nx: y"))),
        ("zeros", request(Some("0000000000000000"), Some(SPAN), None)),
    ];
    for (rule, request) in rows {
        assert_untouched(&extract_in(&busy(), &request), rule);
        assert_eq!(extract(&request).sampling(), None, "{rule}");
    }
}

#[test]
fn spaces_the_case_of_names_and_repeated_headers_do_not_matter() {
    let mut lines = http::HeaderMap::new();
    for (name, value) in [
        ("Ot-Tracer-TraceId", " 48485a3953bb6124"),
        ("Ot-Tracer-TraceId", "1"),
        ("OT-TRACER-SPANID", "a2fb4a1d1a96d312\t"),
        ("ot-tracer-sampled", "true"),
        ("ot-tracer-sampled", "false"),
    ] {
        let name = name.parse::<http::HeaderName>().unwrap_or_else(|_| unreachable!());
        lines.append(name, http::HeaderValue::from_static(value));
    }
    let cx = OtTracePropagator::new().extract_with_context(&Context::new(), &HeaderExtractor(&lines));
    assert_eq!(inject(&cx), ot(Some("true")));
}

#[test]
fn nothing_is_sent_where_there_is_no_span_that_the_format_can_name() {
    let bare = Context::new().with_bare_sampling(Sampling::Deny);
    let nothing_left = span("00000000000000010000000000000000", TraceFlags::SAMPLED);
    let invalid = Context::new().with_remote_span_context(SpanContext::NONE);
    for cx in [Context::new(), invalid, bare, nothing_left] {
        assert!(inject(&cx).is_empty());
    }
}

#[test]
fn a_span_of_any_origin_is_sent_with_its_sampled_flag_alone() {
    for (flags, sampled) in [(0, "false"), (1, "true"), (2, "false"), (3, "true"), (0xff, "true")] {
        assert_eq!(inject(&span(LONG, TraceFlags::new(flags))), ot(Some(sampled)), "flags {flags}");
    }
}

#[test]
fn the_states_of_other_formats_go_on_as_far_as_the_format_can_say_them() {
    let received = span(LONG, TraceFlags::default()).span().span_context().clone();
    for (sampling, sampled) in [
        (Sampling::Defer, None),
        (Sampling::Deny, Some("false")),
        (Sampling::Accept, Some("true")),
        (Sampling::Debug, Some("true")),
    ] {
        assert_eq!(inject(&Context::new().with_remote_sampling(received.clone(), sampling)), ot(sampled));
    }
}

#[test]
fn what_was_cut_off_a_trace_id_is_restored_where_the_trace_is_known() {
    let other = LONG.replace("6124", "6125");
    let rows = [
        ("the trace comes back", Some(LONG), SHORT, LONG.to_owned()),
        ("it was never cut", Some(LONG), LONG, LONG.to_owned()),
        ("another trace", Some(other.as_str()), SHORT, format!("{SHORT:0>32}")),
        ("another trace of this lower half", Some(SHORT), LONG, LONG.to_owned()),
        ("nothing is known", None, SHORT, format!("{SHORT:0>32}")),
    ];
    for (rule, known, received, expected) in rows {
        let given = known.map_or_else(Context::new, |id| span(&format!("{id:0>32}"), TraceFlags::default()));
        let cx = extract_in(&given, &request(Some(received), Some(SPAN), Some("true")));
        assert_eq!(cx.span().span_context().trace_id().to_string(), expected, "{rule}");
        assert!(cx.span().span_context().is_sampled(), "{rule}: what came last counts");
    }
}

#[test]
fn fields_are_exactly_what_injection_may_write() {
    let names = ["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"];
    assert_eq!(OtTracePropagator::new().fields().collect::<Vec<_>>(), names);
    assert_eq!(OtTracePropagator::new().extract_fields().collect::<Vec<_>>(), names);
    assert!(inject(&busy()).into_keys().all(|name| names.contains(&name.as_str())));
}

#[test]
fn the_current_context_is_used_where_none_is_given() {
    let _guard = extract(&ot(Some("true"))).attach();
    let mut carrier = std::collections::HashMap::new();
    OtTracePropagator::new().inject(&mut carrier);
    assert_eq!(carrier.into_iter().collect::<Headers>(), ot(Some("true")));
    let empty = std::collections::HashMap::<String, String>::new();
    assert_eq!(OtTracePropagator::new().extract(&empty).sampling(), Some(Sampling::Accept));
}
