//! What callers send: good requests, requests without any context, broken ones and hostile ones.

use http::{HeaderMap, HeaderName, HeaderValue};

type Lines = Vec<(&'static str, Vec<u8>)>;

const KINDS: &[fn(u64) -> Lines] = &[
    |_| vec![],
    |at| w3c(at, "01"),
    |at| w3c(at, "00"),
    |at| {
        [
            w3c(at, "03"),
            vec![("tracestate", b"a=1,b=2".to_vec()), ("baggage", b"tenant=acme,cart=3;p=1".to_vec())],
        ]
        .concat()
    },
    |at| vec![("b3", format!("{}-{at:016x}-1", trace(at)).into_bytes())],
    |at| vec![("b3", format!("{}-{at:016x}", trace(at)).into_bytes())],
    |_| vec![("b3", b"0".to_vec())],
    |_| vec![("b3", b"d".to_vec())],
    |at| {
        vec![
            ("x-b3-traceid", trace(at).into_bytes()),
            ("x-b3-spanid", format!("{at:016x}").into_bytes()),
            ("x-b3-flags", b"1".to_vec()),
        ]
    },
    |at| {
        vec![
            ("uber-trace-id", format!("{}:{at:x}:0:1", trace(at)).into_bytes()),
            ("uberctx-tenant", b"acme".to_vec()),
        ]
    },
    |at| {
        vec![(
            "x-amzn-trace-id",
            format!("Root=1-5f5f5f5f-{at:024x};Parent={at:016x};Sampled=?").into_bytes(),
        )]
    },
    |at| {
        vec![
            ("ot-tracer-traceid", trace(at).into_bytes()),
            ("ot-tracer-spanid", format!("{at:016x}").into_bytes()),
            ("ot-tracer-sampled", b"true".to_vec()),
        ]
    },
    // Two formats that name different traces.
    |at| [w3c(at, "01"), vec![("b3", format!("{}-{at:016x}-d", trace(at + 1)).into_bytes())]].concat(),
    // Broken.
    |at| vec![("traceparent", format!("ff-{}-{at:016x}-01", trace(at)).into_bytes())],
    |at| [w3c(at, "01"), w3c(at, "01")].concat(),
    |_| {
        vec![
            ("traceparent", b"x".to_vec()),
            ("b3", b"x".to_vec()),
            ("uber-trace-id", b"x".to_vec()),
            ("baggage", b"x".to_vec()),
        ]
    },
    |_| {
        vec![
            ("traceparent", b"\xff\xfe".to_vec()),
            ("tracestate", b"\xc3\x28".to_vec()),
            ("baggage", b"a=\xff".to_vec()),
        ]
    },
    |at| [w3c(at, "01"), vec![("tracestate", b"A=1".to_vec()), ("baggage", b";;;".to_vec())]].concat(),
    // Hostile: at the limits and beyond them.
    |_| vec![("baggage", members(64, 8192))],
    |_| vec![("baggage", members(65, 8193))],
    |_| vec![("baggage", members(1, 5000))],
    |_| vec![("baggage", vec![b','; 32 << 10])],
    |_| vec![("baggage", b"a=1,".repeat(8 << 10))],
    |at| [w3c(at, "01"), vec![("tracestate", vec![b','; 32 << 10])]].concat(),
    |_| vec![("baggage", b"k=%".repeat(2000))],
    |_| (0..200).map(|_| ("baggage", b"a=1".to_vec())).collect(),
    |_| (0..50).map(|_| ("x-b3-sampled", b"1".to_vec())).collect(),
];

/// The kinds of request.
pub(crate) fn kinds() -> u64 {
    KINDS.len() as u64
}

/// The headers of the request of this number.
pub(crate) fn request(number: u64) -> HeaderMap {
    let kind = usize::try_from(number % kinds()).unwrap_or_default();
    let lines = KINDS.get(kind).map(|kind| kind(number + 1)).unwrap_or_default();
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    headers
}

fn trace(at: u64) -> String {
    format!("{:032x}", (0x5f_5f5f_u128 << 96) | u128::from(at))
}

fn w3c(at: u64, flags: &str) -> Lines {
    vec![("traceparent", format!("00-{}-{at:016x}-{flags}", trace(at)).into_bytes())]
}

/// So many members that make so many bytes.
fn members(count: usize, bytes: usize) -> Vec<u8> {
    let mut header: Vec<String> = (0..count).map(|at| format!("k{at:02}=v")).collect();
    let len = header.iter().map(String::len).sum::<usize>() + count - 1;
    if let Some(last) = header.last_mut() {
        last.push_str(&"v".repeat(bytes.saturating_sub(len)));
    }
    header.join(",").into_bytes()
}
