//! Every row of the tables: an operation, who does it, and what it may cost.

use crate::{
    Task, boundary,
    carrier::Carrier,
    contenders::{Propagator, ours},
    http_carriers,
    input::{self, Entries, TRACEPARENT},
    pair::{
        ALL, B3_MULTI, B3_SINGLE, BAGGAGE, COMPOSITE, Given, JAEGER, Lines, NO_B3, OT_TRACE, Pair, RELAY,
        Route, TRACE_CONTEXT, XRAY, given,
    },
    targets::{SHOWN, Targets, held},
};
use fastrace::collector::SpanContext as Fastrace;
use http::HeaderMap;
use opentelemetry::Context;
use otel_tracecontext::TraceParent;
use std::{collections::HashMap, fmt, hint::black_box};

/// Who does the operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::exhaustive_enums, reason = "the columns of the tables")]
pub enum Contender {
    /// The SDK, or fastrace where a row says so.
    Sdk,
    /// This workspace.
    Ours,
    /// See [`crate::floor`]: it looks for headers as ours do.
    Floor,
    /// The same that looks with `get` alone, as the SDK does.
    FirstLineFloor,
    /// Looking for the headers with `get_all`, and nothing else.
    AllLines,
    /// Looking for them with `get`, which cannot see a doubled header.
    FirstLines,
}

impl Contender {
    /// In the order of the columns.
    pub const ALL: [Self; 6] =
        [Self::Sdk, Self::Ours, Self::Floor, Self::FirstLineFloor, Self::AllLines, Self::FirstLines];

    /// How a table calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdk => "SDK",
            Self::Ours => "ours",
            Self::Floor => "floor",
            Self::FirstLineFloor => "floor with get alone",
            Self::AllLines => "looking for all lines",
            Self::FirstLines => "looking for first lines",
        }
    }
}

/// A row of the tables.
pub struct Row {
    /// What is done.
    pub operation: String,
    /// What the headers are in.
    pub carrier: &'static str,
    /// What it may cost.
    pub targets: Targets,
    make: Box<dyn Fn(Contender) -> Option<Task> + Sync>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.operation, self.carrier)
    }
}

impl Row {
    /// The operation, ready to be called; `None` where the row has no such contender.
    #[must_use]
    pub fn task(&self, contender: Contender) -> Option<Task> {
        (self.make)(contender)
    }
}

/// All rows, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Row> {
    let mut rows = Rows(Vec::new());
    rows.trace_context();
    rows.baggage();
    rows.b3();
    rows.legacy();
    rows.composite();
    rows.nothing_to_read();
    rows.malformed();
    rows.hop();
    rows.relay();
    rows.http_carriers();
    rows.boundary();
    #[cfg(feature = "metrics")]
    rows.metrics();
    #[cfg(feature = "jaeger")]
    rows.jaeger();
    rows.codec();
    rows.0
}

struct Rows(Vec<Row>);

impl Rows {
    fn trace_context(&mut self) {
        let with_4 = || vec![("traceparent", TRACEPARENT.to_owned()), ("tracestate", input::tracestate(4))];
        let of_4 = SHOWN.sdk(held(2.6, 2.8)).floor(held(1.56, 1.4));
        for (operation, members, targets) in [
            ("traceparent inject", 0, SHOWN.sdk(held(2.65, 2.8)).floor(held(1.28, 1.25))),
            ("traceparent + 4 members inject", 4, of_4),
            ("traceparent + 32 members inject", 32, SHOWN),
        ] {
            self.inject(operation, targets, TRACE_CONTEXT, given(move || input::span(members)));
        }
        let (one, four) = (SHOWN.sdk(2.2).floor(1.25), SHOWN.sdk(held(1.5, 1.6)).floor(1.4));
        self.extract("traceparent extract", one, TRACE_CONTEXT, given(traceparent));
        self.extract("traceparent + 4 members extract", four, TRACE_CONTEXT, given(with_4));
    }

