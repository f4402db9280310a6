//! What a member is on the wire: which bytes stand as they are, which are escaped, and what that costs.
//!
//! One table says both, so the size that was measured is the size that is written.

use crate::property;
use percent_encoding::percent_encode_byte;

/// The name of the header.
pub const HEADER: &str = "baggage";

/// Where members at risk begin: other SDKs are known to drop members longer than this many bytes.
pub const AT_RISK_BYTES: usize = 4096;

const TOKEN: u8 = 1;
const OCTET: u8 = 2;
const PLAIN: u8 = 4;
const UNRESERVED: u8 = 8;

/// The classes that each byte belongs to.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte: u8 = 0;
    loop {
        classes[byte as usize] = classes_of(byte);
        if byte == u8::MAX {
            break classes;
        }
        byte += 1;
    }
};

const fn classes_of(byte: u8) -> u8 {
    let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let token = unreserved
        || matches!(byte, b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'^' | b'`' | b'|');
    token as u8 * TOKEN
        + octet(byte) as u8 * OCTET
        + plain(byte) as u8 * PLAIN
        + unreserved as u8 * UNRESERVED
}

/// > baggage-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
///
/// Without branches, so that sixteen bytes are compared at once. <https://www.w3.org/TR/baggage/#definition>
#[inline]
#[allow(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn octet(byte: u8) -> bool {
    let visible = (byte > b' ') & (byte < 0x7f);
    let excluded = (byte == b'"') | (byte == b',') | (byte == b';') | (byte == b'\\');
    visible & !excluded
}

#[inline]
#[allow(clippy::needless_bitwise_bool, reason = "a lazy operator is a branch")]
const fn plain(byte: u8) -> bool {
    octet(byte) & (byte != b'%')
}

#[inline]
fn classes(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

#[inline]
fn is(class: u8, byte: u8) -> bool {
    classes(byte) & class != 0
}

/// Whether the text is a `token`, of which keys are made:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>.
///
/// ```
/// use otel_baggage_limits::wire::is_token;
///
/// assert!(is_token("user.id"));
/// assert!(!is_token("user id") && !is_token(""));
/// ```
#[must_use]
#[inline]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().fold(TOKEN, |common, byte| common & classes(byte)) != 0
}

/// Whether the text is a `value`, which is made of `baggage-octet`s and may be empty:
/// <https://www.w3.org/TR/baggage/#definition>.
///
/// ```
/// use otel_baggage_limits::wire::is_value;
///
/// assert!(is_value("a=%20b") && is_value(""));
/// assert!(!is_value("a b"));
/// ```
#[must_use]
#[inline]
pub fn is_value(text: &str) -> bool {
    let sixteens = text.as_bytes().chunks_exact(16);
    let tail = sixteens.remainder().iter().fold(OCTET, |common, &byte| common & classes(byte));
    tail != 0 && sixteens.fold(true, |all, bytes| all & (count(bytes, octet) == 16))
}

#[inline]
pub(crate) fn is_token_byte(byte: u8) -> bool {
    is(TOKEN, byte)
}

/// Whether a value holds the byte as it is. A percent sign is a `baggage-octet`, but it
///
/// > MUST be percent-encoded
///
/// <https://www.w3.org/TR/baggage/#value>
#[inline]
pub(crate) fn is_plain(byte: u8) -> bool {
    is(PLAIN, byte)
}

/// How many bytes a member takes in a header, without the comma that parts it from the next.
///
/// ```
/// use otel_baggage_limits::wire::member_len;
///
/// assert_eq!(member_len("user", "Amélie", ""), "user=Am%C3%A9lie".len());
/// assert_eq!(member_len("user", "amy", "ttl=1;"), "user=amy;ttl=1".len());
/// ```
#[must_use]
pub fn member_len(key: &str, value: &str, metadata: &str) -> usize {
    Cost::of(key, value, metadata).len()
}

const fn with_semicolon(metadata_len: usize) -> usize {
    metadata_len + (metadata_len > 0) as usize
}

