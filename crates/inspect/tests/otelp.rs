//! The command, as a person runs it.

#![cfg(feature = "cli")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test program"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpStream,
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
    let rows: [(&str, &[&str], &str, i32, &str); 10] = [
        ("a good header as an argument", &["read", GOOD], "", 0, "none: everything that came"),
        ("on standard input", &["read"], GOOD, 0, "chosen"),
        ("a broken one", &["read", "traceparent: 00"], "", 1, "version is not followed by a dash"),
        ("nothing", &["read"], "", 1, "no header that carries context"),
        ("of which nothing is said", &["read"], "", 1, "none: nothing came"),
        (
            "an open decision",
            &["read", "-p", "b3", "b3: 0af7651916cd43dd-b7ad6b7169203331"],
            "",
            0,
            "leaves the sampling decision",
        ),
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
fn a_reader_that_has_seen_enough_is_no_error() {
    let headers = "baggage: a=1,b\n".repeat(900);
    for arguments in [&["read", "--json"][..], &["read"], &["completions", "bash"], &["man"]] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otelp"));
        command.args(arguments).env_remove("OTEL_PROPAGATORS");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let _ = child.stdin.take().unwrap().write_all(headers.as_bytes());
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        assert!(matches!(status.code(), Some(0 | 1)) && stderr.is_empty(), "{arguments:?}: {status}");
    }
}

#[cfg(unix)]
#[test]
fn a_child_has_the_context_in_its_environment() {
    let (code, told) = otelp(&["exec", "-b", "tenant=acme retail", "--", "env"], "");
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("\nBAGGAGE=tenant=acme%20retail\n") || told.starts_with("BAGGAGE="), "{told}");
    assert!(told.lines().any(|line| line.starts_with("TRACEPARENT=00-") && line.ends_with("-03")), "{told}");
    let mut nested = Command::new(env!("CARGO_BIN_EXE_otelp"));
    nested.args(["exec", "--", "env"]).env("BAGGAGE", "stale=1").env("TRACESTATE", "stale=1");
    let told = nested.env_remove("OTEL_PROPAGATORS").output().unwrap().stdout;
    let told = String::from_utf8(told).unwrap();
    assert!(told.contains("TRACEPARENT=00-") && !told.contains("stale"), "{told}");
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
    // As browsers do, which open connections before they need them.
    let _silent = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
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
    let (code, page) = otelp(&["man", "read"], "");
    assert!(code == 0 && page.contains(".TH otelp-read") && page.contains("destination"), "{page}");
    assert_eq!(otelp(&["man", "nothing"], "").0, 2);
}

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/otelp.md");

/// The page with what is printed now under each command, and how many there are.
#[cfg(unix)]
fn renewed(page: &str) -> (String, usize) {
    let mut blocks: Vec<String> = page.split("\n```").map(str::to_owned).collect();
    let mut shown = 0;
    for at in 2..blocks.len() {
        let command = blocks[at - 2].strip_prefix("sh\n").map(str::to_owned);
        if let Some(command) = command.filter(|_| blocks[at].lines().next() == Some("text")) {
            blocks[at] = ["text\n", printed(&command).trim_end()].concat();
            shown += 1;
        }
    }
    (blocks.join("\n```"), shown)
}