    fn baggage(&mut self) {
        for (entries, count, targets) in [
            (Entries::Plain, 1, SHOWN),
            (Entries::Plain, 8, SHOWN.sdk(held(3.1, 4.0))),
            (Entries::Plain, 64, SHOWN.sdk(held(3.9, 5.0))),
            (Entries::Escaped, 1, SHOWN),
            (Entries::Escaped, 8, SHOWN.sdk(held(2.3, 2.8))),
            (Entries::Escaped, 64, SHOWN.sdk(held(2.8, 3.3))),
            (Entries::Metadata, 1, SHOWN),
            (Entries::Metadata, 8, SHOWN),
            (Entries::Metadata, 64, SHOWN),
        ] {
            let operation = format!("baggage inject, {count} {}", entries.name());
            self.inject(&operation, targets, BAGGAGE, given(move || entries.context(&Context::new(), count)));
        }
        for (entries, count, targets) in [
            (Entries::Plain, 1, SHOWN.sdk(held(1.22, 1.25)).floor(held(1.22, 1.15))),
            (Entries::Plain, 8, SHOWN.sdk(held(1.35, 1.4)).floor(held(1.27, 1.15))),
            (Entries::Plain, 64, SHOWN.sdk(held(1.35, 1.4)).floor(held(1.25, 1.15))),
            (Entries::Escaped, 1, SHOWN),
            (Entries::Escaped, 8, SHOWN),
            (Entries::Escaped, 64, SHOWN),
            (Entries::Metadata, 1, SHOWN),
            (Entries::Metadata, 8, SHOWN.sdk(1.7).floor(held(1.3, 1.25))),
            (Entries::Metadata, 64, SHOWN.sdk(1.7).floor(1.25)),
        ] {
            let operation = format!("baggage extract, {count} {}", entries.name());
            self.extract(&operation, targets, BAGGAGE, given(move || baggage(entries, count)));
        }
    }

    fn b3(&mut self) {
        let single = || vec![("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1".to_owned())];
        let span = given(|| input::span(0));
        // The SDK writes both forms: twice the target that holds against one.
        let against_both = SHOWN.sdk(6.0).floor(held(1.32, 1.25));
        self.inject("b3 single inject (SDK: both forms)", against_both, B3_SINGLE, span);
        self.extract("b3 single extract", SHOWN.sdk(2.2).floor(held(1.35, 1.25)), B3_SINGLE, given(single));
        self.inject("b3 multi inject", SHOWN, B3_MULTI, span);
        self.extract("b3 multi extract", SHOWN.more_allocations(1), B3_MULTI, given(b3_multi));
    }

    /// Beside Jaeger's and OT Trace's formats stand those of the SDK that write as many headers.
    fn legacy(&mut self) {
        let xray = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=1";
        let xray = move || vec![("x-amzn-trace-id", xray.to_owned())];
        let jaeger =
            || vec![("uber-trace-id", "0af7651916cd43dd8448eb211c80319c:b7ad6b7169203331:0:1".to_owned())];
        let ottrace = || {
            let values = ["8448eb211c80319c", "b7ad6b7169203331", "true"].map(str::to_owned);
            ["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"].into_iter().zip(values).collect()
        };
        let span = given(|| input::span(0));
        let (asked, beside_aws) = (SHOWN.floor(1.3), SHOWN.sdk(3.0).floor(1.3));
        self.inject("x-amzn-trace-id inject", beside_aws, XRAY, span);
        self.extract("x-amzn-trace-id extract", beside_aws, XRAY, given(xray));
        self.inject("uber-trace-id inject (SDK: traceparent)", asked, JAEGER, span);
        self.extract("uber-trace-id extract (SDK: no header)", asked, JAEGER, given(jaeger));
        self.inject("ot-tracer inject (SDK: x-b3)", asked, OT_TRACE, span);
        self.extract("ot-tracer extract (SDK: no header)", asked, OT_TRACE, given(ottrace));
    }

