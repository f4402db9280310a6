//! Baggage in headers of its own, one an entry, as formats before W3C's carry it.

use crate::{Admission, BothWays, Elements, MOST_ELEMENTS, Observer, Reason};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector},
};
use otel_propagator_core::{diagnostics::Direction, header::trim};
use std::{borrow::Cow, collections::BTreeSet};

/// Baggage in headers whose names are a prefix and the key: `uberctx-KEY` of Jaeger, `ot-baggage-KEY` of OT Trace. Which
/// way it goes, and within which limits.
///
/// Each entry counts as the line of HTTP/1.1 that it is, name, colon, space and line end too. What is received is added to
/// the context's baggage; what is sent has no metadata, since the formats know none.
///
/// The names are not known beforehand, so reading needs a carrier whose [`keys`](Extractor::keys) are complete. For the
/// same reason nothing can be overridden: a header of a copied request goes out, even if its entry may not.
///
/// A format takes it from whoever makes its propagator, and calls [`extract`](Self::extract) and [`inject`](Self::inject):
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt};
/// use otel_baggage_limits::{Limits, PrefixedBaggage};
/// use std::{borrow::Cow, collections::HashMap};
///
/// let prefixed = PrefixedBaggage::both().with_limits(Limits::new().deny(&["user.*"]));
/// let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme"), KeyValue::new("user.name", "amy")]);
/// let mut sent = HashMap::new();
/// prefixed.inject("uberctx-", &cx, &mut sent, |value| Some(Cow::Borrowed(value)));
/// assert_eq!(sent, HashMap::from([("uberctx-tenant".to_owned(), "acme".to_owned())]));
///
/// let received = prefixed.extract("uberctx-", Context::new(), &sent, |value| Some(Cow::Borrowed(value)));
/// assert_eq!(received.baggage().to_string(), "tenant=acme");
/// ```
#[derive(Clone, Debug, Default)]
pub struct PrefixedBaggage {
    is_read: bool,
    is_sent: bool,
    limits: BothWays,
}

impl PrefixedBaggage {
    /// Neither read nor sent.
    #[must_use]
    pub const fn off() -> Self {
        Self { is_read: false, is_sent: false, limits: BothWays::new() }
    }

    /// Read, and not sent.
    ///
    /// ```
    /// use otel_baggage_limits::PrefixedBaggage;
    ///
    /// assert!(PrefixedBaggage::extract_only().is_read() && !PrefixedBaggage::extract_only().is_sent());
    /// assert!(!PrefixedBaggage::off().is_read());
    /// ```
    #[must_use]
    pub const fn extract_only() -> Self {
        Self { is_read: true, is_sent: false, limits: BothWays::new() }
    }

    /// Read and sent.
    #[must_use]
    pub const fn both() -> Self {
        Self { is_read: true, is_sent: true, limits: BothWays::new() }
    }

    /// Sets the limits, and who is told of what they leave out.
    #[must_use]
    pub fn with_limits(self, limits: impl Into<BothWays>) -> Self {
        Self { limits: limits.into(), ..self }
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> &BothWays {
        &self.limits
    }

    /// Whether it is read.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        self.is_read
    }

    /// Whether it is sent.
    #[must_use]
    pub const fn is_sent(&self) -> bool {
        self.is_sent
    }

