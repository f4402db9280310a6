//! The trust boundary: nothing that a destination may not have ever leaves for it, and no key comes in that is not
//! accepted, whether baggage is decoded or passed on as text.
//!
//! Policies, contexts, destinations and older headers are arbitrary. Each value that could leave has a text of its own,
//! so that the law looks for texts on the wire; what may leave is decided by a model that scans its rules and compares
//! hosts piece by piece.

use crate::composite::NAMES;
use arbitrary::{Result, Unstructured};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::TextMapPropagator,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::trace::Sampler;
use otel_b3::B3Propagator;
use otel_composite::CompositePropagator;
use otel_tracecontext::TraceContextPropagator;
use otel_trust_boundary::{
    Boundary, Destination, DestinationExt, DestinationSampler, Guarded, Inbound, Keys, Outbound, Strategy,
    Trace,
};
use otel_w3c_baggage::{BaggagePropagator, RelayExt, RelayPropagator};
use std::{collections::HashMap, net::IpAddr, sync::LazyLock};

const TRACE_ID: &str = "5ac1a1de5ac1a1de5ac1a1de5ac1a1de";
const SPAN_ID: &str = "5ac1a1de00c0ffee";
/// What an older request left in the carrier, and what a trace state holds.
const OLDER: &str = "0lder";
const STATE: &str = "stat3";
const MARK: &str = "otel-destination";

const KEYS: [&str; 4] = ["tenant", "order.id", "order.region", "cohort"];
const PATTERNS: [&[&str]; 6] =
    [&[], &["*"], &["tenant"], &["order.*"], &["cohort", "order.id"], &["*", "tenant"]];
const HOSTS: [&str; 10] = [
    "*.internal",
    "internal",
    "*.a.internal",
    "b.a.internal",
    "*.internal:80",
    "10.0.0.0/8",
    "10.9.0.0/16:80",
    "10.9.1.1",
    "partner.example",
    "*.example:443",
];
const DESTINATIONS: [&str; 24] = [
    "orders.internal",
    "ORDERS.internal.",
    "internal",
    "a.internal:80",
    "b.a.internal",
    "c.a.internal:80",
    "internal.evil.example",
    "evilinternal",
    "https://evil.example/?x=.internal",
    "orders.internal@evil.example",
    "evil.example#.internal",
    "orders.internal..",
    "orders.internal:0",
    "10.1.2.3",
    "10.9.1.1:80",
    "10.9.2.1:80",
    "010.0.0.1",
    "::ffff:10.0.0.1",
    "[::ffff:10.9.0.1]:80",
    "fe80::1%eth0",
    "partner.example:443",
    "a.partner.example:443",
    "bücher.example",
    "",
];

#[derive(Debug)]
struct Case {
    rules: Vec<Rule>,
    unknown: Rule,
    known_by: KnownBy,
    destination: To,
    span: Option<Span>,
    /// A bit a key: made here, received from a caller.
    ours: u8,
    theirs: u8,
    older: bool,
    relays: bool,
    /// The keys that are accepted of a caller.
    accepts: u8,
}