    fn composite(&mut self) {
        let inject = SHOWN.sdk(held(2.5, 2.6)).floor(held(2.0, 1.35));
        let extract = SHOWN.sdk(held(1.41, 1.5)).floor(1.35);
        let both = given(|| [traceparent(), baggage(Entries::Plain, 4)].concat());
        // The commonest request of all.
        let handle = COMPOSITE.route(Route::Handle);
        self.inject("tracecontext + baggage, a span alone, inject", SHOWN, handle, given(|| input::span(0)));
        self.extract("tracecontext + baggage, traceparent alone, extract", SHOWN, handle, given(traceparent));
        let context = given(|| Entries::Plain.context(&input::span(0), 4));
        for (name, route) in [("through the global", Route::Global), ("through our handle", Route::Handle)] {
            let pair = COMPOSITE.route(route);
            self.inject(&format!("tracecontext + baggage {name}, inject"), inject, pair, context);
            self.extract(&format!("tracecontext + baggage {name}, extract"), extract, pair, both);
        }
    }

    fn nothing_to_read(&mut self) {
        let asked = SHOWN.sdk(1.0).floor(1.1);
        // The list of the carrier's names is an allocation, and stands for the look-ups of four headers and more.
        let of_b3 = SHOWN.sdk(held(0.6, 1.0)).more_allocations(1);
        let of_all = SHOWN.sdk(held(0.75, 1.0)).more_allocations(1);
        let through_global = COMPOSITE.reads(&["traceparent", "baggage"]);
        for (what, targets, pair) in [
            ("tracecontext", asked, TRACE_CONTEXT.reads(&["traceparent"])),
            ("baggage", asked.sdk(held(0.97, 1.0)), BAGGAGE),
            ("b3", of_b3, B3_SINGLE.reads(NO_B3)),
            ("all three", of_all, ALL),
            ("tracecontext + baggage through the global", SHOWN, through_global),
            ("tracecontext + baggage through our handle", SHOWN, through_global.route(Route::Handle)),
        ] {
            self.extract(&format!("nothing to read: {what}"), targets, pair, given(other_headers));
        }
    }

    fn malformed(&mut self) {
        let no_equals_sign = || vec![("baggage", ["no-equals-sign"; 8].join(","))];
        let upper_case = || vec![("traceparent", TRACEPARENT.to_uppercase())];
        let short_span_id = || vec![("b3", "0af7651916cd43dd-b7ad6b71-1".to_owned())];
        let traceparent = TRACE_CONTEXT.reads(&["traceparent"]);
        self.extract("malformed traceparent", SHOWN, traceparent, given(upper_case));
        self.extract("malformed baggage, 8 without `=`", SHOWN, BAGGAGE, given(no_equals_sign));
        self.extract("malformed b3", SHOWN.more_allocations(1), B3_SINGLE.reads(NO_B3), given(short_span_id));
    }

    fn hop(&mut self) {
        for (entries, count, targets) in [
            (Entries::Plain, 1, SHOWN),
            (Entries::Plain, 8, SHOWN),
            (Entries::Plain, 64, SHOWN.sdk(held(2.1, 2.5))),
            (Entries::Escaped, 64, SHOWN),
            (Entries::Metadata, 64, SHOWN),
        ] {
            let operation = format!("hop (1 extract, 3 injects), {count} {}", entries.name());
            let lines = given(move || baggage(entries, count));
            self.add(&operation, targets, BAGGAGE, lines, Pair::hop::<HashMap<_, _>>, Pair::hop::<HeaderMap>);
        }
    }

    fn relay(&mut self) {
        // What is received is kept in a context value, and its text.
        let kept = SHOWN.more_allocations(4);
        for (entries, count, targets) in [
            (Entries::Plain, 1, kept),
            (Entries::Plain, 4, kept.sdk(held(5.5, 4.0))),
            (Entries::Plain, 8, kept.sdk(held(9.0, 7.0))),
            (Entries::Plain, 64, kept.sdk(held(21.5, 25.0))),
            (Entries::Escaped, 64, kept),
            (Entries::Metadata, 64, kept),
        ] {
            let operation = format!("hop through a relay, {count} {}", entries.name());
            let lines = given(move || baggage(entries, count));
            self.add(&operation, targets, RELAY, lines, Pair::hop::<HashMap<_, _>>, Pair::hop::<HeaderMap>);
        }
    }

