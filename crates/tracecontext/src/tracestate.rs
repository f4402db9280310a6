//! The `tracestate` header: <https://www.w3.org/TR/trace-context-2/#tracestate-header>.

use crate::error::TraceStateError;
use opentelemetry::trace::TraceState;
use otel_propagator_core::header;

/// > There can be a maximum of 32 list-members in a list.
///
/// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>
pub(crate) const MAX_MEMBERS: usize = 32;

/// How many bytes the lines of a header may have together.
///
/// 32 members of the longest key and value are 16447 bytes with their commas; the grammar sets no bound to the
/// white space and the empty members between them, so this one leaves them as much again.
pub(crate) const MAX_BYTES: usize = 32 * 1024;

const MAX_KEY_BYTES: usize = 256;
const MAX_VALUE_BYTES: usize = 256;

/// The members of a `tracestate` in their order, all of them well-formed.
#[derive(Debug)]
pub(crate) struct List<'a> {
    members: [(&'a str, &'a str); MAX_MEMBERS],
    len: usize,
}

impl<'a> List<'a> {
    const EMPTY: Self = Self { members: [("", ""); MAX_MEMBERS], len: 0 };

    /// > Multiple tracestate header fields MUST be handled as specified by RFC9110 Section 5.3 Field Order.
    ///
    /// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>. A comma would join the lines,
    /// and no member has a comma inside, so reading them one after the other is the same.
    pub(crate) fn parse(lines: &[&'a str]) -> Result<Self, TraceStateError> {
        if header::joined_len(lines) > MAX_BYTES {
            return Err(TraceStateError::TooLong);
        }
        let mut members = Self::EMPTY;
        for line in lines {
            members.list(line)?;
        }
        Ok(members)
    }

    /// > list = list-member 0*31( OWS "," OWS list-member )
    ///
    /// <https://www.w3.org/TR/trace-context-2/#list>. Only members that are not empty are counted: how many
    /// empty ones there are depends on how many lines the header was sent in.
    fn list(&mut self, line: &'a str) -> Result<(), TraceStateError> {
        for member in line.split(',').map(header::trim).filter(|member| !member.is_empty()) {
            let (key, value) = member.split_once('=').ok_or(TraceStateError::NoEqualsSign)?;
            self.push(key, value)?;
        }
        Ok(())
    }

    /// > list-member = (key "=" value) / OWS
    ///
    /// <https://www.w3.org/TR/trace-context-2/#list>
    fn push(&mut self, key: &'a str, value: &'a str) -> Result<(), TraceStateError> {
        if !is_key(key) {
            return Err(TraceStateError::Key);
        }
        if !is_value(value) {
            return Err(TraceStateError::Value);
        }
        *self.members.get_mut(self.len).ok_or(TraceStateError::TooManyMembers)? = (key, value);
        self.len += 1;
        Ok(())
    }

    /// The members that may be sent. The API's type lets through empty keys and values, control characters,
    /// and whatever is not ASCII.
    pub(crate) fn sendable(trace_state: &'a TraceState) -> Self {
        let mut members = Self::EMPTY;
        for (key, value) in trace_state {
            let _ = members.push(key, value);
        }
        members
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    fn iter(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.members.iter().take(self.len).copied()
    }

    /// The header value, in one allocation of the exact size; `None` where there is no member.
    ///
    /// > Vendors MUST accept empty tracestate headers but SHOULD avoid sending them.
    ///
    /// <https://www.w3.org/TR/trace-context-2/#tracestate-header-field-values>
    pub(crate) fn header(&self) -> Option<String> {
        let separators = (2 * self.len).checked_sub(1)?;
        let text: usize = self.iter().map(|(key, value)| key.len() + value.len()).sum();
        let mut header = String::with_capacity(text + separators);
        for (key, value) in self.iter() {
            if !header.is_empty() {
                header.push(',');
            }
            header.push_str(key);
            header.push('=');
            header.push_str(value);
        }
        Some(header)
    }

    /// The members as the API's type. It refuses some keys that Level 2 allows, such as `foo@@bar`; they are
    /// left out, and then it holds fewer members than this list.
    pub(crate) fn to_trace_state(&self) -> TraceState {
        TraceState::from_key_value(self.iter()).unwrap_or_else(|_| {
            let accepted = self.iter().filter(|&member| TraceState::from_key_value([member]).is_ok());
            TraceState::from_key_value(accepted).unwrap_or_default()
        })
    }
}

/// > key = ( lcalpha / DIGIT ) 0*255 ( keychar )
///
/// <https://www.w3.org/TR/trace-context-2/#key>
fn is_key(key: &str) -> bool {
    key.len() <= MAX_KEY_BYTES
        && key.as_bytes().first().is_some_and(|first| matches!(first, b'a'..=b'z' | b'0'..=b'9'))
        && key.bytes().all(is_keychar)
}

/// > keychar = lcalpha / DIGIT / "_" / "-"/ "*" / "/" / "@"
///
/// <https://www.w3.org/TR/trace-context-2/#key>
const fn is_keychar(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/' | b'@')
}

/// > value = 0*255(chr) nblk-chr
///
/// <https://www.w3.org/TR/trace-context-2/#value>
fn is_value(value: &str) -> bool {
    value.len() <= MAX_VALUE_BYTES
        && value.bytes().all(is_chr)
        && value.as_bytes().last().is_some_and(|&last| last != b' ')
}

/// > nblk-chr = %x21-2B / %x2D-3C / %x3E-7E
/// > chr = %x20 / nblk-chr
///
/// <https://www.w3.org/TR/trace-context-2/#value>
const fn is_chr(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=')
}
