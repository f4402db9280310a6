//! The requests: mostly good ones, and of every other kind some.

use http::{HeaderMap, HeaderName, HeaderValue, header::HeaderName as Name};
use std::fmt::Write as _;

/// Tells the leaf what a good request must arrive with: trace id and order number.
pub(crate) const EXPECTED: HeaderName = Name::from_static("x-expected");

/// The key of the baggage member that a good request carries.
pub(crate) const ORDER: &str = "order";

/// Of a hundred requests, how many are good; the rest take turns.
const GOOD_PERCENT: u64 = 70;

/// A request and what it is.
pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) good: bool,
}

/// The request with this number. The same number always gives the same request.
pub(crate) fn request(number: u64) -> Request {
    let good = number % 100 < GOOD_PERCENT;
    let headers = if good { good_headers(number) } else { other_headers(number) };
    Request { headers, good }
}

fn good_headers(number: u64) -> HeaderMap {
    let trace_id = format!("{:032x}", u128::from(number) << 64 | 0x5eed);
    let mut headers = HeaderMap::new();
    add(&mut headers, "traceparent", &format!("00-{trace_id}-{:016x}-01", number + 1));
    add(&mut headers, "tracestate", "rojo=00f067aa0ba902b7");
    add(&mut headers, "tracestate", "congo=t61rcWkgMzE");
    add(&mut headers, "baggage", "tenant=acme%20retail;tier=1, cohort=b");
    add(&mut headers, "baggage", &format!("{ORDER}=n={number}"));
    add(&mut headers, EXPECTED.as_str(), &format!("{trace_id} n={number}"));
    headers
}

/// Missing, malformed and hostile ones in turn.
fn other_headers(number: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let traceparent = format!("00-{:032x}-{:016x}-01", number + 1, number + 1);
    match number % 10 {
        0 => {}
        1 => add(&mut headers, "traceparent", "0-1-2-1"),
        2 => add(&mut headers, "traceparent", &traceparent.to_uppercase().replace("01", "0A")),
        3 => (0..2).for_each(|_| add(&mut headers, "traceparent", &traceparent)),
        4 => add(&mut headers, "baggage", &"x".repeat(32_000)),
        5 => add(&mut headers, "baggage", &members(4000)),
        6 => (0..60).for_each(|line| add(&mut headers, "baggage", &format!("k{line}={},", "%FF".repeat(60)))),
        7 => {
            add(&mut headers, "traceparent", &traceparent);
            add(&mut headers, "tracestate", &",".repeat(32_000));
        }
        8 => add(&mut headers, "baggage", "a=1;x%2Cadmin%3Dtrue,=,;,%0D%0Ax=1,b=\"2\""),
        _ => add(&mut headers, "b3", "80f198ee56343ba864fe8b2a57d3eff7--1"),
    }
    headers
}

fn members(count: usize) -> String {
    (0..count).fold(String::new(), |mut header, member| {
        let _ = write!(header, "k{member}=1,");
        header
    })
}

fn add(headers: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
    headers.append(name, HeaderValue::from_str(value).expect("a header value"));
}
