//! Which rule a destination gets, and that what is no host is never one of ours.

#![allow(clippy::unwrap_used, reason = "test code outside of a test function")]

use otel_trust_boundary::{Boundary, Destination, Outbound};

fn boundary() -> Boundary {
    let internal = ["*.internal", "internal", "10.0.0.0/8", "fd00::/8", "127.0.0.1", "fe80::/10"];
    Boundary::deny_external()
        .outbound(Outbound::internal("internal").hosts(internal).unwrap())
        .outbound(
            Outbound::internal("admin")
                .hosts(["*.internal:9443", "db.internal", "10.9.0.0/16:5432"])
                .unwrap(),
        )
        .outbound(
            Outbound::external("partner")
                .hosts(["partner.example", "xn--bcher-kva.example", "*.below.example"])
                .unwrap(),
        )
        .outbound(Outbound::internal("queue"))
}

fn rule(destination: &Destination) -> String {
    boundary().rule_for(destination).name().to_owned()
}

#[test]
fn hosts() {
    let rows = [
        ("a suffix", "orders.internal", "internal"),
        ("a suffix of several labels", "a.b.c.internal", "internal"),
        ("the name itself has a pattern of its own", "internal", "internal"),
        ("a name below one of a partner", "a.below.example", "partner"),
        ("the name itself has no pattern", "below.example", "unknown"),
        ("case does not count", "ORDERS.Internal", "internal"),
        ("the root's dot does not count", "ORDERS.internal.", "internal"),
        ("any port", "orders.internal:8080", "internal"),
        ("a pattern with a port wins over one without", "orders.internal:9443", "admin"),
        ("a name wins over a suffix with a port", "db.internal:9443", "admin"),
        ("IPv4", "10.1.2.3", "internal"),
        ("IPv4 with a port", "10.1.2.3:80", "internal"),
        ("a longer prefix, and its port", "10.9.1.1:5432", "admin"),
        ("a longer prefix, and another port", "10.9.1.1:80", "internal"),
        ("the first address of a prefix", "10.0.0.0", "internal"),
        ("the last address of a prefix", "10.255.255.255", "internal"),
        ("the address after a prefix", "11.0.0.0", "unknown"),
        ("the address before a prefix", "9.255.255.255", "unknown"),
        ("a single address", "127.0.0.1", "internal"),
        ("the one beside it", "127.0.0.2", "unknown"),
        ("IPv6", "fd00::1", "internal"),
        ("IPv6 in brackets", "[fd00::1]", "internal"),
        ("IPv6 with a port", "[fd00::1]:8080", "internal"),
        ("another IPv6", "[fc00::1]:8080", "unknown"),
        ("IPv4 in IPv6", "::ffff:10.0.0.1", "internal"),
        ("IPv4 in IPv6, from outside", "::ffff:11.0.0.1", "unknown"),
        ("a partner", "partner.example", "partner"),
        ("a name below one that has no `*.`", "api.partner.example", "unknown"),
        ("an internationalised name as it is sent", "xn--bcher-kva.example", "partner"),
    ];
    for (what, host, expected) in rows {
        assert_eq!(rule(&Destination::host(host)), expected, "{what}: {host}");
    }
}

