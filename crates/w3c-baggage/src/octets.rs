//! The bytes that the grammar allows, each set under its rule.

/// A set of bytes.
pub(crate) struct Octets([bool; 256]);

impl Octets {
    const NONE: Self = Self([false; 256]);

    /// As ABNF writes them: <https://www.rfc-editor.org/rfc/rfc5234#section-3.4>.
    const fn range(first: u8, last: u8) -> Self {
        Self::NONE.and_range(first, last)
    }

    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn and_range(mut self, first: u8, last: u8) -> Self {
        let mut byte = first;
        while byte <= last {
            self.0[byte as usize] = true;
            byte += 1;
        }
        self
    }

    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn and_each(mut self, bytes: &[u8]) -> Self {
        let mut at = 0;
        while at < bytes.len() {
            self.0[bytes[at] as usize] = true;
            at += 1;
        }
        self
    }

    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn without(mut self, byte: u8) -> Self {
        self.0[byte as usize] = false;
        self
    }

    #[inline]
    #[allow(clippy::indexing_slicing, reason = "there is a place for every byte")]
    pub(crate) const fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }

    /// The bytes of the set that the text begins with, and what comes after them.
    #[inline]
    pub(crate) fn split<'a>(&self, text: &'a str) -> (&'a str, &'a str) {
        text.split_at_checked(self.count(text.as_bytes())).unwrap_or((text, ""))
    }

    /// How many bytes of the set the text begins with.
    #[inline]
    pub(crate) fn count(&self, text: &[u8]) -> usize {
        // Four at a time: a key of 8 KiB takes 39k instructions, not 61k, and a short one no more.
        let all = |bytes: &&[u8]| bytes.iter().fold(true, |all, &byte| all & self.has(byte));
        let fours = 4 * text.chunks_exact(4).take_while(all).count();
        let rest = text.get(fours..).unwrap_or_default();
        fours + rest.iter().position(|&byte| !self.has(byte)).unwrap_or(rest.len())
    }

    /// How many bytes of the text are not among these.
    #[inline]
    pub(crate) fn missing(&self, text: &str) -> usize {
        // Eight at a time, whose count is a byte as the places of the set are.
        let count = |bytes: &[u8]| bytes.iter().map(|&byte| u8::from(self.has(byte))).sum::<u8>();
        let eights = text.as_bytes().chunks_exact(8);
        let rest = usize::from(count(eights.remainder()));
        text.len() - rest - eights.map(|eight| usize::from(count(eight))).sum::<usize>()
    }
}

/// ```abnf
/// token = 1*tchar
/// tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT / ALPHA
/// ```
///
/// Of tokens keys are made. <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
pub(crate) static TCHAR: Octets =
    Octets::range(b'0', b'9').and_range(b'A', b'Z').and_range(b'a', b'z').and_each(b"!#$%&'*+-.^_`|~");

/// Whether the text has nothing but `baggage-octet`, `,` and `;`. It is compared and not looked up, so the compiler takes
/// sixteen bytes at once.
#[inline]
#[allow(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
pub(crate) fn is_plain(text: &str) -> bool {
    let is_plain = |byte: u8| (byte > b' ') & (byte < 0x7f) & (byte != b'"') & (byte != b'\\');
    text.bytes().fold(true, |all, byte| all & is_plain(byte))
}

/// What comes before the first such byte of plain text, and what comes after it. Members are short: `memchr` takes longer to
/// begin than this to look at eight bytes at a time.
#[inline]
pub(crate) fn split_at(byte: u8, text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let Some((before, after)) = find(byte, text).and_then(|at| text.split_at_checked(at)) else {
        return (text, None);
    };
    (before, after.get(1..))
}

/// The place of the first such byte.
#[inline]
fn find(byte: u8, text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let eights = text.chunks_exact(8);
    let rest = eights.remainder();
    for (eight, at) in eights.zip((0..).step_by(8)) {
        let zero_where_it_is = u64::from_le_bytes(*eight.first_chunk()?) ^ (ONES * u64::from(byte));
        // The high bit of all others, since no byte is above 0x7f.
        let others = zero_where_it_is.wrapping_add(HIGH - ONES) & HIGH;
        if others != HIGH {
            return Some(at + (others ^ HIGH).trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|&other| other == byte)?;
    Some(text.len() - rest.len() + at)
}

/// > baggage-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
///
/// Of these a value is made. <https://www.w3.org/TR/baggage/#definition>
pub(crate) static BAGGAGE_OCTET: Octets = Octets::range(0x21, 0x21)
    .and_range(0x23, 0x2b)
    .and_range(0x2d, 0x3a)
    .and_range(0x3c, 0x5b)
    .and_range(0x5d, 0x7e);

/// What stands in a written value as it is. A percent sign is a `baggage-octet`, but it
///
/// > MUST be percent-encoded
///
/// <https://www.w3.org/TR/baggage/#value>
pub(crate) static UNESCAPED: Octets = Octets::range(0x21, 0x21)
    .and_range(0x23, 0x2b)
    .and_range(0x2d, 0x3a)
    .and_range(0x3c, 0x5b)
    .and_range(0x5d, 0x7e)
    .without(b'%');

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_sets_have_the_bytes_of_the_grammar() {
        for byte in 0..=u8::MAX {
            let octet = matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
            let token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            assert_eq!(BAGGAGE_OCTET.has(byte), octet, "{byte:#04x}");
            assert_eq!(UNESCAPED.has(byte), octet && byte != b'%', "{byte:#04x}");
            assert_eq!(TCHAR.has(byte), token, "{byte:#04x}");
        }
        assert_eq!(TCHAR.split("user id"), ("user", " id"));
        assert_eq!((TCHAR.split("user"), TCHAR.split("")), (("user", ""), ("", "")));
        assert_eq!(UNESCAPED.missing("50% off"), 2);
    }

    proptest! {
        #[test]
        fn text_is_split_where_the_standard_library_splits_it(text in "[+,-]{0,40}", long in "[ -~]{0,40}") {
            for text in [text.as_bytes(), long.as_bytes()] {
                let mut parts = text.splitn(2, |&byte| byte == b',');
                prop_assert_eq!(split_at(b',', text), (parts.next().unwrap_or_default(), parts.next()));
            }
        }

        #[test]
        fn bytes_of_a_set_are_counted_as_one_by_one(text in "[a-z=]{0,40}") {
            prop_assert_eq!(TCHAR.count(text.as_bytes()), text.find('=').unwrap_or(text.len()));
        }
    }
}
