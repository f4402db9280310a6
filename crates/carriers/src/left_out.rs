//! The event of a carrier that cannot hold, or cannot read, what it is given.

use crate::name::shown;
use otel_propagator_core::diagnostics::{Direction, TARGET, admit};
use std::cell::Cell;
use tracing::Level;

/// What one carrier has left out so far; dropped with the carrier, it says so.
///
/// An event may run any code, and a propagator may call its carrier under a borrow of the current context, where that
/// code could panic. When the carrier is dropped, the propagator has returned.
#[derive(Debug)]
pub(crate) struct Losses {
    carrier: &'static str,
    direction: Direction,
    first: Cell<Option<First>>,
    values: Cell<usize>,
}

#[derive(Clone, Copy, Debug)]
struct First {
    header: &'static str,
    rule: &'static str,
    bytes: usize,
}

impl Losses {
    pub(crate) const fn of(carrier: &'static str, direction: Direction) -> Self {
        Self { carrier, direction, first: Cell::new(None), values: Cell::new(0) }
    }

    /// Remembers a value that was left out.
    #[cold]
    pub(crate) fn add(&self, name: &str, rule: &'static str, bytes: usize) {
        self.values.set(self.values.get() + 1);
        if self.first.get().is_none() {
            self.first.set(Some(First { header: shown(name), rule, bytes }));
        }
    }

    /// The value as text.
    #[inline]
    pub(crate) fn text<'a>(&self, name: &str, value: &'a [u8]) -> Option<&'a str> {
        let text = std::str::from_utf8(value).ok();
        if text.is_none() {
            self.add(name, NOT_TEXT, value.len());
        }
        text
    }

    /// Those of the values that are text. Where none is, the propagator that asked for them says so.
    #[inline]
    pub(crate) fn texts<'a>(&self, name: &str, values: impl Iterator<Item = &'a [u8]>) -> Vec<&'a str> {
        let mut bytes = 0;
        let text = |value| std::str::from_utf8(value).inspect_err(|_| bytes += value.len()).ok();
        let texts: Vec<&str> = values.filter_map(text).collect();
        if bytes > 0 && !texts.is_empty() {
            self.add(name, NOT_TEXT, bytes);
        }
        texts
    }

    #[cold]
    fn emit(&self, First { header, rule, bytes }: First) {
        let (carrier, direction) = (self.carrier, self.direction.as_str());
        let Some(suppressed) = admit(&["not_carried", carrier, direction, header, rule]) else { return };
        let values = self.values.get();
        tracing::event!(
            name: "propagator.not_carried", target: TARGET, Level::WARN,
            name = "propagator.not_carried", carrier, direction, header, rule, values, bytes, suppressed,
            "{values} value(s) left out by the carrier ({carrier}), {header} first: {rule}"
        );
    }
}

const NOT_TEXT: &str = "not UTF-8";

impl Drop for Losses {
    #[inline]
    fn drop(&mut self) {
        if let Some(first) = self.first.get() {
            self.emit(first);
        }
    }
}
