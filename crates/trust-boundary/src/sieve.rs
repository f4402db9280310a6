//! What the wrapped propagator sees of a caller's baggage.

use crate::list;
use opentelemetry::propagation::Extractor;
use otel_propagator_core::keys::Keys;
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell},
};

/// A request without the members of its baggage lists that are not accepted, so that a propagator which passes them on as
/// text does not have them either.
pub(crate) struct Sieve<'a> {
    request: &'a dyn Extractor,
    keys: &'a Keys,
    /// From when they are asked for.
    lists: [OnceCell<List<'a>>; list::HEADERS.len()],
    dropped: Cell<usize>,
}

/// What is left of the lines of a header.
#[derive(Default)]
struct List<'a> {
    is_there: bool,
    lines: Vec<Cow<'a, str>>,
}

/// As many members are looked at, as in the formats; those after them are not accepted.
const MOST_MEMBERS: usize = 180;

impl<'a> Sieve<'a> {
    pub(crate) fn new(request: &'a dyn Extractor, keys: &'a Keys) -> Self {
        Self { request, keys, lists: Default::default(), dropped: Cell::new(0) }
    }

    /// How many members were hidden.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped.get()
    }

    /// What is left of a list; `None` of every other header.
    fn list(&self, header: &str) -> Option<&List<'a>> {
        let list = self.lists.get(list::position(header)?)?;
        Some(list.get_or_init(|| self.accepted(header)))
    }

    fn accepted(&self, header: &str) -> List<'a> {
        let Some(lines) = self.request.get_all(header) else { return List::default() };
        // A header that the carrier cannot give as text is there all the same.
        let is_unreadable = lines.is_empty();
        let mut looked_at = 0;
        let mut accepts = |key: &str| {
            looked_at += 1;
            looked_at <= MOST_MEMBERS && self.keys.contains(key)
        };
        let line = |line: &'a str| match list::filtered(line, &mut accepts) {
            None => Cow::Borrowed(line),
            Some((kept, dropped)) => {
                self.dropped.set(self.dropped.get() + dropped);
                Cow::Owned(kept)
            }
        };
        let lines: Vec<_> = lines.into_iter().map(line).filter(|line| !line.is_empty()).collect();
        List { is_there: is_unreadable || !lines.is_empty(), lines }
    }
}

impl Extractor for Sieve<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match self.list(key) {
            Some(list) => list.lines.first().map(AsRef::as_ref),
            None => self.request.get(key),
        }
    }

    fn keys(&self) -> Vec<&str> {
        self.request.keys()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        match self.list(key) {
            Some(list) => list.is_there.then(|| list.lines.iter().map(AsRef::as_ref).collect()),
            None => self.request.get_all(key),
        }
    }
}
