//! The environment, by the specification's own words.
//! <https://opentelemetry.io/docs/specs/otel/context/env-carriers/>

mod common;

use common::{OTHER, TRACEPARENT, all, both, context, seen};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::PrefixedBaggage;
use otel_carriers::environment::{self, EnvExtractor, EnvInjector, is_normalized, normalize};
use otel_jaeger::JaegerPropagator;
use proptest::prelude::*;
use std::{borrow::Cow, ffi::OsString, process::Command, sync::LazyLock};

const NAMES: &[(&str, &str, &str)] = &[
    ("replace an empty key name with a single underscore", "", "_"),
    ("uppercase ASCII letters", "traceparent", "TRACEPARENT"),
    ("uppercase ASCII letters", "TraceParent", "TRACEPARENT"),
    ("only ASCII letters", "stra\u{df}e", "STRA_E"),
    ("replace every other character", "x-b3-traceid", "X_B3_TRACEID"),
    ("one underscore for each", "a.b-c d", "A_B_C_D"),
    ("a character of several bytes is one", "h\u{e9}llo.world", "H_LLO_WORLD"),
    ("a digit elsewhere than ASCII's is no digit", "\u{0661}", "_"),
    ("an equals sign and a NUL, too", "a=b\0c", "A_B_C"),
    ("prefix what starts with a digit", "3trace", "_3TRACE"),
    ("a digit alone", "9", "_9"),
    ("an underscore stays", "_leading", "_LEADING"),
    ("what is normalized stays", "TRACEPARENT", "TRACEPARENT"),
    ("digits within", "A1_2", "A1_2"),
];

#[test]
fn names_are_normalized() {
    for &(rule, name, expected) in NAMES {
        assert_eq!(normalize(name), expected, "{rule}: {name:?}");
        assert_eq!(is_normalized(name), name == expected, "{rule}: {name:?}");
    }
    assert!(matches!(normalize("TRACEPARENT"), Cow::Borrowed(_)));
}

/// Variables, a key, and its value.
type Read = (&'static str, &'static [(&'static str, &'static str)], &'static str, Option<&'static str>);

const READ: &[Read] = &[
    ("get normalizes what is asked for", &[("TRACEPARENT", "x")], "traceparent", Some("x")),
    ("and reads that name", &[("X_B3_TRACEID", "x")], "x-b3-traceid", Some("x")),
    ("never the key's own spelling", &[("x-b3-traceid", "x")], "x-b3-traceid", None),
    ("never a lower case name", &[("traceparent", "x")], "traceparent", None),
    ("nor a name that only normalizes to it", &[("X-B3_TRACEID", "x")], "x-b3-traceid", None),
    ("an empty key", &[("_", "x")], "", Some("x")),
    ("empty is absent", &[("TRACEPARENT", "")], "traceparent", None),
    (
        "values are opaque",
        &[("TRACEPARENT", " not a \u{e9} trace ")],
        "traceparent",
        Some(" not a \u{e9} trace "),
    ),
    ("the first of two", &[("B3", "1"), ("B3", "0")], "b3", Some("1")),
    ("absent", &[("OTHER", "x")], "traceparent", None),
];

#[test]
fn get_reads_the_normalized_name() {
    for &(rule, variables, key, expected) in READ {
        let environment = EnvExtractor::from_vars(variables.iter().copied());
        assert_eq!(environment.get(key), expected, "{rule}: {key:?} in {variables:?}");
        assert_eq!(environment.get_all(key), expected.map(|value| vec![value]), "{rule}");
    }
}

