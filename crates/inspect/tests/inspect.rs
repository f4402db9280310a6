//! What the inspector says of the faults that people meet.

#![allow(missing_docs, clippy::panic, reason = "a test program")]

use otel_inspect::{Config, Outcome, Report, Request, Severity, inspect, to_text};

const GOOD: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn report(propagators: &str, text: &str) -> Report {
    let config = Config::new(propagators).unwrap_or_else(|error| panic!("{error}"));
    inspect(&Request::parse(text.as_bytes()), &config)
}

type Findings = &'static [(Severity, &'static str, &'static str)];

fn told(report: &Report) -> Vec<(Severity, &str, &str)> {
    report.findings.iter().map(|it| (it.severity, &*it.header, &*it.text)).collect()
}

#[test]
fn the_five_commonest_faults() {
    use Severity::{Error, Warning};
    let long = format!("baggage: a={},b=1", "x".repeat(9000));
    let rows: &[(&str, &str, String, Findings)] = &[
        (
            "two traceparents",
            "",
            format!("{GOOD}\n{GOOD}"),
            &[(Error, "traceparent", "2 lines of a header that may come once")],
        ),
        (
            "a short id",
            "",
            GOOD.replace("b7ad6b7169203331", "b7ad6b716920333"),
            &[(Error, "traceparent", "parent-id is not lower-case hex (column 52)")],
        ),
        (
            "a comma in metadata",
            "",
            format!("{GOOD}\nbaggage: a=1;note=x,y"),
            &[(Warning, "baggage", "a member has no equals sign (column 13)")],
        ),
        (
            "over the limit",
            "",
            format!("{GOOD}\n{long}"),
            &[(Warning, "baggage", "member \"a\" is left out")],
        ),
        (
            "b3 and traceparent that disagree",
            "b3,tracecontext",
            format!("{GOOD}\nb3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
            &[(Error, "tracecontext", "it names another trace than the chosen format")],
        ),
    ];
    for (fault, propagators, text, expected) in rows {
        let report = report(propagators, text);
        let told = told(&report);
        assert_eq!(told.len(), expected.len(), "{fault}: {told:?}");
        for ((severity, header, text), (expected, of, begins)) in told.iter().zip(*expected) {
            assert_eq!((severity, header), (expected, of), "{fault}");
            assert!(text.starts_with(begins), "{fault}: {text}");
        }
        assert!(!report.is_clean(), "{fault}");
    }
}

#[test]
fn a_good_request_has_no_findings() {
    let report = report("", &format!("{GOOD}\ntracestate: a=1\nbaggage: tenant=acme%20retail;ttl=30"));
    assert_eq!(told(&report), []);
    assert_eq!(report.formats[0].outcome, Outcome::Chosen);
    let parts: Vec<_> = report.headers[0].parts.iter().map(|part| part.production).collect();
    assert_eq!(parts, ["version", "trace-id", "parent-id", "trace-flags"]);
    let sent: Vec<_> = report.sent.iter().map(|sent| &*sent.name).collect();
    assert_eq!(sent, ["baggage", "traceparent", "tracestate"]);
    assert_eq!((&*report.baggage[0].value, report.baggage[0].sent_bytes), ("acme retail", 27));
    assert!(report.is_clean());
}

#[test]
fn each_format_has_its_parts_and_its_rules() {
    let rows = [
        ("jaeger", "uber-trace-id: 4d:17c29:0:1", 4, None),
        ("jaeger", "uber-trace-id: 4d:17z29:0:1", 4, Some((5, "span id is not hex"))),
        (
            "xray",
            "x-amzn-trace-id: Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
            3,
            None,
        ),
        (
            "xray",
            "x-amzn-trace-id: Self=1;Root=1-5759e988-bd86",
            2,
            Some((12, "Root is not 8 and 24 characters")),
        ),
        ("ottrace", "ot-tracer-traceid: 463ac35c9f6413ad\not-tracer-spanid: 48485a3953bb6124", 1, None),
        ("b3multi", "x-b3-traceid: 463ac35c9f6413ad\nx-b3-spanid: 48485a3953bb6124", 1, None),
    ];
    for (format, text, parts, problem) in rows {
        let report = report(format, text);
        let header = &report.headers[0];
        assert_eq!(header.parts.len(), parts, "{text}");
        let found = header.problems.first().map(|problem| (problem.from, problem.rule));
        assert_eq!(found, problem, "{text}");
        let outcome = if problem.is_none() { Outcome::Chosen } else { Outcome::Refused };
        assert_eq!(report.formats[0].outcome, outcome, "{text}");
    }
}

#[test]
fn the_last_member_that_can_be_read_is_the_one() {
    for (header, kept) in [
        ("a=1,a=2", [false, true]),
        ("a=1,a", [true, false]),
        ("a,a=1", [false, true]),
        ("a=1,a=\"", [true, false]),
        ("a=1, A=2", [true, true]),
    ] {
        let report = report("baggage", &format!("baggage: {header}"));
        let told: Vec<bool> = report.baggage.iter().map(|member| member.left_out.is_none()).collect();
        assert_eq!(told, kept, "{header}");
    }
}

#[test]
fn a_header_that_nobody_reads_is_told() {
    use Severity::{Error, Note, Warning};
    let rows: &[(&str, &str, &str, Severity)] = &[
        (
            "a trace in another format",
            "tracecontext",
            "b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            Error,
        ),
        ("beside one that is read", "tracecontext", &format!("{GOOD}\nuber-trace-id: 4d:17c29:0:1"), Note),
        ("a broken one beside it", "tracecontext", &format!("{GOOD}\nx-amzn-trace-id: Root=2"), Note),
        ("baggage", "tracecontext", &format!("{GOOD}\nbaggage: a=1"), Warning),
        ("baggage of Jaeger", "jaeger", "uber-trace-id: 4d:17c29:0:1\nuberctx-tenant: acme", Warning),
    ];
    for (rule, propagators, text, severity) in rows {
        let report = report(propagators, text);
        let told = told(&report);
        assert_eq!(told[0].0, *severity, "{rule}: {told:?}");
        assert!(told.iter().any(|it| it.2 == "no format of this service reads it"), "{rule}: {told:?}");
        assert_eq!(report.is_clean(), *severity == Note, "{rule}");
    }
}

#[test]
fn each_format_says_where_its_rule_is_broken() {
    let rows = [
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g", "trace-flags", "g"),
        (
            "traceparent",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "trace-id",
            "00000000000000000000000000000000",
        ),
        ("tracestate", "a=1, B=2", "key", "B"),
        ("baggage", "a=1,b=\"x\"", "value", "\""),
        ("baggage", "a=1, b c=2", "key", " "),
        ("baggage", "a=1,b", "list-member", ""),
        ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-x", "SamplingState", "x"),
        ("x-b3-sampled", "yes", "SamplingState", "yes"),
        ("uber-trace-id", "4d:17c29:0:zz", "flags", "z"),
        ("uber-trace-id", "4d:17c29:1", "uber-trace-id", ""),
        ("uber-trace-id", "4d:1:0:1:2", "uber-trace-id", ":2"),
        ("uber-trace-id", "4d:11111111111111111:0:1", "span-id", "11111111111111111"),
        ("uber-trace-id", "4d%3A17z%3A0%3A1", "span-id", "4d%3A17z%3A0%3A1"),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a99427279G", "Root", "G"),
        (
            "x-amzn-trace-id",
            "Root=1-5759e988-bd862e3fe1be46a994272793; Parent= 53995c3f42cd8ad",
            "Parent",
            "53995c3f42cd8ad",
        ),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Sampled=0", "Sampled", "0"),
        ("x-amzn-trace-id", "Sampled=1", "Root", ""),
        ("ot-tracer-traceid", "463ac35c9f6413aX", "ot-tracer-traceid", "X"),
    ];
    for (header, value, production, broken) in rows {
        let report = report("tracecontext,b3,jaeger,xray,ottrace,baggage", &format!("{header}: {value}"));
        let problem = &report.headers[0].problems.first().unwrap_or_else(|| panic!("{header}: {value}"));
        assert_eq!(problem.production, production, "{header}: {value}");
        assert_eq!(value.get(problem.from..problem.to), Some(broken), "{header}: {value}");
        assert!(problem.specification.starts_with("https://"), "{header}: {value}");
    }
    let report = report("b3", "x-b3-spanid: 48485a3953bb6124");
    assert_eq!(
        told(&report),
        [(Severity::Error, "x-b3-traceid", "no trace id")],
        "what is missing is told too"
    );
}

#[cfg(feature = "boundary")]
type Sent =
    (&'static str, &'static str, &'static [&'static str], &'static [(&'static str, &'static [&'static str])]);

