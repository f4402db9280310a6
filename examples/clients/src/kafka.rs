use opentelemetry::{Context, propagation::TextMapPropagator};
use otel_carriers::message;
use rdkafka::message::{Header, Headers, OwnedHeaders};

/// They can only be appended to, so those that stay are copied.
pub fn send(propagator: &dyn TextMapPropagator, cx: &Context, headers: &OwnedHeaders) -> OwnedHeaders {
    let owned = |header: Header<'_, &[u8]>| (header.key.to_owned(), header.value.map(<[u8]>::to_owned));
    let mut all: Vec<_> = headers.iter().map(owned).collect();
    message::replace(propagator, cx, |name, value| match value {
        Some(value) => all.push((name.to_owned(), Some(value.into_bytes()))),
        None => all.retain(|(older, _)| !older.eq_ignore_ascii_case(name)),
    });
    all.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: value.as_ref() })
    })
}

/// Of a `BorrowedMessage` or an `OwnedMessage`: `message.headers()`.
pub fn receive(propagator: &dyn TextMapPropagator, headers: &impl Headers) -> Context {
    message::extract(propagator, headers.iter().filter_map(|header| Some((header.key, header.value?))))
}
