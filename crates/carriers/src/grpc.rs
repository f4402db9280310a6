//! Metadata of gRPC, by `tonic`.
//!
//! ```
//! use opentelemetry::trace::TraceContextExt;
//! use otel_carriers::grpc;
//! use otel_tracecontext::TraceContextPropagator;
//! use tonic::Request;
//!
//! let propagator = TraceContextPropagator::new();
//! let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
//! let mut received = Request::new("order 7");
//! received.metadata_mut().insert("traceparent", traceparent.parse().unwrap());
//! let cx = grpc::extract(&propagator, received.metadata());
//!
//! let mut sent = Request::new("order 7");
//! grpc::inject(&propagator, &cx, sent.metadata_mut());
//! assert_eq!(sent.metadata().get("traceparent").unwrap(), traceparent);
//! ```
//!
//! For a whole server and client, [`ServerLayer`] and [`ClientLayer`] do the same for every call. Values are ASCII, and
//! context is never in `-bin` metadata: `grpc-trace-bin` is neither read nor written. Ids are not indexed, as in
//! [`headers`](crate::headers#ids-and-http2).

use crate::headers::{HeaderExtractor, HeaderInjector};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use opentelemetry::{
    Context,
    context::{FutureExt, WithContext},
    propagation::{Extractor, Injector, TextMapPropagator},
};
use pin_project_lite::pin_project;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Poll, ready},
};
use tonic::metadata::MetadataMap;
use tower_layer::Layer;
use tower_service::Service;

/// Writes `cx` into the metadata of a request, and nothing of an older context stays in it.
pub fn inject(propagator: &dyn TextMapPropagator, cx: &Context, metadata: &mut MetadataMap) {
    propagator.inject_context(cx, &mut MetadataInjector::new(metadata, propagator));
}

/// The context that the metadata of a request carries.
#[must_use]
pub fn extract(propagator: &dyn TextMapPropagator, metadata: &MetadataMap) -> Context {
    propagator.extract_with_context(&Context::new(), &MetadataExtractor::new(metadata))
}

/// Writes metadata.
///
/// A key that is set replaces all its entries. An empty value removes them where the key is a field of the propagator or a
/// format's own header. What is no ASCII metadata is left out, and an older entry of that name with it: an empty value of
/// any other key, a tab, which HTTP allows, and names that end in `-bin`.
///
/// ```
/// use opentelemetry::propagation::Injector;
/// use otel_carriers::grpc::MetadataInjector;
/// use otel_w3c_baggage::BaggagePropagator;
/// use tonic::metadata::MetadataMap;
///
/// let mut metadata = MetadataMap::new();
/// let propagator = BaggagePropagator::new();
/// let mut injector = MetadataInjector::new(&mut metadata, &propagator);
/// injector.set("baggage", "a=1".to_owned());
/// injector.set("grpc-trace-bin", "AAA".to_owned());
/// injector.set("tracestate", "a=\t1".to_owned());
/// assert_eq!(metadata.len(), 1);
/// ```
#[derive(Debug)]
pub struct MetadataInjector<'a>(HeaderInjector<'a>);

impl<'a> MetadataInjector<'a> {
    /// Begins with the removal of all fields of the propagator.
    #[must_use]
    pub fn new(metadata: &'a mut MetadataMap, propagator: &'a dyn TextMapPropagator) -> Self {
        Self::over(metadata.as_mut(), propagator)
    }

    fn over(headers: &'a mut HeaderMap, propagator: &'a dyn TextMapPropagator) -> Self {
        Self(HeaderInjector::in_carrier("grpc", headers, propagator))
    }
}

impl Injector for MetadataInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        if self.0.removes(key, &value) || is_ascii_value(&value) && !is_binary(key) {
            self.0.set(key, value);
        } else {
            self.0.leave_out(key, "not ASCII metadata", value.len());
        }
    }

    fn reserve(&mut self, additional: usize) {
        self.0.reserve(additional);
    }
}

/// > ASCII-Value → 1*( %x20-%x7E ) ; space and printable ASCII
///
/// <https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>
fn is_ascii_value(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// > Binary-Header → {Header-Name "-bin" }
fn is_binary(key: &str) -> bool {
    key.len().checked_sub(4).and_then(|at| key.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case("-bin"))
}

/// Reads metadata, all entries of a key in order.
///
/// ```
/// use opentelemetry::propagation::Extractor;
/// use otel_carriers::grpc::MetadataExtractor;
/// use tonic::metadata::MetadataMap;
///
/// let mut metadata = MetadataMap::new();
/// metadata.append("baggage", "a=1".parse().unwrap());
/// metadata.append("baggage", "b=2".parse().unwrap());
/// assert_eq!(MetadataExtractor::new(&metadata).get_all("baggage"), Some(vec!["a=1", "b=2"]));
/// ```
#[derive(Debug)]
pub struct MetadataExtractor<'a>(HeaderExtractor<'a>);

impl<'a> MetadataExtractor<'a> {
    /// Reads this metadata.
    #[must_use]
    pub fn new(metadata: &'a MetadataMap) -> Self {
        Self(HeaderExtractor::in_carrier("grpc", metadata.as_ref()))
    }
}

