//! Places in a value, by bytes and at the boundaries of characters.

use otel_propagator_core::located::{field, first, within};

#[test]
fn a_range_is_moved_to_what_is_there() {
    let rows = [
        ("as it is", "abc", 1..2, 1..2),
        ("empty", "abc", 1..1, 1..1),
        ("beyond the end", "abc", 2..9, 2..3),
        ("behind the end", "abc", 7..9, 3..3),
        ("no value", "", 0..1, 0..0),
        ("out to characters", "a\u{e9}b", 2..2, 1..3),
        ("out by several bytes", "\u{1f600}", 3..3, 0..4),
        ("out on one side", "\u{1f600}", 0..1, 0..4),
    ];
    for (rule, value, range, expected) in rows {
        assert_eq!(within(value, range), expected, "{rule}");
    }
}

#[test]
fn a_field_is_found_by_its_separators() {
    let rows = [
        ("the first", "ab:c:", ':', 0, 0..2),
        ("the next", "ab:c:", ':', 1, 3..4),
        ("an empty one", "ab:c:", ':', 2, 5..5),
        ("none", "ab:c:", ':', 3, 5..5),
        ("a separator of two bytes", "ab\u{e9}c", '\u{e9}', 1, 4..5),
    ];
    for (rule, value, separator, place, expected) in rows {
        assert_eq!(field(value, separator, place), expected, "{rule}");
    }
}

#[test]
fn the_first_character_that_is_not_allowed() {
    let rows = [
        ("all are", "x123", 1..4, 1..4),
        ("one is not", "x12y", 1..4, 3..4),
        ("the first of two", "0ab0", 0..4, 1..2),
        ("of two bytes", "00\u{e9}0", 1..5, 2..4),
        ("no range of the value", "12", 5..7, 5..7),
    ];
    for (rule, value, range, expected) in rows {
        assert_eq!(first(value, range, |c| c.is_ascii_digit()), expected, "{rule}");
    }
}
