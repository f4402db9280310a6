//! What the tests share: identifiers, carriers, and the eight forms in which a request may come.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of it")]

use opentelemetry::Context;
use otel_b3::B3Propagator;
use testing::format;
pub(crate) use testing::format::{Headers, headers};

pub(crate) const TRACE: &str = "80f198ee56343ba864fe8b2a57d3eff7";
pub(crate) const SPAN: &str = "e457b5a2e4d86bd1";
pub(crate) const PARENT: &str = "05e3ac9a4f6e3b90";

/// A trace id and a span id, where there are any.
pub(crate) type Ids<'a> = Option<(&'a str, &'a str)>;

pub(crate) const IDS: Ids<'static> = Some((TRACE, SPAN));

pub(crate) fn extract_in(cx: &Context, headers: &Headers) -> Context {
    format::extract(&B3Propagator::new(), cx, headers)
}

pub(crate) fn extract(headers: &Headers) -> Context {
    extract_in(&Context::new(), headers)
}

pub(crate) fn inject(propagator: B3Propagator, cx: &Context) -> Headers {
    format::inject(&propagator, cx)
}

/// The forms in which headers are sent.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Single,
    Multi,
    Both,
}

pub(crate) const FORMS: [Form; 3] = [Form::Single, Form::Multi, Form::Both];

impl Form {
    pub(crate) fn propagator(self) -> B3Propagator {
        match self {
            Self::Single => B3Propagator::single(),
            Self::Multi => B3Propagator::multi(),
            Self::Both => B3Propagator::single_and_multi(),
        }
    }

    /// The headers for identifiers and a state (`0`, `1`, `d`), each of which may be missing.
    pub(crate) fn headers(self, ids: Ids<'_>, state: Option<char>) -> Headers {
        match self {
            Self::Single => single(ids, state),
            Self::Multi => multi(ids, state),
            Self::Both => single(ids, state).into_iter().chain(multi(ids, state)).collect(),
        }
    }
}

fn single(ids: Ids<'_>, state: Option<char>) -> Headers {
    let ids = ids.map(|(trace, span)| format!("{trace}-{span}"));
    let fields: Vec<_> = ids.into_iter().chain(state.map(String::from)).collect();
    if fields.is_empty() { Headers::new() } else { headers([("b3", fields.join("-"))]) }
}

fn multi(ids: Ids<'_>, state: Option<char>) -> Headers {
    let ids = ids.map_or(vec![], |(trace, span)| vec![("x-b3-traceid", trace), ("x-b3-spanid", span)]);
    let state = state.map(|state| match state {
        'd' => ("x-b3-flags", "1"),
        '1' => ("x-b3-sampled", "1"),
        _ => ("x-b3-sampled", "0"),
    });
    headers(ids.into_iter().chain(state))
}