#[test]
fn keys_are_the_normalized_names() {
    let variables = [("TRACEPARENT", "a"), ("traceparent", "b"), ("has-dash", "c"), ("1X", "d"), ("", "e")];
    assert_eq!(EnvExtractor::from_vars(variables).keys(), ["TRACEPARENT"]);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_passed_over() {
    use std::os::unix::ffi::OsStringExt as _;
    let not_text = || OsString::from_vec(vec![b'x', 0xff]);
    let variables = [
        (not_text(), "a".into()),
        ("TRACEPARENT".into(), not_text()),
        ("PS1".into(), not_text()),
        ("BAGGAGE".into(), "a=1".into()),
    ];
    let lines = testing::lines(|| {
        let environment = EnvExtractor::from_vars(variables);
        assert_eq!(environment.keys(), ["BAGGAGE"]);
        assert_eq!(environment.get("traceparent"), None);
    });
    let event = "WARN propagator.not_carried carrier=environment direction=in header=traceparent rule=not UTF-8 \
                 values=1 bytes=2 suppressed=0";
    assert_eq!(lines, [event], "and other programs' variables are none of ours");
}

#[test]
fn of_this_process_only_the_names_that_were_asked_for_are_read() {
    assert_eq!(EnvExtractor::from_process(["path"]).keys(), ["PATH"]);
    assert_eq!(EnvExtractor::from_process(["a=b", "no\0such", "no-such-variable"]).keys(), [""; 0]);
}

/// A format of one's own: its header is a variable that every process has.
#[derive(Debug)]
struct Path;

impl TextMapPropagator for Path {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.set("path", "/new".to_owned());
        injector.set("path", String::new());
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let path = extractor.get("path").map(|path| KeyValue::new("path", path.to_owned()));
        cx.with_baggage(path)
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 1]> = LazyLock::new(|| ["path".to_owned()]);
        FieldIter::new(FIELDS.as_slice())
    }
}

#[test]
fn the_environment_of_this_process_is_read() {
    let cx = environment::extract(&Path, Path.fields());
    assert_eq!(cx.baggage().get("path").map(ToString::to_string), std::env::var("PATH").ok());
}

#[test]
fn a_field_that_was_set_can_be_removed_again() {
    let mut environment = EnvInjector::new(&Path);
    Path.inject_context(&Context::new(), &mut environment);
    assert_eq!(environment.changes().collect::<Vec<_>>(), [("PATH", None)]);
}

#[test]
fn set_writes_the_normalized_name() {
    let mut environment = EnvInjector::new(&both());
    environment.set("trace-parent", "1".to_owned());
    environment.set("trace_parent", "2".to_owned());
    environment.set("Baggage", "a=1".to_owned());
    environment.set("tracestate", String::new());
    environment.set("x", "a\0b".to_owned());
    let mut changes: Vec<_> = environment.changes().collect();
    changes.sort_unstable();
    let expected = [
        ("BAGGAGE", Some("a=1")),
        ("TRACEPARENT", None),
        ("TRACESTATE", None),
        ("TRACE_PARENT", Some("2")),
        ("X", None),
    ];
    assert_eq!(changes, expected, "the last value of a name, and what cannot be held is not there");
}

#[allow(clippy::unwrap_used, reason = "a machine with a shell")]
/// What a shell prints of the variables of the trace.
fn child(started_in: &[(&str, &str)], propagator: &dyn TextMapPropagator, cx: &Context) -> String {
    let mut command = Command::new("/bin/sh");
    // As if this process had been started in another trace.
    command.envs(started_in.iter().copied());
    command.args(["-c", "echo ${TRACEPARENT-none} ${TRACESTATE-none} ${BAGGAGE-none} ${B3-none}"]);
    environment::inject(propagator, cx, &mut command);
    String::from_utf8(command.output().unwrap().stdout).unwrap().trim_end().to_owned()
}

#[cfg(unix)]
#[test]
fn a_child_gets_this_context_and_nothing_of_an_older_one() {
    let older = [("TRACEPARENT", OTHER), ("TRACESTATE", "a=1"), ("BAGGAGE", "old=1"), ("B3", "0")];
    let cx = context(&[("traceparent", TRACEPARENT), ("baggage", "tenant=acme")]);
    for (rule, started_in, cx, expected) in [
        ("written", &[][..], &cx, format!("{TRACEPARENT} none tenant=acme none")),
        (
            "replaced, and the format that is not installed stays",
            &older[..],
            &cx,
            format!("{TRACEPARENT} none tenant=acme 0"),
        ),
        ("nothing to write", &older[..3], &Context::new(), "none none none none".to_owned()),
    ] {
        assert_eq!(child(started_in, &both(), cx), expected, "{rule}");
    }
    assert_eq!(
        child(&older, &all(), &Context::new()),
        "none none none none",
        "all that is installed is removed"
    );
}

