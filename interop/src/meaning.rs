//! What headers mean by the letter of the specifications, told a second time and in the plainest way.
//!
//! It shares no line with our crates. Whatever we read, here or of what a peer sent, is held against this, so that no
//! class of a peer's differences can excuse a fault of ours: a class says how a peer departs from what is here.

use crate::{
    protocol::{
        Format, Header,
        Sampling::{self, Accept, Debug, Defer, Deny},
    },
    reading::{Reading, properties},
};
use percent_encoding::percent_decode_str;
use std::collections::BTreeMap;

type Baggage = BTreeMap<String, (String, String)>;

pub(crate) fn of(format: Format, headers: &[Header]) -> Reading {
    let headers = Headers(headers);
    match format {
        Format::TraceContext => trace_context(headers),
        Format::Baggage => {
            Some(Reading { baggage: baggage(&headers.lines("baggage")), ..Reading::default() })
        }
        Format::B3 | Format::B3Multi => b3(headers),
        Format::Jaeger => Some(jaeger(headers)),
        Format::Xray => headers.only("x-amzn-trace-id").and_then(xray),
        Format::OtTrace => ot_trace(headers),
    }
    .unwrap_or_default()
}

#[derive(Clone, Copy)]
struct Headers<'a>(&'a [Header]);

impl<'a> Headers<'a> {
    fn lines(self, name: &str) -> Vec<&'a str> {
        let same = self.0.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_str()).collect()
    }

    fn first(self, name: &str) -> Option<&'a str> {
        self.lines(name).first().map(|line| trim(line))
    }

    /// The value of a header that may come once.
    fn only(self, name: &str) -> Option<&'a str> {
        match *self.lines(name) {
            [line] => Some(trim(line)),
            _ => None,
        }
    }

    /// The headers whose names begin so: the rest of the name in lower case, and the first value of each.
    fn prefixed(self, prefix: &str) -> BTreeMap<String, &'a str> {
        let named = self.0.iter().filter_map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            Some((name.strip_prefix(prefix).filter(|key| token(key))?.to_owned(), value.as_str()))
        });
        named.rev().collect()
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// So many digits at least and at most, not all of them zero, and no letters in upper case.
fn id(text: &str, fewest: usize, width: usize) -> Option<String> {
    let padded = format!("{text:0>width$}");
    (text.len() >= fewest && digits(text, width) && padded.chars().any(|c| c != '0')).then_some(padded)
}

fn digits(text: &str, most: usize) -> bool {
    text.len() <= most && text.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
}

fn token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

fn ids(trace_id: &str, span_id: &str) -> String {
    format!("{trace_id}-{span_id}")
}

/// The reading of a span whose decision is not in W3C's flags.
fn span(trace_id: &str, span_id: &str, sampling: Sampling) -> Reading {
    let flags = u8::from(matches!(sampling, Accept | Debug));
    Reading { ids: Some(ids(trace_id, span_id)), flags, sampling: Some(sampling), ..Reading::default() }
}

// --- traceparent, tracestate -----------------------------------------------------------------------------------

fn trace_context(headers: Headers<'_>) -> Option<Reading> {
    let parent = headers.only("traceparent")?;
    let (head, more) = parent.split_at_checked(55)?;
    let [version, trace, parent, flags] = *head.split('-').collect::<Vec<_>>() else { return None };
    let version = (version.len() == 2 && digits(version, 2) && version != "ff").then_some(version)?;
    let flags = (flags.len() == 2 && digits(flags, 2)).then_some(flags)?;
    if !more.is_empty() && (version == "00" || !more.starts_with('-')) {
        return None;
    }
    Some(Reading {
        ids: Some(ids(&id(trace, 32, 32)?, &id(parent, 16, 16)?)),
        flags: u8::from_str_radix(flags, 16).ok()? & 0b11,
        tracestate: trace_state(&headers.lines("tracestate").join(",")).unwrap_or_default(),
        ..Reading::default()
    })
}

