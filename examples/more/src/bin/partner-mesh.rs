//! How does one mesh call its own services, a partner and a third party, with instrumentation as it is?
//!
//! Plain `reqwest`, `tracing-opentelemetry` and the global propagator: no call says where it goes to anything but the
//! span that every HTTP client makes. Unsampled traces are no exception.

use axum::{Router, http::HeaderMap, routing::get};
use examples::{Result, ensure, serve};
use opentelemetry::{Context, KeyValue, baggage::BaggageExt, global, trace::TracerProvider};
use opentelemetry_http::HeaderInjector;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use otel_composite::{
    BaggagePropagator, CompositePropagator, TraceContextPropagator,
    boundary::{Boundary, DestinationSampler, Keys, Outbound, Trace},
};
use otel_trust_boundary::EgressLayer;
use std::net::SocketAddr;
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing::{Instrument, Span, field::Empty, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

/// One thread, so that the subscriber of each turn sees all of its spans.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result {
    let boundary = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"])?)
        .outbound(
            Outbound::external("partner")
                .hosts(["api.partner.example"])?
                .trace(Trace::Ids)
                .baggage(Keys::of(&["order.region"])),
        )
        // Each request here is a new one; without this an empty `traceparent` would say that nothing is sent.
        .fresh_carriers(true);
    println!("{boundary}");
    let formats = CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .baggage(BaggagePropagator::new())
        .build();
    global::set_text_map_propagator(boundary.clone().wrap(formats));

    let server = serve(Router::new().route("/", get(received))).await?;
    let mesh = Mesh::new(server)?;
    for (sampler, flags) in [(Sampler::AlwaysOn, "01"), (Sampler::AlwaysOff, "00")] {
        println!("\n{sampler:?}");
        let provider = SdkTracerProvider::builder().with_sampler(DestinationSampler::new(sampler)).build();
        let spans = tracing_opentelemetry::layer().with_tracer(provider.tracer("mesh"));
        let _subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(spans));
        mesh.is_held_to_the_policy(flags).await?;
    }
    at_the_wire(boundary, &mesh).await
}

/// Clients for hosts that all live on one loopback port.
struct Mesh {
    client: reqwest::Client,
    port: u16,
}

impl Mesh {
    const HOSTS: [&'static str; 4] =
        ["orders.internal", "api.partner.example", "api.stripe.com", "internal.evil.example"];

    fn new(server: SocketAddr) -> Result<Self> {
        let resolve = |client: reqwest::ClientBuilder, host: &&str| client.resolve(host, server);
        let client = Self::HOSTS.iter().fold(reqwest::Client::builder().no_proxy(), resolve).build()?;
        Ok(Self { client, port: server.port() })
    }

    async fn is_held_to_the_policy(&self, flags: &str) -> Result {
        let _attached = Context::current()
            .with_baggage([KeyValue::new("order.region", "eu"), KeyValue::new("tenant", "acme")])
            .attach();
        let [orders, partner, stripe, evil] = Self::HOSTS;
        let (to_us, to_partner) = (self.call(orders).await?, self.call(partner).await?);
        let is_traced =
            |answer: &str| answer.contains(&format!("-{flags} ")) && answer.starts_with("traceparent: 00-");
        ensure(is_traced(&to_us), "our own service gets the trace, sampled or not")?;
        ensure(to_us.ends_with("baggage: order.region=eu,tenant=acme "), "and all baggage")?;
        ensure(is_traced(&to_partner), "a partner gets the ids")?;
        ensure(to_partner.ends_with("baggage: order.region=eu "), "and the key that is named")?;
        ensure(!(to_us + &to_partner).contains("tracestate"), "the mark of the sampler is on no wire")?;
        ensure(self.call(stripe).await?.is_empty(), "a third party gets nothing, not even an empty header")?;
        ensure(self.call(evil).await?.is_empty(), "a host that looks like ours is not ours")
    }

    /// A call as `reqwest-tracing` makes it: a span with the attributes of the semantic conventions, and the context of
    /// that span through the global propagator.
    async fn call(&self, host: &str) -> Result<String> {
        let span = info_span!(
            "GET",
            otel.kind = "client",
            http.request.method = "GET",
            server.address = host,
            server.port = self.port,
            http.response.status_code = Empty,
        );
        let request = async {
            let mut request = self.client.get(self.url(host)).build()?;
            let cx = Span::current().context();
            global::get_text_map_propagator(|propagator| {
                propagator.inject_context(&cx, &mut HeaderInjector(request.headers_mut()));
            });
            self.client.execute(request).await?.error_for_status()?.text().await
        };
        let answer = request.instrument(span).await?;
        println!("{host} received: {answer}");
        Ok(answer)
    }

    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/", self.port)
    }
}

/// The layer next to the connection holds also what the propagator knows nothing of.
async fn at_the_wire(boundary: Boundary, mesh: &Mesh) -> Result {
    println!("\nat the wire");
    let client = mesh.client.clone();
    let send = service_fn(move |request: http::Request<reqwest::Body>| {
        let client = client.clone();
        async move {
            let answer = client.execute(request.try_into()?).await?.error_for_status()?;
            answer.text().await
        }
    });
    let mut guarded = EgressLayer::new(boundary).layer(send);
    for (host, leaves) in [("orders.internal", true), ("api.stripe.com", false)] {
        let request = http::Request::get(mesh.url(host))
            .header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
            .header("baggage", "tenant=acme")
            .body(reqwest::Body::default())?;
        let answer = guarded.ready().await?.call(request).await?;
        println!("{host} received: {answer}");
        ensure(answer.contains("tenant=acme") == leaves, "what somebody else put there leaves to us alone")?;
        ensure(leaves || answer.is_empty(), "a third party gets nothing")?;
    }
    Ok(())
}

/// Every service answers with the context headers that it received, also the empty ones.
async fn received(headers: HeaderMap) -> String {
    let line = |name| Some(format!("{name}: {} ", headers.get(name)?.to_str().ok()?));
    ["traceparent", "tracestate", "baggage"].into_iter().filter_map(line).collect()
}
