//! The classes of differences in baggage.

use super::{Class, SDKS, Whose, lines, read};
use crate::{
    ledger::Step,
    meaning,
    peer::Kind::{Go, Java, JavaScript, Ours, Python},
    protocol::Format,
    reading::{Difference, Field, KEY, VALUE},
};
use otel_propagator_core::header::trim;

const BAGGAGE: &[Format] = &[Format::Baggage];
const ANY_MEMBER: &[Field] = &[Field::Member, Field::Value, Field::Metadata];
const BAGGAGE_DEFINITION: &str = "https://www.w3.org/TR/baggage/#definition";
const BAGGAGE_HEADERS: &str = "https://www.w3.org/TR/baggage/#baggage-http-header-format";
const BAGGAGE_KEY: &str = "https://www.w3.org/TR/baggage/#key";
const BAGGAGE_VALUE: &str = "https://www.w3.org/TR/baggage/#value";
const BAGGAGE_PROPERTY: &str = "https://www.w3.org/TR/baggage/#property";
const BAGGAGE_LIMITS: &str = "https://www.w3.org/TR/baggage/#limits";
const BAGGAGE_MUTATING: &str = "https://www.w3.org/TR/baggage/#mutating-baggage";

pub(super) const CLASSES: &[Class] = &[
    // --- baggage: lines and limits ---
    Class {
        name: "the first line of baggage",
        whose: Whose::Theirs,
        rule: "multiple baggage headers are allowed; values can be combined in a single header",
        source: BAGGAGE_HEADERS,
        issue: Some("https://github.com/open-telemetry/opentelemetry-specification/issues/433"),
        peers: &[Python],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: first_line,
    },
    Class {
        name: "no member over 4096 bytes",
        whose: Whose::Theirs,
        rule: "a platform MUST propagate all list-members where they are 64 or less and 8192 bytes or less",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: &[Python, JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| {
            let came = lost(step, d) && received(step, &d.key, |raw| raw.len() > 4096);
            came || !read(step) && over(step, d, 4096)
        },
    },
    Class {
        name: "more members than 64",
        whose: Whose::Open,
        rule: "an implementor MAY define higher limits than 64 members",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: another_choice_of_members,
    },
    Class {
        name: "what is left out over 8192 bytes",
        whose: Whose::Open,
        rule: "over 8192 bytes a platform MAY drop list-members; which of them is left to the implementer",
        source: BAGGAGE_LIMITS,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: another_choice_of_bytes,
    },
    // --- baggage: keys ---
    Class {
        name: "other whitespace than spaces and tabs is trimmed",
        whose: Whose::Theirs,
        rule: "OWS = *( SP / HTAB )",
        source: BAGGAGE_DEFINITION,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: trimmed,
    },
    Class {
        name: "keys are percent-coded",
        whose: Whose::Theirs,
        rule: "a key is a token; only values are percent-coded",
        source: BAGGAGE_KEY,
        issue: Some("https://github.com/w3c/baggage/issues/140"),
        peers: &[Python, JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: coded_key,
    },
    Class {
        name: "a property without a member becomes one",
        whose: Whose::Theirs,
        rule: "list-member = key OWS \"=\" OWS value *( OWS \";\" OWS property ), and a key is not empty",
        source: BAGGAGE_DEFINITION,
        issue: None,
        peers: &[Java],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && begins_with_property(step, &d.key),
    },
    Class {
        name: "keys that are no tokens",
        whose: Whose::Theirs,
        rule: "key = token",
        source: BAGGAGE_KEY,
        issue: None,
        peers: &[Python, JavaScript, Java],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| !token(&d.key) && if read(step) { d.expected.is_none() } else { d.found.is_none() },
    },
    // --- baggage: values ---
    Class {
        name: "no member with an empty value",
        whose: Whose::Theirs,
        rule: "value = *baggage-octet",
        source: BAGGAGE_DEFINITION,
        issue: Some("https://github.com/open-telemetry/opentelemetry-js/issues/6138"),
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| {
            lost(step, d) && step.expected.baggage.get(&d.key).is_some_and(|(value, _)| value.is_empty())
        },
    },
    Class {
        name: "whitespace is taken off after decoding",
        whose: Whose::Theirs,
        rule: "leading and trailing OWS is no part of the value; an escaped space is",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |step, d| read(step) && pair(d).is_some_and(|(expected, found)| strip(expected) == found),
    },
    Class {
        name: "form encoding: a plus is a space",
        whose: Whose::Theirs,
        rule: "percent-encoding is RFC 3986's; \"+\" (%x2B) is a baggage-octet that stands for itself",
        source: BAGGAGE_VALUE,
        issue: Some("https://github.com/open-telemetry/opentelemetry-python/issues/5566"),
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |_, d| {
            pair(d).is_some_and(|(expected, found)| strip(&spaced(expected)) == strip(&spaced(found)))
        },
    },
    Class {
        name: "properties become part of the value",
        whose: Whose::Theirs,
        rule: "list-member = key OWS \"=\" OWS value *( OWS \";\" OWS property )",
        source: BAGGAGE_PROPERTY,
        issue: Some("https://github.com/w3c/baggage/issues/140"),
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |step, d| {
            let begins = |(expected, found)| {
                strip(&spaced(found)).strip_prefix(strip(&spaced(expected))).map(str::to_owned)
            };
            read(step) && pair(d).and_then(begins).is_some_and(|rest| strip(&rest).starts_with(';'))
        },
    },
    Class {
        name: "an API without metadata",
        whose: Whose::Open,
        rule: "metadata is an optional parameter of OpenTelemetry's API",
        source: "https://opentelemetry.io/docs/specs/otel/baggage/api/#set-value",
        issue: None,
        peers: &[Python],
        formats: BAGGAGE,
        fields: &[Field::Metadata],
        test: |step, d| read(step) && d.found.as_deref() == Some(""),
    },
    Class {
        name: "bytes that are not UTF-8 cost the member",
        whose: Whose::Theirs,
        rule: "octet sequences that do not match UTF-8 MUST be replaced with U+FFFD",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && lost(step, d) && received(step, &d.key, not_utf_8),
    },
    Class {
        name: "a replacement character a byte",
        whose: Whose::Open,
        rule: "sequences that do not match UTF-8 MUST be replaced with U+FFFD; how many make a sequence is not said",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[Go],
        formats: BAGGAGE,
        fields: &[Field::Value],
        test: |_, d| pair(d).is_some_and(|(expected, found)| replaced_once(expected) == replaced_once(found)),
    },
    Class {
        name: "a broken escape costs the member, or is cut",
        whose: Whose::Open,
        rule: "the percent code point MUST be percent-encoded; of one that is not, nothing is said",
        source: BAGGAGE_VALUE,
        issue: None,
        peers: &[JavaScript, Go, Java],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && received(step, &d.key, broken_escape),
    },
    Class {
        name: "octets outside the grammar are read",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, the behavior is undefined",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && received(step, &d.key, |raw| !baggage_octets(raw)),
    },
    Class {
        name: "a broken property costs the member",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, an offending list-member MAY be removed",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[Python, Go, Java],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| read(step) && lost(step, d) && received(step, &d.key, bad_property),
    },
    Class {
        name: "a broken property is sent escaped",
        whose: Whose::Ours,
        rule: "where the baggage-string is not in the format, the behavior is undefined; what we send is in the format",
        source: BAGGAGE_MUTATING,
        issue: None,
        peers: &[Ours],
        formats: BAGGAGE,
        fields: &[Field::Metadata],
        test: |step, d| !read(step) && received(step, &d.key, bad_property) && says_the_same(d),
    },
    Class {
        name: "metadata without whitespace of any kind at its ends",
        whose: Whose::Ours,
        rule: "OWS = *( SP / HTAB ); the API's BaggageMetadata takes off other whitespace too",
        source: BAGGAGE_DEFINITION,
        issue: None,
        peers: SDKS,
        formats: BAGGAGE,
        fields: &[Field::Metadata],
        test: |_, d| {
            // Each property by itself, since those at the ends may be nothing but such whitespace.
            let trimmed = |text: &str| {
                text.split(KEY)
                    .map(str::trim)
                    .filter(|text| !text.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            pair(d).is_some_and(|(expected, found)| trimmed(expected) == trimmed(found))
        },
    },
    Class {
        name: "metadata with a comma becomes members",
        whose: Whose::Theirs,
        rule: "any code points outside of the baggage-octet range MUST be percent-encoded, in a property too",
        source: BAGGAGE_PROPERTY,
        issue: None,
        peers: &[JavaScript],
        formats: BAGGAGE,
        fields: ANY_MEMBER,
        test: |step, d| !read(step) && comma_in_metadata(step, d),
    },
    Class {
        name: "metadata with a comma costs the member",
        whose: Whose::Open,
        rule: "where the baggage-string is not in the format, an offending list-member MAY be removed",
        source: BAGGAGE_MUTATING,
        issue: Some("https://github.com/open-telemetry/opentelemetry-java/pull/8682"),
        peers: &[Java],
        formats: BAGGAGE,
        fields: &[Field::Member],
        test: |step, d| !read(step) && d.found.is_none() && comma_in_metadata(step, d),
    },
];

/// The member is not there, or an earlier one of its key is.
fn lost(step: &Step<'_>, difference: &Difference) -> bool {
    difference.expected.is_some() && (difference.found.is_none() || received_twice(step, &difference.key))
}

/// A member that is left out of what is sent, and that may take more than so many bytes there.
fn over(step: &Step<'_>, difference: &Difference, bytes: usize) -> bool {
    let member = step.expected.baggage.get(&difference.key);
    difference.found.is_none() && member.is_some_and(|member| longest(&difference.key, member) > bytes)
}

/// Only the first line was read: what all lines mean for the key is not what the first alone means, and of a key that
/// the first does not have the peer has nothing.
fn first_line(step: &Step<'_>, difference: &Difference) -> bool {
    let (key, lines) = (&difference.key, lines(step, "baggage"));
    let Some((first, later)) = lines.split_first() else { return false };
    let alone = [("baggage".to_owned(), (*first).to_owned())];
    let alone = meaning::of(step.format, &alone);
    read(step)
        && later.iter().any(|line| names(line, key))
        && step.expected.baggage.get(key) != alone.baggage.get(key)
        && (names(first, key) || difference.found.is_none())
}

/// One side has the 64 members that everybody has to carry, and not this one; or the peer looks at no member beyond its
/// own limit and this one comes later.
fn another_choice_of_members(step: &Step<'_>, difference: &Difference) -> bool {
    let key = &difference.key;
    let (ours, theirs) = (&step.expected.baggage, &step.found.baggage);
    // Whose limit it was: of what we read, or of what the peer sent or kept.
    let left_out =
        |one: &Entries, other: &Entries| one.len() >= 64 && !one.contains_key(key) && other.contains_key(key);
    if !read(step) {
        return ours.len() > 64 && left_out(theirs, ours);
    }
    let behind = baggage_members(step).skip(64).any(|member| has_key(member, key));
    let cut = behind && (!theirs.contains_key(key) || received_twice(step, key));
    members(step) > 64 && (left_out(ours, theirs) || left_out(theirs, ours) || cut)
}

/// A member that does not fit into 8192 bytes beside those that are there, counted as they were received.
fn another_choice_of_bytes(step: &Step<'_>, difference: &Difference) -> bool {
    let key = &difference.key;
    if !read(step) {
        return difference.found.is_none() && all_over(&step.expected.baggage, 8192);
    }
    let joined = lines(step, "baggage").join(",");
    // The first byte behind the bound belongs to this member or to one before it.
    let behind = joined.get(8192..).is_some_and(|rest| {
        let start = joined.len() - rest.len();
        let member = joined.get(..start).and_then(|text| text.rfind(',')).map_or(0, |comma| comma + 1);
        joined.get(member..).is_some_and(|text| names(text, key))
    });
    // Some leave out a whole line where it passes the bound.
    let mut bytes = 0;
    let line_over = lines(step, "baggage").iter().any(|line| {
        bytes += line.len() + 1;
        bytes > 8193 && names(line, key)
    });
    let nothing = joined.len() > 8192 && step.found.baggage.is_empty();
    let choice = difference.field == Field::Member || received_twice(step, key);
    (behind || line_over || nothing) && choice
}

type Entries = std::collections::BTreeMap<String, (String, String)>;

/// All that is held may take more than so many bytes where it is sent.
fn all_over(baggage: &Entries, bytes: usize) -> bool {
    baggage.iter().map(|(key, member)| longest(key, member) + 1).sum::<usize>() > bytes
}

/// What is escaped on one side is on the other side as it is, and nothing is missing or new.
fn says_the_same(difference: &Difference) -> bool {
    // Whitespace behind the equals sign is a part of what is escaped, and of what is not escaped no part.
    let decoded = |text: &str| {
        let text = percent_encoding::percent_decode_str(text).decode_utf8_lossy().replace(VALUE, "=");
        text.split('=').map(trim).collect::<Vec<_>>().join("=")
    };
    pair(difference).is_some_and(|(expected, found)| decoded(expected) == decoded(found))
}

/// The bytes of a member of which everything is escaped that may be.
fn longest(key: &str, (value, metadata): &(String, String)) -> usize {
    let escaped =
        |text: &str| text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { 1 } else { 3 }).sum::<usize>();
    escaped(key) + escaped(value) + escaped(metadata) + 2
}

/// Whether a line has a member of the key.
fn names(line: &str, key: &str) -> bool {
    line.split(',').any(|member| has_key(member, key))
}

/// Both sides of a difference.
fn pair(difference: &Difference) -> Option<(&str, &str)> {
    difference.expected.as_deref().zip(difference.found.as_deref())
}

fn spaced(text: &str) -> String {
    text.replace('+', " ")
}

/// Runs of replacement characters as one.
fn replaced_once(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("\u{fffd}\u{fffd}") {
        text = text.replace("\u{fffd}\u{fffd}", "\u{fffd}");
    }
    text
}

/// What Python's `str.strip` leaves.
fn strip(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c))
}

/// A comma was in the metadata of the member, or of the one from which this member came.
fn comma_in_metadata(step: &Step<'_>, difference: &Difference) -> bool {
    let comma = |(_, metadata): &(String, String)| metadata.contains(',');
    let from = |text: &str| text.contains(&difference.key);
    match step.expected.baggage.get(&difference.key) {
        Some(member) => comma(member),
        None => step.expected.baggage.values().any(|member| comma(member) && from(&member.1)),
    }
}

/// One side has the key, the other has it with escapes that the first does not have, or cannot decode it.
fn coded_key(step: &Step<'_>, difference: &Difference) -> bool {
    let plain =
        |key: &str| strip(&percent_encoding::percent_decode_str(&spaced(key)).decode_utf8_lossy()).to_owned();
    let key = plain(&plain(&difference.key));
    let alike = |other: &String| *other != difference.key && plain(&plain(other)) == key;
    let keys = || step.expected.baggage.keys().chain(step.found.baggage.keys());
    keys().any(alike) || difference.found.is_none() && difference.key.contains('%')
}

fn baggage_members<'a>(step: &Step<'a>) -> impl Iterator<Item = &'a str> {
    lines(step, "baggage").into_iter().flat_map(|line| line.split(','))
}

