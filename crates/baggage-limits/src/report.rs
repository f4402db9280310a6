//! What was measured, what was kept, and what was left out for which reason.

use crate::wire::AT_RISK_BYTES;
use core::fmt;

/// Why a member was not carried.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Reason {
    /// A received header line has bytes that the carrier cannot give as text.
    NotText,
    /// A received member has no `=`.
    NoEqualsSign,
    /// The key of a received member is not a token.
    Key,
    /// The value of a received member has a byte that is not a `baggage-octet`.
    Value,
    /// [`Limits::deny`](crate::Limits::deny) names the key.
    Denied,
    /// [`Limits::allow`](crate::Limits::allow) does not name the key.
    NotAllowed,
    /// The member is longer than [`Limits::max_member_bytes`](crate::Limits::max_member_bytes).
    MemberTooLong,
    /// [`Limits::max_bytes`](crate::Limits::max_bytes) has no room for the member. Of a received header, what
    /// lies past the limit counts as one member, since it is not read.
    TooManyBytes,
    /// There were [`Limits::max_members`](crate::Limits::max_members) already.
    TooManyMembers,
    /// OpenTelemetry's `Baggage` has no room for the member.
    BaggageFull,
    /// A later member of a received header has the same key.
    Superseded,
}

impl Reason {
    pub(crate) const COUNT: usize = Self::ALL.len();

    /// Every reason, the most telling first.
    pub(crate) const ALL: [Self; 11] = [
        Self::NotText,
        Self::NoEqualsSign,
        Self::Key,
        Self::Value,
        Self::Denied,
        Self::NotAllowed,
        Self::MemberTooLong,
        Self::TooManyBytes,
        Self::TooManyMembers,
        Self::BaggageFull,
        Self::Superseded,
    ];

    /// The rule, as one lower-case clause.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotText => "a line is not text",
            Self::NoEqualsSign => "a member has no equals sign",
            Self::Key => "a key is not a token",
            Self::Value => "a value has a byte that is not a baggage-octet",
            Self::Denied => "the key is denied",
            Self::NotAllowed => "the key is not among the allowed ones",
            Self::MemberTooLong => "a member is longer than max_member_bytes",
            Self::TooManyBytes => "more than max_bytes",
            Self::TooManyMembers => "more than max_members",
            Self::BaggageFull => "the baggage is full",
            Self::Superseded => "a later member has the same key",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Members and the bytes that they take.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Size {
    /// The number of members.
    pub members: usize,
    /// The bytes of a header of these members, with the commas between them.
    pub bytes: usize,
}

impl Size {
    /// So many members, which take so many bytes without the commas between them.
    #[must_use]
    pub const fn new(members: usize, bytes: usize) -> Self {
        Self { members, bytes: bytes + members.saturating_sub(1) }
    }

    /// Counts one more member of so many bytes, and the comma before it.
    pub const fn add(&mut self, bytes: usize) {
        self.bytes += bytes + (self.members > 0) as usize;
        self.members += 1;
    }
}

/// What was measured, what was kept, and what was left out for which reason. It holds numbers only, no key and
/// no value.
///
/// ```
/// use opentelemetry::{KeyValue, baggage::Baggage};
/// use otel_baggage_limits::{Limits, Reason};
///
/// let baggage = Baggage::from([KeyValue::new("a", "1"), KeyValue::new("b", "2"), KeyValue::new("c", "3")]);
/// let report = Limits::new().max_members(2).select(&baggage).report();
/// assert_eq!((report.measured.members, report.measured.bytes), (3, "a=1,b=2,c=3".len()));
/// assert_eq!((report.kept.members, report.kept.bytes), (2, "a=1,b=2".len()));
/// assert_eq!(report.left_out(Reason::TooManyMembers), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// What there was. Of a received header: the members that were looked at, and the bytes of all lines joined.
    pub measured: Size,
    /// What was kept. Of a received header: the bytes as they were received, those of superseded members too.
    pub kept: Size,
    /// How many of those kept are longer than [`AT_RISK_BYTES`](crate::wire::AT_RISK_BYTES).
    pub at_risk: usize,
    left_out: [u32; Reason::COUNT],
}

impl Report {
    /// Counts one member that was kept.
    pub const fn keep(&mut self, bytes: usize) {
        self.kept.add(bytes);
        self.at_risk += (bytes > AT_RISK_BYTES) as usize;
    }

    /// Counts all that were measured as kept.
    pub(crate) fn keep_all(&mut self, lengths: impl Iterator<Item = usize>) {
        self.kept = self.measured;
        if self.kept.bytes > AT_RISK_BYTES {
            self.at_risk = lengths.filter(|&bytes| bytes > AT_RISK_BYTES).count();
        }
    }

    /// Counts one member that was left out.
    pub fn leave_out(&mut self, reason: Reason) {
        if let Some(count) = self.left_out.get_mut(reason as usize) {
            *count += 1;
        }
    }

    /// How many members were left out for this reason.
    #[must_use]
    pub fn left_out(&self, reason: Reason) -> usize {
        self.left_out.get(reason as usize).map_or(0, |&count| count as usize)
    }

    /// The reasons for which members were left out, the most telling first, and how many each left out.
    pub fn reasons(&self) -> impl Iterator<Item = (Reason, usize)> + use<> {
        let report = *self;
        Reason::ALL
            .into_iter()
            .map(move |reason| (reason, report.left_out(reason)))
            .filter(|&(_, count)| count > 0)
    }

    /// Whether nothing was left out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left_out == [0; Reason::COUNT]
    }
}
