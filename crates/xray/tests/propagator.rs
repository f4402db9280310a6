//! What the propagator makes of a whole set of headers, and what it sends.

mod common;

use common::{
    Headers, NAME, PARENT, ROOT, SPAN, TRACE, assert_untouched, busy, extract, extract_in, extract_with,
    headers, inject, request, span,
};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use otel_xray::{Missing, Sampling, SamplingExt, XrayExt, XrayPropagator};

const SAMPLED: [(&str, Sampling, &str); 7] = [
    ("Sampled=1", Sampling::Accept, "Sampled=1"),
    ("Sampled=0", Sampling::Deny, "Sampled=0"),
    ("Sampled=?", Sampling::Defer, "Sampled=?"),
    ("Sampled=", Sampling::Defer, "Sampled=?"),
    ("Sampled=a", Sampling::Defer, "Sampled=?"),
    ("Sampled=10220", Sampling::Defer, "Sampled=?"),
    ("Self=1-0-0", Sampling::Defer, "Sampled=?"),
];

#[test]
fn every_decision_arrives_and_goes_on() {
    for (received, sampling, sent) in SAMPLED {
        let cx = extract_in(&busy(), &request(&[ROOT, PARENT, received]));
        let span = cx.span().span_context().clone();
        assert_eq!(cx.sampling(), Some(sampling), "{received}");
        assert_eq!((span.trace_id().to_string(), span.span_id().to_string()), (TRACE.into(), SPAN.into()));
        assert_eq!(
            span.trace_flags(),
            TraceFlags::default().with_sampled(sampling.is_sampled()),
            "{received}"
        );
        assert_eq!(span.trace_state(), &TraceState::NONE, "{received}");
        assert!(span.is_remote());
        assert_eq!(cx.baggage().to_string(), "tenant=acme");
        assert_eq!(inject(&cx), request(&[ROOT, PARENT, sent]), "{received}");
    }
}

#[test]
fn what_a_missing_decision_means_can_be_said() {
    let rows = [
        (Missing::Defer, Sampling::Defer),
        (Missing::Sampled, Sampling::Accept),
        (Missing::NotSampled, Sampling::Deny),
    ];
    for (missing, expected) in rows {
        let propagator = XrayPropagator::new().with_missing_sampled(missing);
        for (received, sampling, _) in SAMPLED {
            let cx = extract_with(&propagator, &Context::new(), &request(&[ROOT, PARENT, received]));
            let expected = if sampling == Sampling::Defer { expected } else { sampling };
            assert_eq!(cx.sampling(), Some(expected), "{missing:?}, {received}");
        }
        let cx = extract_with(&propagator, &Context::new(), &request(&[ROOT]));
        assert_eq!(cx.sampling(), None, "it is about spans: {missing:?}");
    }
}

#[test]
fn a_root_without_a_parent_is_remembered_and_leaves_the_span_alone() {
    for (received, bare) in
        [(None, None), (Some("Sampled=1"), Some(Sampling::Accept)), (Some("Sampled=0"), Some(Sampling::Deny))]
    {
        let request = request(&[ROOT].into_iter().chain(received).collect::<Vec<_>>());
        let cx = extract_in(&busy(), &request);
        assert_untouched(&cx, "beside a span");
        assert_eq!(cx.xray_root().map(|root| root.to_string()).as_deref(), Some(TRACE));
        assert_eq!(inject(&cx), inject(&busy()), "the span is what is sent");

        let cx = extract(&request);
        assert!(!cx.has_active_span());
        assert_eq!(cx.bare_sampling(), bare);
        assert_eq!(inject(&cx), request, "without a span it goes on as it came");
    }
}

