//! `baggage`, in and out.

use crate::{
    carrier::{LONG, Lines, LinesExt as _, Sent, SentExt as _, send},
    given::{GIVEN, has_given_baggage, has_given_span, has_mark},
    model::baggage::{Entries, is_same_metadata, is_strict_member, is_strict_metadata, member, read, select},
};
use arbitrary::{Arbitrary, Unstructured};
use opentelemetry::{
    Context, KeyValue,
    baggage::{Baggage, BaggageExt, BaggageMetadata},
    propagation::{Extractor, TextMapPropagator},
};
use otel_baggage_limits::{Direction, Limited};
use otel_w3c_baggage::{BaggagePropagator, Limits, RelayExt, RelayPropagator, decode, encode};
use std::collections::BTreeMap;

const KEYS: &[&str] = &["a", "b", "tenant"];

/// The first byte chooses the limits; every line of the rest is a line of `baggage`.
pub fn baggage_in(data: &[u8]) {
    let (choice, data) = data.split_first().map_or((b'0', data), |(first, rest)| (*first, rest));
    let limits = limits(choice);
    let text = String::from_utf8_lossy(data);
    let mut lines = Lines::of("baggage", text.split('\n'));
    if choice == b'8' {
        lines.0.push(("baggage", &LONG));
    }
    let expected = read(&lines.joined("baggage").unwrap_or_default(), &limits);
    let propagator = BaggagePropagator::new().with_limits(limits.clone());
    let next = lines.one_answer(|carrier| received(&propagator, carrier, &expected));
    is_fixed_point(next.get("baggage").unwrap_or_default(), &limits);
}

const fn limits(choice: u8) -> Limits {
    let limits = Limits::new();
    match choice {
        b'1' => limits.max_members(3),
        b'2' => limits.max_bytes(24),
        b'3' => limits.max_member_bytes(8),
        b'4' => limits.allow(&["a", "b"]),
        b'5' => limits.deny(&["a"]),
        b'6' => limits.max_bytes(16).keep_first(&["c"]),
        b'7' => limits.max_members(2).max_bytes(12).deny(&["b"]),
        _ => limits,
    }
}

fn received(propagator: &BaggagePropagator, carrier: &dyn Extractor, expected: &Entries) -> Sent {
    let cx = propagator.extract_with_context(&GIVEN, carrier);
    law!(has_given_span(&cx) && has_mark(&cx), "the rest of the context is left alone");
    if expected.is_empty() {
        law!(has_given_baggage(&cx), "where nothing can be read the given baggage stays");
        return Sent::default();
    }
    law!(entries(cx.baggage()) == *expected, "baggage is read as the grammar says", cx.baggage(), expected);
    send(propagator, &cx)
}

pub(crate) fn entries(baggage: &Baggage) -> Entries {
    let text = |metadata: &BaggageMetadata| metadata.as_str().to_owned();
    baggage
        .iter()
        .map(|(key, (value, metadata))| (key.to_string(), (value.to_string(), text(metadata))))
        .collect()
}

/// As [`baggage_in`], through a relay; an exclamation mark before it has the service set members of its own.
pub fn relay(data: &[u8]) {
    let own: &[KeyValue] = if data.first() == Some(&b'!') {
        &[KeyValue::new("a", "mine, too"), KeyValue::new("z", "%")]
    } else {
        &[]
    };
    let data = data.strip_prefix(b"!").unwrap_or(data);
    let (choice, data) = data.split_first().map_or((b'0', data), |(first, rest)| (*first, rest));
    let limits = limits(choice);
    let text = String::from_utf8_lossy(data);
    let mut lines = Lines::of("baggage", text.split('\n'));
    if choice == b'8' {
        lines.0.push(("baggage", &LONG));
    }
    let expected = read(&lines.joined("baggage").unwrap_or_default(), &limits);
    let relay = RelayPropagator::of(BaggagePropagator::new().with_limits(limits.clone()));
    let sent = lines.one_answer(|carrier| relayed(&relay, carrier, &expected, own));
    let header = sent.get("baggage").unwrap_or_default();
    let mut allowed = expected;
    for own in own {
        allowed.insert(own.key.to_string(), (own.value.to_string(), String::new()));
    }
    is_relayed(header, &allowed, &limits);
    let next = RelayPropagator::new().extract_with_context(&Context::new(), &sent);
    let again = send(&RelayPropagator::new(), &next);
    law!(again.telling() == sent.telling(), "the second hop sends what the first one sent", sent, again);
}

