//! The request as propagators see it.

use crate::Request;
use opentelemetry::propagation::Extractor;

/// As HTTP servers give headers: every line that is text, in order.
#[derive(Debug)]
pub(crate) struct Carrier<'a>(pub(crate) &'a Request);

impl Carrier<'_> {
    /// The lines of a header; `None` for one that is no text.
    fn lines(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        let named = self.0.lines().iter().filter(move |line| line.name.eq_ignore_ascii_case(name));
        named.map(|line| line.text())
    }

    /// All lines of a header as one, where they are text.
    pub(crate) fn joined(&self, name: &str) -> String {
        self.lines(name).flatten().collect::<Vec<_>>().join(",")
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.lines(name).count()
    }
}

impl Extractor for Carrier<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        self.lines(name).next()?
    }

    fn keys(&self) -> Vec<&str> {
        self.0.lines().iter().map(|line| &*line.name).collect()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let mut lines = self.lines(name).peekable();
        lines.peek()?;
        Some(lines.flatten().collect())
    }
}
