//! An empty value, in every carrier: the wish to remove a header, or a value.

#![cfg(all(feature = "json", feature = "tonic"))]
mod common;

use common::Sets;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_b3::B3Propagator;
use otel_baggage_limits::PrefixedBaggage;
use otel_carriers::{
    ContextMap,
    environment::{EnvExtractor, EnvInjector, normalize},
    grpc, headers, json,
    message::{self, MessageExtractor},
};
use otel_jaeger::JaegerPropagator;
use otel_ottrace::OtTracePropagator;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::BaggagePropagator;
use otel_xray::XrayPropagator;
use tonic::metadata::MetadataMap;

/// Writes an empty value for one name, beside a field of its own.
#[derive(Debug)]
struct Empties(Sets, [String; 1]);

impl Empties {
    fn of(name: &str) -> Self {
        Self(Sets(vec![(name.to_owned(), String::new())]), ["x-own".to_owned()])
    }
}

impl TextMapPropagator for Empties {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, _: &dyn Extractor) -> Context {
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        FieldIter::new(&self.1)
    }
}

/// What a carrier with an older value of the name holds of it after an empty one was written.
type Written = fn(&dyn TextMapPropagator, &str) -> Option<String>;

const CARRIERS: &[(&str, Written)] = &[
    ("http", http),
    ("json", json),
    ("message", message),
    ("environment", environment),
    ("stored", |propagator, name| {
        ContextMap::inject(propagator, &Context::new()).get(name).map(str::to_owned)
    }),
];

#[allow(clippy::unwrap_used, reason = "the tables have names of headers")]
fn older(name: &str) -> HeaderMap {
    HeaderMap::from_iter([(
        HeaderName::from_bytes(name.as_bytes()).unwrap(),
        HeaderValue::from_static("older"),
    )])
}

#[allow(clippy::unwrap_used, reason = "the tables have text")]
fn http(propagator: &dyn TextMapPropagator, name: &str) -> Option<String> {
    let mut request = older(name);
    headers::inject(propagator, &Context::new(), &mut request);
    request.get(name).map(|value| value.to_str().unwrap().to_owned())
}

fn json(propagator: &dyn TextMapPropagator, name: &str) -> Option<String> {
    let mut object = serde_json::Map::from_iter([(name.to_owned(), "older".into())]);
    json::inject(propagator, &Context::new(), &mut object);
    object.get(&name.to_ascii_lowercase()).and_then(|value| value.as_str()).map(str::to_owned)
}

fn message(propagator: &dyn TextMapPropagator, name: &str) -> Option<String> {
    let mut headers = vec![(name.to_owned(), "older".to_owned())];
    message::replace(propagator, &Context::new(), |name, value| match value {
        Some(value) => headers.push((name.to_owned(), value)),
        None => headers.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
    });
    MessageExtractor::new(headers.iter().map(|(name, value)| (name, value))).get(name).map(str::to_owned)
}

fn environment(propagator: &dyn TextMapPropagator, name: &str) -> Option<String> {
    let mut environment = EnvInjector::new(propagator);
    propagator.inject_context(&Context::new(), &mut environment);
    let name = normalize(name);
    environment.changes().find(|(variable, _)| *variable == name)?.1.map(str::to_owned)
}

/// A name, and whether an empty value removes it.
const EMPTY: &[(&str, &str, bool)] = &[
    ("a field of the propagator", "x-own", true),
    ("a field in another case", "X-OWN", true),
    ("a format's own header", "uber-trace-id", true),
    ("a format's own header in another case", "X-B3-TraceId", true),
    ("an entry of Jaeger's baggage", "uberctx-tenant", false),
    ("an entry of OT Trace's baggage", "ot-baggage-tenant", false),
    ("an entry that is named as a header", "uberctx-baggage", false),
    ("a name that nobody knows", "x-other", false),
    ("a name that begins as a header", "baggages", false),
    ("a name that begins as a field", "x-own-2", false),
];

#[test]
fn an_empty_value_removes_what_is_a_header_of_its_own() {
    for &(rule, name, is_removed) in EMPTY {
        for (carrier, written) in CARRIERS {
            let expected = (!is_removed).then(String::new);
            assert_eq!(written(&Empties::of(name), name), expected, "{carrier}: {rule}: {name}");
        }
    }
}