#[derive(Clone, Copy, Debug)]
struct Rule {
    hosts: u16,
    trace: u8,
    keys: u8,
    is_external: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum KnownBy {
    Value,
    Current,
    Mark,
    MarkOfAPeer,
    Name(u8),
    Nothing,
}

#[derive(Debug)]
enum To {
    Listed(u8),
    Any(String),
}

#[derive(Clone, Copy, Debug)]
struct Span {
    is_remote: bool,
    is_sampled: bool,
    has_state: bool,
}

/// The bytes choose a policy, a context, a destination and how it is known.
pub fn boundary(data: &[u8]) {
    let Ok(mut case) = Case::read(Unstructured::new(data)) else { return };
    LazyLock::force(&BRIDGE);
    // A mark is what a local span has.
    if case.known_by == KnownBy::Mark {
        case.span = Some(Span { is_remote: false, ..case.span.unwrap_or(DEFAULT) });
    }
    if case.known_by == KnownBy::MarkOfAPeer {
        case.span = Some(Span { is_remote: true, ..case.span.unwrap_or(DEFAULT) });
    }
    let propagator = case.boundary().wrap(case.formats().clone());
    let (cx, current) = case.context(&propagator);
    let mut carrier = case.older_headers();
    {
        let _attached = current.attach();
        propagator.inject_context(&cx, &mut carrier);
    }
    nothing_else_leaves(&case, &carrier);
    all_that_may_leaves(&case, &carrier);
}

const DEFAULT: Span = Span { is_remote: false, is_sampled: true, has_state: true };

/// Marks count where there is one.
static BRIDGE: LazyLock<DestinationSampler> = LazyLock::new(|| DestinationSampler::new(Sampler::AlwaysOn));

/// With baggage that is decoded, and with baggage that is passed on.
static FORMATS: LazyLock<[CompositePropagator; 2]> = LazyLock::new(|| {
    let trace = || {
        CompositePropagator::builder()
            .trace(TraceContextPropagator::new())
            .trace(B3Propagator::single_and_multi())
    };
    [trace().baggage(BaggagePropagator::new()).build(), trace().baggage(RelayPropagator::new()).build()]
});

impl Case {
    /// A text of its own stands at the end of the bytes.
    fn read(mut bytes: Unstructured<'_>) -> Result<Self> {
        let rules = (0..bytes.int_in_range(0..=4)?).map(|_| Rule::read(&mut bytes)).collect::<Result<_>>()?;
        let unknown = Rule::read(&mut bytes)?;
        let name: u8 = bytes.int_in_range(0..=4)?;
        let known_by = *bytes.choose(&[
            KnownBy::Value,
            KnownBy::Current,
            KnownBy::Mark,
            KnownBy::MarkOfAPeer,
            KnownBy::Name(name),
            KnownBy::Nothing,
        ])?;
        let span = Span {
            is_remote: bytes.arbitrary()?,
            is_sampled: bytes.arbitrary()?,
            has_state: bytes.arbitrary()?,
        };
        Ok(Self {
            rules,
            unknown,
            known_by,
            span: bytes.ratio(4, 5)?.then_some(span),
            ours: bytes.arbitrary()?,
            theirs: bytes.arbitrary()?,
            older: bytes.arbitrary()?,
            relays: bytes.arbitrary()?,
            accepts: bytes.arbitrary()?,
            destination: match bytes.arbitrary::<u8>()? {
                listed @ 0..=191 => To::Listed(listed),
                _ => To::Any(String::from_utf8_lossy(bytes.take_rest()).into_owned()),
            },
        })
    }

    fn formats(&self) -> &'static CompositePropagator {
        let [decoding, relaying] = &*FORMATS;
        if self.relays { relaying } else { decoding }
    }

    fn boundary(&self) -> Boundary {
        let name = |at: usize| format!("rule {at}");
        let boundary =
            Boundary::deny_external().unknown(self.unknown.outbound("unknown".to_owned())).inbound(
                Inbound::new("all", Strategy::Continue).accept_baggage(Keys::of(patterns(self.accepts))),
            );
        self.rules.iter().enumerate().fold(boundary, |boundary, (at, rule)| {
            let Ok(rule) = rule.outbound(name(at)).hosts(rule.hosts()) else { return boundary };
            boundary.outbound(rule)
        })
    }

    fn text(&self) -> &str {
        match &self.destination {
            To::Listed(at) => DESTINATIONS.get(usize::from(*at) % DESTINATIONS.len()).unwrap_or(&""),
            To::Any(text) => text,
        }
    }

