//! What the propagator does with a context: what it keeps, what it leaves alone, and what survives the SDK.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code outside of a test function")]

mod common;

use common::{
    SPAN_ID, TRACE_ID, VALID, assert_untouched, context_of, extract, extract_into, header, headers, inject,
    occupied, with_tracestate,
};
use http::HeaderMap;
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{
        Span, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer, TracerProvider,
    },
};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_tracecontext::TraceContextPropagator;
use std::collections::HashMap;

const RANDOM: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03";

fn received(traceparent: &str, tracestate: &[&str]) -> HeaderMap {
    let tracestate = tracestate.iter().map(|line| ("tracestate", line.as_bytes()));
    headers([("traceparent", traceparent.as_bytes())].into_iter().chain(tracestate))
}

fn received_into(cx: &Context, traceparent: &str, tracestate: &[&str]) -> Context {
    extract_into(cx, &HeaderExtractor(&received(traceparent, tracestate)))
}

/// The context of a service that received these headers and started a span.
fn served(sampler: Sampler, traceparent: &str, tracestate: &[&str]) -> Context {
    let cx = received_into(&Context::new(), traceparent, tracestate);
    let provider = SdkTracerProvider::builder().with_sampler(sampler).build();
    let span = provider.tracer("test").start_with_context("served", &cx);
    cx.with_span(span)
}

#[test]
fn the_fields_are_the_two_headers() {
    assert_eq!(TraceContextPropagator::new().fields().collect::<Vec<_>>(), ["traceparent", "tracestate"]);
}

#[test]
fn what_is_extracted_is_a_remote_span() {
    let cx = extract(&HeaderExtractor(&received(VALID, &["foo=1"])));
    let trace_state = TraceState::from_key_value([("foo", "1")]).unwrap();
    let expected = SpanContext::new(TRACE_ID, SPAN_ID, TraceFlags::SAMPLED, true, trace_state);
    assert_eq!(cx.span().span_context(), &expected);
}

#[test]
fn a_hash_map_carries_it_as_well() {
    let received = HashMap::from([
        ("traceparent".to_owned(), format!(" {RANDOM}\t")),
        ("tracestate".to_owned(), "foo@@bar=1 , a=2".to_owned()),
    ]);
    let mut sent = HashMap::new();
    TraceContextPropagator::new().inject_context(&extract(&received), &mut sent);
    assert_eq!(sent["traceparent"], RANDOM);
    assert_eq!(sent["tracestate"], "foo@@bar=1,a=2");
    assert_eq!(sent.len(), 2);
}

#[test]
fn nothing_is_sent_without_a_valid_span_context() {
    for (trace_id, span_id) in [(0, 0), (0, 1), (1, 0)] {
        let state = TraceState::from_key_value([("foo", "1")]).unwrap();
        let (trace_id, span_id) = (TraceId::from(trace_id), SpanId::from(span_id));
        let invalid = SpanContext::new(trace_id, span_id, TraceFlags::SAMPLED, false, state);
        assert!(inject(&Context::new().with_remote_span_context(invalid)).is_empty());
    }
    assert!(inject(&Context::new()).is_empty());
}

#[test]
fn an_empty_tracestate_is_not_sent() {
    for lines in [&[][..], &[""], &[" , "], &["BAD"]] {
        let sent = inject(&received_into(&Context::new(), VALID, lines));
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["traceparent"], "{lines:?}");
    }
}

#[test]
fn flags_without_a_meaning_are_not_sent() {
    for (flags, sent) in [(0x00, "00"), (0x01, "01"), (0x02, "02"), (0xff, "03"), (0xfc, "00")] {
        let sent_headers = inject(&context_of(flags, TraceState::NONE));
        assert_eq!(header(&sent_headers, "traceparent").unwrap().get(53..), Some(sent), "{flags:02x}");
    }
}

