//! Are a process, its child and its grandchild in one trace, and what of an older trace reaches them?
//!
//! The program starts itself: as a parent that starts a child that starts a grandchild.

use examples::{Result, Spans, ensure, with_span};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    trace::{SpanKind, TraceContextExt},
};
use otel_carriers::environment::{self, EnvInjector};
use otel_composite::{
    B3Propagator, BaggagePropagator, CompositePropagator, TraceContextPropagator, extract_only,
};
use std::{env, process::Command};

fn main() -> Result {
    match env::args().nth(1).as_deref() {
        None => start(),
        Some("parent") => work("parent", Some("child")),
        Some("child") => work("child", Some("grandchild")),
        Some("grandchild") => work("grandchild", None),
        // A scheduler that starts a trace of its own for each job.
        Some(_) => job(),
    }
}

const CI: &str = "0af7651916cd43dd8448eb211c80319c";

/// As a CI server does that traces its jobs.
fn start() -> Result {
    let ci = || {
        let mut command = Command::new(env::current_exe()?);
        command
            .env("TRACEPARENT", format!("00-{CI}-b7ad6b7169203331-01"))
            .env("BAGGAGE", "tenant=acme-retail");
        command.env("B3", "0");
        Ok::<_, examples::Error>(command)
    };
    let report = output(ci()?.arg("parent"))?;
    print!("three processes:\n{report}");
    let lines: Vec<Vec<&str>> = report.lines().map(|line| line.split(' ').collect()).collect();
    let [parent, child, grandchild] = lines.as_slice() else { return Err("not three processes".into()) };
    ensure(lines.iter().all(|line| line.get(1) == Some(&CI)), "one trace, the CI server's")?;
    ensure(
        child.get(3) == parent.get(2) && grandchild.get(3) == child.get(2),
        "each is the child of its starter",
    )?;
    ensure(lines.iter().all(|line| line.last() == Some(&"acme-retail")), "the baggage reaches all of them")?;

    let report = output(ci()?.arg("job"))?;
    print!("\na scheduler that starts a trace of its own:\n{report}");
    ensure(
        !report.contains(CI) && report.contains("TRACEPARENT=00-"),
        "its job is not in the CI server's trace",
    )?;
    ensure(
        !report.contains("BAGGAGE") && !report.contains("B3"),
        "nothing of the older context reaches its job",
    )
}

/// One of the three: reads its context when it starts, and writes that of the process that it starts.
fn work(name: &'static str, next: Option<&str>) -> Result {
    let propagator = propagator();
    let _spans = Spans::install(propagator.clone());
    let caller = environment::extract(&propagator, propagator.extract_fields());
    let context = with_span(&caller, name, SpanKind::Internal);
    let tenant = context.baggage().get("tenant").map(ToString::to_string).unwrap_or_default();
    let span = context.span().span_context().clone();
    println!(
        "{name} {} {} {} {tenant}",
        span.trace_id(),
        span.span_id(),
        caller.span().span_context().span_id()
    );
    if let Some(next) = next {
        let mut command = Command::new(env::current_exe()?);
        environment::inject(&propagator, &context, command.arg(next));
        print!("{}", output(&mut command)?);
    }
    context.span().end();
    Ok(())
}

/// The scheduler's job is a shell that shows its variables.
fn job() -> Result {
    use opentelemetry::propagation::TextMapPropagator;
    let propagator = propagator();
    let _spans = Spans::install(propagator.clone());
    let context = with_span(&Context::new(), "job", SpanKind::Internal);
    // B3 is read here and not written, so the propagator does not name its variables: they are removed by name.
    let mut environment = EnvInjector::new(&propagator).remove(["b3"]);
    propagator.inject_context(&context, &mut environment);
    let mut command = Command::new("sh");
    environment.apply(command.args(["-c", "env | grep -E '^(TRACE|BAGGAGE|B3)'"]));
    print!("{}", output(&mut command)?);
    context.span().end();
    Ok(())
}

fn propagator() -> CompositePropagator {
    CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(extract_only(B3Propagator::single()))
        .baggage(BaggagePropagator::new())
        .build()
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output()?;
    ensure(
        output.status.success(),
        &format!("the process ends well: {}", String::from_utf8_lossy(&output.stderr)),
    )?;
    Ok(String::from_utf8(output.stdout)?)
}
