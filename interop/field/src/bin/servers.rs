//! `servers axum|tonic PORT`: Rust's servers at their defaults, for `interop/servers/measure`.

use axum::{Router, routing::any};
use std::{error::Error, io};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (kind, port) = arguments.next().zip(arguments.next()).ok_or_else(|| io::Error::other("KIND PORT"))?;
    let address = format!("127.0.0.1:{port}");
    match kind.as_str() {
        // `axum::serve` is hyper's server, with hyper's defaults.
        "axum" => axum::serve(TcpListener::bind(address).await?, Router::new().fallback(any("ok"))).await?,
        "tonic" => {
            // No method is there: "unimplemented" means that the metadata was accepted.
            let routes = tonic::service::Routes::default();
            tonic::transport::Server::builder().add_routes(routes).serve(address.parse()?).await?;
        }
        _ => return Err(io::Error::other(kind).into()),
    }
    Ok(())
}
