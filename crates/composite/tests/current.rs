//! Nothing runs under a borrow of the current context: a carrier, a subscriber or an exporter may attach one.

#![allow(missing_docs, reason = "a test program")]

mod common;

use common::House;
use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector, TextMapPropagator},
    trace::TraceContextExt,
};
use otel_composite::{Builder, extract_only, inject_only, install};

/// Attaches a context whenever it is asked.
struct Attaches(Vec<String>);

impl Extractor for Attaches {
    fn get(&self, _: &str) -> Option<&str> {
        let _guard = Context::new().attach();
        Some("0af7651916cd43dd8448eb211c80319c-00000000000000c3")
    }

    fn keys(&self) -> Vec<&str> {
        Vec::new()
    }
}

impl Injector for Attaches {
    fn set(&mut self, key: &str, _: String) {
        let _guard = Context::new().attach();
        self.0.push(key.to_owned());
    }
}

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
    let current = handle.extract(&Attaches(Vec::new()));
    let _guard = current.attach();
    for (rule, propagator, extracts, injects) in rows {
        let mut carrier = Attaches(Vec::new());
        propagator.inject(&mut carrier);
        assert_eq!(carrier.0.len(), usize::from(injects), "{rule}: the current context is sent");
        let cx = propagator.extract(&carrier);
        assert!(cx.has_active_span(), "{rule}: the current context is given back");
        let _none = Context::new().attach();
        assert_eq!(propagator.extract(&carrier).has_active_span(), extracts, "{rule}");
    }
    global::get_text_map_propagator(|global| {
        let mut carrier = Attaches(Vec::new());
        global.inject(&mut carrier);
        assert_eq!(carrier.0, ["x-house"], "through the global propagator");
    });
}
