//! Baggage that is passed on without being decoded.

use crate::{
    BaggagePropagator, HEADER,
    decode::{Keys, Members, baggage_string, choose, may_repeat},
    encode::Entry,
    member::{Member, list_member},
    octets::{self, TCHAR},
    percent, property,
};
use memchr::memchr;
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_baggage_limits::{AT_RISK_BYTES, Admission, BothWays, Limits, Report, SortKey};
use otel_propagator_core::{
    diagnostics::Direction,
    header::{Lines, joined_len, lines},
};
use std::{borrow::Cow, fmt, ptr};

/// Passes the `baggage` header on, for gateways, proxies and sidecars that hardly look into it.
///
/// Everything that [`BaggagePropagator`] promises holds: limits both ways, allowed and denied keys, whole members, the last
/// of several with one key, nothing forged, one event. But received members are kept as text, in their order, and are
/// decoded only when [`RelayExt::relayed_baggage`] is asked for one. `Context::baggage` does not have them.
///
/// What the application sets with `Context::with_baggage` after the extraction is sent beside them, and first, so that
/// received baggage cannot crowd it out. **Of a key that is in both, the application's member goes.**
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use otel_w3c_baggage::{RelayExt, RelayPropagator};
/// use std::collections::HashMap;
///
/// let propagator = RelayPropagator::new();
/// let received = HashMap::from([("baggage".to_owned(), "user=Am%C3%A9lie , tenant=acme;ttl=30".to_owned())]);
/// let cx = propagator.extract_with_context(&Context::new(), &received);
/// assert_eq!(cx.relayed_baggage().get("user").unwrap().value, "Amélie");
///
/// let mut sent = HashMap::new();
/// propagator.inject_context(&cx, &mut sent);
/// assert_eq!(sent["baggage"], "user=Am%C3%A9lie,tenant=acme;ttl=30");
///
/// let cx = cx.with_baggage([KeyValue::new("tenant", "other"), KeyValue::new("edge", "fra")]);
/// propagator.inject_context(&cx, &mut sent);
/// assert_eq!(sent["baggage"], "edge=fra,tenant=other,user=Am%C3%A9lie");
/// ```
#[derive(Clone, Debug, Default)]
pub struct RelayPropagator(BaggagePropagator);

impl RelayPropagator {
    /// A propagator with the default limits.
    #[must_use]
    pub const fn new() -> Self {
        Self(BaggagePropagator::new())
    }

    /// A propagator with the limits and the observer of another one.
    ///
    /// ```
    /// use otel_w3c_baggage::{BaggagePropagator, Limits, RelayPropagator};
    ///
    /// let propagator = RelayPropagator::of(BaggagePropagator::new().with_limits(Limits::W3C));
    /// ```
    #[must_use]
    pub const fn of(propagator: BaggagePropagator) -> Self {
        Self(propagator)
    }

    /// Sets the limits, and who is told of what they leave out, as [`BaggagePropagator::with_limits`] does.
    ///
    /// ```
    /// use otel_w3c_baggage::{Limits, RelayPropagator};
    ///
    /// let propagator = RelayPropagator::new().with_limits(Limits::W3C);
    /// assert_eq!(propagator.limits().inbound, Limits::W3C);
    /// ```
    #[must_use]
    pub fn with_limits(self, limits: impl Into<BothWays>) -> Self {
        Self(self.0.with_limits(limits))
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> &BothWays {
        self.0.limits()
    }

    fn read(&self, cx: &Context, lines: &[&str]) -> Context {
        let BothWays { inbound: limits, .. } = self.0.limits();
        let untouched = match lines {
            [line] => Kept::untouched(line, limits),
            _ => None,
        };
        let received = untouched.unwrap_or_else(|| self.chosen(lines));
        if received.members == 0 {
            return cx.clone();
        }
        let cx = cx.with_value(received);
        // As other extraction does: received baggage takes the place of what was there.
        if cx.baggage().is_empty() { cx } else { cx.with_cleared_baggage() }
    }

    /// Of members that break a rule or do not fit, those that are left.
    fn chosen(&self, lines: &[&str]) -> Kept {
        let BothWays { inbound: limits, observer, .. } = self.0.limits();
        let mut admission = Admission::new(HEADER, Direction::In, limits);
        let mut members = Members::new();
        baggage_string(lines, limits, &mut admission, &mut members);
        if admission.all_fit() && !may_repeat(&members) {
            for member in &members {
                admission.keep(member.len());
            }
        } else {
            choose(limits, &mut admission, &mut members);
        }
        observer.tell(&admission.received(joined_len(lines)).report());
        Kept::new(&members)
    }
}

impl TextMapPropagator for RelayPropagator {
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let received = match cx.get::<Kept>() {
            Some(received) if received.members > 0 => received,
            // It was taken away, and may still be in the carrier.
            Some(_) if cx.baggage().is_empty() => return injector.set(HEADER, String::new()),
            _ => return self.0.inject_context(cx, injector),
        };
        let BothWays { outbound, observer, .. } = self.0.limits();
        let (header, report) = received.beside(cx.baggage(), outbound);
        observer.tell(&report);
        injector.set(HEADER, header);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        match lines(extractor, HEADER) {
            Lines::Absent => cx.clone(),
            Lines::Text(lines) => self.read(cx, &lines),
            Lines::Unreadable => self.0.unreadable(cx),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        self.0.fields()
    }
}

/// What was received: well-formed members without optional whitespace, as they are sent on.
#[derive(Default)]
struct Kept {
    text: String,
    members: usize,
    at_risk: usize,
}

impl Kept {
    fn new(members: &Members<'_>) -> Self {
        let text = written(members);
        let at_risk = text.split(',').filter(|member| member.len() > AT_RISK_BYTES).count();
        Self { text, members: members.len(), at_risk }
    }