/// All members or none: <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>.
fn trace_state(list: &str) -> Option<String> {
    // The value goes up to the comma, so a space in front of it is no part of it; one behind the equals sign is.
    let members = list.split(',').map(trim).filter(|member| !member.is_empty());
    let members: Option<Vec<_>> = members
        .map(|member| {
            let (key, value) = member.split_once('=')?;
            let lead = key.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
            let keychar = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-*/@".contains(c);
            let chr = |c: char| (' '..='~').contains(&c) && c != '=';
            let key = lead && key.len() <= 256 && key.chars().all(keychar);
            let value = !trim(value).is_empty() && value.len() <= 256 && value.chars().all(chr);
            (key && value).then_some(member)
        })
        .collect();
    members.filter(|members| members.len() <= 32).map(|members| members.join(","))
}

// --- baggage ---------------------------------------------------------------------------------------------------

const MOST_MEMBERS: usize = 64;
const MOST_BYTES: usize = 8192;

/// > baggage-string = list-member 0*179( OWS "," OWS list-member )
///
/// <https://www.w3.org/TR/baggage/#definition>
const LONGEST_LIST: usize = 180;

/// The members in their order, as many as W3C obliges everybody to carry; of two with one key the later.
fn baggage(lines: &[&str]) -> Baggage {
    let joined = lines.join(",");
    let texts = looked_at(&joined).split(',').map(trim).filter(|text| !text.is_empty());
    let mut kept: Vec<(&str, &str, &str)> = Vec::new();
    for (key, value, metadata) in texts.take(LONGEST_LIST).filter_map(list_member) {
        kept.retain(|(other, _, _)| *other != key);
        let bytes = |&(key, value, metadata): &(&str, &str, &str)| {
            key.len() + 1 + value.len() + if metadata.is_empty() { 0 } else { 1 + metadata.len() }
        };
        let member = (key, value, metadata);
        let all = kept.iter().chain([&member]).map(|member| bytes(member) + 1).sum::<usize>() - 1;
        if kept.len() < MOST_MEMBERS && all <= MOST_BYTES {
            kept.push(member);
        }
    }
    let decoded = |value: &str| percent_decode_str(value).decode_utf8_lossy().into_owned();
    // The API's metadata has no whitespace of any kind at its ends.
    let member = |(key, value, metadata): (&str, &str, &str)| {
        (key.to_owned(), (decoded(value), properties(metadata.trim())))
    };
    kept.into_iter().map(member).collect()
}

/// The whole members among the first so many bytes: the bound on our work, as much again as may be kept.
fn looked_at(joined: &str) -> &str {
    match joined.as_bytes().get(..=2 * MOST_BYTES) {
        Some(_) => {
            let comma = joined
                .char_indices()
                .take_while(|(at, _)| *at <= 2 * MOST_BYTES)
                .filter(|(_, c)| *c == ',')
                .last();
            joined.get(..comma.map_or(0, |(at, _)| at)).unwrap_or_default()
        }
        None => joined,
    }
}

/// Key, value and properties of a member whose pair follows the grammar.
fn list_member(text: &str) -> Option<(&str, &str, &str)> {
    let (pair, metadata) = text.split_once(';').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    let octet = |c: char| c.is_ascii_graphic() && !"\",;\\".contains(c);
    (token(key) && value.chars().all(octet)).then_some((key, value, trim(metadata)))
}

// --- b3 --------------------------------------------------------------------------------------------------------

/// The single header first, whichever form is sent.
fn b3(headers: Headers<'_>) -> Option<Reading> {
    headers.first("b3").and_then(single).or_else(|| multi(headers))
}

