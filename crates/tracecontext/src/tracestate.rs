//! The `tracestate` header: <https://www.w3.org/TR/trace-context-2/#tracestate-header>.

use crate::error::TraceStateError;
use opentelemetry::trace::TraceState;
use otel_propagator_core::header::joined_len;

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
    let mut list = List::new(lines);
    let members: Vec<_> = list.by_ref().take(MAX_MEMBERS).collect();
    list.end()?;
    let accepted = members.iter().copied().filter(|&member| TraceState::from_key_value([member]).is_ok());
    let trace_state = TraceState::from_key_value(accepted).unwrap_or_default();
    Ok(Parsed { trace_state, verbatim: Some(header(members.iter().copied()).0) })
}

/// > list = list-member 0*31( OWS "," OWS list-member )
///
/// <https://www.w3.org/TR/trace-context-2/#list>. Gives the members that are not empty, up to the first one that
/// breaks a rule.
#[derive(Debug)]
struct List<'a> {
    rest: &'a str,
    lines: std::slice::Iter<'a, &'a str>,
    broken: Option<TraceStateError>,
}

impl<'a> List<'a> {
    fn new(lines: &'a [&'a str]) -> Self {
        Self { rest: "", lines: lines.iter(), broken: None }
    }

    /// Whether that was all, and every member well-formed.
    fn end(mut self) -> Result<(), TraceStateError> {
        let more = self.next().map(|_| TraceStateError::TooManyMembers);
        self.broken.or(more).map_or(Ok(()), Err)
    }
}

impl<'a> Iterator for List<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        while self.broken.is_none() {
            self.rest = ows(self.rest);
            if self.rest.is_empty() {
                self.rest = self.lines.next()?;
            } else if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else {
                match list_member(self.rest) {
                    Ok((member, rest)) => {
                        self.rest = rest;
                        return Some(member);
                    }
                    Err(error) => self.broken = Some(error),
                }
            }
        }
        None
    }
}

/// The header value, and how many members are not in it because the grammar does not allow them: the API's type
/// lets through empty keys and values, control characters, and whatever is not ASCII.
///
/// It takes one allocation, of the exact size where no member is left out.
pub(crate) fn header<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) -> (String, usize) {
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
    is_lead(text) && text.len() <= MAX_KEY_BYTES && all(text, KEYCHAR)
}

fn is_value(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_VALUE_BYTES && !text.ends_with(' ') && all(text, CHR)
}

fn all(text: &str, class: u8) -> bool {
    text.bytes().fold(class, |common, byte| common & classes(byte)) != 0
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
    let rest = ows(rest);
    if matches!(rest.as_bytes(), [] | [b',', ..]) {
        Ok(((key, value), rest))
    } else {
        Err(TraceStateError::Value)
    }
}

/// > key = ( lcalpha / DIGIT ) 0*255 ( keychar )
///
/// <https://www.w3.org/TR/trace-context-2/#key>
fn key(input: &str) -> Result<(&str, &str), TraceStateError> {
    let (key, rest) = span(input, KEYCHAR);
    if is_lead(key) && key.len() <= MAX_KEY_BYTES { Ok((key, rest)) } else { Err(TraceStateError::Key) }
}

/// > value = 0*255(chr) nblk-chr
///
/// <https://www.w3.org/TR/trace-context-2/#value>
fn value(input: &str) -> Result<(&str, &str), TraceStateError> {
    let (value, rest) = span(input, CHR);
    let value = value.trim_end_matches(' ');
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        return Err(TraceStateError::Value);
    }
    Ok((value, rest))
}

fn ows(input: &str) -> &str {
    span(input, OWS).1
}

/// The longest beginning of a text that has only bytes of a class, and the rest.
fn span(input: &str, class: u8) -> (&str, &str) {
    let end = input.bytes().position(|byte| classes(byte) & class == 0).unwrap_or(input.len());
    input.split_at_checked(end).unwrap_or_default()
}

fn is_lead(key: &str) -> bool {
    matches!(key.as_bytes(), [b'a'..=b'z' | b'0'..=b'9', ..])
}

/// > keychar = lcalpha / DIGIT / "_" / "-"/ "*" / "/" / "@"
///
/// <https://www.w3.org/TR/trace-context-2/#key>
const KEYCHAR: u8 = 1;

/// > nblk-chr = %x21-2B / %x2D-3C / %x3E-7E
/// > chr = %x20 / nblk-chr
///
/// <https://www.w3.org/TR/trace-context-2/#value>
const CHR: u8 = 2;

/// > OWS = *( SP / HTAB )
///
/// <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.3>
const OWS: u8 = 4;

/// The classes that a byte is in.
fn classes(byte: u8) -> u8 {
    static CLASSES: [u8; 256] = {
        let mut classes = [0; 256];
        let mut byte = 0;
        while byte < u8::MAX {
            let keychar = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@');
            let chr = matches!(byte, 0x20..=0x2b | 0x2d..=0x3c | 0x3e..=0x7e);
            let ows = matches!(byte, b' ' | b'\t');
            #[allow(clippy::indexing_slicing, reason = "the compiler evaluates it")]
            {
                classes[byte as usize] = (keychar as u8 * KEYCHAR) | (chr as u8 * CHR) | (ows as u8 * OWS);
            }
            byte += 1;
        }
        classes
    };
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::header;

    #[test]
    fn the_header_is_allocated_at_its_exact_size() {
        for members in [&[("a", "1")][..], &[("a", "1"), ("long", "value"), ("k@v", "x")]] {
            let (header, left_out) = header(members.iter().copied());
            assert_eq!((header.capacity(), left_out), (header.len(), 0), "{header}");
        }
    }
}
