//! The rows of the matrix: header lines, and what the specifications say that they mean.

use crate::{
    protocol::{
        Context, Entry, Format, Header,
        Sampling::{self, Accept, Debug, Defer, Deny},
    },
    reading::Reading,
};

type Lines<'a> = &'a [(&'a str, &'a str)];
type Entries<'a> = &'a [(&'a str, &'a str, &'a str)];

/// Header lines and their meaning.
pub(crate) struct Case {
    pub(crate) format: Format,
    /// What the row is about: plain, escapes, properties, several lines, limits, sampling, tracestate, malformed.
    pub(crate) about: &'static str,
    pub(crate) name: &'static str,
    pub(crate) headers: Vec<Header>,
    /// The same as a context of the API's making.
    pub(crate) context: Context,
    pub(crate) meaning: Reading,
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SHORT: &str = "00000000000000008448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

pub(crate) fn all() -> Vec<Case> {
    let mut cases = trace_context();
    cases.extend(baggage());
    cases.extend(b3());
    cases.extend(b3_multi());
    cases.extend(jaeger());
    cases.extend(xray());
    cases.extend(ot_trace());
    cases
}

fn case(format: Format, about: &'static str, name: &'static str, lines: Lines<'_>, context: Context) -> Case {
    let headers = lines.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let meaning = Reading::of_context(format, &context, context.sampling);
    Case { format, about, name, headers, context, meaning }
}

fn span(trace_id: &str, flags: u8) -> Context {
    Context {
        trace_id: Some(trace_id.to_owned()),
        span_id: Some(SPAN.to_owned()),
        flags,
        ..Context::default()
    }
}

// --- traceparent, tracestate -----------------------------------------------------------------------------------

fn trace_context() -> Vec<Case> {
    let parents = [
        ("plain", "sampled", "00-TRACE-SPAN-01", Some(1)),
        ("plain", "not sampled", "00-TRACE-SPAN-00", Some(0)),
        ("plain", "sampled and random", "00-TRACE-SPAN-03", Some(3)),
        ("plain", "a later version", "01-TRACE-SPAN-01-more", Some(1)),
        ("malformed", "flags without a meaning", "00-TRACE-SPAN-fd", Some(1)),
        ("malformed", "version ff", "ff-TRACE-SPAN-01", None),
        ("malformed", "version 00 with more", "00-TRACE-SPAN-01-more", None),
        ("malformed", "a trailing dash", "00-TRACE-SPAN-01-", None),
        ("malformed", "upper case", "00-0AF7651916CD43DD8448EB211C80319C-SPAN-01", None),
        ("malformed", "no span id", "00-TRACE-0000000000000000-01", None),
        ("malformed", "a no-break space after it", "00-TRACE-SPAN-01\u{a0}", None),
    ];
    let mut cases: Vec<_> = parents
        .into_iter()
        .map(|(about, name, value, flags)| {
            let value = value.replace("TRACE", TRACE).replace("SPAN", SPAN);
            let context = flags.map(|flags| span(TRACE, flags)).unwrap_or_default();
            case(Format::TraceContext, about, name, &[("traceparent", &value)], context)
        })
        .collect();
    let parent = format!("00-{TRACE}-{SPAN}-01");
    let twice = [("traceparent", parent.as_str()), ("traceparent", parent.as_str())];
    cases.push(case(Format::TraceContext, "several lines", "traceparent twice", &twice, Context::default()));
    cases.extend(trace_states(&parent));
    cases
}

fn trace_states(parent: &str) -> Vec<Case> {
    let (widest, over) = (members(32, "="), members(33, "="));
    let long = format!("{}={}", "k".repeat(256), "v".repeat(256));
    let rows: [(_, _, &[&str], &str); 13] = [
        (
            "tracestate",
            "two members",
            &["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
            "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
        ),
        ("tracestate", "a tenant", &["tenant@system=1"], "tenant@system=1"),
        ("tracestate", "a key that begins with a digit", &["0day=1"], "0day=1"),
        ("tracestate", "a key with two @", &["a@b@c=1"], "a@b@c=1"),
        ("tracestate", "empty members, whitespace", &["a=1 ,, \tb=2,"], "a=1,b=2"),
        ("tracestate", "a member of whitespace", &["a=1, ,b=2"], "a=1,b=2"),
        ("tracestate", "a leading space in a value", &["a= 1"], "a= 1"),
        ("several lines", "tracestate on two lines", &["a=1", "b=2"], "a=1,b=2"),
        ("limits", "32 members", &[&widest], &widest),
        ("limits", "33 members", &[&over], ""),
        ("limits", "256 characters a key and a value", &[&long], &long),
        ("malformed", "a broken member", &["a=1,B=2"], ""),
        ("tracestate", "a key twice", &["a=1,b=2,a=3"], "a=1,b=2,a=3"),
    ];
    let build = |(about, name, lines, meaning): (_, _, &[&str], &str)| {
        let lines = lines.iter().map(|line| ("tracestate", *line));
        let lines: Vec<_> = std::iter::once(("traceparent", parent)).chain(lines).collect();
        let context = Context { tracestate: Some(meaning.to_owned()), ..span(TRACE, 1) };
        case(Format::TraceContext, about, name, &lines, context)
    };
    rows.into_iter().map(build).collect()
}

/// So many members: `k0=v,k1=v`.
fn members(count: usize, equals: &str) -> String {
    (0..count).map(|i| format!("k{i}{equals}v")).collect::<Vec<_>>().join(",")
}

// --- baggage ---------------------------------------------------------------------------------------------------

const BAGGAGE: &[(&str, &str, &[&str], Entries<'static>)] = &[
    (
        "plain",
        "two members",
        &["tenant=acme-retail,user=42"],
        &[("tenant", "acme-retail", ""), ("user", "42", "")],
    ),
    ("plain", "an empty value", &["a="], &[("a", "", "")]),
    ("plain", "an equals sign in a value", &["a=b=c"], &[("a", "b=c", "")]),
    ("plain", "whitespace around everything", &[" a = 1 , b\t=\t2 "], &[("a", "1", ""), ("b", "2", "")]),
    ("plain", "every mark of a token", &["a!#$&'*+-.^_`|~=1"], &[("a!#$&'*+-.^_`|~", "1", "")]),
    ("plain", "a key twice", &["a=1,a=2"], &[("a", "2", "")]),
    ("escapes", "a space", &["a=b%20c"], &[("a", "b c", "")]),
    ("escapes", "spaces at both ends", &["a=%20b%20"], &[("a", " b ", "")]),
    ("escapes", "structural marks", &["a=%2C%3B%3D%22%5C"], &[("a", ",;=\"\\", "")]),
    ("escapes", "a percent sign", &["a=100%25"], &[("a", "100%", "")]),
    ("escapes", "a plus", &["a=1+2"], &[("a", "1+2", "")]),
    (
        "escapes",
        "other languages",
        &["a=Am%C3%A9lie%E2%82%AC%F0%9F%A6%80"],
        &[("a", "Am\u{e9}lie\u{20ac}\u{1f980}", "")],
    ),
    ("escapes", "bytes that are not UTF-8", &["a=x%FFy"], &[("a", "x\u{fffd}y", "")]),
    ("escapes", "a character cut short", &["a=x%E2%82y"], &[("a", "x\u{fffd}y", "")]),
    ("escapes", "a key that looks escaped", &["a%20b=1"], &[("a%20b", "1", "")]),
    ("escapes", "a control character", &["a=x%0D%0Ay"], &[("a", "x\r\ny", "")]),
    ("properties", "a flag and a pair", &["a=1;p=2;q,b=3"], &[("a", "1", "p=2;q"), ("b", "3", "")]),
    ("properties", "whitespace", &["a=1 ; p = 2 ; q"], &[("a", "1", "p=2;q")]),
    ("properties", "an escape", &["a=1;p=%2Cadmin%3Dtrue"], &[("a", "1", "p=%2Cadmin%3Dtrue")]),
    ("properties", "a comma in metadata", &["a=1;p=2%2Cadmin%3Dtrue"], &[("a", "1", "p=2,admin=true")]),
    ("malformed", "a no-break space ends a property", &["a=1;p=\u{a0}"], &[("a", "1", "p=")]),
    ("several lines", "two lines", &["a=1", "b=2"], &[("a", "1", ""), ("b", "2", "")]),
    ("malformed", "no equals sign", &["a=1,b,c=3"], &[("a", "1", ""), ("c", "3", "")]),
    ("malformed", "a key that is no token", &["a=1,b(=2,c=3"], &[("a", "1", ""), ("c", "3", "")]),
    ("malformed", "a property without a member", &["a=1,;p=2"], &[("a", "1", "")]),
    ("malformed", "an empty member", &["a=1,,b=2"], &[("a", "1", ""), ("b", "2", "")]),
];

fn baggage() -> Vec<Case> {
    let build = |&(about, name, lines, entries): &(_, _, &[&str], Entries<'_>)| {
        let lines: Vec<_> = lines.iter().map(|line| ("baggage", *line)).collect();
        case(Format::Baggage, about, name, &lines, entries_context(entries))
    };
    let mut cases: Vec<_> = BAGGAGE.iter().map(build).collect();
    cases.extend(baggage_limits());
    cases
}

fn entries_context(entries: Entries<'_>) -> Context {
    let entry = |&(key, value, metadata): &(&str, &str, &str)| Entry {
        key: key.to_owned(),
        value: value.to_owned(),
        metadata: Some(metadata.to_owned()).filter(|metadata| !metadata.is_empty()),
    };
    Context { baggage: entries.iter().map(entry).collect(), ..Context::default() }
}

fn baggage_limits() -> Vec<Case> {
    let rows = [
        ("64 members", 64, "v".to_owned(), 64),
        ("65 members", 65, "v".to_owned(), 64),
        ("a member of 4096 bytes", 1, "v".repeat(4096 - 3), 1),
        ("a member of 4097 bytes", 1, "v".repeat(4097 - 3), 1),
        ("8192 bytes in two members", 2, "v".repeat(4095 - 3 + 1 - 1), 2),
        ("8192 bytes in sixteen members", 16, "v".repeat(511 - 4), 16),
        ("over 8192 bytes", 17, "v".repeat(511 - 4), 16),
    ];
    let build = |(name, count, value, kept): (_, usize, String, usize)| {
        let keys: Vec<_> =
            (0..count).map(|i| if count > 2 { format!("k{i:02}") } else { format!("k{i}") }).collect();
        let header = keys.iter().map(|key| format!("{key}={value}")).collect::<Vec<_>>().join(",");
        let entries: Vec<_> = keys.iter().take(kept).map(|key| (key.as_str(), value.as_str(), "")).collect();
        case(Format::Baggage, "limits", name, &[("baggage", &header)], entries_context(&entries))
    };
    rows.into_iter().map(build).collect()
}

// --- b3 --------------------------------------------------------------------------------------------------------

/// Ids and sampling state.
type Meaning = (Option<&'static str>, Option<Sampling>);

fn b3_context((trace_id, sampling): Meaning) -> Context {
    let flags = u8::from(matches!(sampling, Some(Sampling::Accept | Sampling::Debug)));
    Context { sampling, ..trace_id.map(|id| span(id, flags)).unwrap_or_default() }
}

const NOTHING: Meaning = (None, None);

const B3: &[(&str, &str, &str, Meaning)] = &[
    ("plain", "accept", "TRACE-SPAN-1", (Some(TRACE), Some(Accept))),
    ("plain", "a 64-bit trace id", "8448eb211c80319c-SPAN-1", (Some(SHORT), Some(Accept))),
    ("plain", "with a parent", "TRACE-SPAN-1-05e3ac9a4f6e3b90", (Some(TRACE), Some(Accept))),
    ("sampling", "deny", "TRACE-SPAN-0", (Some(TRACE), Some(Deny))),
    ("sampling", "defer", "TRACE-SPAN", (Some(TRACE), Some(Defer))),
    ("sampling", "debug", "TRACE-SPAN-d", (Some(TRACE), Some(Debug))),
    ("sampling", "a parent and no state", "TRACE-SPAN-05e3ac9a4f6e3b90", (Some(TRACE), Some(Defer))),
    ("sampling", "deny alone", "0", (None, Some(Deny))),
    ("sampling", "accept alone", "1", (None, Some(Accept))),
    ("sampling", "debug alone", "d", (None, Some(Debug))),
    ("malformed", "upper case", "0AF7651916CD43DD8448EB211C80319C-SPAN-1", NOTHING),
    ("malformed", "a state that is none", "TRACE-SPAN-2", NOTHING),
    ("malformed", "a trailing dash", "TRACE-SPAN-1-", NOTHING),
    ("malformed", "another separator", "TRACE-SPAN_1", NOTHING),
    ("malformed", "only a trace id", "TRACE", NOTHING),
    ("malformed", "no span id", "TRACE-0000000000000000-1", NOTHING),
    ("malformed", "a trace id of 24 digits", "8448eb211c80319c8448eb21-SPAN-1", NOTHING),
];

fn b3() -> Vec<Case> {
    let build = |&(about, name, value, meaning): &(_, _, &str, _)| {
        let value = value.replace("TRACE", TRACE).replace("SPAN", SPAN);
        case(Format::B3, about, name, &[("b3", &value)], b3_context(meaning))
    };
    B3.iter().map(build).collect()
}

const IDS: Lines<'_> = &[("x-b3-traceid", TRACE), ("x-b3-spanid", SPAN)];
const SHORT_IDS: Lines<'_> = &[("x-b3-traceid", "8448eb211c80319c"), ("x-b3-spanid", SPAN)];

const B3_MULTI: &[(&str, &str, Lines<'static>, Lines<'static>, Meaning)] = &[
    ("plain", "accept", IDS, &[("x-b3-sampled", "1")], (Some(TRACE), Some(Accept))),
    ("plain", "a 64-bit trace id", SHORT_IDS, &[("x-b3-sampled", "1")], (Some(SHORT), Some(Accept))),
    (
        "plain",
        "with a parent",
        IDS,
        &[("x-b3-sampled", "1"), ("x-b3-parentspanid", SPAN)],
        (Some(TRACE), Some(Accept)),
    ),
    (
        "plain",
        "the single header in front",
        IDS,
        &[("b3", "8448eb211c80319c-b7ad6b7169203331-1")],
        (Some(SHORT), Some(Accept)),
    ),
    ("sampling", "deny", IDS, &[("x-b3-sampled", "0")], (Some(TRACE), Some(Deny))),
    ("sampling", "defer", IDS, &[], (Some(TRACE), Some(Defer))),
    ("sampling", "debug", IDS, &[("x-b3-flags", "1")], (Some(TRACE), Some(Debug))),
    ("sampling", "true", IDS, &[("x-b3-sampled", "true")], (Some(TRACE), Some(Accept))),
    ("sampling", "false", IDS, &[("x-b3-sampled", "false")], (Some(TRACE), Some(Deny))),
    (
        "sampling",
        "flags other than 1",
        IDS,
        &[("x-b3-flags", "0"), ("x-b3-sampled", "1")],
        (Some(TRACE), Some(Accept)),
    ),
    ("sampling", "deny alone", &[], &[("x-b3-sampled", "0")], (None, Some(Deny))),
    ("sampling", "debug alone", &[], &[("x-b3-flags", "1")], (None, Some(Debug))),
    ("sampling", "debug alone in b3, ids beside it", IDS, &[("b3", "d")], (None, Some(Debug))),
    ("malformed", "no span id", &[("x-b3-traceid", TRACE)], &[], NOTHING),
    (
        "malformed",
        "a span id of 15 digits",
        &[("x-b3-traceid", TRACE)],
        &[("x-b3-spanid", "7ad6b7169203331")],
        NOTHING,
    ),
    ("malformed", "a state that is none", IDS, &[("x-b3-sampled", "2")], NOTHING),
    ("malformed", "a broken parent", IDS, &[("x-b3-parentspanid", "-")], NOTHING),
];

fn b3_multi() -> Vec<Case> {
    let build = |&(about, name, ids, rest, meaning): &(_, _, Lines<'_>, Lines<'_>, _)| {
        case(Format::B3Multi, about, name, &[ids, rest].concat(), b3_context(meaning))
    };
    B3_MULTI.iter().map(build).collect()
}

// --- jaeger, x-ray, ot trace -----------------------------------------------------------------------------------

/// A header line, its meaning, and what goes on that no API shows.
type Row = (&'static str, &'static str, &'static str, Meaning, &'static str);

fn of_rows(format: Format, header: &str, rows: &[Row]) -> Vec<Case> {
    let build = |&(about, name, value, meaning, more): &Row| {
        let value = value.replace("TRACE", TRACE).replace("SPAN", SPAN);
        let case = case(format, about, name, &[(header, &value)], b3_context(meaning));
        Case { meaning: Reading { more: more.to_owned(), ..case.meaning }, ..case }
    };
    rows.iter().map(build).collect()
}

const PADDED: &str = "000000000000004d0000000000000016";

const JAEGER: &[Row] = &[
    ("plain", "accept", "TRACE:SPAN:0:1", (Some(TRACE), Some(Accept)), ""),
    ("plain", "with a parent", "TRACE:SPAN:05e3ac9a4f6e3b90:01", (Some(TRACE), Some(Accept)), ""),
    ("plain", "no parent", "TRACE:SPAN::1", (Some(TRACE), Some(Accept)), ""),
    ("plain", "a short trace id", "4d0000000000000016:SPAN:0:1", (Some(PADDED), Some(Accept)), ""),
    ("plain", "upper case", "0AF7651916CD43DD8448EB211C80319C:SPAN:0:1", (Some(TRACE), Some(Accept)), ""),
    ("escapes", "colons escaped", "TRACE%3ASPAN%3a0%3A1", (Some(TRACE), Some(Accept)), ""),
    ("sampling", "deny", "TRACE:SPAN:0:0", (Some(TRACE), Some(Deny)), ""),
    ("sampling", "debug", "TRACE:SPAN:0:3", (Some(TRACE), Some(Debug)), ""),
    ("sampling", "debug without sampled", "TRACE:SPAN:0:2", (Some(TRACE), Some(Deny)), ""),
    ("sampling", "firehose", "TRACE:SPAN:0:9", (Some(TRACE), Some(Accept)), "firehose"),
    ("sampling", "flags of ten", "TRACE:SPAN:0:10", (Some(TRACE), Some(Deny)), ""),
    ("malformed", "flags of three digits", "TRACE:SPAN:0:100", NOTHING, ""),
    ("malformed", "no flags", "TRACE:SPAN:0:", NOTHING, ""),
    ("malformed", "three fields", "TRACE:SPAN:1", NOTHING, ""),
    ("malformed", "a parent that is none", "TRACE:SPAN:zz:1", NOTHING, ""),
    ("malformed", "no span id", "TRACE:0:0:1", NOTHING, ""),
];

fn jaeger() -> Vec<Case> {
    let mut cases = of_rows(Format::Jaeger, "uber-trace-id", JAEGER);
    let header = format!("{TRACE}:{SPAN}:0:1");
    let with = |about, name, value, meaning| {
        let lines = [("uber-trace-id", header.as_str()), ("uberctx-key1", value)];
        let context = Context { sampling: Some(Accept), ..span(TRACE, 1) };
        let context = Context { baggage: entries_context(&[("key1", meaning, "")]).baggage, ..context };
        case(Format::Jaeger, about, name, &lines, context)
    };
    cases.push(with("baggage", "Jaeger's example", "value%201%20%2F%20blah", "value 1 / blah"));
    cases.push(with("baggage", "a plus", "a+b", "a b"));
    cases.push(with("baggage", "a comma", "a,b", "a,b"));
    cases
}

const XRAY: &[Row] = &[
    ("plain", "accept", "Root=ROOT;Parent=SPAN;Sampled=1", (Some(TRACE), Some(Accept)), ""),
    ("plain", "another order, spaces", "Sampled=1; Parent=SPAN; Root=ROOT", (Some(TRACE), Some(Accept)), ""),
    (
        "plain",
        "a load balancer's Self",
        "Self=1-2-3;Root=ROOT;Parent=SPAN;Sampled=0",
        (Some(TRACE), Some(Deny)),
        "",
    ),
    (
        "plain",
        "a key of somebody's",
        "Root=ROOT;Parent=SPAN;Sampled=1;Foo=bar",
        (Some(TRACE), Some(Accept)),
        "",
    ),
    ("sampling", "deny", "Root=ROOT;Parent=SPAN;Sampled=0", (Some(TRACE), Some(Deny)), ""),
    ("sampling", "asked", "Root=ROOT;Parent=SPAN;Sampled=?", (Some(TRACE), Some(Defer)), ""),
    ("sampling", "missing", "Root=ROOT;Parent=SPAN", (Some(TRACE), Some(Defer)), ""),
    ("sampling", "a state that is none", "Root=ROOT;Parent=SPAN;Sampled=2", (Some(TRACE), Some(Defer)), ""),
    (
        "lineage",
        "kept",
        "Root=ROOT;Parent=SPAN;Sampled=1;Lineage=32767:e65a2c4d:255",
        (Some(TRACE), Some(Accept)),
        "32767:e65a2c4d:255",
    ),
    (
        "lineage",
        "broken",
        "Root=ROOT;Parent=SPAN;Sampled=1;Lineage=1:badc0de:13",
        (Some(TRACE), Some(Accept)),
        "",
    ),
    (
        "lineage",
        "a key that begins so",
        "Root=ROOT;Parent=SPAN;Sampled=1;Lineage2=32767:e65a2c4d:255",
        (Some(TRACE), Some(Accept)),
        "",
    ),
    (
        "plain",
        "a space behind an equals sign",
        "Root=ROOT;Parent=SPAN;Sampled= 1",
        (Some(TRACE), Some(Accept)),
        "",
    ),
    ("sampling", "a no-break space", "Root=ROOT;Parent=SPAN;Sampled=1\u{a0}", (Some(TRACE), Some(Defer)), ""),
    ("root", "from a load balancer", "Root=ROOT", NOTHING, "ROOT"),
    ("root", "and a decision", "Root=ROOT;Sampled=1", (None, Some(Accept)), "ROOT"),
    ("malformed", "a key that begins with Root", "Root2=ROOT;Parent=SPAN;Sampled=1", NOTHING, ""),
    ("malformed", "version 2", "Root=2-0af76519-16cd43dd8448eb211c80319c;Parent=SPAN;Sampled=1", NOTHING, ""),
    ("malformed", "a parent of 15 digits", "Root=ROOT;Parent=7ad6b7169203331;Sampled=1", NOTHING, ""),
    (
        "malformed",
        "Root twice",
        "Root=ROOT;Root=1-00000000-000000000000000000000001;Parent=SPAN;Sampled=1",
        NOTHING,
        "",
    ),
];

fn xray() -> Vec<Case> {
    let root = "1-0af76519-16cd43dd8448eb211c80319c";
    let mut cases = of_rows(Format::Xray, "x-amzn-trace-id", XRAY);
    for case in &mut cases {
        for text in case.headers.iter_mut().map(|(_, value)| value).chain([&mut case.meaning.more]) {
            *text = text.replace("ROOT", root);
        }
    }
    cases
}

const OT_IDS: Lines<'_> = &[("ot-tracer-traceid", "8448eb211c80319c"), ("ot-tracer-spanid", SPAN)];

/// The lines beside the ids, and the baggage.
const OT_TRACE: &[(&str, &str, Lines<'static>, Option<Sampling>, Entries<'static>)] = &[
    ("plain", "accept", &[("ot-tracer-sampled", "true")], Some(Accept), &[]),
    ("sampling", "deny", &[("ot-tracer-sampled", "false")], Some(Deny), &[]),
    ("sampling", "defer", &[], Some(Defer), &[]),
    ("sampling", "1", &[("ot-tracer-sampled", "1")], Some(Accept), &[]),
    ("sampling", "True", &[("ot-tracer-sampled", "True")], Some(Accept), &[]),
    ("malformed", "a state that is none", &[("ot-tracer-sampled", "x")], None, &[]),
    (
        "baggage",
        "plain",
        &[("ot-tracer-sampled", "true"), ("ot-baggage-a", "1")],
        Some(Accept),
        &[("a", "1", "")],
    ),
    (
        "baggage",
        "nothing is escaped",
        &[("ot-tracer-sampled", "true"), ("ot-baggage-a", "1%202")],
        Some(Accept),
        &[("a", "1%202", "")],
    ),
];

fn ot_trace() -> Vec<Case> {
    let build =
        |&(about, name, rest, sampling, entries): &(_, _, Lines<'_>, Option<Sampling>, Entries<'_>)| {
            let meaning = if sampling.is_some() { (Some(SHORT), sampling) } else { NOTHING };
            let context = Context { baggage: entries_context(entries).baggage, ..b3_context(meaning) };
            case(Format::OtTrace, about, name, &[OT_IDS, rest].concat(), context)
        };
    let mut cases: Vec<_> = OT_TRACE.iter().map(build).collect();
    let accept = |name, trace, context| {
        let lines = [("ot-tracer-traceid", trace), ("ot-tracer-spanid", SPAN), ("ot-tracer-sampled", "true")];
        case(Format::OtTrace, "plain", name, &lines, context)
    };
    let short = b3_context((Some("000000000000000000000000000004d2"), Some(Accept)));
    cases.push(accept("a short trace id", "4d2", short));
    cases.push(accept("a trace id of 24 digits", "8448eb211c80319c8448eb21", Context::default()));
    cases
}
