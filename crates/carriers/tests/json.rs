//! JSON objects.

#![cfg(feature = "json")]
mod common;

use common::{OTHER, Sets, TRACEPARENT, all, both, context, seen};
use opentelemetry::{Context, baggage::BaggageExt, propagation::Extractor};
use otel_baggage_limits::PrefixedBaggage;
use otel_carriers::json::{self, JsonExtractor};
use otel_jaeger::JaegerPropagator;
use proptest::prelude::*;
use serde_json::{Map, Value};

#[allow(clippy::unwrap_used, reason = "the tables have objects")]
fn object(text: &str) -> Map<String, Value> {
    let text = text.replace("TRACEPARENT", TRACEPARENT).replace("OTHER", OTHER);
    serde_json::from_str::<Value>(&text).unwrap().as_object().unwrap().clone()
}

const READ: &[(&str, &str, &str)] = &[
    (
        "all three",
        r#"{"traceparent":"TRACEPARENT","baggage":"a=1"}"#,
        "0af7651916cd43dd8448eb211c80319c/b7ad6b7169203331 a=1",
    ),
    ("whatever the case", r#"{"Baggage":"a=1"}"#, "- a=1"),
    ("in both cases", r#"{"Baggage":"a=1","baggage":"b=2"}"#, "- a=1,b=2"),
    ("in both cases, one of them no string", r#"{"Baggage":"a=1","baggage":2}"#, "- a=1"),
    ("a number", r#"{"traceparent":7,"baggage":"a=1"}"#, "- a=1"),
    ("null, a list, an object", r#"{"traceparent":null,"tracestate":["a=1"],"baggage":{"a":1}}"#, "- "),
    ("a doubled traceparent", r#"{"Traceparent":"OTHER","traceparent":"TRACEPARENT"}"#, "- "),
    ("empty", "{}", "- "),
];

#[test]
fn members_that_are_strings_are_read() {
    for &(rule, text, expected) in READ {
        assert_eq!(seen(&json::extract(&both(), &object(text))), expected, "{rule}");
        let params = object(&format!(r#"{{"_meta":{text}}}"#));
        assert_eq!(seen(&json::extract_meta(&both(), &params)), expected, "{rule}, in _meta");
    }
    for meta in [
        r#"{"_meta":7}"#,
        r#"{"_meta":null}"#,
        r#"{"_meta":["traceparent"]}"#,
        "{}",
        r#"{"traceparent":"OTHER"}"#,
    ] {
        assert_eq!(seen(&json::extract_meta(&both(), &object(meta))), "- ", "{meta}");
    }
    let members = object(r#"{"a":"1","b":2}"#);
    let members = JsonExtractor::new(&members);
    assert_eq!((members.keys(), members.get("A"), members.get("b")), (vec!["a"], Some("1"), None));
}

/// The context of every row is one of the trace alone.
const META: &[(&str, &str, &str)] = &[
    ("it is made", "{}", r#"{"_meta":{"traceparent":"TRACEPARENT"}}"#),
    (
        "others stay",
        r#"{"a":1,"_meta":{"progressToken":7}}"#,
        r#"{"a":1,"_meta":{"progressToken":7,"traceparent":"TRACEPARENT"}}"#,
    ),
    (
        "an older one does not",
        r#"{"_meta":{"Traceparent":"OTHER","tracestate":"a=1","baggage":"secret=1"}}"#,
        r#"{"_meta":{"traceparent":"TRACEPARENT"}}"#,
    ),
    (
        "a member that is no string is replaced",
        r#"{"_meta":{"traceparent":7}}"#,
        r#"{"_meta":{"traceparent":"TRACEPARENT"}}"#,
    ),
    ("one that is no object stays", r#"{"_meta":7}"#, r#"{"_meta":7}"#),
];

#[test]
fn meta_is_written() {
    for &(rule, before, after) in META {
        let mut params = object(before);
        json::inject_meta(&both(), &context(&[("traceparent", TRACEPARENT)]), &mut params);
        assert_eq!(params, object(after), "{rule}");
    }
    let mut params = object("{}");
    json::inject_meta(&both(), &Context::new(), &mut params);
    assert_eq!(params, object("{}"), "nothing to write");
    let mut params = object(r#"{"_meta":{"traceparent":"OTHER"}}"#);
    json::inject_meta(&both(), &Context::new(), &mut params);
    assert_eq!(params, object(r#"{"_meta":{}}"#), "nothing to write, and something older");
}

#[test]
fn only_three_names_stand_in_meta_without_a_prefix() {
    let cx = context(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("baggage", "k=v")]);
    let events = testing::lines(|| {
        let mut params = object("{}");
        json::inject_meta(&all(), &cx, &mut params);
        let expected = r#"{"_meta":{"traceparent":"TRACEPARENT","tracestate":"a=1","baggage":"k=v"}}"#;
        assert_eq!(params, object(expected));
    });
    let event = "WARN propagator.not_carried carrier=json direction=out header=b3 rule=not a name for this object \
                 values=4 bytes=51 suppressed=0";
    assert_eq!(events, [event]);
}

/// An empty value is the wish to have none, of a name too that could not stand there.
#[test]
fn nothing_is_told_of_what_was_not_to_be_written() {
    let set = |name: &str| (name.to_owned(), String::new());
    let none = Sets(vec![set("b3"), set("x-b3-traceid"), set("traceparent")]);
    let events = testing::lines(|| {
        let mut params = object(r#"{"_meta":{"b3":"0","id":7}}"#);
        json::inject_meta(&none, &Context::new(), &mut params);
        assert_eq!(params, object(r#"{"_meta":{"id":7}}"#));
        json::inject_event(&none, &Context::new(), &mut params);
    });
    assert_eq!(events, [""; 0]);
}

#[test]
fn an_event_keeps_the_context_that_it_began_with() {
    let cx = context(&[("traceparent", TRACEPARENT), ("baggage", "k=v")]);
    for (rule, before, after) in [
        ("none yet", r#"{"id":"7"}"#, r#"{"id":"7","traceparent":"TRACEPARENT","b3":"B3","baggage":"k=v"}"#),
        ("there already", r#"{"traceparent":"OTHER"}"#, r#"{"traceparent":"OTHER"}"#),
        (
            "there, but not valid",
            r#"{"traceparent":"","tracestate":"a=1"}"#,
            r#"{"traceparent":"TRACEPARENT","b3":"B3","baggage":"k=v"}"#,
        ),
    ] {
        let mut event = object(before);
        json::inject_event(&all(), &cx, &mut event);
        let b3 = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1";
        assert_eq!(event, object(&after.replace("B3", b3)), "{rule}: a dash is not in an attribute's name");
    }
}

#[test]
fn any_name_stands_in_any_object() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut any = object(r#"{"X-B3-TraceId":"old","b3":"0"}"#);
    json::inject(
        &Sets(vec![set("X-B3-TRACEID", "1"), set("", "\u{0}"), set("b3", "")]),
        &Context::new(),
        &mut any,
    );
    assert_eq!(any, object(r#"{"x-b3-traceid":"1","":"\u0000"}"#));
}

/// What is there is gone through once for each name that is asked for, and nothing is copied of it but what is kept.
#[test]
fn an_absurd_number_of_members_is_within_the_limits() {
    const MEMBERS: usize = 100_000;
    let numbered = |prefix: &str| -> Map<String, Value> {
        (0..MEMBERS).map(|number| (format!("{prefix}{number}"), "v".into())).collect()
    };
    let mut object = numbered("m");
    assert_eq!(seen(&json::extract(&all(), &object)), "- ", "none of them is a header");
    object.insert("TraceParent".to_owned(), TRACEPARENT.into());
    object.insert("tracestate".to_owned(), Value::Object(numbered("deep")));
    let read = json::extract(&both(), &object);
    assert_eq!(
        seen(&read),
        seen(&context(&[("traceparent", TRACEPARENT)])),
        "one good header among them is found"
    );
    object.insert(
        "baggage".to_owned(),
        (0..MEMBERS).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",").into(),
    );
    assert_eq!(json::extract(&both(), &object).baggage().len(), 64, "what W3C asks for, and no more");

    let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    let entries = json::extract(&jaeger, &numbered("uberctx-"));
    assert_eq!(entries.baggage().len(), 64, "as many entries as there may be members");

    let mut params = Map::from_iter([("_meta".to_owned(), Value::Object(object))]);
    assert_ne!(seen(&json::extract_meta(&both(), &params)), "- ");
    json::inject_meta(&both(), &Context::new(), &mut params);
    let left = params.get("_meta").and_then(Value::as_object).map(Map::len);
    assert_eq!(left, Some(MEMBERS), "the three headers are removed and nothing else");
    json::inject(&all(), &context(&[("traceparent", TRACEPARENT)]), &mut params);
    assert_eq!(params.get("traceparent").and_then(Value::as_str), Some(TRACEPARENT));
}

proptest! {
    #[test]
    fn any_json_is_read(text in r#"\{("(traceparent|_meta|baggage|B3)":("a=1"|7|null|\{\}|\[\])){0,1}\}"#) {
        if let Ok(Value::Object(object)) = serde_json::from_str(&text) {
            let _ = (json::extract(&all(), &object), json::extract_meta(&all(), &object));
            let mut written = object.clone();
            json::inject_meta(&all(), &Context::new(), &mut written);
            json::inject_event(&all(), &Context::new(), &mut written);
        }
    }
}