    /// The context that is injected, and the one that is current meanwhile.
    fn context(&self, propagator: &Guarded<CompositePropagator>) -> (Context, Context) {
        let received: Vec<String> =
            chosen(self.theirs).map(|key| format!("{key}={}", value(key, "theirs"))).collect();
        let request = HashMap::from([("baggage".to_owned(), received.join(","))]);
        let mut cx = propagator.extract_with_context(&Context::new(), &request);
        for key in KEYS {
            let is_in = cx.baggage().get(key).is_some() || cx.relayed_baggage().get(key).is_some();
            law!(is_in == self.accepts(key), "a key comes in where it may", self, key);
        }
        if self.ours != 0 {
            let mut baggage: Vec<KeyValue> = cx
                .baggage()
                .iter()
                .map(|(key, (value, _))| KeyValue::new(key.clone(), value.clone()))
                .collect();
            baggage.extend(chosen(self.ours).map(|key| KeyValue::new(key, value(key, "ours"))));
            cx = cx.with_baggage(baggage);
        }
        if let Some(span) = self.span {
            cx = cx.with_remote_span_context(span.context(self.mark().as_deref()));
        }
        let destination = Destination::host(self.text());
        match self.known_by {
            KnownBy::Value => (cx.with_destination(destination), Context::new()),
            KnownBy::Current => (cx, Context::new().with_destination(destination)),
            KnownBy::Name(at) => {
                (cx.with_destination(Destination::named(format!("rule {at}"))), Context::new())
            }
            _ => (cx, Context::new()),
        }
    }

    /// What the sampler writes, and a peer may: any text that a trace state holds.
    fn mark(&self) -> Option<String> {
        let is_marked = matches!(self.known_by, KnownBy::Mark | KnownBy::MarkOfAPeer);
        let is_value = |text: &&str| TraceState::from_key_value([(MARK, *text)]).is_ok();
        is_marked.then(|| Some(self.text()).filter(is_value).unwrap_or("?").to_owned())
    }

    fn older_headers(&self) -> HashMap<String, String> {
        let names = NAMES.iter().filter(|_| self.older);
        let names = names.filter(|name| self.formats().fields().any(|field| field == **name));
        names.map(|name| ((*name).to_owned(), OLDER.to_owned())).collect()
    }

    /// The rule that holds, by the model.
    fn rule(&self) -> Rule {
        let at = match self.known_by {
            KnownBy::Name(at) => Some(usize::from(at)).filter(|at| *at < self.rules.len()),
            KnownBy::Nothing | KnownBy::MarkOfAPeer => None,
            KnownBy::Mark => Some(self.mark().unwrap_or_default()).and_then(|text| self.rule_of_host(&text)),
            KnownBy::Value | KnownBy::Current => self.rule_of_host(self.text()),
        };
        at.and_then(|at| self.rules.get(at)).copied().unwrap_or(self.unknown)
    }

    /// The rule with the most specific pattern; of the same one, the first.
    fn rule_of_host(&self, text: &str) -> Option<usize> {
        let host = Host::read(text)?;
        let of_rule = |(at, rule): (usize, &Rule)| {
            let best = rule.hosts().filter_map(|pattern| host.fits(pattern)).max()?;
            Some((best, std::cmp::Reverse(at)))
        };
        self.rules.iter().enumerate().filter_map(of_rule).max().map(|(_, at)| at.0)
    }

    fn sends(&self, rule: Rule, key: &str, is_theirs: bool) -> bool {
        let names_none = rule.is_external && rule.patterns() == ["*"];
        fits(rule.patterns(), key) && !(is_theirs && names_none && self.is_received(key))
    }

    /// Whether the caller's member of this key comes in.
    fn accepts(&self, key: &str) -> bool {
        chosen(self.theirs).any(|it| it == key) && fits(patterns(self.accepts), key)
    }

    /// Whether the member of the context is as a caller sent it.
    fn is_received(&self, key: &str) -> bool {
        self.accepts(key) && chosen(self.ours).all(|it| it != key)
    }
}

impl Rule {
    fn read(bytes: &mut Unstructured<'_>) -> Result<Self> {
        let hosts = bytes.arbitrary::<u16>()? & bytes.arbitrary::<u16>()?;
        let (trace, keys, is_external) = (bytes.arbitrary()?, bytes.arbitrary()?, bytes.arbitrary()?);
        Ok(Self { hosts, trace, keys, is_external })
    }

