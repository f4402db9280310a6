//! Limits, both ways, one below, at, and one above each: <https://www.w3.org/TR/baggage/#limits>.

mod common;

use common::{baggage, entries, expected, given, received, sent};
use opentelemetry::{
    baggage::{Baggage, BaggageExt},
    propagation::TextMapPropagator,
};
use otel_w3c_baggage::{BaggagePropagator, BothWays, Limits, Reason, Report, decode, decode_lines, encode};

const KEYS: &[&str] = &["a", "b", "c"];

/// A header of so many bytes: `a=xx…`.
fn long(bytes: usize) -> String {
    format!("a={}", "x".repeat(bytes - 2))
}

fn many(members: usize) -> String {
    (0..members).map(|i| format!("key{i:02}=")).collect::<Vec<_>>().join(",")
}

#[test]
fn sixty_four_members() {
    // What lies behind 180 is not looked at, and counts as one.
    for (members, kept, left_out) in
        [(63, 63, 0), (64, 64, 0), (65, 64, 1), (180, 64, 116), (181, 64, 117), (200, 64, 117)]
    {
        let (read, report) = decode(&many(members), &Limits::new());
        assert_eq!(read.len(), kept, "{members} members in");
        assert_eq!(report.left_out(Reason::TooManyMembers), left_out, "{members} members in");
        assert!(read.get("key00").is_some() && read.get("key64").is_none(), "the leading ones stay");
    }
    for (most, kept) in [(0, 0), (63, 63), (64, 64), (65, 64)] {
        let (header, report) = encode(&decode(&many(64), &Limits::new()).0, &Limits::new().max_members(most));
        assert_eq!(header.split_terminator(',').count(), kept, "at most {most} out");
        assert_eq!(report.kept.members, kept, "at most {most} out");
        assert_eq!(report.left_out(Reason::TooManyMembers), 64 - kept, "at most {most} out");
    }
}

#[test]
fn a_full_baggage_still_takes_the_last_of_one_key() {
    let (read, report) = decode("a=1,b=2,c=3,a=4", &Limits::new().max_members(2));
    assert_eq!(entries(&read), expected(&[("a", "4", ""), ("b", "2", "")]));
    assert_eq!(report.left_out(Reason::TooManyMembers), 1);
    assert_eq!(report.left_out(Reason::Superseded), 1);
}

#[test]
fn eight_kilobytes_in() {
    for bytes in [8191, 8192] {
        let (read, report) = decode(&long(bytes), &Limits::new());
        assert_eq!(read.get("a").unwrap().as_str().len(), bytes - 2, "{bytes} bytes");
        assert_eq!((report.kept.bytes, report.at_risk), (bytes, 1));
    }
    let (read, report) = decode(&long(8193), &Limits::new());
    assert!(read.is_empty(), "no part of a member");
    assert_eq!(report.left_out(Reason::TooManyBytes), 1);
    let (read, _) = decode(&format!("b=1,{}", long(8193)), &Limits::new());
    assert_eq!(entries(&read), expected(&[("b", "1", "")]), "the leading members that fit stay");
}

/// The bytes of the whole baggage-string count, those of properties too.
#[test]
fn properties_count_on_the_way_in() {
    for header in ["a=1;m", "a=1;m;k=v", "a=;m", "tenant=acme,b=2;p=1"] {
        for (most, is_whole) in [(header.len() - 1, false), (header.len(), true), (header.len() + 1, true)] {
            let (read, report) = decode(header, &Limits::new().max_bytes(most));
            assert_eq!(read.len() == header.split(',').count(), is_whole, "{header} in {most} bytes");
            assert_eq!(report.left_out(Reason::TooManyBytes), usize::from(!is_whole), "{header} in {most}");
            if is_whole {
                assert_eq!(report.kept.bytes, header.len(), "{header}");
            }
        }
    }
}

#[test]
fn eight_kilobytes_out() {
    // Each `é` is six bytes on the wire, and `a=` is two.
    let baggage_of = |bytes: usize| {
        let value = "é".repeat(1364) + &"x".repeat(bytes - 2 - 6 * 1364);
        baggage([("a", value.as_str(), ""), ("b", "", "")])
    };
    for (bytes, expected) in [(8188, 8191), (8189, 8192), (8190, 8190), (8192, 8192), (8193, 2)] {
        let (header, report) = encode(&baggage_of(bytes), &Limits::W3C);
        assert_eq!(header.len(), expected, "a member of {bytes} bytes and one of two");
        assert_eq!(report.measured.bytes, bytes + 3);
        assert_eq!(report.kept.bytes, expected);
        assert_eq!(report.is_complete(), bytes + 3 <= 8192);
    }
}