#[test]
fn what_was_written_is_read() {
    let cx = context(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("baggage", "k=v,l=w")]);
    let mut environment = EnvInjector::new(&all());
    all().inject_context(&cx, &mut environment);
    let variables = environment.changes().filter_map(|(name, value)| Some((name, value?)));
    let read = all().extract_with_context(&Context::new(), &EnvExtractor::from_vars(variables));
    assert_eq!(seen(&read), seen(&cx));
}

/// What is there is gone through once for each name that is asked for, and nothing is copied but what has a name that could
/// be asked for.
#[test]
fn an_absurd_number_of_variables_is_within_the_limits() {
    const VARIABLES: usize = 100_000;
    let numbered = |prefix: &'static str| {
        (0..VARIABLES).map(move |number| (format!("{prefix}{number}"), "v".to_owned()))
    };
    let own = |name: &str, value: String| (name.to_owned(), value);
    let read = |variables: &mut dyn Iterator<Item = (String, String)>| {
        all().extract_with_context(&Context::new(), &EnvExtractor::from_vars(variables))
    };
    assert_eq!(EnvExtractor::from_vars(numbered("not-normalized-")).keys(), [""; 0]);
    assert_eq!(seen(&read(&mut numbered("V"))), "- ", "none of them is a header");
    let mut among = numbered("V").chain([own("TRACEPARENT", TRACEPARENT.to_owned())]);
    assert_ne!(seen(&read(&mut among)), "- ", "one good header among them is found");
    let mut doubled = (0..VARIABLES)
        .map(|number| own("TRACEPARENT", if number == 0 { TRACEPARENT } else { OTHER }.to_owned()));
    assert_eq!(
        seen(&read(&mut doubled)),
        seen(&context(&[("traceparent", TRACEPARENT)])),
        "of a name that comes twice the first counts"
    );
    let members = (0..VARIABLES).map(|number| format!("k{number}=v")).collect::<Vec<_>>().join(",");
    let baggage = read(&mut [own("BAGGAGE", members)].into_iter());
    assert_eq!(baggage.baggage().len(), 64, "what W3C asks for, and no more");

    let jaeger = JaegerPropagator::new().with_baggage(PrefixedBaggage::both());
    let entries = EnvExtractor::from_vars(numbered("UBERCTX_"));
    let entries = jaeger.extract_with_context(&Context::new(), &entries);
    assert_eq!(entries.baggage().len(), 0, "a listed name has lost the dash of the prefix");

    let names: Vec<String> = numbered("NO_SUCH_").map(|(name, _)| name).collect();
    assert_eq!(EnvExtractor::from_process(&names).keys(), [""; 0]);
}

proptest! {
    #[test]
    fn a_normalized_name_is_normalized(name in any::<String>()) {
        let normalized = normalize(&name);
        prop_assert!(is_normalized(&normalized), "{normalized}");
        prop_assert_eq!(normalize(&normalized), normalized.as_ref());
        let mut bytes = normalized.bytes();
        prop_assert!(bytes.next().is_some_and(|first| first.is_ascii_uppercase() || first == b'_'));
        prop_assert!(bytes.all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_'));
    }

    #[test]
    fn what_is_set_is_got(name in any::<String>(), value in "[^\0]+") {
        let mut environment = EnvInjector::new(&both());
        environment.set(&name, value.clone());
        let variables = environment.changes().filter_map(|(name, value)| Some((name, value?)));
        let read = EnvExtractor::from_vars(variables);
        prop_assert_eq!(read.get(&name), Some(value.as_str()));
    }
}
