//! The classes of differences in Jaeger's, X-Ray's and OT Trace's headers.

use super::{Class, SDKS, Whose, lines, read};
use crate::{
    ledger::Step,
    peer::Kind::{Go, Java, JavaScript, Ours, Python},
    protocol::{
        Format,
        Sampling::{Accept, Debug, Defer, Deny},
    },
    reading::{Difference, Field},
};
use otel_propagator_core::header::trim;
use percent_encoding::percent_decode_str;

const JAEGER: &[Format] = &[Format::Jaeger];
const XRAY: &[Format] = &[Format::Xray];
const OT_TRACE: &[Format] = &[Format::OtTrace];
const IDENTITY: &str = "https://www.jaegertracing.io/sdk-migration/#trace-span-identity";
const JAEGER_BAGGAGE: &str = "https://www.jaegertracing.io/sdk-migration/#baggage";
const VALUE_ENCODING: &str = "https://www.jaegertracing.io/sdk-migration/#value-encoding";
const TRACING_HEADER: &str =
    "https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader";
const OT: &str = "https://github.com/open-telemetry/opentelemetry-go-contrib/tree/main/propagators/ot";
const MEMBER: &[Field] = &[Field::Member, Field::Value];
const DECISION: &[Field] = &[Field::Flags, Field::Sampling];

