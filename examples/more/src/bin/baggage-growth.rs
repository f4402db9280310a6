//! How large does the baggage header get when each of ten services adds a key, and what do pruning and limits do?

use examples::{Result, ensure, header};
use http::HeaderMap;
use more_examples::Log;
use opentelemetry::baggage::{Baggage, BaggageExt};
use otel_carriers::headers;
use otel_composite::{BaggagePropagator, CompositePropagator, Limits};

const HOPS: usize = 10;
const LIMIT: usize = 512;

fn main() -> Result {
    let _log = Log::install();
    let unlimited = propagator(Limits::default());
    let limited = propagator(Limits::default().max_bytes(LIMIT).keep_first(&["tenant"]));

    let untouched = sizes(&unlimited, |_, _| true)?;
    let pruned = sizes(&unlimited, is_for_neighbour)?;
    println!("what the limit leaves out is reported, a few times a minute:");
    let limited = sizes(&limited, |_, _| true)?;

    println!("\nbytes of the baggage header after each service:");
    println!("{:>3} {:>10} {:>7} {:>12}", "hop", "untouched", "pruned", "at most 512");
    for (hop, ((untouched, pruned), limited)) in untouched.iter().zip(&pruned).zip(&limited).enumerate() {
        println!("{hop:>3} {untouched:>10} {pruned:>7} {limited:>12}");
    }
    ensure(untouched.is_sorted_by(|before, after| before < after), "without either it grows on every hop")?;
    ensure(pruned.iter().skip(2).all(|size| Some(size) == pruned.get(2)), "pruned baggage stays as it is")?;
    ensure(limited.iter().all(|&size| size <= LIMIT), "the limit holds")
}

fn propagator(limits: Limits) -> CompositePropagator {
    CompositePropagator::builder().baggage(BaggagePropagator::new()).limits(limits).build()
}

/// The size of the header that each hop sends, when it sends on what `stays` says and a key of its own.
fn sizes(propagator: &CompositePropagator, stays: fn(&str, usize) -> bool) -> Result<Vec<usize>> {
    let mut headers = HeaderMap::new();
    let mut sizes = Vec::new();
    for hop in 0..=HOPS {
        let received = headers::extract(propagator, &headers);
        let kept = received.baggage().iter().filter(|(key, _)| stays(key.as_str(), hop));
        let mut baggage = kept.map(|(key, member)| (key.clone(), member.clone())).collect::<Baggage>();
        baggage.insert(added(hop), if hop == 0 { "acme-retail".to_owned() } else { "x".repeat(93) });
        headers.clear();
        headers::inject(propagator, &received.with_baggage(baggage), &mut headers);
        ensure(header(&headers, "baggage").contains("tenant=acme-retail"), "the tenant is always there")?;
        sizes.push(header(&headers, "baggage").len());
    }
    Ok(sizes)
}

/// The key that a hop adds; the value makes it a hundred bytes.
fn added(hop: usize) -> String {
    if hop == 0 { "tenant".to_owned() } else { format!("hop-{hop:02}") }
}

/// Pruning: a service sends on the tenant, and what the one before it added; nobody further on needs the rest.
fn is_for_neighbour(key: &str, hop: usize) -> bool {
    key == "tenant" || key == added(hop.saturating_sub(1))
}
