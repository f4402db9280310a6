//! The same headers through the propagators of `opentelemetry_sdk` and `opentelemetry-propagator-b3`.
//!
//! The answers may differ only where a specification decides it, and each such place is a class with its rule.
//! The class is told from the input, never from the answers. An unnamed disagreement breaks a law.

mod b3;
mod baggage;
mod tracecontext;

pub use b3::differential_b3;
pub use baggage::differential_baggage;
pub use tracecontext::differential_tracecontext;

/// A place where upstream departs from a specification, and the rule that decides for us.
#[derive(Debug)]
pub(crate) struct Class {
    /// What a reader may call it.
    pub(crate) name: &'static str,
    /// The rule that decides.
    pub(crate) rule: &'static str,
    /// Where the rule stands.
    pub(crate) section: &'static str,
}

/// The first class that applies, or a broken law.
pub(crate) fn classified(
    classes: &[(bool, &'static Class)],
    input: &dyn std::fmt::Debug,
    ours: &dyn std::fmt::Debug,
    theirs: &dyn std::fmt::Debug,
) -> &'static Class {
    let class = classes.iter().find(|(applies, _)| *applies).map(|(_, class)| *class);
    law!(class.is_some(), "every disagreement with upstream has a name", input, ours, theirs);
    class.unwrap_or_else(|| unreachable!())
}