#[cfg(feature = "boundary")]
#[test]
fn a_trust_boundary_for_a_destination() {
    use otel_trust_boundary::{Boundary, Destination, Inbound, Keys, Outbound, Strategy, Trace};
    let partner = Outbound::external("partner").hosts(["partner.example"]).unwrap();
    let policy = Boundary::deny_external()
        .outbound(Outbound::internal("mesh").hosts(["*.internal"]).unwrap())
        .outbound(partner.trace(Trace::Ids).baggage(Keys::of(&["order.*"])));
    let text = format!("{GOOD}\ntracestate: a=1\nbaggage: order.region=eu,user.id=7");
    let rows: [Sent; 3] = [
        ("orders.internal", "mesh", &["baggage", "traceparent", "tracestate"], &[]),
        (
            "partner.example:443",
            "partner",
            &["baggage", "traceparent"],
            &[("baggage", &["user.id"]), ("tracestate", &[])],
        ),
        ("else.example", "unknown", &[], &[("baggage", &[]), ("traceparent", &[]), ("tracestate", &[])]),
    ];
    for (host, rule, sent, withheld) in rows {
        let config = Config::default().with_boundary(policy.clone(), Destination::host(host));
        let report = inspect(&Request::parse(text.as_bytes()), &config);
        let names: Vec<_> = report.sent.iter().map(|sent| &*sent.name).collect();
        assert_eq!(names, sent, "{host}");
        let told = report.boundary.as_ref().unwrap();
        assert_eq!((&*told.rule, told.trace), (rule, "continued"), "{host}");
        let kept: Vec<_> = told.withheld.iter().map(|it| (&*it.header, it.keys.clone())).collect();
        let expected: Vec<_> = withheld
            .iter()
            .map(|(name, keys)| (*name, keys.iter().map(|&key| key.to_owned()).collect()))
            .collect();
        assert_eq!(kept, expected, "{host}");
        assert!(report.is_clean(), "what is done on purpose is no fault: {:?}", report.findings);
    }
    let edge = Inbound::new("anyone", Strategy::RestartWithLink).accept_baggage(Keys::of(&["order.*"]));
    let config = Config::default().with_boundary(policy.otherwise(edge), Destination::host("a.internal"));
    let report = inspect(&Request::parse(text.as_bytes()), &config);
    let told = report.boundary.unwrap();
    assert_eq!((told.trace, told.not_accepted), ("restarted-with-link", vec!["user.id".to_owned()]));
    assert!(report.chosen.is_none() && report.formats[0].outcome == Outcome::Chosen);
}

