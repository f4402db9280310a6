//! The cases of W3C's own validation suite, from the headers that a service receives to those it sends.
//!
//! <https://github.com/w3c/trace-context/blob/main/test/test.py>. The names are the suite's; the suite runs
//! them over HTTP against a service, here the service is an SDK's span between extraction and injection.

#![allow(clippy::unwrap_used, clippy::panic, reason = "test code outside of a test function")]

mod common;

use common::{extract, header, headers, inject};
use opentelemetry::trace::{TraceContextExt, TraceId, Tracer, TracerProvider};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_tracecontext::TraceParent;
use std::collections::HashSet;

/// What the service has to send.
enum Sent {
    /// A new trace.
    Restarted,
    /// The received trace.
    Continued,
    /// The received trace with this `tracestate`.
    With(&'static str),
    /// The received trace with the `tracestate` that was received, on one line.
    Unchanged,
}
use Sent::{Continued, Restarted, Unchanged, With};

type Lines = Vec<(&'static str, String)>;

const ID: &str = "12345678901234567890123456789012";

/// The `traceparent` that the suite starts from.
const VALID: &str = "00-12345678901234567890123456789012-1234567890123456-01";

/// It, changed in one place.
fn changed(from: &str, to: &str) -> Lines {
    assert!(VALID.contains(from), "{from}");
    vec![("traceparent", VALID.replacen(from, to, 1))]
}

fn valid() -> Lines {
    named("traceparent")
}

fn tracestate(lines: &[&str]) -> Lines {
    [valid(), lines.iter().map(|line| ("tracestate", (*line).to_owned())).collect()].concat()
}

fn named(name: &'static str) -> Lines {
    vec![(name, VALID.to_owned())]
}

fn state_named(name: &'static str) -> Lines {
    [valid(), vec![(name, "foo=1".to_owned())]].concat()
}

fn traceparent_cases() -> Vec<(&'static str, Lines, Sent)> {
    vec![
        ("both_traceparent_and_tracestate_missing", vec![], Restarted),
        ("traceparent_included_tracestate_missing", valid(), Continued),
        ("traceparent_duplicated", [changed("9012-", "9011-"), valid()].concat(), Restarted),
        ("traceparent_header_name", named("trace-parent"), Restarted),
        ("traceparent_header_name", named("trace.parent"), Restarted),
        ("traceparent_header_name_valid_casing", named("TraceParent"), Continued),
        ("traceparent_header_name_valid_casing", named("TrAcEpArEnT"), Continued),
        ("traceparent_header_name_valid_casing", named("TRACEPARENT"), Continued),
        ("traceparent_version_0x00", changed("-01", "-01."), Restarted),
        ("traceparent_version_0x00", changed("-01", "-01-what-the-future-will-be-like"), Restarted),
        ("traceparent_version_0xcc", changed("00-", "cc-"), Continued),
        ("traceparent_version_0xcc", later("-what-the-future-will-be-like"), Continued),
        ("traceparent_version_0xcc", later(".what-the-future-will-be-like"), Restarted),
        ("traceparent_version_0xff", changed("00-", "ff-"), Restarted),
        ("traceparent_version_illegal_characters", changed("00-", ".0-"), Restarted),
        ("traceparent_version_illegal_characters", changed("00-", "0.-"), Restarted),
        ("traceparent_version_too_long", changed("00-", "000-"), Restarted),
        ("traceparent_version_too_long", changed("00-", "0000-"), Restarted),
        ("traceparent_version_too_short", changed("00-", "0-"), Restarted),
        ("traceparent_trace_id_all_zero", changed(ID, "00000000000000000000000000000000"), Restarted),
        ("traceparent_trace_id_illegal_characters", changed("-1", "-."), Restarted),
        ("traceparent_trace_id_illegal_characters", changed("2-", ".-"), Restarted),
        ("traceparent_trace_id_too_long", changed("2-", "23-"), Restarted),
        ("traceparent_trace_id_too_short", changed("2-", "-"), Restarted),
        ("traceparent_parent_id_all_zero", changed("-1234567890123456-", "-0000000000000000-"), Restarted),
        (
            "traceparent_parent_id_illegal_characters",
            changed("-1234567890123456-", "-.234567890123456-"),
            Restarted,
        ),
        ("traceparent_parent_id_illegal_characters", changed("6-01", ".-01"), Restarted),
        ("traceparent_parent_id_too_long", changed("6-01", "67-01"), Restarted),
        ("traceparent_parent_id_too_short", changed("6-01", "-01"), Restarted),
        ("traceparent_trace_flags_illegal_characters", changed("-01", "-.0"), Restarted),
        ("traceparent_trace_flags_illegal_characters", changed("-01", "-0."), Restarted),
        ("traceparent_trace_flags_too_long", changed("-01", "-001"), Restarted),
        ("traceparent_trace_flags_too_short", changed("-01", "-1"), Restarted),
        ("traceparent_ows_handling", changed("00-", " 00-"), Continued),
        ("traceparent_ows_handling", changed("00-", "\t00-"), Continued),
        ("traceparent_ows_handling", changed("-01", "-01 "), Continued),
        ("traceparent_ows_handling", changed("-01", "-01\t"), Continued),
        ("traceparent_ows_handling", vec![("traceparent", format!("\t {VALID} \t"))], Continued),
    ]
}

fn later(more: &str) -> Lines {
    vec![("traceparent", VALID.replacen("00", "cc", 1) + more)]
}

fn tracestate_cases() -> Vec<(&'static str, Lines, Sent)> {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (' '..='~').filter(|c| !",=".contains(*c)).collect();
    let all_characters = format!("{key}={value}");
    let all_with_vendor = format!("{key}@a-z0-9_-*/={value}");
    let bars =
        |range: std::ops::RangeInclusive<u8>| range.map(|i| format!("bar{i:02}={i:02}")).collect::<Vec<_>>();
    let bars = |range| bars(range).join(",");
    let key_of = |key: String| tracestate(&["foo=1", &(key + "=1")]);
    vec![
        (
            "tracestate_included_traceparent_missing",
            vec![("tracestate", "foo=1,bar=2".to_owned())],
            Restarted,
        ),
        ("tracestate_included_traceparent_included", tracestate(&["foo=1,bar=2"]), Unchanged),
        ("tracestate_header_name", state_named("trace-state"), Continued),
        ("tracestate_header_name", state_named("trace.state"), Continued),
        ("tracestate_header_name_valid_casing", state_named("TraceState"), With("foo=1")),
        ("tracestate_header_name_valid_casing", state_named("TrAcEsTaTe"), With("foo=1")),
        ("tracestate_header_name_valid_casing", state_named("TRACESTATE"), With("foo=1")),
        ("tracestate_empty_header", tracestate(&[""]), Continued),
        ("tracestate_empty_header", tracestate(&["foo=1", ""]), With("foo=1")),
        ("tracestate_empty_header", tracestate(&["", "foo=1"]), With("foo=1")),
        (
            "tracestate_multiple_headers_different_keys",
            tracestate(&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"]),
            Unchanged,
        ),
        ("tracestate_duplicated_keys", tracestate(&["foo=1,foo=1"]), Unchanged),
        ("tracestate_duplicated_keys", tracestate(&["foo=1,foo=2"]), Unchanged),
        ("tracestate_duplicated_keys", tracestate(&["foo=1", "foo=1"]), Unchanged),
        ("tracestate_duplicated_keys", tracestate(&["foo=1", "foo=2"]), Unchanged),
        ("tracestate_all_allowed_characters", tracestate(&[&all_characters]), Unchanged),
        ("tracestate_all_allowed_characters", tracestate(&[&all_with_vendor]), Unchanged),
        (
            "tracestate_ows_handling",
            tracestate(&["foo=1 \t , \t bar=2, \t baz=3"]),
            With("foo=1,bar=2,baz=3"),
        ),
        (
            "tracestate_ows_handling",
            tracestate(&["foo=1\t \t,\t \tbar=2,\t \tbaz=3"]),
            With("foo=1,bar=2,baz=3"),
        ),
        ("tracestate_ows_handling", tracestate(&[" foo=1"]), With("foo=1")),
        ("tracestate_ows_handling", tracestate(&["\tfoo=1"]), With("foo=1")),
        ("tracestate_ows_handling", tracestate(&["foo=1 "]), With("foo=1")),
        ("tracestate_ows_handling", tracestate(&["foo=1\t"]), With("foo=1")),
        ("tracestate_ows_handling", tracestate(&["\t foo=1 \t"]), With("foo=1")),
        ("tracestate_key_illegal_characters", tracestate(&["foo =1"]), Continued),
        ("tracestate_key_illegal_characters", tracestate(&["FOO=1"]), Continued),
        ("tracestate_key_illegal_characters", tracestate(&["foo.bar=1"]), Continued),
        ("tracestate_key_illegal_vendor_format", tracestate(&["foo@=1,bar=2"]), Unchanged),
        ("tracestate_key_illegal_vendor_format", tracestate(&["@foo=1,bar=2"]), Continued),
        ("tracestate_key_illegal_vendor_format", tracestate(&["foo@@bar=1,bar=2"]), Unchanged),
        ("tracestate_key_illegal_vendor_format", tracestate(&["foo@bar@baz=1,bar=2"]), Unchanged),
        (
            "tracestate_member_count_limit",
            tracestate(&[&bars(1..=10), &bars(11..=20), &bars(21..=30), &bars(31..=32)]),
            Unchanged,
        ),
        (
            "tracestate_member_count_limit",
            tracestate(&[&bars(1..=10), &bars(11..=20), &bars(21..=30), &bars(31..=33)]),
            Continued,
        ),
        ("tracestate_key_length_limit", key_of("z".repeat(256)), Unchanged),
        ("tracestate_key_length_limit", key_of("z".repeat(257)), Continued),
        ("tracestate_key_length_limit", key_of("t".repeat(241) + "@" + &"v".repeat(14)), Unchanged),
        ("tracestate_key_length_limit", key_of("t".repeat(242) + "@v"), Unchanged),
        ("tracestate_key_length_limit", key_of("t@".to_owned() + &"v".repeat(15)), Unchanged),
        ("tracestate_value_illegal_characters", tracestate(&["foo=bar=baz"]), Continued),
        ("tracestate_value_illegal_characters", tracestate(&["foo=,bar=3"]), Continued),
    ]
}

/// What a service sends with each of so many requests of its own.
fn serve(lines: &Lines, requests: usize) -> Vec<(TraceParent, Option<String>)> {
    let received = headers(lines.iter().map(|(name, value)| (*name, value.as_bytes())));
    let cx = extract(&HeaderExtractor(&received));
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let server = cx.with_span(tracer.start_with_context("server", &cx));
    let request = |_| {
        let client = server.with_span(tracer.start_with_context("client", &server));
        let sent = inject(&client);
        let traceparent = header(&sent, "traceparent").unwrap().parse().unwrap();
        (traceparent, header(&sent, "tracestate").map(str::to_owned))
    };
    (0..requests).map(request).collect()
}

fn received_tracestate(lines: &Lines) -> String {
    let tracestate = lines.iter().filter(|(name, _)| *name == "tracestate");
    tracestate.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(",")
}

#[test]
fn one_request() {
    for (case, lines, sent) in traceparent_cases().into_iter().chain(tracestate_cases()) {
        let (traceparent, tracestate) = serve(&lines, 1).remove(0);
        let continued = traceparent.trace_id() == TraceId::from_hex(ID).unwrap();
        assert_ne!(traceparent.span_id().to_string(), "1234567890123456", "{case}: {lines:?}");
        let expected = match sent {
            Restarted => (false, None),
            Continued => (true, None),
            With(value) => (true, Some(value.to_owned())),
            Unchanged => (true, Some(received_tracestate(&lines))),
        };
        assert_eq!((continued, tracestate), expected, "{case}: {lines:?}");
    }
}

#[test]
fn multiple_requests_with_valid_traceparent() {
    let (traces, spans) = traces_and_spans(&valid());
    assert_eq!((traces, spans), (HashSet::from([ID.to_owned()]), 3));
}

#[test]
fn multiple_requests_without_traceparent() {
    let (_, spans) = traces_and_spans(&vec![]);
    assert_eq!(spans, 3);
}

#[test]
fn multiple_requests_with_illegal_traceparent() {
    let (traces, spans) = traces_and_spans(&changed(ID, "00000000000000000000000000000000"));
    assert!(!traces.contains("00000000000000000000000000000000"));
    assert_eq!(spans, 3);
}

fn traces_and_spans(lines: &Lines) -> (HashSet<String>, usize) {
    let sent = serve(lines, 3);
    let traces = sent.iter().map(|(traceparent, _)| traceparent.trace_id().to_string()).collect();
    let spans: HashSet<_> = sent.iter().map(|(traceparent, _)| traceparent.span_id()).collect();
    (traces, spans.len())
}

#[test]
fn propagates_random_flag() {
    let (traceparent, _) = serve(&changed("-01", "-02"), 1).remove(0);
    assert_eq!(traceparent.trace_id().to_string(), ID);
    assert_eq!(traceparent.flags().to_u8() & 2, 2);
}