    /// A line that is within the limits and sent on byte for byte, as nearly all are: members without whitespace, each of
    /// another key. Of any other line it gives nothing.
    fn untouched(line: &str, limits: &Limits) -> Option<Self> {
        let mut admission = Admission::new(HEADER, Direction::In, limits);
        admission.measure_all(1, line.len(), 0);
        if !admission.admit_all() || line.len() > AT_RISK_BYTES || !octets::is_plain(line) {
            return None;
        }
        let has_properties = memchr(b';', line.as_bytes()).is_some();
        let (mut keys, mut rest) = (Keys::new(), Some(line.as_bytes()));
        while let Some(list) = rest {
            let (key, after) = list.split_at_checked(TCHAR.count(list))?;
            let Some((b'=', after)) = after.split_first() else { return None };
            if key.is_empty() || !keys.is_new(key) {
                return None;
            }
            let (value, others) = octets::split_at(b',', after);
            let metadata = if has_properties { octets::split_at(b';', value).1 } else { None };
            if metadata.is_some_and(|it| it.is_empty() || !property::is_plain(it)) {
                return None;
            }
            rest = others;
        }
        let members = keys.count();
        admission.measure_all(members, line.len(), 0);
        admission.all_fit().then(|| Self { text: line.to_owned(), members, at_risk: 0 })
    }

    fn iter(&self) -> impl Iterator<Item = (&str, Member<'_>)> {
        self.text.split(',').filter_map(|text| Some((text, list_member(text).ok()?)))
    }

    /// The header of these and of what the application has set.
    fn beside(&self, own: &Baggage, limits: &Limits) -> (String, Report) {
        let mut admission = Admission::new(HEADER, Direction::Out, limits);
        if own.is_empty() {
            admission.measure_all(self.members, self.text.len(), self.at_risk);
            if admission.admit_all() {
                return (self.text.clone(), admission.report());
            }
        }
        self.merged(own, limits)
    }

