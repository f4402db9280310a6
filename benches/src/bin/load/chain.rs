//! Three services, and the requests through them.

use crate::{
    mix::{self, EXPECTED, ORDER},
    propagators::Propagators,
};
use axum::{Router, extract::State, http::HeaderMap, http::StatusCode, routing::get};
use opentelemetry::{
    Context,
    baggage::BaggageExt as _,
    propagation::TextMapPropagator,
    trace::{TraceContextExt as _, Tracer as _, TracerProvider as _},
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use otel_carriers::headers;
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::net::TcpListener;

/// Services with one set of propagators.
pub(crate) struct Chain {
    name: &'static str,
    ours: bool,
    edge: SocketAddr,
    /// Good requests that arrived at the leaf with their trace and their baggage.
    kept: Arc<AtomicU64>,
    next: Arc<AtomicU64>,
}

/// What became of the requests of some time.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) good: u64,
    pub(crate) kept: u64,
    pub(crate) other: u64,
    pub(crate) failed: u64,
    time: Duration,
}

impl Chain {
    pub(crate) async fn start(propagators: Propagators) -> Self {
        let kept = Arc::new(AtomicU64::new(0));
        let Propagators { name, ours, edge, gateway, leaf } = propagators;
        let service = |propagator, next| Service::new(propagator, ours, next, kept.clone()).serve();
        let leaf = service(leaf, None).await;
        let gateway = service(gateway, Some(leaf)).await;
        let edge = service(edge, Some(gateway)).await;
        Self { name, ours, edge, kept, next: Arc::default() }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn is_ours(&self) -> bool {
        self.ours
    }

    pub(crate) fn propagates(&self) -> bool {
        self.name != "none"
    }

    /// Sends requests over as many connections for as long.
    pub(crate) async fn run(&self, time: Duration, connections: u64) -> Tally {
        let kept_before = self.kept.load(Ordering::SeqCst);
        let started = Instant::now();
        let senders: Vec<_> = (0..connections)
            .map(|_| tokio::spawn(send(self.edge, self.next.clone(), started + time)))
            .collect();
        let mut tally = Tally::default();
        for sender in senders {
            tally.add(&sender.await.expect("a sender does not panic"));
        }
        tally.time = started.elapsed();
        tally.kept = self.kept.load(Ordering::SeqCst) - kept_before;
        tally
    }
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.good += other.good;
        self.kept += other.kept;
        self.other += other.other;
        self.failed += other.failed;
        self.time += other.time;
    }

    /// A request that failed is lost, too.
    pub(crate) fn lost(&self) -> u64 {
        self.good - self.kept + self.failed
    }

    pub(crate) fn requests(&self) -> u64 {
        self.good + self.other
    }

    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    pub(crate) fn per_second(&self) -> f64 {
        self.requests() as f64 / self.time.as_secs_f64()
    }
}

async fn send(edge: SocketAddr, next: Arc<AtomicU64>, until: Instant) -> Tally {
    let client = reqwest::Client::new();
    let mut tally = Tally::default();
    while Instant::now() < until {
        let request = mix::request(next.fetch_add(1, Ordering::Relaxed));
        let response = client.get(format!("http://{edge}/")).headers(request.headers).send().await;
        let answered = response.is_ok_and(|response| response.status() == StatusCode::OK);
        tally.failed += u64::from(!answered);
        tally.good += u64::from(request.good);
        tally.other += u64::from(!request.good);
    }
    tally
}

/// One service: it starts a span under what came in and, unless it is the leaf, calls the next.
#[derive(Clone)]
struct Service {
    propagator: Arc<dyn TextMapPropagator + Send + Sync>,
    /// Whether the carriers are ours too, and not those of `opentelemetry_http`.
    ours: bool,
    tracer: SdkTracer,
    next: Option<SocketAddr>,
    client: reqwest::Client,
    kept: Arc<AtomicU64>,
}

impl Service {
    fn new(
        propagator: Arc<dyn TextMapPropagator + Send + Sync>,
        ours: bool,
        next: Option<SocketAddr>,
        kept: Arc<AtomicU64>,
    ) -> Self {
        let tracer = SdkTracerProvider::builder().build().tracer("load");
        Self { propagator, ours, tracer, next, client: reqwest::Client::new(), kept }
    }

    async fn serve(self) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let router = Router::new().route("/", get(handle)).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        address
    }

    async fn forward(&self, next: SocketAddr, cx: &Context, received: &HeaderMap) -> StatusCode {
        let mut sent = HeaderMap::new();
        if let Some(expected) = received.get(EXPECTED) {
            sent.insert(EXPECTED, expected.clone());
        }
        if self.ours {
            headers::inject(&*self.propagator, cx, &mut sent);
        } else {
            self.propagator.inject_context(cx, &mut HeaderInjector(&mut sent));
        }
        let response = self.client.get(format!("http://{next}/")).headers(sent).send().await;
        response.map_or(StatusCode::BAD_GATEWAY, |response| response.status())
    }

    fn check(&self, cx: &Context, received: &HeaderMap) {
        let Some(expected) = received.get(EXPECTED).and_then(|value| value.to_str().ok()) else { return };
        let trace_id = cx.span().span_context().trace_id();
        let order = cx.baggage().get(ORDER).map_or("nothing", |value| value.as_str());
        if expected == format!("{trace_id} {order}") {
            self.kept.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn handle(State(service): State<Service>, received: HeaderMap) -> StatusCode {
    let cx = if service.ours {
        headers::extract(&*service.propagator, &received)
    } else {
        service.propagator.extract_with_context(&Context::new(), &HeaderExtractor(&received))
    };
    let span = service.tracer.start_with_context("request", &cx);
    let cx = cx.with_span(span);
    if let Some(next) = service.next {
        return service.forward(next, &cx, &received).await;
    }
    service.check(&cx, &received);
    StatusCode::OK
}