    fn hosts(self) -> impl Iterator<Item = &'static str> {
        HOSTS.iter().enumerate().filter(move |(at, _)| self.hosts >> at & 1 == 1).map(|(_, host)| *host)
    }

    fn trace(self) -> Trace {
        match self.trace % 3 {
            0 => Trace::Nothing,
            1 => Trace::Ids,
            _ => Trace::All,
        }
    }

    fn patterns(self) -> &'static [&'static str] {
        patterns(self.keys)
    }

    fn outbound(self, name: String) -> Outbound {
        let rule = if self.is_external { Outbound::external(name) } else { Outbound::internal(name) };
        rule.trace(self.trace()).baggage(Keys::of(self.patterns()))
    }
}

impl Span {
    fn context(self, mark: Option<&str>) -> SpanContext {
        let state = self.has_state.then_some(("congo", STATE));
        // A peer may send it more than once.
        let marks = if self.is_remote { 3 } else { 1 };
        let marks = mark.map(|mark| std::iter::repeat_n((MARK, mark), marks));
        let members = marks.into_iter().flatten().chain(state);
        let flags = if self.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
        let trace_id = TraceId::from_hex(TRACE_ID).unwrap_or(TraceId::INVALID);
        let span_id = SpanId::from_hex(SPAN_ID).unwrap_or(SpanId::INVALID);
        let state = TraceState::from_key_value(members).unwrap_or_default();
        SpanContext::new(trace_id, span_id, flags, self.is_remote, state)
    }
}

fn patterns(at: u8) -> &'static [&'static str] {
    PATTERNS.get(usize::from(at) % PATTERNS.len()).copied().unwrap_or_default()
}

fn fits(patterns: &[&str], key: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => *pattern == key,
    })
}

fn chosen(keys: u8) -> impl Iterator<Item = &'static str> {
    KEYS.iter().enumerate().filter(move |(at, _)| keys >> at & 1 == 1).map(|(_, key)| *key)
}

/// A text that is nowhere else.
fn value(key: &str, whose: &str) -> String {
    format!("{whose}.{key}.val")
}

/// A host as the model reads it: pieces of text, or the text of an address.
struct Host {
    labels: Vec<String>,
    is_address: bool,
    port: Option<u16>,
}

impl Host {
    fn read(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::of(address, None));
        }
        let (host, port) = match text.rfind(':') {
            Some(at) => (text.get(..at)?, Some(text.get(at + 1..)?)),
            None => (text, None),
        };
        let port = match port {
            // `[::1]` has colons of its own.
            Some(port) if port.ends_with(']') => return Self::bracketed(text, None),
            Some(port) if !port.is_empty() && port.chars().all(|it| it.is_ascii_digit()) => {
                Some(port.parse::<u16>().ok().filter(|port| *port > 0)?)
            }
            Some(_) => return None,
            None => None,
        };
        if host.starts_with('[') {
            return Self::bracketed(host, port);
        }
        if let Ok(IpAddr::V4(address)) = host.parse() {
            return Some(Self::of(address.into(), port));
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        let labels: Vec<String> = host.split('.').map(str::to_lowercase).collect();
        let is_label = |label: &String| {
            (1..64).contains(&label.len())
                && host.is_ascii()
                && label.chars().all(|it| "abcdefghijklmnopqrstuvwxyz0123456789-_".contains(it))
        };
        let last = labels.last()?;
        let is_hex = last.strip_prefix("0x").is_some_and(|it| it.chars().all(|it| it.is_ascii_hexdigit()));
        let is_number = is_hex || last.chars().all(|it| it.is_ascii_digit());
        (host.len() <= 253 && labels.iter().all(is_label) && !is_number).then_some(Self {
            labels,
            is_address: false,
            port,
        })
    }

    fn bracketed(text: &str, port: Option<u16>) -> Option<Self> {
        let address = text.strip_prefix('[')?.strip_suffix(']')?;
        address.parse::<std::net::Ipv6Addr>().ok().map(|address| Self::of(address.into(), port))
    }

    fn of(address: IpAddr, port: Option<u16>) -> Self {
        let text = address.to_canonical().to_string();
        Self { labels: text.split('.').map(str::to_owned).collect(), is_address: true, port }
    }

    /// How specific the pattern is, if the host fits it: a whole name or address before a part of it, the longer part
    /// before the shorter one, then the port.
    fn fits(&self, pattern: &str) -> Option<(bool, usize, bool)> {
        let (pattern, port) = match pattern.split_once(':') {
            Some((pattern, port)) => (pattern, Some(port)),
            None => (pattern, None),
        };
        if port.is_some_and(|port| self.port.is_none_or(|it| it.to_string() != port)) {
            return None;
        }
        let has_port = port.is_some();
        if let Some((network, len)) = pattern.split_once('/') {
            let whole: usize = len.parse::<usize>().ok()? / 8;
            let is_in = self.is_address && self.labels.len() == 4;
            let fits = is_in
                && network.split('.').take(whole).eq(self.labels.iter().take(whole).map(String::as_str));
            return fits.then_some((false, whole, has_port));
        }
        let labels: Vec<&str> = pattern.split('.').collect();
        let is_address = labels.last().is_some_and(|it| it.parse::<u8>().is_ok());
        if is_address != self.is_address {
            return None;
        }
        match labels.split_first() {
            Some((&"*", parent)) => {
                let fits = self.labels.len() > parent.len()
                    && parent.iter().rev().zip(self.labels.iter().rev()).all(|(a, b)| a == b);
                fits.then_some((false, parent.len(), has_port))
            }
            _ => self.labels.iter().eq(labels.iter()).then_some((true, labels.len(), has_port)),
        }
    }
}

