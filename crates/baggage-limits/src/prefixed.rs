//! Baggage in headers of its own, one an entry, as formats before W3C's carry it.

use crate::{Admission, Limits, MOST_ELEMENTS, Observer, Reason};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector},
};
use otel_propagator_core::diagnostics::Direction;
use std::{borrow::Cow, collections::BTreeSet};

/// Baggage in headers whose names are a prefix and the key: `uberctx-KEY` of Jaeger, `ot-baggage-KEY` of OT Trace.
///
/// It is for authors of propagators. Each entry counts as the line of HTTP/1.1 that it is, name, colon, space and line
/// end too. What is received is added to the context's baggage; what is sent has no metadata, since the formats know
/// none.
///
/// The names are not known beforehand, so reading needs a carrier whose [`keys`](Extractor::keys) are complete. For the
/// same reason nothing can be overridden: a header of a copied request goes out, even if its entry may not.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
/// use otel_baggage_limits::{Limits, Prefixed};
/// use std::{borrow::Cow, collections::HashMap};
///
/// let prefixed = Prefixed::new("uberctx-").with_limits(Limits::new().deny(&["user.*"]));
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user.name", "amy")]);
/// let mut sent = HashMap::new();
/// prefixed.inject(&cx, &mut sent, |value| Some(Cow::Borrowed(value)));
/// assert_eq!(sent, HashMap::from([("uberctx-tenant".to_owned(), "acme".to_owned())]));
///
/// let received = prefixed.extract(&Context::new(), &sent, |value| Some(Cow::Borrowed(value)));
/// assert_eq!(received.baggage().to_string(), "tenant=acme");
/// ```
#[derive(Clone, Debug)]
pub struct Prefixed {
    prefix: &'static str,
    inbound: Limits,
    outbound: Limits,
    observer: Observer,
}

/// Which way a format carries baggage in headers of its own.
///
/// ```
/// use otel_baggage_limits::PrefixedBaggage;
///
/// assert_eq!(PrefixedBaggage::default(), PrefixedBaggage::Off);
/// assert!(PrefixedBaggage::Extract.is_read() && !PrefixedBaggage::Extract.is_sent());
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PrefixedBaggage {
    /// Neither way.
    #[default]
    Off,
    /// It is read.
    Extract,
    /// It is read and sent.
    Both,
}

impl PrefixedBaggage {
    /// Whether it is read.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Extract | Self::Both)
    }

    /// Whether it is sent.
    #[must_use]
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Both)
    }
}

