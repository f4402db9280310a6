//! Fixed-width, lower-case hexadecimal digits, both ways, eight characters at a time.
//!
//! > HEXDIGLC = DIGIT / "a" / "b" / "c" / "d" / "e" / "f" ; lowercase hex character
//!
//! <https://www.w3.org/TR/trace-context-2/#traceparent-header-field-values>; B3 asks for the same digits:
//! <https://github.com/openzipkin/b3-propagation#http-encodings>.
//!
//! The width is part of the type, so a value that is too short or too long cannot reach these functions.
//! `u64::from_str_radix` is no substitute: it takes signs, upper case and any length.

/// Reads two digits; `None` where one of them is not a lower-case hexadecimal digit.
///
/// ```
/// use otel_propagator_core::hex;
///
/// assert_eq!(hex::decode_u8(b"0f"), Some(15));
/// assert_eq!(hex::decode_u8(b"0F"), None);
/// assert_eq!(hex::decode_u8(b"+1"), None);
/// ```
#[must_use]
#[inline]
pub fn decode_u8(&[high, low]: &[u8; 2]) -> Option<u8> {
    Some((digit(high)? << 4) | digit(low)?)
}

/// Reads 16 digits; `None` where one of them is not a lower-case hexadecimal digit.
///
/// ```
/// use otel_propagator_core::hex;
///
/// assert_eq!(hex::decode_u64(b"00f067aa0ba902b7"), Some(0x00f0_67aa_0ba9_02b7));
/// ```
#[must_use]
#[inline]
pub fn decode_u64(digits: &[u8; 16]) -> Option<u64> {
    let characters = u128::from_be_bytes(*digits);
    #[allow(clippy::cast_possible_truncation, reason = "the two halves of the 16 characters")]
    let (high, low) = ((characters >> 64) as u64, characters as u64);
    Some(u64::from(decode_word(high)?) << 32 | u64::from(decode_word(low)?))
}

/// Reads 32 digits; `None` where one of them is not a lower-case hexadecimal digit.
///
/// ```
/// use otel_propagator_core::hex;
///
/// assert_eq!(hex::decode_u128(b"0000000000000000000000000000002a"), Some(42));
/// ```
#[must_use]
#[inline]
pub fn decode_u128(digits: &[u8; 32]) -> Option<u128> {
    let (high, rest) = digits.split_first_chunk::<16>()?;
    let low = rest.first_chunk::<16>()?;
    Some(u128::from(decode_u64(high)?) << 64 | u128::from(decode_u64(low)?))
}

/// Writes two digits.
///
/// ```
/// assert_eq!(&otel_propagator_core::hex::encode_u8(15), b"0f");
/// ```
#[must_use]
#[inline]
pub const fn encode_u8(value: u8) -> [u8; 2] {
    let [.., high, low] = encode_word(value as u32);
    [high, low]
}

/// Writes 16 digits.
///
/// ```
/// assert_eq!(&otel_propagator_core::hex::encode_u64(42), b"000000000000002a");
/// ```
#[must_use]
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the two halves of the value")]
pub const fn encode_u64(value: u64) -> [u8; 16] {
    let high = u64::from_be_bytes(encode_word((value >> 32) as u32)) as u128;
    let low = u64::from_be_bytes(encode_word(value as u32)) as u128;
    (high << 64 | low).to_be_bytes()
}

/// Writes 32 digits.
///
/// ```
/// assert_eq!(&otel_propagator_core::hex::encode_u128(42), b"0000000000000000000000000000002a");
/// ```
#[must_use]
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the two halves of the value")]
pub fn encode_u128(value: u128) -> [u8; 32] {
    let mut digits = [0; 32];
    let (high, low) = digits.split_at_mut(16);
    high.copy_from_slice(&encode_u64((value >> 64) as u64));
    low.copy_from_slice(&encode_u64(value as u64));
    digits
}

const fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// The same byte in each of the eight lanes of a word.
const fn lanes(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight characters, one a lane, most significant first.
///
/// Digits and letters differ in bit 6, so every character stands for some number. It is a digit just when that
/// number is a nibble and the nibble is written as this character. No sum below leaves its lane.
const fn decode_word(characters: u64) -> Option<u32> {
    let letters = characters >> 6 & lanes(1);
    let nibbles = (characters & lanes(0x0f)) + letters * 9;
    if (nibbles & lanes(0xf0)) | (characters ^ digits(nibbles)) != 0 {
        return None;
    }
    let bytes = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let pairs = (bytes | bytes >> 8) & 0x0000_ffff_0000_ffff;
    #[allow(clippy::cast_possible_truncation, reason = "the eight nibbles now stand in the low half")]
    Some((pairs | pairs >> 16) as u32)
}

/// The eight digits of a value, one a lane, most significant first.
const fn encode_word(value: u32) -> [u8; 8] {
    let pairs = (value as u64 | (value as u64) << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (pairs | pairs << 8) & 0x00ff_00ff_00ff_00ff;
    let nibbles = (bytes | bytes << 4) & lanes(0x0f);
    digits(nibbles).to_be_bytes()
}

/// The digit of the nibble in each lane.
const fn digits(nibbles: u64) -> u64 {
    let letters = (nibbles + lanes(6)) >> 4 & lanes(1);
    nibbles + lanes(b'0') + letters * (b'a' - b'9' - 1) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_in_every_lane_is_judged_as_a_digit_is() {
        for lane in 0..16 {
            for character in 0..=u8::MAX {
                let mut digits = *b"00f067aa0ba902b7";
                digits[lane] = character;
                let expected = digit(character).map(|nibble| {
                    let shift = 4 * (15 - lane);
                    0x00f0_67aa_0ba9_02b7 & !(0xf << shift) | u64::from(nibble) << shift
                });
                assert_eq!(decode_u64(&digits), expected, "{character:#04x} in lane {lane}");
            }
        }
    }

    #[test]
    fn every_byte_comes_back() {
        for value in 0..=u8::MAX {
            assert_eq!(encode_u8(value), *format!("{value:02x}").as_bytes());
            assert_eq!(decode_u8(&encode_u8(value)), Some(value));
        }
    }

    #[test]
    fn both_halves_of_a_byte_are_judged() {
        for character in 0..=u8::MAX {
            let expected = digit(character);
            assert_eq!(decode_u8(&[b'0', character]), expected, "{character:#04x} second");
            assert_eq!(decode_u8(&[character, b'0']), expected.map(|n| n << 4), "{character:#04x} first");
        }
    }

    #[test]
    fn words_are_written_as_the_formatter_writes_them_and_read_back() {
        let mut value = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210_u128;
        for _ in 0..1000 {
            value = value.wrapping_mul(0x2360_ed05_1fc6_5da4_4385_df64_9fcc_f645).wrapping_add(1);
            assert_eq!(encode_u128(value), *format!("{value:032x}").as_bytes());
            assert_eq!(decode_u128(&encode_u128(value)), Some(value));
            let half = (value >> 64) as u64;
            assert_eq!(encode_u64(half), *format!("{half:016x}").as_bytes());
            assert_eq!(decode_u64(&encode_u64(half)), Some(half));
        }
    }

    #[test]
    fn an_invalid_digit_in_either_half_is_refused() {
        for lane in 0..32 {
            let mut digits = *b"0af7651916cd43dd8448eb211c80319c";
            digits[lane] = b'G';
            assert_eq!(decode_u128(&digits), None, "lane {lane}");
        }
    }
}