    /// Our propagators in both columns: with `opentelemetry_http`'s carriers and with ours, which also remove what is not
    /// written this time. That may cost 15 % more; what is read may cost no more.
    fn http_carriers(&mut self) {
        let (writing, reading) = (SHOWN.sdk(0.87), SHOWN.sdk(1.0));
        let both = given(|| [traceparent(), baggage(Entries::Plain, 4)].concat());
        let context = given(|| Entries::Plain.context(&input::span(0), 4));
        for (what, make, context) in [
            ("traceparent", ours::trace_context as fn() -> Propagator, given(|| input::span(0))),
            ("tracecontext + baggage", ours::composite, context),
            ("b3 multi", ours::b3_multi, given(|| input::span(0))),
        ] {
            let operation = format!("HTTP carrier, {what} inject (SDK: opentelemetry-http)");
            self.carrier(operation, writing, move |who| http_carriers::inject(make(), context, who));
        }
        for (what, make, lines) in [
            (
                "traceparent",
                ours::trace_context as fn() -> Propagator,
                given(|| [other_headers(), traceparent()].concat()),
            ),
            ("tracecontext + baggage", ours::composite, both),
            ("b3 multi", ours::b3_multi, given(b3_multi)),
            ("nothing to read", ours::all, given(other_headers)),
        ] {
            let operation = format!("HTTP carrier, {what} extract (SDK: opentelemetry-http)");
            self.carrier(operation, reading, move |who| http_carriers::extract(make(), lines, who));
        }
    }

    /// Our propagators in both columns: alone, and within a boundary that lets everything through. Then how a host is found
    /// among ten, and among a thousand.
    fn boundary(&mut self) {
        let through = SHOWN.above_sdk(150);
        let both = given(|| [traceparent(), baggage(Entries::Plain, 4)].concat());
        let context = given(|| Entries::Plain.context(&input::span(0), 4));
        let operation = |what| format!("boundary that lets everything through, {what} (SDK: without)");
        self.carrier(operation("inject"), through, move |who| boundary::inject(context, who));
        self.carrier(operation("extract"), through, move |who| boundary::extract(both, who));
        for (what, host) in
            [("by suffix", "orders.zone3.internal"), ("exactly", "host3.example"), ("not", "a.b.c.d.test")]
        {
            let operation = format!("boundary of 1000 hosts, one is found {what} (SDK: of 10)");
            self.carrier(operation, SHOWN.above_sdk(100), move |who| boundary::find(host, who));
        }
    }

    /// Our propagators in both columns: alone, and counted by a meter that somebody reads.
    #[cfg(feature = "metrics")]
    fn metrics(&mut self) {
        use crate::metrics;
        let both = given(|| [traceparent(), baggage(Entries::Plain, 4)].concat());
        let context = given(|| Entries::Plain.context(&input::span(0), 4));
        let operation = |what| format!("tracecontext + baggage through a meter, {what} (SDK: without)");
        self.carrier(operation("nothing to read"), SHOWN, |who| metrics::extract(given(other_headers), who));
        self.carrier(operation("extract"), SHOWN, move |who| metrics::extract(both, who));
        self.carrier(operation("inject"), SHOWN, move |who| metrics::inject(context, who));
    }

    /// Jaeger's own propagator, of the version before: beside ours, and beside the floor of its API.
    #[cfg(feature = "jaeger")]
    fn jaeger(&mut self) {
        use crate::jaeger::{self, Beside};
        for (what, beside) in [("", Beside::Ours), ("; ours: the floor of its API", Beside::ItsFloor)] {
            let mut row = |operation, make: fn(Beside, Contender) -> Option<Task>| {
                self.0.push(Row {
                    operation: format!(
                        "uber-trace-id {operation} (SDK: opentelemetry-jaeger-propagator 0.32{what})"
                    ),
                    carrier: HashMap::<String, String>::NAME,
                    targets: SHOWN,
                    make: Box::new(move |who| make(beside, who)),
                });
            };
            row("inject", jaeger::inject);
            row("extract", jaeger::extract);
        }
    }