impl Prefixed {
    /// With this prefix, in lower case, and the default limits. The prefix names the headers in events and reports.
    #[must_use]
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, inbound: Limits::new(), outbound: Limits::new(), observer: Observer::NONE }
    }

    /// Sets the limits of both ways.
    #[must_use]
    pub fn with_limits(self, limits: Limits) -> Self {
        self.with_inbound_limits(limits.clone()).with_outbound_limits(limits)
    }

    /// Sets the limits of what is read.
    ///
    /// ```
    /// use otel_baggage_limits::{Limits, Prefixed};
    ///
    /// let prefixed = Prefixed::new("uberctx-")
    ///     .with_inbound_limits(Limits::new().max_members(8))
    ///     .with_outbound_limits(Limits::new().max_members(4));
    /// assert_eq!(prefixed.inbound_limits().max_members, 8);
    /// assert_eq!(prefixed.outbound_limits().max_members, 4);
    /// ```
    #[must_use]
    pub fn with_inbound_limits(self, limits: Limits) -> Self {
        Self { inbound: limits, ..self }
    }

    /// Sets the limits of what is sent.
    #[must_use]
    pub fn with_outbound_limits(self, limits: Limits) -> Self {
        Self { outbound: limits, ..self }
    }

    /// Tells this observer, too, of what is left out, both ways.
    #[must_use]
    pub fn with_observer(self, observer: Observer) -> Self {
        Self { observer: self.observer.and(observer), ..self }
    }

    /// The limits of what is read.
    #[must_use]
    pub const fn inbound_limits(&self) -> &Limits {
        &self.inbound
    }

    /// The limits of what is sent.
    #[must_use]
    pub const fn outbound_limits(&self) -> &Limits {
        &self.outbound
    }

    /// The context with the entries that were received; `cx` as it is where there were none. `decode` says what a value
    /// means, or that it means nothing.
    ///
    /// Names are compared without case, and keys are of lower case, since HTTP keeps no other. Of a name that comes
    /// several times the first line counts. No more than [`MOST_ELEMENTS`] entries are looked at, in the order of
    /// [`keep_first`](Limits::keep_first) and then of the keys: one look-up may cost a walk through all that the carrier
    /// has.
    #[must_use]
    pub fn extract(
        &self,
        cx: &Context,
        extractor: &dyn Extractor,
        decode: impl for<'a> Fn(&'a str) -> Option<Cow<'a, str>>,
    ) -> Context {
        let mut names: Vec<_> = extractor.keys().into_iter().filter_map(|name| self.key(name)).collect();
        if names.is_empty() {
            return cx.clone();
        }
        // Carriers list their names in any order, and what is left out is the same on every run.
        names.sort_by(|(one, _), (other, _)| {
            (self.inbound.rank(one), one).cmp(&(self.inbound.rank(other), other))
        });
        names.dedup_by(|(one, _), (other, _)| one == other);
        let mut received = self.received(self.prefix);
        if names.len() > MOST_ELEMENTS {
            received.admission.leave_out(Reason::TooManyMembers);
        }
        for (key, name) in names.into_iter().take(MOST_ELEMENTS) {
            match extractor.get(name) {
                Some(value) => received.entry(&key, decode(value), line_len(name, value)),
                None => received.admission.leave_out(Reason::NotText),
            }
        }
        received.added_to(cx)
    }

    /// The key, and the name as the carrier has it; nothing where the name has another prefix or no key.
    fn key<'a>(&self, name: &'a str) -> Option<(String, &'a str)> {
        let (prefix, key) = name.split_at_checked(self.prefix.len())?;
        let named = prefix.eq_ignore_ascii_case(self.prefix) && !key.is_empty();
        named.then(|| (key.to_ascii_lowercase(), name))
    }

    /// For entries that came in another header, within the same limits.
    ///
    /// ```
    /// use opentelemetry::{Context, baggage::BaggageExt};
    /// use otel_baggage_limits::{Prefixed, Reason};
    ///
    /// // `jaeger-baggage: tenant=acme, broken`
    /// let prefixed = Prefixed::new("uberctx-");
    /// let mut received = prefixed.received("jaeger-baggage");
    /// received.entry("tenant", Some("acme".into()), "tenant=acme".len());
    /// received.leave_out(Reason::NoEqualsSign);
    /// assert_eq!(received.added_to(&Context::new()).baggage().to_string(), "tenant=acme");
    /// ```
    #[must_use]
    pub fn received(&self, header: &'static str) -> Received<'_> {
        Received {
            baggage: Baggage::new(),
            admission: Admission::new(header, Direction::In, &self.inbound),
            observer: &self.observer,
        }
    }

    /// Sets a header for each entry of the context's baggage, in the order of
    /// [`keep_first`](Limits::keep_first) and then of the keys. `encode` says how a value is written, or that it cannot
    /// be.
    ///
    /// Names of headers have no case, so keys go out in lower case; of those that differ in nothing else the first one
    /// goes.
    pub fn inject(
        &self,
        cx: &Context,
        injector: &mut dyn Injector,
        encode: impl for<'a> Fn(&'a str) -> Option<Cow<'a, str>>,
    ) {
        let baggage = cx.baggage();
        if baggage.is_empty() {
            return;
        }
        let mut entries: Vec<_> = baggage
            .iter()
            .map(|(key, (value, _))| {
                let (key, value) = (key.as_str(), value.as_str());
                (self.outbound.rank(key), format!("{}{}", self.prefix, key.to_ascii_lowercase()), key, value)
            })
            .collect();
        entries.sort_unstable();
        let mut admission = Admission::new(self.prefix, Direction::Out, &self.outbound);
        let mut written = BTreeSet::new();
        for (_, name, key, value) in &entries {
            let name = name.as_str();
            let Some(value) = encode(value).filter(|_| is_token(key) && !written.contains(name)) else {
                admission.leave_out(Reason::Value);
                continue;
            };
            let bytes = line_len(name, &value);
            admission.measure(bytes);
            if admission.admit(key, bytes) {
                written.insert(name);
                injector.set(name, value.into_owned());
            }
        }
        self.observer.tell(&admission.report());
    }
}

/// Received entries, of which the limits say how many are kept.
#[derive(Debug)]
pub struct Received<'a> {
    baggage: Baggage,
    admission: Admission<'a>,
    observer: &'a Observer,
}

impl Received<'_> {
    /// There is an entry of so many bytes; its value is `None` where that cannot be read.
    pub fn entry(&mut self, key: &str, value: Option<Cow<'_, str>>, bytes: usize) {
        self.admission.measure(bytes);
        let Some(value) = value else { return self.admission.leave_out(Reason::Value) };
        if !is_token(key) {
            return self.admission.leave_out(Reason::Key);
        }
        if self.admission.admit(key, bytes) {
            self.baggage.insert(key.to_owned(), value.into_owned());
        }
    }

    /// An entry cannot be read, for this reason.
    pub fn leave_out(&mut self, reason: Reason) {
        self.admission.leave_out(reason);
    }

    /// The context with the entries in its baggage. An entry of a key that is there already replaces it, and one that
    /// says the same leaves it its metadata.
    #[must_use]
    pub fn added_to(self, cx: &Context) -> Context {
        self.observer.tell(&self.admission.report());
        if self.baggage.is_empty() {
            return cx.clone();
        }
        let mut baggage = self.baggage;
        for (key, (value, metadata)) in cx.baggage() {
            if baggage.get(key.as_str()).is_none_or(|received| received == value) {
                baggage.insert_with_metadata(key.clone(), value.clone(), metadata.as_str());
            }
        }
        cx.with_baggage(baggage)
    }
}

/// A line of HTTP/1.1, `name: value` and its end, without the one byte that an [`Admission`] adds.
const fn line_len(name: &str, value: &str) -> usize {
    name.len() + ": ".len() + value.len() + "\r\n".len() - 1
}

/// > token = 1*tchar
///
/// A key that is none cannot be a part of a header name. <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
fn is_token(key: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !key.is_empty() && key.bytes().all(tchar)
}
