//! The policy from a file: the same as from the builder, and errors that name the field.

#![cfg(feature = "config")]
#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use otel_trust_boundary::{Boundary, Destination, Inbound, Keys, Outbound, Strategy, Trace};
use serde_json::{Value, json};

fn rule(rule: &Value) -> Value {
    json!({"default_egress_action": "suppress_trace_context", "rules": [{"direction": "ingress", "strategy": "continue"}, rule]})
}

fn hosts(included: &Value) -> Value {
    json!({"attribute_patterns": {"key": "server.address", "included": included}})
}

#[test]
fn the_same_as_from_the_builder() {
    let config = json!({
        "default_ingress_strategy": "ignore",
        "default_egress_action": "suppress_trace_context",
        "rules": [
            {"direction": "ingress", "name": "a", "strategy": "continue", "trust_sampled": false,
             "conditions": {"headers": {"x-a": "1", "x-b": "2"}, "tracestate": ["es"]}},
            {"direction": "ingress", "strategy": "restart_with_link", "accept_baggage": ["a", "b.*"],
             "link_attributes": [{"name": "reason", "value": "untrusted"}]},
            {"direction": "egress", "name": "mesh", "external": false, "conditions": hosts(&json!(["*.internal", "10.0.0.0/8:80"]))},
            {"direction": "egress", "name": "ids", "egress_action": "inject_trace_ids", "baggage": ["order.*"],
             "conditions": hosts(&json!(["a.example"]))},
            {"direction": "egress", "name": "half", "external": false, "egress_action": "suppress_trace_context", "baggage": []},
            {"direction": "egress", "name": "queue"},
        ],
    });
    let expected = Boundary::deny_external()
        .otherwise(Inbound::new("otherwise", Strategy::Ignore))
        .inbound(
            Inbound::new("a", Strategy::Continue)
                .trust_sampled(false)
                .when_header("x-a", "1")
                .when_header("x-b", "2")
                .when_tracestate("es"),
        )
        .inbound(Inbound::new("rules[1]", Strategy::RestartWithLink).accept_baggage(Keys::of(&["a", "b.*"])))
        .outbound(Outbound::internal("mesh").hosts(["*.internal", "10.0.0.0/8:80"]).unwrap())
        .outbound(
            Outbound::external("ids")
                .hosts(["a.example"])
                .unwrap()
                .trace(Trace::Ids)
                .baggage(Keys::of(&["order.*"])),
        )
        .outbound(Outbound::internal("half").trace(Trace::Nothing).baggage(Keys::NONE))
        .outbound(Outbound::external("queue"));
    let boundary = Boundary::from_config(config).unwrap();
    assert_eq!(boundary.to_string(), expected.to_string());
    for (of, other) in [(&boundary, &expected), (&expected, &boundary)] {
        assert_eq!(format!("{of:?}").len(), format!("{other:?}").len());
    }
}

#[test]
fn defaults() {
    let rows = [
        ("inject_trace_context", Boundary::allow_all()),
        ("suppress_trace_context", Boundary::deny_external()),
        (
            "inject_trace_ids",
            Boundary::deny_external().unknown(Outbound::external("unknown").trace(Trace::Ids)),
        ),
    ];
    for (action, expected) in rows {
        let boundary = Boundary::from_config(json!({"default_egress_action": action})).unwrap();
        assert_eq!(boundary.to_string(), expected.to_string(), "{action}");
    }
}

/// The proposal takes the first rule; here the order decides between equal hosts alone.
#[test]
fn the_most_specific_host_decides() {
    let egress = |name: &str, included: &Value| json!({"direction": "egress", "name": name, "conditions": hosts(included)});
    let config = json!({
        "default_egress_action": "suppress_trace_context",
        "rules": [
            egress("suffix", &json!(["*.example"])),
            egress("host", &json!(["a.example"])),
            egress("again", &json!(["a.example"])),
        ],
    });
    let boundary = Boundary::from_config(config).unwrap();
    for (host, expected) in [("a.example", "host"), ("b.example", "suffix"), ("example", "unknown")] {
        assert_eq!(boundary.rule_for(&Destination::host(host)).name(), expected, "{host}");
    }
}