fn nothing_else_leaves(case: &Case, carrier: &HashMap<String, String>) {
    let rule = case.rule();
    let trace = rule.trace();
    let restricts_baggage = rule.is_external || rule.patterns() != ["*"];
    for (name, text) in carrier {
        let seen = (name, text, rule);
        let is_older = text == OLDER;
        law!(!text.contains(MARK), "the mark is on no wire", case, seen);
        law!(trace != Trace::Nothing || !text.contains("5ac1a1de"), "ids leave where they may", case, seen);
        law!(trace == Trace::All || !text.contains(STATE), "tracestate leaves where it may", case, seen);
        match name.as_str() {
            "tracestate" => {
                law!(trace == Trace::All || !is_older, "no older tracestate leaves", case, seen);
            }
            "baggage" => law!(!restricts_baggage || !is_older, "no older baggage leaves", case, seen),
            _ => {
                law!(trace != Trace::Nothing || !is_older, "no older trace leaves", case, seen);
                let is_empty = text.is_empty();
                law!(trace != Trace::Nothing || is_empty, "no decision leaves either", case, seen);
            }
        }
        for key in KEYS {
            for (whose, is_theirs) in [("ours", false), ("theirs", true)] {
                let leaves = text.contains(&value(key, whose));
                law!(
                    !leaves || case.sends(rule, key, is_theirs),
                    "a key leaves where it may",
                    case,
                    seen,
                    key
                );
            }
        }
    }
}

fn all_that_may_leaves(case: &Case, carrier: &HashMap<String, String>) {
    let rule = case.rule();
    let sent = |name: &str| carrier.get(name).map(String::as_str).unwrap_or_default();
    if let Some(span) = case.span {
        let trace = rule.trace();
        let named = sent("traceparent").contains(TRACE_ID) && sent("b3").contains(SPAN_ID);
        law!(named == (trace != Trace::Nothing), "ids leave for those who may have them", case, carrier);
        let is_state = trace == Trace::All && span.has_state;
        law!(sent("tracestate").contains(STATE) == is_state, "and so does the tracestate", case, carrier);
    }
    for key in KEYS {
        let (ours, theirs) = (chosen(case.ours).any(|it| it == key), case.is_received(key));
        let whose = if ours { "ours" } else { "theirs" };
        let expected = (ours || theirs) && case.sends(rule, key, theirs);
        let leaves = sent("baggage").contains(&value(key, whose));
        law!(leaves == expected, "a key leaves for those who may have it", case, carrier, key);
    }
}
