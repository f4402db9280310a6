//! Stored context, and context in SQL.

#![cfg(all(feature = "json", feature = "serde"))]
mod common;

use common::{Sets, TRACEPARENT, all, both, context, seen};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, Injector},
};
use otel_baggage_limits::PrefixedBaggage;
use otel_carriers::{ContextMap, sql_comment};
use otel_jaeger::JaegerPropagator;
use otel_tracecontext::TraceContextPropagator;
use proptest::prelude::*;
use serde::{
    Deserialize, Deserializer,
    de::{
        self, Visitor,
        value::{self, MapDeserializer},
    },
};

#[test]
fn a_stored_context_is_the_context() {
    let cx = context(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("baggage", "k=v")]);
    let stored = ContextMap::inject(&all(), &cx);
    assert_eq!(seen(&stored.extract(&all())), seen(&cx));
    let names: Vec<_> = stored.iter().map(|(name, _)| name).collect();
    assert_eq!(names, Extractor::keys(&stored));
    assert_eq!(names.first(), Some(&"traceparent"), "in the order in which they were written");
    assert!(ContextMap::inject(&all(), &Context::new()).is_empty());
}

#[test]
fn a_name_has_one_value() {
    let mut map = ContextMap::new();
    for (name, value) in [("Baggage", "a=1"), ("b3", "0"), ("BAGGAGE", "b=2"), ("tracestate", ""), ("B3", "")]
    {
        map.set(name, value.to_owned());
    }
    assert_eq!(map.clone().into_iter().collect::<Vec<_>>(), [("baggage".to_owned(), "b=2".to_owned())]);
    assert_eq!(
        (map.len(), map.get("bAggage"), Extractor::get_all(&map, "baggage")),
        (1, Some("b=2"), Some(vec!["b=2"]))
    );
}

type Lines = &'static [(&'static str, &'static str)];

