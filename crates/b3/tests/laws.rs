//! What holds for every input.

mod common;

use common::{FORMS, Headers, extract, extract_in, headers, inject};
use opentelemetry::{
    Context, KeyValue, baggage::BaggageExt, propagation::TextMapPropagator, trace::TraceContextExt,
};
use otel_b3::{B3Propagator, SamplingExt};
use proptest::{collection::btree_map, option, prelude::*, sample::select};
use testing::format::{by_lines_and_by_map, span_of};

fn id() -> impl Strategy<Value = String> {
    prop_oneof!["[0-9a-f]{16}", "[0-9a-f]{32}", "0{16}[0-9a-f]{16}", "[0-9a-fA-F+-]{15,17}"]
}

/// A `b3` value that is valid or nearly so.
fn single() -> impl Strategy<Value = String> {
    (id(), id(), option::of("[01d2D]?|true"), option::of(id()), "|||-| ").prop_map(
        |(trace, span, state, parent, tail)| {
            let fields: Vec<_> = [Some(trace), Some(span), state, parent].into_iter().flatten().collect();
            fields.join("-") + &tail
        },
    )
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![3 => id(), 3 => single(), 3 => "0|1|d|true|False|", 1 => ".*"]
}

fn requests() -> impl Strategy<Value = Headers> {
    const NAMES: [&str; 6] =
        ["b3", "x-b3-traceid", "x-b3-spanid", "x-b3-sampled", "x-b3-flags", "x-b3-parentspanid"];
    btree_map(select(&NAMES[..]).prop_map(str::to_owned), value(), 0..6)
}

/// All that a request says, as fields of a single header.
fn fields_of(request: &Headers) -> Vec<String> {
    let fields = request.iter().flat_map(|(name, value)| match (name.as_str(), value.trim()) {
        ("b3", value) => value.split('-').map(str::to_owned).collect(),
        ("x-b3-flags", value) => vec![value.replace('1', "d")],
        ("x-b3-sampled", value) => vec![value.to_lowercase().replace("true", "1").replace("false", "0")],
        (_, value) => vec![value.to_owned()],
    });
    fields.collect()
}

proptest! {
    #[test]
    fn no_request_panics_or_touches_what_is_not_its_own(request in requests()) {
        let cx = Context::new().with_baggage([KeyValue::new("tenant", "acme")]);
        let cx = extract_in(&cx, &request);
        prop_assert_eq!(cx.baggage().to_string(), "tenant=acme");
        if cx.has_active_span() {
            prop_assert!(cx.span().span_context().is_valid());
            prop_assert!(cx.span().span_context().is_remote());
            prop_assert_eq!(cx.bare_sampling(), None);
        }
    }

    #[test]
    fn nothing_is_sent_that_was_not_received(request in requests()) {
        let received = fields_of(&request);
        let cx = extract(&request);
        for (_, value) in inject(B3Propagator::single().with_64_bit_trace_ids(true), &cx) {
            for field in value.split('-') {
                let padded = format!("{field:0>32}");
                prop_assert!(received.iter().any(|it| it == field || *it == padded), "{} of {}", field, value);
            }
        }
    }

    #[test]
    fn what_is_sent_is_in_its_headers_its_alphabet_and_its_size(request in requests()) {
        for form in FORMS {
            for (name, value) in inject(form.propagator(), &extract(&request)) {
                prop_assert!(form.propagator().fields().any(|field| field == name), "{}", name);
                prop_assert!(value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'-')), "{}", value);
                prop_assert!((1..=51).contains(&value.len()), "{}", value);
            }
        }
    }

    #[test]
    fn the_second_hop_sends_what_the_first_one_sent(request in requests()) {
        for form in FORMS {
            for short in [false, true] {
                let propagator = form.propagator().with_64_bit_trace_ids(short);
                let sent = inject(propagator, &extract(&request));
                prop_assert_eq!(inject(propagator, &extract(&sent)), sent);
            }
        }
    }

    #[test]
    fn both_forms_say_the_same(request in requests()) {
        let cx = extract(&request);
        for form in FORMS {
            let other = extract(&inject(form.propagator(), &cx));
            prop_assert_eq!(span_of(&other), span_of(&cx));
            prop_assert_eq!(other.sampling(), cx.sampling());
        }
    }

    #[test]
    fn every_carrier_gives_one_answer(request in requests()) {
        let [from_lines, from_map] = by_lines_and_by_map(&B3Propagator::new(), &request);
        prop_assert_eq!(span_of(&from_lines), span_of(&from_map));
        prop_assert_eq!(from_lines.sampling(), from_map.sampling());
    }

    #[test]
    fn every_trace_comes_back_in_every_form(trace in 1_u128.., span in 1_u64.., state in 0..4_usize) {
        let suffix = ["", "-0", "-1", "-d"][state];
        let request = headers([("b3", format!("{trace:032x}-{span:016x}{suffix}"))]);
        for form in FORMS {
            let cx = extract(&inject(form.propagator(), &extract(&request)));
            prop_assert_eq!(inject(B3Propagator::single(), &cx), request.clone());
        }
    }

    #[test]
    fn a_broken_rule_has_its_place_and_a_good_value_none(value in prop_oneof![single(), value()]) {
        let is_read = extract(&headers([("b3", &value)])).sampling().is_some();
        let value = value.trim_matches([' ', '\t']);
        match otel_b3::locate_single(value) {
            None => prop_assert!(is_read, "{}", value),
            Some(located) => {
                prop_assert!(!is_read, "{}", value);
                prop_assert!(value.get(located.range.clone()).is_some(), "{:?} of {}", located, value);
            }
        }
    }

    #[test]
    fn any_text_in_a_header_is_judged_alike_alone_and_beside_a_valid_other_form(text in ".*") {
        let alone = extract(&headers([("b3", &text)])).sampling();
        let beside = extract(&headers([("b3", text.as_str()), ("x-b3-sampled", "0")])).sampling();
        prop_assert_eq!(beside, alone.or(Some(otel_b3::Sampling::Deny)));
    }
}
