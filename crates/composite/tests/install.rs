//! The global propagator and handles to it.

#![allow(missing_docs, reason = "a test program")]

mod common;

use common::{Headers, House, headers};
use opentelemetry::{
    Context, global,
    propagation::{TextMapPropagator, text_map_propagator::FieldIter},
    trace::TraceContextExt,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use otel_composite::{CompositePropagator, Handle, install};

const W3C: (&str, &str) = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

fn global_fields() -> Vec<String> {
    global::get_text_map_propagator(|propagator| propagator.fields().map(str::to_owned).collect())
}

fn fields(handle: &Handle) -> Vec<&str> {
    let fields: FieldIter<'_> = handle.fields();
    fields.collect()
}

/// One test, because there is one global.
#[test]
fn installing_again_replaces_the_global_and_leaves_handles_alone() {
    let w3c = CompositePropagator::builder().trace(TraceContextPropagator::new()).build();
    let first = install(w3c.clone());
    assert_eq!(global_fields(), ["traceparent", "tracestate"]);
    assert_eq!(format!("{first:?}"), w3c.to_string());

    let second = install(House);
    assert_eq!(global_fields(), ["x-house"]);
    assert_eq!(fields(&first), ["traceparent", "tracestate"]);
    assert_eq!(fields(&second), ["x-house"]);

    // While somebody holds the global, and so its lock, a handle goes on.
    let carrier = headers(&[W3C]);
    let (on_thread, cloned) = (first.clone(), first.clone());
    global::get_text_map_propagator(|_| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let cx = on_thread.extract_with_context(&Context::new(), &carrier);
                assert!(cx.span().span_context().is_valid());
                let mut sent = Headers::new();
                cloned.inject_context(&cx, &mut sent);
                assert_eq!(sent["traceparent"], W3C.1);
            });
        });
    });

    // A handle is a propagator: it can be installed itself.
    let third = install(first.clone());
    assert_eq!(global_fields(), fields(&third));
}