/// Servers refuse lines of 8 KiB, and heads that hold such a line and other headers.
#[test]
fn by_default_8192_bytes_are_read_and_4096_sent() {
    // Two lines that every server takes.
    let line = |key: &str| format!("{key}={}", "x".repeat(4093));
    let cx = BaggagePropagator::new().extract_with_context(&given(), &received(&[&line("a"), &line("b")]));
    assert_eq!(cx.baggage().len(), 2, "8191 bytes are read");
    for (limits, expected) in [
        (Limits::new(), 4095),
        (Limits::new().keep_first(&["b"]), 4095),
        (Limits::W3C, 8191),
        (Limits::W3C.deny(&["b"]), 4095),
    ] {
        let key = if limits.keep_first.contains("b") { "b=" } else { "a=" };
        let (header, report) = encode(cx.baggage(), &limits);
        assert_eq!(header.len(), expected, "{limits:?}");
        assert!(header.starts_with(key), "{limits:?}");
        assert_eq!(report.is_complete(), expected == 8191, "what is left out is reported: {limits:?}");
    }
    for (bytes, expected) in [(4095, 4095), (4096, 4096), (4097, 0)] {
        let (header, _) = encode(&decode(&long(bytes), &Limits::new()).0, &Limits::new());
        assert_eq!(header.len(), expected, "{bytes} bytes");
    }
}

#[test]
fn a_member_that_does_not_fit_lets_shorter_ones_go() {
    let baggage = baggage([("a", "1", ""), ("b", "123456789", ""), ("c", "3", "")]);
    for (most, header) in
        [(2, ""), (3, "a=1"), (6, "a=1"), (7, "a=1,c=3"), (14, "a=1,c=3"), (15, "a=1,b=123456789")]
    {
        assert_eq!(encode(&baggage, &Limits::new().max_bytes(most)).0, header, "{most} bytes");
    }
    assert_eq!(encode(&baggage, &Limits::new().max_bytes(18)).0, "a=1,b=123456789");
    assert_eq!(encode(&baggage, &Limits::new().max_bytes(19)).0, "a=1,b=123456789,c=3");
}

#[test]
fn a_member_s_own_limit() {
    let limits = Limits::new().max_member_bytes(5);
    for (member, kept) in
        [("a=12", true), ("a=123", true), ("a=1;p", true), ("a=1234", false), ("a=%20", true)]
    {
        let (read, report) = decode(&format!("b=1,  {member}  "), &limits);
        assert_eq!(read.get("a").is_some(), kept, "{member} in");
        assert_eq!(report.left_out(Reason::MemberTooLong) == 0, kept, "{member} in");
    }
    for (value, metadata, kept) in [("12", "", true), ("123", "", true), ("1", "p", true), ("é", "", false)]
    {
        let (header, report) = encode(&baggage([("a", value, metadata)]), &limits);
        assert_eq!(!header.is_empty(), kept, "{value} out");
        assert_eq!(report.left_out(Reason::MemberTooLong) == 0, kept, "{value} out");
    }
}

#[test]
fn four_kilobytes_are_a_risk() {
    for (bytes, at_risk) in [(4095, 0), (4096, 0), (4097, 1)] {
        let (read, report) = decode(&long(bytes), &Limits::new());
        assert_eq!((report.kept.members, report.at_risk), (1, at_risk), "{bytes} bytes in");
        let (header, report) = encode(&read, &Limits::W3C);
        assert_eq!((header.len(), report.at_risk), (bytes, at_risk), "{bytes} bytes out");
        assert!(report.is_complete(), "carried all the same");
    }
    let (header, report) =
        encode(&decode(&long(4097), &Limits::new()).0, &Limits::new().max_member_bytes(4096));
    assert_eq!((header.as_str(), report.left_out(Reason::MemberTooLong)), ("", 1));
}