#[test]
fn no_control_character_reaches_the_terminal() {
    let text: Vec<u8> =
        (0..=255).flat_map(|byte| [b"baggage: a=\"".as_slice(), &[byte, b'\n']].concat()).collect();
    let report = inspect(&Request::parse(&text), &Config::default());
    let printed = to_text(&report);
    assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{printed:?}");
}

mod laws {
    use super::*;
    use opentelemetry::{Context, propagation::TextMapPropagator, trace::TraceContextExt};
    use proptest::prelude::*;

    fn text() -> impl Strategy<Value = String> {
        let name = prop_oneof!["traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-sampled"];
        let value = prop_oneof![
            Just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            Just("4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1".to_owned()),
            "[-0-9a-f]{0,60}",
            "[a-c=,; %\"\\\\é\t]{0,40}",
        ];
        let line = (name, value).prop_map(|(name, value)| format!("{name}: {value}"));
        prop::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn parts_are_in_order_and_inside_the_value(text in text()) {
            let report = report("b3,tracecontext,baggage", &text);
            for header in &report.headers {
                let mut end = 0;
                for part in &header.parts {
                    prop_assert!(end <= part.from && part.from < part.to && part.to <= header.value.len());
                    prop_assert!(header.value.get(part.from..part.to).is_some());
                    end = part.to;
                }
                for problem in &header.problems {
                    prop_assert!(problem.from <= problem.to && problem.to <= header.value.len());
                    prop_assert!(header.value.get(problem.from..problem.to).is_some());
                }
            }
        }

        #[test]
        fn it_says_what_the_propagators_do(text in text()) {
            let list = "b3,tracecontext,baggage";
            let (report, request) = (report(list, &text), Request::parse(text.as_bytes()));
            let mut headers = http::HeaderMap::new();
            for line in request.lines() {
                let name = http::HeaderName::from_bytes(line.name.as_bytes()).unwrap();
                headers.append(name, http::HeaderValue::from_bytes(&line.value).unwrap());
            }
            let carrier = opentelemetry_http::HeaderExtractor(&headers);
            let cx = otel_composite::from_list(list).unwrap().extract_with_context(&Context::new(), &carrier);
            let span = cx.span();
            let trace = span.span_context().is_valid().then(|| span.span_context().trace_id().to_string());
            prop_assert_eq!(report.chosen.map(|chosen| chosen.span.trace_id), trace);
            let kept = report.baggage.iter().filter(|member| member.left_out.is_none()).count();
            prop_assert_eq!(kept, opentelemetry::baggage::BaggageExt::baggage(&cx).len());
        }

        #[test]
        fn nothing_panics(text in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = to_text(&inspect(&Request::parse(&text), &Config::new("b3,tracecontext,baggage").unwrap()));
        }
    }
}
