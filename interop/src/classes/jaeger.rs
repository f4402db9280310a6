//! The classes of differences in Jaeger's headers.

use super::{Class, SDKS, Whose, are_ids, hex, lines, lower, raw_value, read, trim_more};
use crate::{
    ledger::Step,
    peer::Kind::{Go, Java, JavaScript, Python},
    protocol::{
        Format,
        Sampling::{Accept, Debug},
    },
    reading::{Difference, Field},
};
use otel_propagator_core::header::trim;
use percent_encoding::percent_decode_str;

const JAEGER: &[Format] = &[Format::Jaeger];
const IDENTITY: &str = "https://www.jaegertracing.io/sdk-migration/#trace-span-identity";
const JAEGER_BAGGAGE: &str = "https://www.jaegertracing.io/sdk-migration/#baggage";
const VALUE_ENCODING: &str = "https://www.jaegertracing.io/sdk-migration/#value-encoding";
const MEMBER: &[Field] = &[Field::Member, Field::Value];

pub(super) const CLASSES: &[Class] = &[
    // --- uber-trace-id ---
    Class {
        name: "the first of two uber-trace-id",
        whose: Whose::Open,
        rule: "of a header that may come once nothing is said where it comes twice; which one is meant nobody can say",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.3",
        issue: None,
        peers: SDKS,
        formats: JAEGER,
        fields: &[Field::Ids],
        test: |step, d| {
            read(step)
                && d.expected.is_none()
                && lines(step, "uber-trace-id").len() > 1
                && has_the_ids(step, d)
        },
    },
    Class {
        name: "an escape that is none is thrown at the user",
        whose: Whose::Theirs,
        rule: "a value that cannot be parsed MUST NOT throw an exception",
        source: "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#extract",
        issue: None,
        peers: &[Java],
        formats: JAEGER,
        fields: &[Field::Error],
        test: |step, d| {
            read(step) && d.found.is_some() && step.expected.ids.is_none() && raw_jaeger(step).contains('%')
        },
    },
    Class {
        name: "an uber-trace-id with escapes",
        whose: Whose::Open,
        rule: "values are URL-encoded in HTTP; Jaeger's own clients encode and decode this header too",
        source: VALUE_ENCODING,
        issue: None,
        peers: &[Python, Go, Java],
        formats: JAEGER,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_none() && raw_jaeger(step).contains('%'),
    },
    Class {
        name: "upper-case ids in uber-trace-id",
        whose: Whose::Theirs,
        rule: "ids are hexadecimal numbers, and Jaeger's own clients read them in either case",
        source: IDENTITY,
        issue: None,
        peers: &[JavaScript, Go, Java],
        formats: JAEGER,
        fields: &[Field::Ids],
        test: |step, d| {
            let upper =
                |text: &Option<String>| text.as_ref().is_some_and(|text| *text != text.to_ascii_lowercase());
            let refused =
                read(step) && d.found.is_none() && jaeger(step).contains(|c: char| c.is_ascii_uppercase());
            let kept = upper(&d.found) || upper(&d.expected) || upper(&Some(jaeger(step)));
            refused || kept && lower(d.found.as_deref()) == lower(d.expected.as_deref())
        },
    },
    Class {
        name: "fields of uber-trace-id that are not looked at",
        whose: Whose::Theirs,
        rule: "parent-span-id is a hexadecimal number, flags a byte of one or two hexadecimal digits",
        source: IDENTITY,
        issue: None,
        peers: SDKS,
        formats: JAEGER,
        fields: &[Field::Ids],
        test: |step, d| {
            let value = jaeger(step);
            let fields: Vec<_> = value.split(':').collect();
            let [_, _, parent, flags] = *fields else { return false };
            let good = hex(parent, 0, 16) && hex(flags, 1, 2);
            read(step) && d.expected.is_none() && !good && has_the_ids(step, d)
        },
    },
    Class {
        name: "ids of uber-trace-id that are no ids",
        whose: Whose::Theirs,
        rule: "a trace-id or span-id of 0 is not valid, nor is one with more digits than it has, or with other characters",
        source: IDENTITY,
        issue: None,
        peers: &[Python, JavaScript],
        formats: JAEGER,
        fields: &[Field::Ids],
        test: |step, d| {
            let good = |ids: &Option<String>| {
                let whole = |trace: &str, span: &str| hex(trace, 32, 32) && hex(span, 16, 16);
                let zero = |id: &str| id.chars().all(|c| c == '0');
                let pair = ids.as_deref().and_then(|ids| ids.split_once('-'));
                pair.is_some_and(|(trace, span)| whole(trace, span) && !zero(trace) && !zero(span))
            };
            let value = jaeger(step);
            let raw: Vec<_> = value.split(':').collect();
            let [trace, span, ..] = *raw else { return false };
            let as_sent = hex(trace, 1, 32) && hex(span, 1, 16);
            if read(step) {
                d.expected.is_none() && d.found.is_some() && (!good(&d.found) || !as_sent)
            } else {
                !good(&d.expected)
            }
        },
    },
    Class {
        name: "every sampled span is a debug one",
        whose: Whose::Theirs,
        rule: "0x02 is the debug flag, and sampled does not imply it",
        source: IDENTITY,
        issue: None,
        peers: &[Python],
        formats: JAEGER,
        fields: &[Field::Sampling],
        test: |step, _| (step.expected.sampling, step.found.sampling) == (Some(Accept), Some(Debug)),
    },
    Class {
        name: "debug of Jaeger is forgotten",
        whose: Whose::Theirs,
        rule: "0x02 is the debug flag, a hint not to drop the trace",
        source: IDENTITY,
        issue: None,
        peers: &[JavaScript, Java],
        formats: JAEGER,
        fields: &[Field::Sampling],
        test: |step, _| {
            read(step) && (step.expected.sampling, step.found.sampling) == (Some(Debug), Some(Accept))
        },
    },
    Class {
        name: "firehose is forgotten",
        whose: Whose::Open,
        rule: "0x08 is the firehose flag; OpenTelemetry has no place for it",
        source: IDENTITY,
        issue: None,
        peers: SDKS,
        formats: JAEGER,
        fields: &[Field::More],
        test: |step, _| read(step) && step.expected.more == "firehose" && step.found.more.is_empty(),
    },
    Class {
        name: "flags are decimal",
        whose: Whose::Theirs,
        rule: "flags are one byte as one or two hexadecimal digits",
        source: IDENTITY,
        issue: None,
        peers: &[Java],
        formats: JAEGER,
        fields: &[Field::Ids],
        test: |step, d| {
            let value = jaeger(step);
            let flags = value.rsplit(':').next().unwrap_or_default();
            read(step)
                && d.found.is_none()
                && hex(flags, 1, 2)
                && flags.contains(|c: char| !c.is_ascii_digit())
        },
    },
    Class {
        name: "a span that is not valid is sent",
        whose: Whose::Theirs,
        rule: "a SpanContext is valid if it has a non-zero TraceID and a non-zero SpanID; another is nothing to send",
        source: "https://opentelemetry.io/docs/specs/otel/trace/api/#isvalid",
        issue: None,
        peers: &[Python],
        formats: JAEGER,
        fields: &[Field::Sampling],
        test: |step, _| {
            let theirs = if read(step) { step.found } else { step.expected };
            step.expected.ids.is_none() && step.found.ids.is_none() && theirs.sampling.is_some()
        },
    },
    // --- uberctx-* ---
    Class {
        name: "no uberctx-* at all",
        whose: Whose::Theirs,
        rule: "baggage is carried as uberctx-{key}",
        source: JAEGER_BAGGAGE,
        issue: None,
        peers: &[Go],
        formats: JAEGER,
        fields: &[Field::Member],
        test: |step, d| read(step) && d.found.is_none() && step.found.baggage.is_empty(),
    },
    Class {
        name: "baggage of Jaeger goes with a span only",
        whose: Whose::Open,
        rule: "baggage is carried as uberctx-{key}; whether it goes where there is no span is not said",
        source: JAEGER_BAGGAGE,
        issue: None,
        peers: &[Python, Java],
        formats: JAEGER,
        fields: &[Field::Member],
        test: |step, d| {
            let without = step.expected.ids.is_none()
                || lines(step, "uber-trace-id").iter().all(|line| line.is_empty());
            d.found.is_none() && without
        },
    },
    Class {
        name: "values of uberctx-* as they are",
        whose: Whose::Theirs,
        rule: "in HTTP the value is URL-encoded",
        source: VALUE_ENCODING,
        issue: None,
        peers: &[Java],
        formats: JAEGER,
        fields: MEMBER,
        test: |step, d| {
            let raw = raw_value(step, "uberctx-", &d.key);
            if read(step) {
                raw.is_some_and(|raw| step.found.baggage.get(&d.key).is_some_and(|(value, _)| value == raw))
            } else {
                // What we read of it is decoded, or refused where it is no encoding.
                let held = step.expected.baggage.get(&d.key).map(|(value, _)| value.as_str());
                held.is_some_and(|held| {
                    decoded(held) == step.found.baggage.get(&d.key).map(|(value, _)| value.clone())
                })
            }
        },
    },
    Class {
        name: "values of uberctx-* are no forms",
        whose: Whose::Open,
        rule: "the value is URL-encoded; Jaeger's own clients write a plus for a space",
        source: VALUE_ENCODING,
        issue: None,
        peers: &[Python, JavaScript],
        formats: JAEGER,
        fields: MEMBER,
        test: |step, d| {
            let Some(raw) = raw_value(step, "uberctx-", &d.key) else { return false };
            let plain = percent_decode_str(raw).decode_utf8_lossy();
            let found = step.found.baggage.get(&d.key).map(|(value, _)| value.as_str());
            read(step)
                && (found == Some(&plain) || found.is_some_and(|found| trim_more(found) == trim_more(&plain)))
        },
    },
];

/// The first `uber-trace-id`, decoded where its colons are escaped.
fn jaeger(step: &Step<'_>) -> String {
    let line = lines(step, "uber-trace-id").first().map(|line| trim(line)).unwrap_or_default();
    if line.contains(':') {
        line.to_owned()
    } else {
        percent_decode_str(line).decode_utf8_lossy().into_owned()
    }
}

fn raw_jaeger<'a>(step: &Step<'a>) -> &'a str {
    lines(step, "uber-trace-id").first().copied().unwrap_or_default()
}

/// As Jaeger's clients decode; nothing where it is no encoding.
fn decoded(value: &str) -> Option<String> {
    let escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let whole = value.split('%').skip(1).all(escape);
    percent_decode_str(&value.replace('+', " ")).decode_utf8().ok().filter(|_| whole).map(Into::into)
}

/// The peer found the ids that stand in the header's places for ids, and no others.
fn has_the_ids(step: &Step<'_>, difference: &Difference) -> bool {
    let value = jaeger(step);
    let mut fields = value.split(':');
    are_ids(difference, fields.next().unwrap_or_default(), fields.next().unwrap_or_default())
}
