//! The ways in which nothing is propagated, or something is lost, and nobody is told: first the silence, then the report.
//!
//! Each runs in a process of its own, since a process has one global propagator and one subscriber. One more is in
//! `testing/whole-process/tests/two_versions.rs`: two versions of `opentelemetry` in one program. `docs/nothing-is-sent.md`
//! leads from what is seen to each.

#![cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Headers, Pairs};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    global,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanKind, TraceContextExt, TraceFlags, TraceState},
};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, ShouldSample};
use otel_composite::{
    B3Propagator, BaggagePropagator, Builder, Finding, Limits, Problem, TraceContextPropagator, doctor,
    from_env, install, try_from_env,
};
use std::{env, process::Command};

const CHILD: &str = "OTEL_COMPOSITE_TEST_CHILD";

/// Runs the body in a process of its own, which has these variables.
fn alone(test: &str, variables: Pairs<'_>, body: fn()) {
    if env::var_os(CHILD).is_some() {
        return body();
    }
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", test]).env_remove("OTEL_PROPAGATORS").env(CHILD, "1");
    let output = child.envs(variables.iter().copied()).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{output:?}");
}

/// A sampled span and one baggage entry.
fn context() -> Context {
    let span = SpanContext::new(1.into(), 2.into(), TraceFlags::SAMPLED, true, TraceState::NONE);
    Context::new().with_remote_span_context(span).with_baggage([KeyValue::new("tenant", "acme")])
}

fn sent(propagator: &dyn TextMapPropagator, cx: &Context) -> Headers {
    let mut sent = Headers::new();
    propagator.inject_context(cx, &mut sent);
    sent
}

/// What instrumentation sends that knows the global propagator alone.
fn sent_globally() -> Headers {
    global::get_text_map_propagator(|propagator| sent(propagator, &context()))
}

/// What the doctor finds, beside that these programs have no subscriber.
fn found() -> Vec<Finding> {
    let mut found = doctor().findings().to_vec();
    found.retain(|finding| *finding != Finding::NoSubscriber);
    found
}

fn w3c() -> Builder {
    Builder::default().trace(TraceContextPropagator::new()).baggage(BaggagePropagator::new())
}

#[test]
fn no_propagator_is_installed() {
    alone("no_propagator_is_installed", &[], || {
        let forgotten = from_env();
        assert_eq!(sent(&forgotten, &context()).len(), 2, "it would send");
        assert_eq!(sent_globally(), Headers::new());

        assert_eq!(found(), [Finding::NoPropagator]);
        assert!(doctor().to_string().contains("call otel_composite::install"));
        let handle = install(forgotten);
        assert!(handle.is_global());
        assert_eq!((sent_globally().len(), found()), (2, vec![]));
    });
}

#[test]
fn a_name_is_misspelt() {
    alone("a_name_is_misspelt", &[("OTEL_PROPAGATORS", "tracecontxt,baggage")], || {
        let handle = install(from_env());
        assert_eq!(handle.fields().collect::<Vec<_>>(), ["baggage"]);
        assert_eq!(sent_globally().keys().collect::<Vec<_>>(), ["baggage"], "no trace");

        let unknown = Problem::Unknown { name: "tracecontxt".to_owned() };
        assert!(matches!(from_env().problems(), [problem] if *problem == unknown));
        assert_eq!(found(), [Finding::Problem(unknown)]);
        let refused = try_from_env().unwrap_err().to_string();
        assert!(
            refused.starts_with("unknown propagator \"tracecontxt\"; known names: tracecontext, baggage, b3")
        );
    });
}

#[test]
fn the_warning_comes_before_the_subscriber() {
    alone("the_warning_comes_before_the_subscriber", &[("OTEL_PROPAGATORS", "zipkin")], || {
        let propagator = from_env();
        assert!(doctor().findings().contains(&Finding::NoSubscriber));
        let heard = testing::lines(|| {
            install(propagator.clone());
            assert_eq!(sent_globally(), Headers::new());
        });
        assert!(!heard.concat().contains("zipkin"), "{heard:?}");

        let unknown = Problem::Unknown { name: "zipkin".to_owned() };
        assert!(propagator.problems().contains(&unknown), "it was kept");
        assert!(found().contains(&Finding::Problem(unknown)));
    });
}

#[test]
fn another_crate_replaces_the_global_one() {
    alone("another_crate_replaces_the_global_one", &[], || {
        let handle = install(w3c().build());
        assert_eq!(sent_globally().len(), 2);
        global::set_text_map_propagator(opentelemetry_sdk::propagation::TraceContextPropagator::new());
        assert!(!sent_globally().contains_key("baggage"), "it is not sent any more");

        assert!(!handle.is_global());
        assert_eq!(found(), [Finding::Replaced]);
    });
}

#[test]
fn two_formats_of_a_concern_are_on() {
    alone("two_formats_of_a_concern_are_on", &[], || {
        install(w3c().baggage(opentelemetry_sdk::propagation::BaggagePropagator::new()).build());
        assert_eq!(sent_globally().get("baggage").map(String::as_str), Some("tenant=acme"), "whose is it?");

        let names = vec!["baggage".to_owned(), "BaggagePropagator".to_owned()];
        let twice = Finding::WrittenTwice { header: "baggage".to_owned(), names: names.clone() };
        let several = Finding::SeveralFormats { concern: otel_composite::Concern::Baggage, names };
        assert_eq!(found(), [twice, several]);
    });
}

#[test]
fn limits_are_above_what_baggage_holds() {
    alone("limits_are_above_what_baggage_holds", &[], || {
        let handle = install(w3c().limits(Limits::new().max_members(100)).build());
        let entries = (0..100).map(|number| KeyValue::new(format!("k{number}"), "v"));
        let header = sent(&handle, &Context::new().with_baggage(entries)).remove("baggage").unwrap();
        assert_eq!(header.split(',').count(), 64, "upstream's type took no more");

        assert_eq!(found(), [Finding::LimitsAboveBaggage]);
    });
}

#[test]
fn nobody_takes_a_deferred_decision() {
    alone("nobody_takes_a_deferred_decision", &[], || {
        let handle = install(Builder::default().trace(B3Propagator::single()).build());
        let request = Headers::from([(
            "b3".to_owned(),
            "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331".to_owned(),
        )]);
        let cx = handle.extract_with_context(&Context::new(), &request);
        let sampler = Sampler::ParentBased(Box::new(Sampler::AlwaysOn));
        let trace_id = cx.span().span_context().trace_id();
        let result = sampler.should_sample(Some(&cx), trace_id, "server", &SpanKind::Server, &[], &[]);
        assert_eq!(result.decision, SamplingDecision::Drop, "the SDK takes an open decision for a no");

        assert_eq!(found(), [Finding::NoDecisionSampler { names: vec!["b3".to_owned()] }]);
        #[cfg(feature = "sampler")]
        {
            let sampler = otel_composite::DecisionSampler::new(Sampler::AlwaysOn);
            let result = sampler.should_sample(Some(&cx), trace_id, "server", &SpanKind::Server, &[], &[]);
            assert_eq!(result.decision, SamplingDecision::RecordAndSample);
            assert_eq!(found(), []);
        }
    });
}
