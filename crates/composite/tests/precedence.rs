//! Which trace format wins, and what the others add: every combination of two and three formats, in every order,
//! with every state of their headers, against a model.

#![cfg(all(feature = "tracecontext", feature = "b3"))]
#![allow(missing_docs, reason = "a test program")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod common;

use common::{Headers, House, HouseHeader, Pairs, headers};
use opentelemetry::{
    Context, KeyValue,
    baggage::BaggageExt,
    propagation::{TextMapCompositePropagator, TextMapPropagator},
    trace::{SpanContext, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_sdk::{propagation as sdk, trace::SdkTracerProvider};
use otel_composite::{
    B3Propagator, CompositePropagator, ConflictExt, Sampling, SamplingExt, TraceContextPropagator,
};

/// A trace format under test.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    TraceContext,
    SdkTraceContext,
    B3Single,
    B3Multi,
    House,
}
use Format::{B3Multi, B3Single, SdkTraceContext, TraceContext};

/// What came in the header of a format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    Absent,
    Malformed,
    /// It names the trace that the other formats name.
    Valid,
    /// It names another trace.
    Contradicting,
    /// It holds a sampling decision and no ids.
    SamplingOnly,
}
use State::{Absent, Contradicting, Malformed, SamplingOnly, Valid};

const STATES: [State; 5] = [Absent, Malformed, Valid, Contradicting, SamplingOnly];

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const OTHER_TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

impl Format {
    /// Each format names a span of its own, so that it can be seen whose span was chosen.
    fn span_id(self) -> &'static str {
        match self {
            TraceContext | SdkTraceContext => "00000000000000a1",
            B3Single | B3Multi => "00000000000000b2",
            Self::House => "00000000000000c3",
        }
    }

    fn add_headers(self, state: State, headers: &mut Headers) {
        let ids = match state {
            Absent => return,
            Malformed => ("not-hex", self.span_id()),
            Valid => (TRACE, self.span_id()),
            Contradicting => (OTHER_TRACE, self.span_id()),
            SamplingOnly => return self.add_decision(headers),
        };
        let mut set = |name: &str, value: String| headers.insert(name.to_owned(), value);
        match (self, ids) {
            (TraceContext | SdkTraceContext, (trace, span)) => {
                set("traceparent", format!("00-{trace}-{span}-01"));
                set("tracestate", "tc=1".to_owned());
            }
            (B3Single, (trace, span)) => {
                set("b3", format!("{trace}-{span}-d"));
            }
            (B3Multi, (trace, span)) => {
                set("x-b3-traceid", trace.to_owned());
                set("x-b3-spanid", span.to_owned());
                set("x-b3-flags", "1".to_owned());
            }
            (Self::House, (trace, span)) => {
                set("x-house", format!("{trace}-{span}"));
            }
        }
    }

    /// W3C has no decision without ids, so its header is a malformed one.
    fn add_decision(self, headers: &mut Headers) {
        let (name, value) = match self {
            TraceContext | SdkTraceContext => ("traceparent", "00"),
            B3Single => ("b3", "0"),
            B3Multi => ("x-b3-sampled", "0"),
            Self::House => ("x-house", "no"),
        };
        headers.insert(name.to_owned(), value.to_owned());
    }

    fn add_to(self, builder: otel_composite::Builder) -> otel_composite::Builder {
        match self {
            TraceContext => builder.trace(TraceContextPropagator::new()),
            SdkTraceContext => builder.trace(sdk::TraceContextPropagator::new()),
            B3Single => builder.trace(B3Propagator::single()),
            B3Multi => builder.trace(B3Propagator::multi()),
            Self::House => builder.trace(House),
        }
    }

    fn boxed(self) -> Box<dyn TextMapPropagator + Send + Sync> {
        match self {
            TraceContext => Box::new(TraceContextPropagator::new()),
            SdkTraceContext => Box::new(sdk::TraceContextPropagator::new()),
            B3Single => Box::new(B3Propagator::single()),
            B3Multi => Box::new(B3Propagator::multi()),
            Self::House => Box::new(House),
        }
    }

    fn is_b3(self) -> bool {
        matches!(self, B3Single | B3Multi)
    }

    fn has_tracestate(self) -> bool {
        matches!(self, TraceContext | SdkTraceContext)
    }
}