#[test]
fn errors_name_the_field() {
    let rows = [
        ("no default", json!({}), "missing field `default_egress_action`"),
        (
            "a default that is none",
            json!({"default_egress_action": "inject"}),
            "default_egress_action: unknown variant `inject`",
        ),
        (
            "a field that is none",
            json!({"default_egress_action": "inject_trace_context", "rule": []}),
            "rule: unknown field `rule`",
        ),
        (
            "a type",
            json!({"default_egress_action": "inject_trace_context", "rules": 1}),
            "rules: invalid type: integer `1`",
        ),
        ("no direction", rule(&json!({"strategy": "continue"})), "rules[1]: missing field `direction`"),
        (
            "a strategy that is none",
            rule(&json!({"direction": "ingress", "strategy": "stop"})),
            "rules[1].strategy: unknown variant `stop`",
        ),
        (
            "no strategy",
            rule(&json!({"direction": "ingress"})),
            "rules[1].strategy: an ingress rule needs it",
        ),
        (
            "a kind of span, which nobody sees here",
            rule(&json!({"direction": "egress", "span_kind": "client"})),
            "rules[1].span_kind: unknown field `span_kind`",
        ),
        (
            "a strategy of an egress rule",
            rule(&json!({"direction": "egress", "strategy": "continue"})),
            "rules[1].strategy: only ingress rules have it",
        ),
        (
            "baggage of an ingress rule",
            rule(&json!({"direction": "ingress", "strategy": "continue", "baggage": []})),
            "rules[1].baggage: only egress rules have it",
        ),
        (
            "headers of an egress rule",
            rule(&json!({"direction": "egress", "conditions": {"headers": {}}})),
            "rules[1].conditions.headers: only ingress rules have it",
        ),
        (
            "a key that is not a text",
            rule(&json!({"direction": "egress", "baggage": ["a", 1]})),
            "rules[1].baggage[1]: invalid type: integer `1`",
        ),
        (
            "a condition that is none",
            rule(&json!({"direction": "egress", "conditions": {"hosts": []}})),
            "rules[1].conditions.hosts: unknown field `hosts`",
        ),
        (
            "a host that is none",
            rule(&json!({"direction": "egress", "conditions": hosts(&json!(["a.example", "10.0.0.0/33"]))})),
            "rules[1].conditions.attribute_patterns.included[1]: prefix is longer than the address",
        ),
        (
            "an egress rule for everything",
            rule(&json!({"direction": "egress", "egress_action": "inject_trace_context"})),
            "rules[1].conditions: an egress rule needs hosts or a name; default_egress_action is for all other",
        ),
        (
            "conditions without a host",
            rule(&json!({"direction": "egress", "conditions": {}})),
            "rules[1].conditions: an egress rule needs hosts or a name",
        ),
        (
            "no hosts",
            rule(&json!({"direction": "egress", "conditions": hosts(&json!([]))})),
            "rules[1].conditions: an egress rule needs hosts or a name",
        ),
        (
            "another attribute",
            rule(
                &json!({"direction": "egress", "conditions": {"attribute_patterns": {"key": "url.full", "included": ["*.internal"]}}}),
            ),
            "rules[1].conditions.attribute_patterns.key: a propagator knows `server.address` alone",
        ),
    ];
    for (what, config, expected) in rows {
        let error = Boundary::from_config(config).unwrap_err();
        assert!(error.to_string().contains(expected), "{what}: {error}");
        assert_eq!(error.to_string(), format!("{}: {}", error.path(), error.problem()), "{what}");
        let path = expected.split_once(": ").map_or("", |(path, _)| path);
        assert!(expected.starts_with("missing") || error.path() == path, "{what}: {error}");
    }
}
