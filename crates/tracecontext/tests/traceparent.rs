//! The grammar of `traceparent`, by the specification's sections.

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use otel_tracecontext::{ErrorKind, Field, ParseError, TraceParent};
use proptest::prelude::*;

const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

type Row = (&'static str, &'static str);

/// Rule, header value, and how it is written again.
const ACCEPTED: &[(&str, &str, &str)] = &[
    ("sampled", VALID, VALID),
    (
        "not sampled",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    ),
    (
        "random trace id",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-02",
    ),
    (
        "other flags are cleared",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-ff",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-03",
    ),
    (
        "a flag without a meaning is not sampled",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-04",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
    ),
    (
        "the smallest ids",
        "00-00000000000000000000000000000001-0000000000000001-01",
        "00-00000000000000000000000000000001-0000000000000001-01",
    ),
    (
        "the largest ids",
        "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01",
        "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-01",
    ),
    ("the next version", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", VALID),
    ("the last version", "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", VALID),
    ("a later version with more", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what", VALID),
    ("a later version with a dash", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-", VALID),
    (
        "what is more may be anything",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01- \u{e9},;=%",
        VALID,
    ),
];

/// By field and kind: rule and header value.
const REJECTED: &[(Field, ErrorKind, &[Row])] = &[
    // https://www.w3.org/TR/trace-context-2/#version
    (Field::Version, ErrorKind::TooShort, &[("empty", ""), ("one character", "0")]),
    (
        Field::Version,
        ErrorKind::NotLowerHex,
        &[
            ("one-digit version", "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("a sign is not a digit", "+0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("upper case", "CC-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("not hex", "g0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("white space in front", " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("not ASCII", "\u{e9}-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("no version", "-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ],
    ),
    (
        Field::Version,
        ErrorKind::ForbiddenVersion,
        &[
            ("version ff", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("version ff with more", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"),
            ("version ff alone", "ff"),
        ],
    ),
    (
        Field::Version,
        ErrorKind::Delimiter,
        &[
            ("nothing else", "00"),
            ("three digits", "000-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("another delimiter", "00.0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("no delimiter", "000af7651916cd43dd8448eb211c80319cb7ad6b716920333101"),
        ],
    ),
    // https://www.w3.org/TR/trace-context-2/#trace-id
    (
        Field::TraceId,
        ErrorKind::TooShort,
        &[
            ("nothing after the version", "00-"),
            ("31 digits and the end", "00-0af7651916cd43dd8448eb211c80319"),
        ],
    ),
    (
        Field::TraceId,
        ErrorKind::NotLowerHex,
        &[
            ("31 digits", "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01"),
            ("upper case", "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01"),
            ("a sign", "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("not hex at the end", "00-0af7651916cd43dd8448eb211c80319.-b7ad6b7169203331-01"),
            ("64 bits", "00-8448eb211c80319c-b7ad6b7169203331-01-00000000000000"),
        ],
    ),
    (
        Field::TraceId,
        ErrorKind::AllZero,
        &[("all zeroes", "00-00000000000000000000000000000000-b7ad6b7169203331-01")],
    ),
    (
        Field::TraceId,
        ErrorKind::Delimiter,
        &[
            ("33 digits", "00-0af7651916cd43dd8448eb211c80319cc-b7ad6b7169203331-01"),
            ("nothing after it", "00-0af7651916cd43dd8448eb211c80319c"),
        ],
    ),
    // https://www.w3.org/TR/trace-context-2/#parent-id
    (
        Field::ParentId,
        ErrorKind::TooShort,
        &[
            ("nothing after the trace-id", "00-0af7651916cd43dd8448eb211c80319c-"),
            ("15 digits and the end", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333"),
        ],
    ),
    (
        Field::ParentId,
        ErrorKind::NotLowerHex,
        &[
            ("15 digits", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333-01"),
            ("upper case", "00-0af7651916cd43dd8448eb211c80319c-B7AD6B7169203331-01"),
            ("not hex in front", "00-0af7651916cd43dd8448eb211c80319c-.7ad6b7169203331-01"),
        ],
    ),
    (
        Field::ParentId,
        ErrorKind::AllZero,
        &[("all zeroes", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01")],
    ),
    (
        Field::ParentId,
        ErrorKind::Delimiter,
        &[
            ("17 digits", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b71692033311-01"),
            ("no flags", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331"),
        ],
    ),
    // https://www.w3.org/TR/trace-context-2/#trace-flags
    (
        Field::TraceFlags,
        ErrorKind::TooShort,
        &[
            ("none", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-"),
            ("one digit", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1"),
        ],
    ),
    (
        Field::TraceFlags,
        ErrorKind::NotLowerHex,
        &[
            ("upper case", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0A"),
            ("a sign", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-+1"),
            ("one digit and a dash", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1-"),
        ],
    ),
    // https://www.w3.org/TR/trace-context-2/#versioning-of-traceparent
    (
        Field::TraceFlags,
        ErrorKind::TrailingData,
        &[
            ("version 00 with a dash", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-"),
            ("version 00 with more", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what"),
            ("three digits", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001"),
            ("white space behind", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 "),
        ],
    ),
    (
        Field::TraceFlags,
        ErrorKind::Delimiter,
        &[
            (
                "a later version needs a dash before more",
                "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
            ),
            ("three digits in a later version", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-001"),
        ],
    ),
];

#[test]
fn what_the_grammar_allows_is_read_and_written_as_version_00() {
    for &(rule, value, written) in ACCEPTED {
        let traceparent = TraceParent::parse(value);
        assert_eq!(traceparent.map(|t| t.to_string()).as_deref(), Ok(written), "{rule}: {value:?}");
    }
}

#[test]
fn what_it_does_not_allow_names_the_field_and_the_rule() {
    for &(field, kind, rows) in REJECTED {
        for &(rule, value) in rows {
            let error = TraceParent::parse(value).map_err(|e| (e.field(), e.kind()));
            assert_eq!(error, Err((field, kind)), "{rule}: {value:?}");
        }
    }
}

#[test]
fn no_two_errors_read_the_same() {
    let errors = REJECTED.iter().map(|&(.., rows)| TraceParent::parse(rows[0].1).unwrap_err());
    let clauses: std::collections::HashSet<_> = errors.map(|error| error.to_string()).collect();
    assert_eq!(clauses.len(), REJECTED.len());
}

#[test]
fn a_structural_byte_in_any_place_of_a_valid_header_breaks_it() {
    for byte in ["-", ",", ";", "=", "%", "@", "+", " ", "\t", "\0", "\n", "\u{7f}"] {
        for place in 0..VALID.len() {
            let mut replaced = VALID.to_owned();
            replaced.replace_range(place..=place, byte);
            assert_eq!(TraceParent::parse(&replaced).is_ok(), replaced == VALID, "{replaced:?}");
        }
        for place in 0..=VALID.len() {
            let mut inserted = VALID.to_owned();
            inserted.insert_str(place, byte);
            assert!(TraceParent::parse(&inserted).is_err(), "{inserted:?}");
        }
    }
}

#[test]
fn every_beginning_of_a_valid_header_is_too_short() {
    for length in 0..VALID.len() {
        assert!(TraceParent::parse(VALID.get(..length).unwrap()).is_err(), "{length} bytes");
    }
}

#[test]
fn a_megabyte_is_refused_in_version_00_and_skipped_in_a_later_one() {
    let megabyte = "0".repeat(1 << 20);
    let error = TraceParent::parse(&megabyte).map_err(ParseError::kind);
    assert_eq!(error, Err(ErrorKind::Delimiter));
    let later = VALID.replacen("00", "01", 1) + "-" + &megabyte;
    assert_eq!(TraceParent::parse(&later), TraceParent::parse(VALID));
}

#[test]
fn the_fields_are_those_of_the_header() {
    let traceparent: TraceParent = VALID.parse().unwrap();
    assert_eq!(traceparent.trace_id(), TraceId::from(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c));
    assert_eq!(traceparent.span_id(), SpanId::from(0xb7ad_6b71_6920_3331));
    assert_eq!(traceparent.flags(), TraceFlags::SAMPLED);
    assert_eq!(String::from(traceparent), VALID);
    assert_eq!(String::from(traceparent).capacity(), VALID.len());
    assert_eq!(format!("{traceparent:>57}"), format!("  {VALID}"));
}

#[test]
fn a_span_context_without_ids_has_no_traceparent() {
    for (trace_id, span_id) in [(0, 1), (1, 0), (0, 0)] {
        assert_eq!(TraceParent::from_span_context(&span_context(trace_id, span_id, 1)), None);
    }
}

fn span_context(trace_id: u128, span_id: u64, flags: u8) -> SpanContext {
    let flags = TraceFlags::new(flags);
    SpanContext::new(TraceId::from(trace_id), SpanId::from(span_id), flags, false, TraceState::NONE)
}

proptest! {
    #[test]
    fn what_was_written_is_read_as_the_same(trace_id in 1_u128.., span_id in 1_u64.., flags: u8) {
        let span_context = span_context(trace_id, span_id, flags);
        let written = TraceParent::from_span_context(&span_context).unwrap();
        prop_assert_eq!(written.to_string(), format!("00-{trace_id:032x}-{span_id:016x}-{:02x}", flags & 3));
        prop_assert_eq!(TraceParent::parse(&written.to_string()), Ok(written));
        prop_assert_eq!(String::from(written), written.to_string());
    }

    #[test]
    fn what_can_be_read_is_written_in_the_same_way_ever_after(text in ".*|[0-9a-f-]{50,60}|[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?") {
        if let Ok(read) = TraceParent::parse(&text) {
            prop_assert_eq!(TraceParent::parse(&read.to_string()), Ok(read));
            let written = read.to_string();
            prop_assert_eq!(written.get(2..53), text.get(2..53));
        }
    }

    #[test]
    fn every_version_but_ff_is_read_by_its_first_four_fields(version in 1..=0xfe_u8, more in "(-.*)?") {
        let later = VALID.replacen("00", &format!("{version:02x}"), 1) + &more;
        prop_assert_eq!(TraceParent::parse(&later), TraceParent::parse(VALID));
    }
}

#[test]
fn a_broken_rule_is_found_at_its_place() {
    const IDS: &str = "0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331";
    let zero = "0".repeat(32);
    for (value, production, part) in [
        ("0".to_owned(), "version", "0"),
        ("ff-".to_owned(), "version", "ff"),
        (format!("00_{IDS}-01"), "version", "_"),
        (format!("00-{zero}-b7ad6b7169203331-01"), "trace-id", zero.as_str()),
        ("00-0af\u{e9}651916cd43dd8448eb211c80319c-".to_owned(), "trace-id", "\u{e9}"),
        ("00-0af7651916cd43dd8448eb211c80319c-b7ad".to_owned(), "parent-id", "b7ad"),
        ("00-0af7651916cd43dd8448eb211c80319c".to_owned(), "trace-id", ""),
        (format!("00-{IDS}-0G"), "trace-flags", "G"),
        (format!("00-{IDS}-01-more"), "trace-flags", "-more"),
        (format!("01-{IDS}-01.more"), "trace-flags", "."),
    ] {
        let located = TraceParent::parse(&value).unwrap_err().located(&value);
        assert_eq!((located.production, value.get(located.range)), (production, Some(part)), "{value}");
        assert_eq!(located.url, format!("https://www.w3.org/TR/trace-context-2/#{production}"));
    }
}

proptest::proptest! {
    #[test]
    fn the_place_is_in_the_value(value in "[0-9a-f-]{0,60}|\\PC{0,60}|00-[0-9a-fé]{32}-[0-9a-f]{15}.[-.]..") {
        if let Err(error) = TraceParent::parse(&value) {
            proptest::prop_assert!(value.get(error.located(&value).range).is_some());
        }
    }
}
