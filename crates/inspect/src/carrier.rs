//! The request as propagators see it.

use crate::Request;
use opentelemetry::propagation::Extractor;

/// As HTTP servers give headers: every line that is text, in order.
#[derive(Debug)]
pub(crate) struct Carrier<'a>(pub(crate) &'a Request);

impl Carrier<'_> {
    fn lines<'a>(&'a self, name: &'a str) -> impl Iterator<Item = Option<&'a str>> {
        let named = self.0.lines().iter().filter(move |line| line.name.eq_ignore_ascii_case(name));
        named.map(|line| line.text())
    }
}

impl Extractor for Carrier<'_> {
    fn get(&self, name: &str) -> Option<&str> {
        let mut lines = self.0.lines().iter().filter(|line| line.name.eq_ignore_ascii_case(name));
        lines.next()?.text()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.lines().iter().map(|line| &*line.name).collect()
    }

    fn get_all(&self, name: &str) -> Option<Vec<&str>> {
        let named = || self.0.lines().iter().filter(|line| line.name.eq_ignore_ascii_case(name));
        named().next()?;
        Some(named().filter_map(|line| line.text()).collect())
    }
}

impl Carrier<'_> {
    /// All lines of a header as one, where they are text.
    pub(crate) fn joined(&self, name: &str) -> String {
        self.lines(name).flatten().collect::<Vec<_>>().join(",")
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.lines(name).count()
    }
}
