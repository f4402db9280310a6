//! Lists of names, and names of one's own.

#![allow(missing_docs, reason = "a test program")]

mod common;

use common::House;
use otel_composite::{Concern, Problem, RegisterError, Registry, from_list, from_lists};

const FORMATS: [(&str, &str, bool); 8] = [
    ("tracecontext", "tracecontext", cfg!(feature = "tracecontext")),
    ("baggage", "w3c-baggage", cfg!(feature = "w3c-baggage")),
    ("b3", "b3", cfg!(feature = "b3")),
    ("b3multi", "b3", cfg!(feature = "b3")),
    ("jaeger", "jaeger", cfg!(feature = "jaeger")),
    ("xray", "xray", cfg!(feature = "xray")),
    ("xray-lambda", "xray", cfg!(feature = "xray")),
    ("ottrace", "ottrace", cfg!(feature = "ottrace")),
];

fn unknown(name: &str) -> Problem {
    Problem::Unknown { name: name.to_owned() }
}

#[test]
fn a_format_is_there_when_its_feature_is() {
    let registry = Registry::new();
    let expected = FORMATS.into_iter().filter(|(.., compiled_in)| *compiled_in).map(|(name, ..)| name);
    assert_eq!(registry.names().collect::<Vec<_>>(), expected.chain(["none"]).collect::<Vec<_>>());
    for (name, feature, compiled_in) in FORMATS {
        match from_list(name) {
            Ok(propagator) => {
                assert!(compiled_in, "{name}");
                assert!(propagator.to_string().contains(name), "{name}: {propagator}");
            }
            Err(error) => {
                assert!(!compiled_in, "{name}");
                assert_eq!(error.problems(), [Problem::NotCompiledIn { name, feature }]);
            }
        }
    }
}

#[test]
fn all_problems_of_a_list_at_once() {
    let rows: [(&str, &str, &[Problem]); 5] = [
        ("unknown", "zipkin", &[unknown("zipkin")]),
        ("in the order of the list", "b,a", &[unknown("b"), unknown("a")]),
        ("a repeated name once, as first spelt", "Zipkin,zipkin", &[unknown("Zipkin")]),
        ("none among others", "none,zipkin", &[Problem::NoneAmongOthers, unknown("zipkin")]),
        (
            "each kind",
            " datadog ,zipkin,None",
            &[unknown("datadog"), unknown("zipkin"), Problem::NoneAmongOthers],
        ),
    ];
    for (rule, list, expected) in rows {
        assert_eq!(from_list(list).unwrap_err().problems(), expected, "{rule}");
    }
}

