//! What passes to the carrier.

use crate::{Outbound, Trace, list};
use opentelemetry::{baggage::Baggage, propagation::Injector};
use otel_propagator_core::header::baggage_key;

/// What a header is about, as far as its name says.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Carries {
    Trace,
    TraceState,
    Baggage,
}

impl Carries {
    /// Every header that is not known to be of another concern is the trace's, which is the first to be denied.
    pub(crate) fn of(header: &str) -> Self {
        if header.eq_ignore_ascii_case("tracestate") {
            Self::TraceState
        } else if list::position(header).is_some()
            || is_encoded_baggage(header)
            || baggage_key(header).is_some()
        {
            Self::Baggage
        } else {
            Self::Trace
        }
    }

    /// Whether the rule lets nothing of it pass.
    pub(crate) fn is_denied(self, rule: &Outbound) -> bool {
        match self {
            Self::Trace => rule.trace == Trace::Nothing,
            Self::TraceState => rule.trace != Trace::All,
            Self::Baggage => rule.baggage.is_empty(),
        }
    }
}

/// Whether the header is baggage whose keys nobody sees who does not decode it.
fn is_encoded_baggage(header: &str) -> bool {
    ["grpc-tags-bin", "sw8-correlation"].iter().any(|name| header.eq_ignore_ascii_case(name))
}

/// The headers that a carrier may hold from before, each once.
#[derive(Clone, Debug)]
pub(crate) struct Names(Vec<(String, Carries)>);

impl Names {
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut fields: Vec<(String, Carries)> = Vec::new();
        for name in names {
            if !fields.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
                fields.push((name.to_owned(), Carries::of(name)));
            }
        }
        Self(fields)
    }
}

/// An injector that lets pass what the rule allows, and remembers which headers those were.
pub(crate) struct Gate<'a> {
    injector: &'a mut dyn Injector,
    rule: &'a Outbound,
    /// What is sent of the context's baggage. What else the propagator has for it came from a caller.
    baggage: &'a Baggage,
    fields: &'a Names,
    /// A bit for each field that was set, the first ones; nobody has more.
    passed: u128,
    /// How many members of lists did not pass.
    pub(crate) dropped: usize,
}

impl<'a> Gate<'a> {
    pub(crate) const fn new(
        injector: &'a mut dyn Injector,
        rule: &'a Outbound,
        baggage: &'a Baggage,
        fields: &'a Names,
    ) -> Self {
        Self { injector, rule, baggage, fields, passed: 0, dropped: 0 }
    }

    /// Of a list, the members that may pass; of every other header the value.
    fn passing(&mut self, header: &str, value: String) -> Option<String> {
        if !self.rule.restricts_baggage() || list::position(header).is_none() {
            return Some(value);
        }
        let passes = |key: &str| self.rule.sends(key, true) || self.baggage.get(key).is_some();
        match list::filtered(|| list::members(&value), passes) {
            None => Some(value),
            Some((kept, dropped)) => {
                self.dropped += dropped;
                Some(kept).filter(|kept| !kept.is_empty())
            }
        }
    }

    /// Sets every header that was not set and of which the rule restricts what may be in it, to the empty value: the
    /// carrier may hold an older one.
    pub(crate) fn override_older(&mut self) {
        for ((name, concern), at) in self.fields.0.iter().zip(0..) {
            let is_restricted = match concern {
                Carries::Baggage => self.rule.restricts_baggage(),
                concern => concern.is_denied(self.rule),
            };
            if is_restricted && self.passed & bit(at) == 0 {
                self.injector.set(name, String::new());
            }
        }
    }
}

fn bit(at: u32) -> u128 {
    1_u128.checked_shl(at).unwrap_or(0)
}

impl Injector for Gate<'_> {
    fn set(&mut self, key: &str, value: String) {
        let Some(value) = self.passing(key, value) else { return };
        if Carries::of(key).is_denied(self.rule) {
            return;
        }
        if let Some((_, at)) =
            self.fields.0.iter().zip(0..).find(|((name, _), _)| name.eq_ignore_ascii_case(key))
        {
            self.passed |= bit(at);
        }
        self.injector.set(key, value);
    }

    fn reserve(&mut self, additional: usize) {
        self.injector.reserve(additional);
    }
}
