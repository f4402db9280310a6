//! The command, as a person runs it.

#![cfg(feature = "cli")]
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test program")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    process::{Command, Output, Stdio},
};

const GOOD: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn otelp(arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_otelp"));
    command.args(arguments).env_remove("OTEL_PROPAGATORS");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let Output { status, stdout, stderr } = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout) + &text(stderr))
}

#[test]
fn the_exit_code_says_whether_something_is_lost() {
    let rows: [(&str, &[&str], &str, i32, &str); 8] = [
        ("a good header as an argument", &["read", GOOD], "", 0, "none: everything that came"),
        ("on standard input", &["read"], GOOD, 0, "chosen"),
        ("a broken one", &["read", "traceparent: 00"], "", 1, "version is not followed by a dash"),
        ("nothing", &["read"], "", 1, "no header that carries context"),
        ("an unknown format", &["read", "-p", "b4", "b3: 0"], "", 2, "b4"),
        ("a file that is not there", &["read", "-f", "not/there"], "", 2, "not/there"),
        ("over a limit", &["read", "--max-bytes", "3", "baggage: a=1,b=2"], "", 1, "left out"),
        ("no subcommand", &[], "", 2, "Usage"),
    ];
    for (rule, arguments, input, code, text) in rows {
        let (exit, told) = otelp(arguments, input);
        assert_eq!(exit, code, "{rule}: {told}");
        assert!(told.contains(text), "{rule}: {told}");
        assert!(!told.contains('\u{1b}'), "{rule}: no colours where it is no terminal");
    }
}

#[test]
fn json_is_the_report() {
    let (_, told) = otelp(&["read", "--json", GOOD], "");
    let report: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(report["chosen"]["span"]["span_id"], "b7ad6b7169203331");
}

#[test]
fn a_child_has_the_context_in_its_environment() {
    let (code, told) = otelp(&["exec", "-b", "tenant=acme retail", "--", "env"], "");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("\nBAGGAGE=tenant=acme%20retail\n") || told.starts_with("BAGGAGE="), "{told}");
    assert!(told.lines().any(|line| line.starts_with("TRACEPARENT=00-") && line.ends_with("-03")), "{told}");
    let (code, _) = otelp(&["exec", "--", "sh", "-c", "exit 7"], "");
    assert_eq!(code, 7, "the child's exit code is this one's");
}

#[test]
fn what_is_sent_is_what_a_listener_prints() {
    let mut listener = Command::new(env!("CARGO_BIN_EXE_otelp"));
    listener.args(["listen", "127.0.0.1:0", "--requests", "1"]).env_remove("OTEL_PROPAGATORS");
    let mut listener = listener.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(listener.stdout.take().unwrap()).lines();
    let address = lines.next().unwrap().unwrap();
    let url = address.strip_prefix("listening on ").unwrap();
    let (code, sent) = otelp(&["send", "--baggage", "tenant=acme", url], "");
    assert_eq!(code, 0, "{sent}");
    let printed: Vec<String> = lines.map(Result::unwrap).collect();
    for line in sent.lines().filter(|line| !line.contains("answered")) {
        assert!(printed.iter().any(|printed| printed == line), "{line} in {printed:?}");
    }
    assert!(listener.wait().unwrap().success());
    let (code, told) = otelp(&["send", "https://localhost"], "");
    assert_eq!(code, 2, "{told}");
}

#[test]
fn two_requests_are_the_same_to_a_service_or_not() {
    let folder = std::env::temp_dir().join(format!("otelp-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let [one, same, other] = [
        file("one", GOOD),
        file("same", &format!("GET / HTTP/1.1\nHost: a\n{GOOD}")),
        file("other", &GOOD.replace("-01", "-00")),
    ];
    assert_eq!(otelp(&["diff", &one, &same], ""), (0, "the same to this service\n".to_owned()));
    let (code, told) = otelp(&["diff", &one, &other], "");
    assert_eq!(code, 1);
    assert!(told.contains("chosen.span.sampling\n  - \"accept\"\n  + \"deny\""), "{told}");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn completions_and_a_manual_page() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, script) = otelp(&["completions", shell], "");
        assert!(code == 0 && script.contains("otelp"), "{shell}");
    }
    let (code, page) = otelp(&["man"], "");
    assert!(code == 0 && page.contains(".TH otelp"), "{page}");
}

/// The pairs of a command and what it prints of `docs/otelp.md`.
fn shown() -> Vec<(String, String)> {
    let page = include_str!("../../../docs/otelp.md");
    let blocks: Vec<&str> = page.split("\n```").collect();
    let pairs = blocks.windows(3).filter_map(|it| match it {
        [command, _, output] => Some((command.strip_prefix("sh\n")?, output.strip_prefix("text\n")?)),
        _ => None,
    });
    pairs.map(|(command, output)| (command.to_owned(), output.to_owned())).collect()
}

#[test]
fn the_page_shows_what_is_printed() {
    let shown = shown();
    assert_eq!(shown.len(), 5, "the five commonest faults");
    for (command, output) in shown {
        let binary = std::path::Path::new(env!("CARGO_BIN_EXE_otelp")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let printed = Command::new("bash").args(["-c", &command]).env("PATH", path).output().unwrap();
        let printed = String::from_utf8(printed.stdout).unwrap();
        assert_eq!(printed.trim_end(), output.trim_end(), "{command}");
    }
}
