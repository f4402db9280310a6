//! The SDK behind the boundary: links, who decides about sampling, and the bridge.

#![cfg(feature = "sdk")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Formats, Headers, headers, request};
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{Span, SpanKind, TraceContextExt, TraceState, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{InMemorySpanExporter, Sampler, SdkTracerProvider, ShouldSample, SpanData};
use otel_b3::SamplingExt;
use otel_propagator_core::sampling::DecisionSampler;
use otel_trust_boundary::{
    Boundary, Destination, DestinationExt, DestinationSampler, Guarded, Inbound, Outbound, RestartExt,
    RestartLinks, Strategy, UnguessableSampler,
};
use std::str::FromStr;

struct Sdk {
    provider: SdkTracerProvider,
    exporter: InMemorySpanExporter,
}

impl Sdk {
    fn new(sampler: impl ShouldSample + 'static) -> Self {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_span_processor(RestartLinks::new())
            .with_simple_exporter(exporter.clone())
            .build();
        Self { provider, exporter }
    }

    /// Starts a span in the context, as instrumentation of a server does.
    fn serve(&self, cx: &Context) -> Context {
        cx.with_span(
            self.provider
                .tracer("test")
                .span_builder("server")
                .start_with_context(&self.provider.tracer("test"), cx),
        )
    }

    fn spans(&self) -> Vec<SpanData> {
        self.exporter.get_finished_spans().unwrap()
    }
}

fn edge(rule: Inbound) -> Guarded<Formats> {
    Boundary::deny_external().otherwise(rule).wrap(Formats)
}

#[test]
fn the_first_span_of_a_restarted_trace_is_linked_and_no_other() {
    let sdk = Sdk::new(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)));
    let reason = KeyValue::new("reason", "untrusted");
    let rule = Inbound::new("rule", Strategy::RestartWithLink).link_attributes([reason.clone()]);
    let cx = edge(rule).extract_with_context(&Context::new(), &request());
    let server = sdk.serve(&cx);
    sdk.serve(&server).span().end();
    server.span().end();
    sdk.serve(&cx).span().end();
    let spans = sdk.spans();
    let links: Vec<usize> = spans.iter().map(|span| span.links.len()).collect();
    assert_eq!(links, [0, 1, 0], "child, server, and a second root of the same request");
    let link = spans[1].links.iter().next().unwrap();
    assert_eq!(link.span_context.trace_id().to_string(), common::TRACE);
    assert_eq!(link.span_context.span_id().to_string(), common::SPAN);
    assert_eq!(link.attributes, [reason]);
    assert_ne!(spans[1].span_context.trace_id().to_string(), common::TRACE, "a new trace");
    assert_eq!(spans[1].span_context.trace_state(), &TraceState::NONE, "without the caller's tracestate");
    assert_eq!(spans[0].span_context.trace_id(), spans[1].span_context.trace_id());
}

#[test]
fn a_dropped_first_span_gives_its_child_no_link() {
    #[derive(Clone, Debug)]
    struct OnlyChildren;
    impl ShouldSample for OnlyChildren {
        fn should_sample(
            &self,
            parent: Option<&Context>,
            trace_id: opentelemetry::trace::TraceId,
            name: &str,
            kind: &SpanKind,
            attributes: &[KeyValue],
            links: &[opentelemetry::trace::Link],
        ) -> opentelemetry_sdk::trace::SamplingResult {
            let is_child = parent.is_some_and(|cx| cx.span().span_context().is_valid());
            let sampler = if is_child { Sampler::AlwaysOn } else { Sampler::AlwaysOff };
            sampler.should_sample(parent, trace_id, name, kind, attributes, links)
        }
    }
    let sdk = Sdk::new(OnlyChildren);
    let cx = edge(Inbound::new("rule", Strategy::RestartWithLink))
        .extract_with_context(&Context::new(), &request());
    sdk.serve(&sdk.serve(&cx)).span().end();
    assert_eq!(sdk.spans().iter().map(|span| span.links.len()).collect::<Vec<_>>(), [0]);
}

