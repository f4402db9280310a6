//! What the wrapped propagator sees of a caller's baggage.

use crate::list;
use opentelemetry::propagation::Extractor;
use otel_baggage_limits::{Elements, Limits};
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

/// How much of a list is looked at; what comes after it is not accepted.
const LIMITS: Limits = Limits::W3C;

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
        let accepts = |member: &str| self.keys.contains(list::key(member));
        let mut members = Elements::new(&lines, &LIMITS);
        if members.by_ref().all(accepts) && members.cut().is_none() {
            return List { is_there: true, lines: lines.into_iter().map(Cow::Borrowed).collect() };
        }
        let (mut kept, mut dropped) = (Vec::new(), 0);
        let mut members = Elements::new(&lines, &LIMITS);
        for member in members.by_ref() {
            if accepts(member) { kept.push(member) } else { dropped += 1 }
        }
        // What was not looked at counts once.
        dropped += usize::from(members.cut().is_some());
        self.dropped.set(self.dropped.get() + dropped);
        let lines = if kept.is_empty() { Vec::new() } else { vec![kept.join(",").into()] };
        List { is_there: !lines.is_empty(), lines }
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

/// Of a request its lists of baggage, and nothing else.
pub(crate) struct Lists<'a>(pub(crate) &'a dyn Extractor);

impl Lists<'_> {
    pub(crate) fn is_empty(&self) -> bool {
        list::HEADERS.iter().all(|header| self.0.get_all(header).is_none())
    }
}

impl Extractor for Lists<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        list::position(key).and_then(|_| self.0.get(key))
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().into_iter().filter(|key| list::position(key).is_some()).collect()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        list::position(key).and_then(|_| self.0.get_all(key))
    }
}
