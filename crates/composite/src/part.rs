//! A propagator of any type, and what the composite has to know of it.

use crate::{
    formats,
    known::{Carried, Concern, Known, Shared},
};
use opentelemetry::propagation::TextMapPropagator;
use std::{
    any::{Any, type_name},
    fmt,
    sync::Arc,
};

/// One propagator of a composite: see [`CompositePropagator::parts`](crate::CompositePropagator::parts).
///
/// ```
/// # #[cfg(all(feature = "tracecontext", feature = "b3"))] {
/// use otel_composite::{B3Propagator, CompositePropagator, Concern, TraceContextPropagator, extract_only};
///
/// let propagator = CompositePropagator::builder()
///     .trace(TraceContextPropagator::new())
///     .trace(extract_only(B3Propagator::single()))
///     .build();
/// let b3 = propagator.parts().find(|part| part.name() == "b3").unwrap();
/// assert_eq!(b3.concern(), Concern::Trace);
/// assert!(b3.extracts() && !b3.injects());
/// assert_eq!(b3.extract_fields().next(), Some("b3"));
/// assert_eq!(b3.fields().count(), 0, "it is never sent");
/// # }
/// ```
#[derive(Clone)]
pub struct Part {
    pub(crate) propagator: Shared,
    pub(crate) concern: Concern,
    pub(crate) known: Known,
    pub(crate) extracts: bool,
    pub(crate) injects: bool,
}

/// A propagator that only extracts: see [`extract_only`](crate::extract_only).
#[derive(Clone)]
pub struct ExtractOnly(pub(crate) Part);

/// A propagator that only injects: see [`inject_only`](crate::inject_only).
#[derive(Clone)]
pub struct InjectOnly(pub(crate) Part);

/// What a [`Builder`](crate::Builder) takes: any propagator, or one in the `Box` that upstream's composite takes.
///
/// `Kind` tells the two apart and is always inferred.
pub trait IntoPart<Kind>: sealed::Sealed<Kind> {
    #[doc(hidden)]
    fn into_part(self, concern: Concern) -> Part;
}

impl<P: TextMapPropagator + Send + Sync + 'static> IntoPart<sealed::Typed> for P {
    fn into_part(self, concern: Concern) -> Part {
        Part::new(concern, self)
    }
}

impl IntoPart<sealed::Boxed> for Box<dyn TextMapPropagator + Send + Sync> {
    fn into_part(self, concern: Concern) -> Part {
        let fields: Vec<&str> = self.fields().collect();
        let name = if fields.is_empty() { "boxed".to_owned() } else { fields.join("+") };
        let known = Known { carried: Carried::Unbounded, ..Known::new(name, self.fields()) };
        Part::known(concern, (Arc::from(self), known))
    }
}

mod sealed {
    use opentelemetry::propagation::TextMapPropagator;

    #[derive(Debug)]
    pub struct Typed;
    #[derive(Debug)]
    pub struct Boxed;

    pub trait Sealed<Kind> {}
    impl<P: TextMapPropagator + Send + Sync + 'static> Sealed<Typed> for P {}
    impl Sealed<Boxed> for Box<dyn TextMapPropagator + Send + Sync> {}
}

impl Part {
    /// A decorator of this crate is taken apart: what it decides is known here, so calls need not go through it.
    pub(crate) fn new<P: TextMapPropagator + Send + Sync + 'static>(concern: Concern, propagator: P) -> Self {
        let any: &dyn Any = &propagator;
        if let Some(ExtractOnly(part)) = any.downcast_ref() {
            return Self { concern, ..part.clone() };
        }
        if let Some(InjectOnly(part)) = any.downcast_ref() {
            return Self { concern, ..part.clone() };
        }
        let known = formats::recognise(any).unwrap_or_else(|| Known {
            carried: Carried::Unbounded,
            ..Known::new(short_type_name::<P>(), propagator.fields())
        });
        Self::known(concern, (Arc::new(propagator), known))
    }

    /// A propagator with what is known of it.
    pub(crate) fn known(concern: Concern, (propagator, known): (Shared, Known)) -> Self {
        Self { propagator, concern, known, extracts: true, injects: true }
    }

    pub(crate) fn named(mut self, name: String) -> Self {
        self.known.name = name.into();
        self
    }

    /// As `OTEL_PROPAGATORS` or a [`Registry`](crate::Registry) names it, else its type.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.known.name
    }

    /// What it is about.
    #[must_use]
    pub fn concern(&self) -> Concern {
        self.concern
    }

    /// Whether it reads.
    #[must_use]
    pub fn extracts(&self) -> bool {
        self.extracts
    }

    /// Whether it writes.
    #[must_use]
    pub fn injects(&self) -> bool {
        self.injects
    }

    /// The headers that it reads; of a propagator that is not of this workspace, those that it can write.
    pub fn extract_fields(&self) -> impl Iterator<Item = &str> {
        self.known.reads.iter().filter(|_| self.extracts).map(String::as_str)
    }

    /// The headers that it writes.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.propagator.fields().filter(|_| self.injects)
    }

    /// The header that stands for the format in events.
    pub(crate) fn event_header(&self) -> &str {
        self.known.reads.first().map_or(&*self.known.name, String::as_str)
    }

    /// The headers of which one alone says that something came in this format.
    pub(crate) fn telling_fields(&self) -> impl Iterator<Item = &str> {
        self.extract_fields().filter(|field| !self.known.beside.contains(field))
    }

    pub(crate) fn knows_tracestate(&self) -> bool {
        self.known.reads.iter().any(|field| field.eq_ignore_ascii_case("tracestate"))
    }

    /// Whether it may bring a decision that is open, or a debug trace.
    pub(crate) fn leaves_decisions_open(&self) -> bool {
        self.known.leaves_open
    }

    /// Whether the two read the same, so that one of them suffices. Known of this workspace's trace formats only:
    /// B3 reads both its forms, whichever it sends.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        let known = |part: &Self| part.extracts && part.reads_no_baggage();
        known(self) && known(other) && self.known.reads == other.known.reads
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.propagator.fmt(f)
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
