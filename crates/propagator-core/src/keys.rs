//! Which keys a rule is about: exact names, prefixes and globs.

use std::{fmt, sync::Arc};

/// A list of patterns for keys, such as those of baggage.
///
/// A pattern is a name, or has asterisks, each of which stands for any number of bytes: `user.id` is one key,
/// `tenant.*` every key that begins so. Keys are compared as they are, in upper and lower case. No escape exists: a
/// key that itself holds an asterisk is matched by the pattern that is spelt like it, which matches others too.
///
/// The list is `const` where it is known when the program is written, and owned where it is not:
///
/// ```
/// use otel_propagator_core::keys::Keys;
///
/// const PUBLIC: Keys = Keys::of(&["cohort", "route.*"]);
/// assert!(PUBLIC.contains("cohort") && PUBLIC.contains("route.region"));
/// assert!(!PUBLIC.contains("Cohort") && !PUBLIC.contains("route"));
///
/// let configured: Keys = vec!["tenant".to_owned(), "*-id".to_owned()].into();
/// assert!(configured.contains("order-id"));
/// assert_eq!(configured.position("tenant"), Some(0));
/// ```
#[derive(Clone)]
pub struct Keys(Patterns);

#[derive(Clone)]
enum Patterns {
    Static(&'static [&'static str]),
    Owned(Arc<[Box<str>]>),
}

impl Keys {
    /// No key.
    pub const NONE: Self = Self::of(&[]);
    /// Every key.
    pub const ALL: Self = Self::of(&["*"]);

    /// The keys that one of these patterns matches.
    #[must_use]
    pub const fn of(patterns: &'static [&'static str]) -> Self {
        Self(Patterns::Static(patterns))
    }

    /// Whether a pattern matches the key.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    /// The place of the first pattern that matches the key.
    #[must_use]
    pub fn position(&self, key: &str) -> Option<usize> {
        match &self.0 {
            Patterns::Static(patterns) => patterns.iter().position(|pattern| matches(pattern, key)),
            Patterns::Owned(patterns) => patterns.iter().position(|pattern| matches(pattern, key)),
        }
    }

    /// The patterns, in their order.
    ///
    /// ```
    /// use otel_propagator_core::keys::Keys;
    ///
    /// assert_eq!(Keys::of(&["a", "b*"]).patterns().collect::<Vec<_>>(), ["a", "b*"]);
    /// ```
    #[must_use]
    pub fn patterns(&self) -> impl ExactSizeIterator<Item = &str> {
        let (fixed, owned): (&[&str], &[Box<str>]) = match &self.0 {
            Patterns::Static(patterns) => (patterns, &[]),
            Patterns::Owned(patterns) => (&[], patterns),
        };
        let len = fixed.len().max(owned.len());
        (0..len).map(move |at| fixed.get(at).copied().or(owned.get(at).map(|it| &**it)).unwrap_or_default())
    }

    /// Whether there is no pattern.
    ///
    /// ```
    /// use otel_propagator_core::keys::Keys;
    ///
    /// assert!(Keys::NONE.is_empty() && !Keys::ALL.is_empty());
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Patterns::Static(patterns) => patterns.is_empty(),
            Patterns::Owned(patterns) => patterns.is_empty(),
        }
    }
}

/// Whether the key is spelt as the pattern, with any bytes for each asterisk.
fn matches(pattern: &str, key: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == key };
    let Some(key) = key.strip_prefix(start) else { return false };
    let Some((middle, end)) = rest.rsplit_once('*') else { return key.ends_with(rest) };
    let Some(mut key) = key.strip_suffix(end) else { return false };
    // The earliest place for each piece leaves the most room for the next one.
    for piece in middle.split('*') {
        match key.split_once(piece) {
            Some((_, after)) => key = after,
            None => return false,
        }
    }
    true
}

impl<S: Into<Box<str>>> From<Vec<S>> for Keys {
    fn from(patterns: Vec<S>) -> Self {
        patterns.into_iter().collect()
    }
}

impl<S: Into<Box<str>>> FromIterator<S> for Keys {
    fn from_iter<I: IntoIterator<Item = S>>(patterns: I) -> Self {
        Self(Patterns::Owned(patterns.into_iter().map(Into::into).collect()))
    }
}

impl<const N: usize> From<&'static [&'static str; N]> for Keys {
    fn from(patterns: &'static [&'static str; N]) -> Self {
        Self::of(patterns)
    }
}

impl PartialEq for Keys {
    fn eq(&self, other: &Self) -> bool {
        self.patterns().eq(other.patterns())
    }
}

impl Eq for Keys {}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.patterns()).finish()
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self::NONE
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        let rows = [
            ("a name matches itself", "tenant", &["tenant"][..], &["Tenant", "tenan", "tenants", ""][..]),
            ("nothing matches nothing", "", &[""], &["a"]),
            ("everything", "*", &["", "a", "a*b"], &[]),
            ("a prefix", "a.*", &["a.", "a.b"], &["a", "b.a."]),
            ("a suffix", "*-id", &["-id", "order-id"], &["id", "order-id2"]),
            ("both ends do not overlap", "ab*ba", &["abba", "abxba"], &["aba", "ab"]),
            ("pieces in their order", "a*b*c", &["abc", "axbxc", "abbc"], &["acb", "ac", "abcx"]),
            ("a piece is found at its earliest", "*ab*b", &["abb", "aabxb"], &["ab"]),
            ("several at once", "a**b", &["ab", "axb"], &["a", "b"]),
            ("not ASCII", "é*", &["é", "éa"], &["e"]),
        ];
        for (rule, pattern, matched, others) in rows {
            for key in matched {
                assert!(matches(pattern, key), "{rule}: {pattern} matches {key}");
            }
            for key in others {
                assert!(!matches(pattern, key), "{rule}: {pattern} does not match {key}");
            }
        }
    }
}
