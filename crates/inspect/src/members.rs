//! The members of the received baggage, and what becomes of each.

use crate::{Config, carrier::Carrier, parts::MAX_MEMBERS, report::Member};
use opentelemetry::{
    Context,
    baggage::{Baggage, BaggageExt},
};
use otel_baggage_limits::{Limits, Reason, Report};
use otel_w3c_baggage::decode;
use std::collections::HashMap;

pub(crate) const NOT_ACCEPTED: &str = "not accepted: the trust boundary does not let the key in";
pub(crate) const WITHHELD: &str = "not sent: the trust boundary keeps the key from this destination";

/// What the baggage went through, one station after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey<'a> {
    pub(crate) config: &'a Config,
    pub(crate) read: &'a Context,
    pub(crate) accepted: &'a Context,
    pub(crate) unheld: &'a HashMap<String, String>,
    pub(crate) going: &'a HashMap<String, String>,
}

/// Each member, up to [`MAX_MEMBERS`], and how many there are beyond.
pub(crate) fn members(carrier: &Carrier<'_>, passed: &Journey<'_>) -> (Vec<Member>, usize) {
    if !passed.config.reads_baggage {
        return (Vec::new(), 0);
    }
    let header = carrier.joined("baggage");
    let mut texts =
        header.split(',').map(|text| text.trim_matches([' ', '\t'])).filter(|text| !text.is_empty());
    let (shown, beyond): (Vec<_>, usize) = (texts.by_ref().take(MAX_MEMBERS).collect(), texts.count());
    let alone: Vec<_> = shown.iter().map(|text| decode(text, &Limits::W3C)).collect();
    // What is left out takes no other member's place.
    let read = shown.iter().zip(&alone).enumerate().filter(|(_, (_, (_, report)))| report.is_complete());
    let last: HashMap<&str, usize> = read.map(|(at, (text, _))| (key_of(text), at)).collect();
    let [unheld, going] = [passed.unheld, passed.going].map(sizes);
    let member = |(at, (text, (alone, report))): (usize, (&&str, &(Baggage, Report)))| {
        let key = key_of(text);
        let found = alone.get_with_metadata(key);
        let (value, metadata) =
            found.map_or(("", ""), |(value, metadata)| (value.as_str(), metadata.as_str()));
        let left_out = match report.reasons().next() {
            Some((reason, _)) => Some(reason.to_string()),
            None if last.get(key) != Some(&at) => Some(Reason::Superseded.to_string()),
            None => passed.left_out(key, text.len(), &unheld, &going),
        };
        Member {
            key: key.to_owned(),
            value: value.to_owned(),
            metadata: metadata.to_owned(),
            received_bytes: text.len(),
            sent_bytes: left_out.as_ref().map_or_else(|| going.get(key).copied().unwrap_or_default(), |_| 0),
            left_out,
        }
    };
    (shown.iter().zip(&alone).enumerate().map(member).collect(), beyond)
}

impl Journey<'_> {
    /// Why a member that is well-formed does not go on.
    fn left_out(
        &self,
        key: &str,
        bytes: usize,
        unheld: &HashMap<&str, usize>,
        going: &HashMap<&str, usize>,
    ) -> Option<String> {
        if self.read.baggage().get(key).is_none() {
            return Some("not read: more than is carried".to_owned());
        }
        if self.accepted.baggage().get(key).is_none() {
            return Some(NOT_ACCEPTED.to_owned());
        }
        if !unheld.contains_key(key) {
            let limits = &self.config.limits;
            let full = unheld.len() >= limits.max_members;
            let rule = if full { Reason::TooManyMembers } else { Reason::TooManyBytes };
            let rule = limits.check(key, bytes).err().unwrap_or(rule);
            return Some(format!("not sent: {rule}"));
        }
        let withheld = !going.contains_key(key);
        withheld.then(|| WITHHELD.to_owned())
    }
}

fn key_of(text: &str) -> &str {
    text.split_once('=').map_or(text, |(key, _)| key.trim_end_matches([' ', '\t']))
}

/// The bytes of each member that is sent.
fn sizes(headers: &HashMap<String, String>) -> HashMap<&str, usize> {
    let members = headers.get("baggage").into_iter().flat_map(|header| header.split(','));
    members.map(|member| (member.split('=').next().unwrap_or_default(), member.len())).collect()
}