/// How many members were received, good and bad.
fn members(step: &Step<'_>) -> usize {
    baggage_members(step).count()
}

/// Whether one of the members that were received with the key is of a kind.
fn received(step: &Step<'_>, key: &str, kind: impl Fn(&str) -> bool) -> bool {
    baggage_members(step).any(|member| has_key(member, key) && kind(member))
}

/// Whether a member has the key, as it is written or as its escapes read.
fn has_key(member: &str, key: &str) -> bool {
    let pair = member.split(';').next().and_then(|pair| pair.split_once('='));
    pair.is_some_and(|(name, _)| {
        let name = name.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        name == key || percent_encoding::percent_decode_str(name).decode_utf8_lossy() == key
    })
}

/// <https://www.rfc-editor.org/rfc/rfc7230#section-3.2.6>
fn token(text: &str) -> bool {
    let mark = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !text.is_empty() && text.chars().all(mark)
}

fn value(raw: &str) -> &str {
    let pair = raw.split(';').next().unwrap_or(raw);
    pair.split_once('=').map_or("", |(_, value)| trim(value))
}

/// <https://www.w3.org/TR/baggage/#definition>
fn octets(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() && !"\",;\\".contains(c))
}

/// Whether the value holds nothing but baggage-octets.
fn baggage_octets(raw: &str) -> bool {
    octets(value(raw))
}

