//! A propagator of any type, and what the composite has to know of it.

use crate::{
    Concern,
    direction::{ExtractOnly, InjectOnly},
    formats,
};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{Direction, Limited, Limits, Observer};
use otel_propagator_core::keys::Keys;
use std::{
    any::{Any, type_name},
    borrow::Cow,
    fmt,
    sync::Arc,
};

/// The most members that OpenTelemetry's `Baggage` holds.
const HELD_MEMBERS: usize = 64;

/// A type-erased propagator.
pub(crate) type Shared = Arc<dyn TextMapPropagator + Send + Sync>;

/// One propagator of a composite: see [`CompositePropagator::parts`](crate::CompositePropagator::parts).
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
    baggage: CarriedBaggage,
}

/// What a propagator does to hold the baggage that it carries to limits.
#[derive(Clone)]
enum CarriedBaggage {
    /// It carries none.
    Never,
    /// Nothing that is known of.
    Unbounded,
    /// It holds to its own.
    Within {
        sends: bool,
        limits: Box<BothWays>,
        /// The same propagator within other limits, which tells an observer of what it leaves out.
        within: Arc<dyn Fn(BothWays, Observer) -> Shared + Send + Sync>,
    },
}

/// Limits of what is read and of what is sent.
#[derive(Clone)]
pub(crate) struct BothWays {
    pub(crate) inbound: Limits,
    pub(crate) outbound: Limits,
}

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
        let known = Known { baggage: CarriedBaggage::Unbounded, ..Known::new(name, self.fields()) };
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
            baggage: CarriedBaggage::Unbounded,
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

    /// Gives the limits of what is sent to a propagator that can hold to them by itself and has been given no others.
    pub(crate) fn hold_to(&mut self, given: &Limits) {
        if let CarriedBaggage::Within { limits, .. } = &mut self.known.baggage {
            if limits.outbound == Limits::new() {
                limits.outbound = given.clone();
            }
        }
    }

    /// The same for what is read.
    pub(crate) fn hold_inbound_to(&mut self, given: &Limits) {
        if let CarriedBaggage::Within { limits, .. } = &mut self.known.baggage {
            if limits.inbound == Limits::new() {
                limits.inbound = given.clone();
            }
        }
    }

    /// Puts a [`Limited`] around a propagator that may read baggage and does not hold to these limits by itself.
    pub(crate) fn check_inbound(&mut self, given: &Limits, observer: &Observer) {
        let needs_check = match &self.known.baggage {
            CarriedBaggage::Never => false,
            CarriedBaggage::Unbounded => true,
            CarriedBaggage::Within { limits, .. } => limits.inbound != *given,
        };
        if needs_check {
            let everything = Limits::new().max_members(usize::MAX).max_bytes(usize::MAX);
            let limited = Limited::new(Erased(self.propagator.clone()), given.clone());
            self.propagator =
                Arc::new(limited.with_outbound_limits(everything).with_observer(observer.clone()));
        }
    }

    /// Makes the propagator anew, with the limits that it holds to by itself, and an observer of what it leaves out.
    pub(crate) fn settle(&mut self, observer: &Observer) {
        if let CarriedBaggage::Within { limits, within, .. } = &self.known.baggage {
            self.propagator = within(BothWays::clone(limits), observer.clone());
        }
    }

    /// Whether somebody else has to check what it sends: it may send baggage, and does not hold to these limits by itself.
    /// Where none are given, its own suffice.
    pub(crate) fn needs_check(&self, given: Option<&Limits>) -> bool {
        self.injects
            && match &self.known.baggage {
                CarriedBaggage::Never | CarriedBaggage::Within { sends: false, .. } => false,
                CarriedBaggage::Unbounded => true,
                CarriedBaggage::Within { limits, .. } => given.is_some_and(|given| *given != limits.outbound),
            }
    }

    /// Whether it sends baggage as far as anybody can know: a trace format may bring some along.
    pub(crate) fn sends_baggage(&self) -> bool {
        self.injects
            && match &self.known.baggage {
                CarriedBaggage::Never => false,
                CarriedBaggage::Unbounded => {
                    self.propagator.fields().any(|field| field.eq_ignore_ascii_case("baggage"))
                }
                CarriedBaggage::Within { sends, .. } => *sends,
            }
    }

    /// The limits of the baggage that it sends, where it is checked against these, if any: first its own; `None` where it
    /// sends none.
    fn outbound<'a>(&'a self, checked: Option<&'a Limits>) -> Option<impl Iterator<Item = &'a Limits>> {
        let own = match &self.known.baggage {
            _ if !self.injects => return None,
            CarriedBaggage::Never | CarriedBaggage::Within { sends: false, .. } => return None,
            CarriedBaggage::Unbounded => None,
            CarriedBaggage::Within { limits, .. } => Some(&limits.outbound),
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
        for limits in limits {
            let list = |keys: &Keys| keys.patterns().collect::<Vec<_>>().join(" ");
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
        let exceeds =
            |limits: &Limits| limits.max_members > HELD_MEMBERS || limits.most_bytes(Direction::Out) > 8192;
        self.outbound(None).is_some_and(|mut limits| limits.any(exceeds))
    }

    /// Whether it may bring a decision that is open, or a debug trace.
    pub(crate) fn leaves_decisions_open(&self) -> bool {
        self.known.leaves_open
    }

    /// Whether the two read the same, so that one of them suffices. Known of this workspace's trace formats only:
    /// B3 reads both its forms, whichever it sends.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        let known = |part: &Self| {
            part.extracts
                && matches!(
                    part.known.baggage,
                    CarriedBaggage::Never | CarriedBaggage::Within { sends: false, .. }
                )
        };
        known(self) && known(other) && self.known.reads == other.known.reads
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

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.propagator.fmt(f)
    }
}

impl Known {
    /// A propagator that reads these headers and sends no baggage.
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, reads: FieldIter<'_>) -> Self {
        let reads = reads.map(str::to_owned).collect();
        Self { name: name.into(), reads, beside: &[], leaves_open: false, baggage: CarriedBaggage::Never }
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

    /// One that carries baggage within limits of its own, which can be set; it may be told not to send any.
    #[allow(dead_code, reason = "no format may be compiled in that carries baggage")]
    pub(crate) fn bounded<P>(
        self,
        sends: bool,
        propagator: &P,
        (inbound, outbound): (&Limits, &Limits),
        within: fn(P, BothWays, Observer) -> P,
    ) -> Self
    where
        P: TextMapPropagator + Clone + Send + Sync + 'static,
    {
        let limits = BothWays { inbound: inbound.clone(), outbound: outbound.clone() };
        let propagator = propagator.clone();
        let within = Arc::new(move |limits, observer| {
            Arc::new(within(propagator.clone(), limits, observer)) as Shared
        });
        Self { baggage: CarriedBaggage::Within { sends, limits: Box::new(limits), within }, ..self }
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
