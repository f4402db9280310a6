//! The three operations.

use crate::{Task, carrier::Carrier, contenders::Propagator};
use opentelemetry::Context;
use std::hint::black_box;

/// Reads the carrier.
#[must_use]
pub fn extract<C: Carrier>(propagator: Propagator, carrier: C) -> Task {
    Box::new(move || {
        carrier.read(|it| black_box(propagator.extract_with_context(&Context::new(), black_box(it))));
    })
}

/// Writes the context into a carrier that already has the headers, so that only their values change.
#[must_use]
pub fn inject<C: Carrier>(propagator: Propagator, context: &dyn Fn() -> Context) -> Task {
    // The entries of equal baggage come in another order in each of them.
    let contexts: [Context; 8] = std::array::from_fn(|_| context());
    let (mut carrier, mut calls) = (C::default(), 0);
    Box::new(move || {
        calls = (calls + 1) % contexts.len();
        carrier.write(|injector| propagator.inject_context(black_box(&contexts[calls]), injector));
    })
}

/// One request comes in and three go out, with the context that came in.
#[must_use]
pub fn hop<C: Carrier>(propagator: Propagator, carrier: C) -> Task {
    let mut sent = [C::default(), C::default(), C::default()];
    Box::new(move || {
        let context = carrier.read(|it| propagator.extract_with_context(&Context::new(), black_box(it)));
        for carrier in &mut sent {
            carrier.write(|injector| propagator.inject_context(black_box(&context), injector));
        }
    })
}
