//! Each silent failure first, and then the report of it. One test, because there is one global propagator.

#![cfg(all(feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Headers, House};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, global};
use otel_composite::{
    B3Propagator, BaggagePropagator, Builder, Concern, Finding, Limits, TraceContextPropagator, doctor,
    install,
};

fn found() -> Vec<Finding> {
    let mut found = doctor().findings().to_vec();
    assert_eq!(found.pop(), Some(Finding::NoSubscriber));
    found
}

fn sent_globally() -> Headers {
    let cx = Context::new().with_baggage([KeyValue::new("a", "1")]);
    global::get_text_map_propagator(|propagator| {
        let mut sent = Headers::new();
        propagator.inject_context(&cx, &mut sent);
        sent
    })
}

#[test]
fn what_is_silent_is_found() {
    assert_eq!(sent_globally(), Headers::new(), "nobody has installed anything, and nobody is told");
    assert_eq!(found(), [Finding::NoPropagator]);
    assert!(doctor().to_string().contains("call otel_composite::install"));

    global::set_text_map_propagator(House);
    assert_eq!(found(), [Finding::NotInstalledHere]);
    assert!(doctor().to_string().starts_with("propagator: House\nwrites: x-house\n- "));

    let w3c = || Builder::default().trace(TraceContextPropagator::new()).baggage(BaggagePropagator::new());
    let first = install(w3c().build());
    assert_eq!(found(), []);
    assert!(first.is_global());

    global::set_text_map_propagator(House);
    assert_eq!(sent_globally(), Headers::new(), "somebody has replaced it, and nobody is told");
    assert_eq!(found(), [Finding::Replaced]);
    assert!(!first.is_global());

    let second = install(first.clone());
    assert_eq!(found(), [], "a handle that is installed is looked into");
    assert!(second.is_global() && !first.is_global());
    global::set_text_map_propagator(opentelemetry::propagation::TextMapCompositePropagator::new(vec![
        Box::new(second.clone()),
    ]));
    assert!(second.is_global(), "inside another propagator it still is");

    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (trace, baggage) = (Concern::Trace, Concern::Baggage);
    let rows: [(&str, Builder, Vec<Finding>); 5] = [
        ("nothing", Builder::default(), vec![Finding::NothingIsRead, Finding::NothingIsSent]),
        (
            "two formats of a trace",
            w3c().trace(B3Propagator::single()),
            vec![
                Finding::SeveralFormats { concern: trace, names: names(&["tracecontext", "b3"]) },
                Finding::NoDecisionSampler { names: names(&["b3"]) },
            ],
        ),
        (
            "one header twice",
            w3c().baggage(opentelemetry_sdk::propagation::BaggagePropagator::new()),
            vec![
                Finding::WrittenTwice {
                    header: "baggage".to_owned(),
                    names: names(&["baggage", "BaggagePropagator"]),
                },
                Finding::SeveralFormats { concern: baggage, names: names(&["baggage", "BaggagePropagator"]) },
            ],
        ),
        ("members", w3c().limits(Limits::new().max_members(65)), vec![Finding::LimitsAboveBaggage]),
        ("bytes", w3c().limits(Limits::W3C.max_bytes(8193)), vec![Finding::LimitsAboveBaggage]),
    ];
    for (rule, builder, expected) in rows {
        install(builder.build());
        assert_eq!(found(), expected, "{rule}");
        let report = doctor().to_string();
        assert!(
            expected.iter().all(|finding| report.contains(&format!("- {finding}\n"))),
            "{rule}: {report}"
        );
    }
    install(w3c().limits(Limits::W3C).build());
    assert_eq!(found(), []);

    #[cfg(all(feature = "jaeger", feature = "xray", feature = "ottrace"))]
    {
        install(otel_composite::from_list("tracecontext,b3,jaeger,xray,ottrace").unwrap());
        let open = Finding::NoDecisionSampler { names: names(&["b3", "jaeger", "xray", "ottrace"]) };
        assert_eq!(found().last(), Some(&open));
    }

    #[cfg(feature = "boundary")]
    {
        let boundary = || otel_composite::boundary::Boundary::deny_external();
        let builder = || w3c().trace(B3Propagator::single());
        install(builder().boundary(boundary()).build());
        let report = doctor().to_string();
        assert!(
            report.contains("; within a trust boundary\nreads: traceparent, tracestate, baggage, b3"),
            "{report}"
        );
        assert!(
            report.contains(&format!("trust boundary:\n{}\n- several trace formats", boundary())),
            "{report}"
        );
        install(boundary().wrap(builder().build()));
        assert_eq!(doctor().to_string(), report, "a boundary around a composite is looked into");
        install(boundary().wrap(House));
        assert_eq!(doctor().to_string().lines().next(), Some("propagator: House; within a trust boundary"));
    }

    #[cfg(feature = "sampler")]
    {
        let _ = otel_composite::DecisionSampler::new(opentelemetry_sdk::trace::Sampler::AlwaysOn);
        install(Builder::default().trace(B3Propagator::single()).build());
        assert_eq!(found(), [], "a sampler that makes open decisions");
    }

    // Last, since it stays for the process.
    let only_errors = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR).finish();
    tracing::subscriber::set_global_default(only_errors).unwrap();
    assert_eq!(doctor().findings(), [Finding::WarningsAreFiltered]);
}