#[test]
fn what_is_no_host_is_never_internal() {
    let rows = [
        ("a URL", "https://evil.example/?x=.internal"),
        ("a URL without a scheme", "//evil.example/.internal"),
        ("a path", "evil.example/.internal"),
        ("a query", "evil.example?.internal"),
        ("a fragment", "evil.example#.internal"),
        ("our name at the wrong end", "internal.evil.example"),
        ("our name as an end without a dot", "evilinternal"),
        ("user information that looks like us", "orders.internal@evil.example"),
        ("user information with a password", "orders.internal:80@evil.example"),
        ("user information before us", "evil@orders.internal"),
        ("IPv6 with a zone", "fe80::1%eth0"),
        ("IPv6 with a zone in brackets", "[fe80::1%25eth0]"),
        ("an internationalised name in characters", "bücher.example"),
        ("full-width letters, which some clients map to ours", "orders.ｉｎｔｅｒｎａｌ"),
        ("an ideographic dot, which some clients map to ours", "orders。internal"),
        ("empty", ""),
        ("a dot", "."),
        ("two dots at the end", "orders.internal.."),
        ("an empty label", "orders..internal"),
        ("a dot in front", ".internal"),
        ("port 0", "orders.internal:0"),
        ("port 65536", "orders.internal:65536"),
        ("a port with a sign", "orders.internal:+80"),
        ("no port after the colon", "orders.internal:"),
        ("two ports", "orders.internal:80:80"),
        ("a port alone", ":80"),
        ("space", "orders.internal "),
        ("a tab", "\torders.internal"),
        ("a line break", "evil.example\norders.internal"),
        ("a NUL", "evil.example\0.internal"),
        ("percent-encoded", "evil.example%2f.internal"),
        ("a backslash", "evil.example\\.internal"),
        ("a comma", "evil.example,.internal"),
        ("IPv4 in octal", "012.0.0.1"),
        ("IPv4 in hexadecimal", "0x0a000001"),
        ("IPv4 as one number", "167772161"),
        ("IPv4 with three parts", "10.0.1"),
        ("IPv4 with five parts", "10.0.0.0.1"),
        ("IPv4 in brackets", "[10.0.0.1]"),
        ("an open bracket", "[fd00::1"),
        ("text after the bracket", "[fd00::1].evil.example"),
        ("a closing bracket", "fd00::1]"),
        ("the sampler's mark for no host", "?"),
    ];
    for (what, host) in rows {
        assert_eq!(rule(&Destination::host(host)), "unknown", "{what}: {host:?}");
    }
    for (bytes, expected) in [(63, "internal"), (64, "unknown")] {
        let label = "a".repeat(bytes) + ".internal";
        assert_eq!(rule(&Destination::host(&label)), expected, "a label of {bytes} bytes");
    }
    for (bytes, expected) in [(252, "internal"), (253, "internal"), (254, "unknown")] {
        let mut name = "a.".repeat(130);
        name.truncate(bytes - ".internal".len() - 1);
        let name = name.trim_end_matches('.').to_owned();
        let name = format!("{name}{}.internal", "b".repeat(bytes - ".internal".len() - name.len()));
        assert_eq!(name.len(), bytes);
        assert_eq!(rule(&Destination::host(&name)), expected, "a name of {bytes} bytes");
    }
}

#[test]
fn names() {
    assert_eq!(rule(&Destination::named("queue")), "queue");
    assert_eq!(rule(&Destination::named("internal")), "internal");
    assert_eq!(rule(&Destination::named("orders.internal")), "unknown", "a name is no host");
    assert_eq!(rule(&Destination::host("queue")), "unknown", "a host is no name");
    assert_eq!(rule(&Destination::unknown()), "unknown");
    assert_eq!(Destination::named("queue").to_string(), "queue");
    assert_eq!(Destination::host("no host").to_string(), "unknown");
    let twice = boundary().outbound(Outbound::external("queue"));
    assert!(!format!("{:?}", twice.rule_for(&Destination::named("queue"))).contains("is_external: true"));
}

#[test]
fn the_first_rule_of_a_pattern_counts() {
    let hosts = ["a.example", "*.example", "10.0.0.0/8"];
    let first = Outbound::internal("first").hosts(hosts).unwrap();
    let boundary = Boundary::deny_external()
        .outbound(first)
        .outbound(Outbound::external("second").hosts(hosts).unwrap());
    for host in ["a.example", "b.example", "10.0.0.1"] {
        assert_eq!(boundary.rule_for(&Destination::host(host)).name(), "first");
    }
}

#[cfg(feature = "http")]
#[test]
fn uris() {
    let rows = [
        ("a host", "http://orders.internal/", "internal"),
        ("the port of the scheme", "https://db.internal/", "admin"),
        ("its own port", "http://orders.internal:9443/", "admin"),
        ("our name in the query", "https://evil.example/?x=.internal", "unknown"),
        ("our name as user information", "http://orders.internal@evil.example/", "unknown"),
        ("user information is not looked at", "http://evil.example@orders.internal/", "internal"),
        ("two of them", "http://a:b@orders.internal:80/", "internal"),
        ("no authority", "/orders.internal/", "unknown"),
        ("an authority alone", "orders.internal:80", "internal"),
        ("IPv6", "http://[fd00::1]/", "internal"),
        ("everything", "*", "unknown"),
    ];
    for (what, uri, expected) in rows {
        let uri: http::Uri = uri.parse().unwrap();
        assert_eq!(rule(&Destination::from(&uri)), expected, "{what}: {uri}");
    }
    let with_port = Boundary::deny_external()
        .outbound(Outbound::internal("tls").hosts(["a.example:443"]).unwrap())
        .outbound(Outbound::internal("plain").hosts(["a.example:80"]).unwrap());
    for (uri, expected, shown) in [
        ("https://a.example/", "tls", "a.example:443"),
        ("http://a.example/", "plain", "a.example:80"),
        ("ftp://a.example/", "unknown", "a.example"),
        ("ftp://a.example:80/", "plain", "a.example:80"),
        ("/path", "unknown", "unknown"),
    ] {
        let destination = Destination::from(&uri.parse::<http::Uri>().unwrap());
        assert_eq!(with_port.rule_for(&destination).name(), expected, "{uri}");
        assert_eq!(destination.to_string(), shown, "{uri}");
    }
}