/// Rule, lines of `traceparent`; `tracestate` is fine beside each.
fn unusable() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let valid = VALID.as_bytes().to_vec();
    let with = |place: usize, byte: u8| [&valid[..place], &[byte][..], &valid[place + 1..]].concat();
    let mut rows = vec![
        ("absent", vec![]),
        ("empty", vec![vec![]]),
        ("only spaces", vec![b" \t ".to_vec()]),
        ("a megabyte of digits", vec![vec![b'0'; 1 << 20]]),
        ("a megabyte of spaces", vec![vec![b' '; 1 << 20]]),
        ("a megabyte behind it", vec![[valid.clone(), vec![b'-'; 1 << 20]].concat()]),
        ("doubled", vec![valid.clone(), valid.clone()]),
        ("doubled, one empty", vec![valid.clone(), vec![]]),
        ("joined by a comma", vec![[valid.clone(), b",".to_vec(), valid.clone()].concat()]),
        ("not ASCII", vec![with(10, 0xe9)]),
        ("not UTF-8", vec![with(10, 0xff)]),
    ];
    for &byte in b"-,;=%@+ \t" {
        let places = (0..valid.len()).filter(|&place| valid[place] != byte);
        rows.extend(places.map(|place| ("a structural byte", vec![with(place, byte)])));
    }
    rows
}

#[test]
fn an_unusable_traceparent_leaves_the_context_alone() {
    for (rule, lines) in unusable() {
        let traceparent = lines.iter().map(|line| ("traceparent", line.as_slice()));
        let received = headers(traceparent.chain([("tracestate", &b"foo@@bar=1"[..])]));
        let cx = extract_into(&occupied(), &HeaderExtractor(&received));
        assert_untouched(&cx, rule);
        assert_eq!(inject(&cx), inject(&occupied()), "{rule}");
    }
}

#[test]
fn control_characters_leave_the_context_alone() {
    for byte in ["\0", "\r", "\n", "\x1b", "\x7f", "\u{85}"] {
        for place in 0..VALID.len() {
            let mut value = VALID.to_owned();
            value.replace_range(place..=place, byte);
            let received = HashMap::from([("traceparent".to_owned(), value)]);
            assert_untouched(&extract_into(&occupied(), &received), "control character");
        }
    }
}

#[test]
fn a_usable_one_keeps_the_baggage_and_the_values_of_the_context() {
    use opentelemetry::baggage::BaggageExt;
    let cx = received_into(&occupied(), RANDOM, &["foo@@bar=1"]);
    assert_eq!(cx.span().span_context().trace_id(), TRACE_ID);
    assert_eq!(cx.baggage().to_string(), "tenant=acme-retail");
    assert_eq!(cx.get(), Some(&common::Tenant("acme")));
}

#[test]
fn an_unreadable_tracestate_is_dropped_and_traceparent_stays() {
    let received = headers([("traceparent", VALID.as_bytes()), ("tracestate", b"foo=\xff")]);
    let sent = inject(&extract(&HeaderExtractor(&received)));
    assert_eq!(header(&sent, "traceparent"), Some(VALID));
    assert_eq!(header(&sent, "tracestate"), None);
}

#[test]
fn the_random_flag_and_every_key_pass_through_any_sampler() {
    let samplers =
        [Sampler::AlwaysOn, Sampler::AlwaysOff, Sampler::ParentBased(Box::new(Sampler::AlwaysOff))];
    for sampler in samplers {
        for flags in ["00", "01", "02", "03"] {
            let traceparent = RANDOM.replace("-03", &format!("-{flags}"));
            let cx = served(sampler.clone(), &traceparent, &["foo@@bar=1,a=2", "tenant@averylongvendor=3"]);
            let sampled = cx.span().span_context().is_sampled();
            let sent = inject(&cx);
            let traceparent = header(&sent, "traceparent").unwrap();
            let random = flags == "02" || flags == "03";
            let expected = format!("{:02x}", u8::from(sampled) | u8::from(random) << 1);
            assert_eq!(traceparent.get(53..), Some(&*expected), "{sampler:?} {flags}");
            assert_eq!(traceparent.get(..36), VALID.get(..36), "{sampler:?} {flags}");
            assert_ne!(traceparent.get(36..52), VALID.get(36..52), "a span of its own");
            assert_eq!(header(&sent, "tracestate"), Some("foo@@bar=1,a=2,tenant@averylongvendor=3"));
        }
    }
}

