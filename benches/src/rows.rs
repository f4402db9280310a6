//! Every row of the tables: an operation, who does it, and what it may cost.

use crate::{
    Task,
    carrier::Carrier,
    contenders::{Propagator, ours, sdk, through_global, through_handle},
    floor::Floor,
    input::{self, Entries, TRACEPARENT},
    task,
};
use fastrace::collector::SpanContext as Fastrace;
use http::HeaderMap;
use opentelemetry::{Context, propagation::TextMapPropagator};
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
    /// See [`crate::floor`].
    Floor,
}

impl Contender {
    /// In the order of the columns.
    pub const ALL: [Self; 3] = [Self::Sdk, Self::Ours, Self::Floor];

    /// How a table calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sdk => "SDK",
            Self::Ours => "ours",
            Self::Floor => "floor",
        }
    }
}

/// What a row may cost at most, in instructions. Allocations may never be more than the floor's.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "built by the table of rows")]
pub struct Targets {
    /// The SDK's cost is at least this many times ours.
    pub sdk: Option<f64>,
    /// Our cost is at most this many times the floor's.
    pub floor: Option<f64>,
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

/// How a propagator is reached.
#[derive(Clone, Copy)]
enum Route {
    Direct,
    Global,
    /// Ours through the handle, the others through the global: what a service gains by the handle.
    Handle,
}

impl Route {
    fn to(self, propagator: Propagator, contender: Contender) -> Propagator {
        match (self, contender) {
            (Self::Direct, _) => propagator,
            (Self::Handle, Contender::Ours) => through_handle(propagator),
            (Self::Global | Self::Handle, _) => through_global(propagator),
        }
    }
}

/// The propagators of a row.
#[derive(Clone, Copy)]
struct Pair {
    sdk: fn() -> Propagator,
    ours: fn() -> Propagator,
    /// The headers that nobody can avoid looking for.
    reads: &'static [&'static str],
    route: Route,
}

const TRACE_CONTEXT: Pair = Pair {
    sdk: sdk::trace_context,
    ours: ours::trace_context,
    reads: &["traceparent", "tracestate"],
    route: Route::Direct,
};
const BAGGAGE: Pair =
    Pair { sdk: sdk::baggage, ours: ours::baggage, reads: &["baggage"], route: Route::Direct };
const B3_SINGLE: Pair =
    Pair { sdk: sdk::b3_single, ours: ours::b3_single, reads: &["b3"], route: Route::Direct };
const B3_MULTI: Pair = Pair {
    sdk: sdk::b3_multi,
    ours: ours::b3_multi,
    reads: &["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"],
    route: Route::Direct,
};
const COMPOSITE: Pair = Pair {
    sdk: sdk::composite,
    ours: ours::composite,
    reads: &["traceparent", "tracestate", "baggage"],
    route: Route::Global,
};
const ALL: Pair = Pair {
    sdk: sdk::all,
    ours: ours::all,
    reads: &["traceparent", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "baggage"],
    route: Route::Direct,
};

impl Pair {
    fn reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    fn route(self, route: Route) -> Self {
        Self { route, ..self }
    }

    fn propagator(
        self,
        contender: Contender,
        floor: impl FnOnce(&dyn TextMapPropagator) -> Floor,
    ) -> Propagator {
        let propagator = match contender {
            Contender::Sdk => (self.sdk)(),
            Contender::Ours => (self.ours)(),
            Contender::Floor => Box::new(floor(&*(self.ours)())),
        };
        self.route.to(propagator, contender)
    }

    fn inject<C: Carrier>(self, context: Given<Context>, contender: Contender) -> Task {
        let propagator = self.propagator(contender, |ours| Floor::of_inject(ours, &context()));
        task::inject::<C>(propagator, context)
    }

    fn extract<C: Carrier>(self, lines: Given<Lines>, contender: Contender) -> Task {
        let carrier = C::of(&lines());
        task::extract(self.reader(contender, &carrier), carrier)
    }

