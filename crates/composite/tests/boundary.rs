//! A composite within a trust boundary.

#![cfg(all(feature = "boundary", feature = "tracecontext", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]

use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_composite::{
    B3Propagator, CompositePropagator, TraceContextPropagator,
    boundary::{Boundary, Destination, DestinationExt, Outbound},
    extract_only,
};
use std::collections::HashMap;

/// A proxy copies the headers of its caller, those of a format that is only read too.
#[test]
fn what_is_only_read_does_not_leave_with_a_copied_request() {
    let boundary =
        Boundary::deny_external().outbound(Outbound::internal("mesh").hosts(["*.internal"]).expect("a host"));
    let propagator = CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(extract_only(B3Propagator::single_and_multi()))
        .boundary(boundary)
        .build();
    let names = ["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"];
    let request = || -> HashMap<String, String> {
        names.iter().map(|name| ((*name).to_owned(), "1".to_owned())).collect()
    };
    for (host, expected) in [("api.stripe.com", ""), ("orders.internal", "1")] {
        let mut copied = request();
        let cx = Context::new().with_destination(Destination::host(host));
        propagator.inject_context(&cx, &mut copied);
        for name in names {
            assert_eq!(copied.get(name).map(String::as_str), Some(expected), "{host}: {name}");
        }
    }
}