fn single(value: &str) -> Option<Reading> {
    let fields: Vec<_> = value.split('-').collect();
    match *fields {
        [decision] => Some(Reading { sampling: Some(state(decision)?), ..Reading::default() }),
        [trace, parent] => b3_span(trace, parent, Defer),
        [trace, parent, grandparent] if grandparent.len() == 16 && digits(grandparent, 16) => {
            b3_span(trace, parent, Defer)
        }
        [trace, parent, decision] => b3_span(trace, parent, state(decision)?),
        [trace, parent, decision, grandparent] if grandparent.len() == 16 && digits(grandparent, 16) => {
            b3_span(trace, parent, state(decision)?)
        }
        _ => None,
    }
}

fn state(text: &str) -> Option<Sampling> {
    match text {
        "0" => Some(Deny),
        "1" => Some(Accept),
        "d" => Some(Debug),
        _ => None,
    }
}

fn b3_span(trace: &str, parent: &str, sampling: Sampling) -> Option<Reading> {
    let width = if trace.len() == 16 { 16 } else { 32 };
    Some(span(&format!("{:0>32}", id(trace, width, width)?), &id(parent, 16, 16)?, sampling))
}

fn multi(headers: Headers<'_>) -> Option<Reading> {
    let sampling = match (headers.first("x-b3-flags"), headers.first("x-b3-sampled")) {
        (Some("1"), _) => Debug,
        (_, None) => Defer,
        (_, Some(text)) => match text.to_ascii_lowercase().as_str() {
            "0" | "false" => Deny,
            "1" | "true" => Accept,
            _ => return None,
        },
    };
    match (headers.first("x-b3-traceid"), headers.first("x-b3-spanid")) {
        (Some(trace), Some(parent)) => {
            let grandparent = headers.first("x-b3-parentspanid");
            let good = grandparent.is_none_or(|text| text.len() == 16 && digits(text, 16));
            b3_span(trace, parent, sampling).filter(|_| good)
        }
        (None, None) if sampling != Defer => Some(Reading { sampling: Some(sampling), ..Reading::default() }),
        _ => None,
    }
}

// --- jaeger ----------------------------------------------------------------------------------------------------

fn jaeger(headers: Headers<'_>) -> Reading {
    let span = headers.only("uber-trace-id").and_then(uber_trace_id).unwrap_or_default();
    let entries = headers.prefixed("uberctx-").into_iter();
    let baggage = entries.filter_map(|(key, value)| Some((key, (form_decoded(value)?, String::new()))));
    Reading { baggage: baggage.collect(), ..span }
}

/// > Key: `uber-trace-id` […] Value: `{trace-id}:{span-id}:{parent-span-id}:{flags}`
///
/// <https://www.jaegertracing.io/sdk-migration/#trace-span-identity>
fn uber_trace_id(value: &str) -> Option<Reading> {
    let value = if value.contains('%') { form_decoded(value)? } else { value.to_owned() };
    let value = value.to_ascii_lowercase();
    let [trace, parent, grandparent, flags] = *value.split(':').collect::<Vec<_>>() else { return None };
    if !digits(grandparent, 16) || !digits(flags, 2) {
        return None;
    }
    let flags = u8::from_str_radix(flags, 16).ok()?;
    let sampling = match flags & 0b11 {
        0b11 => Debug,
        0b01 => Accept,
        _ => Deny,
    };
    let more = if flags & 0b1000 == 0 { "" } else { "firehose" }.to_owned();
    Some(Reading { more, ..span(&id(trace, 1, 32)?, &id(parent, 1, 16)?, sampling) })
}

/// As Jaeger's clients encode: `application/x-www-form-urlencoded`; nothing where an escape is broken.
fn form_decoded(value: &str) -> Option<String> {
    let escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let whole = value.split('%').skip(1).all(escape);
    let spaced = value.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().filter(|_| whole).map(Into::into)
}

// --- x-ray -----------------------------------------------------------------------------------------------------

