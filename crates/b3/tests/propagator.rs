//! What the propagator makes of a whole set of headers, and what it sends.

mod common;

use common::{FORMS, Form, Headers, IDS, PARENT, SPAN, TRACE, extract, extract_in, headers, inject};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::HeaderExtractor;
use otel_b3::{B3Propagator, Sampling, SamplingExt};
use std::collections::HashMap;
use testing::carrier::Table;

const STATES: [(Option<char>, Sampling); 4] = [
    (None, Sampling::Defer),
    (Some('0'), Sampling::Deny),
    (Some('1'), Sampling::Accept),
    (Some('d'), Sampling::Debug),
];

/// A context that has a span and baggage already.
fn busy() -> Context {
    let span = SpanContext::new(
        TraceId::from(7),
        SpanId::from(7),
        TraceFlags::SAMPLED,
        false,
        TraceState::from_key_value([("vendor", "7")]).unwrap_or_default(),
    );
    Context::new().with_remote_span_context(span).with_baggage([KeyValue::new("tenant", "acme")])
}

fn assert_untouched(cx: &Context, rule: &str) {
    assert_eq!(cx.span().span_context(), busy().span().span_context(), "{rule}");
    assert_eq!(cx.baggage().to_string(), busy().baggage().to_string(), "{rule}");
    assert_eq!(cx.bare_sampling(), None, "{rule}");
}

#[test]
fn every_state_with_ids_arrives_in_every_form() {
    for form in FORMS {
        for (state, sampling) in STATES {
            let cx = extract_in(&busy(), &form.headers(IDS, state));
            let span = cx.span().span_context().clone();
            let sampled = matches!(sampling, Sampling::Accept | Sampling::Debug);
            assert_eq!(cx.sampling(), Some(sampling), "{form:?}");
            assert_eq!(span.trace_id().to_string(), TRACE);
            assert_eq!(span.span_id().to_string(), SPAN);
            assert_eq!(span.trace_flags(), TraceFlags::default().with_sampled(sampled), "{sampling:?}");
            assert_eq!(span.trace_state(), &TraceState::NONE);
            assert!(span.is_remote());
            assert_eq!(cx.baggage().to_string(), "tenant=acme");
        }
    }
}

#[test]
fn a_decision_without_ids_leaves_the_span_alone() {
    for form in FORMS {
        for (state, sampling) in STATES.into_iter().skip(1) {
            let cx = extract_in(&busy(), &form.headers(None, state));
            assert_eq!(cx.span().span_context(), busy().span().span_context());
            assert_eq!(cx.bare_sampling(), Some(sampling), "{form:?}");
            assert_eq!(cx.sampling(), Some(Sampling::Accept), "the span's flag, whatever came: {sampling:?}");

            let cx = extract(&form.headers(None, state));
            assert!(!cx.has_active_span());
            assert_eq!(cx.sampling(), Some(sampling), "{form:?}");
        }
    }
}

#[test]
fn the_single_header_takes_precedence() {
    let other_ids = Some(("0000000000000001", "0000000000000002"));
    for (state, sampling) in STATES {
        for (other, _) in STATES {
            let mut headers = Form::Multi.headers(other_ids, other);
            headers.extend(Form::Single.headers(IDS, state));
            let cx = extract(&headers);
            assert_eq!(cx.sampling(), Some(sampling), "{headers:?}");
            assert_eq!(cx.span().span_context().trace_id().to_string(), TRACE, "{headers:?}");

            headers.extend(Form::Single.headers(None, Some('0')));
            let cx = extract(&headers);
            assert_eq!(cx.sampling(), Some(Sampling::Deny), "a decision alone is a valid value, too");
            assert!(!cx.has_active_span());
        }
    }
}

#[test]
fn a_malformed_single_header_leaves_the_multiple_ones_to_be_tried() {
    for bad in ["", "-", "2", "not-a-tumor", &format!("{TRACE}-{SPAN}-1-"), &format!("{TRACE}-{SPAN}-D")] {
        for (state, sampling) in STATES {
            let mut headers = Form::Multi.headers(IDS, state);
            headers.extend(common::headers([("b3", bad)]));
            assert_eq!(extract(&headers).sampling(), Some(sampling), "{headers:?}");
        }
        let decision = headers([("b3", bad), ("x-b3-sampled", "0")]);
        assert_eq!(extract(&decision).sampling(), Some(Sampling::Deny), "{decision:?}");
    }
}

