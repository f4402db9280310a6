//! The specifications once more, as plainly as they can be written and without a thought for speed: what the
//! propagators answer is held against these, so that no law rests on the parser that it tests.

pub(crate) mod b3;
pub(crate) mod baggage;
pub(crate) mod tracecontext;

/// > HEXDIGLC = DIGIT / "a" / "b" / "c" / "d" / "e" / "f"
pub(crate) fn is_hex(digits: &str, width: usize) -> bool {
    digits.len() == width && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

/// The value of 16 or 32 digits that are not all zero.
pub(crate) fn id(digits: &str, width: usize) -> Option<u128> {
    let value = is_hex(digits, width).then(|| u128::from_str_radix(digits, 16))?.ok()?;
    (value != 0).then_some(value)
}

/// > OWS = *( SP / HTAB )
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
