//! A queue of tasks with headers: in this process, or on a NATS server.

use crate::Result;
use async_nats::{Client, HeaderMap, Subscriber};
use futures_util::StreamExt;
use opentelemetry::propagation::{Extractor, Injector};
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

impl Injector for Task {
    fn set(&mut self, key: &str, value: String) {
        // A value with a line break is not one that a header can hold.
        if let Ok(value) = value.parse::<async_nats::HeaderValue>() {
            self.headers.insert(key, value);
        }
    }
}

impl Extractor for Task {
    fn get(&self, key: &str) -> Option<&str> {
        self.headers.get(key).map(async_nats::HeaderValue::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_ref()).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let values = self.headers.get_all(key).map(async_nats::HeaderValue::as_str).collect::<Vec<_>>();
        (!values.is_empty()).then_some(values)
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