#[test]
fn bad_input_leaves_the_context_as_it_was() {
    let megabyte = "8".repeat(1 << 20);
    let rows = [
        ("absent", Headers::new()),
        ("another header", headers([("x-amzn-trace", ROOT)])),
        ("empty", request(&[""])),
        ("only spaces", request(&[" \t "])),
        ("a megabyte", request(&[&megabyte])),
        ("a megabyte of spaces", request(&[&" ".repeat(1 << 20)])),
        ("a megabyte of semicolons", request(&[&";".repeat(1 << 20)])),
        ("a megabyte after a valid value", request(&[ROOT, PARENT, &megabyte])),
        ("a header within", request(&["Root=1-5759e988-bd862e3fe1be46a9942\r\n272793", PARENT])),
        ("two roots", request(&[ROOT, PARENT, "Root=1-5759e988-bd862e3fe1be46a994272794"])),
        ("no root", request(&[PARENT, "Sampled=1"])),
        ("a bad parent", request(&[ROOT, "Parent=x", "Sampled=1"])),
    ];
    for (rule, request) in rows {
        assert_untouched(&extract_in(&busy(), &request), rule);
        let cx = extract(&request);
        assert_eq!((cx.sampling(), cx.xray_root()), (None, None), "{rule}");
        assert!(inject(&cx).is_empty(), "{rule}");
    }
}

#[test]
fn two_lines_are_refused_and_so_is_what_is_no_text() {
    let mut lines = http::HeaderMap::new();
    let line =
        http::HeaderValue::from_static("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8");
    lines.append(
        "X-Amzn-Trace-Id".parse::<http::HeaderName>().unwrap_or_else(|_| unreachable!()),
        line.clone(),
    );
    let read = |lines: &http::HeaderMap| {
        XrayPropagator::new().extract_with_context(&busy(), &HeaderExtractor(lines))
    };
    assert_eq!(read(&lines).span().span_context().trace_id().to_string(), TRACE);
    lines.append(NAME, line);
    assert_untouched(&read(&lines), "two lines");

    let mut lines = http::HeaderMap::new();
    lines.insert(NAME, http::HeaderValue::from_bytes(b"\xff").unwrap_or_else(|_| unreachable!()));
    assert_untouched(&read(&lines), "no text");
}

#[test]
fn nothing_is_sent_where_there_is_neither_span_nor_root() {
    let bare = Context::new().with_bare_sampling(Sampling::Deny);
    for cx in [Context::new(), Context::new().with_remote_span_context(SpanContext::NONE), bare] {
        assert!(inject(&cx).is_empty());
    }
}

#[test]
fn a_span_of_w3c_is_sent_without_its_trace_state_and_with_its_sampled_flag_alone() {
    let state = TraceState::from_key_value([("foo", "1"), ("ot", "th:0")]).unwrap_or_default();
    for (flags, sent) in
        [(0, "Sampled=0"), (1, "Sampled=1"), (2, "Sampled=0"), (3, "Sampled=1"), (0xff, "Sampled=1")]
    {
        let cx = span(TraceFlags::new(flags), state.clone());
        assert_eq!(inject(&cx), request(&[ROOT, PARENT, sent]), "flags {flags}");
    }
}

#[test]
fn keys_that_x_ray_does_not_know_go_nowhere() {
    let cx = extract(&request(&[ROOT, PARENT, "Sampled=1", "Foo=Bar", "Self=1-0-0", "lineage=1:e65a2c4d:0"]));
    assert_eq!(cx.span().span_context().trace_state(), &TraceState::NONE);
    assert_eq!(cx.baggage().len(), 0);
    assert_eq!(inject(&cx), request(&[ROOT, PARENT, "Sampled=1"]));
}

#[test]
fn lineage_is_sent_last_and_with_its_own_trace_alone() {
    let lineage = "Lineage=32767:e65a2c4d:255";
    let sent = request(&[ROOT, PARENT, "Sampled=1", lineage]);
    let cx = extract(&request(&[lineage, ROOT, PARENT, "Sampled=1"]));
    assert_eq!(inject(&cx), sent);
    assert_eq!(inject(&extract_in(&cx, &sent)), sent, "once more");
    let other = busy().span().span_context().clone();
    assert_eq!(inject(&cx.with_remote_span_context(other)), inject(&busy()), "of another trace");

    let without = request(&[ROOT, PARENT, "Sampled=1"]);
    assert_eq!(inject(&extract_in(&cx, &without)), without, "what came last of a trace counts");
    for bad in ["Lineage=1:badc0de:13", "Lineage=", "Lineage=32768:e65a2c4d:255", "Lineage=1:e65a2c4d:1:1"] {
        assert_eq!(inject(&extract(&request(&[ROOT, PARENT, "Sampled=1", bad]))), without, "{bad}");
    }

    let alone = request(&[ROOT, lineage]);
    assert_eq!(inject(&extract(&alone)), alone, "without a span");
    assert_eq!(
        extract(&alone).xray_lineage().map(|it| it.to_string()).as_deref(),
        Some("32767:e65a2c4d:255")
    );
}

