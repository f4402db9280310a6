//! <https://www.w3.org/TR/trace-context-2/>

use super::{id, is_hex, trim};

/// The fields that go on to the next hop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[allow(clippy::struct_field_names, reason = "named as in the specification")]
pub(crate) struct Parent {
    pub(crate) trace_id: u128,
    pub(crate) parent_id: u64,
    /// Only sampled (01) and random (02).
    pub(crate) flags: u8,
}

/// `traceparent`, of any version that is not `ff`.
pub(crate) fn parent(value: &str) -> Option<Parent> {
    let mut fields = value.split('-');
    let mut field = || fields.next();
    let (version, trace_id, parent_id, flags) = (field()?, field()?, field()?, field()?);
    if !is_hex(version, 2) || version == "ff" || !is_hex(flags, 2) {
        return None;
    }
    if version == "00" && field().is_some() {
        return None;
    }
    Some(Parent {
        trace_id: id(trace_id, 32)?,
        parent_id: u64::try_from(id(parent_id, 16)?).ok()?,
        flags: u8::from_str_radix(flags, 16).ok()? & 3,
    })
}

/// A `traceparent` that we may send: version 00 and no flags that are not defined.
pub(crate) fn is_sent_parent(value: &str) -> bool {
    value.starts_with("00-")
        && ["-00", "-01", "-02", "-03"].iter().any(|end| value.ends_with(end))
        && parent(value).is_some()
}

/// The members of a `tracestate`, all lines joined; `None` where one of them, or their number, breaks a rule.
pub(crate) fn state(joined: &str) -> Option<Vec<(&str, &str)>> {
    let members = joined.split(',').map(trim).filter(|member| !member.is_empty());
    let members: Vec<_> = members.map(member).collect::<Option<_>>()?;
    (members.len() <= 32).then_some(members)
}

fn member(member: &str) -> Option<(&str, &str)> {
    let (key, value) = member.split_once('=')?;
    (is_key(key) && is_value(value)).then_some((key, value))
}

/// > key = ( lcalpha / DIGIT ) 0*255 ( keychar )
pub(crate) fn is_key(key: &str) -> bool {
    key.len() <= 256
        && key.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-*/@".contains(&byte))
}

/// > value = 0*255(chr) nblk-chr
pub(crate) fn is_value(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && !value.ends_with(' ')
        && value.bytes().all(|byte| (0x20..=0x7e).contains(&byte) && byte != b',' && byte != b'=')
}