impl Extractor for MetadataExtractor<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        if is_binary(key) { None } else { self.0.get(key) }
    }

    fn keys(&self) -> Vec<&str> {
        let mut keys = self.0.keys();
        keys.retain(|key| !is_binary(key));
        keys
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        if is_binary(key) { None } else { self.0.get_all(key) }
    }
}

/// Makes the context of each request current for its handler, and for the messages that the handler streams.
///
/// The context is current whenever the handler's future and the body of its answer are polled, and never in between, so
/// that no other request on the same thread sees it. It starts no span: a span that the handler starts with
/// `Context::current()` is the child of the caller's. Put it outside of layers that do start one.
///
/// ```
/// use otel_carriers::grpc::ServerLayer;
/// use otel_tracecontext::TraceContextPropagator;
/// use tower_layer::Layer;
///
/// # let service = ();
/// // With tonic: `Server::builder().layer(ServerLayer::new(propagator)).add_service(…)`.
/// let service = ServerLayer::new(TraceContextPropagator::new()).layer(service);
/// ```
#[derive(Debug)]
pub struct ServerLayer<P>(Arc<P>);

impl<P> Clone for ServerLayer<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: TextMapPropagator> ServerLayer<P> {
    /// Reads with this propagator, such as the handle of `otel_composite::install`.
    pub fn new(propagator: P) -> Self {
        Self(Arc::new(propagator))
    }
}

impl<P, S> Layer<S> for ServerLayer<P> {
    type Service = ServerService<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerService { propagator: Arc::clone(&self.0), inner }
    }
}

/// A service behind a [`ServerLayer`].
#[derive(Debug)]
pub struct ServerService<P, S> {
    propagator: Arc<P>,
    inner: S,
}

impl<P, S: Clone> Clone for ServerService<P, S> {
    fn clone(&self) -> Self {
        Self { propagator: Arc::clone(&self.propagator), inner: self.inner.clone() }
    }
}

impl<P, S, B, R> Service<Request<B>> for ServerService<P, S>
where
    P: TextMapPropagator,
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = Response<InContext<R>>;
    type Error = S::Error;
    type Future = ServerFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let extractor = HeaderExtractor::in_carrier("grpc", request.headers());
        let cx = self.propagator.extract_with_context(&Context::new(), &extractor);
        drop(extractor);
        let current = cx.clone().attach();
        let handler = self.inner.call(request);
        drop(current);
        ServerFuture { handler: handler.with_context(cx.clone()), cx }
    }
}

pin_project! {
    /// The answer of a [`ServerService`].
    #[derive(Debug)]
    pub struct ServerFuture<F> {
        #[pin]
        handler: WithContext<F>,
        cx: Context,
    }
}

impl<F, R, E> Future for ServerFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<InContext<R>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut std::task::Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.handler.poll(task));
        Poll::Ready(answer.map(|answer| answer.map(|body| InContext { body, cx: this.cx.clone() })))
    }
}

pin_project! {
    /// The body of an answer, which is polled in the context of its request: so is the stream of a handler.
    #[derive(Debug)]
    pub struct InContext<B> {
        #[pin]
        body: B,
        cx: Context,
    }
}

impl<B: Body> Body for InContext<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        task: &mut std::task::Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let _current = this.cx.clone().attach();
        this.body.poll_frame(task)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Writes the current context into the metadata of every call.
///
/// It is the context that is current when the call is made: that of the client's span.
///
/// ```
/// use otel_carriers::grpc::ClientLayer;
/// use otel_tracecontext::TraceContextPropagator;
/// use tower_layer::Layer;
///
/// # let channel = ();
/// // With tonic: `OrdersClient::new(ClientLayer::new(propagator).layer(channel))`.
/// let channel = ClientLayer::new(TraceContextPropagator::new()).layer(channel);
/// ```
#[derive(Debug)]
pub struct ClientLayer<P>(Arc<P>);

impl<P> Clone for ClientLayer<P> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P: TextMapPropagator> ClientLayer<P> {
    /// Writes with this propagator, such as the handle of `otel_composite::install`.
    pub fn new(propagator: P) -> Self {
        Self(Arc::new(propagator))
    }
}

impl<P, S> Layer<S> for ClientLayer<P> {
    type Service = ClientService<P, S>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientService { propagator: Arc::clone(&self.0), inner }
    }
}

/// A service behind a [`ClientLayer`].
#[derive(Debug)]
pub struct ClientService<P, S> {
    propagator: Arc<P>,
    inner: S,
}

impl<P, S: Clone> Clone for ClientService<P, S> {
    fn clone(&self) -> Self {
        Self { propagator: Arc::clone(&self.propagator), inner: self.inner.clone() }
    }
}

impl<P: TextMapPropagator, S: Service<Request<B>>, B> Service<Request<B>> for ClientService<P, S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, task: &mut std::task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let mut injector = MetadataInjector::over(request.headers_mut(), &*self.propagator);
        self.propagator.inject_context(&Context::current(), &mut injector);
        drop(injector);
        self.inner.call(request)
    }
}
