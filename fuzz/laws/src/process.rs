//! A whole process: requests one after the other, through one composite, into contexts that are used again, under a
//! subscriber that itself propagates, with spans that a sampler may drop, and from carriers that give less than came.

use crate::{
    b3, baggage,
    carrier::{Lines, Sent, SentExt as _, send},
    legacy,
    model::{
        b3::State,
        baggage::{Entries, read},
        tracecontext::state,
    },
    script::{self, BAGGAGE, TRACESTATE, joined_len},
    subscriber::{Application, Subscribed},
    tracecontext::{expected_parent, span_fields},
};
use arbitrary::{Arbitrary, Result, Unstructured};
use opentelemetry::{
    Context,
    baggage::BaggageExt,
    propagation::{Extractor, TextMapPropagator},
    trace::{TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::{
    propagation as sdk,
    trace::{Sampler, SdkTracer, SdkTracerProvider, ShouldSample},
};
use otel_b3::{B3Propagator, DecisionSampler, Sampling, SamplingExt};
use otel_baggage_limits::{Direction, Limits};
use otel_composite::{CompositePropagator, extract_only};
use otel_jaeger::{JaegerPropagator, PrefixedBaggage};
use otel_ottrace::OtTracePropagator;
use otel_tracecontext::TraceContextPropagator;
use otel_w3c_baggage::{BaggagePropagator, RelayExt, RelayPropagator};
use otel_xray::XrayPropagator;
use std::sync::{
    Arc, LazyLock,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// A composite, and what is known of it.
struct Setup {
    propagator: CompositePropagator,
    limits: Limits,
    /// Whether its baggage propagator is the one that decodes, so that the model says what is read.
    decodes: bool,
    /// Whether all of it is this workspace's; the SDK's sends an empty `tracestate`.
    is_ours: bool,
    order: Order,
}

/// In which order formats are read, as far as the models know it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Order {
    /// W3C is preferred and written, so that the model says what becomes of a tracestate; then B3.
    W3cFirst,
    /// The same, and Jaeger, X-Ray and OT Trace follow.
    OlderLast,
    Another,
}

static SETUPS: LazyLock<[Setup; 7]> = LazyLock::new(|| {
    let (w3c, b3) = (TraceContextPropagator::new(), B3Propagator::single_and_multi());
    let few = Limits::new().max_members(3).max_bytes(64).keep_first(&["tenant"]);
    let new = CompositePropagator::builder;
    let ours = || BaggagePropagator::new();
    let setup = |builder: otel_composite::Builder, limits: Limits| Setup {
        propagator: builder.limits(limits.clone()).build(),
        limits,
        decodes: true,
        is_ours: true,
        order: Order::W3cFirst,
    };
    let (jaeger, ottrace) = (JaegerPropagator::new().with_debug_id(true), OtTracePropagator::new());
    [
        setup(new().trace(w3c).trace(b3).baggage(ours()), Limits::new()),
        setup(new().baggage(ours()).trace(w3c).trace(b3), Limits::W3C),
        Setup {
            order: Order::Another,
            ..setup(new().trace(B3Propagator::multi()).trace(extract_only(w3c)).baggage(ours()), few)
        },
        Setup {
            decodes: false,
            is_ours: false,
            order: Order::Another,
            ..setup(
                new().trace(sdk::TraceContextPropagator::new()).baggage(sdk::BaggagePropagator::new()),
                Limits::W3C,
            )
        },
        Setup {
            decodes: false,
            ..setup(new().trace(w3c).trace(b3).baggage(RelayPropagator::of(ours())), Limits::W3C)
        },
        Setup {
            order: Order::OlderLast,
            ..setup(
                new()
                    .trace(w3c)
                    .trace(b3)
                    .trace(jaeger.clone())
                    .trace(XrayPropagator::new())
                    .trace(ottrace.clone())
                    .baggage(ours()),
                Limits::W3C,
            )
        },
        // A mesh that leaves them: their baggage is read and added to that of W3C, and W3C is written beside them.
        Setup {
            decodes: false,
            order: Order::Another,
            ..setup(
                new()
                    .trace(jaeger.with_baggage(PrefixedBaggage::extract_only()))
                    .trace(ottrace.with_baggage(PrefixedBaggage::extract_only()))
                    .trace(XrayPropagator::new())
                    .trace(w3c)
                    .baggage(ours()),
                Limits::W3C,
            )
        },
    ]
});

/// The SDK's samplers, and last the one that obeys what was received.
static TRACERS: LazyLock<[SdkTracer; 4]> = LazyLock::new(|| {
    let tracer = |sampler: Box<dyn ShouldSample>| {
        SdkTracerProvider::builder().with_sampler(sampler).build().tracer("service")
    };
    [
        tracer(Sampler::AlwaysOn.into()),
        tracer(Sampler::AlwaysOff.into()),
        tracer(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)).into()),
        tracer(DecisionSampler::new(Sampler::AlwaysOn).into()),
    ]
});

