//! The propagators of a row, and what each of them is made to do.

use crate::{
    Task,
    carrier::Carrier,
    contenders::{Propagator, ours, sdk, through_global, through_handle},
    floor::Floor,
    rows::Contender,
    task,
};
use opentelemetry::{Context, propagation::TextMapPropagator};

/// How a propagator is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Route {
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
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    sdk: fn() -> Propagator,
    ours: fn() -> Propagator,
    /// The headers that nobody can avoid looking for.
    pub(crate) reads: &'static [&'static str],
    route: Route,
}

pub(crate) const TRACE_CONTEXT: Pair = Pair {
    sdk: sdk::trace_context,
    ours: ours::trace_context,
    reads: &["traceparent", "tracestate"],
    route: Route::Direct,
};
pub(crate) const BAGGAGE: Pair =
    Pair { sdk: sdk::baggage, ours: ours::baggage, reads: &["baggage"], route: Route::Direct };
/// Whoever only passes baggage on: the SDK has nothing for it.
pub(crate) const RELAY: Pair =
    Pair { sdk: sdk::baggage, ours: ours::relay, reads: &["baggage"], route: Route::Direct };
pub(crate) const B3_SINGLE: Pair =
    Pair { sdk: sdk::b3_single, ours: ours::b3_single, reads: &["b3"], route: Route::Direct };
pub(crate) const B3_MULTI: Pair = Pair {
    sdk: sdk::b3_multi,
    ours: ours::b3_multi,
    reads: &["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"],
    route: Route::Direct,
};
/// The headers to look for where there is no B3; the list of names says the rest.
pub(crate) const NO_B3: &[&str] = &["b3", "x-b3-traceid"];
/// For this version of the API there is no other propagator of Jaeger, nor of OT Trace.
pub(crate) const JAEGER: Pair =
    Pair { sdk: sdk::trace_context, ours: ours::jaeger, reads: &["uber-trace-id"], route: Route::Direct };
pub(crate) const OT_TRACE: Pair = Pair {
    sdk: sdk::b3_multi,
    ours: ours::ottrace,
    reads: &["ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled"],
    route: Route::Direct,
};
pub(crate) const XRAY: Pair =
    Pair { sdk: sdk::xray, ours: ours::xray, reads: &["x-amzn-trace-id"], route: Route::Direct };
pub(crate) const COMPOSITE: Pair = Pair {
    sdk: sdk::composite,
    ours: ours::composite,
    reads: &["traceparent", "tracestate", "baggage"],
    route: Route::Global,
};
pub(crate) const ALL: Pair = Pair {
    sdk: sdk::all,
    ours: ours::all,
    reads: &[
        "traceparent",
        "b3",
        "b3",
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-sampled",
        "x-b3-flags",
        "baggage",
    ],
    route: Route::Direct,
};

impl Pair {
    pub(crate) const fn reads(self, reads: &'static [&'static str]) -> Self {
        Self { reads, ..self }
    }

    pub(crate) const fn route(self, route: Route) -> Self {
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
            Contender::FirstLineFloor => Box::new(floor(&*(self.ours)()).with_first_lines()),
            Contender::AllLines => Box::new(Floor::reading(self.reads)),
            Contender::FirstLines => Box::new(Floor::reading(self.reads).with_first_lines()),
        };
        self.route.to(propagator, contender)
    }

    pub(crate) fn inject<C: Carrier>(self, context: Given<Context>, contender: Contender) -> Task {
        let propagator = self.propagator(contender, |ours| Floor::of_inject(ours, &context()));
        task::inject::<C>(propagator, context)
    }

    pub(crate) fn extract<C: Carrier>(self, lines: Given<Lines>, contender: Contender) -> Task {
        let carrier = C::of(&lines());
        task::extract(self.reader(contender, &carrier), carrier)
    }

    pub(crate) fn hop<C: Carrier>(self, lines: Given<Lines>, contender: Contender) -> Task {
        let carrier = C::of(&lines());
        task::hop(self.reader(contender, &carrier), carrier)
    }

    fn reader(self, contender: Contender, carrier: &impl Carrier) -> Propagator {
        self.propagator(contender, |ours| carrier.read(|it| Floor::of_extract(ours, it, self.reads)))
    }
}

/// What a row starts from, made anew for each contender.
pub(crate) type Given<T> = &'static (dyn Fn() -> T + Sync);
pub(crate) type Lines = Vec<(&'static str, String)>;

/// Keeps a starting point for as long as the program runs, so that every task can be made from it.
pub(crate) fn given<T>(make: impl Fn() -> T + Sync + 'static) -> Given<T> {
    Box::leak(Box::new(make))
}
