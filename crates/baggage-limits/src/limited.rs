//! A decorator that gives the promise of the limits to a propagator that knows none.

use crate::{Admission, BothWays, Elements, Limits, Reason, Report, SortKey};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, Injector, TextMapPropagator, text_map_propagator::FieldIter},
};
use otel_propagator_core::{
    diagnostics::Direction,
    header::{Lines, joined_len, lines, trim},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::borrow::Cow;

const HEADER: &str = "baggage";

/// Any propagator, with its baggage within limits in both directions.
///
/// Baggage that may not travel is kept from the inner propagator. What it then sends as `baggage` is measured as it
/// stands: over the limits, only the members go that are admitted, those of [`Limits::keep_first`] and then the first
/// by key. Of `baggage` it may read the members that the limits admit; baggage that it has from elsewhere is held to the
/// same limits. Where it finds none, the given baggage stays. Its other headers pass as they are. A composite may be
/// wrapped as well as a single propagator.
///
/// An injector can only set. If there is baggage and none of it may be sent, the header is set to nothing, so that an
/// older one of a request that is passed on does not go out.
///
/// ```
/// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
/// use opentelemetry_sdk::propagation::BaggagePropagator;
/// use otel_baggage_limits::{Limited, Limits};
/// use std::collections::HashMap;
///
/// let propagator = Limited::new(BaggagePropagator::new(), Limits::new().max_bytes(20));
/// let cx = Context::new().with_baggage([
///     KeyValue::new("name", "a value of more than twenty bytes"),
///     KeyValue::new("tenant", "acme"),
/// ]);
/// let mut carrier = HashMap::new();
/// propagator.inject_context(&cx, &mut carrier);
/// assert_eq!(carrier["baggage"], "tenant=acme");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Limited<P> {
    inner: P,
    limits: BothWays,
}

impl<P> Limited<P> {
    /// Holds the propagator to the limits.
    ///
    /// ```
    /// use opentelemetry::{Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator};
    /// use opentelemetry_sdk::propagation::BaggagePropagator;
    /// use otel_baggage_limits::{Limited, Limits};
    /// use std::collections::HashMap;
    ///
    /// let propagator = Limited::new(BaggagePropagator::new(), Limits::new().deny(&["user"]));
    /// let mut sent = HashMap::new();
    /// propagator.inject_context(&Context::new().with_baggage([KeyValue::new("user", "amy")]), &mut sent);
    /// assert_eq!(sent["baggage"], "", "an empty value overrides an older header");
    /// ```
    #[must_use]
    pub fn new(inner: P, limits: impl Into<BothWays>) -> Self {
        Self { inner, limits: limits.into() }
    }
}

impl<P: TextMapPropagator> TextMapPropagator for Limited<P> {
    fn inject(&self, injector: &mut dyn Injector) {
        self.inject_context(&Context::current(), injector);
    }

    fn extract(&self, extractor: &dyn Extractor) -> Context {
        self.extract_with_context(&Context::current(), extractor)
    }

    fn inject_context(&self, cx: &Context, injector: &mut dyn Injector) {
        let (replacement, mut report) = carried(cx.baggage(), Direction::Out, &self.limits.outbound);
        let mut gate = Gate { injector, limits: &self.limits.outbound, sent: None };
        match replacement {
            Some(baggage) => self.inner.inject_context(&cx.with_baggage(baggage), &mut gate),
            None => self.inner.inject_context(cx, &mut gate),
        }
        match gate.sent {
            Some(sent) => report = in_two_steps(report, sent),
            None if cx.baggage().is_empty() => return,
            // What overrides: an injector can only set.
            None if self.fields().any(is_baggage) => injector.set(HEADER, String::new()),
            None => {}
        }
        self.limits.observer.tell(&report);
    }

