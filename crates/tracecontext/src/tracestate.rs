//! The `tracestate` header: <https://www.w3.org/TR/trace-context-2/#tracestate-header>.

use crate::{byte_set::ByteSet, error::TraceStateError};
use opentelemetry::trace::TraceState;
use otel_propagator_core::{
    header::{self, joined_len},
    located::{Located, within},
};
use std::ops::Range;

/// > There can be a maximum of 32 list-members in a list.
///
/// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>
const MAX_MEMBERS: usize = 32;

/// How many bytes the lines of a header may have together.
///
/// 32 members of the longest key and value are 16447 bytes with their commas; the grammar sets no bound to the
/// white space and the empty members between them, so this one leaves them as much again.
const MAX_BYTES: usize = 32 * 1024;

const MAX_KEY_BYTES: usize = 256;
const MAX_VALUE_BYTES: usize = 256;

/// A `tracestate` that keeps every rule.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    /// The members as the API's type.
    pub(crate) trace_state: TraceState,
    /// All members as a header value, where the API's type refuses some: keys such as `foo@@bar`.
    pub(crate) verbatim: Option<String>,
}

/// > Multiple tracestate header fields MUST be handled as specified by RFC9110 Section 5.3 Field Order.
///
/// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>. A comma would join the lines, and
/// no member has a comma inside, so reading them one after the other is the same.
pub(crate) fn parse(lines: &[&str]) -> Result<Parsed, TraceStateError> {
    if joined_len(lines) > MAX_BYTES {
        return Err(TraceStateError::TooLong);
    }
    let mut list = List::new(lines);
    match TraceState::from_key_value(list.by_ref().take(MAX_MEMBERS)) {
        Ok(trace_state) => list.end().map(|()| Parsed { trace_state, verbatim: None }),
        Err(_) => parse_verbatim(lines),
    }
}

#[cold]
fn parse_verbatim(lines: &[&str]) -> Result<Parsed, TraceStateError> {
    let members = members(lines)?;
    let accepted = members.iter().copied().filter(|&member| TraceState::from_key_value([member]).is_ok());
    let trace_state = TraceState::from_key_value(accepted).unwrap_or_default();
    Ok(Parsed { trace_state, verbatim: Some(write(members.iter().copied()).0) })
}

/// All members that are not empty.
pub(crate) fn members<'a>(lines: &[&'a str]) -> Result<Vec<(&'a str, &'a str)>, TraceStateError> {
    if joined_len(lines) > MAX_BYTES {
        return Err(TraceStateError::TooLong);
    }
    let mut list = List::new(lines);
    let members = list.by_ref().take(MAX_MEMBERS).collect();
    list.end().map(|()| members)
}

impl TraceStateError {
    /// Where the value that this error is of broke the rule.
    #[must_use]
    pub fn located(self, value: &str) -> Located {
        let (production, url) = match self {
            Self::TooLong | Self::TooManyMembers => ("list", "https://www.w3.org/TR/trace-context-2/#list"),
            Self::NoEqualsSign => ("list-member", "https://www.w3.org/TR/trace-context-2/#list"),
            Self::Key => ("key", "https://www.w3.org/TR/trace-context-2/#key"),
            Self::Value => ("value", "https://www.w3.org/TR/trace-context-2/#value"),
        };
        Located::new(production, self.rule(), range(value, self), url)
    }
}

/// Where the only line of a header breaks this rule: the rest of the list, or the member, its key or its value.
#[cold]
fn range(line: &str, error: TraceStateError) -> Range<usize> {
    let lines = [line];
    let mut list = List::new(&lines);
    if error == TraceStateError::TooLong {
        return within(line, MAX_BYTES..line.len());
    }
    let read = list.by_ref().take(MAX_MEMBERS).count();
    if read == MAX_MEMBERS {
        list.rest = skip(list.rest, is_separator);
    }
    let start = line.len() - list.rest.len();
    let member = list.rest.split(',').next().unwrap_or_default();
    let equals_sign = member.find('=').map(|at| start + at);
    let end = start + header::trim(member).len();
    match (error, equals_sign) {
        (TraceStateError::TooManyMembers, _) => start..line.len(),
        (TraceStateError::Key, Some(equals_sign)) => start..equals_sign,
        (TraceStateError::Value, Some(equals_sign)) => equals_sign + 1..end,
        _ => start..end,
    }
}

