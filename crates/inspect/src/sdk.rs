//! What OpenTelemetry's own propagators make of the same headers, where it is something else: each difference is a row of
//! `docs/from-the-sdk.md`, to the letter.

use crate::{
    carrier::Carrier,
    parts::MAX_MEMBERS,
    report::{Difference, Format, Outcome},
};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
    propagation::{Extractor, TextMapPropagator},
    trace::{SpanContext, TraceContextExt},
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use otel_baggage_limits::Limits;
use otel_tracecontext::{ErrorKind, TraceParent, TraceStateError, TraceStateList};
use otel_w3c_baggage::{decode, encode};
use std::collections::HashMap;

macro_rules! rows {
    ($($name:ident: $row:literal, $sdk:literal, $here:literal;)*) => {
        $(const $name: Difference = Difference { row: $row, sdk: $sdk, here: $here };)*

        /// All that a report may name.
        #[cfg(test)]
        pub(crate) const ROWS: &[Difference] = &[$($name),*];
    };
}

rows! {
    FIELDS: "fields shorter or longer than 2, 32, 16, 2 digits; signs", "accepted", "refused";
    TRAILING_DASH: "version 00 with a trailing `-`", "accepted", "refused";
    TWO_TRACEPARENTS: "two `traceparent` lines", "the first is used", "refused";
    RANDOM_FLAG: "random flag (02)", "cleared", "kept to the end, also through spans that the sampler drops";
    TRACESTATE_LINES: "several `tracestate` lines", "the first is read", "joined in order";
    TRACESTATE_KEYS: "keys such as `foo@@bar` or a long vendor part", "the whole tracestate is dropped", "kept as received";
    TRACESTATE_VALUES: "a value with `=` after the first one, control characters, non-ASCII", "partly accepted",
        "the tracestate is dropped whole, the traceparent stays";
    TRACESTATE_MEMBERS: "more than 32 members", "the first 32 are kept", "dropped whole";
    TRACESTATE_EMPTY: "empty members in a tracestate", "count among the 32 that are read", "passed over";
    NO_TRACESTATE: "no tracestate to send", "`tracestate: ` is sent empty", "nothing is sent";
    BAGGAGE_LINES: "several `baggage` lines", "the first is read", "all, limits over the sum";
    EQUALS_SIGNS: "`a=b=c`", "value `b`", "value `b=c`";
    PERCENT_IN_KEY: "key with `%41`", "decoded", "a token, never decoded";
    INVALID_UTF8: "invalid UTF-8 after decoding", "the member is dropped, the whole header logged", "U+FFFD";
    ENCODED_SPACES: "`a=%20b%20`", "value `b` (trimmed after decoding)", "value ` b `";
    NOT_OCTETS: "raw space, quote, backslash or control character inside a value", "accepted", "the member is skipped";
    METADATA: "metadata", "decoded on the way in, raw on the way out: a comma in it forges a member",
        "opaque; what may not stand in a property is escaped";
    PERCENT_OUT: "`%` and `\\` in a value on the way out", "raw", "escaped";
    EQUALS_OUT: "`=` in a value on the way out", "escaped", "raw, as it may stand there";
    OVER_8192: "header over 8192 bytes", "dropped whole",
        "the members that fit are kept, those of `keep_first` before others";
    OVER_4096: "baggage that encodes to more than 4096 bytes", "sent whole",
        "whole members within the limits, the same on every run; `Limits::W3C` sends 8192";
    TWO_FORMATS: "two trace formats, both valid", "the last one wins",
        "the first one wins; `last_wins` restores the other order";
}

/// The rows that these headers meet, each once.
#[derive(Debug, Default)]
struct Met(Vec<Difference>);

impl Met {
    fn row(&mut self, row: Difference) {
        if !self.0.contains(&row) {
            self.0.push(row);
        }
    }

    fn row_if(&mut self, is_met: bool, row: Difference) {
        if is_met {
            self.row(row);
        }
    }
}

/// What is different for a service with these formats; `read` is what it reads, and `sent` what it sends.
pub(crate) fn differences(
    carrier: &Carrier<'_>,
    formats: &[Format],
    read: Option<&Context>,
    sent: &HashMap<String, String>,
) -> Vec<Difference> {
    let mut met = Met::default();
    if formats.iter().any(|format| format.name == "tracecontext") {
        trace_context(carrier, &mut met);
        let named = formats.iter().any(|it| it.name == "tracecontext" && it.outcome == Outcome::Chosen);
        met.row_if(named && !sent.contains_key("tracestate"), NO_TRACESTATE);
    }
    if let Some(read) = read {
        baggage(carrier, &mut met);
        outbound(read.baggage(), sent.get("baggage").map_or("", String::as_str), &mut met);
    }
    met.row_if(formats.iter().any(|it| it.outcome == Outcome::Conflicts), TWO_FORMATS);
    met.0
}

