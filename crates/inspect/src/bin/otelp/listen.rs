//! `otelp listen`.

use http_body_util::Full;
use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use otel_inspect::{Config, Request, inspect, to_ansi_text, to_text};
use std::{cell::Cell, error::Error, net::SocketAddr, process::ExitCode, time::Duration};
use tokio::net::TcpListener;

pub(crate) fn run(
    address: SocketAddr,
    requests: Option<usize>,
    config: &Config,
) -> Result<ExitCode, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(serve(address, requests, config))
}

/// One connection after the other: the output of two requests is never mixed.
async fn serve(
    address: SocketAddr,
    requests: Option<usize>,
    config: &Config,
) -> Result<ExitCode, Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    crate::print(&format!("listening on http://{}\n", listener.local_addr()?))?;
    let answered = Cell::new(0);
    while requests.is_none_or(|most| answered.get() < most) {
        let (stream, peer) = listener.accept().await?;
        let answer = service_fn(|request: hyper::Request<hyper::body::Incoming>| {
            answered.set(answered.get() + 1);
            let line = format!("{} {} from {peer}", request.method(), request.uri().path());
            let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            let report = inspect(&Request::new(headers), config);
            let shown = format!("\n=== {}\n{}\n", line.escape_debug(), to_ansi_text(&report));
            let printed = crate::print(&shown);
            let body = Full::new(Bytes::from(to_text(&report)));
            async move { printed.map(|()| Response::new(body)) }
        });
        // A peer that breaks off is no reason to stop, nor is one that says nothing, as browsers open connections to have one.
        let mut connection = http1::Builder::new();
        connection.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(PATIENCE);
        let _ = connection.serve_connection(TokioIo::new(stream), answer).await;
    }
    Ok(ExitCode::SUCCESS)
}

/// How long a peer may take to send its headers while others wait.
const PATIENCE: Duration = Duration::from_secs(1);
