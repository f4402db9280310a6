//! A propagator of any type, and what the composite has to know of it.

use crate::direction::{ExtractOnly, InjectOnly};
use opentelemetry::propagation::{TextMapPropagator, text_map_propagator::FieldIter};
use otel_baggage_limits::Limits;
use std::{
    any::{Any, type_name},
    borrow::Cow,
    sync::Arc,
};

/// A propagator whose type is forgotten.
pub(crate) type Shared = Arc<dyn TextMapPropagator + Send + Sync>;

/// One propagator of a composite.
#[derive(Clone)]
pub(crate) struct Part {
    pub(crate) propagator: Shared,
    pub(crate) facts: Facts,
    pub(crate) extracts: bool,
    pub(crate) injects: bool,
}

/// What is said of a propagator before its type is forgotten.
#[derive(Clone)]
pub(crate) struct Facts {
    /// As `OTEL_PROPAGATORS` names it, else its type.
    pub(crate) name: Cow<'static, str>,
    /// The headers it looks for; the first one stands for the format in events.
    pub(crate) reads: Vec<String>,
    pub(crate) sends_baggage: bool,
    bounded: Option<Bounded>,
}

/// Of a propagator that holds to limits by itself.
#[derive(Clone)]
struct Bounded {
    limits: Limits,
    /// The same propagator with other limits.
    within: Arc<dyn Fn(Limits) -> Shared + Send + Sync>,
}

impl Part {
    /// A decorator of this crate is taken apart: what it decides is known here, so calls need not go through it.
    pub(crate) fn new<P: TextMapPropagator + Send + Sync + 'static>(propagator: P) -> Self {
        let any: &dyn Any = &propagator;
        if let Some(ExtractOnly(part)) = any.downcast_ref() {
            return part.clone();
        }
        if let Some(InjectOnly { part, .. }) = any.downcast_ref() {
            return part.clone();
        }
        let facts = Facts::of(&propagator);
        Self { propagator: Arc::new(propagator), facts, extracts: true, injects: true }
    }

    pub(crate) fn named(mut self, name: String) -> Self {
        self.facts.name = name.into();
        self
    }

    /// The header that stands for the format in events.
    pub(crate) fn header(&self) -> &str {
        self.facts.reads.first().map_or(&*self.facts.name, String::as_str)
    }

    pub(crate) fn fields(&self) -> Vec<String> {
        self.propagator.fields().filter(|_| self.injects).map(str::to_owned).collect()
    }

    /// Gives the limits to a propagator that can hold to them by itself and has been given no others.
    pub(crate) fn hold_to(&mut self, limits: Limits) {
        if let Some(bounded) = self.facts.bounded.as_mut().filter(|bounded| bounded.limits == Limits::new()) {
            bounded.limits = limits;
            self.propagator = (bounded.within)(limits);
        }
    }

    /// Whether nobody holds what it sends to limits but whoever calls it.
    pub(crate) fn is_unbounded(&self) -> bool {
        self.facts.sends_baggage && self.facts.bounded.is_none()
    }

    /// Whether what it sends is within its own limits, and these are others than the given ones.
    pub(crate) fn has_limits_besides(&self, limits: Limits) -> bool {
        self.own_limits().is_some_and(|own| own != limits)
    }

    /// How many members and bytes of baggage it sends at most; `None` where it sends none.
    pub(crate) fn at_most(&self, limits: Option<Limits>) -> Option<(usize, usize)> {
        let own = self.own_limits().or(limits).unwrap_or_default();
        let limits = limits.unwrap_or(own);
        let at_most = (own.max_members.min(limits.max_members), own.max_bytes.min(limits.max_bytes));
        (self.injects && self.facts.sends_baggage).then_some(at_most)
    }

    /// Whether the two read the same, so that one of them suffices. Known of this workspace's trace formats only:
    /// B3 reads both its forms, whichever it sends.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        let known = |part: &Self| part.extracts && !part.facts.sends_baggage;
        known(self) && known(other) && self.facts.reads == other.facts.reads
    }

    fn own_limits(&self) -> Option<Limits> {
        self.facts.bounded.as_ref().map(|bounded| bounded.limits)
    }
}

impl Facts {
    fn of<P: TextMapPropagator + 'static>(propagator: &P) -> Self {
        known(propagator).unwrap_or_else(|| Self {
            sends_baggage: true,
            ..Self::new(short_type_name::<P>(), propagator.fields())
        })
    }

    fn new(name: impl Into<Cow<'static, str>>, reads: FieldIter<'_>) -> Self {
        let reads = reads.map(str::to_owned).collect();
        Self { name: name.into(), reads, sends_baggage: false, bounded: None }
    }
}

/// The facts of the propagators that this crate's features bring in.
#[cfg_attr(
    not(any(feature = "tracecontext", feature = "w3c-baggage", feature = "b3")),
    allow(unused_variables, reason = "there are none")
)]
fn known(propagator: &dyn Any) -> Option<Facts> {
    #[cfg(feature = "tracecontext")]
    if let Some(propagator) = propagator.downcast_ref::<otel_tracecontext::TraceContextPropagator>() {
        return Some(Facts::new("tracecontext", propagator.fields()));
    }
    #[cfg(feature = "b3")]
    if let Some(&propagator) = propagator.downcast_ref::<otel_b3::B3Propagator>() {
        return Some(Facts::new(b3_name(propagator), propagator.extract_fields()));
    }
    #[cfg(feature = "w3c-baggage")]
    if let Some(&propagator) = propagator.downcast_ref::<otel_w3c_baggage::BaggagePropagator>() {
        let limits = propagator.outbound_limits();
        let within = Arc::new(move |limits| Arc::new(propagator.with_outbound_limits(limits)) as Shared);
        let facts = Facts::new("baggage", propagator.fields());
        return Some(Facts { sends_baggage: true, bounded: Some(Bounded { limits, within }), ..facts });
    }
    None
}

/// The name says what is sent; both forms are read.
#[cfg(feature = "b3")]
fn b3_name(propagator: otel_b3::B3Propagator) -> &'static str {
    match (propagator.fields().any(|field| field == "b3"), propagator.fields().count()) {
        (true, 1) => "b3",
        (true, _) => "b3+b3multi",
        (false, _) => "b3multi",
    }
}

/// The name of a type without the paths to it and to its parameters.
fn short_type_name<T>() -> String {
    let parts = type_name::<T>().split_inclusive(['<', '>', ',', ' ', '(', ')', '&', '[', ']', ';']);
    parts.map(|part| part.rsplit("::").next().unwrap_or(part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_named_without_their_paths() {
        assert_eq!(short_type_name::<std::string::String>(), "String");
        assert_eq!(short_type_name::<Vec<Option<std::string::String>>>(), "Vec<Option<String>>");
        assert_eq!(short_type_name::<(Arc<str>, &Vec<u8>)>(), "(Arc<str>, &Vec<u8>)");
    }
}