#[cfg(unix)]
fn printed(command: &str) -> String {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_otelp")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let mut bash = Command::new("bash");
    bash.args(["-c", command]).env("PATH", path).env_remove("OTEL_PROPAGATORS");
    let output = bash.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// `RENEW=1 cargo test -p otel-inspect --test otelp` writes the page anew.
#[cfg(unix)]
#[test]
fn the_page_shows_what_is_printed() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (renewed, shown) = renewed(&page);
    assert_eq!(shown, 6, "the five commonest faults, and a trust boundary");
    if std::env::var_os("RENEW").is_some() {
        return fs::write(PAGE, renewed).unwrap();
    }
    for (line, expected) in page.lines().zip(renewed.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(page, renewed);
}

#[test]
fn json_has_the_keys_that_the_page_lists() {
    let page = fs::read_to_string(PAGE).unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let mut listed: Vec<(String, Vec<String>)> = rows
        .skip_while(|row| row.0 != "source")
        .map(|(path, holds)| {
            let words = holds.split('`').skip(1).step_by(2).map(|word| word.trim_end_matches("[]"));
            (path.replace("[]", ""), words.map(str::to_owned).collect())
        })
        .collect();
    listed.retain(|(_, keys)| !keys.is_empty());
    let all = [
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
        "tracestate: a=1",
        "baggage: a=1,b",
    ];
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/otelp-policy.json");
    let destination = "api.partner.example:443";
    let options = ["read", "--json", "--boundary", policy, "--destination", destination];
    let (_, told) = otelp(&[&options[..], &all].concat(), "");
    let report: serde_json::Value = serde_json::from_str(&told).unwrap();
    let mut found = 0;
    let mut check = |path: &str, value: &serde_json::Value| {
        let keys: Vec<&String> = value.as_object().unwrap().keys().collect();
        let (_, words) =
            listed.iter().find(|row| row.0 == path).unwrap_or_else(|| panic!("{path} is not listed"));
        for key in keys {
            assert!(words.contains(key), "{path}.{key} is not listed");
            found += 1;
        }
    };
    let top: Vec<&str> = listed.iter().map(|row| &*row.0).filter(|path| !path.contains('.')).collect();
    for key in report.as_object().unwrap().keys() {
        assert!(top.contains(&&**key) || key == "left_out", "{key} is not listed");
    }
    check("headers", &report["headers"][0]);
    check("headers.parts", &report["headers"][0]["parts"][0]);
    check("headers.problems", &report["headers"][2]["problems"][0]);
    check("formats", &report["formats"][0]);
    check("formats.span", &report["formats"][0]["span"]);
    check("chosen", &report["chosen"]);
    check("baggage", &report["baggage"][0]);
    check("tracestate", &report["tracestate"][0]);
    check("sent", &report["sent"][0]);
    check("boundary", &report["boundary"]);
    check("boundary.withheld", &report["boundary"]["withheld"][0]);
    check("findings", &report["findings"][0]);
    check("sdk", &report["sdk"][0]);
    assert_eq!(found, 50, "a key was added: it belongs on the page");
}

#[cfg(target_os = "linux")]
#[test]
fn colours_at_a_terminal_only_and_never_where_no_color_is_set() {
    let run = |variables: &[(&str, &str)]| {
        let binary = env!("CARGO_BIN_EXE_otelp");
        // `script` gives the command a terminal.
        let mut command = Command::new("script");
        command.args(["-qec", &format!("{binary} read '{GOOD}'"), "/dev/null"]).env("TERM", "xterm");
        command.env_remove("NO_COLOR").env_remove("OTEL_PROPAGATORS").env_remove("CI");
        let output = command.envs(variables.iter().copied()).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(&[]).contains("\u{1b}[32mchosen"), "a terminal has colours");
    let plain = run(&[("NO_COLOR", "1")]);
    assert!(plain.contains("chosen") && !plain.contains('\u{1b}'), "{plain:?}");
}

/// What a terminal obeys: an escape, a C1 control, a carriage return, a bell, and text that runs backwards.
const HOSTILE: &str = "\u{1b}[2J\u{9b}31m\r\u{7}\u{202e}";

#[test]
fn no_control_of_the_input_is_printed_in_any_place() {
    let places = [
        "traceparent: 00-@-b7ad6b7169203331-01",
        "tracestate: a=@",
        "tracestate: @=a",
        "baggage: @=1,a=@;@",
        "baggage: a=%1B%5B2J%C2%9B31m%E2%80%AE",
        "baggage: a=1;p=%1B",
        "b3: @",
        "x-b3-traceid: @",
        "uber-trace-id: @",
        "uber-trace-id: %1B%5B2J",
        "x-amzn-trace-id: Root=@",
        "ot-tracer-traceid: @",
        "@: 1",
        "uberctx-@: 1",
        r#"{"traceparent":"@","uberctx-\u001b[2J\u009b\u202e":"\u001b[2J\u009b\u202e","baggage":["a=\u001b"]}"#,
        r#"{"headers":[{"name":"ot-baggage-\u001b[2J","value":"\u001b"}]}"#,
        "> b3: @",
        "\"GET @ HTTP/1.1\" traceparent=\"@\" b3=@",
    ];
    let all = "tracecontext,b3,b3multi,jaeger,xray,ottrace,baggage";
    for place in places {
        let text = place.replace('@', HOSTILE);
        for options in [&["read", "-p", all][..], &["read", "--json", "-p", all]] {
            let (code, told) = otelp(options, &text);
            assert!(code < 2, "{place}: {told}");
            let is_raw = |c: char| c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
            assert!(!told.contains(is_raw), "{place}: {told:?}");
        }
    }
    let (code, told) = otelp(&["read", "-f", "\u{1b}[2J\u{9b}"], "");
    assert!(code == 2 && !told.contains(['\u{1b}', '\u{9b}']), "{told:?}");
}

#[test]
fn bytes_that_are_no_text_and_more_than_is_looked_at() {
    let run = |bytes: &[u8], options: &[&str]| {
        let folder = std::env::temp_dir().join(format!("otelp-bytes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("request");
        fs::write(&path, bytes).unwrap();
        let stdin = Stdio::from(fs::File::open(&path).unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_otelp"));
        command.arg("read").args(options).env_remove("OTEL_PROPAGATORS").stdin(stdin);
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = run(b"baggage: a=\xff\xfe\nbaggage: b=1", &[]);
    assert!(code == 1 && told.contains(r"a=\xff\xfe") && told.contains("not visible ASCII"), "{told}");
    let (code, told) = run(b"traceparent: 00-\x80\xc3", &["--json"]);
    assert!(code == 1 && told.contains(r"00-\\x80\\xc3"), "{told}");
    let megabyte = [b"baggage: ".as_slice(), &b"a,".repeat(1 << 20)].concat();
    let (code, told) = run(&megabyte, &[]);
    assert!(code == 1 && told.contains("bytes were not looked at"), "{}", told.len());
    assert!(told.contains("more members are not shown"), "{}", told.len());
    assert!(told.len() < 2_000_000, "{} bytes for a text of two megabytes", told.len());
}