/// A script: which composite, which subscriber, and up to four requests.
pub fn process(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(application) = Application::arbitrary(&mut input) else { return };
    // Where the script ends, so do the requests.
    application.run(|subscribed| requests(&mut input, subscribed).unwrap_or_default());
}

fn requests(input: &mut Unstructured<'_>, subscribed: &Subscribed) -> Result<()> {
    let Some(setup) = SETUPS.get(input.choose_index(SETUPS.len())?) else { return Ok(()) };
    let alive = Arc::new(());
    let mut cx = Context::new();
    for _ in 0..input.int_in_range(1..=4_u8)? {
        // Each request replaces the value of the one before, which nothing may keep.
        cx = cx.with_value(Alive(Arc::clone(&alive)));
        cx = Request::arbitrary(input)?.handle(setup, &cx);
        law!(Arc::strong_count(&alive) == 2, "nothing is kept of an earlier context", subscribed);
        subscribed.errors_arrive();
        if bool::arbitrary(input)? {
            cx = Context::new();
        }
    }
    Ok(())
}

/// Held by a context.
struct Alive(#[allow(dead_code, reason = "held")] Arc<()>);

/// What came, how much of it the carrier gives, and what the service does with it.
struct Request {
    headers: Vec<(&'static str, String)>,
    style: Style,
    sampler: Option<usize>,
    /// Whether it goes through `extract` and `inject`, which start from the current context.
    by_current: bool,
}

/// What `get_all` and `keys` answer.
#[derive(Clone, Copy, Debug, Arbitrary, Eq, PartialEq)]
enum Style {
    Whole,
    /// `get_all` is not overridden.
    FirstLines,
    /// An empty collection for what is not there.
    Empty,
    /// Nothing of `baggage` and `tracestate` is text, but the names are listed.
    NotText,
    /// Every second line of a header is text.
    Partial,
    /// No names are listed.
    Unlisted,
}

impl<'a> Arbitrary<'a> for Request {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let style = Style::arbitrary(input)?;
        let sampler = input.choose_index(5)?.checked_sub(1);
        let by_current = bool::arbitrary(input)?;
        let mut headers = traces(input)?;
        for (name, shape) in [("baggage", BAGGAGE), ("tracestate", TRACESTATE)] {
            if !input.ratio(1, 4)? {
                headers.extend(script::lines(input, shape)?.into_iter().map(|line| (name, line)));
            }
        }
        Ok(Self { headers, style, sampler, by_current })
    }
}

/// The headers that name a span: few ids, so that formats and requests agree or contradict each other.
fn traces(input: &mut Unstructured<'_>) -> Result<Vec<(&'static str, String)>> {
    let mut headers = Vec::new();
    for _ in 0..input.int_in_range(0..=3_u8)? {
        let trace =
            *input.choose(&["0af7651916cd43dd8448eb211c80319c", "0000000000000000f67ad6b716920333"])?;
        let span = *input.choose(&["b7ad6b7169203331", "00f067aa0ba902b7", "0000000000000000"])?;
        let header = match input.int_in_range(0..=8_u8)? {
            0 | 1 => {
                ("traceparent", format!("00-{trace}-{span}-{}", input.choose(&["00", "01", "02", "03"])?))
            }
            2 => ("b3", format!("{trace}-{span}{}", input.choose(&["", "-0", "-1", "-d"])?)),
            3 => ("b3", (*input.choose(&["0", "1", "d", "garbage"])?).to_owned()),
            4 => {
                ("uber-trace-id", format!("{trace}:{span}:0:{}", input.choose(&["0", "1", "3", "9", "zz"])?))
            }
            5 => {
                let (time, random) = trace.split_at(8);
                let rest =
                    input.choose(&["", ";Sampled=1", ";Sampled=?", ";Lineage=1:e65a2c4d:9", "; Self=x"])?;
                let parent = if bool::arbitrary(input)? { format!(";Parent={span}") } else { String::new() };
                ("x-amzn-trace-id", format!("Root=1-{time}-{random}{parent}{rest}"))
            }
            6 => {
                let half = if bool::arbitrary(input)? { trace } else { trace.get(16..).unwrap_or_default() };
                headers.push(("ot-tracer-traceid", half.to_owned()));
                headers.push(("ot-tracer-spanid", span.to_owned()));
                ("ot-tracer-sampled", (*input.choose(&["true", "false", "1", "", "x"])?).to_owned())
            }
            7 => {
                let name = *input.choose(&[
                    "uberctx-tenant",
                    "uberctx-a",
                    "ot-baggage-a",
                    "jaeger-baggage",
                    "jaeger-debug-id",
                ])?;
                (name, (*input.choose(&["acme", "", "a=1,b=2", "%41+", "%zz"])?).to_owned())
            }
            _ => {
                headers.push(("x-b3-traceid", trace.to_owned()));
                headers.push(("x-b3-spanid", span.to_owned()));
                let last = [
                    ("x-b3-sampled", "0"),
                    ("x-b3-sampled", "true"),
                    ("x-b3-flags", "1"),
                    ("x-b3-flags", "3"),
                ];
                let (name, value) = *input.choose(&last)?;
                (name, value.to_owned())
            }
        };
        headers.push(header);
    }
    Ok(headers)
}

/// Gives less than came.
struct Carrier<'a> {
    visible: Lines<'a>,
    listed: Vec<&'static str>,
    style: Style,
}

