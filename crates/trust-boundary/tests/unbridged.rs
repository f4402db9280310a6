//! A process without the sampler that marks spans: whoever reads a mark in it reads what a peer sent. One test, since a
//! sampler counts for the process.

#![cfg(feature = "sdk")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Formats, headers, sent};
use opentelemetry::{
    Context,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_trust_boundary::{Boundary, DestinationSampler, Outbound};

/// A server whose framework extracts with a propagator of its own, and whose spans inherit what came.
#[test]
fn without_the_sampler_no_mark_counts() {
    let guarded = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .fresh_carriers(true)
        .wrap(Formats);
    let forged = headers([
        ("traceparent", common::TRACEPARENT),
        ("tracestate", "otel-destination=orders.internal,congo=1"),
    ]);
    let sends = |provider: &SdkTracerProvider| {
        let cx = Formats.extract_with_context(&Context::new(), &forged);
        let span = provider.tracer("test").start_with_context("server", &cx);
        !sent(&guarded, &cx.with_span(span)).is_empty()
    };
    assert!(!sends(&SdkTracerProvider::builder().with_sampler(Sampler::AlwaysOn).build()));
    let bridged = DestinationSampler::new(Sampler::AlwaysOn);
    assert!(!sends(&SdkTracerProvider::builder().with_sampler(bridged).build()), "and with it there is none");
}
