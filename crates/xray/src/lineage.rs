//! `Lineage`: what Lambda counts, so that functions that call each other in a circle are stopped.

use otel_propagator_core::hex;
use std::fmt;

/// The value of `Lineage`: `{0 to 32767}:{8 hexadecimal digits}:{0 to 255}`, 12 to 18 characters.
///
/// > Lineage – a value appended by Lambda and other AWS services. It is used in the detection of loops between
/// > services.
///
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
///
/// AWS does not publish the grammar. It is the one of OpenTelemetry's propagator for Java.
///
/// ```
/// use otel_xray::TraceHeader;
///
/// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=32767:e65a2c4d:255";
/// let lineage = TraceHeader::parse(header)?.lineage().unwrap();
/// assert_eq!(lineage.to_string(), "32767:e65a2c4d:255");
/// # Ok::<(), otel_xray::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Lineage {
    first: u16,
    hash: u32,
    second: u8,
}

/// The longest value in bytes.
const LONGEST: usize = "32767:e65a2c4d:255".len();

impl Lineage {
    /// Nothing where the text is no `Lineage`: it is an addition to the header, which costs no trace.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (first, rest) = text.split_once(':')?;
        let (hash, second) = rest.split_once(':')?;
        let first = counter(first)?.try_into().ok().filter(|&first| first <= 32767)?;
        Some(Self { first, hash: eight_digits(hash)?, second: counter(second)?.try_into().ok()? })
    }
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{:08x}:{}", self.first, self.hash, self.second)
    }
}

/// Decimal digits, without a sign.
fn counter(digits: &str) -> Option<u32> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

fn eight_digits(digits: &str) -> Option<u32> {
    let mut padded = [b'0'; 16];
    let (_, place) = padded.split_at_mut(8);
    place.copy_from_slice(<&[u8; 8]>::try_from(digits.as_bytes()).ok()?);
    hex::decode_u64(&padded)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_and_written() {
        for text in ["0:00000000:0", "32767:e65a2c4d:255", "1:badc0ded:13"] {
            assert_eq!(Lineage::parse(text).map(|lineage| lineage.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Lineage::parse("007:e65a2c4d:01"), Lineage::parse("7:e65a2c4d:1"), "leading zeros");
    }

    #[test]
    fn refused() {
        let rows = [
            ("empty", ""),
            ("one part", "e65a2c4d"),
            ("two parts, as it was before", "e65a2c4d:0"),
            ("four parts", "1:e65a2c4d:1:1"),
            ("the first counter is too high", "32768:e65a2c4d:255"),
            ("the second counter is too high", "32767:e65a2c4d:256"),
            ("both are far too high", "99999:e65a2c4d:999"),
            ("no first counter", ":e65a2c4d:1"),
            ("no second counter", "1:e65a2c4d:"),
            ("a sign", "-1:e65a2c4d:1"),
            ("another sign", "1:e65a2c4d:+1"),
            ("7 digits", "1:badc0de:13"),
            ("9 digits", "1:badc0dede:13"),
            ("upper case", "1:BADC0DED:13"),
            ("not hex", "1:badc0deg:13"),
            ("longer than the longest", "032767:e65a2c4d:255"),
            ("a space", "1: e65a2c4d:1"),
        ];
        for (rule, text) in rows {
            assert_eq!(Lineage::parse(text), None, "{rule}: {text}");
        }
    }
}