fn formats() -> Vec<(&'static str, FieldIter<'static>)> {
    fn fields(propagator: impl TextMapPropagator + 'static) -> FieldIter<'static> {
        Box::leak(Box::new(propagator)).fields()
    }
    vec![
        ("tracecontext", fields(TraceContextPropagator::new())),
        ("baggage", fields(BaggagePropagator::new())),
        ("b3", fields(B3Propagator::single_and_multi())),
        ("b3, read", B3Propagator::new().extract_fields()),
        ("jaeger", fields(JaegerPropagator::new())),
        (
            "jaeger, read",
            JaegerPropagator::new()
                .with_debug_id(true)
                .with_baggage(PrefixedBaggage::both())
                .extract_fields(),
        ),
        ("xray", fields(XrayPropagator::new())),
        ("ottrace", fields(OtTracePropagator::new().with_baggage(PrefixedBaggage::both()))),
        ("ottrace, read", OtTracePropagator::new().extract_fields()),
    ]
}

/// Also by a carrier that was not told who writes.
#[test]
fn every_header_of_every_format_is_removed() {
    for (format, fields) in formats() {
        for name in fields {
            for (carrier, written) in CARRIERS {
                assert_eq!(written(&Empties::of(name), name), None, "{carrier}: {format}: {name}");
            }
            let mut stored = ContextMap::from_iter([(name, "older")]);
            stored.set(name, String::new());
            assert!(stored.is_empty(), "{format}: {name}");
        }
    }
}

#[test]
fn a_stored_map_that_was_not_told_who_writes_keeps_other_empty_values() {
    let stored = ContextMap::from_iter([("x-own", "older"), ("x-own", ""), ("uberctx-a", "")]);
    assert_eq!(stored.iter().collect::<Vec<_>>(), [("x-own", ""), ("uberctx-a", "")]);
}

/// > ASCII-Value → 1*( %x20-%x7E ) ; space and printable ASCII
///
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
#[test]
fn metadata_cannot_be_empty() {
    for &(rule, name, is_removed) in EMPTY {
        let mut metadata = MetadataMap::from_headers(older(name));
        let events = testing::lines(|| grpc::inject(&Empties::of(name), &Context::new(), &mut metadata));
        assert!(metadata.is_empty(), "{rule}: {name}");
        assert!(!is_removed || events.is_empty(), "{rule}: {name} was asked for: {events:?}");
    }
}

#[test]
fn an_empty_variable_is_a_formats_own_that_is_absent_or_a_value() {
    let variables = [("TRACEPARENT", ""), ("X_B3_TRACEID", ""), ("UBERCTX_TENANT", ""), ("X_OTHER", "")];
    assert_eq!(EnvExtractor::from_vars(variables).keys(), ["UBERCTX_TENANT", "X_OTHER"]);
}

/// What a peer sent of an empty entry is sent on.
#[test]
fn an_empty_entry_of_baggage_goes_on() {
    let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    let ottrace = OtTracePropagator::new().with_baggage(PrefixedBaggage::both());
    let spanid = ("ot-tracer-spanid", "b7ad6b7169203331");
    let of_jaeger = [("uberctx-tenant", "")];
    let of_ottrace = [("ot-tracer-traceid", "8448eb211c80319c"), spanid, ("ot-baggage-tenant", "")];
    let jaeger: (&dyn TextMapPropagator, _, &[_]) = (&jaeger, "uberctx-tenant", &of_jaeger);
    for (propagator, name, received) in [jaeger, (&ottrace, "ot-baggage-tenant", &of_ottrace)] {
        let cx = message::extract(propagator, received.iter().copied());
        let mut request = HeaderMap::new();
        headers::inject(propagator, &cx, &mut request);
        assert_eq!(request.get(name).map(HeaderValue::as_bytes), Some(&b""[..]), "{name}");
        let mut object = serde_json::Map::new();
        json::inject(propagator, &cx, &mut object);
        assert_eq!(object.get(name).and_then(|value| value.as_str()), Some(""), "{name}");
        assert_eq!(ContextMap::inject(propagator, &cx).get(name), Some(""), "{name}");
        let mut sent = Vec::new();
        message::replace(propagator, &cx, |name, value| {
            sent.extend(value.map(|value| (name.to_owned(), value)));
        });
        assert!(sent.contains(&(name.to_owned(), String::new())), "{name}: {sent:?}");
        let mut environment = EnvInjector::new(propagator);
        propagator.inject_context(&cx, &mut environment);
        assert!(environment.changes().any(|change| change == (&*normalize(name), Some(""))), "{name}");
    }
}
