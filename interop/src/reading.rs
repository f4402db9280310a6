//! What somebody understood, in one form for everybody, and where two readings differ.

use crate::protocol::{Answer, Context, Format, Header, Sampling};
use otel_propagator_core::header;
use std::collections::{BTreeMap, BTreeSet};

/// What a context means, without what is no part of the meaning: the order of baggage, whitespace around properties.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reading {
    pub(crate) error: Option<String>,
    /// Trace id and span id.
    pub(crate) ids: Option<String>,
    pub(crate) flags: u8,
    pub(crate) sampling: Option<Sampling>,
    pub(crate) tracestate: String,
    /// What only this format says, as it is sent on: Jaeger's firehose, X-Ray's `Lineage`, its `Root` without a span.
    pub(crate) more: String,
    /// Value and metadata by key.
    pub(crate) baggage: BTreeMap<String, (String, String)>,
}

/// The part of a reading in which two of them differ.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Field {
    Error,
    Ids,
    Flags,
    Sampling,
    TraceState,
    More,
    /// A baggage member that one of the two does not have.
    Member,
    Value,
    Metadata,
}

/// One difference: of one field, or of one baggage member.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) field: Field,
    /// The key of the baggage member, else empty.
    pub(crate) key: String,
    pub(crate) expected: Option<String>,
    pub(crate) found: Option<String>,
}

impl Reading {
    pub(crate) fn of(format: Format, answer: &Answer) -> Self {
        if answer.error.is_some() {
            return Self { error: answer.error.clone(), ..Self::default() };
        }
        let sampling = answer.context.sampling.or_else(|| state(format, &answer.headers));
        let more = more(format, &answer.headers);
        Self { more, ..Self::of_context(format, &answer.context, sampling) }
    }

    pub(crate) fn of_context(format: Format, context: &Context, sampling: Option<Sampling>) -> Self {
        let ids = context
            .trace_id
            .as_ref()
            .zip(context.span_id.as_ref())
            .map(|(trace, span)| format!("{trace}-{span}"));
        let member = |metadata: &Option<String>| metadata.as_deref().map(properties).unwrap_or_default();
        let baggage = context.baggage.iter().map(|e| (e.key.clone(), (e.value.clone(), member(&e.metadata))));
        // Only W3C has flags beside the decision; a decision without ids has no place in a span's flags.
        let flags = match format {
            Format::TraceContext | Format::Baggage => context.flags,
            _ if ids.is_none() => 0,
            _ => context.flags & 1,
        };
        Self {
            error: None,
            flags,
            // "Defer is the absence of sampling state": without ids it says nothing at all.
            sampling: sampling.filter(|state| ids.is_some() || *state != Sampling::Defer),
            ids,
            tracestate: context.tracestate.clone().unwrap_or_default(),
            more: String::new(),
            baggage: baggage.collect(),
        }
    }

    /// Where `found` differs from this.
    pub(crate) fn differences(&self, found: &Self) -> Vec<Difference> {
        if self.error != found.error {
            return vec![difference(Field::Error, "", self.error.clone(), found.error.clone())];
        }
        if self.ids != found.ids {
            return vec![difference(Field::Ids, "", self.ids.clone(), found.ids.clone())];
        }
        let whole = [
            (Field::Flags, format!("{:02x}", self.flags), format!("{:02x}", found.flags)),
            (Field::Sampling, format!("{:?}", self.sampling), format!("{:?}", found.sampling)),
            (Field::TraceState, self.tracestate.clone(), found.tracestate.clone()),
            (Field::More, self.more.clone(), found.more.clone()),
        ];
        let whole = whole.into_iter().filter(|(_, expected, found)| expected != found);
        let mut all: Vec<_> = whole
            .map(|(field, expected, found)| difference(field, "", Some(expected), Some(found)))
            .collect();
        let keys: BTreeSet<_> = self.baggage.keys().chain(found.baggage.keys()).collect();
        all.extend(
            keys.into_iter().flat_map(|key| member(key, self.baggage.get(key), found.baggage.get(key))),
        );
        all
    }
}

fn member(
    key: &str,
    expected: Option<&(String, String)>,
    found: Option<&(String, String)>,
) -> Vec<Difference> {
    let text = |member: &(String, String)| format!("{};{}", member.0, member.1);
    let (Some(expected), Some(found)) = (expected, found) else {
        let (expected, found) = (expected.map(text), found.map(text));
        return if expected == found {
            vec![]
        } else {
            vec![difference(Field::Member, key, expected, found)]
        };
    };
    let parts = [(Field::Value, &expected.0, &found.0), (Field::Metadata, &expected.1, &found.1)];
    let parts = parts.into_iter().filter(|(_, expected, found)| expected != found);
    parts.map(|(field, e, f)| difference(field, key, Some(e.clone()), Some(f.clone()))).collect()
}

fn difference(field: Field, key: &str, expected: Option<String>, found: Option<String>) -> Difference {
    Difference { field, key: key.to_owned(), expected, found }
}

