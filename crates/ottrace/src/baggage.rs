//! `ot-baggage-*`: an entry each, its value as it is.

use std::borrow::Cow;

pub(crate) const PREFIX: &str = "ot-baggage-";

/// The format knows no escapes, so a value that cannot stand in a header is not carried: what is not visible ASCII, and
/// spaces around it.
pub(crate) fn header_value(value: &str) -> Option<Cow<'_, str>> {
    let visible = |byte: u8| matches!(byte, b' '..=b'~');
    let trimmed = !value.starts_with(' ') && !value.ends_with(' ');
    (trimmed && value.bytes().all(visible)).then_some(Cow::Borrowed(value))
}
