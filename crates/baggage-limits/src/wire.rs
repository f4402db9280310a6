//! What a member is on the wire: which bytes stand as they are, which are escaped, and what that costs.
//!
//! One table says both, so the size that was measured is the size that is written.

use crate::property;

/// The name of the header.
pub const HEADER: &str = "baggage";

/// Where members at risk begin: other SDKs are known to drop members longer than this many bytes.
pub const AT_RISK_BYTES: usize = 4096;

const TOKEN: u8 = 1;
const OCTET: u8 = 2;
const PLAIN: u8 = 4;
const UNRESERVED: u8 = 8;

/// The classes that each byte belongs to.
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
    let octet = matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
    let plain = octet && byte != b'%';
    token as u8 * TOKEN + octet as u8 * OCTET + plain as u8 * PLAIN + unreserved as u8 * UNRESERVED
}

#[inline]
fn classes(byte: u8) -> u8 {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(0)
}

#[inline]
fn is(class: u8, byte: u8) -> bool {
    classes(byte) & class != 0
}

/// Whether the byte may stand in a `token`, such as a key:
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>.
#[must_use]
#[inline]
pub fn is_token_byte(byte: u8) -> bool {
    is(TOKEN, byte)
}

/// Whether the byte is a `baggage-octet`, of which values are made:
/// <https://www.w3.org/TR/baggage/#definition>.
#[must_use]
#[inline]
pub fn is_baggage_octet(byte: u8) -> bool {
    is(OCTET, byte)
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
    key.len() + 1 + escaped_len(value, PLAIN) + with_semicolon(property::metadata_len(metadata))
}

const fn with_semicolon(metadata_len: usize) -> usize {
    metadata_len + (metadata_len > 0) as usize
}

fn escaped_len(text: &str, class: u8) -> usize {
    text.len() + 2 * text.bytes().filter(|&byte| !is(class, byte)).count()
}

/// What a member takes on the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    pub(crate) len: usize,
    /// Whether value and metadata go out as they are.
    pub(crate) verbatim: bool,
}

impl Cost {
    /// What [`write_member`] writes.
    #[inline]
    pub(crate) fn of(key: &str, value: &str, metadata: &str) -> Self {
        if is_plain_text(value) && property::is_plain(metadata) {
            let len = key.len() + 1 + value.len() + with_semicolon(metadata.len());
            Self { len, verbatim: true }
        } else {
            Self { len: member_len(key, value, metadata), verbatim: false }
        }
    }

    /// What any percent-encoder writes at most: each byte that is not unreserved as three.
    pub(crate) fn at_most(key: &str, value: &str, metadata: &str) -> Self {
        let metadata = with_semicolon(3 * property::metadata_len(metadata));
        let len = escaped_len(key, UNRESERVED) + 1 + escaped_len(value, UNRESERVED) + metadata;
        Self { len, verbatim: false }
    }
}

fn is_plain_text(text: &str) -> bool {
    text.bytes().fold(PLAIN, |common, byte| common & classes(byte)) != 0
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
    /// Takes one byte as its percent-escape.
    fn escaped(&mut self, byte: u8) {
        self.raw(&escape(byte));
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

/// > A percent-encoded octet is encoded as a character triplet
///
/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>
const fn escape(byte: u8) -> [u8; 3] {
    [b'%', upper_hex(byte >> 4), upper_hex(byte & 0xf)]
}

const fn upper_hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }
}