/// What a member takes on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    len: u32,
    /// Whether value and metadata go out as they are.
    pub(crate) verbatim: bool,
}

impl Cost {
    #[inline]
    fn new(len: usize, verbatim: bool) -> Self {
        Self { len: u32::try_from(len).unwrap_or(u32::MAX), verbatim }
    }

    /// What [`write_member`] writes.
    #[inline]
    pub(crate) fn of(key: &str, value: &str, metadata: &str) -> Self {
        let escapes = escapes(value);
        let is_plain = property::is_plain(metadata);
        let metadata_len = if is_plain { metadata.len() } else { property::metadata_len(metadata) };
        let len = key.len() + 1 + value.len() + 2 * escapes + with_semicolon(metadata_len);
        Self::new(len, is_plain && escapes == 0)
    }

    /// What any percent-encoder writes at most: each byte that is not unreserved as three.
    pub(crate) fn at_most(key: &str, value: &str, metadata: &str) -> Self {
        let escaped =
            |text: &str| text.len() + 2 * text.bytes().filter(|&byte| !is(UNRESERVED, byte)).count();
        let len = escaped(key) + 1 + escaped(value) + with_semicolon(3 * property::metadata_len(metadata));
        Self::new(len, false)
    }

    /// The number of bytes.
    #[inline]
    pub(crate) const fn len(self) -> usize {
        self.len as usize
    }
}

/// How many bytes of a value are escaped.
#[inline]
fn escapes(value: &str) -> usize {
    let sixteens = value.as_bytes().chunks_exact(16);
    let tail = sixteens.remainder().iter().filter(|&&byte| !is_plain(byte)).count();
    sixteens.fold(tail, |escapes, bytes| escapes + 16 - count(bytes, plain))
}

/// How many of sixteen bytes fulfil the condition.
#[inline]
fn count(bytes: &[u8], condition: impl Fn(u8) -> bool) -> usize {
    let Some(bytes) = bytes.first_chunk::<16>() else { return 0 };
    usize::from(bytes.iter().map(|&byte| u8::from(condition(byte))).sum::<u8>())
}

/// Appends a member, [`member_len`] bytes.
///
/// The key goes out as it is, since upstream's `Baggage` holds no key that is not a token.
///
/// ```
/// use otel_baggage_limits::wire::write_member;
///
/// let mut header = Vec::new();
/// write_member(&mut header, "user", "a,b", "x,admin=true");
/// assert_eq!(header, b"user=a%2Cb;x%2Cadmin=true");
/// ```
pub fn write_member(header: &mut Vec<u8>, key: &str, value: &str, metadata: &str) {
    header.extend_from_slice(key.as_bytes());
    header.push(b'=');
    for &byte in value.as_bytes() {
        if is_plain(byte) { header.push(byte) } else { header.escaped(byte) }
    }
    if property::any(metadata) {
        header.push(b';');
        property::write_metadata(header, metadata);
    }
}

/// Appends a member whose value and metadata go out as they are.
#[inline]
pub(crate) fn write_verbatim(header: &mut Vec<u8>, key: &str, value: &str, metadata: &str) {
    header.extend_from_slice(key.as_bytes());
    header.push(b'=');
    header.extend_from_slice(value.as_bytes());
    if !metadata.is_empty() {
        header.push(b';');
        header.extend_from_slice(metadata.as_bytes());
    }
}

/// Where wire text goes: into a header, or only through a count.
pub(crate) trait Sink {
    /// Takes bytes as they are.
    fn raw(&mut self, bytes: &[u8]);
    /// Takes one byte as its percent-escape: <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>.
    fn escaped(&mut self, byte: u8) {
        self.raw(percent_encode_byte(byte).as_bytes());
    }
}

impl Sink for Vec<u8> {
    fn raw(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// The length of what would be written.
#[derive(Default)]
pub(crate) struct Length(pub(crate) usize);

impl Sink for Length {
    fn raw(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}
