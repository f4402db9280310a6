//! A job is written to a table now and done tomorrow: does it still know the trace that ordered it?

use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    global,
    trace::{Link, SpanId, SpanKind, TraceContextExt, Tracer},
};
use otel_carriers::{ContextMap, sql_comment};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};

/// A row of the outbox table, as JSON in one column.
#[derive(serde::Deserialize, serde::Serialize)]
struct Job {
    task: String,
    /// Empty in rows of older versions.
    #[serde(default)]
    context: ContextMap,
}

fn main() -> Result {
    let trace = TraceContextPropagator::new();
    let propagator = CompositePropagator::builder().trace(trace).baggage(BaggagePropagator::new()).build();
    let spans = Spans::install(propagator.clone());

    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let request = with_span(&context, "POST /invoices", SpanKind::Server);
    let job = Job { task: "send invoice 7".to_owned(), context: ContextMap::inject(&propagator, &request) };
    let row = serde_json::to_string(&job)?;
    println!("the row: {row}");
    let insert = "INSERT INTO outbox (job) VALUES ($1);";
    println!("the statement: {}", sql_comment(&trace, &request, insert));
    ensure(!sql_comment(&trace, &request, insert).contains("acme"), "no baggage in the database's log")?;
    request.span().end();

    // At once: the work is a part of the request.
    let job: Job = serde_json::from_str(&row)?;
    println!("{}:", job.task);
    let work = with_span(&job.context.extract(&propagator), "at once", SpanKind::Consumer);
    ensure(work.baggage().get("tenant").is_some_and(|it| it.as_str() == "acme-retail"), "it has the tenant")?;
    work.span().end();

    // Tomorrow: a trace of its own that says where it came from.
    let ordered = job.context.extract(&propagator);
    let tracer = global::tracer("examples");
    let link = Link::with_context(ordered.span().span_context().clone());
    tracer.span_builder("tomorrow").with_links(vec![link]).start_with_context(&tracer, &Context::new());

    // A row that an older version wrote, and one that somebody edited.
    for row in [r#"{"task":"an older row"}"#, r#"{"task":"an edited row","context":{"traceparent":7}}"#] {
        let job: Job = serde_json::from_str(row)?;
        ensure(
            !job.context.extract(&propagator).span().span_context().is_valid(),
            "a row without a trace works",
        )?;
    }

    print_trees(&spans.all()?);
    let (request, work) = (spans.named("POST /invoices")?, spans.named("at once")?);
    ensure(is_child(&work, &request), "the work is in the request's trace")?;
    let tomorrow = spans.named("tomorrow")?;
    let links = tomorrow.links.iter().map(|link| link.span_context.span_id());
    let links_back = links.eq([request.span_context.span_id()]);
    ensure(tomorrow.parent_span_id == SpanId::INVALID && links_back, "tomorrow's work links to the request")
}
