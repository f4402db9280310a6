//! The same headers through the propagators of `opentelemetry_sdk` and `opentelemetry-propagator-b3`.
//!
//! The answers may differ only where a specification decides it, and each such place is a class with its rule.
//! The class is told from the input, never from the answers. An unnamed disagreement breaks a law.

macro_rules! classes {
    ($($name:ident: $rule:literal, $section:literal;)+) => {
        $(static $name: Class = Class { name: stringify!($name), rule: $rule, section: $section, seen: AtomicBool::new(false) };)+
        pub(crate) static CLASSES: &[&Class] = &[$(&$name),+];
    };
}

mod b3;
mod baggage;
mod tracecontext;

pub use b3::differential_b3;
pub use baggage::differential_baggage;
pub use tracecontext::differential_tracecontext;

use std::sync::atomic::{AtomicBool, Ordering};

/// A place where upstream departs from a specification, and the rule that decides for us.
#[derive(Debug)]
pub struct Class {
    /// What it is called in the README.
    pub name: &'static str,
    /// The rule that decides.
    pub rule: &'static str,
    /// Where the rule stands.
    pub section: &'static str,
    seen: AtomicBool,
}

impl Class {
    /// Whether an input has shown it since the process started.
    pub fn was_seen(&self) -> bool {
        self.seen.load(Ordering::Relaxed)
    }
}

/// Every class, by format.
pub fn classes() -> impl Iterator<Item = (&'static str, &'static Class)> {
    let formats =
        [("tracecontext", tracecontext::CLASSES), ("baggage", baggage::CLASSES), ("b3", b3::CLASSES)];
    formats.into_iter().flat_map(|(format, classes)| classes.iter().map(move |class| (format, *class)))
}

/// The first class that applies is seen; where there is none a law is broken.
fn classify(
    classes: &[(bool, &'static Class)],
    input: &dyn std::fmt::Debug,
    ours: &dyn std::fmt::Debug,
    theirs: &dyn std::fmt::Debug,
) {
    let class = classes.iter().find(|(applies, _)| *applies);
    law!(class.is_some(), "every disagreement with upstream has a name", input, ours, theirs);
    if let Some((_, class)) = class {
        class.seen.store(true, Ordering::Relaxed);
    }
}