type Row = Vec<(Format, State)>;

/// Two or three of these formats, in every order, in every state.
fn rows() -> Vec<Row> {
    let sets = [
        [TraceContext, B3Single, Format::House],
        [TraceContext, B3Multi, Format::House],
        [SdkTraceContext, B3Single, Format::House],
    ];
    let rows: Vec<Row> = sets.into_iter().flat_map(orders).flat_map(|order| states(&order)).collect();
    assert_eq!(rows.len(), 3 * (6 * 25 + 6 * 125));
    rows
}

fn orders(set: [Format; 3]) -> Vec<Vec<Format>> {
    let mut orders = Vec::new();
    for first in set {
        for &second in set.iter().filter(|format| **format != first) {
            orders.push(vec![first, second]);
            let last = set.iter().filter(|format| ![first, second].contains(format));
            orders.extend(last.map(|&third| vec![first, second, third]));
        }
    }
    orders
}

fn states(order: &[Format]) -> Vec<Row> {
    order.iter().fold(vec![Vec::new()], |rows, &format| {
        let longer = |row: &Row| STATES.map(|state| [row.clone(), vec![(format, state)]].concat());
        rows.iter().flat_map(longer).collect()
    })
}

/// All that can be told of a context that was extracted.
#[derive(Debug, Default, Eq, PartialEq)]
struct Told {
    trace_id: String,
    span_id: String,
    tracestate: String,
    b3: Option<Sampling>,
    b3_decision: Option<Sampling>,
    house: Option<String>,
    conflicts: Vec<(String, String)>,
}

impl Told {
    fn of(cx: &Context) -> Self {
        let span = cx.span();
        let span = span.span_context();
        let ids = |span: &SpanContext| (span.trace_id().to_string(), span.span_id().to_string());
        let (trace_id, span_id) = ids(span);
        Self {
            trace_id,
            span_id,
            tracestate: span.trace_state().header(),
            b3: cx.sampling().filter(|sampling| *sampling == Sampling::Debug),
            b3_decision: cx.bare_sampling(),
            house: cx.get::<HouseHeader>().map(|header| header.0.clone()),
            conflicts: cx.conflicting_span_contexts().iter().map(ids).collect(),
        }
    }

    /// The model: independent of the code, written from the table in the crate's documentation.
    fn expected(row: &[(Format, State)], given: &Context) -> Self {
        let named = |&&(_, state): &&(Format, State)| matches!(state, Valid | Contradicting);
        let trace = |state| if state == Valid { TRACE } else { OTHER_TRACE };
        let winner = row.iter().find(named).copied();
        let agrees = |&(_, state): &(Format, State)| winner.is_some_and(|(_, winner)| winner == state);
        let given = Self::of(given);
        let mut told = match winner {
            None => given,
            Some((format, state)) => Self {
                trace_id: trace(state).to_owned(),
                span_id: format.span_id().to_owned(),
                ..Self::default()
            },
        };
        for one in row {
            let &(format, state) = one;
            if agrees(one) && format.has_tracestate() {
                "tc=1".clone_into(&mut told.tracestate);
            }
            if agrees(one) && format.is_b3() {
                told.b3 = Some(Sampling::Debug);
            }
            if state == SamplingOnly && format.is_b3() {
                told.b3_decision = Some(Sampling::Deny);
            }
            if state == SamplingOnly && format == Format::House {
                told.house = Some("no".to_owned());
            }
            if agrees(one) && format == Format::House {
                told.house = Some(format!("{}-{}", trace(state), format.span_id()));
            }
            if named(&one) && !agrees(one) {
                told.conflicts.push((trace(state).to_owned(), format.span_id().to_owned()));
            }
        }
        told
    }
}

fn carrier(row: &[(Format, State)]) -> Headers {
    let mut carrier = Headers::new();
    for (format, state) in row {
        format.add_headers(*state, &mut carrier);
    }
    carrier
}

fn composite(row: &[(Format, State)]) -> otel_composite::Builder {
    row.iter().fold(CompositePropagator::builder(), |builder, (format, _)| format.add_to(builder))
}

