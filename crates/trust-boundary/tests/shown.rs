//! The policy as a table, for whoever has to check it.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use otel_trust_boundary::{Boundary, Inbound, Keys, Outbound, Strategy, Trace};

/// The words of a line that begins with these.
fn line<'a>(shown: &'a str, rule: &str) -> Vec<&'a str> {
    let words = |line: &'a str| line.split("  ").map(str::trim).filter(|word| !word.is_empty()).collect();
    let mut lines = shown.lines().map(words).filter(|line: &Vec<_>| line.contains(&rule));
    lines.next().unwrap_or_default()
}

#[test]
fn each_rule_with_its_conditions_and_what_it_does() {
    let boundary = Boundary::deny_external()
        .inbound(
            Inbound::new("gateway", Strategy::Continue)
                .when_header("x-from-gateway", "s3cr3t")
                .when_tracestate("acme")
                .when(|_| true),
        )
        .inbound(Inbound::new("rest", Strategy::RestartWithLink).accept_baggage(Keys::of(&["tenant"])))
        .inbound(Inbound::new("cut", Strategy::RestartWithoutLink))
        .inbound(Inbound::new("deaf", Strategy::Ignore))
        .outbound(Outbound::internal("mesh").hosts(["*.Internal:443", "db.internal"]).unwrap())
        .outbound(Outbound::external("partner").trace(Trace::Ids));
    let shown = boundary.to_string();
    let conditions = "header x-from-gateway and tracestate acme and a condition of its own";
    let rows: [&[&str]; 7] = [
        &["gateway", conditions, "continue", "trusted", "*"],
        &["rest", "every request", "restart_with_link", "-", "tenant"],
        &["cut", "every request", "restart_without_link", "-", "*"],
        &["deaf", "every request", "ignore", "-", "-"],
        &["mesh", "*.internal:443, db.internal", "inject_trace_context", "*"],
        &["partner", "by name (external)", "inject_trace_ids", "-"],
        &["unknown", "every other (external)", "suppress_trace_context", "-"],
    ];
    for row in rows {
        assert_eq!(line(&shown, row[0]), row, "{shown}");
    }
    let debug = format!("{boundary:?}");
    assert!(debug.contains("gateway") && debug.contains("partner"), "{debug}");
    assert!(!(shown + &debug).contains("s3cr3t"), "a value may be a secret");
}

#[test]
fn each_kind_of_host() {
    let rows = [
        ("10.0.0.0/8:80", "10.0.0.0/8:80"),
        ("fd00::/8", "fd00::/8"),
        ("fd00::/8:80", "fd00::/8:80"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::/0", "::/0"),
        ("0.0.0.7", "0.0.0.7"),
        ("::7", "::7"),
        ("10.1.2.3/32", "10.1.2.3"),
        ("10.1.2.3:80", "10.1.2.3:80"),
        ("[fd00::1]:80", "[fd00::1]:80"),
        ("fd00::1/128", "fd00::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1/128", "10.0.0.1"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
        ("::ffff:a00:0/104:80", "10.0.0.0/8:80"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:0:0:0/96", "::ffff:0:0:0/96"),
    ];
    for (pattern, expected) in rows {
        let rule = Outbound::internal("hosts").hosts([pattern]).unwrap();
        let shown = Boundary::deny_external().outbound(rule).to_string();
        assert_eq!(line(&shown, "hosts")[..2], ["hosts", expected], "{pattern}: {shown}");
    }
    let many = Outbound::internal("many").hosts(["a.b", "c.d", "e.f", "g.h", "i.j", "k.l"]).unwrap();
    let shown = Boundary::deny_external().outbound(many).to_string();
    assert_eq!(line(&shown, "many")[1], "a.b, c.d, e.f, g.h, 2 more");
}
