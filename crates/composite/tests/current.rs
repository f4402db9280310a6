//! Nothing runs under a borrow of the current context: a carrier, a subscriber or an exporter may attach one.

#![allow(missing_docs, reason = "a test program")]

mod common;

use common::House;
use opentelemetry::{Context, global, propagation::TextMapPropagator, trace::TraceContextExt};
use otel_composite::{Builder, extract_only, inject_only, install};
use testing::carrier::Attaching;

const HEADER: &str = "0af7651916cd43dd8448eb211c80319c-00000000000000c3";

#[test]
fn a_carrier_may_attach_a_context() {
    let composite = Builder::default().trace(House).build();
    let handle = install(composite.clone());
    let rows: [(&str, &dyn TextMapPropagator, bool, bool); 4] = [
        ("composite", &composite, true, true),
        ("extract only", &extract_only(House), true, false),
        ("inject only", &inject_only(House), false, true),
        ("handle", &handle, true, true),
    ];
    let current = handle.extract(&Attaching::with(HEADER));
    let _guard = current.attach();
    for (rule, propagator, extracts, injects) in rows {
        let mut carrier = Attaching::with(HEADER);
        propagator.inject(&mut carrier);
        assert_eq!(carrier.set.len(), usize::from(injects), "{rule}: the current context is sent");
        let cx = propagator.extract(&carrier);
        assert!(cx.has_active_span(), "{rule}: the current context is given back");
        let _none = Context::new().attach();
        assert_eq!(propagator.extract(&carrier).has_active_span(), extracts, "{rule}");
    }
    global::get_text_map_propagator(|global| {
        let mut carrier = Attaching::with(HEADER);
        global.inject(&mut carrier);
        assert_eq!(carrier.set, ["x-house"], "through the global propagator");
    });
}