    fn merged(&self, own: &Baggage, limits: &Limits) -> (String, Report) {
        let keys: Vec<&str> = own.iter().map(|(key, _)| key.as_str()).collect();
        let order = Limits::new().order(&keys.iter().map(|key| (*key).into()).collect::<Vec<_>>());
        let mut members = Vec::with_capacity(own.len() + self.members);
        for key in order.iter().filter_map(|place| keys.get(place)) {
            let Some((value, metadata)) = own.get_with_metadata(*key) else { continue };
            let mut text = String::new();
            Entry::new(key, value.as_str(), metadata.as_str()).write(&mut text);
            members.push((*key, Cow::Owned(text)));
        }
        let received = self.iter().filter(|(_, member)| own.get(member.key).is_none());
        members.extend(received.map(|(text, member)| (member.key, text.into())));
        let mut admission = Admission::new(HEADER, Direction::Out, limits);
        let keys: Vec<SortKey<'_>> = members.iter().map(|(key, _)| (*key).into()).collect();
        let order = limits.order_received(&keys);
        let members = order.iter().filter_map(|place| members.get(place)).filter(|(key, text)| {
            admission.measure(text.len());
            admission.admit(key, text.len())
        });
        let texts: Vec<&str> = members.map(|(_, text)| &**text).collect();
        (texts.join(","), admission.report())
    }
}

fn written(members: &Members<'_>) -> String {
    let mut text = String::with_capacity(members.iter().map(|member| member.len() + ",".len()).sum());
    for member in members {
        if !text.is_empty() {
            text.push(',');
        }
        write(member, &mut text);
    }
    text
}

/// Appends a member as it was received, but for metadata that is not well-formed.
fn write(member: &Member<'_>, text: &mut String) {
    let Member { key, value, metadata } = *member;
    // Upstream's `Baggage` trims so, and a relay says what others say.
    let metadata = metadata.trim();
    text.push_str(key);
    text.push('=');
    text.push_str(value);
    if property::is_plain(metadata.as_bytes()) && !metadata.is_empty() {
        text.push(';');
        text.push_str(metadata);
    } else if property::any(metadata) {
        text.push(';');
        property::write_metadata(text, metadata);
    }
}

/// Baggage that a [`RelayPropagator`] received, in a [`Context`].
pub trait RelayExt {
    /// What was received, if anything was.
    fn relayed_baggage(&self) -> Relayed<'_>;

    /// A context that passes nothing on of what was received. Where nothing else is sent either, an empty header overrides
    /// the one that a copied request may still have.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_w3c_baggage::{RelayExt, RelayPropagator};
    /// use std::collections::HashMap;
    ///
    /// let received = HashMap::from([("baggage".to_owned(), "a=1".to_owned())]);
    /// let cx = RelayPropagator::new().extract_with_context(&Context::new(), &received);
    /// assert_eq!(cx.relayed_baggage().len(), 1);
    /// assert!(cx.without_relayed_baggage().relayed_baggage().is_empty());
    /// ```
    #[must_use]
    fn without_relayed_baggage(&self) -> Context;
}

impl RelayExt for Context {
    fn relayed_baggage(&self) -> Relayed<'_> {
        Relayed(self.get())
    }

    fn without_relayed_baggage(&self) -> Context {
        self.with_value(Kept::default())
    }
}

/// Received members that are decoded when they are asked for: see [`RelayExt`].
///
/// ```
/// use opentelemetry::{Context, propagation::TextMapPropagator};
/// use otel_w3c_baggage::{RelayExt, RelayPropagator, Relayed, RelayedMember};
/// use std::collections::HashMap;
///
/// let request = HashMap::from([("baggage".to_owned(), "tenant=acme%20retail;ttl=30".to_owned())]);
/// let cx = RelayPropagator::new().extract_with_context(&Context::new(), &request);
/// let received: Relayed<'_> = cx.relayed_baggage();
/// let tenant: RelayedMember<'_> = received.get("tenant").unwrap();
/// assert_eq!((&*tenant.value, tenant.metadata), ("acme retail", "ttl=30"));
/// ```
#[derive(Clone, Copy)]
pub struct Relayed<'a>(Option<&'a Kept>);

/// A received member.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RelayedMember<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its value, decoded.
    pub value: Cow<'a, str>,
    /// Its properties, as they are sent on.
    pub metadata: &'a str,
}

