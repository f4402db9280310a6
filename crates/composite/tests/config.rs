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
    let rows: [(&str, &str, &str); 17] = [
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
            "propagator.composite_list (line 3): \"none\" is ignored beside other names",
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
