//! Where the members of a header break the grammar, for tools that explain headers. Whoever propagates never asks.

use crate::{
    member::list_member,
    octets::{BAGGAGE_OCTET, TCHAR},
};
use otel_baggage_limits::Reason;
use otel_propagator_core::{
    header::trim,
    located::{Located, within},
};

/// Where a header breaks the grammar: one place for each member that is skipped, in their order. Limits are not looked at.
///
/// ```
/// let header = "tenant=acme,user id=7,note=a b";
/// let places: Vec<_> = otel_w3c_baggage::locate(header).map(|it| (it.production, it.range)).collect();
/// assert_eq!(places, [("key", 16..17), ("value", 28..29)]);
/// ```
pub fn locate(header: &str) -> impl Iterator<Item = Located> + '_ {
    let mut start = 0;
    header.split(',').filter_map(move |element| {
        let from = start + element.len() - element.trim_start_matches([' ', '\t']).len();
        start += element.len() + ",".len();
        let member = trim(element);
        let reason = list_member(member).err().filter(|_| !member.is_empty())?;
        Some(at(header, member, from, reason))
    })
}

fn at(header: &str, member: &str, from: usize, reason: Reason) -> Located {
    let key = TCHAR.split(member).0.len();
    let end = from + member.len();
    let (production, url, range) = match reason {
        Reason::Key => ("key", "https://www.w3.org/TR/baggage/#key", from + key..from + key + 1),
        Reason::Value => {
            let at = end - after_value(member).len();
            ("value", "https://www.w3.org/TR/baggage/#value", at..at + 1)
        }
        _ => ("list-member", "https://www.w3.org/TR/baggage/#definition", end..end),
    };
    Located::new(production, reason.as_str(), within(header, range), url)
}

/// What comes after the octets of a member's value.
fn after_value(member: &str) -> &str {
    let value = member.split_once('=').map_or("", |(_, value)| value.trim_start_matches([' ', '\t']));
    BAGGAGE_OCTET.split(value).1
}
