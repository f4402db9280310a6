//! <https://www.w3.org/TR/baggage/>

use super::trim;
use otel_baggage_limits::{Direction, Keys, Limits};
use std::collections::BTreeMap;

/// What one list member says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Member {
    pub(crate) key: String,
    pub(crate) value: String,
    /// As received, without the space around it: upstream's type takes that away.
    pub(crate) metadata: String,
    /// The bytes that it has without the optional whitespace around its parts.
    pub(crate) len: usize,
}

/// Keys with their values and metadata.
pub(crate) type Entries = BTreeMap<String, (String, String)>;

/// > list-member = key OWS "=" OWS value *( OWS ";" OWS property )
pub(crate) fn member(text: &str) -> Option<Member> {
    let (pair, metadata) = text.split_once(';').unwrap_or((text, ""));
    let (key, value) = pair.split_once('=')?;
    let (key, value) = (trim(key), trim(value));
    let valid = is_token(key) && value.bytes().all(is_octet);
    let bare = trim(metadata);
    let len = key.len() + 1 + value.len() + usize::from(!bare.is_empty()) + bare.len();
    valid.then(|| Member {
        key: key.to_owned(),
        value: decode(value),
        metadata: metadata.trim().to_owned(),
        len,
    })
}

/// > token = 1*tchar
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2>
pub(crate) fn is_token(key: &str) -> bool {
    !key.is_empty()
        && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Percent-decodes; what does not begin an escape stands for itself, what is not UTF-8 is replaced.
pub(crate) fn decode(value: &str) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let [first, tail @ ..] = rest {
        let (byte, after) = escape(rest).unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let [b'%', high, low, rest @ ..] = text else { return None };
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = digit(*high)? * 16 + digit(*low)?;
    Some((u8::try_from(byte).ok()?, rest))
}

/// > baggage-octet = %x21 / %x23-2B / %x2D-3A / %x3C-5B / %x5D-7E
pub(crate) fn is_octet(byte: u8) -> bool {
    (0x21..=0x7e).contains(&byte) && !br#"",;\"#.contains(&byte)
}

/// Whether a member is written to the letter, every percent sign begins an escape, and there is no whitespace but
/// between properties and in them.
pub(crate) fn is_strict_member(text: &str) -> bool {
    let (pair, metadata) = text.split_once(';').unwrap_or((text, ""));
    let pair_is_strict =
        pair.split_once('=').is_some_and(|(key, value)| is_token(key) && is_strict_value(value));
    pair_is_strict && (!text.contains(';') || is_strict_metadata(metadata))
}

/// > *( OWS ";" OWS property ), behind the first `;`
pub(crate) fn is_strict_metadata(metadata: &str) -> bool {
    trim(metadata) == metadata && metadata.split(';').map(trim).all(is_strict_property)
}

/// > property = key OWS "=" OWS value / key OWS
///
/// A percent sign may stand in a token, as it does in a key of baggage.
fn is_strict_property(text: &str) -> bool {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    is_token(trim(key)) && is_strict_value(trim(value))
}

/// > value = *baggage-octet
fn is_strict_value(value: &str) -> bool {
    let mut escapes = value.split('%').skip(1);
    value.bytes().all(is_octet)
        && escapes
            .all(|after| after.len() >= 2 && after.bytes().take(2).all(|digit| digit.is_ascii_hexdigit()))
}

/// What is read of a header, all lines joined: of the first 180 members those that can be read and may come in, as many as
/// fit; of several with one key the last, in the place of the first.
pub(crate) fn read(joined: &str, limits: &Limits) -> Entries {
    let texts = looked_at(joined, limits).split(',').map(trim).filter(|text| !text.is_empty());
    let members = texts.take(180).filter_map(member);
    let mut members: Vec<_> = members.filter(|it| admits(limits, &it.key, it.len)).collect();
    members.sort_by_key(|member| rank(limits, &member.key));
    let mut chosen: Vec<Member> = Vec::new();
    for member in members {
        let place = chosen.iter().position(|earlier| earlier.key == member.key);
        if let Some(place) = place {
            chosen.remove(place);
        }
        let bytes = chosen.iter().map(|it| it.len + 1).sum::<usize>() + member.len;
        if chosen.len() < limits.max_members && bytes <= limits.most_bytes(Direction::In) {
            chosen.insert(place.unwrap_or(chosen.len()), member);
        }
    }
    chosen.into_iter().map(|it| (it.key, (it.value, it.metadata))).collect()
}

/// The members that end within the bytes that are looked at: as much padding as W3C's limit is admitted.
fn looked_at<'a>(joined: &'a str, limits: &Limits) -> &'a str {
    let most = limits.most_bytes(Direction::In) + 8192;
    if joined.len() <= most {
        return joined;
    }
    let ends = joined.match_indices(',').map(|(at, _)| at).take_while(|at| *at <= most);
    joined.get(..ends.last().unwrap_or(0)).unwrap_or_default()
}

fn admits(limits: &Limits, key: &str, len: usize) -> bool {
    let names = |keys: &Keys| keys.patterns().any(|pattern| pattern == key);
    !names(&limits.deny)
        && limits.allow.as_ref().is_none_or(names)
        && limits.max_member_bytes.is_none_or(|most| len <= most)
}

fn rank(limits: &Limits, key: &str) -> usize {
    limits.keep_first.patterns().position(|first| first == key).unwrap_or(usize::MAX)
}

/// The header of members that are written already: those of `keep_first`, then by key, each that still fits.
pub(crate) fn select(written: &BTreeMap<String, String>, limits: &Limits) -> String {
    let mut members: Vec<_> = written.iter().collect();
    members.sort_by_key(|(key, _)| rank(limits, key));
    let (mut header, mut count) = (String::new(), 0);
    for (key, text) in members {
        let comma = if count == 0 { "" } else { "," };
        let bytes = header.len() + comma.len() + text.len();
        let fits = count < limits.max_members && bytes <= limits.most_bytes(Direction::Out);
        if fits && admits(limits, key, text.len()) {
            header = header + comma + text;
            count += 1;
        }
    }
    header
}

/// Whether metadata says the same after it was written: property by property, however it is escaped. A tab is a space.
pub(crate) fn is_same_metadata(written: &str, metadata: &str) -> bool {
    let property = |text: &str| decode(text).replace('\t', " ");
    let properties = |text: &str| -> Vec<String> {
        text.split(';').map(trim).filter(|property| !property.is_empty()).map(property).collect()
    };
    properties(written) == properties(metadata)
}
