//! Which tasks and threads have the context of the code that started them, and how is it given to the others?

use examples::{Result, Spans, ensure, with_span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use otel_composite::TraceContextPropagator;

#[tokio::main]
async fn main() -> Result {
    let _spans = Spans::install(TraceContextPropagator::new());
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, "request", SpanKind::Server);
    println!("{:16} {:13} {:13} how", "place", "by itself", "carried");
    places().with_context(context).await
}

/// Runs in the context of a request.
async fn places() -> Result {
    let here = active();
    tokio::task::yield_now().await;
    row(".await", &active(), &here, "nothing to do: the future has the context whenever it is polled")?;

    let bare = tokio::spawn(async { active() }).await?;
    let carried = tokio::spawn(async { active() }.with_current_context()).await?;
    row("tokio::spawn", &bare, &carried, "future.with_current_context()")?;

    let bare = tokio::task::spawn_blocking(active).await?;
    let carried = tokio::task::spawn_blocking(in_current(active)).await?;
    row("spawn_blocking", &bare, &carried, "clone the context, attach the clone in the closure")?;

    let bare = std::thread::spawn(active).join().map_err(|_| "the thread panicked")?;
    let carried = std::thread::spawn(in_current(active)).join().map_err(|_| "the thread panicked")?;
    row("std::thread", &bare, &carried, "clone the context, attach the clone in the closure")?;

    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build()?;
    let bare = pool.install(active);
    let carried = pool.install(in_current(active));
    row("rayon", &bare, &carried, "clone the context, attach the clone in the closure")?;
    ensure(pool.install(active) == "none", "a worker of the pool forgets the context when the closure ends")
}

/// `work`, to be done in the context that is current now.
fn in_current<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let context = Context::current();
    move || {
        let _guard = context.attach();
        work()
    }
}

/// The current trace and tenant, in short.
fn active() -> String {
    let context = Context::current();
    let trace_id = context.span().span_context().trace_id().to_string();
    context.baggage().get("tenant").map_or("none".to_owned(), |tenant| format!("{trace_id:.4} {tenant:.4}"))
}

fn row(place: &str, bare: &str, carried: &str, how: &str) -> Result {
    println!("{place:16} {bare:13} {carried:13} {how}");
    let expected = if place == ".await" { active() } else { "none".to_owned() };
    ensure(bare == expected, "what has the context by itself")?;
    ensure(carried == active(), "what has it when it is carried")
}
