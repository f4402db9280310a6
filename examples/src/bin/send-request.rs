//! What does a caller put on the wire, and does the service at the other end see it?
//!
//! `cargo run -p examples --bin send-request -- 127.0.0.1:8080`

use examples::{Result, client, ensure, header, install, orders};
use opentelemetry_sdk::trace::SdkTracerProvider;

#[tokio::main]
async fn main() -> Result {
    install(otel_composite::from_env(), SdkTracerProvider::default());

    let target = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let order = orders::send(&client()?, &url(&target)).await?;
    println!("outgoing traceparent: {}", header(&order.headers, "traceparent"));
    println!("outgoing baggage header: {}", header(&order.headers, "baggage"));
    println!("{}", order.answer);
    ensure(order.answer == "downstream baggage tenant=acme-retail", "the baggage arrives")
}

/// A whole URL as it is; `HOST:PORT` means its orders.
fn url(target: &str) -> String {
    if target.contains("://") { target.to_owned() } else { format!("http://{target}/orders") }
}
