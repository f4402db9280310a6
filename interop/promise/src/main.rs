//! Which carriers keep the promise that propagators rely on? Each of them gets the same request, and a propagator that
//! only looks says what came through.
//!
//! `cargo run -p promise`; `docs/carriers.md` has the table.

use axum::{Router, body::Body, routing::get};
use http::{HeaderMap, HeaderValue, Request};
use opentelemetry::{
    Context, global,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_carriers::headers;
use std::{
    process::ExitCode,
    sync::{LazyLock, Mutex, PoisonError},
};
use tower::ServiceExt as _;
use tracing_opentelemetry_instrumentation_sdk::http as instrumentation;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What a propagator sees of a request.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Seen {
    /// Both lines of a doubled `traceparent`.
    all_lines: bool,
    /// The line of `baggage` that has a character beyond ASCII.
    beyond_ascii: bool,
}

static SEEN: Mutex<Option<Seen>> = Mutex::new(None);

/// Looks at a carrier, and writes a `traceparent` and a value that HTTP cannot carry.
#[derive(Debug)]
struct Looks;

impl TextMapPropagator for Looks {
    fn inject_context(&self, _: &Context, injector: &mut dyn Injector) {
        injector.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
        injector.set("baggage", "a\r\nb: c".to_owned());
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let lines = |name| extractor.get_all(name).unwrap_or_default();
        let seen = Seen {
            all_lines: lines("traceparent").len() == 2,
            beyond_ascii: lines("baggage").iter().any(|line| line.contains('\u{e9}')),
        };
        *SEEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen);
        cx.clone()
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 3]> =
            LazyLock::new(|| ["traceparent", "tracestate", "baggage"].map(str::to_owned));
        FieldIter::new(FIELDS.as_slice())
    }
}

const SENT: [(&str, &str); 4] =
    [("traceparent", "1"), ("traceparent", "2"), ("baggage", "a=1"), ("baggage", "b=\u{e9},c=3")];

fn main() -> Result<ExitCode, Error> {
    global::set_text_map_propagator(Looks);
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    println!("| reads | all lines | beyond ASCII |\n|---|---|---|");
    let mut ours = Seen::default();
    for (name, read) in [
        ("`otel-carriers`", extract_ours as fn() -> Result<(), Error>),
        ("`opentelemetry-http` 0.33, `HeaderExtractor`", extract_http),
    ] {
        read()?;
        let seen = row(name)?;
        if name == "`otel-carriers`" {
            ours = seen;
        }
    }
    let layers = [
        (
            "`axum-tracing-opentelemetry` 0.42",
            router().layer(axum_tracing_opentelemetry::middleware::OtelAxumLayer::default()),
        ),
        (
            "`tonic-tracing-opentelemetry` 0.42",
            router().layer(tonic_tracing_opentelemetry::middleware::server::OtelGrpcLayer::default()),
        ),
        (
            "`opentelemetry-instrumentation-tower` 0.19",
            router()
                .layer(opentelemetry_instrumentation_tower::http::server::LayerBuilder::builder().build()?),
        ),
    ];
    for (name, router) in layers {
        runtime.block_on(router.oneshot(request()?))?;
        row(name)?;
    }
    actix_web::rt::System::new().block_on(actix())?;
    row("`opentelemetry-instrumentation-actix-web` 0.25")?;

    println!("\n| writes | nothing older stays | ids are never indexed |\n|---|---|---|");
    written("`otel-carriers`", |headers| {
        global::get_text_map_propagator(|propagator| headers::inject(propagator, &Context::new(), headers));
    });
    written("`opentelemetry-http` 0.33, `HeaderInjector`", |headers| {
        let mut injector = opentelemetry_http::HeaderInjector(headers);
        global::get_text_map_propagator(|propagator| {
            propagator.inject_context(&Context::new(), &mut injector);
        });
    });
    written("`axum-` and `tonic-tracing-opentelemetry` 0.42", |headers| {
        instrumentation::inject_context(&Context::new(), headers);
    });
    Ok(if ours.all_lines && ours.beyond_ascii { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn row(name: &str) -> Result<Seen, Error> {
    let seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner).take();
    let seen = seen.ok_or_else(|| format!("{name} did not extract"))?;
    println!("| {name} | {} | {} |", yes(seen.all_lines), yes(seen.beyond_ascii));
    Ok(seen)
}

fn written(name: &str, write: impl FnOnce(&mut HeaderMap)) {
    let mut headers = HeaderMap::new();
    headers.insert("tracestate", HeaderValue::from_static("older=1"));
    headers.insert("baggage", HeaderValue::from_static("older=1"));
    write(&mut headers);
    let is_sensitive = headers.get("traceparent").is_some_and(HeaderValue::is_sensitive);
    println!("| {name} | {} | {} |", yes(headers.len() == 1), yes(is_sensitive));
}

const fn yes(holds: bool) -> &'static str {
    if holds { "yes" } else { "**no**" }
}

fn request() -> Result<Request<Body>, Error> {
    let request = SENT.iter().try_fold(Request::get("/"), |request, (name, value)| {
        Ok::<_, Error>(request.header(*name, HeaderValue::from_bytes(value.as_bytes())?))
    });
    Ok(request?.body(Body::empty())?)
}

fn router() -> Router {
    Router::new().route("/", get(async || "done"))
}

fn extract_ours() -> Result<(), Error> {
    let request = request()?;
    global::get_text_map_propagator(|propagator| drop(headers::extract(propagator, request.headers())));
    Ok(())
}

fn extract_http() -> Result<(), Error> {
    let request = request()?;
    let extractor = opentelemetry_http::HeaderExtractor(request.headers());
    global::get_text_map_propagator(|propagator| {
        drop(propagator.extract_with_context(&Context::new(), &extractor));
    });
    Ok(())
}

async fn actix() -> Result<(), Error> {
    use actix_web::{App, http::header::HeaderValue, test, web};
    let app = App::new().wrap(opentelemetry_instrumentation_actix_web::RequestTracing::new());
    let service = test::init_service(app.route("/", web::get().to(async || "done"))).await;
    let mut request = test::TestRequest::get().uri("/");
    for (name, value) in SENT {
        request = request.append_header((name, HeaderValue::from_bytes(value.as_bytes())?));
    }
    test::call_service(&service, request.to_request()).await;
    Ok(())
}
