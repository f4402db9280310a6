//! What does a service see of a caller's trace and baggage? Ask it with `curl` or with `send-request`.
//!
//! `cargo run -p examples --bin downstream -- --addr 127.0.0.1:8080`

use examples::{Result, install, orders};
use opentelemetry_sdk::trace::SdkTracerProvider;

#[tokio::main]
async fn main() -> Result {
    install(otel_composite::from_env(), SdkTracerProvider::default());

    let listener = tokio::net::TcpListener::bind(address(std::env::args().skip(1))?).await?;
    println!("listening on http://{}/orders", listener.local_addr()?);
    axum::serve(listener, orders::router()).await?;
    Ok(())
}

fn address(mut arguments: impl Iterator<Item = String>) -> Result<String> {
    match (arguments.next().as_deref(), arguments.next(), arguments.next()) {
        (None, ..) => Ok("127.0.0.1:8080".to_owned()),
        (Some("--addr"), Some(address), None) => Ok(address),
        _ => Err("usage: downstream [--addr HOST:PORT]".into()),
    }
}
