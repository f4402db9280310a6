//! The grammar of `tracestate`, by the specification's sections, as seen from header to header.

mod common;

use common::{
    SPAN_ID, TRACE_ID, VALID, context_of, extract, header, headers, inject, passed_on, with_tracestate,
};
use opentelemetry::{
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TraceState},
};
use opentelemetry_http::HeaderInjector;
use otel_tracecontext::{TraceContextPropagator, TraceStateError, TraceStateList};
use proptest::prelude::*;

/// Rule, lines received, line sent.
const ACCEPTED: &[(&str, &[&str], Option<&str>)] = &[
    // https://www.w3.org/TR/trace-context-2/#list
    ("one member", &["rojo=00f067aa0ba902b7"], Some("rojo=00f067aa0ba902b7")),
    (
        "two members",
        &["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
        Some("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
    ),
    ("white space around members", &["\t a=1 \t,\t b=2 \t"], Some("a=1,b=2")),
    ("empty members", &[",a=1,, ,\t,b=2,"], Some("a=1,b=2")),
    ("empty", &[""], None),
    ("only spaces", &["   "], None),
    ("only commas", &[",,\t,"], None),
    ("a key that comes twice", &["a=1,a=2"], Some("a=1,a=2")),
    // https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values
    ("several lines, in order", &["b=2,c=3", "a=1", "d=4"], Some("b=2,c=3,a=1,d=4")),
    ("an empty line between", &["a=1", "", "b=2"], Some("a=1,b=2")),
    // https://www.w3.org/TR/trace-context-2/#key
    ("every character of a key", &["0az9_-*/@=1"], Some("0az9_-*/@=1")),
    ("a digit in front", &["9=1"], Some("9=1")),
    (
        "an at sign is a character like others",
        &["foo@=1,foo@@bar=2,a@b@c=3"],
        Some("foo@=1,foo@@bar=2,a@b@c=3"),
    ),
    ("a vendor of any length", &["t@vvvvvvvvvvvvvvv=1"], Some("t@vvvvvvvvvvvvvvv=1")),
    // https://www.w3.org/TR/trace-context-2/#value
    (
        "every character of a value",
        &[
            r##"a= !"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~"##,
        ],
        Some(
            r##"a= !"#$%&'()*+-./0123456789:;<>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~"##,
        ),
    ),
    ("leading spaces belong to the value", &["a=  1"], Some("a=  1")),
    ("trailing spaces do not", &["a=1  ,b=2 "], Some("a=1,b=2")),
    ("spaces inside", &["a=1 2"], Some("a=1 2")),
];

/// Rule, lines received; nothing of them is used.
const REJECTED: &[(&str, &[&str])] = &[
    // https://www.w3.org/TR/trace-context-2/#list-members
    ("no equals sign", &["a"]),
    ("no equals sign, then a good member", &["a,b=2"]),
    ("a good member, then no equals sign", &["b=2,a"]),
    ("a member does not span lines", &["a", "=1"]),
    ("another separator", &["a=1;b=2"]),
    // https://www.w3.org/TR/trace-context-2/#key
    ("no key", &["=1"]),
    ("upper case", &["FOO=1"]),
    ("a dot", &["foo.bar=1"]),
    ("a space after the key", &["foo =1"]),
    ("a space in the key", &["f oo=1"]),
    ("an at sign in front", &["@foo=1,bar=2"]),
    ("an underscore in front", &["_foo=1"]),
    ("not ASCII", &["f\u{f6}\u{f6}=1"]),
    // https://www.w3.org/TR/trace-context-2/#value
    ("no value", &["foo=,bar=3"]),
    ("a value of spaces", &["foo=  ,bar=3"]),
    ("an equals sign in the value", &["foo=bar=baz"]),
    ("two equals signs", &["foo==bar"]),
    ("a tab in the value", &["foo=a\tb"]),
    ("a tab in front of the value", &["foo=\ta"]),
    ("not ASCII", &["foo=\u{f6}"]),
    // A bad line spoils the others.
    ("a bad line first", &["FOO=1", "a=1"]),
    ("a bad line last", &["a=1", "FOO=1"]),
    ("a bad member after one that the API refuses", &["foo@@bar=1,FOO=1"]),
];

#[test]
fn what_the_grammar_allows_is_passed_on_in_normal_form() {
    for &(rule, lines, sent) in ACCEPTED {
        assert_eq!(passed_on(lines).as_deref(), sent, "{rule}: {lines:?}");
    }
}

#[test]
fn what_it_does_not_allow_is_dropped_as_a_whole_and_traceparent_stays() {
    for &(rule, lines) in REJECTED {
        let cx = extract(&with_tracestate(lines));
        assert_eq!(cx.span().span_context().trace_state(), &TraceState::NONE, "{rule}: {lines:?}");
        let sent = inject(&cx);
        assert_eq!(header(&sent, "traceparent"), Some(VALID), "{rule}: {lines:?}");
        assert_eq!(header(&sent, "tracestate"), None, "{rule}: {lines:?}");
    }
}

#[test]
fn at_most_32_members_on_one_line_or_many() {
    let members = |count: usize| (0..count).map(|i| format!("bar{i:02}={i:02}")).collect::<Vec<_>>();
    for count in [31, 32, 33] {
        let members = members(count);
        let joined = members.join(",");
        let lines: Vec<_> = members.iter().map(String::as_str).collect();
        let expected = (count <= 32).then_some(joined.clone());
        assert_eq!(passed_on(&[&joined]), expected, "{count} on one line");
        assert_eq!(passed_on(&lines), expected, "{count} lines");
        assert_eq!(passed_on(&[&joined.replace(',', " ,, ,")]), expected, "{count} with empty ones between");
        let refused_by_the_api = joined.replace("bar", "b@@r");
        assert_eq!(
            passed_on(&[&refused_by_the_api]),
            expected.map(|_| refused_by_the_api.clone()),
            "{count}"
        );
    }
}

#[test]
fn keys_and_values_have_at_most_256_bytes() {
    for length in [1, 255, 256, 257] {
        for member in [
            format!("{}=1", "z".repeat(length)),
            format!("0{}=1", "@".repeat(length - 1)),
            format!("a={}", "~".repeat(length)),
            format!("a={}~", " ".repeat(length - 1)),
        ] {
            let expected = (length <= 256).then_some(member.clone());
            assert_eq!(passed_on(&[&member]), expected, "{length}: {member}");
            assert_eq!(
                passed_on(&["b=2", &(member.clone() + "  ")]),
                expected.map(|m| "b=2,".to_owned() + &m)
            );
        }
    }
}

#[test]
fn all_lines_together_have_at_most_32768_bytes() {
    for length in [32767, 32768, 32769] {
        let padded = format!("a=1{}", " ".repeat(length - "a=1".len()));
        let expected = (length <= 32768).then_some("a=1");
        assert_eq!(passed_on(&[&padded]).as_deref(), expected, "{length} on one line");
        let first = " ".repeat(length - ",a=1".len());
        assert_eq!(passed_on(&[&first, "a=1"]).as_deref(), expected, "{length} on two");
    }
}

#[test]
fn the_longest_list_there_can_be_is_passed_on() {
    let member = |i: usize| format!("{i:02}{}={}", "k".repeat(254), "v".repeat(256));
    let longest = (0..32).map(member).collect::<Vec<_>>().join(", ");
    assert_eq!(passed_on(&[&longest]), Some(longest.replace(", ", ",")));
}

#[test]
fn a_structural_byte_in_any_place_never_makes_a_new_member() {
    let valid = "foo=a1,tenant@vendor=b2";
    let members = |text: &str| text.split(',').filter(|m| !m.trim_matches([' ', '\t']).is_empty()).count();
    for byte in ["-", ",", ";", "=", "%", "@", "+", " ", "\t", "\u{80}", "\u{ff}"] {
        for place in 0..=valid.len() {
            let mut inserted = valid.to_owned();
            inserted.insert_str(place, byte);
            if let Some(sent) = passed_on(&[&inserted]) {
                assert_eq!(members(&sent), members(&inserted), "{inserted:?} -> {sent:?}");
                assert!(sent.split(',').all(|member| inserted.contains(member)), "{inserted:?} -> {sent:?}");
            }
        }
    }
}

#[test]
fn the_members_can_be_read_through_the_api() {
    let cx = extract(&with_tracestate(&["a= 1 , foo@@bar=2", "c=3"]));
    let span = cx.span();
    let span_context = span.span_context();
    assert_eq!((span_context.trace_id(), span_context.span_id()), (TRACE_ID, SPAN_ID));
    let members: Vec<_> = span_context.trace_state().into_iter().collect();
    assert_eq!(members, [("a", " 1"), ("c", "3")], "the API refuses foo@@bar");
}

type Pairs = &'static [(&'static str, &'static str)];

/// Rule, pairs that the API takes, header sent.
const LOCAL: &[(&str, Pairs, Option<&str>)] = &[
    ("none", &[], None),
    ("one", &[("a", "1")], Some("a=1")),
    ("empty value", &[("a", ""), ("b", "2")], Some("b=2")),
    ("empty key", &[("", "1"), ("b", "2")], Some("b=2")),
    ("trailing space", &[("b", "2"), ("a", "1 ")], Some("b=2")),
    ("leading space", &[("a", " 1")], Some("a= 1")),
    ("new line", &[("a", "1\r\nset-cookie: b"), ("b", "2")], Some("b=2")),
    ("control character", &[("a", "\0"), ("b", "2"), ("c", "\x7f"), ("d", "4")], Some("b=2,d=4")),
    ("tab", &[("a", "1\t2")], Some("")),
    ("not ASCII", &[("a", "\u{f6}"), ("b", "2")], Some("b=2")),
    ("nothing that may be sent", &[("a", ""), ("", "1")], Some("")),
];

#[test]
fn a_local_member_outside_the_grammar_is_not_sent_and_the_others_are() {
    for &(rule, pairs, sent) in LOCAL {
        let trace_state = TraceState::from_key_value(pairs.iter().copied()).unwrap();
        assert_eq!(header(&inject(&context_of(1, trace_state)), "tracestate"), sent, "{rule}");
    }
}

/// An `Injector` can only set. What a copied request has in the header belongs to another trace.
#[test]
fn a_trace_state_that_may_not_be_sent_overrides_an_older_tracestate_and_none_leaves_it_alone() {
    for (rule, pairs, expected) in [
        ("nothing may be sent", &[("a", "\n")][..], ""),
        ("a part may be sent", &[("a", "\n"), ("b", "2")], "b=2"),
        ("there is nothing", &[], "older=1"),
    ] {
        let trace_state = TraceState::from_key_value(pairs.iter().copied()).unwrap();
        let mut copied = headers([("tracestate", &b"older=1"[..])]);
        TraceContextPropagator::new()
            .inject_context(&context_of(1, trace_state), &mut HeaderInjector(&mut copied));
        assert_eq!(header(&copied, "tracestate"), Some(expected), "{rule}");
    }
}

#[test]
fn members_are_found_and_thinned_out() {
    let mut list = TraceStateList::parse("a=1, foo@@bar=2,a=3").unwrap();
    assert_eq!([list.get("a"), list.get("foo@@bar"), list.get("A")], [Some("1"), Some("2"), None]);
    list.retain(|key, value| (key, value) != ("a", "1"));
    assert_eq!(list.iter().collect::<Vec<_>>(), [("foo@@bar", "2"), ("a", "3")]);
    assert_eq!(list.to_string(), "foo@@bar=2,a=3");
    list.retain(|_, _| false);
    assert_eq!(list.to_string(), "");
}

#[test]
fn a_list_has_so_many_bytes_at_most() {
    for (len, expected) in [(32_767, Ok(1)), (32_768, Ok(1)), (32_769, Err(TraceStateError::TooLong))] {
        let value = format!("{:len$}", "a=1");
        assert_eq!(TraceStateList::parse(&value).map(|list| list.iter().len()), expected, "{len}");
    }
}

#[test]
fn a_broken_rule_is_found_at_its_place() {
    let many = "a=1,".repeat(32) + "b=2 , c=3";
    let long = "a".repeat(257);
    let long_key = format!("a=1,{long}=1");
    let long_value = format!("a={long},b=2");
    for (value, error, part) in [
        (many.as_str(), TraceStateError::TooManyMembers, "b=2 , c=3"),
        ("a=1, b,c=3", TraceStateError::NoEqualsSign, "b"),
        ("a=1, b\t=2", TraceStateError::Key, "b\t"),
        ("a=1,B=2,c=3", TraceStateError::Key, "B"),
        ("=1", TraceStateError::Key, ""),
        ("a=1,b=\u{e9} ,c=3", TraceStateError::Value, "\u{e9}"),
        ("a=", TraceStateError::Value, ""),
        ("a=1=2", TraceStateError::Value, "1=2"),
        (&long_key, TraceStateError::Key, &long),
        (&long_value, TraceStateError::Value, &long),
    ] {
        assert_eq!(TraceStateList::parse(value).map(|_| ()), Err(error), "{value}");
        let located = error.located(value);
        assert_eq!(value.get(located.range), Some(part), "{value}");
        assert_eq!(error.to_string(), located.rule, "an error says the rule");
    }
}

fn member() -> impl Strategy<Value = String> {
    "[a-z0-9][a-z0-9_*/@-]{0,20}=[ -+\\--<>-~]{0,20}[!-+\\--<>-~]"
}

proptest! {
    #[test]
    fn every_list_the_grammar_allows_comes_out_as_it_came_in(
        lines in prop::collection::vec(prop::collection::vec(member(), 0..8), 0..5)
    ) {
        let all = lines.concat().join(",");
        let lines: Vec<_> = lines.iter().map(|members| members.join(" \t, ")).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let expected = (!all.is_empty()).then_some(all);
        prop_assert_eq!(passed_on(&lines), expected);
    }

    #[test]
    fn a_list_says_what_the_propagator_sends(value in "[ -~\t]{0,40}|([a-c@]{0,3}=?[a-c =]{0,3}[, \t]{0,2}){0,6}") {
        let sent = passed_on(&[&value]).unwrap_or_default();
        match TraceStateList::parse(&value) {
            Ok(list) => prop_assert_eq!(list.to_string(), sent),
            Err(error) => {
                prop_assert_eq!(sent, "");
                prop_assert!(value.get(error.located(&value).range).is_some());
            }
        }
    }

    #[test]
    fn nothing_comes_out_that_was_not_in_and_what_comes_out_is_well_formed(
        lines in prop::collection::vec("[ -~\t\u{80}-\u{ff}]{0,40}|([a-c@]{0,3}=?[a-c =]{0,3}[, \t]{0,2}){0,6}", 0..4)
    ) {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        if let Some(sent) = passed_on(&lines) {
            let received: Vec<_> = lines.iter().flat_map(|line| line.split(',')).collect();
            let is_received = |member| received.iter().any(|r| r.trim_matches([' ', '\t']) == member);
            prop_assert!(sent.split(',').all(is_received), "{sent:?} of {lines:?}");
            let again = passed_on(&[&sent]);
            prop_assert_eq!(again, Some(sent));
        }
    }

    #[test]
    fn whatever_the_application_puts_in_what_is_sent_can_be_read(
        pairs in prop::collection::vec(("[a-z][a-z_@-]{0,5}|", "\\PC{0,8}|[\0-~]{0,8}"), 0..40)
    ) {
        if let Ok(trace_state) = TraceState::from_key_value(pairs.clone()) {
            if let Some(sent) = header(&inject(&context_of(1, trace_state)), "tracestate") {
                if sent.is_empty() {
                    return Ok(()); // none of them may be sent
                }
                let is_local = |m: &str| pairs.iter().any(|(key, value)| m == format!("{key}={value}"));
                prop_assert!(sent.split(',').all(is_local), "{sent:?} of {pairs:?}");
                let again = passed_on(&[sent]);
                prop_assert_eq!(again.as_deref(), Some(sent));
            }
        }
    }
}
