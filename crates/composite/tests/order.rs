//! Propagators are asked in the order in which they were specified, on the way in and on the way out.
//!
//! > Invoke the propagators in the order they were specified
//!
//! <https://opentelemetry.io/docs/specs/otel/context/api-propagators/#composite-propagator>

#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Headers;
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_composite::{Builder, CompositePropagator, Limits, Registry};
use std::sync::{Arc, Mutex};

/// Notes when it is asked, and writes its own number under the name that all of its kind write.
#[derive(Clone, Debug)]
struct Noting {
    name: &'static str,
    asked: Arc<Mutex<Vec<&'static str>>>,
    fields: Vec<String>,
}

impl TextMapPropagator for Noting {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        self.asked.lock().unwrap().push(self.name);
        injector.set("x-last", self.name.to_owned());
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        self.asked.lock().unwrap().push(self.name);
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.fields)
    }
}

#[derive(Default)]
struct Notes(Arc<Mutex<Vec<&'static str>>>);

impl Notes {
    fn propagator(&self, name: &'static str) -> Noting {
        Noting { name, asked: self.0.clone(), fields: vec![format!("x-{name}")] }
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn send(propagator: &CompositePropagator) -> Headers {
    let mut sent = Headers::new();
    propagator.inject_context(&Context::new().with_baggage([KeyValue::new("a", "1")]), &mut sent);
    sent
}

#[test]
fn all_are_asked_as_they_were_added_whatever_their_concern() {
    let notes = Notes::default();
    let new = |name| notes.propagator(name);
    let rows: [(&str, Builder, [&str; 3]); 3] = [
        (
            "trace, baggage, other",
            Builder::default().trace(new("1")).baggage(new("2")).other(new("3")),
            ["1", "2", "3"],
        ),
        (
            "the other way round",
            Builder::default().other(new("1")).baggage(new("2")).trace(new("3")),
            ["1", "2", "3"],
        ),
        (
            "with limits",
            Builder::default()
                .other(new("3"))
                .trace(new("1"))
                .baggage(new("2"))
                .limits(Limits::new().max_members(0)),
            ["3", "1", "2"],
        ),
    ];
    for (rule, builder, expected) in rows {
        let propagator = builder.build();
        let sent = send(&propagator);
        assert_eq!(notes.take(), expected, "{rule}: injection");
        assert_eq!(
            sent.get("x-last").map(String::as_str),
            expected.last().copied(),
            "{rule}: the last one stays"
        );
        let _ = propagator.extract_with_context(&Context::new(), &Headers::new());
        assert_eq!(notes.take(), expected, "{rule}: extraction");
        let fields: Vec<String> = expected.iter().map(|name| format!("x-{name}")).collect();
        assert_eq!(propagator.fields().collect::<Vec<_>>(), fields, "{rule}: fields");
        assert_eq!(propagator.extract_fields().collect::<Vec<_>>(), fields, "{rule}: fields that are read");
    }
}

#[test]
fn one_that_limits_itself_does_not_write_before_one_that_does_not() {
    #[cfg(feature = "w3c-baggage")]
    {
        use opentelemetry_sdk::propagation as sdk;
        use otel_composite::BaggagePropagator;
        let cx = Context::new().with_baggage([KeyValue::new("a", "100%")]);
        let ours = || BaggagePropagator::new();
        let foreign = || sdk::BaggagePropagator::new();
        let rows = [
            ("ours last", Builder::default().baggage(foreign()).baggage(ours()), "a=100%25"),
            ("the SDK's last", Builder::default().baggage(ours()).baggage(foreign()), "a=100%"),
        ];
        for (rule, builder, expected) in rows {
            let mut sent = Headers::new();
            builder.build().inject_context(&cx, &mut sent);
            assert_eq!(sent["baggage"], expected, "{rule}");
        }
    }
}

#[test]
fn lists_are_written_in_their_own_order() {
    let notes = Notes::default();
    let mut registry = Registry::new();
    for name in ["one", "two", "three"] {
        let propagator = notes.propagator(name);
        registry.register(name, otel_composite::Concern::Other, move || propagator.clone()).unwrap();
    }
    let rows: [(&str, &str, &[&str], &[&str]); 3] = [
        ("one,two,three", "one,two,three", &["one", "two", "three"], &["one", "two", "three"]),
        ("one,two", "two,one", &["one", "two"], &["two", "one"]),
        ("one", "one,three", &["one"], &["one", "three"]),
    ];
    for (extract, inject, read, written) in rows {
        let propagator = registry.builder_from_lists(extract, inject).unwrap().build();
        let _ = propagator.extract_with_context(&Context::new(), &Headers::new());
        assert_eq!(notes.take(), read, "{extract} / {inject}");
        send(&propagator);
        assert_eq!(notes.take(), written, "{extract} / {inject}");
    }
}

/// As `parts` promises, and as the doctor prints them.
#[test]
fn what_is_only_sent_stands_after_what_is_read() {
    let notes = Notes::default();
    let mut registry = Registry::new();
    for name in ["one", "two", "three"] {
        let propagator = notes.propagator(name);
        registry.register(name, otel_composite::Concern::Other, move || propagator.clone()).unwrap();
    }
    let propagator = registry.builder_from_lists("two,one", "three,one").unwrap().build();
    assert_eq!(
        propagator.parts().map(otel_composite::Part::name).collect::<Vec<_>>(),
        ["two", "one", "three"]
    );
}

#[test]
fn fields_that_differ_in_case_only_are_one() {
    let propagator = |field: &str| Noting {
        name: "1",
        asked: Arc::default(),
        fields: vec![field.to_owned(), "x-always".to_owned()],
    };
    let composite = Builder::default().trace(propagator("X-House")).trace(propagator("x-house")).build();
    assert_eq!(composite.fields().collect::<Vec<_>>(), ["X-House", "x-always"]);
    assert_eq!(composite.extract_fields().collect::<Vec<_>>(), ["X-House", "x-always"]);
}

#[test]
fn a_list_begins_with_the_fields_of_its_first_name() {
    #[cfg(all(feature = "tracecontext", feature = "w3c-baggage"))]
    {
        let propagator = otel_composite::from_list("baggage,tracecontext").unwrap();
        assert_eq!(propagator.fields().collect::<Vec<_>>(), ["baggage", "traceparent", "tracestate"]);
    }
}
