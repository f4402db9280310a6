//! A propagator of any type, and what the composite has to know of it.

use crate::{carried::Carried, formats};
use opentelemetry::propagation::{TextMapPropagator, text_map_propagator::FieldIter};
use std::{
    any::{Any, type_name},
    borrow::Cow,
    fmt,
    sync::Arc,
};

/// A type-erased propagator.
pub(crate) type Shared = Arc<dyn TextMapPropagator + Send + Sync>;

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

/// What is known of a propagator, beside what its trait says.
#[derive(Clone)]
pub(crate) struct Known {
    /// As `OTEL_PROPAGATORS` names it, else its type.
    name: Cow<'static, str>,
    /// The headers it looks for; the first one stands for the format in events.
    reads: Vec<String>,
    /// Those of them that say nothing on their own.
    beside: &'static [&'static str],
    /// Whether it knows decisions that a sampled flag cannot hold.
    leaves_open: bool,
    pub(crate) carried: Carried,
}

/// What a propagator is about, which decides how a [`Builder`](crate::Builder) uses it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Concern {
    /// The span that a request belongs to: [`Builder::trace`](crate::Builder::trace).
    Trace,
    /// The entries that travel with a request: [`Builder::baggage`](crate::Builder::baggage).
    Baggage,
    /// Anything else: [`Builder::other`](crate::Builder::other).
    Other,
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
        Part { propagator: Arc::from(self), concern, known, extracts: true, injects: true }
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
        Self { propagator: Arc::new(propagator), concern, known, extracts: true, injects: true }
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
    pub(crate) fn header(&self) -> &str {
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

impl Known {
    /// A propagator that reads these headers and sends no baggage.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, reads: FieldIter<'_>) -> Self {
        let reads = reads.map(str::to_owned).collect();
        Self { name: name.into(), reads, beside: &[], leaves_open: false, carried: Carried::Nothing }
    }

    /// One for which these of its headers say nothing without the others, so that alone they are not malformed.
    #[allow(dead_code, reason = "there may be no format")]
    pub(crate) fn beside(self, fields: &'static [&'static str]) -> Self {
        Self { beside: fields, ..self }
    }

    /// One that may leave the sampling decision to the receiver, or ask for debug.
    #[allow(dead_code, reason = "there may be no such format")]
    pub(crate) fn leaves_decisions_open(self) -> Self {
        Self { leaves_open: true, ..self }
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