    fn hop<C: Carrier>(self, lines: Given<Lines>, contender: Contender) -> Task {
        let carrier = C::of(&lines());
        task::hop(self.reader(contender, &carrier), carrier)
    }

    fn reader(self, contender: Contender, carrier: &impl Carrier) -> Propagator {
        self.propagator(contender, |ours| carrier.read(|it| Floor::of_extract(ours, it, self.reads)))
    }
}

/// What a row starts from, made anew for each contender.
type Given<T> = &'static (dyn Fn() -> T + Sync);
type Lines = Vec<(&'static str, String)>;

/// Keeps a starting point for as long as the program runs, so that every task can be made from it.
fn given<T>(make: impl Fn() -> T + Sync + 'static) -> Given<T> {
    Box::leak(Box::new(make))
}

/// All rows, in the order of the tables.
#[must_use]
pub fn all() -> Vec<Row> {
    let mut rows = Rows(Vec::new());
    rows.trace_context();
    rows.baggage();
    rows.b3();
    rows.composite();
    rows.nothing_to_read();
    rows.malformed();
    rows.hop();
    rows.codec();
    rows.0
}

struct Rows(Vec<Row>);

/// Targets as PERFORMANCE has them: against the SDK at least, against the floor at most.
const fn targets(sdk: f64, floor: f64) -> Targets {
    Targets { sdk: Some(sdk), floor: Some(floor) }
}

const fn against_sdk(sdk: f64) -> Targets {
    Targets { sdk: Some(sdk), floor: None }
}

const SHOWN: Targets = Targets { sdk: None, floor: None };

impl Rows {
    fn trace_context(&mut self) {
        let with_4 = || vec![("traceparent", TRACEPARENT.to_owned()), ("tracestate", input::tracestate(4))];
        self.inject("traceparent inject", targets(2.8, 1.25), TRACE_CONTEXT, given(|| input::span(0)));
        self.inject(
            "traceparent + 4 members inject",
            targets(2.8, 1.4),
            TRACE_CONTEXT,
            given(|| input::span(4)),
        );
        self.inject("traceparent + 32 members inject", SHOWN, TRACE_CONTEXT, given(|| input::span(32)));
        self.extract("traceparent extract", targets(2.2, 1.25), TRACE_CONTEXT, given(traceparent));
        self.extract("traceparent + 4 members extract", targets(1.6, 1.4), TRACE_CONTEXT, given(with_4));
    }

    fn baggage(&mut self) {
        for (entries, count, targets) in [
            (Entries::Plain, 1, SHOWN),
            (Entries::Plain, 8, against_sdk(4.0)),
            (Entries::Plain, 64, against_sdk(6.0)),
            (Entries::Escaped, 1, SHOWN),
            (Entries::Escaped, 8, against_sdk(2.8)),
            (Entries::Escaped, 64, against_sdk(3.3)),
            (Entries::Metadata, 1, SHOWN),
            (Entries::Metadata, 8, SHOWN),
            (Entries::Metadata, 64, SHOWN),
        ] {
            let operation = format!("baggage inject, {count} {}", entries.name());
            self.inject(&operation, targets, BAGGAGE, given(move || entries.context(&Context::new(), count)));
        }
        for (entries, count, targets) in [
            (Entries::Plain, 1, targets(1.25, 1.15)),
            (Entries::Plain, 8, targets(1.4, 1.15)),
            (Entries::Plain, 64, targets(1.4, 1.15)),
            (Entries::Escaped, 1, SHOWN),
            (Entries::Escaped, 8, SHOWN),
            (Entries::Escaped, 64, SHOWN),
            (Entries::Metadata, 1, SHOWN),
            (Entries::Metadata, 8, targets(1.7, 1.25)),
            (Entries::Metadata, 64, targets(1.7, 1.25)),
        ] {
            let operation = format!("baggage extract, {count} {}", entries.name());
            self.extract(&operation, targets, BAGGAGE, given(move || baggage(entries, count)));
        }
    }

    fn b3(&mut self) {
        let single = || vec![("b3", "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1".to_owned())];
        // The SDK writes both forms: twice the target that holds against one.
        self.inject(
            "b3 single inject (SDK: both forms)",
            targets(6.0, 1.25),
            B3_SINGLE,
            given(|| input::span(0)),
        );
        self.extract("b3 single extract", targets(2.2, 1.25), B3_SINGLE, given(single));
        self.inject("b3 multi inject", SHOWN, B3_MULTI, given(|| input::span(0)));
        self.extract("b3 multi extract", SHOWN, B3_MULTI, given(b3_multi));
    }

    fn composite(&mut self) {
        for (name, route) in [("through the global", Route::Global), ("through our handle", Route::Handle)] {
            let pair = COMPOSITE.route(route);
            let both = || [traceparent(), baggage(Entries::Plain, 4)].concat();
            let context = given(|| Entries::Plain.context(&input::span(0), 4));
            self.inject(&format!("tracecontext + baggage {name}, inject"), targets(2.6, 1.35), pair, context);
            self.extract(
                &format!("tracecontext + baggage {name}, extract"),
                targets(1.5, 1.35),
                pair,
                given(both),
            );
        }
    }

    fn nothing_to_read(&mut self) {
        let targets = targets(1.0, 1.1);
        self.extract(
            "nothing to read: tracecontext",
            targets,
            TRACE_CONTEXT.reads(&["traceparent"]),
            given(other_headers),
        );
        self.extract("nothing to read: baggage", targets, BAGGAGE, given(other_headers));
        self.extract("nothing to read: b3", targets, B3_SINGLE.reads(B3_MULTI.reads), given(other_headers));
        self.extract("nothing to read: all three", targets, ALL, given(other_headers));
        let through_global = COMPOSITE.reads(&["traceparent", "baggage"]);
        self.extract(
            "nothing to read: tracecontext + baggage through the global",
            SHOWN,
            through_global,
            given(other_headers),
        );
        let through_handle = through_global.route(Route::Handle);
        self.extract(
            "nothing to read: tracecontext + baggage through our handle",
            SHOWN,
            through_handle,
            given(other_headers),
        );
    }

    fn malformed(&mut self) {
        let lines = |name: &'static str, value: &str| {
            let value = value.to_owned();
            given(move || vec![(name, value.clone())])
        };
        let upper_case = TRACEPARENT.to_uppercase();
        self.extract(
            "malformed traceparent",
            SHOWN,
            TRACE_CONTEXT.reads(&["traceparent"]),
            lines("traceparent", &upper_case),
        );
        self.extract(
            "malformed baggage, 8 without `=`",
            SHOWN,
            BAGGAGE,
            lines("baggage", &["no-equals-sign"; 8].join(",")),
        );
        self.extract(
            "malformed b3",
            SHOWN,
            B3_SINGLE.reads(B3_MULTI.reads),
            lines("b3", "0af7651916cd43dd-b7ad6b71-2"),
        );
    }

    fn hop(&mut self) {
        for (entries, count, targets) in [
            (Entries::Plain, 1, SHOWN),
            (Entries::Plain, 8, SHOWN),
            (Entries::Plain, 64, against_sdk(2.5)),
            (Entries::Escaped, 64, SHOWN),
            (Entries::Metadata, 64, SHOWN),
        ] {
            let operation = format!("hop (1 extract, 3 injects), {count} {}", entries.name());
            self.add(
                &operation,
                targets,
                BAGGAGE,
                given(move || baggage(entries, count)),
                Pair::hop::<HashMap<_, _>>,
                Pair::hop::<HeaderMap>,
            );
        }
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
        self.0.push(row(HashMap::NAME, SHOWN, in_map));
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
            Contender::Floor => None,
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
