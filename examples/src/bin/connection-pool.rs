//! A pooled connection outlives the request that opened it: to whose trace do its spans belong?

use examples::{Result, Spans, ensure, is_child, print_trees, with_span};
use opentelemetry::{
    Context,
    trace::{FutureExt, SpanKind, TraceContextExt},
};
use opentelemetry_sdk::trace::SpanData;
use otel_composite::TraceContextPropagator;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{mpsc, oneshot},
};

/// What a borrower asks of a connection.
struct Query {
    /// The context of the one who asks; a careless pool does without.
    context: Option<Context>,
    answer: oneshot::Sender<u8>,
}

/// A pool of one connection, which a task of its own drives.
struct Pool {
    connection: Option<mpsc::Sender<Query>>,
    careful: bool,
}

#[tokio::main]
async fn main() -> Result {
    let spans = Spans::install(TraceContextPropagator::new());

    println!("the connection works in the context in which it was opened (the mistake):");
    let [first, second, of_first, of_second] = two_requests(false, &spans).await?;
    ensure(is_child(&of_first, &first), "the first request has its query")?;
    ensure(is_child(&of_second, &first), "and the query of the second as well, long after its own end")?;
    ensure(!is_child(&of_second, &second), "the second request has none")?;

    println!("\neach query brings the context of the one who asks (the right way):");
    let [first, second, of_first, of_second] = two_requests(true, &spans).await?;
    ensure(is_child(&of_first, &first) && is_child(&of_second, &second), "each request has its own query")
}

/// Two requests, one after the other, on one connection: their spans, and those of their queries.
async fn two_requests(careful: bool, spans: &Spans) -> Result<[SpanData; 4]> {
    let mut pool = Pool { connection: None, careful };
    for name in ["GET /first", "GET /second"] {
        let context = with_span(&Context::new(), name, SpanKind::Server);
        pool.query().with_context(context.clone()).await?;
        context.span().end();
    }
    print_trees(&spans.all()?);
    let found = [spans.named("GET /first")?, spans.named("GET /second")?];
    let mut queries = spans.take()?.into_iter().filter(|span| span.name == "query");
    let [first, second] = found;
    let (Some(of_first), Some(of_second)) = (queries.next(), queries.next()) else {
        return Err("not two queries".into());
    };
    Ok([first, second, of_first, of_second])
}

impl Pool {
    async fn query(&mut self) -> Result<u8> {
        let (answer, answered) = oneshot::channel();
        let context = self.careful.then(Context::current);
        self.borrow().await?.send(Query { context, answer }).await?;
        Ok(answered.await?)
    }

    /// The open connection; the first request opens it, and so warms the pool for the others.
    async fn borrow(&mut self) -> Result<mpsc::Sender<Query>> {
        if let Some(connection) = &self.connection {
            return Ok(connection.clone());
        }
        let stream = TcpStream::connect(echo().await?).await?;
        let (sender, queries) = mpsc::channel(1);
        // The task must have some context, so it is easy to give it the one that happens to be current.
        tokio::spawn(drive(stream, queries).with_current_context());
        Ok(self.connection.insert(sender).clone())
    }
}

/// The connection: one query after the other, each in a span.
async fn drive(mut stream: TcpStream, mut queries: mpsc::Receiver<Query>) -> Result {
    while let Some(Query { context, answer }) = queries.recv().await {
        let context = with_span(&context.unwrap_or_else(Context::current), "query", SpanKind::Client);
        stream.write_u8(42).await?;
        let byte = stream.read_u8().await?;
        context.span().end();
        // Whoever asked may have gone.
        let _ = answer.send(byte);
    }
    Ok(())
}

/// A database that answers each byte with the same byte.
async fn echo() -> Result<std::net::SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await?;
        while let Ok(byte) = stream.read_u8().await {
            stream.write_u8(byte).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    Ok(address)
}
