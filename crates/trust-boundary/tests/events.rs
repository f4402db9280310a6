//! What is told of decisions, and how loud.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

mod common;

use common::{Formats, Headers, headers, local, request, sent};
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_propagator_core::diagnostics::set_throttled;
use otel_trust_boundary::{
    Boundary, Destination, DestinationExt, Guarded, Inbound, Keys, Outbound, Strategy, Trace,
};
use testing::lines;

fn guarded() -> Guarded<Formats> {
    set_throttled(false);
    Boundary::deny_external()
        .inbound(Inbound::new("restart", Strategy::RestartWithLink).when_header("x-rule", "restart"))
        .inbound(Inbound::new("ignore", Strategy::Ignore).when_header("x-rule", "ignore"))
        .inbound(
            Inbound::new("keys", Strategy::Continue)
                .accept_baggage(Keys::of(&["tenant"]))
                .when_header("x-rule", "keys"),
        )
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .outbound(
            Outbound::external("ids").hosts(["ids.example"]).unwrap().trace(Trace::Ids).baggage(Keys::ALL),
        )
        .outbound(
            Outbound::external("keys")
                .hosts(["keys.example"])
                .unwrap()
                .trace(Trace::All)
                .baggage(Keys::of(&["tenant"])),
        )
        .wrap(Formats)
}

fn received(rule: &str, mut request: Headers) -> Vec<String> {
    request.insert("x-rule".to_owned(), rule.to_owned());
    let guarded = guarded();
    lines(|| drop(guarded.extract_with_context(&Context::new(), &request)))
}

#[test]
fn inbound() {
    let event = |rule, action, keys| {
        vec![format!(
            "DEBUG propagator.boundary direction=in rule={rule} action={action} keys_dropped={keys} suppressed=0"
        )]
    };
    assert_eq!(received("restart", request()), event("restart", "restarted_with_link", 0));
    assert_eq!(received("ignore", request()), event("ignore", "ignored", 2));
    assert_eq!(received("keys", request()), event("keys", "keys_dropped", 1));
    assert_eq!(received("other", request()), [""; 0], "what is continued as it is");
    for rule in ["restart", "ignore", "keys", "other"] {
        assert_eq!(received(rule, Headers::new()), [""; 0], "{rule}: where nothing came");
    }
}

#[test]
fn outbound() {
    let guarded = guarded();
    let to = |cx: &Context| {
        let cx = cx.clone();
        lines(|| drop(sent(&guarded, &cx)))
    };
    let host = |host: &str| local().with_destination(Destination::host(host));
    let event = |rule, action, keys| {
        format!(
            "DEBUG propagator.boundary direction=out rule={rule} action={action} keys_dropped={keys} suppressed=0"
        )
    };
    let problem = |problem| format!("WARN propagator.destination problem={problem} suppressed=0");
    assert_eq!(to(&host("orders.internal")), [""; 0]);
    assert_eq!(to(&host("api.stripe.com")), [event("unknown", "suppressed", 2)], "on purpose");
    assert_eq!(to(&host("ids.example")), [event("ids", "ids_injected", 0)]);
    assert_eq!(to(&host("keys.example")), [event("keys", "keys_dropped", 1)]);
    let suppressed = event("unknown", "suppressed", 2);
    let nobody = problem("nothing says where the request goes");
    assert_eq!(to(&local()), [nobody, suppressed.clone()], "not on purpose");
    let no_host = problem("a character that is in no host name");
    assert_eq!(to(&host("evil example/secret")), [no_host, suppressed.clone()]);
    let mistyped = local().with_destination(Destination::named("mistyped"));
    assert_eq!(to(&mistyped), [problem("no outbound rule has the name"), suppressed.clone()]);
    assert_eq!(to(&local().with_destination(Destination::unknown())), [suppressed], "said on purpose");
    assert_eq!(to(&Context::new()), [""; 0], "where there is nothing to send");
}

#[test]
fn a_forged_mark_is_told_of_without_its_value() {
    let forged =
        headers([("traceparent", common::TRACEPARENT), ("tracestate", "congo=1,otel-destination=evil")]);
    let expected = "WARN propagator.left_out header=tracestate direction=in rule=destination mark of a peer \
                    left_out=1 kept=1 bytes=0 suppressed=0";
    assert_eq!(received("other", forged), [expected]);
}

/// The trait's own `inject` would emit while the current context is borrowed: whoever attaches one then panics.
#[test]
fn events_may_attach_contexts() {
    use tracing_subscriber::{Layer, layer::SubscriberExt as _};
    struct Attaches;
    impl<S: tracing::Subscriber> Layer<S> for Attaches {
        fn on_event(&self, _: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            drop(Context::new().attach());
        }
    }
    let guarded = guarded();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(Attaches), || {
        let _attached = local().attach();
        guarded.inject(&mut Headers::new());
        let mut request = request();
        request.insert("x-rule".to_owned(), "restart".to_owned());
        drop(guarded.extract(&request));
    });
}