fn relayed(relay: &RelayPropagator, carrier: &dyn Extractor, expected: &Entries, own: &[KeyValue]) -> Sent {
    let cx = relay.extract_with_context(&GIVEN, carrier);
    law!(has_given_span(&cx) && has_mark(&cx), "the rest of the context is left alone");
    law!(has_given_baggage(&cx) == expected.is_empty(), "the given baggage stays where nothing can be read");
    let decoded = cx.relayed_baggage().iter().map(|it| (it.key.to_owned(), it.value.into_owned()));
    let decoded: BTreeMap<_, _> = decoded.collect();
    let values = expected.iter().map(|(key, (value, _))| (key.clone(), value.clone()));
    law!(decoded == values.collect(), "a relay decodes what others decode", decoded, expected);
    if expected.is_empty() && own.is_empty() {
        return Sent::default();
    }
    send(relay, &if own.is_empty() { cx } else { cx.with_baggage(own.iter().cloned()) })
}

/// Each member says what its entry says, no limit is broken, and nothing is left out that there was room for.
fn is_relayed(header: &str, allowed: &Entries, limits: &Limits) {
    let texts: Vec<&str> = header.split(',').filter(|text| !text.is_empty()).collect();
    law!(header.len() <= limits.most_bytes(Direction::Out), "a relay keeps the bytes", header, limits);
    law!(texts.len() <= limits.max_members, "a relay keeps the members", header, limits);
    for text in &texts {
        let read = member(text);
        let same = read.is_some_and(|read| {
            let entry = allowed.get(&read.key);
            entry.is_some_and(|(value, metadata)| {
                *value == read.value && is_same_metadata(&read.metadata, metadata)
            })
        });
        law!(same, "a relayed member says what its entry says", text, allowed);
        let key = text.split('=').next().unwrap_or_default();
        law!(limits.check(key, text.len()).is_ok(), "a relay sends no member that may not go", text);
    }
    let everything_goes = *limits == Limits::new() && allowed.len() <= 64;
    let bytes: usize = allowed.iter().map(|entry| written(entry).len() + 1).sum();
    law!(
        !everything_goes || bytes > 4000 || texts.len() == allowed.len(),
        "a relay leaves nothing out that there is room for",
        header,
        allowed
    );
}

/// The input is an arbitrary baggage with arbitrary limits.
pub fn baggage_out(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(limits) = arbitrary_limits(&mut input) else { return };
    let pairs = arbitrary_pairs(&mut input);
    let baggage = to_baggage(pairs.iter().map(|(key, content)| (key, content)));
    let entries = entries(&baggage);
    let (header, report) = encode(&baggage, &limits);
    is_expected(&header, &entries, &limits);
    law!(report.kept.bytes == header.len(), "the report knows the size", report, header);
    let reversed = to_baggage(entries.iter().rev());
    law!(encode(&reversed, &limits).0 == header, "the same baggage gives the same bytes", baggage);
    is_fixed_point(&header, &limits);
    is_limited(baggage, &header, &limits);
}

fn arbitrary_limits(input: &mut Unstructured<'_>) -> arbitrary::Result<Limits> {
    let lists: [&[&'static str]; 4] = [&[], &["tenant"], &["b", "a"], KEYS];
    let [shape, members]: [u8; 2] = Arbitrary::arbitrary(input)?;
    let mut limits = Limits::new();
    if shape & 1 != 0 {
        limits = limits.max_members(usize::from(members % 66)).max_bytes(input.int_in_range(0..=8192)?);
    }
    if shape & 2 != 0 {
        limits = limits.max_member_bytes(usize::from(members));
    }
    if shape & 4 != 0 {
        limits = limits.keep_first(input.choose(&lists)?);
    }
    if shape & 8 != 0 {
        limits = limits.deny(input.choose(&lists)?);
    }
    Ok(if shape & 16 != 0 { limits.allow(input.choose(&lists)?) } else { limits })
}

type Pair = (String, (String, String));

fn arbitrary_pairs(input: &mut Unstructured<'_>) -> Vec<Pair> {
    let mut pairs = Vec::new();
    while !input.is_empty() && pairs.len() < 80 {
        match arbitrary_pair(input) {
            Ok(pair) => pairs.push(pair),
            Err(_) => break,
        }
    }
    pairs
}

fn arbitrary_pair(input: &mut Unstructured<'_>) -> arbitrary::Result<Pair> {
    let key = match u8::arbitrary(input)? {
        known @ 0..=2 => KEYS.get(usize::from(known)).map_or_else(String::new, |key| (*key).to_owned()),
        first => char::from(first % 128).to_string() + text(input)?,
    };
    Ok((key, (text(input)?.to_owned(), text(input)?.to_owned())))
}

/// A text whose length comes first, so that its bytes stand in the input as they are.
fn text<'a>(input: &mut Unstructured<'a>) -> arbitrary::Result<&'a str> {
    let len = usize::from(u8::arbitrary(input)?).min(input.len());
    let bytes = input.bytes(len)?;
    Ok(match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or("")
        }
    })
}