#[test]
fn they_pass_through_a_span_of_a_span_that_was_dropped() {
    let cx = served(Sampler::AlwaysOff, RANDOM, &["foo@@bar=1"]);
    let provider = SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOff).build();
    let cx = cx.with_span(provider.tracer("test").start_with_context("inner", &cx));
    let sent = inject(&cx);
    assert_eq!(header(&sent, "traceparent").unwrap().get(53..), Some("02"));
    assert_eq!(header(&sent, "tracestate"), Some("foo@@bar=1"));
}

#[test]
fn a_new_trace_in_the_same_context_gets_nothing_of_the_received_one() {
    let cx = served(Sampler::AlwaysOff, RANDOM, &["foo@@bar=1"]);
    let provider = SdkTracerProvider::builder().build();
    let root = provider.tracer("test").start_with_context("root", &Context::new());
    assert_ne!(root.span_context().trace_id(), TRACE_ID);
    let sent = inject(&cx.with_span(root));
    assert_eq!(header(&sent, "traceparent").unwrap().get(53..), Some("01"));
    assert_eq!(header(&sent, "tracestate"), None);
}

#[test]
fn a_changed_trace_state_is_sent_as_it_is_now() {
    let cx = received_into(&Context::new(), VALID, &["foo@@bar=1,a=2"]);
    let now = cx.span().span_context().trace_state().insert("b", "3").unwrap();
    let span = SpanContext::new(TRACE_ID, SPAN_ID, TraceFlags::SAMPLED, false, now);
    let sent = inject(&cx.with_remote_span_context(span));
    assert_eq!(header(&sent, "tracestate"), Some("b=3,a=2"));
}

#[test]
fn a_trace_state_changed_to_as_many_members_is_sent_as_it_is_now() {
    let cx = received_into(&Context::new(), VALID, &["foo@@bar=1,a=2"]);
    for now in [[("a", "3")], [("b", "2")]] {
        let now = TraceState::from_key_value(now).unwrap();
        let span = SpanContext::new(TRACE_ID, SPAN_ID, TraceFlags::SAMPLED, false, now.clone());
        let sent = inject(&cx.with_remote_span_context(span));
        assert_eq!(header(&sent, "tracestate"), Some(now.header().as_str()));
    }
}

/// What a second request into the same context must not inherit from the first.
#[test]
fn a_later_request_of_the_same_trace_replaces_what_was_kept_of_an_earlier_one() {
    let first = received_into(&Context::new(), RANDOM, &["foo@@bar=1"]);
    for (traceparent, tracestate, sent) in [
        (VALID, &[][..], (VALID, None)),
        (VALID, &["a=1"], (VALID, Some("a=1"))),
        (VALID, &["BAD"], (VALID, None)),
        (VALID, &["a@@b=2"], (VALID, Some("a@@b=2"))),
        (RANDOM, &[], (RANDOM, None)),
    ] {
        let headers = inject(&received_into(&first, traceparent, tracestate));
        assert_eq!((header(&headers, "traceparent").unwrap(), header(&headers, "tracestate")), sent);
    }
}

#[test]
fn a_request_of_another_trace_gets_nothing_of_the_first() {
    let first = received_into(&Context::new(), RANDOM, &["foo@@bar=1"]);
    let other = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let sent = inject(&received_into(&first, other, &[]));
    assert_eq!(header(&sent, "traceparent"), Some(other));
    assert_eq!(header(&sent, "tracestate"), None);
}

#[test]
fn an_unusable_request_keeps_what_was_kept_of_an_earlier_one() {
    let first = received_into(&Context::new(), RANDOM, &["foo@@bar=1"]);
    let sent = inject(&received_into(&first, "nonsense", &["a=1"]));
    assert_eq!(header(&sent, "traceparent"), Some(RANDOM));
    assert_eq!(header(&sent, "tracestate"), Some("foo@@bar=1"));
}

#[test]
fn text_that_no_http_header_can_hold_does_not_come_out_either() {
    for value in ["a=1\r\nset-cookie: b=c", "a=1\n", "a=\0", "a=1,b=\u{2028}"] {
        let sent = inject(&extract(&with_tracestate(&[value])));
        assert_eq!(sent.keys().collect::<Vec<_>>(), ["traceparent"], "{value:?}");
    }
}