/// Whether the value decodes to bytes that are not UTF-8.
fn not_utf_8(raw: &str) -> bool {
    percent_encoding::percent_decode_str(value(raw)).decode_utf8().is_err()
}

/// Whether the value has a `%` without two digits.
fn broken_escape(raw: &str) -> bool {
    broken_percent(value(raw))
}

fn broken_percent(text: &str) -> bool {
    let escape = |rest: &str| rest.get(..2).is_some_and(|two| two.chars().all(|c| c.is_ascii_hexdigit()));
    text.split('%').skip(1).any(|rest| !escape(rest))
}

/// Whether one of the properties does not follow the grammar.
fn bad_property(raw: &str) -> bool {
    let good = |text: &str| match text.split_once('=') {
        Some((key, value)) => token(trim(key)) && octets(trim(value)) && !broken_percent(value),
        None => token(trim(text)),
    };
    raw.split(';').skip(1).any(|text| !good(text))
}

/// The peer has what the specification would have it read if the other whitespace, or control characters, at the ends of
/// members, keys, values and properties were spaces.
fn trimmed(step: &Step<'_>, difference: &Difference) -> bool {
    let other = |c: char| (c.is_whitespace() || c.is_control() || c == '\u{feff}') && !" \t".contains(c);
    let trim = |text: &str| {
        let text = text.trim_matches(|c: char| other(c) || c == ' ' || c == '\t');
        text.to_owned()
    };
    let property = |text: &str| text.split('=').map(trim).collect::<Vec<_>>().join("=");
    let member = |text: &str| text.split(';').map(property).collect::<Vec<_>>().join(";");
    let line = |text: &str| text.split(',').map(member).collect::<Vec<_>>().join(",");
    let headers: Vec<_> = step.headers.iter().map(|(name, value)| (name.clone(), line(value))).collect();
    let key = &difference.key;
    read(step)
        && step.headers.iter().any(|(_, value)| value.contains(other))
        && meaning::of(step.format, &headers).baggage.get(key) == step.found.baggage.get(key)
}

/// Whether the key belongs to a property with no member before it.
fn begins_with_property(step: &Step<'_>, key: &str) -> bool {
    let mut members = baggage_members(step);
    members.any(|member| match member.split_once('=') {
        Some((before, _)) => before.contains(';') && before.rsplit(';').any(|text| trim(text) == key),
        None => false,
    })
}

/// Whether two members with the key were received.
fn received_twice(step: &Step<'_>, key: &str) -> bool {
    baggage_members(step).filter(|member| has_key(member, key)).count() > 1
}