fn to_baggage<'a>(pairs: impl Iterator<Item = (&'a String, &'a (String, String))>) -> Baggage {
    let mut baggage = Baggage::new();
    for (key, (value, metadata)) in pairs {
        baggage.insert_with_metadata(key.clone(), value.clone(), metadata.as_str());
    }
    baggage
}

/// Each member says what its entry says, and as many go as the limits admit.
pub(crate) fn is_expected(header: &str, entries: &Entries, limits: &Limits) {
    let written: BTreeMap<String, String> =
        entries.iter().map(|entry| (entry.0.clone(), written(entry))).collect();
    let expected = select(&written, limits);
    law!(header == expected, "the members that limits admit go, in order", header, expected, limits);
}

fn written(entry: (&String, &(String, String))) -> String {
    let (key, (value, metadata)) = entry;
    let (text, _) = encode(&to_baggage([entry].into_iter()), &Limits::new().max_bytes(usize::MAX));
    law!(is_strict_member(&text), "a member is written to the letter", text, entry);
    let read = member(&text);
    let same = read.is_some_and(|read| {
        read.key == *key && read.value == *value && is_same_metadata(&read.metadata, metadata)
    });
    law!(same, "a member says what its entry says", text, entry);
    let sent = text.split_once(';').map_or("", |(_, sent)| sent);
    law!(
        !is_strict_metadata(metadata) || sent == metadata.replace('\t', " "),
        "well-formed metadata goes byte for byte, but for tabs",
        text,
        metadata
    );
    text
}

/// What was sent is read and sent again as it is.
fn is_fixed_point(header: &str, limits: &Limits) {
    let (baggage, _) = decode(header, limits);
    let (again, _) = encode(&baggage, limits);
    law!(again == header, "the second hop sends what the first one sent", header, again);
}

/// Upstream's propagator keeps the limits where `Limited` stands before it, and sends nothing that was not there.
///
/// What the inner propagator wrote is measured. It leaves `%` as it is where we write `%25`, so that a member may fit
/// there that does not fit here. A member that is no shorter is refused to both.
fn is_limited(baggage: Baggage, ours: &str, limits: &Limits) {
    let limited = Limited::new(opentelemetry_sdk::propagation::BaggagePropagator::new(), limits.clone());
    let mut sent = Sent::default();
    let cx = Context::new().with_baggage(baggage);
    limited.inject_context(&cx, &mut sent);
    let header = sent.get("baggage").unwrap_or_default();
    let entries = entries(cx.baggage());
    let count = |header: &str| header.split(',').filter(|text| !text.is_empty()).count();
    law!(header.len() <= limits.most_bytes(Direction::Out), "Limited keeps the bytes", header, limits);
    law!(count(header) <= limits.max_members, "Limited keeps the members", header, limits);
    for text in header.split(',').filter(|text| !text.is_empty()) {
        let key = text.split('=').next().unwrap_or_default();
        let entry = entries.get_key_value(key);
        law!(entry.is_some(), "Limited sends no member that was not there", header, key);
        law!(limits.check(key, text.len()).is_ok(), "Limited sends no key that may not go", header, key);
        law!(
            !ours.is_empty() || entry.is_some_and(|entry| text.len() < written(entry).len()),
            "where we send nothing, Limited sends what takes fewer bytes",
            header,
            limits
        );
    }
}
