//! NATS by async-nats, its headers by `otel-carriers`.

use crate::Result;
use async_nats::{Client, HeaderMap, Subscriber};
use futures_util::StreamExt;
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message;

pub(crate) struct Broker {
    client: Client,
    answers: Subscriber,
}

impl Broker {
    pub(crate) async fn connect(url: &str) -> Result<Self> {
        let client = async_nats::connect(url).await?;
        let answers = client.subscribe("rust").await?;
        // The server knows of it before the first message is sent: it keeps none for who comes later.
        client.flush().await?;
        Ok(Self { client, answers })
    }
}

impl crate::Broker for Broker {
    async fn send(
        &self,
        subject: &str,
        propagator: &dyn TextMapPropagator,
        cx: &Context,
        number: u64,
    ) -> Result {
        let mut headers = HeaderMap::new();
        message::replace(propagator, cx, |name, value| {
            if let Some(value) = value {
                headers.insert(name, value.as_str());
            }
        });
        let body = number.to_string().into();
        Ok(self.client.publish_with_headers(subject.to_owned(), headers, body).await?)
    }

    async fn take(&mut self, propagator: &dyn TextMapPropagator) -> Result<(Context, u64)> {
        let message = self.answers.next().await.ok_or("the server has gone")?;
        let headers = message.headers.unwrap_or_default();
        let pairs = headers.iter().flat_map(|(name, values)| values.iter().map(move |it| (name, it)));
        Ok((message::extract(propagator, pairs), std::str::from_utf8(&message.payload)?.parse()?))
    }
}
