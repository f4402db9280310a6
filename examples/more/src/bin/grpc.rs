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
    global,
    propagation::{Extractor, Injector},
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use otel_composite::{BaggagePropagator, CompositePropagator, TraceContextPropagator};
use tonic::{
    Request, Response, Status, Streaming,
    body::Body,
    metadata::{KeyRef, MetadataKey, MetadataMap},
    server::Grpc,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;
use tower::service_fn;

const PLACE: &str = "/examples.Orders/Place";
const WATCH: &str = "/examples.Orders/Watch";

#[tokio::main]
async fn main() -> Result {
    let (trace, baggage) = (TraceContextPropagator::new(), BaggagePropagator::new());
    let spans = Spans::install(CompositePropagator::builder().trace(trace).baggage(baggage).build());
    let router = Router::new().route(PLACE, post(place)).route(WATCH, post(watch));
    let channel = Endpoint::from_shared(format!("http://{}", serve(router).await?))?.connect().await?;

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

/// A client span, and a request that carries it.
fn request(name: &'static str, message: &str) -> (Context, Request<String>) {
    let context = Context::new().with_baggage([KeyValue::new("tenant", "acme-retail")]);
    let context = with_span(&context, name, SpanKind::Client);
    let mut request = Request::new(message.to_owned());
    let mut carrier = Metadata(request.metadata_mut());
    global::get_text_map_propagator(|global| global.inject_context(&context, &mut carrier));
    (context, request)
}

async fn call_place(channel: Channel) -> Result<String> {
    let (context, request) = request("call Place", "order 7");
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let answer: Response<String> =
        client.unary(request, PathAndQuery::from_static(PLACE), ProstCodec::default()).await?;
    context.span().end();
    Ok(answer.into_inner())
}

async fn call_watch(channel: Channel) -> Result<Vec<String>> {
    let (context, request) = request("call Watch", "order 7");
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await?;
    let answers: Response<Streaming<String>> =
        client.server_streaming(request, PathAndQuery::from_static(WATCH), ProstCodec::default()).await?;
    let answers = answers.into_inner().try_collect().await?;
    context.span().end();
    Ok(answers)
}

/// Unary: the answer is made in the context of the request.
async fn place(request: HttpRequest) -> HttpResponse<Body> {
    let place = |mut request: Request<String>| async move {
        let context = server_context("Place", &mut request);
        let answer = format!("{} for {}", request.get_ref(), tenant(&context));
        context.span().end();
        Ok::<_, Status>(Response::new(answer))
    };
    Grpc::new(ProstCodec::<String, String>::default()).unary(service_fn(place), request).await
}

/// Streaming: the stream outlives the call, so the context goes with it and is current whenever it is polled.
async fn watch(request: HttpRequest) -> HttpResponse<Body> {
    let watch = |mut request: Request<String>| async move {
        let context = server_context("Watch", &mut request);
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

/// gRPC metadata as a carrier.
struct Metadata<'a>(&'a mut MetadataMap);

impl Injector for Metadata<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (MetadataKey::from_bytes(key.as_bytes()), value.parse()) {
            self.0.insert(key, value);
        }
    }
}

impl Extractor for Metadata<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        let name = |key| match key {
            KeyRef::Ascii(key) => key.as_str(),
            KeyRef::Binary(key) => key.as_str(),
        };
        self.0.keys().map(name).collect()
    }

    // A header may come on several lines; without this only the first of them would be read.
    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        self.0
            .contains_key(key)
            .then(|| self.0.get_all(key).iter().filter_map(|line| line.to_str().ok()).collect())
    }
}

/// The context of a request, and a server span in it.
fn server_context(name: &'static str, request: &mut Request<String>) -> Context {
    let carrier = Metadata(request.metadata_mut());
    let parent =
        global::get_text_map_propagator(|global| global.extract_with_context(&Context::new(), &carrier));
    with_span(&parent, name, SpanKind::Server)
}

fn tenant(context: &Context) -> String {
    context.baggage().get("tenant").map_or("nobody".to_owned(), ToString::to_string)
}
