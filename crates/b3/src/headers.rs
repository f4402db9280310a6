//! The headers of B3 as a carrier holds them.

use opentelemetry::propagation::Extractor;
use otel_propagator_core::header::field_value;
use std::cell::OnceCell;

pub(crate) const B3: &str = "b3";
pub(crate) const TRACE_ID: &str = "x-b3-traceid";
pub(crate) const SPAN_ID: &str = "x-b3-spanid";
pub(crate) const PARENT_SPAN_ID: &str = "x-b3-parentspanid";
pub(crate) const SAMPLED: &str = "x-b3-sampled";
pub(crate) const FLAGS: &str = "x-b3-flags";

/// A header of this form.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Header {
    TraceId,
    SpanId,
    ParentSpanId,
    Sampled,
    Flags,
}

impl Header {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::TraceId => TRACE_ID,
            Self::SpanId => SPAN_ID,
            Self::ParentSpanId => PARENT_SPAN_ID,
            Self::Sampled => SAMPLED,
            Self::Flags => FLAGS,
        }
    }
}

/// A carrier, and its names where they help: for what is missing under its usual name.
pub(crate) struct Headers<'a> {
    extractor: &'a dyn Extractor,
    /// Read already; `None` where it is missing under its usual name.
    trace_id: Option<&'a str>,
    /// The names of B3 that the carrier lists; none where the list is incomplete.
    names: OnceCell<Vec<&'a str>>,
}

/// A header is there, but the carrier cannot give it as text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable;

impl<'a> Headers<'a> {
    /// The headers of a carrier; `None` where it lists its headers and none of them is of B3.
    ///
    /// Nearly all that is B3 has a trace id under its usual name. Where there is none, one look at the carrier's names
    /// costs as much as one to three headers that are not there, and mostly shows that there is nothing to read.
    pub(crate) fn of(extractor: &'a dyn Extractor) -> Option<Self> {
        let trace_id = read(extractor, TRACE_ID);
        let headers = Self { extractor, trace_id, names: OnceCell::new() };
        if trace_id.is_some() {
            return Some(headers);
        }
        let mut names = extractor.keys();
        let is_complete = !names.is_empty();
        names.retain(|name| is_b3(name));
        let is_b3 = !is_complete || !names.is_empty();
        is_b3.then(|| Self { names: OnceCell::from(names), ..headers })
    }

    /// A header under its usual name, else under the same name in other letters: where names are case-sensitive, as in
    /// messages, some send `X-B3-TraceId`.
    ///
    /// > When extracting state headers, the first value wins.
    ///
    /// <https://github.com/openzipkin/b3-propagation#multiple-headers>
    pub(crate) fn get(&self, name: &str) -> Result<Option<&'a str>, Unreadable> {
        if let Some(trace_id) = self.trace_id.filter(|_| name == TRACE_ID) {
            return Ok(Some(trace_id));
        }
        match self.names.get() {
            Some(names) if !names.is_empty() => self.get_listed(names, name),
            Some(_) => Ok(read(self.extractor, name)),
            None => match read(self.extractor, name) {
                // Only one value of it says something, so a missing one is not worth the look.
                None if name == FLAGS => Ok(None),
                None => self.get_listed(self.names.get_or_init(|| self.list()), name),
                value => Ok(value),
            },
        }
    }

    /// A header that is missing under its usual name, as far as the names have been looked at.
    pub(crate) fn get_unusual(&self, name: &str) -> Result<Option<&'a str>, Unreadable> {
        self.names.get().map_or(Ok(None), |names| self.get_listed(names, name))
    }

    fn get_listed(&self, names: &[&'a str], name: &str) -> Result<Option<&'a str>, Unreadable> {
        let same = names.iter().find(|listed| **listed == name);
        match same.or_else(|| names.iter().find(|listed| listed.eq_ignore_ascii_case(name))) {
            Some(name) => read(self.extractor, name).map(Some).ok_or(Unreadable),
            None => Ok(None),
        }
    }

    /// Nothing where the carrier does not even list the trace id that it has.
    fn list(&self) -> Vec<&'a str> {
        let mut names = self.extractor.keys();
        if names.iter().any(|name| name.eq_ignore_ascii_case(TRACE_ID)) {
            names.retain(|name| is_b3(name));
        } else {
            names.clear();
        }
        names
    }
}

/// The value of a header under exactly this name.
pub(crate) fn read<'a>(extractor: &'a dyn Extractor, name: &str) -> Option<&'a str> {
    extractor.get(name).map(field_value)
}

fn is_b3(name: &str) -> bool {
    let is = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if name.len() == B3.len() { is(B3) } else { is("x-b3-") }
}