fn trace_context(carrier: &Carrier<'_>, met: &mut Met) {
    let sdk = span(&TraceContextPropagator::new(), carrier);
    let ours = span(&otel_tracecontext::TraceContextPropagator::new(), carrier);
    if !sdk.is_valid() {
        return;
    }
    if !ours.is_valid() {
        let first = TraceParent::parse(carrier.get("traceparent").unwrap_or_default());
        return met.row(match first.map_err(otel_tracecontext::ParseError::kind) {
            Ok(_) => TWO_TRACEPARENTS,
            Err(_) if carrier.count("traceparent") > 1 => TWO_TRACEPARENTS,
            Err(ErrorKind::TrailingData) => TRAILING_DASH,
            Err(_) => FIELDS,
        });
    }
    met.row_if(sdk.trace_flags() != ours.trace_flags(), RANDOM_FLAG);
    let joined = carrier.joined("tracestate");
    let ours = TraceStateList::parse(&joined);
    let sent = ours.as_ref().map(ToString::to_string).unwrap_or_default();
    if sdk.trace_state().header() == sent {
        return;
    }
    met.row(match ours {
        _ if carrier.count("tracestate") > 1 => TRACESTATE_LINES,
        Ok(list) if list.iter().any(is_refused_upstream) => TRACESTATE_KEYS,
        Ok(_) => TRACESTATE_EMPTY,
        Err(TraceStateError::TooManyMembers | TraceStateError::TooLong) => TRACESTATE_MEMBERS,
        Err(_) => TRACESTATE_VALUES,
    });
}

fn is_refused_upstream(member: (&str, &str)) -> bool {
    opentelemetry::trace::TraceState::from_key_value([member]).is_err()
}

fn baggage(carrier: &Carrier<'_>, met: &mut Met) {
    let sdk = BaggagePropagator::new().extract_with_context(&Context::new(), carrier);
    let ours = otel_w3c_baggage::BaggagePropagator::new().extract_with_context(&Context::new(), carrier);
    if same(sdk.baggage(), ours.baggage()) {
        return;
    }
    met.row_if(carrier.count("baggage") > 1, BAGGAGE_LINES);
    met.row_if(carrier.get("baggage").is_some_and(|line| line.len() > 8192), OVER_8192);
    let header = carrier.joined("baggage");
    header.split(',').map(str::trim).take(MAX_MEMBERS).for_each(|text| member(text, met));
}

/// What is different about one member.
fn member(text: &str, met: &mut Met) {
    let alone = HashMap::from([("baggage".to_owned(), text.to_owned())]);
    let sdk = BaggagePropagator::new().extract_with_context(&Context::new(), &alone);
    let (sdk, (ours, report)) = (sdk.baggage(), decode(text, &Limits::W3C));
    if same(sdk, &ours) {
        return;
    }
    let (key, rest) = text.split_once('=').unwrap_or((text, ""));
    let value = rest.split(';').next().unwrap_or_default();
    let decoded = ours.get(key.trim()).map_or("", |value| value.as_str());
    let before = met.0.len();
    met.row_if(key.contains('%'), PERCENT_IN_KEY);
    met.row_if(value.contains('='), EQUALS_SIGNS);
    met.row_if(decoded.contains('\u{fffd}') && sdk.is_empty(), INVALID_UTF8);
    met.row_if(decoded != decoded.trim(), ENCODED_SPACES);
    met.row_if(!report.is_complete(), NOT_OCTETS);
    if met.0.len() == before && rest.contains(';') {
        met.row(METADATA);
    }
}

/// What is different about what is sent.
fn outbound(baggage: &Baggage, sent: &str, met: &mut Met) {
    let mut bytes = 0;
    for (key, (value, metadata)) in baggage {
        let mut one = Baggage::new();
        one.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        let (ours, _) = encode(&one, &Limits::W3C);
        let mut headers = HashMap::new();
        BaggagePropagator::new().inject_context(&Context::new().with_baggage(one), &mut headers);
        let sdk = headers.remove("baggage").unwrap_or_default();
        bytes += sdk.len() + 1;
        if sdk != ours {
            met.row_if(value.as_str().contains(['%', '\\']), PERCENT_OUT);
            met.row_if(value.as_str().contains('='), EQUALS_OUT);
            met.row_if(!metadata.as_str().is_empty(), METADATA);
        }
    }
    met.row_if(bytes > 4097 && sent.len() + 1 < bytes, OVER_4096);
}

fn span(propagator: &impl TextMapPropagator, carrier: &Carrier<'_>) -> SpanContext {
    propagator.extract_with_context(&Context::new(), carrier).span().span_context().clone()
}

