//! Headers that a received request has beside those of the trace that goes on.
//!
//! Whoever copies a request and its headers, as a proxy does, sends them too, beside those that are written, and an
//! [`Injector`](opentelemetry::propagation::Injector) cannot remove one: `x-b3-flags: 1` of a trace that was not chosen
//! would make a debug trace of the chosen one. So they are remembered in the [`Context`], and a format that does not
//! always write such a header overrides it. Where a request has none, nothing is remembered, and no header more is written.

use opentelemetry::Context;
use std::ptr;

#[derive(Debug)]
struct Leftover(Vec<&'static str>);

/// The context that was extracted into `given`, with the names of headers that say nothing of its trace. What was
/// remembered of an earlier request is forgotten.
///
/// ```
/// use opentelemetry::Context;
/// use otel_propagator_core::leftover;
///
/// let cx = leftover::remember(&Context::new(), Context::new(), &["tracestate"]);
/// assert!(leftover::is_in(&cx, "tracestate"));
/// assert!(!leftover::is_in(&leftover::remember(&cx, cx.clone(), &[]), "tracestate"), "of an earlier request");
/// ```
#[must_use]
#[inline]
pub fn remember(given: &Context, extracted: Context, names: &[&'static str]) -> Context {
    let known = names_in(&extracted);
    if known.is_empty() && names.is_empty() {
        return extracted;
    }
    let known = if ptr::eq(known, names_in(given)) { &[] } else { known };
    let names = known.iter().chain(names).copied().collect();
    extracted.with_value(Leftover(names))
}

/// Whether the request had this header, and it says nothing of the trace of this context.
#[must_use]
#[inline]
pub fn is_in(cx: &Context, name: &str) -> bool {
    names_in(cx).contains(&name)
}

fn names_in(cx: &Context) -> &[&'static str] {
    cx.get::<Leftover>().map_or(&[], |leftover| &leftover.0)
}