/// So many of 10,000 requests of one kind are sampled by a service that samples one in a hundred.
fn sampled(
    propagator: &impl TextMapPropagator,
    sampler: impl ShouldSample + 'static,
    forged: &dyn Fn(u64) -> Headers,
) -> usize {
    let sdk = Sdk::new(sampler);
    (0..10_000)
        .filter(|&at| {
            let cx = propagator.extract_with_context(&Context::new(), &forged(at));
            sdk.serve(&cx).span().span_context().is_sampled()
        })
        .count()
}

/// Ids that are spread as random ones are.
fn trace_id(at: u64) -> u128 {
    let mix = |at: u64| (at ^ at >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    u128::from(mix(at + 1)) << 64 | u128::from(mix(mix(at + 7)) ^ mix(at) >> 29)
}

#[test]
fn a_forged_flag_is_worth_nothing() {
    let traceparent =
        |at| headers([("traceparent", &format!("00-{:032x}-00000000000000ff-01", trace_id(at)))]);
    let debug = |at| headers([("b3", &format!("{:032x}-00000000000000ff-d", trace_id(at)))]);
    let many = |at| {
        let id = format!("{:032x}", trace_id(at));
        headers([("x-b3-traceid", &id), ("x-b3-spanid", "00000000000000ff"), ("x-b3-flags", "1")])
    };
    let bare = |_| headers([("b3", "d")]);
    let both = |at| {
        let id = trace_id(at);
        let (w3c, b3) =
            (format!("00-{id:032x}-00000000000000ff-01"), format!("{id:032x}-00000000000000ff-d"));
        headers([("traceparent", &w3c), ("b3", &b3)])
    };
    let chosen_id =
        |at| headers([("traceparent", &format!("00-{at:016x}0000000000000001-00000000000000ff-01"))]);
    let consistent = |at| {
        let traceparent = format!("00-{:032x}-00000000000000ff-03", trace_id(at));
        headers([("traceparent", &traceparent), ("tracestate", "ot=rv:ffffffffffffff;th:0")])
    };
    let rows: [(&str, &dyn Fn(u64) -> Headers); 7] = [
        ("sampled flag", &traceparent),
        ("B3 debug", &debug),
        ("B3 debug, in many headers", &many),
        ("a bare B3 debug", &bare),
        ("B3 debug beside a traceparent", &both),
        ("a trace id that the ratio samples", &chosen_id),
        ("random values in tracestate", &consistent),
    ];
    let ratio = || Sampler::TraceIdRatioBased(0.01);
    let untrusted = || edge(Inbound::new("rule", Strategy::Continue).trust_sampled(false));
    let rules = [
        ("untrusted", untrusted()),
        ("restarted", edge(Inbound::new("rule", Strategy::RestartWithLink))),
        ("ignored", edge(Inbound::new("rule", Strategy::Ignore))),
    ];
    for (attack, forged) in rows {
        let before = sampled(&Formats, DecisionSampler::new(ratio()), forged);
        assert_eq!(before, 10_000, "{attack}: without a boundary");
        for (rule, guarded) in &rules {
            let after = sampled(guarded, DecisionSampler::new(UnguessableSampler::new(ratio())), forged);
            println!("{attack}, {rule}: {before} of 10,000 before, {after} after");
            assert!((20..=200).contains(&after), "{attack}, {rule}: {after}");
        }
    }
    // What the sampler of the name is for.
    let led = sampled(&untrusted(), DecisionSampler::new(ratio()), &chosen_id);
    assert_eq!(led, 10_000, "a ratio of the caller's own trace id");
}

/// Nor can a caller keep a request from being recorded.
#[test]
fn a_forged_denial_is_worth_nothing() {
    let denied = |at| headers([("traceparent", &format!("00-{:032x}-00000000000000ff-00", trace_id(at)))]);
    let bare = |_| headers([("b3", "0")]);
    let rows: [(&str, &dyn Fn(u64) -> Headers); 2] = [("flag", &denied), ("a bare B3 deny", &bare)];
    for (attack, forged) in rows {
        assert_eq!(sampled(&Formats, DecisionSampler::new(Sampler::AlwaysOn), forged), 0, "{attack}");
        let untrusted = edge(Inbound::new("rule", Strategy::Continue).trust_sampled(false));
        assert_eq!(sampled(&untrusted, DecisionSampler::new(Sampler::AlwaysOn), forged), 10_000, "{attack}");
    }
}

#[test]
fn a_trace_is_decided_on_once_in_a_process() {
    let sampler = UnguessableSampler::new(Sampler::TraceIdRatioBased(0.5));
    let ask = |sampler: &UnguessableSampler, id: u128| {
        let id = opentelemetry::trace::TraceId::from(id);
        sampler.should_sample(None, id, "", &SpanKind::Internal, &[], &[]).decision
    };
    let another = UnguessableSampler::new(Sampler::TraceIdRatioBased(0.5));
    let ids = || (0..200).map(trace_id);
    assert!(ids().all(|id| ask(&sampler, id) == ask(&sampler.clone(), id)));
    assert!(ids().any(|id| ask(&sampler, id) != ask(&another, id)), "each process has a key of its own");
}

fn bridged(attributes: &[KeyValue], kind: SpanKind, parent: &Context, sampler: Sampler) -> Context {
    let provider = SdkTracerProvider::builder().with_sampler(DestinationSampler::new(sampler)).build();
    let tracer = provider.tracer("test");
    let span = tracer.span_builder("client").with_kind(kind).with_attributes(attributes.to_vec());
    parent.with_span(span.start_with_context(&tracer, parent))
}

fn mark(cx: &Context) -> Option<String> {
    cx.span().span_context().trace_state().get("otel-destination").map(str::to_owned)
}

fn parent(state: &str, is_remote: bool) -> Context {
    Context::new().with_remote_span_context(common::span(TraceState::from_str(state).unwrap(), is_remote))
}

#[test]
fn what_the_sampler_marks() {
    let host = |host: &'static str| vec![KeyValue::new("server.address", host)];
    let port = |port: opentelemetry::Value| {
        vec![KeyValue::new("server.address", "a.example"), KeyValue::new("server.port", port)]
    };
    let old = vec![KeyValue::new("net.peer.name", "old.example"), KeyValue::new("net.peer.port", 80)];
    let rows = [
        ("a host", host("A.example."), Some("a.example")),
        ("a host and a port", port(8080.into()), Some("a.example:8080")),
        ("a port as text", port("8080".into()), Some("a.example:8080")),
        ("port 0", port(0.into()), Some("?")),
        ("a port that is none", port(65536.into()), Some("?")),
        ("IPv6", host("fd00::1"), Some("fd00::1")),
        ("no host", host("https://evil.example/?x=.internal"), Some("?")),
        ("a list, as a tracestate has it", host("evil.example,other=1"), Some("?")),
        ("a socket", host("/run/orders.sock"), Some("?")),
        ("the older names", old, Some("old.example:80")),
        ("nothing", vec![], None),
    ];
    for (rule, attributes, expected) in rows {
        for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
            for kind in [SpanKind::Client, SpanKind::Producer] {
                let cx = bridged(&attributes, kind, &Context::new(), sampler.clone());
                assert_eq!(mark(&cx).as_deref(), expected, "{rule}");
            }
        }
        assert_eq!(mark(&bridged(&attributes, SpanKind::Server, &Context::new(), Sampler::AlwaysOn)), None);
    }
}