pub(super) const CLASSES: &[Class] = &[
    // --- uber-trace-id ---
    Class {
        name: "the first of two older headers",
        whose: Whose::Open,
        rule: "of a header that may come once nothing is said where it comes twice; which one is meant nobody can say",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.3",
        issue: None,
        peers: SDKS,
        formats: &[Format::Jaeger, Format::Xray],
        fields: &[Field::Ids],
        test: |step, d| {
            read(step) && d.expected.is_none() && header_lines(step).len() > 1 && has_the_ids(step, d)
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
        peers: &[Python, Go],
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
            read(step) && (found == Some(&plain) || found == Some(plain.trim()))
        },
    },
    Class {
        name: "an entry with an empty value is not sent",
        whose: Whose::Ours,
        rule: "an Injector can only set, so our carriers take an empty value for the wish to remove the header",
        source: "https://opentelemetry.io/docs/specs/otel/context/api-propagators/#set",
        issue: None,
        peers: &[Ours],
        formats: &[Format::Jaeger, Format::OtTrace],
        fields: &[Field::Member],
        test: |step, d| {
            let value = step.expected.baggage.get(&d.key).map(|(value, _)| value.as_str());
            !read(step) && d.found.is_none() && value == Some("")
        },
    },
    // --- X-Amzn-Trace-Id ---
    Class {
        name: "a Root without a Parent is forgotten",
        whose: Whose::Theirs,
        rule: "Root is the trace, and Sampled the decision, where a load balancer adds the header and there is no segment",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::More, Field::Sampling],
        test: |step, _| {
            let nothing = step.found.more.is_empty() && step.found.sampling.is_none();
            read(step) && step.expected.ids.is_none() && nothing
        },
    },
    Class {
        name: "no Lineage",
        whose: Whose::Open,
        rule: "Lineage is appended by Lambda and other services of AWS",
        source: TRACING_HEADER,
        issue: Some("https://github.com/open-telemetry/opentelemetry-go-contrib/pull/6699"),
        peers: &[Python, JavaScript, Go],
        formats: XRAY,
        fields: &[Field::More],
        test: |step, _| {
            read(step)
                && step.found.more.is_empty()
                && step.headers.iter().any(|(_, value)| value.contains("Lineage"))
        },
    },
    Class {
        name: "Lineage is kept as baggage",
        whose: Whose::Open,
        rule: "Lineage is appended by Lambda and other services of AWS",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Java],
        formats: XRAY,
        fields: &[Field::Member],
        test: |step, d| {
            let theirs = if read(step) { &d.found } else { &d.expected };
            let lineage = theirs.as_deref().and_then(|text| text.strip_suffix(';')).unwrap_or("none");
            let same = xray(step).contains(&format!("Lineage={lineage}"));
            d.key == "Lineage" && same && (read(step) || d.found.is_none())
        },
    },
    Class {
        name: "a decision that is missing is a no",
        whose: Whose::Theirs,
        rule: "Sampled is ? or missing where the decision is left to whoever receives it",
        source: TRACING_HEADER,
        issue: Some("https://github.com/open-telemetry/opentelemetry-rust-contrib/issues/522"),
        peers: SDKS,
        formats: &[Format::Xray, Format::OtTrace],
        fields: &[Field::Sampling],
        test: |step, _| {
            read(step) && (step.expected.sampling, step.found.sampling) == (Some(Defer), Some(Deny))
        },
    },
    Class {
        name: "a decision that is missing or unknown costs the trace",
        whose: Whose::Theirs,
        rule: "Sampled is ? or missing where the decision is left to whoever receives it",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| read(step) && d.found.is_none() && step.expected.sampling == Some(Defer),
    },
    Class {
        name: "spaces between the pairs of X-Amzn-Trace-Id",
        whose: Whose::Theirs,
        rule: "pairs of keys and values with semicolons between them; AWS's own SDKs take spaces off",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Go],
        formats: XRAY,
        fields: &[Field::Ids, Field::Flags, Field::Sampling],
        test: |step, d| {
            let spaced = xray(step).split(';').any(|pair| pair.split('=').any(|text| trim(text) != text));
            let less = d.found.is_none() || (d.field != Field::Ids && step.found.sampling == Some(Deny));
            read(step) && spaced && less
        },
    },
    Class {
        name: "a pair that is none costs the trace",
        whose: Whose::Theirs,
        rule: "what is no key of X-Ray's is for others",
        source: TRACING_HEADER,
        issue: None,
        peers: &[Python, Go, Java],
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            let odd = xray(step).split(';').any(|pair| pair.matches('=').count() != 1);
            read(step) && d.found.is_none() && odd
        },
    },
    Class {
        name: "the last of two Roots",
        whose: Whose::Open,
        rule: "each key once; which of two values is meant nobody can say",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            let roots = xray(step).split(';').filter(|pair| trim(pair).starts_with("Root")).count();
            read(step) && d.expected.is_none() && roots > 1 && has_the_ids(step, d)
        },
    },
    Class {
        name: "keys of X-Amzn-Trace-Id that only begin so",
        whose: Whose::Theirs,
        rule: "the keys are Root, Parent and Sampled",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids, Field::Flags, Field::Sampling],
        test: |step, d| {
            let other = |pair: &str| {
                let key = pair.split('=').next().map(trim).unwrap_or_default();
                let begins = key.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
                ["Root", "Parent", "Sampled"].iter().any(|known| begins.starts_with(known) && key != *known)
            };
            let found = d.field != Field::Ids || d.found.is_none() || has_the_ids(step, d);
            read(step) && found && xray(step).split(';').any(other)
        },
    },
    Class {
        name: "ids of X-Amzn-Trace-Id that are none",
        whose: Whose::Theirs,
        rule: "ids are lower-case hexadecimal digits, 8, 24 and 16 of them, and a version of 1",
        source: TRACING_HEADER,
        issue: None,
        peers: SDKS,
        formats: XRAY,
        fields: &[Field::Ids],
        test: |step, d| {
            let good = |pair: &str| {
                let (key, value) = pair.split_once('=').unwrap_or_default();
                let fields: Vec<_> = trim(value).split('-').collect();
                match (trim(key), fields.as_slice()) {
                    ("Root", [version, time, random]) => {
                        *version == "1" && lower_hex(time, 8) && lower_hex(random, 24)
                    }
                    ("Parent", [id]) => lower_hex(id, 16),
                    ("Root" | "Parent", _) => false,
                    _ => true,
                }
            };
            let bad = !xray(step).split(';').all(good);
            let upper = d.expected.as_ref().is_some_and(|ids| *ids != ids.to_ascii_lowercase());
            if read(step) {
                d.expected.is_none() && d.found.is_some() && bad
            } else {
                d.found.is_none() && upper
            }
        },
    },
    // --- ot-tracer-* ---
    Class {
        name: "the upper half of a trace id is cut off",
        whose: Whose::Open,
        rule: "ot-tracer-traceid has 16 digits where it is sent",
        source: OT,
        issue: None,
        peers: &[Python, JavaScript, Go, Java, Ours],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let half = |ids: &String| ids.get(16..).map(str::to_owned);
            let lower = d.expected.as_ref().and_then(half);
            !read(step) && lower.is_some() && d.found == lower.map(|half| format!("{:0>16}{half}", ""))
        },
    },
    Class {
        name: "ids of ot-tracer-* without their zeros",
        whose: Whose::Open,
        rule: "clients write numbers without zeros in front; of the width nothing is said",
        source: OT,
        issue: None,
        peers: &[JavaScript, Go, Java],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let short = |name, width| lines(step, name).first().is_some_and(|id| trim(id).len() < width);
            read(step)
                && d.found.is_none()
                && (short("ot-tracer-traceid", 16) || short("ot-tracer-spanid", 16))
        },
    },
    Class {
        name: "trace ids of 17 to 31 digits",
        whose: Whose::Theirs,
        rule: "a trace id has 64 or 128 bits",
        source: OT,
        issue: None,
        peers: &[Python, Java],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let between =
                lines(step, "ot-tracer-traceid").first().is_some_and(|id| (17..32).contains(&id.len()));
            let cut = || {
                let half = |ids: &String| ids.get(16..).map(|half| format!("{:0>16}{half}", ""));
                d.expected.as_ref().and_then(half) == d.found
            };
            between && if read(step) { d.expected.is_none() && has_the_ids(step, d) } else { cut() }
        },
    },
    Class {
        name: "upper-case ids in ot-tracer-*",
        whose: Whose::Theirs,
        rule: "ids are lower-case hexadecimal digits in every text of OpenTelemetry's",
        source: "https://opentelemetry.io/docs/specs/otel/trace/api/#retrieving-the-traceid-and-spanid",
        issue: None,
        peers: &[JavaScript],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let theirs = if read(step) { &d.found } else { &d.expected };
            let upper = theirs.as_ref().is_some_and(|ids| *ids != ids.to_ascii_lowercase());
            upper && if read(step) { d.expected.is_none() && has_the_ids(step, d) } else { d.found.is_none() }
        },
    },
    Class {
        name: "only true is sampled",
        whose: Whose::Open,
        rule: "true and false are written; 1, 0 and other cases of the letters are read by some",
        source: OT,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: OT_TRACE,
        fields: DECISION,
        test: |step, _| {
            let word = lines(step, "ot-tracer-sampled").first().is_some_and(|word| trim(word) != "true");
            read(step) && word && step.expected.sampling == Some(Accept) && step.found.sampling == Some(Deny)
        },
    },
    Class {
        name: "an unknown word is not sampled",
        whose: Whose::Open,
        rule: "true and false are written; what to make of another word is not said",
        source: OT,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: OT_TRACE,
        fields: &[Field::Ids],
        test: |step, d| {
            let known = |word: &&str| {
                ["", "0", "1", "false", "true"].contains(&trim(word).to_ascii_lowercase().as_str())
            };
            let unknown = lines(step, "ot-tracer-sampled").first().is_some_and(|word| !known(word));
            read(step) && d.expected.is_none() && unknown && step.found.flags == 0 && has_the_ids(step, d)
        },
    },
    Class {
        name: "spaces around a value of ot-baggage-*",
        whose: Whose::Open,
        rule: "a field value does not include leading or trailing whitespace, so it cannot be carried",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
        issue: None,
        peers: SDKS,
        formats: OT_TRACE,
        fields: MEMBER,
        test: |step, d| {
            let value = if read(step) { step.found } else { step.expected }.baggage.get(&d.key);
            let spaced = value.is_some_and(|(value, _)| value.trim_matches([' ', '\t']) != value);
            if read(step) { d.expected.is_none() && spaced } else { d.found.is_none() && spaced }
        },
    },
    Class {
        name: "values of ot-baggage-* that no header can hold",
        whose: Whose::Theirs,
        rule: "field values are visible ASCII with spaces and tabs between",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.5",
        issue: None,
        peers: SDKS,
        formats: OT_TRACE,
        fields: MEMBER,
        test: |step, d| {
            let value = if read(step) { step.found } else { step.expected }.baggage.get(&d.key);
            let odd = value.is_some_and(|(value, _)| value.chars().any(|c| !(' '..='~').contains(&c)));
            odd && if read(step) { d.expected.is_none() } else { d.found.is_none() }
        },
    },
    Class {
        name: "ot-baggage-* with an empty value, or a dash in its name, is not sent",
        whose: Whose::Theirs,
        rule: "header names are tokens, and a value may be empty",
        source: "https://www.rfc-editor.org/rfc/rfc9110#section-5.1",
        issue: None,
        peers: &[Python],
        formats: OT_TRACE,
        fields: &[Field::Member],
        test: |step, d| {
            let empty = step.expected.baggage.get(&d.key).is_some_and(|(value, _)| value.is_empty());
            !read(step) && d.found.is_none() && (empty || d.key.contains('-'))
        },
    },
    Class {
        name: "values of ot-baggage-* as members of W3C Baggage",
        whose: Whose::Theirs,
        rule: "the value is carried as it is",
        source: OT,
        issue: None,
        peers: &[Go],
        formats: OT_TRACE,
        fields: MEMBER,
        test: |step, d| {
            let Some(raw) = raw_value(step, "ot-baggage-", &d.key) else { return false };
            let octets = raw.chars().all(|c| c.is_ascii_graphic() && !"\",;\\".contains(c));
            let found = step.found.baggage.get(&d.key).map(|(value, _)| value.as_str());
            let decoded = percent_decode_str(raw).decode_utf8_lossy();
            read(step)
                && if octets {
                    found == Some(&decoded) || found.is_none() && raw.contains('%')
                } else {
                    found.is_none()
                }
        },
    },
];