#[test]
fn patterns_that_are_none() {
    let rows = [
        ("a star alone", "*", "a character that is in no host name"),
        ("a star inside", "a.*.internal", "a character that is in no host name"),
        ("a star without a dot", "*internal", "a character that is in no host name"),
        ("nothing below the star", "*.", "empty host"),
        ("a star before an address", "*.10.0.0.1", "`*.` before an address"),
        ("a URL", "https://orders.internal", "not an IP address"),
        ("a prefix that is too long", "10.0.0.0/33", "prefix is longer than the address"),
        ("a prefix that is too long, IPv6", "fd00::/129", "prefix is longer than the address"),
        ("a prefix that is no number", "10.0.0.0/x", "prefix is not a number"),
        ("a prefix with a sign", "10.0.0.0/+8", "prefix is not a number"),
        ("no prefix", "10.0.0.0/", "prefix is not a number"),
        ("bits after the prefix", "10.1.0.0/8", "address has bits after the prefix"),
        ("bits after the prefix, a mapped address", "::ffff:10.0.0.0/8", "address has bits after the prefix"),
        ("more than IPv4, mapped", "::ffff:0:0/95", "address has bits after the prefix"),
        ("a prefix that is too long, mapped", "::ffff:10.0.0.0/129", "prefix is longer than the address"),
        ("a name with a prefix", "internal/8", "not an IP address"),
        ("port 0", "orders.internal:0", "port is not a number from 1 to 65535"),
        ("an internationalised name in characters", "bücher.example", "a character that is in no host name"),
        ("empty", "", "empty host"),
        ("an empty label", "a..b", "empty label"),
        ("what some read as IPv4", "10.0.1", "a number that some clients take for an IPv4 address"),
        ("a hexadecimal end", "a.0X7f", "a number that some clients take for an IPv4 address"),
    ];
    for (what, pattern, expected) in rows {
        let error = Outbound::internal("rule").hosts(["fine.example", pattern]).unwrap_err();
        assert_eq!((error.index(), error.rule()), (1, expected), "{what}: {pattern}");
    }
    for prefix in ["0.0.0.0/0", "::/0", "10.0.0.0/8:80", "fd00::/8:80", "[fd00::1]:80", "255.255.255.255/32"]
    {
        assert!(Outbound::internal("rule").hosts([prefix]).is_ok(), "{prefix}");
    }
}

#[test]
fn everything_of_one_family() {
    let all = Boundary::deny_external().outbound(Outbound::internal("all").hosts(["0.0.0.0/0"]).unwrap());
    for (host, expected) in
        [("0.0.0.0", "all"), ("255.255.255.255", "all"), ("::1", "unknown"), ("a.example", "unknown")]
    {
        assert_eq!(all.rule_for(&Destination::host(host)).name(), expected, "{host}");
    }
}

/// IPv4 in the form of IPv6 is IPv4, as a pattern and as a destination.
#[test]
fn mapped_networks() {
    let mapped = Outbound::internal("mapped").hosts(["::ffff:10.0.0.0/104", "::ffff:192.0.2.1/128"]).unwrap();
    let boundary = Boundary::deny_external().outbound(mapped);
    for (host, expected) in [
        ("10.0.0.1", "mapped"),
        ("[::ffff:10.255.255.255]:80", "mapped"),
        ("192.0.2.1", "mapped"),
        ("192.0.2.2", "unknown"),
        ("11.0.0.1", "unknown"),
        ("::10.0.0.1", "unknown"),
    ] {
        assert_eq!(boundary.rule_for(&Destination::host(host)).name(), expected, "{host}");
    }
}