/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
fn xray(value: &str) -> Option<Reading> {
    let pairs: Vec<_> =
        value.split(';').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (trim(k), trim(v))).collect();
    let all = |key| pairs.iter().filter(move |(k, _)| *k == key).map(|(_, value)| *value);
    // One value, however often it comes.
    let one = |key| {
        let values: Vec<_> = all(key).collect();
        let (first, rest) = values.split_first()?;
        Some(rest.iter().all(|value| value == first).then_some(*first))
    };
    let root = one("Root")??;
    let parent = one("Parent").map(|parent| parent.and_then(|parent| id(parent, 16, 16)));
    let sampled = one("Sampled").map_or(Some(""), |sampled| sampled)?;
    let [version, time, random] = *root.split('-').collect::<Vec<_>>() else { return None };
    let well_formed = version == "1" && time.len() == 8 && value.len() <= 256;
    let trace = id(&format!("{time}{random}"), 32, 32).filter(|_| well_formed)?;
    let sampling = match sampled {
        "0" => Deny,
        "1" => Accept,
        _ => Defer,
    };
    let lineage = all("Lineage").next_back().filter(|text| lineage(text)).unwrap_or_default();
    match parent {
        Some(parent) => Some(Reading { more: lineage.to_owned(), ..span(&trace, &parent?, sampling) }),
        None => Some(Reading {
            sampling: Some(sampling).filter(|sampling| *sampling != Defer),
            more: [root, lineage].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(";"),
            ..Reading::default()
        }),
    }
}

/// The grammar of OpenTelemetry's propagator for Java; AWS publishes none. A zero in front is no part of a number.
fn lineage(text: &str) -> bool {
    let number = |text: &str, most: u32| text.parse().is_ok_and(|n: u32| n <= most && n.to_string() == text);
    let fields: Vec<_> = text.split(':').collect();
    matches!(*fields, [a, hash, b] if number(a, 32767) && hash.len() == 8 && digits(hash, 8) && number(b, 255))
}

// --- ot trace --------------------------------------------------------------------------------------------------

fn ot_trace(headers: Headers<'_>) -> Option<Reading> {
    let trace = headers.first("ot-tracer-traceid")?;
    let width = if trace.len() > 16 { 32 } else { 16 };
    let trace = format!("{:0>32}", id(trace, if width == 32 { 32 } else { 1 }, width)?);
    let sampling = match headers.first("ot-tracer-sampled").unwrap_or("").to_ascii_lowercase().as_str() {
        "" => Defer,
        "0" | "false" => Deny,
        "1" | "true" => Accept,
        _ => return None,
    };
    let parent = id(headers.first("ot-tracer-spanid")?, 1, 16)?;
    let plain =
        |value: &str| value.trim_matches(' ') == value && value.chars().all(|c| (' '..='~').contains(&c));
    let entries = headers.prefixed("ot-baggage-").into_iter().filter(|(_, value)| plain(value));
    let baggage = entries.map(|(key, value)| (key, (value.to_owned(), String::new()))).collect();
    Some(Reading { baggage, ..span(&trace, &parent, sampling) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cases, ours,
        protocol::{Command, Start},
        random::Random,
    };

    #[test]
    fn every_case_means_what_it_states() {
        for case in cases::all() {
            assert_eq!(of(case.format, &case.headers), case.meaning, "{:?} {}", case.format, case.name);
        }
    }

    /// What `cargo run -p interop` sees too, without a peer.
    #[test]
    fn we_read_random_headers_by_the_letter_and_send_on_what_we_read() {
        for format in Format::ALL {
            let mut random = Random(3);
            for _ in 0..5_000 {
                let headers = random.headers(format);
                let answer = ours::answer(&Command { format, start: Start::Extract(headers.clone()) });
                let (expected, found) = (of(format, &headers), Reading::of(format, &answer));
                let differences = expected.differences(&found);
                assert!(differences.is_empty(), "{headers:?} sent as {:?}: {differences:?}", answer.headers);
            }
        }
    }
}
