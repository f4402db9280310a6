//! The baggage that a part carries, and the limits that it is held to.

use crate::{
    known::{Carried, Shared},
    part::Part,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{BothWays, Direction, Limited, Limits, Observer};
use otel_propagator_core::keys::Keys;
use std::sync::Arc;

/// The most that OpenTelemetry's `Baggage` holds.
const HELD_MEMBERS: usize = 64;
const HELD_BYTES: usize = 8192;

impl Part {
    /// Gives the composite's limits to a propagator that can hold to them by itself and has the default ones.
    pub(crate) fn take_limits(&mut self, inbound: Option<&Limits>, outbound: Option<&Limits>) {
        let Carried::Within { limits, .. } = &mut self.known.carried else { return };
        for (own, given) in [(&mut limits.inbound, inbound), (&mut limits.outbound, outbound)] {
            if let Some(given) = given.filter(|_| *own == Limits::new()) {
                own.clone_from(given);
            }
        }
    }

    /// Makes the propagator anew, with the limits that it holds to by itself and an observer of what it leaves out. One
    /// that may read baggage and does not hold to the composite's limits by itself gets a [`Limited`] around it.
    pub(crate) fn settle(&mut self, inbound: Option<&Limits>, observer: &Observer) {
        let own = match &self.known.carried {
            Carried::Nothing => return,
            Carried::Unbounded => None,
            Carried::Within { limits, within, .. } => {
                let observer = limits.observer.clone().and(observer.clone());
                self.propagator = within(BothWays { observer, ..BothWays::clone(limits) });
                Some(&limits.inbound)
            }
        };
        if let Some(given) = inbound.filter(|given| own != Some(*given)) {
            let limits = BothWays {
                inbound: given.clone(),
                outbound: Limits::new().max_members(usize::MAX).max_bytes(usize::MAX),
                observer: observer.clone(),
            };
            self.propagator = Arc::new(Limited::new(Erased(self.propagator.clone()), limits));
        }
    }

    /// Whether somebody else has to check what it sends: it may send baggage, and does not hold to these limits by itself.
    /// Where none are given, its own suffice.
    pub(crate) fn needs_check(&self, given: Option<&Limits>) -> bool {
        self.injects
            && match &self.known.carried {
                Carried::Nothing | Carried::Within { sends: false, .. } => false,
                Carried::Unbounded => true,
                Carried::Within { limits, .. } => given.is_some_and(|given| *given != limits.outbound),
            }
    }

    /// Whether it sends baggage as far as anybody can know: a trace format may bring some along.
    pub(crate) fn sends_baggage(&self) -> bool {
        self.injects
            && match &self.known.carried {
                Carried::Nothing => false,
                Carried::Unbounded => {
                    self.propagator.fields().any(|field| field.eq_ignore_ascii_case("baggage"))
                }
                Carried::Within { sends, .. } => *sends,
            }
    }

    /// Whether reading it twice brings nothing more, as far as is known.
    pub(crate) fn reads_no_baggage(&self) -> bool {
        matches!(self.known.carried, Carried::Nothing | Carried::Within { sends: false, .. })
    }

    /// The limits of the baggage that it sends, where it is checked against these, if any: first its own; `None` where it
    /// sends none.
    fn outbound<'a>(&'a self, checked: Option<&'a Limits>) -> Option<impl Iterator<Item = &'a Limits>> {
        let own = match &self.known.carried {
            _ if !self.injects => return None,
            Carried::Nothing | Carried::Within { sends: false, .. } => return None,
            Carried::Unbounded => None,
            Carried::Within { limits, .. } => Some(&limits.outbound),
        };
        let checked = checked.filter(|checked| Some(*checked) != own);
        Some(own.into_iter().chain(checked))
    }

    /// What of the baggage goes, in words.
    pub(crate) fn outbound_in_words(&self, checked: Option<&Limits>) -> Option<String> {
        let default = [Limits::new()];
        let known: Vec<&Limits> = self.outbound(checked)?.collect();
        let limits = if known.is_empty() { default.iter().collect() } else { known };
        // No `Baggage` has more members, whatever the limits are.
        let members = limits.iter().map(|limits| limits.max_members).fold(HELD_MEMBERS, usize::min);
        let bytes =
            limits.iter().map(|limits| limits.most_bytes(Direction::Out)).fold(usize::MAX, usize::min);
        let mut words = vec![format!("at most {members} members and {bytes} bytes")];
        if let Some(bytes) = limits.iter().filter_map(|limits| limits.max_member_bytes).min() {
            words.push(format!("{bytes} bytes a member"));
        }
        let list = |keys: &Keys| keys.patterns().collect::<Vec<_>>().join(" ");
        for limits in limits {
            if let Some(allow) = &limits.allow {
                words.push(format!(
                    "only {}",
                    if allow.is_empty() { "nothing".to_owned() } else { list(allow) }
                ));
            }
            if !limits.deny.is_empty() {
                words.push(format!("never {}", list(&limits.deny)));
            }
        }
        Some(words.join(", "))
    }

    /// Whether its limits are above what upstream's `Baggage` holds.
    pub(crate) fn exceeds_baggage(&self) -> bool {
        let exceeds = |limits: &Limits| {
            limits.max_members > HELD_MEMBERS || limits.most_bytes(Direction::Out) > HELD_BYTES
        };
        self.outbound(None).is_some_and(|mut limits| limits.any(exceeds))
    }
}

/// A propagator of a type that is not known, where a type is asked for.
#[derive(Debug)]
struct Erased(Shared);

impl TextMapPropagator for Erased {
    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        self.0.inject_context(cx, injector);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        self.0.extract_with_context(cx, extractor)
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}