impl<'a> Carrier<'a> {
    fn new(headers: &'a [(&'static str, String)], style: Style) -> Self {
        let mut visible: Vec<(&'static str, &'a str)> = Vec::new();
        for (at, (name, value)) in headers.iter().enumerate() {
            let is_list = matches!(*name, "baggage" | "tracestate");
            let is_text = match style {
                Style::NotText => !is_list,
                Style::Partial => !is_list || at % 2 == 0,
                Style::FirstLines => visible.iter().all(|line| line.0 != *name),
                Style::Whole | Style::Empty | Style::Unlisted => true,
            };
            if is_text {
                visible.push((name, value));
            }
        }
        let listed = if style == Style::Unlisted { vec![] } else { headers.iter().map(|it| it.0).collect() };
        Self { visible: Lines(visible), listed, style }
    }
}

impl Extractor for Carrier<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.visible.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.listed.clone()
    }

    fn get_all(&self, key: &str) -> Option<Vec<&str>> {
        let lines: Vec<&str> = self.visible.values(key).collect();
        let is_there = self.listed.contains(&key) || self.style == Style::Empty;
        (!lines.is_empty() || is_there).then_some(lines)
    }
}

impl Request {
    /// Receives into the context, starts a span if there is a sampler, and sends.
    fn handle(&self, setup: &Setup, given: &Context) -> Context {
        let carrier = Carrier::new(&self.headers, self.style);
        met(&carrier.visible);
        let received = if self.by_current {
            let _current = given.clone().attach();
            setup.propagator.extract(&carrier)
        } else {
            setup.propagator.extract_with_context(given, &carrier)
        };
        law!(received.get::<Alive>().is_some(), "the rest of the context is left alone");
        is_expected_baggage(setup, given, &received, &carrier.visible);
        is_expected_span(setup, given, &received, &carrier.visible);
        let cx = match self.sampler.and_then(|at| TRACERS.get(at)) {
            Some(tracer) => received.with_span(tracer.start_with_context("request", &received)),
            None => received.clone(),
        };
        self.obeys(&received, &cx);
        let sent = self.send(setup, &cx);
        is_expected_header(setup, &cx, &sent);
        is_expected_state(setup, &received, &cx, &carrier.visible, &sent);
        is_received(setup, &cx, &sent);
        cx
    }

    /// In the way in which it came; [`send`] checks the other one.
    fn send(&self, setup: &Setup, cx: &Context) -> Sent {
        if setup.is_ours {
            send(&setup.propagator, cx);
        }
        let mut sent = Sent::default();
        if self.by_current {
            let _current = cx.clone().attach();
            setup.propagator.inject(&mut sent);
        } else {
            setup.propagator.inject_context(cx, &mut sent);
        }
        sent
    }