    fn extract_with_context(&self, cx: &Context, extractor: &dyn Extractor) -> Context {
        let received = Admitted::new(extractor, &self.limits.inbound);
        let extracted = self.inner.extract_with_context(cx, &received);
        let (given, read) = (cx.baggage(), extracted.baggage());
        if std::ptr::eq(given, read) {
            // What was let through may be kept elsewhere, as a relay does.
            if let Some(report) = received.report.filter(|report| !report.is_complete()) {
                self.limits.observer.tell(&report);
            }
            return extracted;
        }
        let (replacement, report) = carried(read, Direction::In, &self.limits.inbound);
        let report = received.report.map_or(report, |received| in_two_steps(received, report));
        if !report.is_complete() {
            self.limits.observer.tell(&report);
        }
        match replacement {
            _ if report.kept.members == 0 => extracted.with_baggage(copy(given)),
            Some(baggage) => extracted.with_baggage(baggage),
            None => extracted,
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        self.inner.fields()
    }
}

fn is_baggage(name: &str) -> bool {
    name.eq_ignore_ascii_case(HEADER)
}

fn copy(baggage: &Baggage) -> Baggage {
    baggage.iter().map(|(key, content)| (key.clone(), content.clone())).collect()
}

/// What has to take the place of the baggage, if not all of it may be carried as it is, and the report of it.
///
/// A member takes at least the bytes that it has before anything is escaped. What it takes in a header is seen there.
fn carried(baggage: &Baggage, direction: Direction, limits: &Limits) -> (Option<Baggage>, Report) {
    let mut admission = Admission::new(HEADER, direction, limits);
    let mut members = Vec::with_capacity(baggage.len());
    for (key, (value, metadata)) in baggage {
        let member = (key.as_str(), value.as_str(), metadata.as_str());
        admission.measure(len(member));
        members.push(member);
    }
    let is_written = direction == Direction::Out;
    let as_it_is = !is_written || members.iter().all(|(_, _, metadata)| is_harmless(metadata));
    if admission.admit_all() && as_it_is {
        return (None, admission.report());
    }
    let keys: Vec<SortKey<'_>> = members.iter().map(|(key, ..)| (*key).into()).collect();
    admission = Admission::new(HEADER, direction, limits);
    let mut carried = Baggage::new();
    for member in limits.order(&keys).iter().filter_map(|place| members.get(place).copied()) {
        let (key, value, metadata) = member;
        admission.measure(len(member));
        if !admission.admit(key, len(member)) {
            continue;
        }
        let metadata = if is_written { harmless(metadata) } else { metadata.into() };
        carried.insert_with_metadata(key.to_owned(), value.to_owned(), &*metadata);
        if carried.get(key).is_none() {
            admission.take_back(len(member), Reason::BaggageFull);
        }
    }
    let report = admission.report();
    (Some(carried).filter(|_| !as_it_is || !report.is_complete()), report)
}

fn len((key, value, metadata): (&str, &str, &str)) -> usize {
    key.len() + "=".len() + value.len() + metadata.len() + usize::from(!metadata.is_empty())
}

/// The report of what was left out first and then, of the rest, in a second step.
fn in_two_steps(first: Report, then: Report) -> Report {
    let mut report = then;
    report.measured = first.measured;
    if first.direction == Direction::Out {
        report.measured.members = first.measured.members - first.kept.members + then.measured.members;
        report.measured.bytes = first.measured.bytes - first.kept.bytes + then.measured.bytes;
    }
    report.leave_out_as(&first);
    report
}

/// What no metadata may hold, so that a propagator that writes it as it is writes no other member and no other header.
/// That propagators of this workspace escape more does no harm.
const HARMFUL: &AsciiSet = &CONTROLS.add(b',').add(b'"').add(b'\\');

fn is_harmless(metadata: &str) -> bool {
    metadata.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'"' | b'\\'))
}

/// A tab is optional whitespace, which a sender writes as a space:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3>.
fn harmless(metadata: &str) -> Cow<'_, str> {
    if is_harmless(metadata) {
        return metadata.into();
    }
    utf8_percent_encode(&metadata.replace('\t', " "), HARMFUL).to_string().into()
}

/// Lets through as much of a baggage header as the limits admit.
struct Gate<'a> {
    injector: &'a mut dyn Injector,
    limits: &'a Limits,
    /// What became of the header, once it was set.
    sent: Option<Report>,
}

impl Injector for Gate<'_> {
    fn set(&mut self, key: &str, value: String) {
        if !is_baggage(key) {
            return self.injector.set(key, value);
        }
        let (value, report) = admitted(value, self.limits);
        self.sent = Some(report);
        self.injector.set(key, value);
    }

    fn reserve(&mut self, additional: usize) {
        self.injector.reserve(additional);
    }
}