#[test]
fn what_is_inherited() {
    let to_a = &[KeyValue::new("server.address", "a.example")][..];
    let marked = "otel-destination=b.example,congo=1";
    let rows = [
        ("another client", to_a, SpanKind::Client, false, Some("a.example")),
        ("a client that says nothing", &[], SpanKind::Client, false, None),
        ("what is below a client", &[], SpanKind::Internal, false, Some("b.example")),
        ("a server", to_a, SpanKind::Server, false, None),
        ("a consumer", to_a, SpanKind::Consumer, false, None),
        ("nothing of a peer", &[], SpanKind::Internal, true, None),
        ("nothing of a peer, a client", &[], SpanKind::Client, true, None),
    ];
    for (rule, attributes, kind, is_remote, expected) in rows {
        let cx = bridged(attributes, kind, &parent(marked, is_remote), Sampler::AlwaysOn);
        assert_eq!(mark(&cx).as_deref(), expected, "{rule}");
        assert_eq!(cx.span().span_context().trace_state().get("congo"), Some("1"), "{rule}");
    }
}

fn members(len: usize) -> String {
    (0..len).map(|at| format!("k{at}=v")).collect::<Vec<_>>().join(",")
}

/// A destination of an outer context is not taken for that of a client span, whatever its trace state holds.
#[test]
fn a_full_trace_state_makes_room_for_the_mark() {
    let propagator = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .fresh_carriers(true)
        .wrap(Formats);
    for (len, left) in [(0, 0), (31, 31), (32, 31)] {
        for (host, is_sent) in [("orders.internal", true), ("api.stripe.com", false)] {
            for stated in ["orders.internal", "api.stripe.com"] {
                let outer = parent(&members(len), true).with_destination(Destination::host(stated));
                let to = &[KeyValue::new("server.address", host)][..];
                let lines =
                    common::sent(&propagator, &bridged(to, SpanKind::Client, &outer, Sampler::AlwaysOn));
                let seen = format!("{len} members, to {host} in a context for {stated}");
                assert_eq!(!lines.is_empty(), is_sent, "{seen}");
                let state = lines.iter().find_map(|line| line.strip_prefix("tracestate: "));
                assert_eq!(state.unwrap_or_default(), members(if is_sent { left } else { 0 }), "{seen}");
            }
        }
    }
    let state = format!("otel-destination=b.example,{}", members(31));
    let to_us = &[KeyValue::new("server.address", "orders.internal")][..];
    let cx = bridged(to_us, SpanKind::Client, &parent(&state, false), Sampler::AlwaysOn);
    assert_eq!(mark(&cx).as_deref(), Some("orders.internal"));
    let others = cx.span().span_context().trace_state().delete("otel-destination").unwrap();
    assert_eq!(others.header(), members(31), "an old mark makes room for the new one");
}