#[test]
fn an_error_reads_as_one_line() {
    let error = from_list("a\u{7}b,none").unwrap_err();
    let names = Registry::new().names().collect::<Vec<_>>().join(", ");
    assert_eq!(
        error.to_string(),
        format!(r#"unknown propagator "a\u{{7}}b"; "none" must stand alone in a list; known names: {names}"#)
    );
    let _: &dyn std::error::Error = &error;
    // Beside any name that is compiled in; where none is, there is no more to say.
    let Some(known) = Registry::new().names().find(|name| *name != "none").map(str::to_owned) else { return };
    let error = from_list(&format!("none,{known}")).unwrap_err();
    assert_eq!(error.to_string(), r#""none" must stand alone in a list"#);
}

#[test]
fn problems_of_both_lists_are_told_once() {
    let error = from_lists("zipkin,none", "datadog,zipkin").unwrap_err();
    assert_eq!(error.problems(), [unknown("zipkin"), Problem::NoneAmongOthers, unknown("datadog")]);
}

#[test]
fn lists_apart() {
    let mut registry = Registry::new();
    registry.register("one", Concern::Trace, House::default).unwrap();
    registry.register("two", Concern::Trace, House::default).unwrap();
    registry.register("bag", Concern::Baggage, House::default).unwrap();
    let bag = "bag, at most 64 members and 4096 bytes";
    let rows = [
        ("the same", "one,two", "one,two", "extract: one > two; inject: one, two; baggage: nothing".to_owned()),
        ("order of preference", "two,one", "one", "extract: two > one; inject: one; baggage: nothing".to_owned()),
        ("apart", "one", "two", "extract: one; inject: two; baggage: nothing".to_owned()),
        ("nothing is sent", "one,bag", "none", "extract: one; inject: nothing; baggage: bag (extract only)".to_owned()),
        ("nothing is read", "none", "bag", "extract: nothing; inject: nothing; baggage: bag (inject only), at most 64 members and 4096 bytes".to_owned()),
        ("baggage both ways", "bag", "bag,one", format!("extract: nothing; inject: one; baggage: {bag}")),
    ];
    for (rule, extract, inject, expected) in rows {
        assert_eq!(
            registry.builder_from_lists(extract, inject).unwrap().build().to_string(),
            expected,
            "{rule}"
        );
    }
}

#[test]
fn a_name_is_taken_if_nothing_else_has_it() {
    use RegisterError::{Taken, Unlistable};
    let taken_if = |compiled_in| Some(Taken).filter(|_| compiled_in);
    let rows = [
        ("new", "house", None),
        (
            "of this workspace, unless it is not compiled in",
            "tracecontext",
            taken_if(cfg!(feature = "tracecontext")),
        ),
        ("without case", "BAGGAGE", taken_if(cfg!(feature = "w3c-baggage"))),
        ("the second name of a feature", "b3multi", taken_if(cfg!(feature = "b3"))),
        ("registered before", "Mine", Some(Taken)),
        ("none", "none", Some(Taken)),
        ("empty", "", Some(Unlistable)),
        ("a comma", "a,b", Some(Unlistable)),
        ("white space around", " a", Some(Unlistable)),
        ("a semicolon", "a;b", Some(Unlistable)),
        ("quoted", "\"a\"", Some(Unlistable)),
    ];
    for (rule, name, expected) in rows {
        let mut registry = Registry::new();
        registry.register("mine", Concern::Other, House::default).unwrap();
        assert_eq!(registry.register(name, Concern::Trace, House::default).err(), expected, "{rule}");
        let builder = registry.builder_from_list("mine");
        assert!(builder.is_ok(), "{rule}: the registry stays as it was");
    }
}

#[cfg(not(feature = "ottrace"))]
#[test]
fn a_name_whose_format_is_not_compiled_in_can_be_registered() {
    let mut registry = Registry::new();
    registry.register("OTTrace", Concern::Trace, House::default).unwrap();
    let propagator = registry.builder_from_list("ottrace").unwrap().build();
    assert_eq!(propagator.to_string(), "extract: OTTrace; inject: OTTrace; baggage: nothing");
}

#[test]
fn an_empty_list_in_code_is_no_names() {
    let nothing = "extract: nothing; inject: nothing; baggage: nothing";
    let registry = Registry::new();
    let rows = [
        ("one list", from_list("").unwrap()),
        ("white space and commas", from_list(" , ").unwrap()),
        ("two lists", from_lists("", "").unwrap()),
        ("names", registry.builder_from_names([], []).unwrap().build()),
    ];
    for (rule, propagator) in rows {
        assert_eq!(propagator.to_string(), nothing, "{rule}");
    }
    let mut registry = Registry::new();
    registry.register("one", Concern::Trace, House::default).unwrap();
    let propagator = registry.builder_from_lists("one", "").unwrap().build();
    assert_eq!(propagator.to_string(), "extract: one; inject: nothing; baggage: nothing");
}

#[test]
fn each_list_keeps_its_order() {
    let mut registry = Registry::new();
    for name in ["one", "two", "three"] {
        registry.register(name, Concern::Trace, House::default).unwrap();
    }
    let rows = [
        ("one list", "two,one", "two,one", "extract: two > one; inject: two, one"),
        ("another order out", "one,two", "two,one", "extract: one > two; inject: two, one"),
        ("inject only, first", "one,two", "three,one", "extract: one > two; inject: three, one"),
        ("inject only, last", "one", "one,three", "extract: one; inject: one, three"),
    ];
    for (rule, extract, inject, expected) in rows {
        let propagator = registry.builder_from_lists(extract, inject).unwrap().build();
        assert_eq!(propagator.to_string(), format!("{expected}; baggage: nothing"), "{rule}");
    }
}

#[test]
fn concerns_decide_where_a_name_goes() {
    let mut registry = Registry::new();
    registry.register("t", Concern::Trace, House::default).unwrap();
    registry.register("b", Concern::Baggage, House::default).unwrap();
    registry.register("o", Concern::Other, House::default).unwrap();
    let limits = "at most 64 members and 4096 bytes";
    assert_eq!(
        registry.builder_from_list("o,b,t").unwrap().build().to_string(),
        format!("extract: t; inject: t; baggage: b, {limits}; other: o, {limits}")
    );
    assert!(format!("{registry:?}").ends_with(r#""t", "b", "o", "none"}"#));
}
