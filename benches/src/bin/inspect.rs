//! What the inspector costs: instructions of a report, counted by callgrind.
//!
//! `cargo run --release -p benches --features inspect --bin inspect` prints the table of `docs/otelp.md`, and fails where a
//! megabyte costs more than a report may.

use benches::callgrind::{self, Measured};
use otel_inspect::{Config, Request, inspect, to_json, to_text};
use std::process::ExitCode;

const TRACEPARENT: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/// Nobody waits for three billion instructions, which are about a second.
const MOST: u64 = 3_000_000_000;

fn inputs() -> Vec<(&'static str, Vec<u8>)> {
    let fill = |line: &str, text: &str| [line, &text.repeat((1 << 20) / text.len())].concat().into_bytes();
    vec![
        ("one `traceparent`", TRACEPARENT.into()),
        (
            "`traceparent`, `tracestate`, three members of `baggage`",
            format!("{TRACEPARENT}\ntracestate: rojo=00f067aa0ba902b7\nbaggage: a=1,b=2;ttl=30,c=x%20y")
                .into(),
        ),
        ("a megabyte: one member of `baggage`", fill("baggage: a=", "x")),
        ("a megabyte: half a million members", fill("baggage: ", "a,")),
        ("a megabyte: members of `tracestate`", fill(&format!("{TRACEPARENT}\ntracestate: "), "a=1,")),
        ("a megabyte: lines of `b3: 0`", fill("", "b3: 0\n")),
        ("a megabyte: an access log line of `b3=`", fill("GET / ", "b3=")),
        ("a megabyte of JSON", fill("[", "{\"b3\":\"0\"},")),
        ("a megabyte that is no text", vec![0xff; 1 << 20]),
    ]
}

fn explain(text: &[u8], config: &Config) {
    let report = inspect(&Request::parse(text), config);
    std::hint::black_box((to_text(&report), to_json(&report)));
}

fn main() -> ExitCode {
    let inputs = inputs();
    if callgrind::is_watched() {
        let tasks = inputs.into_iter().map(|(_, text)| {
            let config = Config::new("b3,tracecontext,baggage").unwrap_or_default();
            Measured::cold(Box::new(move || explain(&text, &config)))
        });
        callgrind::run(tasks);
        return ExitCode::SUCCESS;
    }
    let instructions = match callgrind::count() {
        Ok(instructions) => instructions,
        Err(missing) => {
            eprintln!("{missing}");
            return ExitCode::from(2);
        }
    };
    println!("| input | instructions |\n|---|---|");
    for ((name, _), count) in inputs.iter().zip(&instructions) {
        println!("| {name} | {} |", rounded(*count));
    }
    let holds = instructions.iter().all(|&count| count < MOST) && instructions.len() == inputs.len();
    if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Three digits; the rest differs from compiler to compiler.
fn rounded(count: u64) -> String {
    let (unit, name) = if count < 1_000_000 { (1_000, "thousand") } else { (1_000_000, "million") };
    format!("{} {name}", (count + unit / 2) / unit)
}