    fn carrier(
        &mut self,
        operation: String,
        targets: Targets,
        make: impl Fn(Contender) -> Option<Task> + Sync + 'static,
    ) {
        self.0.push(Row { operation, carrier: HeaderMap::NAME, targets, make: Box::new(make) });
    }

    fn inject(&mut self, operation: &str, targets: Targets, pair: Pair, context: Given<Context>) {
        self.add(operation, targets, pair, context, Pair::inject::<HashMap<_, _>>, Pair::inject::<HeaderMap>);
    }

    fn extract(&mut self, operation: &str, targets: Targets, pair: Pair, lines: Given<Lines>) {
        self.add(operation, targets, pair, lines, Pair::extract::<HashMap<_, _>>, Pair::extract::<HeaderMap>);
    }

    /// One row a carrier. The targets are those of `HeaderMap`: every call of `HashMap` lower-cases a `String`.
    fn add<T>(
        &mut self,
        operation: &str,
        targets: Targets,
        pair: Pair,
        given: Given<T>,
        in_map: fn(Pair, Given<T>, Contender) -> Task,
        in_headers: fn(Pair, Given<T>, Contender) -> Task,
    ) {
        let row = |carrier, targets, make: fn(Pair, Given<T>, Contender) -> Task| Row {
            operation: operation.to_owned(),
            carrier,
            targets,
            make: Box::new(move |contender| Some(make(pair, given, contender))),
        };
        self.0.push(row(HeaderMap::NAME, targets, in_headers));
        self.0.push(row(HashMap::NAME, SHOWN.more_allocations(targets.more_allocations), in_map));
    }

    /// fastrace's codec of the `traceparent` text, without carrier and context.
    fn codec(&mut self) {
        let mut row = |operation: &str, make: fn(Contender) -> Option<Task>| {
            self.0.push(Row {
                operation: operation.to_owned(),
                carrier: "text",
                targets: SHOWN,
                make: Box::new(make),
            });
        };
        row("traceparent decode (SDK: fastrace)", |contender| match contender {
            Contender::Sdk => Some(Box::new(|| {
                black_box(Fastrace::decode_w3c_traceparent(black_box(TRACEPARENT)));
            })),
            Contender::Ours => Some(Box::new(|| {
                let _ = black_box(TraceParent::parse(black_box(TRACEPARENT)));
            })),
            _ => None,
        });
        row("traceparent encode (SDK: fastrace)", |contender| match contender {
            Contender::Sdk => {
                let span = Fastrace::decode_w3c_traceparent(TRACEPARENT).expect("it is valid");
                Some(Box::new(move || drop(black_box(black_box(&span).encode_w3c_traceparent()))))
            }
            Contender::Ours => {
                let span = TraceParent::parse(TRACEPARENT).expect("it is valid");
                Some(Box::new(move || drop(black_box(black_box(&span).to_string()))))
            }
            Contender::Floor => Some(Box::new(|| drop(black_box(black_box(TRACEPARENT).to_owned())))),
            _ => None,
        });
    }
}

fn traceparent() -> Lines {
    vec![("traceparent", TRACEPARENT.to_owned())]
}

fn baggage(entries: Entries, count: usize) -> Lines {
    vec![("baggage", entries.header(count))]
}

/// What a request has beside ours.
fn other_headers() -> Lines {
    [
        ("host", "orders.example"),
        ("user-agent", "curl/8.10.1"),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("content-length", "271"),
        ("x-request-id", "0190b2a4-3c5e-7d1f-8a6b-2f4e6d8c0a12"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn b3_multi() -> Lines {
    [
        ("x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"),
        ("x-b3-spanid", "b7ad6b7169203331"),
        ("x-b3-sampled", "1"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}
