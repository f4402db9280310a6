//! RabbitMQ by lapin, its headers by `otel-carriers`.

use crate::Result;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, BasicPublishOptions, QueueDeclareOptions, QueuePurgeOptions},
    types::{AMQPValue, FieldTable, ShortString},
};
use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message::{self, MessageExtractor};
use std::{collections::BTreeMap, time::Duration};

type Headers = BTreeMap<ShortString, AMQPValue>;

pub(crate) struct Broker(Channel);

impl Broker {
    pub(crate) async fn connect(url: &str, first: &str) -> Result<Self> {
        let channel =
            Connection::connect(url, ConnectionProperties::default()).await?.create_channel().await?;
        for queue in [first, "rust"] {
            channel
                .queue_declare(queue.into(), QueueDeclareOptions::default(), FieldTable::default())
                .await?;
        }
        channel.queue_purge("rust".into(), QueuePurgeOptions::default()).await?;
        Ok(Self(channel))
    }
}

impl crate::Broker for Broker {
    async fn send(
        &self,
        queue: &str,
        propagator: &dyn TextMapPropagator,
        cx: &Context,
        number: u64,
    ) -> Result {
        let mut headers = Headers::new();
        message::inject(propagator, cx, &mut headers, read, |headers, name, value| match value {
            Some(value) => drop(headers.insert(name.into(), AMQPValue::LongString(value.into()))),
            None => headers.retain(|older, _| !older.as_str().eq_ignore_ascii_case(name)),
        });
        let properties = BasicProperties::default().with_headers(headers.into());
        let body = number.to_string();
        let options = BasicPublishOptions::default();
        self.0.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties).await?;
        Ok(())
    }

    async fn take(&mut self, propagator: &dyn TextMapPropagator) -> Result<(Context, u64)> {
        loop {
            if let Some(message) = self.0.basic_get("rust".into(), BasicGetOptions { no_ack: true }).await? {
                let headers = message.properties.headers().as_ref().map(|it| it.inner().clone());
                let headers = headers.unwrap_or_default();
                let received = propagator.extract_with_context(&Context::new(), &read(&headers));
                return Ok((received, std::str::from_utf8(&message.data)?.parse()?));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Of the types that a header can have, text is a long string.
fn read(headers: &Headers) -> MessageExtractor<'_> {
    MessageExtractor::new(headers.iter().filter_map(|(name, value)| match value {
        AMQPValue::LongString(text) => Some((name.as_str(), text.as_bytes())),
        _ => None,
    }))
}
