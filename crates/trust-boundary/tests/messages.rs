//! Messages, with a boundary around the propagator that reads and writes them.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Headers, TRACEPARENT};
use opentelemetry::{Context, KeyValue, trace::TraceContextExt};
use otel_carriers::{
    ContextMap, json,
    message::{self, MessageExtractor},
};
use otel_tracecontext::TraceContextPropagator;
use otel_trust_boundary::{Boundary, Guarded, Inbound, Strategy};
use serde_json::json;

const STRATEGIES: [Strategy; 4] =
    [Strategy::Continue, Strategy::RestartWithLink, Strategy::RestartWithoutLink, Strategy::Ignore];
const OTHER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn guarded(rule: Inbound) -> Guarded<TraceContextPropagator> {
    Boundary::allow_all().otherwise(rule).wrap(TraceContextPropagator::new())
}

fn own() -> Context {
    ContextMap::from_iter([("traceparent", OTHER)]).extract(&TraceContextPropagator::new())
}

fn injected(strategy: Strategy, before: &str) -> String {
    let mut headers = Headers::from([("traceparent".to_owned(), before.to_owned())]);
    message::inject(
        &guarded(Inbound::new("anyone", strategy)),
        &own(),
        &mut headers,
        |headers| MessageExtractor::new(headers),
        |headers, name, value| match value {
            Some(value) => drop(headers.insert(name.to_owned(), value)),
            None => drop(headers.remove(name)),
        },
    );
    headers.remove("traceparent").unwrap()
}

/// Who may continue the trace of a message is another question than whether it has one.
#[test]
fn a_creation_context_stays_whatever_the_boundary_does_with_callers() {
    for strategy in STRATEGIES {
        assert_eq!(injected(strategy, TRACEPARENT), TRACEPARENT, "{strategy:?}");
        assert_eq!(injected(strategy, "00-0-0-0"), OTHER, "{strategy:?}: none that is valid");
        let propagator = guarded(Inbound::new("anyone", strategy));
        let mut event = json!({"id": "7", "traceparent": TRACEPARENT});
        json::inject_event(&propagator, &own(), event.as_object_mut().unwrap());
        assert_eq!(event["traceparent"], TRACEPARENT, "{strategy:?}");
        event["traceparent"] = json!("");
        json::inject_event(&propagator, &own(), event.as_object_mut().unwrap());
        assert_eq!(event["traceparent"], OTHER, "{strategy:?}");
    }
}

#[test]
fn a_batch_is_linked_as_the_boundary_says() {
    let batch =
        [TRACEPARENT, OTHER, TRACEPARENT, "00-0-0-0"].map(|it| ContextMap::from_iter([("traceparent", it)]));
    for (strategy, expected) in STRATEGIES.into_iter().zip([2, 2, 0, 0]) {
        let rule = Inbound::new("anyone", strategy).link_attributes([KeyValue::new("link.reason", "edge")]);
        let links = message::links(&guarded(rule), &batch, 128);
        assert_eq!(links.len(), expected, "{strategy:?}");
        assert_eq!(links.len(), message::links(&guarded(Inbound::new("anyone", strategy)), &batch, 2).len());
        let attributes = usize::from(strategy == Strategy::RestartWithLink);
        assert!(links.iter().all(|link| link.attributes.len() == attributes), "{strategy:?}");
        let caller = own().span().span_context().clone();
        assert!(links.get(1).is_none_or(|link| link.span_context == caller), "{strategy:?}: {links:?}");
    }
}
