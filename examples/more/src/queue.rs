//! A queue of tasks with headers: in this process, or on a NATS server.

use crate::Result;
use async_nats::{Client, HeaderMap, HeaderName, HeaderValue, Subscriber};
use futures_util::StreamExt;
use opentelemetry::{Context, global};
use otel_carriers::message;
use std::time::Duration;
use tokio::sync::mpsc;

/// A message: what is to be done, and the headers that go beside it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Task {
    /// The headers, as NATS has them.
    pub headers: HeaderMap,
    /// What is to be done.
    pub payload: String,
}

impl Task {
    /// A task without headers.
    pub fn new(payload: impl Into<String>) -> Self {
        Self { payload: payload.into(), ..Self::default() }
    }
}

impl Task {
    /// Puts `context` into the headers, in place of an older one.
    pub fn carry(&mut self, context: &Context) {
        global::get_text_map_propagator(|propagator| {
            message::replace(propagator, context, |name, value| match value {
                // A value with a line break is not one that a header can hold: the carrier has left it out.
                Some(value) => self.headers.insert(name, value.as_str()),
                None => self.remove(name),
            });
        });
    }

    /// The context that the headers carry.
    #[must_use]
    pub fn context(&self) -> Context {
        let headers =
            self.headers.iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        global::get_text_map_propagator(|propagator| message::extract(propagator, headers.clone()))
    }

    /// NATS compares names by their case, and a Go service writes `Traceparent`.
    fn remove(&mut self, name: &str) {
        let older = |(older, values): (&HeaderName, &Vec<HeaderValue>)| {
            let stays = !<HeaderName as AsRef<str>>::as_ref(older).eq_ignore_ascii_case(name);
            stays.then(|| (older.clone(), values.clone()))
        };
        self.headers =
            self.headers.iter().filter_map(older).fold(HeaderMap::new(), |mut headers, (name, values)| {
                for value in values {
                    headers.append(name.clone(), value);
                }
                headers
            });
    }
}

/// Tasks in the order in which they were sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Queue {
    /// In this process.
    Here(mpsc::UnboundedSender<Task>, mpsc::UnboundedReceiver<Task>),
    /// On a NATS server.
    Nats(Client, Subscriber),
}

const SUBJECT: &str = "examples.tasks";

impl Queue {
    /// The queue of the NATS server that the environment variable `NATS_URL` names, else one in this process.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn open() -> Result<Self> {
        let Ok(url) = std::env::var("NATS_URL") else {
            let (sender, receiver) = mpsc::unbounded_channel();
            return Ok(Self::Here(sender, receiver));
        };
        let client = async_nats::connect(url).await?;
        let subscriber = client.subscribe(format!("{SUBJECT}.{}", std::process::id())).await?;
        Ok(Self::Nats(client, subscriber))
    }

    /// Puts a task at the end.
    ///
    /// # Errors
    ///
    /// When the queue is gone.
    pub async fn send(&self, task: Task) -> Result {
        match self {
            Self::Here(sender, _) => sender.send(task)?,
            Self::Nats(client, _) => {
                let subject = format!("{SUBJECT}.{}", std::process::id());
                client.publish_with_headers(subject, task.headers, task.payload.into()).await?;
            }
        }
        Ok(())
    }

    /// Takes the first task; waits for one, but not for long.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn receive(&mut self) -> Result<Task> {
        let first = async {
            match self {
                Self::Here(_, receiver) => receiver.recv().await,
                Self::Nats(_, subscriber) => subscriber.next().await.map(|message| Task {
                    headers: message.headers.unwrap_or_default(),
                    payload: String::from_utf8_lossy(&message.payload).into_owned(),
                }),
            }
        };
        tokio::time::timeout(Duration::from_secs(10), first).await?.ok_or_else(|| "the queue is gone".into())
    }
}