    /// The sampler that asks does what was decided.
    fn obeys(&self, received: &Context, cx: &Context) {
        if self.sampler != Some(3) {
            return;
        }
        let is_sampled = cx.span().span_context().is_sampled();
        match received.sampling() {
            Some(Sampling::Debug | Sampling::Accept) => {
                law!(is_sampled, "what is to be sampled is", self.headers);
            }
            Some(Sampling::Deny) => {
                law!(!is_sampled, "what is denied is not sampled", self.headers);
            }
            _ => {}
        }
    }
}

fn is_expected_baggage(setup: &Setup, given: &Context, received: &Context, lines: &Lines<'_>) {
    if !setup.decodes {
        return;
    }
    let joined = lines.joined("baggage").unwrap_or_default();
    let expected = read(&joined, &Limits::new());
    let now = baggage::entries(received.baggage());
    if expected.is_empty() {
        law!(
            now == baggage::entries(given.baggage()),
            "where nothing can be read the given baggage stays",
            now
        );
    } else {
        law!(now == expected, "baggage is read as the grammar says", now, expected);
    }
}

fn is_expected_span(setup: &Setup, given: &Context, received: &Context, lines: &Lines<'_>) {
    let span = received.span();
    let span = span.span_context();
    let w3c = expected_parent(lines).map(|parent| (parent.trace_id, parent.parent_id));
    if setup.order == Order::Another {
        return;
    }
    let winner = w3c.or_else(|| b3::expected(lines)?.ids);
    let older = legacy::expected(lines).filter(|_| setup.order == Order::OlderLast && winner.is_none());
    if older.is_some() {
        count("a span of an older format was read");
    }
    let winner = winner.or(older);
    let fields = span_fields(span);
    match winner {
        Some((trace, parent)) => {
            // OT Trace cuts trace ids in half, and gets the other half back where the given trace has it.
            let is_restored = setup.order == Order::OlderLast && restored(trace, given) == fields.trace_id;
            let is_winner = fields.parent_id == parent && (fields.trace_id == trace || is_restored);
            law!(is_winner, "the first valid format wins", fields);
        }
        None => {
            law!(span == given.span().span_context(), "where no format is valid the given span stays", span);
        }
    }
    let debug = b3::expected(lines).is_some_and(|trace| {
        trace.state == State::Debug && trace.ids.is_some_and(|ids| ids.0 == fields.trace_id)
    });
    law!(!debug || span.is_sampled(), "a debug trace is sampled", span);
}

/// The given trace, if the id is the lower half of it.
fn restored(half: u128, given: &Context) -> u128 {
    let whole = u128::from_be_bytes(given.span().span_context().trace_id().to_bytes());
    if whole & u128::from(u64::MAX) == half { whole } else { half }
}

/// Within the limits, to the letter, and of what the context has.
fn is_expected_header(setup: &Setup, cx: &Context, sent: &Sent) {
    let header = sent.get("baggage").unwrap_or_default();
    let members = header.split(',').filter(|text| !text.is_empty()).count();
    law!(
        header.len() <= setup.limits.most_bytes(Direction::Out),
        "the bytes keep to the limit",
        header.len()
    );
    law!(members <= setup.limits.max_members, "the members keep to the limit", members);
    met_sent(header.len(), members);
    if setup.decodes {
        baggage::is_expected(header, &baggage::entries(cx.baggage()), &setup.limits);
    }
    let span = cx.span();
    let named = expected_parent(&sent.to_lines()).map(|parent| (parent.trace_id, parent.parent_id));
    let fields = span_fields(span.span_context());
    let is_of_span = named.is_none_or(|named| named == (fields.trace_id, fields.parent_id));
    law!(is_of_span, "traceparent names the span", sent.get("traceparent"));
    if setup.order == Order::OlderLast && fields.parent_id != 0 {
        let named = legacy::expected(&Lines(sent.0.iter().filter_map(older).collect()));
        law!(named == Some((fields.trace_id, fields.parent_id)), "and so do the older formats", sent);
    }
}

