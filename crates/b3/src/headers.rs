//! The headers of B3 as a carrier holds them.

use opentelemetry::propagation::Extractor;
use otel_propagator_core::header::field_value;

/// A carrier, and the names that it has where they help: for what is missing under its usual name.
pub(crate) struct Headers<'a> {
    extractor: &'a dyn Extractor,
    /// Nothing where the carrier does not list its B3 headers.
    names: Vec<&'a str>,
}

/// A header is there, but the carrier cannot give it as text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Unreadable;

impl<'a> Headers<'a> {
    /// The headers of a carrier; `None` where it lists its headers and none of them is of B3.
    ///
    /// One look at the names costs as much as one to three headers that are not there.
    pub(crate) fn of(extractor: &'a dyn Extractor) -> Option<Self> {
        let mut names = extractor.keys();
        let is_complete = !names.is_empty();
        names.retain(|name| is_b3(name));
        (!is_complete || !names.is_empty()).then_some(Self { extractor, names })
    }

    /// The same where a header is known to be there: a carrier that does not list it has an incomplete list.
    pub(crate) fn having(extractor: &'a dyn Extractor, name: &str) -> Self {
        let mut names = extractor.keys();
        if names.iter().any(|listed| listed.eq_ignore_ascii_case(name)) {
            names.retain(|name| is_b3(name));
        } else {
            names.clear();
        }
        Self { extractor, names }
    }

    /// A header under its usual name, else under the same name in other letters: where names are case-sensitive, as in
    /// messages, some send `X-B3-TraceId`.
    ///
    /// > When extracting state headers, the first value wins.
    ///
    /// <https://github.com/openzipkin/b3-propagation#multiple-headers>
    pub(crate) fn get(&self, name: &str) -> Result<Option<&'a str>, Unreadable> {
        if self.names.is_empty() {
            return Ok(read(self.extractor, name));
        }
        let same = self.names.iter().find(|listed| **listed == name);
        match same.or_else(|| self.names.iter().find(|listed| listed.eq_ignore_ascii_case(name))) {
            Some(name) => read(self.extractor, name).map(Some).ok_or(Unreadable),
            None => Ok(None),
        }
    }
}

/// The value of a header under exactly this name.
pub(crate) fn read<'a>(extractor: &'a dyn Extractor, name: &str) -> Option<&'a str> {
    extractor.get(name).map(field_value)
}

fn is_b3(name: &str) -> bool {
    let is = |prefix: &str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
    if name.len() == 2 { is("b3") } else { is("x-b3-") }
}