/// > list = list-member 0*31( OWS "," OWS list-member )
///
/// <https://www.w3.org/TR/trace-context-2/#list>. Gives the members that are not empty, up to the first one that
/// breaks a rule.
#[derive(Debug)]
struct List<'l, 'a> {
    rest: &'a str,
    lines: std::slice::Iter<'l, &'a str>,
    broken: Option<TraceStateError>,
}

impl<'l, 'a> List<'l, 'a> {
    fn new(lines: &'l [&'a str]) -> Self {
        Self { rest: "", lines: lines.iter(), broken: None }
    }

    /// Whether that was all, and every member well-formed.
    fn end(mut self) -> Result<(), TraceStateError> {
        let more = self.next().map(|_| TraceStateError::TooManyMembers);
        self.broken.or(more).map_or(Ok(()), Err)
    }
}

impl<'a> Iterator for List<'_, 'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while self.broken.is_none() {
            self.rest = skip(self.rest, is_separator);
            if self.rest.is_empty() {
                self.rest = self.lines.next()?;
                continue;
            }
            match list_member(self.rest) {
                Ok((member, rest)) => {
                    self.rest = rest;
                    return Some(member);
                }
                Err(error) => self.broken = Some(error),
            }
        }
        None
    }
}

/// The header value, and how many members are not in it because the grammar does not allow them: the API's type
/// lets through empty keys and values, control characters, and whatever is not ASCII.
///
/// It takes one allocation, of the exact size where no member is left out.
pub(crate) fn write<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) -> (String, usize) {
    let len: usize = members.clone().into_iter().map(|(key, value)| key.len() + value.len() + 2).sum();
    let mut header = String::with_capacity(len.saturating_sub(1));
    let mut left_out = 0;
    for (key, value) in members {
        if !(is_key(key) && is_value(value)) {
            left_out += 1;
            continue;
        }
        if !header.is_empty() {
            header.push(',');
        }
        header.push_str(key);
        header.push('=');
        header.push_str(value);
    }
    (header, left_out)
}

fn is_key(text: &str) -> bool {
    text.len() <= MAX_KEY_BYTES && is_lead(text) && KEYCHAR.has_all(text.as_bytes())
}

fn is_value(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_VALUE_BYTES && !text.ends_with(' ') && CHR.has_all(text.as_bytes())
}

/// > list-member = (key "=" value) / OWS
///
/// <https://www.w3.org/TR/trace-context-2/#list>, without the second form: key, value, and what follows them.
fn list_member(input: &str) -> Result<((&str, &str), &str), TraceStateError> {
    let (key, rest) = key(input)?;
    let rest = match rest.as_bytes() {
        [b'=', ..] => rest.strip_prefix('=').unwrap_or_default(),
        [] | [b',', ..] => return Err(TraceStateError::NoEqualsSign),
        _ => return Err(TraceStateError::Key),
    };
    let (value, rest) = value(rest)?;
    let rest = skip(rest, is_ows);
    if matches!(rest.as_bytes(), [] | [b',', ..]) {
        Ok(((key, value), rest))
    } else {
        Err(TraceStateError::Value)
    }
}

/// > key = ( lcalpha / DIGIT ) 0*255 ( keychar )
///
/// <https://www.w3.org/TR/trace-context-2/#key>
///
/// No more is looked at than the longest key has, and one byte.
fn key(input: &str) -> Result<(&str, &str), TraceStateError> {
    let (key, rest) = split(input, KEYCHAR.prefix(input, MAX_KEY_BYTES + 1));
    if is_lead(key) && key.len() <= MAX_KEY_BYTES { Ok((key, rest)) } else { Err(TraceStateError::Key) }
}

