//! What the carriers of HTTP cost: our propagators with `opentelemetry_http`'s and with ours.

use crate::{
    Task,
    contenders::Propagator,
    pair::{Given, Lines},
    rows::Contender,
};
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use otel_carriers::headers;
use std::hint::black_box;

/// Writes the context into the headers of a new request.
pub(crate) fn inject(propagator: Propagator, context: Given<Context>, contender: Contender) -> Option<Task> {
    let context = context();
    let inject = move |write: &dyn Fn(&mut HeaderMap)| {
        let mut request = HeaderMap::with_capacity(16);
        request.insert(http::header::HOST, HeaderValue::from_static("orders.example"));
        request.insert(http::header::ACCEPT, HeaderValue::from_static("application/json"));
        write(black_box(&mut request));
        black_box(request);
    };
    match contender {
        Contender::Sdk => Some(Box::new(move || {
            inject(&|request| propagator.inject_context(&context, &mut HeaderInjector(request)));
        })),
        Contender::Ours => Some(Box::new(move || {
            inject(&|request| {
                let mut injector = headers::HeaderInjector::new(request, &*propagator);
                propagator.inject_context(&context, &mut injector);
            });
        })),
        _ => None,
    }
}

/// Reads the headers of a request.
pub(crate) fn extract(propagator: Propagator, lines: Given<Lines>, contender: Contender) -> Option<Task> {
    let mut request = HeaderMap::new();
    for (name, value) in lines() {
        request.append(HeaderName::from_static(name), value.parse().expect("the rows have valid values"));
    }
    match contender {
        Contender::Sdk => Some(Box::new(move || {
            let extractor = HeaderExtractor(black_box(&request));
            black_box(propagator.extract_with_context(&Context::new(), &extractor));
        })),
        Contender::Ours => Some(Box::new(move || {
            let extractor = headers::HeaderExtractor::new(black_box(&request));
            black_box(propagator.extract_with_context(&Context::new(), &extractor));
        })),
        _ => None,
    }
}