const JSON: &[(&str, &str, Option<Lines>)] = &[
    ("a map", r#"{"traceparent":"x","baggage":"y"}"#, Some(&[("traceparent", "x"), ("baggage", "y")])),
    ("the empty one", "{}", Some(&[])),
    ("null", "null", Some(&[])),
    ("a number is absent", r#"{"traceparent":7,"baggage":"y"}"#, Some(&[("baggage", "y")])),
    (
        "as is all that is no string",
        r#"{"a":[1,{"b":null}],"c":{},"d":null,"e":true,"f":"y"}"#,
        Some(&[("f", "y")]),
    ),
    ("upper case", r#"{"TraceParent":"x"}"#, Some(&[("traceparent", "x")])),
    ("twice", r#"{"b3":"0","b3":"1"}"#, Some(&[("b3", "1")])),
    ("escapes", r#"{"b3":"\u0030\n"}"#, Some(&[("b3", "0\n")])),
    ("a list", "[]", None),
    ("a string", "\"traceparent\"", None),
    ("a number", "1", None),
];

#[test]
fn a_stored_context_is_json() {
    for &(rule, json, expected) in JSON {
        let map = serde_json::from_str::<ContextMap>(json).ok();
        let expected = expected.map(|entries| entries.iter().copied().collect::<ContextMap>());
        assert_eq!(map, expected, "{rule}: {json}");
    }
    let map: ContextMap = [("traceparent", "x"), ("baggage", "y"), ("a", "z")].into_iter().collect();
    let error = serde_json::from_str::<ContextMap>("7").unwrap_err().to_string();
    assert!(error.contains("expected a map of strings"), "{error}");
    assert_eq!(
        serde_json::to_string(&map).unwrap(),
        r#"{"traceparent":"x","baggage":"y","a":"z"}"#,
        "in order"
    );
}

/// A format that cannot say of what kind a value is, as most binary ones.
struct Binary(Vec<(&'static str, &'static str)>);

impl<'de> Deserializer<'de> for Binary {
    type Error = value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        Err(de::Error::invalid_type(de::Unexpected::Other("what nobody can tell"), &visitor))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        if self.0.is_empty() {
            return self.deserialize_any(visitor);
        }
        MapDeserializer::new(self.0.into_iter()).deserialize_map(visitor)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct newtype_struct
        seq tuple tuple_struct struct enum identifier ignored_any
    }
}

#[test]
fn a_stored_context_is_a_map_of_strings_in_a_binary_format() {
    let map = ContextMap::deserialize(Binary(vec![("B3", "0"), ("baggage", "a=1")])).unwrap();
    assert_eq!(map.iter().collect::<Vec<_>>(), [("b3", "0"), ("baggage", "a=1")]);
    let error = ContextMap::deserialize(Binary(Vec::new())).unwrap_err().to_string();
    assert!(error.contains("expected a map of strings"), "{error}");
}

#[test]
fn an_absurd_number_of_entries_is_within_the_limits() {
    const ENTRIES: usize = 100_000;
    let entries: Vec<_> = (0..ENTRIES).map(|number| format!(r#""uberctx-{number}":"v""#)).collect();
    let json = format!(r#"{{{},"TraceParent":"{TRACEPARENT}"}}"#, entries.join(","));
    let map: ContextMap = serde_json::from_str(&json).unwrap();
    assert_eq!(map.len(), ENTRIES + 1);
    assert_eq!(seen(&map.extract(&both())), seen(&context(&[("traceparent", TRACEPARENT)])));
    let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    assert_eq!(map.extract(&jaeger).baggage().len(), 64, "as many entries as there may be members");
    let doubled = (0..ENTRIES).map(|number| (if number % 2 == 0 { "b3" } else { "B3" }, number.to_string()));
    assert_eq!(
        doubled.collect::<ContextMap>().iter().collect::<Vec<_>>(),
        [("b3", "99999")],
        "the last counts"
    );
}

const CONGO: &str = "/*traceparent='00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',\
                     tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/";

const STATEMENTS: &[(&str, &str, &str, &str)] = &[
    ("the specification's example", "SELECT * FROM songs", "SELECT * FROM songs ", ""),
    ("before a final semicolon", "SELECT 1;", "SELECT 1 ", ";"),
    ("and what is after it", "SELECT 1 ; \n", "SELECT 1 ", " ; \n"),
    ("of several statements the last", "SELECT 1; SELECT 2;", "SELECT 1; SELECT 2 ", ";"),
    ("a semicolon in a string", "SELECT ';'", "SELECT ';' ", ""),
    ("beyond ASCII", "SELECT '\u{e9}\u{2003}';", "SELECT '\u{e9}\u{2003}' ", ";"),
];

const UNCHANGED: &[(&str, &str)] = &[
    ("empty", ""),
    ("nothing but an end", " ;\n"),
    ("a comment already", "SELECT 1 /* by hand */"),
    ("a hint", "SELECT /*+ INDEX(a) */ 1;"),
    ("a comment at the end of the line", "SELECT 1 -- by hand"),
    ("what may be a string or not", "SELECT '--'"),
];

#[test]
fn a_statement_is_commented_once() {
    let headers = [
        ("tracestate", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ];
    let (propagator, cx) = (TraceContextPropagator::new(), context(&headers));
    for &(rule, statement, before, after) in STATEMENTS {
        let commented = sql_comment(&propagator, &cx, statement);
        assert_eq!(commented, format!("{before}{CONGO}{after}"), "{rule}");
        assert_eq!(sql_comment(&propagator, &cx, &commented), commented, "{rule}, once more");
        assert_eq!(sql_comment(&propagator, &Context::new(), statement), statement, "{rule}, without a span");
    }
    for &(rule, statement) in UNCHANGED {
        assert_eq!(sql_comment(&propagator, &cx, statement), statement, "{rule}");
    }
}

#[test]
fn keys_are_sorted_and_everything_is_encoded() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let sets = Sets(vec![
        set("z", "it's */ ; -- \\ \u{e9}%27"),
        set("route parameter", "/param first"),
        set("a-Z_0.9~", "a-Z_0.9~"),
    ]);
    assert_eq!(
        sql_comment(&sets, &Context::new(), "SELECT 1"),
        "SELECT 1 /*a-z_0.9~='a-Z_0.9~',route%20parameter='%2Fparam%20first',\
         z='it%27s%20%2A%2F%20%3B%20--%20%5C%20%C3%A9%2527'*/"
    );
}

proptest! {
    #[test]
    fn a_comment_cannot_be_left(name in any::<String>(), value in any::<String>(), statement in "[^;]*") {
        let commented = sql_comment(&Sets(vec![(name, value)]), &Context::new(), &statement).into_owned();
        if let Some(added) = commented.strip_prefix(statement.trim_end()).and_then(|rest| rest.strip_prefix(" /*")) {
            let inside = added.trim_end().strip_suffix("*/");
            prop_assert!(inside.is_some_and(|inside| !inside.contains("*/") && !inside.contains("/*")));
            prop_assert_eq!(inside.map(|inside| inside.matches('\'').count()), Some(2));
        } else {
            prop_assert_eq!(commented, statement);
        }
    }

    #[test]
    fn any_json_is_read_or_refused(json in r#"[\[\]{}",:a1 ]{0,24}"#) {
        let _ = serde_json::from_str::<ContextMap>(&json);
    }
}

#[test]
fn both_are_used() {
    assert!(!ContextMap::inject(&both(), &context(&[("baggage", "a=1")])).is_empty());
}
