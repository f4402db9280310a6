//! Declarative configuration: <https://github.com/open-telemetry/opentelemetry-configuration>.

#![cfg(all(feature = "yaml", feature = "tracecontext", feature = "w3c-baggage", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{House, Pairs};
use otel_composite::{CompositePropagator, Concern, Config, ConfigError, Registry};
use std::{env, path::PathBuf, process::Command};

fn variable(name: &str) -> Option<String> {
    let value = match name {
        "B3" => "b3",
        "LIST" => "b3,tracecontext",
        "INJECTED" => "b3\n    - baggage:",
        "NUMBER" => "3",
        _ => return None,
    };
    Some(value.to_owned())
}

fn configured(text: &str) -> Result<CompositePropagator, ConfigError> {
    let mut registry = Registry::new();
    registry.register("house", Concern::Trace, House::default).unwrap();
    let config = Config::from_yaml_with(text, variable)?;
    registry.builder_from_config(&config).map(otel_composite::Builder::build)
}

const BAGGAGE: &str = "baggage, at most 64 members and 4096 bytes";

/// With the version before it, since most rows are about the block.
fn with_version(block: &str) -> String {
    format!("file_format: \"1.1\"\n{block}")
}

#[test]
fn what_the_schema_allows() {
    let rows: [(&str, &str, &str); 18] = [
        (
            "limits of both ways",
            "propagator: {composite_list: baggage}\notel_composite/development:\n  limits: {allow: [tenant]}\n  inbound_limits: {max_members: 2}",
            "extract: nothing; inject: nothing; baggage: baggage, at most 64 members and 4096 bytes, only tenant",
        ),
        ("absent: no propagators", "", "extract: nothing; inject: nothing; baggage: nothing"),
        ("null: no propagators", "propagator:", "extract: nothing; inject: nothing; baggage: nothing"),
        ("empty: no propagators", "propagator: {}", "extract: nothing; inject: nothing; baggage: nothing"),
        (
            "both null: no propagators",
            "propagator: {composite: null, composite_list: ~}",
            "extract: nothing; inject: nothing; baggage: nothing",
        ),
        (
            "entries",
            "propagator:\n  composite:\n    - tracecontext:\n    - baggage:",
            "extract: tracecontext; inject: tracecontext; baggage: BAGGAGE",
        ),
        (
            "entries that are empty objects",
            "propagator: {composite: [{b3: {}}, {tracecontext: null}]}",
            "extract: b3 > tracecontext; inject: b3, tracecontext; baggage: nothing",
        ),
        (
            "a list",
            "propagator: {composite_list: 'b3, tracecontext'}",
            "extract: b3 > tracecontext; inject: b3, tracecontext; baggage: nothing",
        ),
        (
            "the list after the entries, duplicates filtered out",
            "propagator:\n  composite: [{b3: }]\n  composite_list: \"tracecontext,b3,baggage\"",
            "extract: b3 > tracecontext; inject: b3, tracecontext; baggage: BAGGAGE",
        ),
        ("none", "propagator: {composite_list: none}", "extract: nothing; inject: nothing; baggage: nothing"),
        (
            "a name of one's own",
            "propagator: {composite: [{house: }]}",
            "extract: house; inject: house; baggage: nothing",
        ),
        (
            "everything else is the SDK's",
            "attribute_limits: {x: [1]}\npropagator: {composite_list: b3}\ntracer_provider:\n  processors: []",
            "extract: b3; inject: b3; baggage: nothing",
        ),
        (
            "a variable",
            "propagator: {composite_list: '${LIST}'}",
            "extract: b3 > tracecontext; inject: b3, tracecontext; baggage: nothing",
        ),
        (
            "its default",
            "propagator:\n  composite_list: ${UNSET:-tracecontext,baggage}",
            "extract: tracecontext; inject: tracecontext; baggage: BAGGAGE",
        ),
        (
            "a variable that is not set is null",
            "propagator:\n  composite_list: ${UNSET}",
            "extract: nothing; inject: nothing; baggage: nothing",
        ),
        (
            "an alias",
            "x: &it {composite_list: b3}\npropagator: *it",
            "extract: b3; inject: b3; baggage: nothing",
        ),
        (
            "one way only",
            "propagator: {composite_list: 'tracecontext,b3,baggage'}\notel_composite/development:\n  extract_only: [b3]\n  inject_only: [baggage]",
            "extract: tracecontext > b3; inject: tracecontext; baggage: baggage (inject only), at most 64 members and 4096 bytes",
        ),
        (
            "limits, a number from a variable",
            "propagator: {composite_list: baggage}\notel_composite/development:\n  last_wins: true\n  limits:\n    max_members: ${NUMBER}\n    max_bytes: 99",
            "extract (last wins): nothing; inject: nothing; baggage: baggage, at most 3 members and 99 bytes",
        ),
    ];
    for (rule, block, expected) in rows {
        let result = configured(&with_version(block)).map(|propagator| propagator.to_string());
        assert_eq!(result.as_deref(), Ok(&*expected.replace("BAGGAGE", BAGGAGE)), "{rule}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_path_and_line() {
    let rows: [(&str, &str, &str); 22] = [
        ("not YAML", "propagator: [", "line "),
        ("a key twice", "propagator:\npropagator:", "line 3: the key \"propagator\" is there twice"),
        ("an invalid reference, anywhere", "a: 1\nb: ${LIST:?no}", "line 3: a reference to a variable"),
        ("a list for a map", "propagator: []", "propagator (line 2): must be a map"),
        (
            "an unknown key",
            "propagator:\n  compsite: []",
            "propagator.compsite (line 3): there is no such key; known keys: composite, composite_list",
        ),
        ("text for a list", "propagator: {composite: b3}", "propagator.composite (line 2): must be a list"),
        ("no entries", "propagator: {composite: []}", "propagator.composite (line 2): must not be empty"),
        (
            "a text as an entry",
            "propagator:\n  composite:\n    - b3",
            "propagator.composite[0] (line 4): must be a map of one key",
        ),
        (
            "two keys",
            "propagator:\n  composite:\n    - b3:\n    - tracecontext:\n      baggage:",
            "propagator.composite[1] (line 5): must have exactly one key",
        ),
        (
            "an unknown component",
            "propagator:\n  composite:\n    - b3:\n    - zipkin:",
            "propagator.composite[1].zipkin (line 5): unknown propagator \"zipkin\"; known names: ",
        ),
        (
            "options",
            "propagator:\n  composite:\n    - b3: {x: 1}",
            "propagator.composite[0].b3 (line 4): has no options",
        ),
        (
            "an unknown name in the list",
            "propagator:\n  composite_list: b3,zipkin",
            "propagator.composite_list (line 3): unknown propagator \"zipkin\"",
        ),
        (
            "spaces between names",
            "propagator:\n  composite_list: b3 baggage",
            "propagator.composite_list (line 3): a list has no quotes",
        ),
        (
            "a number for a list",
            "propagator:\n  composite_list: 1",
            "propagator.composite_list (line 3): must be a comma-separated list",
        ),
        (
            "none beside others",
            "propagator:\n  composite_list: none,b3",
            "propagator.composite_list (line 3): \"none\" must stand alone in a list",
        ),
        (
            "no structure out of a variable",
            "propagator:\n  composite:\n    - ${INJECTED}",
            "propagator.composite[0] (line 4): must be a map of one key",
        ),
        (
            "no variable in a key",
            "propagator:\n  composite:\n    - ${B3}:",
            "propagator.composite[0].${B3} (line 4): unknown propagator \"${B3}\"",
        ),
        (
            "a number in quotes is text",
            "otel_composite/development: {limits: {max_bytes: '9'}}",
            "otel_composite/development.limits.max_bytes (line 2): must be a number",
        ),
        (
            "a negative number",
            "propagator: {}\notel_composite/development: {limits: {max_bytes: -1}}",
            "otel_composite/development.limits.max_bytes (line 3): must be a number",
        ),
        (
            "not among the propagators",
            "propagator: {composite_list: b3}\notel_composite/development: {extract_only: [baggage]}",
            "otel_composite/development.extract_only (line 3): \"baggage\" is not among",
        ),
        (
            "not a truth value",
            "otel_composite/development: {last_wins: 1}",
            "otel_composite/development.last_wins (line 2): must be true or false",
        ),
        (
            "a control character",
            "propagator: {composite_list: \"a\\u0007b\"}",
            "propagator.composite_list (line 2): unknown propagator \"a\\u{7}b\"",
        ),
    ];
    for (rule, block, expected) in rows {
        let error = configured(&with_version(block)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{rule}: {error}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "propagator:\n  composite: [{b33: }, {b3: {x: 1}}]\n  composite_list: baggage,jaegar\n  x: 1\n\
        otel_composite/development:\n  inject_only: [tracecontext]\n  limits: {max_members: many, deny: 3}\n  last_wins: no";
    let error = configured(text).unwrap_err();
    let found: Vec<_> = error.all().map(|error| (error.path().to_owned(), error.line())).collect();
    let own = |key: &str| format!("otel_composite/development.{key}");
    let expected = [
        ("file_format".to_owned(), None),
        ("propagator.x".to_owned(), Some(4)),
        ("propagator.composite[0].b33".to_owned(), Some(2)),
        ("propagator.composite[1].b3".to_owned(), Some(2)),
        ("propagator.composite_list".to_owned(), Some(3)),
        (own("inject_only"), Some(6)),
        (own("last_wins"), Some(8)),
        (own("limits.max_members"), Some(7)),
        (own("limits.deny"), Some(7)),
    ];
    assert_eq!(found, expected);
    assert_eq!(error.to_string().lines().count(), expected.len());
}

/// The propagator blocks of all example files of the schema's repository, version 1.1.0, and what they come to.
#[test]
fn blocks_of_the_official_examples() {
    let rows = [
        (
            "otel-getting-started.yaml, otel-sdk-config.yaml",
            "propagator:\n  composite:\n    - tracecontext:\n    - baggage:\n",
        ),
        (
            "otel-sdk-migration-config.yaml",
            "propagator:\n  composite_list: ${OTEL_PROPAGATORS:-tracecontext,baggage}\n",
        ),
    ];
    for (rule, block) in rows {
        let propagator = configured(&with_version(block)).map(|propagator| propagator.to_string());
        let expected = format!("extract: tracecontext; inject: tracecontext; baggage: {BAGGAGE}");
        assert_eq!(propagator, Ok(expected), "{rule}");
    }
}

#[cfg(feature = "boundary")]
#[test]
fn a_trust_boundary() {
    use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
    use otel_composite::boundary::{Destination, DestinationExt};
    use std::collections::HashMap;

    let text = r#"file_format: "1.1"
propagator: {composite_list: baggage}
otel_composite/development:
  limits: {deny: [secret]}
  trust_boundary:
    default_egress_action: suppress_trace_context
    rules:
      - {direction: ingress, name: gateway, strategy: continue, trust_sampled: false, accept_baggage: [tenant],
         conditions: {headers: {x-gateway: "1"}}}
      - direction: egress
        external: true
        baggage: [cart]
        conditions: {attribute_patterns: {key: server.address, included: [partner.example]}}
"#;
    let propagator = configured(text).unwrap();
    assert!(propagator.to_string().ends_with("; within a trust boundary"), "{propagator}");
    assert!(propagator.boundary().unwrap().to_string().contains("gateway"));
    let baggage = ["cart", "tenant", "secret"].map(|key| KeyValue::new(key, "1"));
    let cx = Context::new().with_baggage(baggage);
    for (host, expected) in [("partner.example", "cart=1"), ("other.example", "")] {
        let mut sent = HashMap::new();
        propagator.inject_context(&cx.with_destination(Destination::host(host)), &mut sent);
        assert_eq!(sent.get("baggage").map(String::as_str), Some(expected), "{host}");
    }
    let received = |request: &[(&str, &str)]| {
        let cx = propagator.extract_with_context(&Context::new(), &common::headers(request));
        cx.baggage().to_string()
    };
    assert_eq!(received(&[("baggage", "tenant=1,cart=2"), ("x-gateway", "1")]), "tenant=1");
    assert_eq!(received(&[("baggage", "tenant=1")]), "tenant=1", "the rule is for the gateway");

    let rows = [
        ("conditions", "conditionz", "trust_boundary.rules[0]"),
        ("ingress", "inward", "trust_boundary.rules[0].direction"),
        (
            "partner.example",
            "partner.example/x",
            "trust_boundary.rules[1].conditions.attribute_patterns.included[0]",
        ),
        ("suppress_trace_context", "nothing", "trust_boundary.default_egress_action"),
    ];
    for (good, bad, path) in rows {
        let error = configured(&text.replacen(good, bad, 1)).unwrap_err();
        assert!(error.path().contains(path), "{error}");
        let line = text.lines().position(|line| line.contains(good)).map(|at| at + 1);
        assert!(error.line() >= line.map(|line| line - 1), "{error}: {line:?}");
    }
}

#[test]
fn the_version_must_be_one_that_is_understood() {
    for (rule, text, expected) in [
        ("no version", "propagator: {}", "file_format: is missing"),
        ("nothing", "", "file_format: is missing"),
        ("another version", "file_format: '0.4'", "file_format (line 1): \"0.4\" is not 1.x"),
        ("null", "file_format:", "file_format (line 1): must be text"),
    ] {
        assert_eq!(
            configured(text).unwrap_err().to_string().split(", such").next(),
            Some(expected),
            "{rule}"
        );
    }
}

/// Small texts that would grow without bound.
#[test]
fn aliases_and_depth_are_bounded() {
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for number in 1..20 {
        let before = format!("*a{}, ", number - 1).repeat(8);
        aliases.push_str(&["a", "X: &a", "X [", &before, "]\n"].concat().replace('X', &number.to_string()));
    }
    assert!(configured(&aliases).unwrap_err().to_string().contains("an anchor for too much"));
    let deep = format!("a: {}{}", "[".repeat(100), "]".repeat(100));
    assert!(configured(&deep).unwrap_err().to_string().contains("nested too deep"));
}

#[test]
fn any_format_of_serde() {
    let json = r#"{"file_format": "1.1", "x": [1, -1, 1.5, true], "propagator": {"composite": [{"b3": null}]},
        "otel_composite/development": {"limits": {"max_members": 3, "deny": ["user.*"]}}}"#;
    let config: Config = serde_json::from_str(json).unwrap();
    let propagator = Registry::new().builder_from_config(&config).unwrap().build();
    assert_eq!(propagator.to_string(), "extract: b3; inject: b3; baggage: nothing");
    let config: Config =
        serde_json::from_str(r#"{"file_format": 1.1, "propagator": {"composite": [1]}}"#).unwrap();
    let error = Registry::new().builder_from_config(&config).unwrap_err();
    assert_eq!((error.path(), error.line()), ("propagator.composite[0]", None));
    assert!(serde_json::from_str::<Config>(r#"{"propagator": 1, "propagator": 2}"#).is_err());
}

/// The schema's own examples, where somebody has put them: `OTEL_CONFIGURATION_EXAMPLES=…/examples`.
#[test]
fn the_official_examples() {
    let Some(folder) = env::var_os("OTEL_CONFIGURATION_EXAMPLES") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let config = Config::from_file(&path).unwrap();
            let propagator = Registry::new().builder_from_config(&config).unwrap().build();
            assert!(
                propagator
                    .to_string()
                    .starts_with("extract: tracecontext; inject: tracecontext; baggage: baggage")
            );
            seen += 1;
        }
    }
    assert!(seen > 0);
}

const CHILD: &str = "OTEL_COMPOSITE_TEST_CHILD";

/// Not a test of its own: prints what one call makes of the environment.
#[test]
fn child() {
    if env::var_os(CHILD).is_some() {
        match otel_composite::from_config_file_or_env() {
            Ok(propagator) => println!("\nRESULT {propagator}"),
            Err(error) => println!("\nRESULT {error}"),
        }
    }
}

#[test]
fn a_file_by_environment() {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("otel-composite-config.yaml");
    std::fs::write(&file, with_version("propagator:\n  composite_list: ${NAMES:-b3}\n")).unwrap();
    let file = file.to_str().unwrap();
    let rows: [(&str, Pairs<'_>, &str); 5] = [
        (
            "no file: the other variables",
            &[("OTEL_PROPAGATORS", "b3")],
            "extract: b3; inject: b3; baggage: nothing",
        ),
        (
            "an empty name is none",
            &[("OTEL_CONFIG_FILE", ""), ("OTEL_PROPAGATORS", "b3")],
            "extract: b3; inject: b3; baggage: nothing",
        ),
        (
            "the file alone",
            &[
                ("OTEL_CONFIG_FILE", file),
                ("OTEL_PROPAGATORS", "tracecontext"),
                ("OTELP_BAGGAGE_MAX_BYTES", "x"),
            ],
            "extract: b3; inject: b3; baggage: nothing",
        ),
        (
            "and what it refers to",
            &[("OTEL_CONFIG_FILE", file), ("NAMES", "tracecontext")],
            "extract: tracecontext; inject: tracecontext; baggage: nothing",
        ),
        (
            "a file that is not there",
            &[("OTEL_CONFIG_FILE", "/nowhere/at.yaml")],
            "the file cannot be read: ",
        ),
    ];
    for (rule, variables, expected) in rows {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child", "--nocapture"]).env(CHILD, "1");
        for variable in ["OTEL_CONFIG_FILE", "OTEL_PROPAGATORS", "NAMES"] {
            command.env_remove(variable);
        }
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let result = output.lines().find_map(|line| line.strip_prefix("RESULT ")).unwrap();
        assert!(result.starts_with(expected), "{rule}: {result}");
    }
}