#[test]
fn every_combination_yields_what_the_model_says() {
    let given = Context::new().with_baggage([KeyValue::new("kept", "yes")]);
    for row in rows() {
        let cx = composite(&row).build().extract_with_context(&given, &carrier(&row));
        assert_eq!(Told::of(&cx), Told::expected(&row, &given), "{row:?}");
        assert_eq!(cx.baggage().get("kept").unwrap().as_str(), "yes", "{row:?}");
    }
}

#[test]
fn a_local_span_in_the_given_context_is_replaced_by_a_winner_and_kept_without_one() {
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let given = Context::new().with_span(tracer.start("local"));
    for row in rows() {
        let cx = composite(&row).build().extract_with_context(&given, &carrier(&row));
        assert_eq!(Told::of(&cx), Told::expected(&row, &given), "{row:?}");
        let remote = cx.span().span_context().is_remote();
        assert_eq!(remote, row.iter().any(|(_, state)| matches!(state, Valid | Contradicting)), "{row:?}");
        assert_eq!(remote, !cx.span().is_recording(), "{row:?}");
    }
}

/// Rows that can be read without knowing the model.
#[test]
fn examples() {
    let w3c = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-00000000000000a1-01");
    let debug = ("b3", "0af7651916cd43dd8448eb211c80319c-00000000000000b2-d");
    let other = ("b3", "4bf92f3577b34da6a3ce929d0e0e4736-00000000000000b2-1");
    let state = ("tracestate", "congo=1");
    let propagator = CompositePropagator::builder()
        .trace(TraceContextPropagator::new())
        .trace(B3Propagator::single())
        .build();
    let none = "0000000000000000";
    let rows: [(&str, Pairs<'_>, &str, Option<Sampling>, usize); 9] = [
        ("nothing", &[], none, None, 0),
        ("the first", &[w3c], "00000000000000a1", Some(Sampling::Accept), 0),
        ("the second alone", &[debug], "00000000000000b2", Some(Sampling::Debug), 0),
        (
            "one trace: the first, with the second's debug state",
            &[w3c, debug],
            "00000000000000a1",
            Some(Sampling::Debug),
            0,
        ),
        (
            "two traces: the first, and the second for a link",
            &[w3c, other],
            "00000000000000a1",
            Some(Sampling::Accept),
            1,
        ),
        (
            "a broken first header",
            &[("traceparent", "00-x"), debug],
            "00000000000000b2",
            Some(Sampling::Debug),
            0,
        ),
        ("a broken second header", &[w3c, ("b3", "x")], "00000000000000a1", Some(Sampling::Accept), 0),
        ("a decision alone is no winner", &[w3c, ("b3", "0")], "00000000000000a1", Some(Sampling::Accept), 0),
        ("a decision alone, and nothing else", &[("b3", "0")], none, Some(Sampling::Deny), 0),
    ];
    for (rule, pairs, span_id, sampling, conflicts) in rows {
        let carrier = headers(&[pairs, &[state]].concat());
        let cx = propagator.extract_with_context(&Context::new(), &carrier);
        assert_eq!(cx.span().span_context().span_id().to_string(), span_id, "{rule}");
        assert_eq!(cx.sampling(), sampling, "{rule}");
        assert_eq!(cx.conflicting_span_contexts().len(), conflicts, "{rule}");
    }
}

#[test]
fn a_tracestate_that_the_api_cannot_hold_survives_a_b3_header_on_either_side() {
    let carrier = headers(&[
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-00000000000000a1-03"),
        ("tracestate", "foo@@bar=1,congo=2"),
        ("b3", "0af7651916cd43dd8448eb211c80319c-00000000000000b2-1"),
    ]);
    let w3c = TraceContextPropagator::new;
    let orders = [
        CompositePropagator::builder().trace(w3c()).trace(B3Propagator::single()),
        CompositePropagator::builder().trace(B3Propagator::single()).trace(w3c()),
    ];
    for builder in orders {
        let propagator = builder.build();
        let cx = propagator.extract_with_context(&Context::new(), &carrier);
        let mut sent = Headers::new();
        propagator.inject_context(&cx, &mut sent);
        assert_eq!(sent["tracestate"], "foo@@bar=1,congo=2", "{propagator}");
        assert!(sent["traceparent"].ends_with("-03"), "{propagator}");
    }
}

#[test]
fn both_forms_of_b3_are_read_once() {
    let builder = CompositePropagator::builder().trace(B3Propagator::multi()).trace(B3Propagator::single());
    let propagator = builder.build();
    assert_eq!(propagator.to_string(), "extract: b3multi; inject: b3multi, b3; baggage: nothing");
    let carrier = headers(&[("b3", "0af7651916cd43dd8448eb211c80319c-00000000000000b2-d")]);
    let cx = propagator.extract_with_context(&Context::new(), &carrier);
    assert_eq!(cx.sampling(), Some(Sampling::Debug));
    let mut sent = Headers::new();
    propagator.inject_context(&cx, &mut sent);
    assert_eq!(sent.len(), 4, "{sent:?}");
}

/// The conflicts of an earlier extraction belong to its trace and are not shown for another.
#[test]
fn conflicts_are_those_of_the_chosen_trace() {
    let row = [(TraceContext, Valid), (B3Single, Contradicting)];
    let propagator = composite(&row).build();
    let conflicting = propagator.extract_with_context(&Context::new(), &carrier(&row));
    assert_eq!(conflicting.conflicting_span_contexts().len(), 1);
    let tracer = SdkTracerProvider::builder().build().tracer("test");
    let child = conflicting.with_span(tracer.start_with_context("child", &conflicting));
    assert_eq!(child.conflicting_span_contexts().len(), 1, "a span of the same trace can link");

    let next = carrier(&[(TraceContext, Contradicting)]);
    let next = propagator.extract_with_context(&conflicting, &next);
    assert_eq!(next.conflicting_span_contexts(), []);
}

#[test]
fn a_trace_that_two_formats_name_is_one_to_link_to() {
    let builder = CompositePropagator::builder().trace(TraceContextPropagator::new());
    let propagator = builder.trace(House).trace(House).build();
    let carrier = carrier(&[(TraceContext, Valid), (Format::House, Contradicting)]);
    let cx = propagator.extract_with_context(&Context::new(), &carrier);
    assert_eq!(cx.conflicting_span_contexts().len(), 1);
}

#[test]
fn last_wins_is_upstreams_order() {
    let both_forms = orders([B3Single, TraceContext, B3Multi]).into_iter().flat_map(|order| states(&order));
    for row in rows().into_iter().chain(both_forms) {
        let upstream =
            TextMapCompositePropagator::new(row.iter().map(|(format, _)| format.boxed()).collect());
        let ours = composite(&row).last_wins(true).build();
        let (carrier, given) = (carrier(&row), Context::new());
        assert_eq!(
            Told::of(&ours.extract_with_context(&given, &carrier)),
            Told::of(&upstream.extract_with_context(&given, &carrier)),
            "{row:?}"
        );
    }
}

/// A foreign propagator that stores an invalid span, or a local one, names no trace.
#[test]
fn only_a_valid_remote_span_wins() {
    #[derive(Debug)]
    struct Stores(SpanContext);
    impl TextMapPropagator for Stores {
        fn inject_context(&self, _: &Context, _: &mut dyn opentelemetry::propagation::Injector) {}
        fn extract_with_context(
            &self,
            cx: &Context,
            _: &dyn opentelemetry::propagation::Extractor,
        ) -> Context {
            cx.with_remote_span_context(self.0.clone())
        }
        fn fields(&self) -> opentelemetry::propagation::text_map_propagator::FieldIter<'_> {
            opentelemetry::propagation::text_map_propagator::FieldIter::new(&[])
        }
    }
    let valid = carrier(&[(TraceContext, Valid)]);
    let extracted = TraceContextPropagator::new().extract_with_context(&Context::new(), &valid);
    let span = extracted.span().span_context().clone();
    let local = SpanContext::new(
        span.trace_id(),
        span.span_id(),
        span.trace_flags(),
        false,
        span.trace_state().clone(),
    );
    for (rule, stored, expected) in
        [("invalid", SpanContext::NONE, "c3"), ("local", local, "c3"), ("remote", span, "a1")]
    {
        let propagator = CompositePropagator::builder().trace(Stores(stored)).trace(House).build();
        let cx = propagator.extract_with_context(&Context::new(), &carrier(&[(Format::House, Valid)]));
        assert!(cx.span().span_context().span_id().to_string().ends_with(expected), "{rule}");
    }
}
