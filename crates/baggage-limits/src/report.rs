//! What was measured, what was kept, and what was left out for which reason.

use core::fmt;
use otel_propagator_core::diagnostics::{AtRisk, Direction, LeftOut, Rejected};

/// Where members at risk begin: other SDKs are known to drop members longer than this many bytes.
pub const AT_RISK_BYTES: usize = 4096;

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
    /// The member is longer than [`Limits::max_member_bytes`](crate::Limits::max_member_bytes).
    MemberTooLong,
    /// [`Limits::max_bytes`](crate::Limits::max_bytes) has no room for the member. Of a received header, what is not
    /// looked at because it comes too late counts as one member.
    TooManyBytes,
    /// There were [`Limits::max_members`](crate::Limits::max_members) already. Of a received header, what lies behind
    /// [`MOST_ELEMENTS`](crate::MOST_ELEMENTS) counts as one member, since it is not looked at.
    TooManyMembers,
    /// OpenTelemetry's `Baggage` has no room for the member.
    BaggageFull,
    /// [`Limits::deny`](crate::Limits::deny) names the key.
    Denied,
    /// [`Limits::allow`](crate::Limits::allow) does not name the key.
    NotAllowed,
    /// A later member of a received header has the same key.
    Superseded,
}

impl Reason {
    const COUNT: usize = Self::ALL.len();

    /// Every reason, the most telling first: faults, then want of room, then what policy does on purpose.
    const ALL: [Self; 11] = [
        Self::NotText,
        Self::NoEqualsSign,
        Self::Key,
        Self::Value,
        Self::MemberTooLong,
        Self::TooManyBytes,
        Self::TooManyMembers,
        Self::BaggageFull,
        Self::Denied,
        Self::NotAllowed,
        Self::Superseded,
    ];

    /// The rule, as one lower-case clause for a person.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.texts().1
    }

    /// A short name that does not change, for metrics.
    ///
    /// ```
    /// use otel_baggage_limits::Reason;
    ///
    /// assert_eq!(Reason::Denied.name(), "key_denied");
    /// assert_eq!(Reason::Denied.as_str(), "the key is denied");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.texts().0
    }

    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::NotText => ("not_text", "a line is not text"),
            Self::NoEqualsSign => ("no_equals_sign", "a member has no equals sign"),
            Self::Key => ("key_malformed", "a key is not a token"),
            Self::Value => ("value_malformed", "a value has a byte that is not a baggage-octet"),
            Self::MemberTooLong => ("member_too_long", "a member is longer than max_member_bytes"),
            Self::TooManyBytes => ("too_many_bytes", "more than max_bytes"),
            Self::TooManyMembers => ("too_many_members", "more than max_members"),
            Self::BaggageFull => ("baggage_full", "the baggage is full"),
            Self::Denied => ("key_denied", "the key is denied"),
            Self::NotAllowed => ("key_not_allowed", "the key is not among the allowed ones"),
            Self::Superseded => ("superseded", "a later member has the same key"),
        }
    }

    const fn is_policy(self) -> bool {
        matches!(self, Self::Denied | Self::NotAllowed)
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
    /// One more member of so many bytes, and the comma before it.
    #[must_use]
    #[inline]
    pub(crate) const fn with(self, bytes: usize) -> Self {
        let comma = (self.members > 0) as usize;
        Self { members: self.members + 1, bytes: self.bytes.saturating_add(bytes + comma) }
    }

    /// One member of so many bytes less.
    #[must_use]
    pub(crate) const fn without(self, bytes: usize) -> Self {
        let members = self.members.saturating_sub(1);
        Self { members, bytes: self.bytes.saturating_sub(bytes + (members > 0) as usize) }
    }
}

/// What was measured, what was kept, and what was left out for which reason. It holds numbers only, no key and
/// no value.
///
/// An [`Admission`](crate::Admission) makes it.
///
/// ```
/// use otel_baggage_limits::{Admission, Direction, Limits, Reason};
///
/// let limits = Limits::new().deny(&["user"]);
/// let mut admission = Admission::new("baggage", Direction::Out, &limits);
/// for (key, text) in [("user", "user=amy"), ("cart", "cart=3")] {
///     admission.measure(text.len());
///     admission.admit(key, text.len());
/// }
/// let report = admission.report();
/// assert!(!report.is_complete());
/// assert_eq!(report.reasons().collect::<Vec<_>>(), [(Reason::Denied, 1)]);
/// assert_eq!((report.measured.bytes, report.kept.bytes), ("user=amy,cart=3".len(), "cart=3".len()));
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Report {
    /// The header, or the first of several that carry baggage together.
    pub header: &'static str,
    /// Which way it went.
    pub direction: Direction,
    /// What there was. Of a received header: the members that were looked at, and the bytes of all lines joined.
    pub measured: Size,
    /// What was kept, without the optional whitespace that a received header had.
    pub kept: Size,
    /// How many of those kept are longer than [`AT_RISK_BYTES`].
    pub at_risk: usize,
    left_out: [u16; Reason::COUNT],
}

impl Report {
    pub(crate) const fn new(header: &'static str, direction: Direction) -> Self {
        let none = Size { members: 0, bytes: 0 };
        Self { header, direction, measured: none, kept: none, at_risk: 0, left_out: [0; Reason::COUNT] }
    }

    pub(crate) fn leave_out(&mut self, reason: Reason) {
        if let Some(count) = self.left_out.get_mut(reason as usize) {
            *count = count.saturating_add(1);
        }
    }

    /// What another report left out, too.
    pub(crate) fn leave_out_as(&mut self, other: &Self) {
        for (count, others) in self.left_out.iter_mut().zip(other.left_out) {
            *count = count.saturating_add(others);
        }
    }

    /// How many members were left out for this reason.
    #[must_use]
    pub fn left_out(&self, reason: Reason) -> usize {
        self.left_out.get(reason as usize).map_or(0, |&count| count.into())
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
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.left_out == [0; Reason::COUNT]
    }

    /// Emits one event that names the most telling rule.
    ///
    /// That a later member has the same key is not worth an event, nor is it that a received member is long.
    pub(crate) fn emit(&self) {
        let first = self.reasons().find(|&(reason, _)| reason != Reason::Superseded);
        let (header, bytes) = (self.header, self.measured.bytes);
        match (first, self.direction) {
            (Some((reason, _)), Direction::In) if self.kept.members == 0 && !reason.is_policy() => {
                Rejected::new(header, reason.as_str(), bytes).emit();
            }
            (Some((reason, left_out)), direction) => LeftOut::new(header, direction, reason.as_str())
                .members(left_out, self.kept.members)
                .bytes(bytes)
                .is_policy(reason.is_policy())
                .emit(),
            // An empty header overrides an older one and says nothing.
            (None, Direction::In) if self.measured.members == 0 && bytes > 0 => {
                Rejected::new(header, "no member", bytes).emit();
            }
            (None, Direction::Out) if self.at_risk > 0 => {
                AtRisk::new(header, self.at_risk, self.kept.bytes).emit();
            }
            (None, _) => {}
        }
    }
}