#[test]
fn keys_both_ways() {
    let all = baggage([("a", "1", ""), ("b", "2", ""), ("c", "3", "")]);
    let rows = [
        ("allow", Limits::new().allow(&["b", "x"]), "b=2", Reason::NotAllowed, 2),
        ("allow nothing", Limits::new().allow(&[]), "", Reason::NotAllowed, 3),
        ("deny", Limits::new().deny(&["b", "x"]), "a=1,c=3", Reason::Denied, 1),
        ("deny what is allowed", Limits::new().allow(KEYS).deny(&["a"]), "b=2,c=3", Reason::Denied, 1),
        ("upper case is another key", Limits::new().deny(&["A"]), "a=1,b=2,c=3", Reason::Denied, 0),
    ];
    for (rule, limits, header, reason, left_out) in rows {
        let (written, report) = encode(&all, &limits);
        assert_eq!(written, header, "{rule}, out");
        assert_eq!(report.left_out(reason), left_out, "{rule}, out");
        let (read, report) = decode("a=1,b=2,c=3", &limits);
        assert_eq!(encode(&read, &Limits::new()).0, header, "{rule}, in");
        assert_eq!(report.left_out(reason), left_out, "{rule}, in");
    }
}

#[test]
fn what_stays_longest() {
    let all = baggage([("a", "1", ""), ("b", "2", ""), ("c", "3", "")]);
    let rows = [
        (Limits::new().keep_first(&["c"]), "c=3,a=1,b=2"),
        (Limits::new().keep_first(&["x", "c", "b", "c"]), "c=3,b=2,a=1"),
        (Limits::new().keep_first(&["c", "b"]).max_members(2), "c=3,b=2"),
        (Limits::new().keep_first(&["c"]).max_bytes(3), "c=3"),
    ];
    for (limits, header) in rows {
        assert_eq!(encode(&all, &limits).0, header);
    }
}

#[test]
fn limits_go_over_all_lines() {
    let limits = Limits::new().max_bytes(11);
    let rows: [(&[&str], &str); 8] = [
        (&["a=1", "b=2", "c=3"], "a=1,b=2,c=3"),
        (&["a=1,b=2", "c=3"], "a=1,b=2,c=3"),
        (&["a=1", "b=2", "c=34"], "a=1,b=2"),
        (&["a=1", "b=2,c=34", "d=5"], "a=1,b=2,d=5"),
        (&["a=1", "", "b=2", ",,", "c=3"], "a=1,b=2,c=3"),
        (&["a=1", "b=2", "a=34", "c=5"], "a=34,b=2"),
        (&["a=123456789", "b=2"], "a=123456789"),
        (&["a=1234567890", "b=2"], "b=2"),
    ];
    for (lines, kept) in rows {
        let (baggage, report) = decode_lines(lines, &limits);
        let joined = lines.join(",");
        assert_eq!(encode(&baggage, &Limits::new()).0, kept, "{lines:?}");
        assert_eq!(report.measured.bytes, joined.len(), "{lines:?}");
        let members = joined.split(',').filter(|member| !member.is_empty()).count();
        assert_eq!(report.left_out(Reason::TooManyBytes), members - kept_members(&report), "{lines:?}");
        assert_eq!(entries(&decode(&joined, &limits).0), entries(&baggage), "as one line: {lines:?}");
    }
}

fn kept_members(report: &Report) -> usize {
    report.kept.members + report.left_out(Reason::Superseded)
}

#[test]
fn what_is_padded_is_read() {
    let rows = [
        ("whitespace", format!("a=1,{}b=2", " ".repeat(8195)), 2),
        ("whitespace in a member", format!("a{0}={0}1{0};{0}p,b=2", "\t".repeat(2000)), 2),
        ("empty members", format!("a=1{}b=2", ",".repeat(8195)), 2),
        ("behind all that is looked at", format!("a=1{}b=2", ",".repeat(17_000)), 1),
    ];
    for (rule, header, members) in rows {
        let (baggage, report) = decode(&header, &Limits::new());
        assert_eq!(report.measured.bytes, header.len(), "{rule}");
        assert_eq!(baggage.len(), members, "{rule}");
        assert_eq!(report.is_complete(), members == 2, "{rule}");
    }
    // 8254 bytes are received, of which 8191 are sent on.
    let members: Vec<_> = (10..74).map(|i| format!("k{i}={}", "x".repeat(123))).collect();
    let (baggage, report) = decode(&members.join(", "), &Limits::new());
    assert_eq!((members.join(", ").len(), members.join(",").len()), (8254, 8191));
    assert!(report.is_complete() && baggage.len() == 64);
    assert_eq!(encode(&baggage, &Limits::W3C).0, members.join(","));
}

