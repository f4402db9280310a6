//! Metadata of gRPC.

#![cfg(feature = "tonic")]
mod common;

use common::{OTHER, Sets, TRACEPARENT, all, both, context, seen};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::{Context, propagation::Extractor, trace::TraceContextExt};
use otel_carriers::grpc::{self, ClientLayer, MetadataExtractor, ServerLayer};
use std::{
    convert::Infallible,
    future::{Ready, poll_fn, ready},
    pin::{Pin, pin},
    task::{Poll, Waker},
};
use tonic::metadata::MetadataMap;
use tower_layer::Layer;
use tower_service::Service;

fn current() -> String {
    seen(&Context::current())
}

#[test]
fn metadata_is_written_and_read() {
    let cx = context(&[("traceparent", TRACEPARENT), ("tracestate", "a=1"), ("baggage", "k=v")]);
    let mut metadata = MetadataMap::new();
    for (key, value) in [("traceparent", OTHER), ("baggage", "secret=1"), ("baggage", "b=2"), ("id", "7")] {
        metadata.append(key, value.parse().unwrap());
    }
    grpc::inject(&all(), &cx, &mut metadata);
    assert_eq!(seen(&grpc::extract(&all(), &metadata)), seen(&cx));
    assert_eq!(metadata.get_all("baggage").iter().collect::<Vec<_>>(), ["k=v"]);
    assert!(metadata.get("traceparent").unwrap().is_sensitive());
    grpc::inject(&all(), &Context::new(), &mut metadata);
    assert_eq!(MetadataExtractor::new(&metadata).keys(), ["id"]);
}

#[test]
fn every_entry_is_read_and_nothing_binary() {
    let mut headers = HeaderMap::new();
    for (name, value) in [("baggage", "a=1"), ("baggage", "b=2"), ("grpc-trace-bin", "AAA"), ("BIN", "x")] {
        headers.append(name, value.parse().unwrap());
    }
    headers.append("baggage", HeaderValue::from_bytes(b"\xff").unwrap());
    let metadata = MetadataMap::from_headers(headers);
    let extractor = MetadataExtractor::new(&metadata);
    assert_eq!(
        (extractor.get("Baggage"), extractor.get_all("baggage")),
        (Some("a=1"), Some(vec!["a=1", "b=2"]))
    );
    assert_eq!((extractor.get("grpc-trace-bin"), extractor.get_all("GRPC-TRACE-BIN")), (None, None));
    assert_eq!((extractor.get("bin"), extractor.get("tracestate")), (Some("x"), None));
    assert_eq!(extractor.keys(), ["baggage", "bin"]);
}

#[test]
fn only_ascii_is_written() {
    let set = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let rows = vec![
        set("baggage", "a=1;\tp"),
        set("traceparent", "\u{e9}"),
        set("grpc-trace-bin", "AAA"),
        set("X-BIN", "AAA"),
        set("-bin", "AAA"),
        set("bin", " ~"),
        set("\u{e9}in", "1"),
        set("tracestate", ""),
    ];
    let mut metadata = MetadataMap::new();
    metadata.insert("baggage", "secret=1".parse().unwrap());
    let events = testing::lines(|| grpc::inject(&Sets(rows), &Context::new(), &mut metadata));
    assert_eq!(MetadataExtractor::new(&metadata).keys(), ["bin"]);
    let event = "WARN propagator.not_carried carrier=grpc direction=out header=baggage rule=not ASCII metadata values=6 \
                 bytes=6 suppressed=0";
    assert_eq!(events, [event]);
}

/// A handler that looks at the current context when it is called, when it is polled, and with each message.
#[derive(Clone, Default)]
struct Handler;

struct Messages(Vec<String>);

impl Body for Messages {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        self.0.push(current());
        Poll::Ready((self.0.len() < 4).then_some(Ok(Frame::data(&b"message"[..]))))
    }
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Messages>, Infallible>>>>;

impl Service<Request<()>> for Handler {
    type Response = Response<Messages>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Answer {
        let called = current();
        let mut polls = 0;
        let answer = poll_fn(move |task| {
            polls += 1;
            task.waker().wake_by_ref();
            if polls < 2 {
                Poll::Pending
            } else {
                Poll::Ready(Ok(Response::new(Messages(vec![called.clone(), current()]))))
            }
        });
        Box::pin(answer)
    }
}

#[test]
fn a_handler_and_its_stream_run_in_the_context_of_their_request() {
    let mut service = ServerLayer::new(both()).clone().layer(Handler).clone();
    let request = |traceparent: &str| Request::get("/").header("traceparent", traceparent).body(()).unwrap();
    let mut task = std::task::Context::from_waker(Waker::noop());
    let (mut first, mut second) =
        (pin!(service.call(request(TRACEPARENT))), pin!(service.call(request(OTHER))));
    // Two requests on one thread, in turn.
    assert!(first.as_mut().poll(&mut task).is_pending());
    assert!(second.as_mut().poll(&mut task).is_pending());
    for (answer, parent) in [(first, TRACEPARENT), (second, OTHER)] {
        let mut answer = answer;
        let Poll::Ready(Ok(answer)) = answer.as_mut().poll(&mut task) else { panic!("an answer") };
        assert!(!Context::current().has_active_span(), "in between nothing is current");
        let mut body = pin!(answer.into_body());
        assert!(!body.is_end_stream());
        while let Poll::Ready(Some(_)) = body.as_mut().poll_frame(&mut task) {}
        let seen = format!("{body:?}");
        let ids = seen_of(parent);
        assert_eq!(seen.matches(&ids).count(), 4, "called, polled, and two messages: {seen}");
    }
}

fn seen_of(traceparent: &str) -> String {
    seen(&context(&[("traceparent", traceparent)]))
}

impl std::fmt::Debug for Messages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// A server that answers with the headers it received.
struct Echo;

impl Service<Request<()>> for Echo {
    type Response = HeaderMap;
    type Error = Infallible;
    type Future = Ready<Result<HeaderMap, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        ready(Ok(request.into_parts().0.headers))
    }
}

#[test]
fn every_call_carries_the_current_context() {
    let mut service = ClientLayer::new(both()).clone().layer(Echo);
    let mut send = || {
        let request = Request::get("/").header("baggage", "secret=1").body(()).unwrap();
        service.call(request).into_inner().unwrap()
    };
    assert!(send().is_empty(), "nothing is current");
    let _current = context(&[("traceparent", TRACEPARENT)]).attach();
    let received = send();
    assert_eq!(received.keys().collect::<Vec<_>>(), ["traceparent"]);
    assert_eq!(received["traceparent"], TRACEPARENT);
}

/// A service that is not ready, and answers with a body whose length is known.
struct Busy;

struct Known;

impl Body for Known {
    type Data = &'static [u8];
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(7)
    }
}

impl Service<Request<()>> for Busy {
    type Response = Response<Known>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Known>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Pending
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(Known)))
    }
}

#[test]
fn what_a_service_says_of_itself_is_handed_on() {
    let mut task = std::task::Context::from_waker(Waker::noop());
    let mut server = ServerLayer::new(both()).layer(Busy);
    assert!(Service::<Request<()>>::poll_ready(&mut server, &mut task).is_pending());
    assert!(ClientLayer::new(both()).layer(Busy).poll_ready(&mut task).is_pending());
    let Poll::Ready(Ok(answer)) = pin!(server.call(Request::new(()))).poll(&mut task) else {
        panic!("an answer")
    };
    assert!(answer.body().is_end_stream());
    assert_eq!(answer.body().size_hint().exact(), Some(7));
}