/// The properties as keys and decoded values. Whitespace around `;` and around the first `=` is no part of them:
/// <https://www.w3.org/TR/baggage/#property>. An empty one is no property.
pub(crate) fn properties(metadata: &str) -> String {
    let property = |text: &str| match text.split_once('=') {
        Some((key, value)) => format!("{KEY}{}{VALUE}{}", header::trim(key), decoded(header::trim(value))),
        None => format!("{KEY}{text}"),
    };
    let texts = metadata.split(';').map(header::trim).filter(|text| !text.is_empty());
    texts.map(property).collect()
}

/// What begins a property's key, and its value: characters that no text here has.
pub(crate) const KEY: char = '\u{2}';
pub(crate) const VALUE: char = '\u{3}';

fn decoded(value: &str) -> String {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// The value of the first line of a header.
fn first<'a>(headers: &'a [Header], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// The sampling state that the headers carry on; `None` where they carry nothing.
fn state(format: Format, headers: &[Header]) -> Option<Sampling> {
    let get = |name: &str| first(headers, name);
    let text = match format {
        Format::B3 => {
            let single = get("b3")?;
            if single.len() > 1 { single.split('-').nth(2) } else { Some(single) }
        }
        Format::B3Multi if get("x-b3-flags") == Some("1") => Some("d"),
        Format::B3Multi => Some(get("x-b3-sampled").or_else(|| get("x-b3-traceid").map(|_| ""))?),
        Format::Jaeger => match bitmap(get("uber-trace-id")?)? & 3 {
            3 => Some("d"),
            1 => Some("1"),
            _ => Some("0"),
        },
        Format::Xray => pair(get("x-amzn-trace-id")?, "Sampled").filter(|state| *state != "?"),
        Format::OtTrace => match get("ot-tracer-sampled") {
            Some("true") => Some("1"),
            Some("false") => Some("0"),
            Some(_) => return None,
            None => get("ot-tracer-traceid").map(|_| "").map(Some)?,
        },
        Format::TraceContext | Format::Baggage => return None,
    };
    match text {
        None | Some("") => Some(Sampling::Defer),
        Some("0") => Some(Sampling::Deny),
        Some("1") => Some(Sampling::Accept),
        Some("d") => Some(Sampling::Debug),
        Some(_) => None,
    }
}

/// What the headers carry on and no API shows.
fn more(format: Format, headers: &[Header]) -> String {
    match format {
        Format::Jaeger => {
            let firehose = first(headers, "uber-trace-id").and_then(bitmap).is_some_and(|bits| bits & 8 != 0);
            if firehose { "firehose".to_owned() } else { String::new() }
        }
        Format::Xray => first(headers, "x-amzn-trace-id").map(beside_the_span).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The flags of an `uber-trace-id`, its fourth field in hexadecimal digits.
fn bitmap(value: &str) -> Option<u8> {
    u8::from_str_radix(value.split(':').nth(3)?, 16).ok()
}

/// The value of a key in an `X-Amzn-Trace-Id` as it is sent.
fn pair<'a>(value: &'a str, key: &str) -> Option<&'a str> {
    value.split(';').find_map(|pair| pair.split_once('=').filter(|(k, _)| *k == key)).map(|(_, value)| value)
}

/// The `Root` where it stands without a `Parent`, and `Lineage`.
fn beside_the_span(value: &str) -> String {
    let root = if pair(value, "Parent").is_none() { pair(value, "Root") } else { None };
    [root, pair(value, "Lineage")].into_iter().flatten().collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whitespace_escapes_and_empty_properties_are_no_difference_but_a_further_property_is() {
        assert_eq!(properties(" p = a%2Cb ; ;q"), properties("p=a,b;q"));
        assert_ne!(properties("p=a%3Bq"), properties("p=a;q"));
    }

    #[test]
    fn what_is_sent_tells_the_sampling_state() {
        let rows: [(_, _, &[(&str, &str)], _); 12] = [
            ("debug", Format::B3, &[("b3", "1-2-d")], Some(Sampling::Debug)),
            ("defer", Format::B3, &[("b3", "1-2")], Some(Sampling::Defer)),
            ("a decision alone", Format::B3, &[("B3", "0")], Some(Sampling::Deny)),
            ("debug", Format::B3Multi, &[("X-B3-Flags", "1"), ("X-B3-Sampled", "1")], Some(Sampling::Debug)),
            ("defer", Format::B3Multi, &[("x-b3-traceid", "1")], Some(Sampling::Defer)),
            ("nothing", Format::B3Multi, &[], None),
            ("debug", Format::Jaeger, &[("uber-trace-id", "1:2:0:03")], Some(Sampling::Debug)),
            ("debug without sampled", Format::Jaeger, &[("uber-trace-id", "1:2:0:2")], Some(Sampling::Deny)),
            ("accept", Format::Xray, &[("X-Amzn-Trace-Id", "Root=1;Sampled=1")], Some(Sampling::Accept)),
            ("asks", Format::Xray, &[("x-amzn-trace-id", "Root=1;Sampled=?")], Some(Sampling::Defer)),
            ("accept", Format::OtTrace, &[("ot-tracer-sampled", "true")], Some(Sampling::Accept)),
            ("defer", Format::OtTrace, &[("ot-tracer-traceid", "1")], Some(Sampling::Defer)),
        ];
        for (rule, format, headers, expected) in rows {
            let headers: Vec<_> = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            assert_eq!(state(format, &headers), expected, "{rule}");
        }
    }
}