#[test]
fn an_id_that_is_not_of_x_ray_is_sent_as_it_is() {
    let mut carrier = std::collections::HashMap::new();
    XrayPropagator::new().inject_context(&busy(), &mut carrier);
    let header = "Root=1-00000000-000000000000000000000007;Parent=0000000000000007;Sampled=1";
    assert_eq!(carrier[NAME], header);
    let cx = extract(&request(&[header]));
    assert_eq!(cx.span().span_context().trace_id(), busy().span().span_context().trace_id());
}

#[test]
fn the_states_of_other_formats_go_on_as_far_as_x_ray_can_say_them() {
    let received = span(TraceFlags::default(), TraceState::NONE).span().span_context().clone();
    for (sampling, sent) in [
        (Sampling::Defer, "Sampled=?"),
        (Sampling::Deny, "Sampled=0"),
        (Sampling::Accept, "Sampled=1"),
        (Sampling::Debug, "Sampled=1"),
    ] {
        let cx = Context::new().with_remote_sampling(received.clone(), sampling);
        assert_eq!(inject(&cx), request(&[ROOT, PARENT, sent]));
    }
}

#[test]
fn fields_are_exactly_what_injection_may_write() {
    assert_eq!(XrayPropagator::new().fields().collect::<Vec<_>>(), [NAME]);
    assert_eq!(XrayPropagator::lambda().extract_fields().collect::<Vec<_>>(), [NAME]);
}

#[test]
fn the_trace_of_an_invocation_is_the_parent_where_there_is_none() {
    let header = |parts: &[&str]| parts.join(";");
    let of_the_invocation = header(&[ROOT, PARENT, "Sampled=1"]);
    assert_eq!(inject(&Context::new().with_lambda_trace(&of_the_invocation)), request(&[&of_the_invocation]));
    assert_untouched(&busy().with_lambda_trace(&of_the_invocation), "a valid span stands");
    for unusable in ["", "x", &header(&[ROOT, PARENT, "Sampled=0"])] {
        let cx = Context::new().with_lambda_trace(unusable);
        assert_eq!((cx.sampling(), cx.xray_root()), (None, None), "{unusable}");
    }

    let mut undecided = Context::new().with_lambda_trace(&header(&[ROOT, PARENT]));
    assert_eq!(undecided.sampling(), Some(Sampling::Defer));
    // Two at once, in one process: each has its own.
    let other = of_the_invocation.replace('5', "6");
    let [one, two] = [&of_the_invocation, &other].map(|header| Context::new().with_lambda_trace(header));
    assert_ne!(inject(&one), inject(&two));
    undecided = extract_with(&XrayPropagator::lambda(), &undecided, &Headers::new());
    assert_eq!(undecided.sampling(), Some(Sampling::Defer), "lambda() obeys it");
}

#[test]
fn the_current_context_is_used_where_none_is_given() {
    let sent = request(&[ROOT, PARENT, "Sampled=1"]);
    let _guard = extract(&sent).attach();
    let mut carrier = std::collections::HashMap::new();
    XrayPropagator::new().inject(&mut carrier);
    assert_eq!(carrier.into_iter().collect::<Headers>(), sent);
    let empty = std::collections::HashMap::<String, String>::new();
    assert_eq!(XrayPropagator::new().extract(&empty).sampling(), Some(Sampling::Accept));
}

#[test]
fn only_the_one_for_lambda_reads_the_environment() {
    assert!(XrayPropagator::lambda().reads_environment() && !XrayPropagator::new().reads_environment());
}
