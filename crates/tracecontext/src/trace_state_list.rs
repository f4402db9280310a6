//! A `tracestate` as a list that can be read and thinned out.

use crate::{error::TraceStateError, tracestate};
use std::fmt;

/// The members of a `tracestate` in their order, by the grammar of
/// [Level 2](https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values): for boundaries that keep some of them,
/// and for tools that show them. The API's `TraceState` refuses some of its keys.
///
/// It has at most 32 members, and one that exists can be sent.
///
/// ```
/// use otel_tracecontext::TraceStateList;
///
/// let mut list = TraceStateList::parse("congo=t61rcWkgMzE , foo@@bar=1")?;
/// assert_eq!(list.get("foo@@bar"), Some("1"));
/// list.retain(|key, _| key != "congo");
/// assert_eq!(list.to_string(), "foo@@bar=1");
/// # Ok::<(), otel_tracecontext::TraceStateError>(())
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TraceStateList<'a>(Vec<(&'a str, &'a str)>);

impl<'a> TraceStateList<'a> {
    /// Reads a header value; several lines are joined by commas before.
    ///
    /// # Errors
    ///
    /// The first rule that is broken. No part of a broken `tracestate` may be used.
    ///
    /// ```
    /// use otel_tracecontext::TraceStateList;
    ///
    /// assert!(TraceStateList::parse(" ,a=1, ").is_ok());
    /// assert_eq!(TraceStateList::parse("A=1").unwrap_err().to_string(), "key is outside the grammar");
    /// ```
    pub fn parse(value: &'a str) -> Result<Self, TraceStateError> {
        tracestate::members(&[value]).map(Self)
    }

    /// The value of the first member with this key.
    ///
    /// ```
    /// # use otel_tracecontext::TraceStateList;
    /// assert_eq!(TraceStateList::parse("a=1,b=2")?.get("b"), Some("2"));
    /// # Ok::<(), otel_tracecontext::TraceStateError>(())
    /// ```
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'a str> {
        self.iter().find(|member| member.0 == key).map(|member| member.1)
    }

    /// Keeps the members of which `keep` says so, by key and value, and their order.
    ///
    /// ```
    /// # use otel_tracecontext::TraceStateList;
    /// let mut list = TraceStateList::parse("a=1,b=2")?;
    /// list.retain(|key, _| key == "b");
    /// assert_eq!(list.to_string(), "b=2");
    /// # Ok::<(), otel_tracecontext::TraceStateError>(())
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &str) -> bool) {
        self.0.retain(|(key, value)| keep(key, value));
    }

    /// Key and value of each member, the latest first, as the specification orders them.
    ///
    /// ```
    /// # use otel_tracecontext::TraceStateList;
    /// let list = TraceStateList::parse("a=1,b=2")?;
    /// assert_eq!(list.iter().collect::<Vec<_>>(), [("a", "1"), ("b", "2")]);
    /// # Ok::<(), otel_tracecontext::TraceStateError>(())
    /// ```
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> + '_ {
        self.0.iter().copied()
    }
}

/// The header value. Empty where there is no member: then the header is not sent.
impl fmt::Display for TraceStateList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&tracestate::write(self.iter().collect::<Vec<_>>()).0)
    }
}
