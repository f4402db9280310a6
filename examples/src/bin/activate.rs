//! Does `extract` make the caller's context the current one, and how long does it stay current?

use examples::{Result, ensure, extract, install};
use opentelemetry::{
    Context,
    trace::{FutureExt, TraceContextExt},
};
use opentelemetry_sdk::trace::SdkTracerProvider;
use otel_composite::TraceContextPropagator;

const REQUEST_A: &str = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-b7ad6b7169203331-01";
const REQUEST_B: &str = "00-bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb-b7ad6b7169203331-01";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    install(TraceContextPropagator::new(), SdkTracerProvider::default());
    let (a, b) = (received(REQUEST_A)?, received(REQUEST_B)?);

    show("after extract", "none")?;
    let outer = a.clone().attach();
    show("attached A", "aaaa")?;
    let inner = b.clone().attach();
    show("attached B inside A", "bbbb")?;
    drop(inner);
    show("dropped B's guard", "aaaa")?;
    drop(outer);
    show("dropped A's guard", "none")?;

    println!("\ntwo requests on one thread, each holding its guard across an await (the mistake):");
    let (seen_by_a, _) = tokio::join!(biased; guard_across_await(a.clone()), guard_across_await(b.clone()));
    println!("  request A found itself in trace {seen_by_a}");
    ensure(seen_by_a == "bbbb", "a guard held across an await shows another request's trace")?;
    show("  afterwards", "none")?;

    println!("\nthe same two requests as futures with a context (the right way):");
    let (seen_by_a, seen_by_b) =
        tokio::join!(active_after_await().with_context(a), active_after_await().with_context(b));
    println!("  request A found itself in trace {seen_by_a}, request B in {seen_by_b}");
    ensure(seen_by_a == "aaaa" && seen_by_b == "bbbb", "with_context keeps the requests apart")?;
    show("  afterwards", "none")
}

fn received(traceparent: &str) -> Result<Context> {
    let headers = [(http::HeaderName::from_static("traceparent"), traceparent.parse()?)];
    Ok(extract(&headers.into_iter().collect()))
}

/// The first four digits of the current trace id.
fn active() -> String {
    let context = Context::current();
    let span = context.span();
    if !span.span_context().is_valid() {
        return "none".to_owned();
    }
    format!("{:.4}", span.span_context().trace_id().to_string())
}

fn show(moment: &str, expected: &str) -> Result {
    println!("{moment}: current trace {}", active());
    ensure(active() == expected, moment)
}

/// Wrong: while this future sleeps, its context stays the current one of the thread, for everybody.
async fn guard_across_await(context: Context) -> String {
    let _guard = context.attach();
    active_after_await().await
}

/// What a request sees after it has waited for something.
async fn active_after_await() -> String {
    tokio::task::yield_now().await;
    active()
}