/// > value = 0*255(chr) nblk-chr
///
/// <https://www.w3.org/TR/trace-context-2/#value>
///
/// No more is looked at than the longest value has. Spaces at its end are the OWS that may follow; anything else that
/// follows is no end of a member.
fn value(input: &str) -> Result<(&str, &str), TraceStateError> {
    let (value, _) = split(input, CHR.prefix(input, MAX_VALUE_BYTES));
    let value = value.trim_end_matches(' ');
    if value.is_empty() { Err(TraceStateError::Value) } else { Ok(split(input, value.len())) }
}

/// The first bytes of a text, which are ASCII, and the rest.
fn split(input: &str, ascii: usize) -> (&str, &str) {
    input.split_at_checked(ascii).unwrap_or_default()
}

/// > OWS = *( SP / HTAB )
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3>
#[allow(
    clippy::needless_bitwise_bool,
    reason = "the compiler makes instructions for vectors of it, and not of `||`"
)]
const fn is_ows(byte: u8) -> bool {
    (byte == b' ') | (byte == b'\t')
}

/// What stands between two members: commas, OWS, and members of the form `OWS`.
#[allow(
    clippy::needless_bitwise_bool,
    reason = "the compiler makes instructions for vectors of it, and not of `||`"
)]
const fn is_separator(byte: u8) -> bool {
    (byte == b',') | is_ows(byte)
}

/// The text without the bytes of a kind at its beginning. A peer may send 32 KiB of them, so they are looked at 32 at a
/// time, which the compiler makes instructions for vectors of: 0.8 instructions a byte, and 7 one by one.
fn skip(input: &str, is_skipped: impl Fn(u8) -> bool) -> &str {
    let mut rest = input.as_bytes();
    if !rest.first().copied().is_some_and(&is_skipped) {
        return input;
    }
    while let Some((chunk, after)) = rest.split_first_chunk::<32>() {
        if !chunk.iter().fold(true, |all, &byte| all & is_skipped(byte)) {
            break;
        }
        rest = after;
    }
    let left = rest.iter().position(|&byte| !is_skipped(byte)).map_or(0, |at| rest.len() - at);
    split(input, input.len() - left).1
}

fn is_lead(key: &str) -> bool {
    matches!(key.as_bytes(), [b'a'..=b'z' | b'0'..=b'9', ..])
}

/// > keychar = lcalpha / DIGIT / "_" / "-"/ "*" / "/" / "@"
///
/// <https://www.w3.org/TR/trace-context-2/#key>
static KEYCHAR: ByteSet =
    ByteSet::EMPTY.range(b'a', b'z').range(b'0', b'9').add(b'_').add(b'-').add(b'*').add(b'/').add(b'@');

/// > nblk-chr = %x21-2B / %x2D-3C / %x3E-7E
///
/// <https://www.w3.org/TR/trace-context-2/#value>
const NBLK_CHR: ByteSet = ByteSet::EMPTY.range(0x21, 0x2b).range(0x2d, 0x3c).range(0x3e, 0x7e);

/// > chr = %x20 / nblk-chr
///
/// <https://www.w3.org/TR/trace-context-2/#value>
static CHR: ByteSet = NBLK_CHR.add(0x20);

#[cfg(test)]
mod tests {
    use super::write;

    #[test]
    fn the_header_is_allocated_at_its_exact_size() {
        for members in [&[("a", "1")][..], &[("a", "1"), ("long", "value"), ("k@v", "x")]] {
            let (header, left_out) = write(members.iter().copied());
            assert_eq!((header.capacity(), left_out), (header.len(), 0), "{header}");
        }
    }
}
