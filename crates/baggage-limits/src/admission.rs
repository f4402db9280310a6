//! Which members of a baggage are sent, and in which order.

use crate::{Limits, Reason, Report, Size, property, wire};
use opentelemetry::{
    Key, StringValue,
    baggage::{Baggage, BaggageMetadata},
};
use smallvec::SmallVec;

/// As many members as upstream's `Baggage` holds stay on the stack.
const INLINE: usize = 64;

/// The members of a baggage that are sent, in the order in which they are sent, and those that are not.
///
/// Made by [`Limits::select`].
#[derive(Clone, Debug)]
pub struct Selection<'a> {
    entries: SmallVec<[Entry<'a>; INLINE]>,
    report: Report,
}

/// A member of a baggage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Member<'a> {
    /// Its key, a token.
    pub key: &'a str,
    /// Its value, decoded.
    pub value: &'a str,
    /// Its metadata, as it is in the baggage.
    pub metadata: &'a str,
    /// How many bytes it takes on the wire.
    pub wire_len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    /// Where the key is in `keep_first`; behind them all if it is not there.
    rank: usize,
    /// The first bytes of the key, so that most comparisons need no more.
    prefix: u64,
    key: &'a Key,
    content: &'a (StringValue, BaggageMetadata),
    wire_len: usize,
    left_out: Option<Reason>,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(baggage: &'a Baggage, limits: &Limits, len: fn(&str, &str, &str) -> usize) -> Self {
        let mut entries: SmallVec<[Entry<'a>; INLINE]> =
            baggage.iter().map(|pair| Entry::new(pair, limits, len)).collect();
        entries.sort_unstable_by(Entry::cmp);
        let mut report = Report::default();
        for entry in &mut entries {
            report.measured.add(entry.wire_len);
            match entry.check(limits, report.kept) {
                Ok(()) => report.keep(entry.wire_len),
                Err(reason) => {
                    report.leave_out(reason);
                    entry.left_out = Some(reason);
                }
            }
        }
        Self { entries, report }
    }

    /// The members that are sent, in the order in which they are sent.
    pub fn members(&self) -> impl Iterator<Item = Member<'a>> + '_ {
        self.kept().map(Entry::member)
    }

    /// The keys that are left out, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&'a str, Reason)> + '_ {
        self.entries.iter().filter_map(|entry| Some((entry.key.as_str(), entry.left_out?)))
    }

    /// The numbers.
    #[must_use]
    pub const fn report(&self) -> Report {
        self.report
    }

    /// A baggage of the members that are sent, as they are.
    #[must_use]
    pub fn to_baggage(&self) -> Baggage {
        self.kept().map(|entry| (entry.key.clone(), entry.content.clone())).collect()
    }

    /// A baggage of the members that are sent, whose metadata no propagator can turn into anything else, even if it
    /// writes it as it is.
    pub(crate) fn to_sanitised_baggage(&self) -> Baggage {
        let sanitised = |(value, metadata): &(StringValue, BaggageMetadata)| {
            (value.clone(), property::sanitised(metadata.as_str()).into())
        };
        self.kept().map(|entry| (entry.key.clone(), sanitised(entry.content))).collect()
    }

    fn kept(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.entries.iter().filter(|entry| entry.left_out.is_none())
    }
}

impl<'a> Entry<'a> {
    fn new(
        (key, content): (&'a Key, &'a (StringValue, BaggageMetadata)),
        limits: &Limits,
        len: fn(&str, &str, &str) -> usize,
    ) -> Self {
        let text = key.as_str();
        let (value, metadata) = content;
        Self {
            rank: limits.keep_first.iter().position(|first| *first == text).unwrap_or(usize::MAX),
            prefix: prefix(text.as_bytes()),
            key,
            content,
            wire_len: len(text, value.as_str(), metadata.as_str()),
            left_out: None,
        }
    }

    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (self.rank, self.prefix)
            .cmp(&(other.rank, other.prefix))
            .then_with(|| self.key.as_str().cmp(other.key.as_str()))
    }

    /// Whether there is room for it behind what was kept already.
    fn check(&self, limits: &Limits, mut kept: Size) -> Result<(), Reason> {
        limits.check_key(self.key.as_str())?;
        limits.check_member_len(self.wire_len)?;
        kept.add(self.wire_len);
        if kept.members > limits.max_members {
            return Err(Reason::TooManyMembers);
        }
        if kept.bytes > limits.max_bytes {
            return Err(Reason::TooManyBytes);
        }
        Ok(())
    }

    fn member(&self) -> Member<'a> {
        Member {
            key: self.key.as_str(),
            value: self.content.0.as_str(),
            metadata: self.content.1.as_str(),
            wire_len: self.wire_len,
        }
    }
}

/// The first eight bytes as a number that sorts as they do.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    for (to, from) in bytes.iter_mut().zip(key) {
        *to = *from;
    }
    u64::from_be_bytes(bytes)
}

impl Member<'_> {
    /// Appends the member as it is on the wire.
    pub fn write_to(&self, header: &mut Vec<u8>) {
        wire::write_member(header, self.key, self.value, self.metadata);
    }
}