    /// The context with the entries that were received under this prefix, which is in lower case; `cx` as it is where there
    /// were none. `decode` says what a value means, or that it means nothing.
    ///
    /// Names are compared without case, and keys are of lower case, since HTTP keeps no other. Of a name that comes
    /// several times the first line counts. No more than [`MOST_ELEMENTS`] entries are looked at, in the order of
    /// [`keep_first`](crate::Limits::keep_first) and then of the keys: one look-up may cost a walk through all that the carrier
    /// has.
    #[must_use]
    pub fn extract(
        &self,
        prefix: &'static str,
        cx: Context,
        extractor: &dyn Extractor,
        decode: impl for<'a> Fn(&'a str) -> Option<Cow<'a, str>>,
    ) -> Context {
        if !self.is_read {
            return cx;
        }
        let mut names: Vec<_> =
            extractor.keys().into_iter().filter_map(|name| Some((key(prefix, name)?, name))).collect();
        if names.is_empty() {
            return cx;
        }
        // Carriers list their names in any order, and what is left out is the same on every run.
        names.sort_by(|(one, _), (other, _)| {
            (self.limits.inbound.rank(one), one).cmp(&(self.limits.inbound.rank(other), other))
        });
        names.dedup_by(|(one, _), (other, _)| one == other);
        let mut received = self.received(prefix);
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

    /// The context with the entries that a header lists, `k1=v1, k2=v2`, within the same limits.
    ///
    /// ```
    /// use opentelemetry::{Context, baggage::BaggageExt};
    /// use otel_baggage_limits::PrefixedBaggage;
    /// use std::collections::HashMap;
    ///
    /// let request = HashMap::from([("jaeger-baggage".to_owned(), "tenant=acme, broken".to_owned())]);
    /// let read = PrefixedBaggage::both();
    /// let cx = read.extract_list("jaeger-baggage", Context::new(), &request, |value| Some(value.into()));
    /// assert_eq!(cx.baggage().to_string(), "tenant=acme");
    /// ```
    #[must_use]
    pub fn extract_list(
        &self,
        header: &'static str,
        cx: Context,
        extractor: &dyn Extractor,
        decode: impl for<'a> Fn(&'a str) -> Option<Cow<'a, str>>,
    ) -> Context {
        if !self.is_read {
            return cx;
        }
        let Some(list) = extractor.get(header) else { return cx };
        let (mut received, lines) = (self.received(header), [list]);
        let mut elements = Elements::new(&lines, &self.limits.inbound);
        for element in elements.by_ref() {
            match element.split_once('=') {
                Some((key, value)) => received.entry(trim(key), decode(trim(value)), element.len()),
                None => received.admission.leave_out(Reason::NoEqualsSign),
            }
        }
        if let Some(reason) = elements.cut() {
            received.admission.leave_out(reason);
        }
        received.added_to(cx)
    }

    fn received(&self, header: &'static str) -> Collected<'_> {
        Collected {
            baggage: Baggage::new(),
            admission: Admission::new(header, Direction::In, &self.limits.inbound),
            observer: &self.limits.observer,
        }
    }

    /// Sets a header for each entry of the context's baggage, in the order of
    /// [`keep_first`](crate::Limits::keep_first) and then of the keys. `encode` says how a value is written, or that it cannot
    /// be.
    ///
    /// Names of headers have no case, so keys go out in lower case; of those that differ in nothing else the first one
    /// goes.
    pub fn inject(
        &self,
        prefix: &'static str,
        cx: &Context,
        injector: &mut dyn Injector,
        encode: impl for<'a> Fn(&'a str) -> Option<Cow<'a, str>>,
    ) {
        if !self.is_sent || cx.baggage().is_empty() {
            return;
        }
        let (baggage, limits) = (cx.baggage(), &self.limits.outbound);
        let mut entries: Vec<_> = baggage
            .iter()
            .map(|(key, (value, _))| {
                let (key, value) = (key.as_str(), value.as_str());
                (limits.rank(key), format!("{prefix}{}", key.to_ascii_lowercase()), key, value)
            })
            .collect();
        entries.sort_unstable();
        let mut admission = Admission::new(prefix, Direction::Out, limits);
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
        self.limits.observer.tell(&admission.report());
    }
}

/// The key, in lower case; nothing where the name has another prefix or no key.
fn key(prefix: &str, name: &str) -> Option<String> {
    let (start, key) = name.split_at_checked(prefix.len())?;
    let named = start.eq_ignore_ascii_case(prefix) && !key.is_empty();
    named.then(|| key.to_ascii_lowercase())
}

/// Collected entries, of which the limits say how many are kept.
struct Collected<'a> {
    baggage: Baggage,
    admission: Admission<'a>,
    observer: &'a Observer,
}

impl Collected<'_> {
    /// There is an entry of so many bytes; its value is `None` where that cannot be read.
    fn entry(&mut self, key: &str, value: Option<Cow<'_, str>>, bytes: usize) {
        self.admission.measure(bytes);
        let Some(value) = value else { return self.admission.leave_out(Reason::Value) };
        if !is_token(key) {
            return self.admission.leave_out(Reason::Key);
        }
        if self.admission.admit(key, bytes) {
            self.baggage.insert(key.to_owned(), value.into_owned());
        }
    }

    /// The context with the entries in its baggage. An entry of a key that is there already replaces it, and one that
    /// says the same leaves it its metadata.
    fn added_to(self, cx: Context) -> Context {
        self.observer.tell(&self.admission.report());
        if self.baggage.is_empty() {
            return cx;
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