fn same(one: &Baggage, other: &Baggage) -> bool {
    one.len() == other.len()
        && one.iter().all(|(key, content)| other.get_with_metadata(key.as_str()) == Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Config, Request, inspect};
    use proptest::prelude::*;
    use std::{fs, path::Path};

    #[test]
    fn every_row_is_one_of_the_page() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
        if !docs.exists() {
            return; // The package alone: the page is not in it.
        }
        let page = fs::read_to_string(docs.join("from-the-sdk.md")).unwrap_or_default();
        let lines: Vec<Vec<&str>> =
            page.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
        for Difference { row, sdk, here } in ROWS {
            let is_there = lines
                .iter()
                .any(|cells| matches!(cells.as_slice(), ["", a, b, c, ..] if [a, b, c] == [row, sdk, here]));
            assert!(is_there, "| {row} | {sdk} | {here} |");
        }
    }

    #[test]
    fn each_row_is_met_by_headers() {
        const TRACE: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let many = (0..33).map(|at| format!("k{at}=v")).collect::<Vec<_>>().join(",");
        let long = |bytes| {
            format!(
                "baggage: {}",
                (0..bytes / 1000)
                    .map(|at| format!("k{at}={}", "x".repeat(995)))
                    .collect::<Vec<_>>()
                    .join(",")
            )
        };
        let rows = [
            (FIELDS, TRACE.replace("b7ad", "b7a")),
            (TRAILING_DASH, format!("{TRACE}-")),
            (TWO_TRACEPARENTS, format!("{TRACE}\n{TRACE}")),
            (RANDOM_FLAG, TRACE.replace("-01", "-03")),
            (TRACESTATE_LINES, format!("{TRACE}\ntracestate: a=1\ntracestate: b=2")),
            (TRACESTATE_KEYS, format!("{TRACE}\ntracestate: foo@@bar=1")),
            (TRACESTATE_VALUES, format!("{TRACE}\ntracestate: a=b\tc")),
            (TRACESTATE_MEMBERS, format!("{TRACE}\ntracestate: {many}")),
            (TRACESTATE_EMPTY, format!("{TRACE}\ntracestate: a=1{}b=2", ",".repeat(40))),
            (NO_TRACESTATE, TRACE.to_owned()),
            (BAGGAGE_LINES, "baggage: a=1\nbaggage: b=2".to_owned()),
            (EQUALS_SIGNS, "baggage: a=b=c".to_owned()),
            (PERCENT_IN_KEY, "baggage: %41=1".to_owned()),
            (INVALID_UTF8, "baggage: a=%FF".to_owned()),
            (ENCODED_SPACES, "baggage: a=%20b%20".to_owned()),
            (NOT_OCTETS, "baggage: a=b c".to_owned()),
            (METADATA, "baggage: a=1;note=%2C".to_owned()),
            (PERCENT_OUT, "baggage: a=%25".to_owned()),
            (EQUALS_OUT, "baggage: a=%3D".to_owned()),
            (OVER_8192, long(9000)),
            (OVER_4096, long(6000)),
            (TWO_FORMATS, format!("{TRACE}\nb3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1")),
        ];
        assert_eq!(rows.len(), ROWS.len());
        let config = Config::new("b3,tracecontext,baggage").unwrap();
        let w3c = Config::default();
        for (row, text) in rows {
            let config = if row == TWO_FORMATS { &config } else { &w3c };
            let report = inspect(&Request::parse(text.as_bytes()), config);
            assert!(report.sdk.contains(&row), "{text}: {:?} has no {row:?}", report.sdk);
        }
    }

    #[test]
    fn no_row_without_a_difference() {
        let text = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\ntracestate: a=1\nbaggage: a=1;ttl=3,b=%20x%20y";
        assert_eq!(
            inspect(&Request::parse(text.replace("%20x%20", "x%20").as_bytes()), &Config::default()).sdk,
            []
        );
    }

    proptest! {
        /// Whatever is read otherwise has a row.
        #[test]
        fn a_difference_has_a_row(members in prop::collection::vec("[ab%4 =;1,\"\\\\\t]{0,12}", 1..4)) {
            let text = members.join(",");
            let request = Request::new([("baggage", text.as_str())]);
            let sdk = BaggagePropagator::new().extract_with_context(&Context::new(), &Carrier(&request));
            let (ours, _) = decode(&text, &Limits::W3C);
            let mut met = Met::default();
            baggage(&Carrier(&request), &mut met);
            prop_assert_eq!(met.0.is_empty(), same(sdk.baggage(), &ours), "{:?}", met);
        }

        #[test]
        fn a_difference_in_a_trace_has_a_row(
            flags in "[0-9a-f]{2}", rest in "(-|-x|)", state in "[ab@,= \t1]{0,12}", version in "(00|01|ff|0)",
        ) {
            let text = format!("{version}-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}{rest}");
            let request = Request::new([("traceparent", text.as_str()), ("tracestate", state.as_str())]);
            let carrier = Carrier(&request);
            let sdk = span(&TraceContextPropagator::new(), &carrier);
            let ours = span(&otel_tracecontext::TraceContextPropagator::new(), &carrier);
            let mut met = Met::default();
            trace_context(&carrier, &mut met);
            if sdk != ours {
                prop_assert!(!met.0.is_empty(), "{:?} {:?}", sdk, ours);
            }
        }
    }
}