#[test]
fn bad_input_leaves_the_context_as_it_was() {
    let megabyte = "8".repeat(1 << 20);
    let long_tail = format!("{TRACE}-{SPAN}-1-{PARENT}{megabyte}");
    let rows: [(&str, &[(&str, &str)]); 20] = [
        ("absent", &[]),
        ("another header", &[("b3s", "1"), ("traceparent", "00")]),
        ("empty", &[("b3", "")]),
        ("only spaces", &[("b3", " \t ")]),
        ("a megabyte", &[("b3", &megabyte)]),
        ("a megabyte of hyphens", &[("b3", &"-".repeat(1 << 20))]),
        ("a megabyte after a valid value", &[("b3", &long_tail)]),
        ("two values in one", &[("b3", &format!("{TRACE}-{SPAN}-1,{TRACE}-{SPAN}-1"))]),
        ("not ASCII", &[("b3", "８０f198ee56343ba8")]),
        ("another space", &[("b3", "\u{a0}1")]),
        ("a control character", &[("b3", "1\n")]),
        ("a header within", &[("b3", "0\r\nx-b3-flags: 1")]),
        ("ids: one is missing", &[("x-b3-traceid", TRACE)]),
        ("ids: the other one is missing", &[("x-b3-spanid", SPAN), ("x-b3-sampled", "1")]),
        ("ids: a megabyte", &[("x-b3-traceid", &megabyte), ("x-b3-spanid", SPAN)]),
        ("ids: both a megabyte", &[("x-b3-traceid", &megabyte), ("x-b3-spanid", &megabyte)]),
        ("ids: a bad parent", &[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-parentspanid", "-")]),
        ("ids: a bad state", &[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN), ("x-b3-sampled", "2")]),
        ("a bad state alone", &[("x-b3-sampled", &megabyte)]),
        ("both forms", &[("b3", TRACE), ("x-b3-traceid", TRACE)]),
    ];
    for (rule, pairs) in rows {
        assert_untouched(&extract_in(&busy(), &headers(pairs.iter().copied())), rule);
        assert_eq!(extract(&headers(pairs.iter().copied())).sampling(), None, "{rule}");
    }
}

#[test]
fn spaces_and_tabs_around_a_value_are_not_part_of_it() {
    let single = headers([("b3", format!(" \t{TRACE}-{SPAN}-d "))]);
    assert_eq!(extract(&single).sampling(), Some(Sampling::Debug));
    let multi = headers([("x-b3-traceid", format!("{TRACE}\t")), ("x-b3-spanid", format!(" {SPAN}"))]);
    assert_eq!(extract(&multi).sampling(), Some(Sampling::Defer));
}

#[test]
fn of_repeated_headers_the_first_counts() {
    let mut lines = http::HeaderMap::new();
    for (name, value) in [
        ("x-b3-traceid", TRACE),
        ("x-b3-traceid", "0000000000000001"),
        ("x-b3-spanid", SPAN),
        ("x-b3-spanid", "not an id"),
        ("x-b3-sampled", "0"),
        ("x-b3-sampled", "1"),
    ] {
        lines.append(name, http::HeaderValue::from_static(value));
    }
    let read =
        |lines: &http::HeaderMap| B3Propagator::new().extract_with_context(&busy(), &HeaderExtractor(lines));
    let cx = read(&lines);
    assert_eq!(cx.sampling(), Some(Sampling::Deny));
    assert_eq!(inject(B3Propagator::single(), &cx), Form::Single.headers(IDS, Some('0')));

    lines.append("b3", http::HeaderValue::from_static("d"));
    lines.append("b3", http::HeaderValue::from_static("0"));
    assert_eq!(read(&lines).bare_sampling(), Some(Sampling::Debug));
}

#[test]
fn what_is_no_text_is_not_used() {
    let mut lines = http::HeaderMap::new();
    let value = http::HeaderValue::from_bytes(b"\xff0").unwrap();
    lines.insert("b3", value.clone());
    let read =
        |lines: &http::HeaderMap| B3Propagator::new().extract_with_context(&busy(), &HeaderExtractor(lines));
    assert_untouched(&read(&lines), "single");
    lines.insert("x-b3-traceid", value);
    lines.insert("x-b3-spanid", http::HeaderValue::from_static(SPAN));
    assert_untouched(&read(&lines), "multi");
}

#[test]
fn names_are_found_as_carriers_of_http_write_them() {
    let mut lines = http::HeaderMap::new();
    for (name, value) in [("X-B3-TraceId", TRACE), ("X-B3-SpanId", SPAN), ("X-B3-Flags", "1")] {
        lines.insert(name.parse::<http::HeaderName>().unwrap(), http::HeaderValue::from_static(value));
    }
    let cx = B3Propagator::new().extract_with_context(&Context::new(), &HeaderExtractor(&lines));
    assert_eq!(cx.sampling(), Some(Sampling::Debug));
}

#[test]
fn what_came_without_a_span_of_ours_goes_on_as_it_came() {
    for received in FORMS {
        for sent in FORMS {
            for (ids, (state, _)) in [(IDS, 0), (None, 1)]
                .into_iter()
                .flat_map(|(ids, first)| STATES.into_iter().skip(first).map(move |state| (ids, state)))
            {
                let cx = extract(&received.headers(ids, state));
                assert_eq!(
                    inject(sent.propagator(), &cx),
                    sent.headers(ids, state),
                    "{received:?} to {sent:?}"
                );
            }
        }
    }
}

#[test]
fn nothing_is_sent_where_there_is_neither_span_nor_decision() {
    let invalid = Context::new().with_remote_span_context(SpanContext::NONE);
    for form in FORMS {
        for cx in [&Context::new(), &invalid, &extract(&headers([("x-b3-flags", "0")]))] {
            assert!(inject(form.propagator(), cx).is_empty(), "{form:?}");
        }
    }
}

#[test]
fn a_bare_decision_is_sent_under_an_invalid_span() {
    let cx = extract(&headers([("b3", "0")])).with_remote_span_context(SpanContext::NONE);
    assert_eq!(inject(B3Propagator::multi(), &cx), headers([("x-b3-sampled", "0")]));
}

#[test]
fn a_span_of_any_origin_is_sent_with_its_flag() {
    // https://www.w3.org/TR/trace-context-2/#random-trace-id-flag is 2, and no state of B3.
    for (flags, state) in [(0, '0'), (1, '1'), (2, '0'), (3, '1'), (4, '0'), (0xff, '1')] {
        let ids = (TraceId::from_hex(TRACE).unwrap(), SpanId::from_hex(SPAN).unwrap());
        for remote in [false, true] {
            let span = SpanContext::new(ids.0, ids.1, TraceFlags::new(flags), remote, TraceState::NONE);
            let cx = Context::new().with_remote_span_context(span);
            for form in FORMS {
                assert_eq!(inject(form.propagator(), &cx), form.headers(IDS, Some(state)), "flags {flags}");
            }
        }
    }
}

#[test]
fn a_parent_span_id_is_never_sent() {
    let single = headers([("b3", format!("{TRACE}-{SPAN}-1-{PARENT}"))]);
    let mut multi = Form::Multi.headers(IDS, Some('1'));
    multi.extend(headers([("x-b3-parentspanid", PARENT)]));
    for received in [single, multi] {
        let sent = inject(B3Propagator::single_and_multi(), &extract(&received));
        assert_eq!(sent, Form::Both.headers(IDS, Some('1')));
    }
}

#[test]
fn a_64_bit_trace_id_is_sent_as_configured() {
    let short = "64fe8b2a57d3eff7";
    let padded = &format!("{short:0>32}");
    let rows = [
        ("padded by default", short, false, padded.as_str()),
        ("as it came", short, true, short),
        ("the width that came does not matter", padded, true, short),
        ("a longer id is never cut", TRACE, true, TRACE),
        (
            "nor with one bit above",
            "00000000000000010000000000000001",
            true,
            "00000000000000010000000000000001",
        ),
        ("the highest of 64 bits", "ffffffffffffffff", true, "ffffffffffffffff"),
    ];
    for (rule, received, option, sent) in rows {
        let cx = extract(&Form::Multi.headers(Some((received, SPAN)), Some('1')));
        for form in FORMS {
            let propagator = form.propagator().with_64_bit_trace_ids(option);
            assert_eq!(inject(propagator, &cx), form.headers(Some((sent, SPAN)), Some('1')), "{rule}");
        }
    }
}

#[test]
fn fields_are_exactly_what_injection_may_write() {
    let multi = ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"];
    let both = ["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags"];
    for (form, expected) in [(Form::Single, &["b3"][..]), (Form::Multi, &multi), (Form::Both, &both)] {
        let propagator = form.propagator();
        assert_eq!(propagator.fields().collect::<Vec<_>>(), expected, "{form:?}");

        let written = STATES.map(|(state, _)| inject(propagator, &extract(&form.headers(IDS, state))));
        let mut written: Vec<_> = written.iter().flat_map(|headers| headers.keys()).collect();
        let mut expected = expected.to_vec();
        written.sort_unstable();
        written.dedup();
        expected.sort_unstable();
        assert_eq!(written, expected, "{form:?}");
    }
}

#[test]
fn the_default_is_the_single_header() {
    assert_eq!(B3Propagator::new(), B3Propagator::single());
    assert_eq!(B3Propagator::default(), B3Propagator::single());
}

#[test]
fn a_state_is_about_its_own_trace_alone() {
    let other = SpanContext::new(
        TraceId::from(1),
        SpanId::from_hex(SPAN).unwrap(),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    for (state, _) in STATES {
        let cx = extract(&Form::Single.headers(IDS, state)).with_remote_span_context(other.clone());
        assert_eq!(cx.sampling(), Some(Sampling::Accept), "{state:?} of another trace");
    }
}

#[test]
fn a_span_that_another_format_brought_is_judged_by_what_is_known_of_it() {
    let ids = (TraceId::from_hex(TRACE).unwrap(), SpanId::from_hex(SPAN).unwrap());
    let rows = [
        ("debug holds for the trace", 'd', TraceFlags::NOT_SAMPLED, Sampling::Debug),
        ("deferred here, but sampled there", '-', TraceFlags::SAMPLED, Sampling::Accept),
        ("deferred here, and not sampled there", '-', TraceFlags::NOT_SAMPLED, Sampling::Defer),
        ("denied here, but sampled there", '0', TraceFlags::SAMPLED, Sampling::Accept),
        ("accepted here, but not sampled there", '1', TraceFlags::NOT_SAMPLED, Sampling::Deny),
    ];
    for (rule, state, flags, expected) in rows {
        let state = (state != '-').then_some(state);
        let span = SpanContext::new(ids.0, ids.1, flags, true, TraceState::NONE);
        let cx = extract(&Form::Single.headers(IDS, state)).with_remote_span_context(span);
        assert_eq!(cx.sampling(), Some(expected), "{rule}");
    }
}

#[test]
fn what_came_last_of_a_trace_counts() {
    for (first, _) in STATES {
        for (last, sampling) in STATES {
            let cx = extract(&Form::Single.headers(IDS, first));
            let cx = extract_in(&cx, &Form::Multi.headers(IDS, last));
            assert_eq!(cx.sampling(), Some(sampling), "{first:?}, then {last:?}");
        }
    }
}

#[test]
fn a_decision_that_comes_later_does_not_end_a_debug_trace() {
    let cx = extract_in(&extract(&Form::Single.headers(IDS, Some('d'))), &headers([("b3", "0")]));
    assert_eq!(cx.sampling(), Some(Sampling::Debug));
    assert_eq!(cx.bare_sampling(), Some(Sampling::Deny));
}

/// All rows listed, none, and a fixed list that has nothing of B3.
const LISTS: [fn(&str) -> bool; 3] = [|_| true, |_| false, |name| name == "content-type"];

fn of_table(rows: &[(&'static str, Option<&'static str>)], listed: fn(&str) -> bool) -> Headers {
    let rows = [("content-type", Some("text/plain"))].into_iter().chain(rows.iter().copied()).collect();
    let cx = B3Propagator::new().extract_with_context(&Context::new(), &Table { rows, listed });
    inject(B3Propagator::single(), &cx)
}

#[test]
fn the_names_may_be_spelled_in_other_letters_where_the_carrier_minds() {
    let java = [("X-B3-TraceId", Some(TRACE)), ("X-B3-SpanId", Some(SPAN)), ("X-B3-Sampled", Some("1"))];
    let lower = java.map(|(name, value)| {
        (
            ["x-b3-traceid", "x-b3-spanid", "x-b3-sampled"]
                .into_iter()
                .find(|lower| lower.eq_ignore_ascii_case(name))
                .unwrap(),
            value,
        )
    });
    let upper_single = [("B3", Some("0"))];
    let expected = headers([("b3", format!("{TRACE}-{SPAN}-1"))]);
    assert_eq!(of_table(&java, |_| true), expected);
    assert_eq!(of_table(&upper_single, |_| true), headers([("b3", "0")]));
    assert_eq!(of_table(&[("X-B3-Sampled", Some("0"))], |_| true), headers([("b3", "0")]));
    let both = [java.as_slice(), &[("x-b3-sampled", Some("0"))]].concat();
    let denied = headers([("b3", format!("{TRACE}-{SPAN}-0"))]);
    assert_eq!(of_table(&both, |_| true), denied, "the usual name is preferred");
    for listed in LISTS {
        assert_eq!(of_table(&lower, listed), expected, "a trace is found whatever is listed");
    }
    for listed in [LISTS[0], LISTS[1]] {
        assert_eq!(of_table(&[("x-b3-sampled", Some("0"))], listed), headers([("b3", "0")]));
    }
}

#[test]
fn a_header_that_is_there_but_not_text_makes_the_form_malformed() {
    let ids = [("x-b3-traceid", Some(TRACE)), ("x-b3-spanid", Some(SPAN))];
    for broken in ["x-b3-sampled", "x-b3-parentspanid"] {
        assert!(of_table(&[ids.as_slice(), &[(broken, None)]].concat(), |_| true).is_empty(), "{broken}");
    }
    let flags = [ids.as_slice(), &[("x-b3-flags", None)]].concat();
    assert_eq!(of_table(&flags, |_| true), headers([("b3", format!("{TRACE}-{SPAN}"))]), "any other value");
    let single = [ids.as_slice(), &[("b3", None)]].concat();
    assert_eq!(
        of_table(&single, |_| true),
        headers([("b3", format!("{TRACE}-{SPAN}"))]),
        "the other form is good"
    );
}

#[test]
fn a_broken_rule_is_found_at_its_place() {
    let ids = format!("{TRACE}-{SPAN}");
    for (value, production, part) in [
        (
            format!("X{}-{SPAN}-1", TRACE.get(1..).unwrap()),
            "TraceId",
            format!("X{}", TRACE.get(1..).unwrap()),
        ),
        (TRACE.to_owned(), "SpanId", String::new()),
        (format!("{TRACE}-xyz-1"), "SpanId", "xyz".to_owned()),
        (format!("{ids}-yes"), "SamplingState", "yes".to_owned()),
        ("2".to_owned(), "SamplingState", "2".to_owned()),
        (format!("{ids}-1-xyz"), "ParentSpanId", "xyz".to_owned()),
        (format!("{ids}-1-{PARENT}-1"), "ParentSpanId", format!("{PARENT}-1")),
        (format!("{ids}-{}", PARENT.to_uppercase()), "ParentSpanId", PARENT.to_uppercase()),
    ] {
        let located = otel_b3::locate_single(&value).unwrap();
        assert_eq!(
            (located.production, value.get(located.range)),
            (production, Some(part.as_str())),
            "{value}"
        );
    }
}

#[test]
fn the_broken_one_of_several_headers_is_named() {
    let (trace, span) = (("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN));
    let rows: [(&[(&str, &str)], _); 8] = [
        (&[trace, ("x-b3-spanid", "xyz")], Some(("x-b3-spanid", "SpanId", 0..3))),
        (&[("x-b3-traceid", "xyz"), ("x-b3-spanid", "x")], Some(("x-b3-traceid", "TraceId", 0..3))),
        (&[trace, span, ("x-b3-parentspanid", "x")], Some(("x-b3-parentspanid", "ParentSpanId", 0..1))),
        (&[("x-b3-sampled", "yes")], Some(("x-b3-sampled", "SamplingState", 0..3))),
        (&[trace], Some(("x-b3-spanid", "SpanId", 0..0))),
        (&[span], Some(("x-b3-traceid", "TraceId", 0..0))),
        (&[trace, span, ("x-b3-sampled", "1")], None),
        (&[], None),
    ];
    for (request, expected) in rows {
        let carrier: HashMap<_, _> = headers(request.iter().copied()).into_iter().collect();
        let located = otel_b3::locate_multi(&carrier);
        let located = located.map(|(header, located)| (header, located.production, located.range));
        assert_eq!(located, expected, "{request:?}");
    }
}

/// A carrier whose names cost more than a test may pay.
struct Unlisted(HashMap<String, String>);

impl Extractor for Unlisted {
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        unreachable!("all that can be missing under its usual name was found")
    }
}

#[test]
fn names_are_not_asked_for_because_of_flags_that_are_missing() {
    let request = [
        ("x-b3-traceid", TRACE),
        ("x-b3-spanid", SPAN),
        ("x-b3-parentspanid", PARENT),
        ("x-b3-sampled", "1"),
    ];
    let carrier = Unlisted(headers(request).into_iter().collect());
    let cx = B3Propagator::new().extract_with_context(&Context::new(), &carrier);
    assert_eq!(cx.sampling(), Some(Sampling::Accept));
}

/// What is done with a context between extraction and injection.
#[derive(Clone, Copy, Debug)]
enum Then {
    Nothing,
    AnotherTrace,
    Distrust,
}

impl Then {
    fn of(self, cx: &Context) -> Context {
        match self {
            Self::Nothing => cx.clone(),
            Self::AnotherTrace => cx.with_remote_span_context(busy().span().span_context().clone()),
            Self::Distrust => cx.with_remote_sampling(cx.span().span_context().clone(), Sampling::Defer),
        }
    }
}

/// A proxy copies the headers of its caller, with those that say something of another trace than the one that is sent.
#[test]
fn older_headers_of_another_trace_are_overridden() {
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], Then, [Option<&'a str>; 2]);
    const ID: (&str, &str) = ("x-b3-traceid", TRACE);
    const SP: (&str, &str) = ("x-b3-spanid", SPAN);
    const DEBUG: (&str, &str) = ("x-b3-flags", "1");
    const DENY: (&str, &str) = ("x-b3-sampled", "0");
    const BROKEN: (&str, &str) = ("x-b3-spanid", "broken");
    let other = |state| ("b3", ["463ac35c9f6413ad48485a3953bb6124-a2fb4a1d1a96d312", state].concat());
    let [open, deny, accept, debug] = ["", "-0", "-1", "-d"].map(other);
    let rows: [Row<'_>; 9] = [
        ("a debug trace goes on", &[ID, SP, DEBUG], Then::Nothing, [None, Some("1")]),
        ("another trace after a debug one", &[ID, SP, DEBUG], Then::AnotherTrace, [Some("1"), Some("")]),
        ("a debug flag that is not trusted", &[ID, SP, DEBUG], Then::Distrust, [None, Some("")]),
        ("broken ids", &[ID, BROKEN, DEBUG], Then::AnotherTrace, [Some("1"), Some("")]),
        ("debug beside deny", &[(deny.0, &deny.1), ID, SP, DEBUG], Then::Nothing, [Some("0"), Some("")]),
        ("debug beside an open one", &[(open.0, &open.1), ID, SP, DEBUG], Then::Nothing, [None, Some("")]),
        ("deny beside debug", &[(debug.0, &debug.1), ID, SP, DENY], Then::Nothing, [Some("0"), Some("1")]),
        ("deny beside accept", &[(accept.0, &accept.1), ID, SP, DENY], Then::Nothing, [Some("1"), None]),
        ("nothing more", &[ID, SP], Then::Nothing, [None, None]),
    ];
    for (rule, request, then, expected) in rows {
        let request: HashMap<String, String> = headers(request.iter().copied()).into_iter().collect();
        let copied = |propagator: B3Propagator| {
            let cx = then.of(&propagator.extract_with_context(&Context::new(), &request));
            let mut copy = request.clone();
            propagator.inject_context(&cx, &mut copy);
            copy
        };
        let copy = copied(B3Propagator::multi());
        assert_eq!(
            ["x-b3-sampled", "x-b3-flags"].map(|name| copy.get(name).map(String::as_str)),
            expected,
            "{rule}"
        );
        let copy = copied(B3Propagator::single());
        let mut others = request.iter().filter(|(name, _)| *name != "b3");
        assert!(others.all(|(name, value)| copy[name] == *value), "{rule}: headers of the other form");
    }
}

#[test]
fn what_an_earlier_request_left_is_forgotten() {
    let debug = extract_by(B3Propagator::multi(), &Context::new(), &Form::Multi.headers(IDS, Some('d')));
    let deny = Form::Multi.headers(Some(("463ac35c9f6413ad48485a3953bb6124", SPAN)), Some('0'));
    let cx = extract_by(B3Propagator::multi(), &debug, &deny);
    assert_eq!(inject(B3Propagator::multi(), &cx), deny);
}

fn extract_by(propagator: B3Propagator, cx: &Context, headers: &Headers) -> Context {
    testing::format::extract(&propagator, cx, headers)
}