#[test]
fn what_may_not_come_in_takes_no_room() {
    let header = "x=1,x1=1,x2=1,a=1,x3=1,b=2";
    let limits = Limits::new().max_members(2).allow(&["a", "b"]);
    assert_eq!(entries(&decode(header, &limits).0), expected(&[("a", "1", ""), ("b", "2", "")]));
    let limits = Limits::new().max_bytes(7).deny(&["x*"]);
    assert_eq!(entries(&decode(header, &limits).0), expected(&[("a", "1", ""), ("b", "2", "")]));
    let limits = Limits::new().max_members(1).keep_first(&["b"]);
    assert_eq!(entries(&decode(header, &limits).0), expected(&[("b", "2", "")]), "kept first on the way in");
}

#[test]
fn a_megabyte_is_looked_at_as_far_as_the_limits_go() {
    let megabyte = "key=value,".repeat(100_000);
    let (baggage, report) = decode(&megabyte, &Limits::new());
    assert_eq!(baggage.len(), 1);
    assert_eq!(report.measured.members, 180);
    assert_eq!(report.measured.bytes, megabyte.len());
    assert_eq!(report.left_out(Reason::TooManyMembers), 1, "what lies behind is not counted");
    for megabyte in
        [",".repeat(1_000_000), " ".repeat(1_000_000), "é".repeat(1_000_000), "=".repeat(1_000_000)]
    {
        let (baggage, report) = decode(&megabyte, &Limits::new());
        assert!(baggage.is_empty() && report.measured.members <= 1);
    }
    let lines = vec!["a=1"; 100_000];
    assert_eq!(decode_lines(&lines, &Limits::new()).1.measured.members, 180);
}

/// Upstream's `Baggage` counts what is not escaped, so a higher limit alone does not fill it further.
#[test]
fn what_upstream_refuses_is_reported() {
    let limits = Limits::new().max_bytes(usize::MAX).max_members(usize::MAX);
    let (baggage, report) = decode(&format!("a={},b=2,a=3", "x".repeat(8192)), &limits);
    assert_eq!(entries(&baggage), expected(&[("a", "3", ""), ("b", "2", "")]));
    assert_eq!(report.left_out(Reason::BaggageFull), 1);
    let (baggage, report) = decode(&many(66), &limits);
    assert_eq!((baggage.len(), report.left_out(Reason::BaggageFull)), (64, 2));
    let (baggage, report) = decode(&format!("a=1,b=2,a={}", "x".repeat(8192)), &limits);
    assert_eq!(entries(&baggage), expected(&[("a", "1", ""), ("b", "2", "")]));
    assert_eq!(report.left_out(Reason::BaggageFull), 1, "the last of one key cannot win");
}

#[test]
fn each_way_has_limits_of_its_own() {
    const ONE: Limits = Limits::new().max_members(1);
    let two = || baggage([("a", "1", ""), ("b", "2", "")]);
    let read = |propagator: &BaggagePropagator| -> Baggage {
        let cx = propagator.extract_with_context(&given(), &received(&["a=1,b=2"]));
        cx.baggage().iter().map(|(key, content)| (key.clone(), content.clone())).collect()
    };
    let rows = [
        (BaggagePropagator::new(), 2, "a=1,b=2"),
        (BaggagePropagator::new().with_limits(ONE), 1, "a=1"),
        (BaggagePropagator::new().with_limits(BothWays { inbound: ONE, ..BothWays::new() }), 1, "a=1,b=2"),
        (BaggagePropagator::new().with_limits(BothWays { outbound: ONE, ..BothWays::new() }), 2, "a=1"),
    ];
    for (propagator, members, header) in rows {
        assert_eq!(read(&propagator).len(), members, "{propagator:?}");
        assert_eq!(sent(&propagator, two()).unwrap(), header, "{propagator:?}");
    }
}
