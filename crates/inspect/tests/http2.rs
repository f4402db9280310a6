//! The bytes on HTTP/2 that a report gives are those that a client sends.

#![allow(missing_docs, clippy::unwrap_used, reason = "a test program")]

use h2::{client, server};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use otel_inspect::{Config, inspect};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

/// The bytes of the HEADERS frames of two requests, one after the other, on one connection.
async fn frames(requests: [HeaderMap; 2]) -> [usize; 2] {
    let (near, tap) = duplex(1 << 20);
    let (wire, far) = duplex(1 << 20);
    let (told, mut sizes) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut connection = server::handshake(far).await.unwrap();
        while let Some(Ok((_, mut respond))) = connection.accept().await {
            respond.send_response(Response::new(()), true).unwrap();
        }
    });
    let (mut from_client, mut to_client) = tokio::io::split(tap);
    let (mut from_server, mut to_server) = tokio::io::split(wire);
    tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    tokio::spawn(async move {
        let mut preface = [0; 24];
        from_client.read_exact(&mut preface).await?;
        to_server.write_all(&preface).await?;
        loop {
            let mut head = [0; 9];
            from_client.read_exact(&mut head).await?;
            let [a, b, c, kind, ..] = head;
            let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
            from_client.read_exact(&mut payload).await?;
            to_server.write_all(&head).await?;
            to_server.write_all(&payload).await?;
            if kind == 1 {
                let _ = told.send(payload.len());
            }
        }
        #[allow(unreachable_code, reason = "the type of the block")]
        Ok::<(), std::io::Error>(())
    });
    let (mut client, connection) = client::handshake(near).await.unwrap();
    tokio::spawn(connection);
    let mut bytes = [0; 2];
    for (headers, bytes) in requests.into_iter().zip(&mut bytes) {
        let mut request = Request::get("http://shop/").body(()).unwrap();
        *request.headers_mut() = headers;
        client = client.ready().await.unwrap();
        client.send_request(request, true).unwrap().0.await.unwrap();
        *bytes = sizes.recv().await.unwrap();
    }
    bytes
}

#[tokio::test(flavor = "current_thread")]
async fn bytes_are_those_of_a_client() {
    let text = |last: char| {
        format!(
            "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333{last}-01\ntracestate: rojo=00f067aa0ba902b{last}\n\
             baggage: user={last},tenant=acme%20retail;ttl=30,path=/A~Z?`{{|}}'<>"
        )
    };
    let plain = frames([HeaderMap::new(), HeaderMap::new()]).await;
    // The digits 3 to 9 have codes of one length, so both requests weigh the same but for the names.
    let reports = ['3', '5']
        .map(|last| inspect(&otel_inspect::Request::parse(text(last).as_bytes()), &Config::default()));
    assert_eq!(reports.each_ref().map(|report| report.sent.len()), [3, 3]);
    for at in 0..3 {
        let requests = reports.each_ref().map(|report| {
            let sent = report.sent.get(at).unwrap();
            let name = HeaderName::try_from(&sent.name).unwrap();
            HeaderMap::from_iter([(name, HeaderValue::try_from(&sent.value).unwrap())])
        });
        let [first, later] = frames(requests).await;
        let [one, other] = reports.each_ref().map(|report| report.sent.get(at).unwrap());
        assert_eq!(first - plain[0], one.http2_first_bytes, "{one:?}");
        assert_eq!(later - plain[1], other.http2_bytes, "{other:?}");
    }
}
