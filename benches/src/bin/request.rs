//! What a whole request costs with and without propagation: a client, an axum service that calls another axum service
//! with reqwest, all on connections that are kept alive.
//!
//! `cargo run --release -p benches --features load --bin request` prints, for 0, 4, 8 and 64 entries of baggage, the
//! instructions of a request and the processor time of the process. What they are compared with carries the same bytes
//! from hop to hop and reads none of them.
//!
//! Instructions are those that callgrind counts for many requests, less those for few, so start-up is not in them.

use axum::{Router, extract::State, http::HeaderMap, http::StatusCode, routing::get};
use benches::{
    contenders::{Propagator, ours, sdk},
    input::{Entries, TRACEPARENT},
};
use opentelemetry::Context;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use otel_carriers::headers;
use std::{
    env,
    net::{Ipv4Addr, SocketAddr},
    process::{Command, ExitCode, Stdio},
    sync::Arc,
};
use tokio::net::TcpListener;

const ENTRIES: [usize; 4] = [0, 4, 8, 64];
const NAMES: [&str; 4] = ["unread", "SDK", "ours", "relay"];
/// Under callgrind, each the least of so many runs: what a timer or the order of a map adds comes and goes.
const COUNTED: [u64; 2] = [100, 600];
const RUNS: usize = 3;
const TIMED: u64 = 20_000;

/// How a service treats the headers of its caller.
#[derive(Clone)]
enum Treatment {
    /// They are copied into the next request as they are.
    Unread,
    /// With `opentelemetry_http`'s carriers.
    Sdk(Arc<Propagator>),
    /// With our own.
    Ours(Arc<Propagator>),
}

impl Treatment {
    fn named(name: &str) -> Self {
        match name {
            "SDK" => Self::Sdk(Arc::new(sdk::composite())),
            "ours" => Self::Ours(Arc::new(ours::composite())),
            "relay" => Self::Ours(Arc::new(ours::relaying_composite())),
            _ => Self::Unread,
        }
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => compare(),
        [name, entries, requests] => {
            let (entries, requests) =
                (entries.parse().expect("a number"), requests.parse().expect("a number"));
            println!("{}", run(name, entries, requests));
            ExitCode::SUCCESS
        }
        _ => ExitCode::from(2),
    }
}

fn compare() -> ExitCode {
    println!(
        "| entries | who | instructions a request | more than unread | processor µs a request | more than unread |"
    );
    println!("|--:|---|--:|--:|--:|--:|");
    for entries in ENTRIES {
        let mut unread = None;
        for name in NAMES {
            let Some(instructions) = instructions(name, entries) else {
                eprintln!("valgrind is missing or failed: install it to count instructions");
                return ExitCode::from(2);
            };
            let time = microseconds(name, entries);
            let (base_instructions, base_time) = *unread.get_or_insert((instructions, time));
            let (more, more_time) = (instructions - base_instructions, time - base_time);
            println!("| {entries} | {name} | {instructions} | {more:+} | {time:.1} | {more_time:+.1} |");
        }
    }
    ExitCode::SUCCESS
}

/// This program again, in a process of its own.
fn child(
    program: &str,
    before: &[&str],
    name: &str,
    entries: usize,
    requests: u64,
) -> Option<(String, String)> {
    let me = env::current_exe().ok()?;
    let mut command = Command::new(program);
    command.args(before);
    if program == "valgrind" {
        command.arg(&me);
    }
    let numbers = [entries.to_string(), requests.to_string()];
    let output = command.arg(name).args(numbers).stdin(Stdio::null()).output().ok()?;
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    output.status.success().then(|| (text(&output.stdout), text(&output.stderr)))
}

fn instructions(name: &str, entries: usize) -> Option<i64> {
    let count = |requests| {
        let flags = ["--tool=callgrind", "--callgrind-out-file=/dev/null"];
        let (_, told) = child("valgrind", &flags, name, entries, requests)?;
        let line = told.lines().find_map(|line| line.split_once("Collected : "))?.1;
        line.trim().parse::<i64>().ok()
    };
    let least = |requests| (0..RUNS).map(|_| count(requests)).min()?;
    let [few, many] = COUNTED;
    Some((least(many)? - least(few)?) / i64::try_from(many - few).ok()?)
}

fn microseconds(name: &str, entries: usize) -> f64 {
    let me = env::current_exe().expect("this program has a path");
    let (told, _) = child(&me.display().to_string(), &[], name, entries, TIMED).expect("it ran before");
    told.trim().parse().expect("a number")
}

/// Sends the requests and gives the processor time of one in microseconds.
fn run(name: &str, entries: usize, requests: u64) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let leaf = serve(Treatment::named(name), None).await;
        let gateway = serve(Treatment::named(name), Some(leaf)).await;
        let client = reqwest::Client::new();
        let headers = request_headers(entries);
        let before = process_time();
        for _ in 0..requests {
            let request = client.get(format!("http://{gateway}/")).headers(headers.clone());
            let status = request.send().await.expect("an answer").status();
            assert_eq!(status, StatusCode::OK);
        }
        #[allow(clippy::cast_precision_loss, reason = "a few thousand")]
        let requests = requests as f64;
        (process_time() - before) * 1e6 / requests
    })
}

fn process_time() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    #[allow(clippy::cast_precision_loss, reason = "seconds and nanoseconds of one run")]
    let (seconds, nanoseconds) = (time.tv_sec as f64, time.tv_nsec as f64);
    seconds + nanoseconds / 1e9
}

fn request_headers(entries: usize) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", TRACEPARENT.parse().expect("text"));
    if entries > 0 {
        headers.insert("baggage", Entries::Plain.header(entries).parse().expect("text"));
    }
    headers
}

#[derive(Clone)]
struct Service {
    treatment: Treatment,
    next: Option<SocketAddr>,
    client: reqwest::Client,
}

async fn serve(treatment: Treatment, next: Option<SocketAddr>) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let service = Service { treatment, next, client: reqwest::Client::new() };
    let router = Router::new().route("/", get(handle)).with_state(service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn handle(State(service): State<Service>, received: HeaderMap) -> StatusCode {
    let cx = match &service.treatment {
        Treatment::Unread => None,
        Treatment::Sdk(it) => Some(it.extract_with_context(&Context::new(), &HeaderExtractor(&received))),
        Treatment::Ours(it) => Some(headers::extract(&***it, &received)),
    };
    let Some(next) = service.next else { return StatusCode::OK };
    let mut sent = HeaderMap::new();
    match (&service.treatment, &cx) {
        (Treatment::Sdk(it), Some(cx)) => it.inject_context(cx, &mut HeaderInjector(&mut sent)),
        (Treatment::Ours(it), Some(cx)) => headers::inject(&***it, cx, &mut sent),
        _ => {
            for name in ["traceparent", "baggage"] {
                if let Some(value) = received.get(name) {
                    sent.insert(name, value.clone());
                }
            }
        }
    }
    let response = service.client.get(format!("http://{next}/")).headers(sent).send().await;
    response.map_or(StatusCode::BAD_GATEWAY, |response| response.status())
}
