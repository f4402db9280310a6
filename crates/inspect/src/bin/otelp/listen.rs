//! `otelp listen`.

use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use otel_inspect::{Config, Request, inspect, to_ansi_text, to_text};
use std::{cell::Cell, convert::Infallible, error::Error, net::SocketAddr, process::ExitCode};
use tokio::net::TcpListener;

pub(crate) fn run(
    address: SocketAddr,
    requests: Option<usize>,
    config: &Config,
) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(serve(address, requests, config))
}

/// One connection after the other: the output of two requests is never mixed.
async fn serve(
    address: SocketAddr,
    requests: Option<usize>,
    config: &Config,
) -> Result<ExitCode, Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let answered = Cell::new(0);
    while requests.is_none_or(|most| answered.get() < most) {
        let (stream, peer) = listener.accept().await?;
        let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            answered.set(answered.get() + 1);
            let line = format!("{} {} from {peer}", request.method(), request.uri().path());
            let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let report = inspect(&Request::new(headers), config);
            anstream::println!("\n=== {}\n{}", line.escape_debug(), to_ansi_text(&report));
            let body = Full::new(Bytes::from(to_text(&report)));
            async move { Ok::<_, Infallible>(Response::new(body)) }
        });
        // A peer that breaks off is no reason to stop.
        let _ = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), answer).await;
    }
    Ok(ExitCode::SUCCESS)
}