#[test]
fn a_mark_that_is_too_long_stands_for_no_host() {
    let host = format!("{0}.{0}.{0}.{1}.internal", "a".repeat(60), "a".repeat(61));
    let outer = Context::new().with_destination(Destination::host("orders.internal"));
    let propagator = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .fresh_carriers(true)
        .wrap(Formats);
    for (port, len, is_known) in [(1, 255, true), (80, 256, true), (443, 257, false), (8443, 258, false)] {
        let marked = format!("{host}:{port}");
        assert_eq!(marked.len(), len);
        let to = &[KeyValue::new("server.address", host.clone()), KeyValue::new("server.port", port)][..];
        let cx = bridged(to, SpanKind::Client, &outer, Sampler::AlwaysOn);
        assert_eq!(mark(&cx).unwrap(), if is_known { &marked } else { "?" }, "{len} bytes");
        assert_eq!(!common::sent(&propagator, &cx).is_empty(), is_known, "{len} bytes");
    }
}

#[test]
fn unsampled_spans_are_sent_to_us_and_to_nobody_else() {
    let propagator = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal:8080"]).unwrap())
        .fresh_carriers(true)
        .wrap(Formats);
    for sampler in [Sampler::AlwaysOn, Sampler::AlwaysOff] {
        for (host, port, sends) in
            [("orders.internal", 8080, true), ("orders.internal", 80, false), ("api.stripe.com", 8080, false)]
        {
            let attributes = [KeyValue::new("server.address", host), KeyValue::new("server.port", port)];
            let cx = bridged(&attributes, SpanKind::Client, &Context::new(), sampler.clone());
            let lines = common::sent(&propagator, &cx);
            assert_eq!(lines.iter().any(|line| line.starts_with("traceparent")), sends, "{host}:{port}");
            assert!(!lines.join("\n").contains("tracestate"), "{lines:?}");
        }
    }
}

#[test]
fn a_span_of_one_s_own_takes_the_link() {
    let cx = edge(Inbound::new("rule", Strategy::RestartWithLink))
        .extract_with_context(&Context::new(), &request());
    let sdk = Sdk::new(Sampler::AlwaysOn);
    let tracer = sdk.provider.tracer("test");
    let links = cx.take_restart_link().into_iter().collect();
    tracer.span_builder("server").with_links(links).start_with_context(&tracer, &cx).end();
    assert_eq!(sdk.spans()[0].links.len(), 1, "and the processor adds no second one");
    assert!(cx.sampling().is_none());
}
