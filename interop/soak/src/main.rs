//! A service with everything on, before a real OTLP receiver, under good, missing, malformed and hostile requests:
//! nothing it records is lost, no line of its log is missing, and its memory stays flat.
//!
//! `cargo run --release -p soak -- --requests 360000` is an hour's worth at 100 a second, for each way to export.

mod receiver;
mod requests;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context, global,
    trace::{SpanKind, TraceContextExt, Tracer},
};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{BatchConfigBuilder as LogBatch, BatchLogProcessor, SdkLoggerProvider},
    metrics::SdkMeterProvider,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider},
};
use otel_baggage_telemetry::{BaggageLogProcessor, BaggageSpanProcessor, Keys};
use otel_carriers::headers::{HeaderExtractor, HeaderInjector};
use otel_composite::{
    CompositePropagator, DecisionSampler, Finding, Registry,
    boundary::{Boundary, Inbound, Outbound, Strategy},
    doctor,
};
use std::{
    env, error, fs, io,
    process::{Command, ExitCode},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, layer::SubscriberExt, util::SubscriberInitExt};

type Result<T = ()> = std::result::Result<T, Box<dyn error::Error + Send + Sync>>;

const THREADS: u64 = 2;
const SENT_AT_MOST: usize = 4096;

/// How the logs leave.
const WAYS: [&str; 3] = ["batch", "simple", "batch-with-filters"];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let after = |word: &str| arguments.iter().skip_while(|argument| *argument != word).nth(1);
    let count = after("--requests").and_then(|count| count.parse().ok()).unwrap_or(20_000);
    if let Some(way) = after("--way") {
        return match soak(way, count) {
            Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
            Ok(wrong) => {
                for wrong in wrong {
                    println!("    {wrong}");
                }
                ExitCode::FAILURE
            }
            Err(error) => {
                println!("    {error}");
                ExitCode::FAILURE
            }
        };
    }
    println!(
        "{count} requests of {} kinds for each way to export logs\n\n\
         | logs | spans | log records | console lines | events of the propagators | KiB at a quarter | KiB at the end |\n\
         |---|--:|--:|--:|--:|--:|--:|",
        requests::kinds()
    );
    // A process for each: subscriber and providers are set once.
    let run = |way: &&str| {
        let program = env::current_exe()?;
        Command::new(program).args(["--way", way, "--requests", &count.to_string()]).status()
    };
    let failed = WAYS.iter().filter(|way| !run(way).is_ok_and(|status| status.success())).count();
    println!(
        "\n{}",
        if failed == 0 { "nothing was lost".to_owned() } else { format!("{failed} of 3 lost something") }
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What went wrong.
fn soak(way: &str, count: u64) -> Result<Vec<String>> {
    let (address, received) = receiver::start()?;
    let console = Console::default();
    let providers = Providers::new(&address, way)?;
    subscribe(way, &providers.logs, &console);
    otel_composite::install(everything()?);
    let expected = |finding: &Finding| matches!(finding, Finding::SeveralFormats { .. });
    let findings: Vec<_> = doctor().findings().iter().filter(|finding| !expected(finding)).cloned().collect();

    let requests = Requests::default();
    let flush = || providers.flush();
    requests.answer(count / 4, flush)?;
    let at_a_quarter = resident()?;
    requests.answer(count, flush)?;
    let at_the_end = resident()?;
    providers.shut_down()?;

    let events: u64 = received
        .counts()
        .iter()
        .filter(|(name, _)| name.starts_with("log propagator."))
        .map(|(_, n)| n)
        .sum();
    println!(
        "| {way} | {} | {} | {} | {events} | {at_a_quarter} | {at_the_end} |",
        received.count("span answer"),
        received.count("log payment failed"),
        console.0.load(Ordering::Relaxed),
    );
    let mut wrong = Vec::new();
    let mut must_be = |what: &str, is: u64, expected: u64| {
        if is != expected {
            wrong.push(format!("{what}: {is}, not {expected}"));
        }
    };
    let recorded = requests.recorded.load(Ordering::Relaxed);
    must_be("spans", received.count("span answer"), recorded);
    must_be("spans of the calls", received.count("span call"), recorded);
    must_be(
        "spans with their tenant",
        received.count("span answer with its tenant"),
        requests.tenants.load(Ordering::Relaxed),
    );
    must_be("log records", received.count("log payment failed"), count);
    must_be("console lines", console.0.load(Ordering::Relaxed), count);
    must_be("requests with too much baggage", requests.too_long.load(Ordering::Relaxed), 0);
    wrong.extend(findings.iter().map(|finding| format!("doctor: {finding}")));
    if recorded == 0 || events == 0 {
        wrong.push("nothing was recorded, or no event told of a bad header".to_owned());
    }
    for metric in [
        "propagator.extractions",
        "propagator.injected.size",
        "propagator.baggage.left_out",
        "propagator.info",
    ] {
        if received.count(&format!("metric {metric}")) == 0 {
            wrong.push(format!("no {metric}"));
        }
    }
    // The queues of the exporters fill and empty.
    if at_the_end > at_a_quarter + 8 * 1024 {
        wrong.push(format!("memory grew from {at_a_quarter} to {at_the_end} KiB"));
    }
    Ok(wrong)
}

/// Every format, limits, metrics, a boundary.
fn everything() -> Result<CompositePropagator> {
    let boundary = Boundary::allow_all()
        .inbound(Inbound::new("gateway", Strategy::RestartWithLink).when_header("x-anonymous", "1"))
        .outbound(Outbound::external("partner").hosts(["partner.example"])?);
    let list = "tracecontext,b3,b3multi,jaeger,xray,ottrace,baggage";
    let builder = Registry::new().builder_from_list(list)?;
    Ok(builder.boundary(boundary).meter(&global::meter("soak")).build())
}

struct Providers {
    traces: SdkTracerProvider,
    logs: SdkLoggerProvider,
    metrics: SdkMeterProvider,
}

impl Providers {
    fn new(address: &str, way: &str) -> Result<Self> {
        let spans =
            SpanExporter::builder().with_http().with_endpoint(format!("{address}/v1/traces")).build()?;
        // Room for what two threads record between two exports: a full queue would lose spans by design.
        let room =
            BatchConfigBuilder::default().with_max_queue_size(1 << 14).with_max_export_batch_size(1 << 12);
        let traces = SdkTracerProvider::builder()
            .with_sampler(DecisionSampler::new(Sampler::AlwaysOn))
            .with_span_processor(
                BaggageSpanProcessor::new(Keys::of(&["tenant"]))
                    .before(BatchSpanProcessor::builder(spans).with_batch_config(room.build()).build()),
            )
            .build();
        let logs = LogExporter::builder().with_http().with_endpoint(format!("{address}/v1/logs")).build()?;
        let builder =
            SdkLoggerProvider::builder().with_log_processor(BaggageLogProcessor::new(Keys::of(&["tenant"])));
        let logs = if way == "simple" {
            builder.with_simple_exporter(logs)
        } else {
            let room = LogBatch::default().with_max_queue_size(1 << 14).with_max_export_batch_size(1 << 12);
            builder
                .with_log_processor(BatchLogProcessor::builder(logs).with_batch_config(room.build()).build())
        }
        .build();
        let exporter =
            MetricExporter::builder().with_http().with_endpoint(format!("{address}/v1/metrics")).build()?;
        let metrics = SdkMeterProvider::builder().with_periodic_exporter(exporter).build();
        global::set_tracer_provider(traces.clone());
        global::set_meter_provider(metrics.clone());
        Ok(Self { traces, logs, metrics })
    }

    fn flush(&self) -> OTelSdkResult {
        self.traces.force_flush()?;
        self.logs.force_flush()
    }

    fn shut_down(self) -> Result {
        self.traces.shutdown()?;
        self.logs.shutdown()?;
        self.metrics.shutdown()?;
        Ok(())
    }
}

/// Counts the application's lines.
#[derive(Clone, Default)]
struct Console(Arc<AtomicU64>);

impl io::Write for Console {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let is_ours = line.windows(b"payment failed".len()).any(|part| part == b"payment failed");
        self.0.fetch_add(u64::from(is_ours), Ordering::Relaxed);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn subscribe(way: &str, logs: &SdkLoggerProvider, console: &Console) {
    let console = console.clone();
    let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || console.clone());
    // What the exporter's own client says is not exported: it would never end.
    let bridge = OpenTelemetryTracingBridge::new(logs);
    let ours = tracing_subscriber::filter::filter_fn(|metadata| {
        metadata.target().starts_with("soak") || metadata.target().starts_with("otel_propagator")
    });
    if way == "batch-with-filters" {
        tracing_subscriber::registry()
            .with(lines.with_filter(LevelFilter::ERROR))
            .with(bridge.with_filter(LevelFilter::INFO).with_filter(ours))
            .init();
    } else {
        tracing_subscriber::registry().with(lines).with(bridge.with_filter(ours)).init();
    }
}

/// The service: what it was asked so far, and what it recorded of it.
#[derive(Default)]
struct Requests {
    answered: AtomicU64,
    recorded: AtomicU64,
    tenants: AtomicU64,
    too_long: AtomicU64,
}

impl Requests {
    /// Answers requests until there were so many.
    fn answer(&self, count: u64, flush: impl Fn() -> OTelSdkResult + Sync) -> Result {
        let next = AtomicU64::new(self.answered.swap(count, Ordering::Relaxed));
        thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let number = next.fetch_add(1, Ordering::Relaxed);
                            if number >= count {
                                return;
                            }
                            self.one(number);
                            // What is recorded while a queue is full is lost by design.
                            if number % 1000 == 0 && flush().is_err() {
                                return;
                            }
                        }
                    })
                })
                .collect();
            threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked".into()))
        })
    }

    /// Reads a request, logs, and calls another service with a copy of the request's headers, as a proxy does.
    fn one(&self, number: u64) {
        let received = requests::request(number);
        let parent = global::get_text_map_propagator(|it| it.extract(&HeaderExtractor::new(&received)));
        let tracer = global::tracer("soak");
        let span =
            tracer.span_builder("answer").with_kind(SpanKind::Server).start_with_context(&tracer, &parent);
        let cx = parent.with_span(span);
        let recorded = cx.span().is_recording();
        self.recorded.fetch_add(u64::from(recorded), Ordering::Relaxed);
        let has_tenant = opentelemetry::baggage::BaggageExt::baggage(&cx).get("tenant").is_some();
        self.tenants.fetch_add(u64::from(recorded && has_tenant), Ordering::Relaxed);
        let _current = cx.attach();
        tracing::error!("payment failed");
        let call = tracer.span_builder("call").with_kind(SpanKind::Client).start(&tracer);
        let cx = Context::current_with_span(call);
        let mut sent = received;
        sent.insert(HeaderName::from_static("host"), HeaderValue::from_static("orders.example"));
        global::get_text_map_propagator(|it| it.inject_context(&cx, &mut HeaderInjector::new(&mut sent, it)));
        self.too_long.fetch_add(u64::from(baggage_bytes(&sent) > SENT_AT_MOST), Ordering::Relaxed);
    }
}

fn baggage_bytes(headers: &HeaderMap) -> usize {
    headers.get_all("baggage").iter().map(HeaderValue::len).sum()
}

/// The memory that this process has, in KiB.
fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