/// A header of Jaeger's, X-Ray's or OT Trace's.
fn older((name, value): &(String, String)) -> Option<(&'static str, &str)> {
    let names =
        ["uber-trace-id", "x-amzn-trace-id", "ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"];
    names.into_iter().find(|known| *known == name).map(|name| (name, value.as_str()))
}

/// A tracestate goes on whole, through any sampler, and none of an earlier request does.
fn is_expected_state(setup: &Setup, received: &Context, cx: &Context, lines: &Lines<'_>, sent: &Sent) {
    let sent_state = sent.get("tracestate").unwrap_or_default();
    let parsed = state(sent_state);
    let is_valid = parsed.is_some() && sent_state.len() <= MOST_STATE;
    law!(is_valid || !setup.is_ours, "a tracestate that is sent can be read", sent_state);
    if setup.order == Order::Another || expected_parent(lines).is_none() {
        return;
    }
    let same_trace = cx.span().span_context().trace_id() == received.span().span_context().trace_id();
    let joined = lines.joined("tracestate").filter(|joined| joined.len() <= MOST_STATE).unwrap_or_default();
    let members = state(&joined).filter(|_| same_trace).unwrap_or_default();
    law!(parsed.unwrap_or_default() == members, "the tracestate of this request goes on", sent_state, joined);
}

/// The most bytes of a `tracestate`, all lines joined.
const MOST_STATE: usize = 32_768;

/// Whoever receives what was sent has no more than this service had, and sends the same.
fn is_received(setup: &Setup, cx: &Context, sent: &Sent) {
    let next = setup.propagator.extract_with_context(&Context::new(), sent);
    if !setup.decodes {
        return;
    }
    let (ours, theirs) = (baggage::entries(cx.baggage()), baggage::entries(next.baggage()));
    let value = |entries: &Entries, key: &str| entries.get(key).map(|(value, _)| value.clone());
    let arrived = theirs.keys().all(|key| value(&ours, key) == value(&theirs, key));
    law!(arrived, "nothing arrives that was not sent", ours, theirs);
    law!(next.relayed_baggage().is_empty(), "nothing is kept undecoded", next);
}

// --- what was met ------------------------------------------------------------------------------------------------

/// How many requests stood exactly at a limit or one beside it, or had what no other seed needs to have, for the test that
/// they are met at all.
const LIMITS: [&str; 17] = [
    "baggage of 8191 bytes came",
    "baggage of 8192 bytes came",
    "baggage of 8193 bytes came",
    "baggage of 64 members came",
    "baggage of 65 members came",
    "baggage of 180 members came",
    "baggage of 181 members came",
    "tracestate of 32 members came",
    "tracestate of 33 members came",
    "tracestate of 32768 bytes came",
    "tracestate of 32769 bytes came",
    "baggage of 4096 bytes was sent",
    "baggage of 8192 bytes was sent",
    "baggage of 64 members was sent",
    "more than 16384 bytes of baggage came",
    "baggage on several lines came",
    "a span of an older format was read",
];

static MET: [AtomicU64; LIMITS.len()] = [const { AtomicU64::new(0) }; LIMITS.len()];

/// What [`process`] has met so far, and how often.
pub fn met_by_process() -> impl Iterator<Item = (&'static str, u64)> {
    LIMITS.into_iter().zip(MET.iter().map(|times| times.load(Relaxed)))
}

fn count(what: &str) {
    if let Some((_, times)) = LIMITS.iter().zip(&MET).find(|met| *met.0 == what) {
        times.fetch_add(1, Relaxed);
    }
}

fn met(lines: &Lines<'_>) {
    for name in ["baggage", "tracestate"] {
        let values: Vec<String> = lines.values(name).map(str::to_owned).collect();
        let members = values.iter().flat_map(|line| line.split(','));
        let members = members.filter(|text| !text.trim_matches([' ', '\t']).is_empty()).count();
        let bytes = joined_len(&values);
        count(&format!("{name} of {bytes} bytes came"));
        count(&format!("{name} of {members} members came"));
        if name == "baggage" && values.len() > 1 {
            count("baggage on several lines came");
        }
        if name == "baggage" && bytes > 16_384 {
            count("more than 16384 bytes of baggage came");
        }
    }
}

fn met_sent(bytes: usize, members: usize) {
    count(&format!("baggage of {bytes} bytes was sent"));
    count(&format!("baggage of {members} members was sent"));
}
