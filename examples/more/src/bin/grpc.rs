//! How do a trace and its baggage cross gRPC, in one call and in a stream?
//!
//! The service is written by hand, without a `.proto` file and `protoc`; generated code carries metadata alike.

use axum::{Router, extract::Request as HttpRequest, routing::post};
use examples::{Result, Spans, ensure, is_child, print_trees, serve, with_span};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{Response as HttpResponse, uri::PathAndQuery};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use otel_carriers::grpc::{ClientLayer, ClientService, ServerLayer};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    server::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tower::{Layer, service_fn};

const PLACE: &str = "/examples.Orders/Place";
const WATCH: &str = "/examples.Orders/Watch";

#[tokio::main]
async fn main() -> Result {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let propagator = CompositePropagator::builder().trace(trace).baggage(baggage).build();
    let spans = Spans::install(propagator.clone());
    let router = Router::new().route(PLACE, post(place)).route(WATCH, post(watch));
    let address = serve(router.layer(ServerLayer::new(propagator.clone()))).await?;
    let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
    let channel = ClientLayer::new(propagator).layer(channel);

    let answer = call_place(channel.clone()).await?;
    println!("unary: {answer}");
    ensure(answer == "order 7 for acme-retail", "the baggage arrives")?;

    let answers = call_watch(channel).await?;
    println!("streaming: {}", answers.join(", "));
    ensure(
        answers == ["1 of 3 for acme-retail", "2 of 3 for acme-retail", "3 of 3 for acme-retail"],
        "in each message",
    )?;

    print_trees(&spans.all()?);
    for (server, client) in [("Place", "call Place"), ("Watch", "call Watch")] {
        ensure(is_child(&spans.named(server)?, &spans.named(client)?), "the server's span is the child")?;
    }
    Ok(())
}

type Client = ClientService<CompositePropagator, Channel>;

/// A client span and the baggage of a request. The layer of the client writes what is current when it calls.
fn calling(name: &'static str) -> Context {
    with_span(&Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]), name, SpanKind::Client)
}

async fn call_place(channel: Client) -> Result<String> {
    let context = calling("call Place");
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let (request, path) = (Request::new("order 7".to_owned()), PathAndQuery::from_static(PLACE));
    let answer: Response<String> =
        client.unary(request, path, ProstCodec::default()).with_context(context.clone()).await?;
    context.span().end();
    Ok(answer.into_inner())
}

async fn call_watch(channel: Client) -> Result<Vec<String>> {
    let context = calling("call Watch");
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let (request, path) = (Request::new("order 7".to_owned()), PathAndQuery::from_static(WATCH));
    let answers: Response<Streaming<String>> =
        client.server_streaming(request, path, ProstCodec::default()).with_context(context.clone()).await?;
    let answers = answers.into_inner().try_collect().await?;
    context.span().end();
    Ok(answers)
}

/// Unary: the answer is made in the context of the request.
async fn place(request: HttpRequest) -> HttpResponse<Body> {
    let place = |request: Request<String>| async move {
        let context = server_context("Place");
        let answer = format!("{} for {}", request.get_ref(), tenant(&context));
        context.span().end();
        Ok::<_, Status>(Response::new(answer))
    };
    Grpc::new(ProstCodec::<String, String>::default()).unary(service_fn(place), request).await
}

/// Streaming: the stream outlives the call. The layer makes the caller's context current whenever it is polled; the span of
/// this service goes with it by `with_context`.
async fn watch(request: HttpRequest) -> HttpResponse<Body> {
    let watch = |_: Request<String>| async move {
        let context = server_context("Watch");
        let messages = stream::iter(1..=3).map(|number| {
            let context = Context::current();
            if number == 3 {
                context.span().end();
            }
            Ok(format!("{number} of 3 for {}", tenant(&context)))
        });
        Ok::<_, Status>(Response::new(messages.with_context(context)))
    };
    Grpc::new(ProstCodec::<String, String>::default()).server_streaming(service_fn(watch), request).await
}

/// The layer has made the caller's context current: a server span in it.
fn server_context(name: &'static str) -> Context {
    with_span(&Context::current(), name, SpanKind::Server)
}

fn tenant(context: &Context) -> String {
    context.baggage().get("tenant").map_or("nobody".to_owned(), ToString::to_string)
}
