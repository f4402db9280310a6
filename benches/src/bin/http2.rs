//! Bytes of HTTP/2 a request: 2000 requests on one connection, with constant headers beside ours, written by
//! `opentelemetry_http::HeaderInjector` and by our own, which marks ids as never to be indexed.
//!
//! `cargo run --release -p benches --features http2 --bin http2`

use benches::contenders::ours;
use h2::{client, server};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_http::HeaderInjector;
use otel_carriers::headers;
use std::process::ExitCode;

const REQUESTS: u64 = 2000;

type Error = Box<dyn std::error::Error>;
type Write = fn(&dyn TextMapPropagator, &Context, &mut HeaderMap);

const COLUMNS: [(&str, Write); 4] = [
    ("no context", |_, _, _| {}),
    ("`HeaderInjector`", |propagator, cx, request| {
        propagator.inject_context(cx, &mut HeaderInjector(request));
    }),
    ("ours", headers::inject),
    ("ours, baggage too", |propagator, cx, request| {
        let mut injector = headers::HeaderInjector::new(request, propagator).never_indexed();
        propagator.inject_context(cx, &mut injector);
    }),
];

/// What a request through a gateway has of its own, the same in every request. (h2 indexes no `authorization` and no `cookie`.)
const ORDINARY: [(&str, &str); 14] = [
    ("accept", "application/json, text/plain, */*"),
    ("accept-encoding", "gzip, deflate, br, zstd"),
    ("accept-language", "en-GB,en;q=0.9,de;q=0.7"),
    ("cache-control", "no-cache"),
    ("content-type", "application/json; charset=utf-8"),
    ("origin", "https://shop.example"),
    ("referer", "https://shop.example/basket/checkout?step=2"),
    ("sec-ch-ua", "\"Google Chrome\";v=\"141\", \"Not?A_Brand\";v=\"8\", \"Chromium\";v=\"141\""),
    (
        "user-agent",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
    ),
    ("x-api-key", "f3b29a4c7d11e08855d2a96be04c1f7e"),
    ("x-forwarded-for", "203.0.113.7, 198.51.100.17"),
    ("x-forwarded-host", "shop.example"),
    ("x-forwarded-proto", "https"),
    ("x-region", "eu-central-1"),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Error> {
    let mut holds = true;
    for (baggage, is_constant, ordinary) in [
        ("the same in every request", true, &[][..]),
        ("another in every request", false, &[]),
        ("the same in every request, and the request has 14 ordinary headers", true, &ORDINARY),
    ] {
        println!("baggage is {baggage}:\n");
        println!("| further headers | {} |", COLUMNS.map(|column| column.0).join(" | "));
        println!("|---|{}", "---|".repeat(COLUMNS.len()));
        // With 28 and the ordinary ones they alone are more than the table holds.
        for further in [0, 10, 20, 28].into_iter().filter(|&further| ordinary.is_empty() || further < 28) {
            let mut row = Vec::new();
            for (_, write) in COLUMNS {
                row.push(bytes(ordinary, further, write, is_constant).await? / REQUESTS);
            }
            println!("| {further} | {} |", row.iter().map(u64::to_string).collect::<Vec<_>>().join(" | "));
            holds &= further < 10 || row[1] > row[2];
        }
        println!();
    }
    Ok(if holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

type Headers = &'static [(&'static str, &'static str)];

/// The bytes that a client sends for all requests.
async fn bytes(ordinary: Headers, further: u64, write: Write, is_constant: bool) -> Result<u64, Error> {
    let (near, mut near_end) = tokio::io::duplex(1 << 16);
    let (far, mut far_end) = tokio::io::duplex(1 << 16);
    let wire = tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near_end, &mut far_end).await });
    tokio::spawn(async move {
        let mut connection = server::handshake(far).await?;
        while let Some(request) = connection.accept().await {
            request?.1.send_response(Response::new(()), true)?;
        }
        Ok::<_, h2::Error>(())
    });
    let (mut client, connection) = client::handshake(near).await?;
    let connection = tokio::spawn(connection);
    let propagator = ours::composite();
    for number in 1..=REQUESTS {
        let mut request = Request::get("http://orders.example/orders").body(())?;
        for &(name, value) in ordinary {
            request.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        for header in 0..further {
            let name = HeaderName::try_from(format!("x-further-{header}"))?;
            request.headers_mut().insert(name, text(header)?);
        }
        write(&*propagator, &context(number, is_constant), request.headers_mut());
        client = client.ready().await?;
        client.send_request(request, true)?.0.await?;
    }
    drop(client);
    connection.await??;
    Ok(wire.await??.0)
}

/// 80 bytes that never change, such as those of a token.
fn text(header: u64) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut state = header + 1;
    let text: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ header;
        BASE64[usize::try_from(state % 64).unwrap_or_default()]
    })
    .take(80)
    .collect();
    HeaderValue::from_bytes(&text)
}

fn context(number: u64, is_constant: bool) -> Context {
    // Ids that have nothing in common.
    let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let trace_id = TraceId::from((u128::from(id) << 64) | u128::from(id.rotate_left(31)));
    // As vendors write it: their own id of the parent span.
    let vendor = format!("{:016x}", id.rotate_left(5));
    let state = TraceState::from_key_value([("vendor", vendor)]).unwrap_or_default();
    let span = SpanContext::new(trace_id, SpanId::from(id.rotate_left(17)), TraceFlags::SAMPLED, true, state);
    let user = if is_constant { "7".to_owned() } else { id.to_string() };
    let baggage = [KeyValue::new("tenant", "acme-retail"), KeyValue::new("user", user)];
    Context::new().with_remote_span_context(span).with_baggage(baggage)
}