impl<'a> Relayed<'a> {
    /// The member of this key.
    #[must_use]
    pub fn get(self, key: &str) -> Option<RelayedMember<'a>> {
        self.members().find(|member| member.key == key).map(decoded)
    }

    /// All members, in the order in which they were received.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_w3c_baggage::{RelayExt, RelayPropagator};
    /// use std::collections::HashMap;
    ///
    /// let received = HashMap::from([("baggage".to_owned(), "b=%20,a=1;p".to_owned())]);
    /// let cx = RelayPropagator::new().extract_with_context(&Context::new(), &received);
    /// let members = cx.relayed_baggage().iter().map(|member| (member.key, member.value, member.metadata));
    /// assert_eq!(members.collect::<Vec<_>>(), [("b", " ".into(), ""), ("a", "1".into(), "p")]);
    /// ```
    pub fn iter(self) -> impl Iterator<Item = RelayedMember<'a>> {
        self.members().map(decoded)
    }

    fn members(self) -> impl Iterator<Item = Member<'a>> {
        self.0.into_iter().flat_map(Kept::iter).map(|(_, member)| member)
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.map_or(0, |received| received.members)
    }

    /// Whether both come from one extraction, which is not asked of what they hold.
    ///
    /// ```
    /// use opentelemetry::{Context, propagation::TextMapPropagator};
    /// use otel_w3c_baggage::{RelayExt, RelayPropagator};
    /// use std::collections::HashMap;
    ///
    /// let extract = |cx: &Context, header: &str| {
    ///     let request = HashMap::from([("baggage".to_owned(), header.to_owned())]);
    ///     RelayPropagator::new().extract_with_context(cx, &request)
    /// };
    /// let cx = extract(&Context::new(), "a=1");
    /// assert!(extract(&cx, "malformed").relayed_baggage().is_same(cx.relayed_baggage()), "nothing new was received");
    /// assert!(!extract(&cx, "a=1").relayed_baggage().is_same(cx.relayed_baggage()));
    /// ```
    #[must_use]
    pub fn is_same(self, other: Self) -> bool {
        match (self.0, other.0) {
            (Some(this), Some(other)) => ptr::eq(this, other),
            (this, other) => this.is_none() && other.is_none(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

fn decoded(member: Member<'_>) -> RelayedMember<'_> {
    let Member { key, value, metadata } = member;
    let value = if value.contains('%') { percent::decode(value).into() } else { value.into() };
    RelayedMember { key, value, metadata }
}

/// How many there are, and nothing that a peer sent.
impl fmt::Debug for Relayed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relayed").field("members", &self.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Kept, RelayPropagator};
    use crate::BaggagePropagator;
    use otel_baggage_limits::Limits;
    use proptest::prelude::*;

    fn of(received: &Kept) -> (&str, usize, usize) {
        (&received.text, received.members, received.at_risk)
    }

    /// Whether the line goes on untouched, which may not change what goes on.
    fn is_untouched(line: &str, limits: &Limits) -> bool {
        let untouched = Kept::untouched(line, limits);
        let relay = RelayPropagator::of(BaggagePropagator::new().with_limits(limits.clone()));
        assert!(untouched.iter().all(|it| of(it) == of(&relay.chosen(&[line]))), "{line:?}");
        untouched.is_some()
    }

    #[test]
    fn most_lines_go_on_untouched() {
        for line in ["a=1", "a=", "a=1,b=2;p;q=1,c=%41", "a==,%=%", "entry.key.1=1,entry.key.2=1"] {
            assert!(is_untouched(line, &Limits::new()), "{line:?}");
        }
        for line in
            ["", "a", "=1", ",", "a=1,", ",a=1", "a=1,,b=2", "a=1, b=2", "a =1", "a=1 ", "a=\"", "a=é"]
        {
            assert!(!is_untouched(line, &Limits::new()), "{line:?}");
        }
        for line in ["a=1;", "a=1;,b=2", "a=1;;p", "a=1;=", "a=1;p=%", "a=1,a=2", "a=1,b=2,a=1", "(=1"] {
            assert!(!is_untouched(line, &Limits::new()), "{line:?}");
        }
    }

    #[test]
    fn within_the_limits() {
        let (line, limits) = ("a=1,b=2", Limits::new());
        for (limits, expected) in [
            (limits.clone().max_members(1), false),
            (limits.clone().max_members(2), true),
            (limits.clone().max_bytes(6), false),
            (limits.clone().max_bytes(7), true),
            (limits.clone().max_member_bytes(9), false),
            (limits.clone().allow(&["*"]), false),
            (limits.clone().deny(&["c"]), false),
            (limits.keep_first(&["b"]), true),
        ] {
            assert_eq!(is_untouched(line, &limits), expected, "{limits:?}");
        }
        for (bytes, expected) in [(4095, true), (4096, true), (4097, false)] {
            assert_eq!(is_untouched(&format!("a={:x<1$}", "", bytes - 2), &Limits::new()), expected);
        }
        for (members, expected) in [(63, true), (64, true), (65, false)] {
            let line: Vec<_> = (0..members).map(|it| format!("{it}=")).collect();
            assert_eq!(is_untouched(&line.join(","), &Limits::new().max_members(99)), expected, "{members}");
        }
    }

    proptest! {
        #[test]
        fn what_goes_on_is_the_same(
            line in "([ab]{1,9}(=|=1|=\\PC|=1;|=1;p|=1;p=%|;p| =1|)(,|,,|, |)){0,9}",
            members in 1..9_usize, bytes in 1..60_usize,
        ) {
            is_untouched(&line, &Limits::new());
            is_untouched(&line, &Limits::new().max_members(members).max_bytes(bytes));
        }
    }
}