/// The members of a header that the limits admit, as they were written.
fn admitted(header: String, limits: &Limits) -> (String, Report) {
    let mut admission = Admission::new(HEADER, Direction::Out, limits);
    for text in header.split(',').filter(|_| !header.is_empty()) {
        admission.measure(text.len());
    }
    if admission.admit_all() {
        return (header, admission.report());
    }
    let texts: Vec<&str> = header.split(',').collect();
    let keys: Vec<&str> = texts.iter().map(|text| key(text)).collect();
    let order = limits.order(&keys.iter().map(|key| (*key).into()).collect::<Vec<_>>());
    let members = order.iter().filter_map(|place| Some((*keys.get(place)?, *texts.get(place)?)));
    let kept: Vec<&str> =
        members.filter(|(key, text)| admission.admit(key, text.len())).map(|(_, text)| text).collect();
    for _ in order.iter().len()..texts.len() {
        admission.leave_out(Reason::TooManyMembers);
    }
    let report = admission.report();
    if report.is_complete() {
        return (header, report);
    }
    (kept.join(","), report)
}

fn key(member: &str) -> &str {
    trim(member.split_once('=').map_or(member, |(key, _)| key))
}

/// An extractor that gives no more of the baggage header than the limits admit.
struct Admitted<'a> {
    extractor: &'a dyn Extractor,
    /// What takes the place of the header's lines, if not all of it is admitted.
    replacement: Option<Vec<String>>,
    report: Option<Report>,
}

impl<'a> Admitted<'a> {
    fn new(extractor: &'a dyn Extractor, limits: &Limits) -> Self {
        let Lines::Text(lines) = lines(extractor, HEADER) else {
            return Self { extractor, replacement: None, report: None };
        };
        let mut admission = Admission::new(HEADER, Direction::In, limits);
        let mut elements = Elements::new(&lines, limits);
        let mut members = Vec::new();
        while let Some(text) = elements.next() {
            admission.measure(text.len());
            members.push((lines.len() - elements.lines_left(), key(text), text));
        }
        let is_short = joined_len(&lines) <= limits.most_bytes(Direction::In);
        if is_short && elements.cut().is_none() && admission.admit_all() {
            let report = admission.received(joined_len(&lines)).report();
            return Self { extractor, replacement: None, report: Some(report) };
        }
        if let Some(reason) = elements.cut() {
            admission.leave_out(reason);
        }
        let keys: Vec<SortKey<'_>> = members.iter().map(|(_, key, _)| (*key).into()).collect();
        let mut admitted = vec![false; members.len()];
        for at in limits.order_received(&keys).iter() {
            let Some((_, key, text)) = members.get(at) else { continue };
            let has_equals_sign = key.len() < text.len();
            if let Some(admitted) = admitted.get_mut(at) {
                *admitted = has_equals_sign && admission.admit(key, text.len());
            }
            if !has_equals_sign {
                admission.leave_out(Reason::NoEqualsSign);
            }
        }
        let mut replacement = vec![String::new(); lines.len()];
        for ((line, _, text), _) in members.iter().zip(admitted).filter(|(_, admitted)| *admitted) {
            let Some(line) = replacement.get_mut(line - 1) else { continue };
            if !line.is_empty() {
                line.push(',');
            }
            line.push_str(text);
        }
        replacement.retain(|line| !line.is_empty());
        let report = admission.received(joined_len(&lines)).report();
        Self { extractor, replacement: Some(replacement), report: Some(report) }
    }

    fn replacement(&self, key: &str) -> Option<&[String]> {
        self.replacement.as_deref().filter(|_| is_baggage(key))
    }
}

impl Extractor for Admitted<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match self.replacement(key) {
            Some(lines) => lines.first().map(String::as_str),
            None => self.extractor.get(key),
        }
    }

    fn keys(&self) -> Vec<&str> {
        let mut keys = self.extractor.keys();
        if self.replacement.as_ref().is_some_and(Vec::is_empty) {
            keys.retain(|key| !is_baggage(key));
        }
        keys
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        match self.replacement(key) {
            Some([]) => None,
            Some(lines) => Some(lines.iter().map(String::as_str).collect()),
            None => self.extractor.get_all(key),
        }
    }
}