/// The lines of the format's header.
fn header_lines<'a>(step: &Step<'a>) -> Vec<&'a str> {
    match step.format {
        Format::Jaeger => lines(step, "uber-trace-id"),
        _ => lines(step, "x-amzn-trace-id"),
    }
}

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

fn xray<'a>(step: &Step<'a>) -> &'a str {
    lines(step, "x-amzn-trace-id").first().copied().unwrap_or_default()
}

/// The first value of a header whose name ends in the key.
fn raw_value<'a>(step: &Step<'a>, prefix: &str, key: &str) -> Option<&'a str> {
    lines(step, &format!("{prefix}{key}")).first().copied()
}

/// As Jaeger's clients decode; nothing where it is no encoding.
fn decoded(value: &str) -> Option<String> {
    let escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let whole = value.split('%').skip(1).all(escape);
    percent_decode_str(&value.replace('+', " ")).decode_utf8().ok().filter(|_| whole).map(Into::into)
}

fn lower(text: Option<&str>) -> Option<String> {
    text.map(str::to_ascii_lowercase)
}

fn hex(text: &str, fewest: usize, most: usize) -> bool {
    (fewest..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit())
}

fn lower_hex(text: &str, width: usize) -> bool {
    hex(text, width, width) && !text.contains(|c: char| c.is_ascii_uppercase())
}

/// The peer found the ids that stand in the header's places for ids, the first or the last of several, and no others.
fn has_the_ids(step: &Step<'_>, difference: &Difference) -> bool {
    let (trace, span) = match step.format {
        Format::Jaeger => {
            let value = jaeger(step);
            let mut fields = value.split(':').map(str::to_owned);
            (fields.next().unwrap_or_default(), fields.next().unwrap_or_default())
        }
        Format::Xray => {
            let last = |key: &str| {
                let pairs = xray(step).split(';').filter_map(|pair| pair.split_once('='));
                let begins = |k: &str| {
                    k.trim_start_matches(|c: char| c.is_whitespace() || c.is_control()).starts_with(key)
                };
                pairs.rev().find(|(k, _)| begins(k)).map(|(_, value)| trim(value)).unwrap_or_default()
            };
            (last("Root").trim_start_matches("1-").replace('-', ""), last("Parent").to_owned())
        }
        _ => {
            let first =
                |name| lines(step, name).first().map(|line| trim(line).to_owned()).unwrap_or_default();
            (first("ot-tracer-traceid"), first("ot-tracer-spanid"))
        }
    };
    lower(difference.found.as_deref()) == Some(format!("{trace:0>32}-{span:0>16}").to_ascii_lowercase())
}
