//! The limits, and what they say of a key, a member and a whole baggage.

use crate::{Member, Reason, Report, Selection, Size, wire::Cost};
use opentelemetry::baggage::Baggage;

/// What baggage may travel.
///
/// The default is what everyone is obliged to carry: 64 members and 8192 bytes, counted on the encoded header,
/// commas and all. <https://www.w3.org/TR/baggage/#limits>
///
/// ```
/// use otel_baggage_limits::Limits;
///
/// const LIMITS: Limits = Limits::new().max_bytes(2048).keep_first(&["tenant"]).deny(&["user.email"]);
///
/// assert_eq!(LIMITS.max_members, 64);
/// assert_eq!(LIMITS.max_bytes, 2048);
/// ```
///
/// Lists that are only known at run time can be leaked once, at start-up:
///
/// ```
/// use otel_baggage_limits::Limits;
///
/// let from_configuration = vec!["tenant".to_owned()];
/// let keys: Vec<&'static str> = from_configuration.into_iter().map(|key| &*key.leak()).collect();
/// let limits = Limits::new().allow(keys.leak());
/// assert_eq!(limits.allow, Some(&["tenant"][..]));
/// ```
///
/// OpenTelemetry's `Baggage` itself refuses the 65th member and the 8193rd byte (keys, values and metadata, not
/// escaped), so a higher limit has no effect beyond that.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most members that are carried; 64 unless set.
    pub max_members: usize,
    /// The most bytes of a header, all lines together; 8192 unless set.
    pub max_bytes: usize,
    /// The most bytes of one member. Unless set, a member is carried whatever its length, and one longer than
    /// [`AT_RISK_BYTES`](crate::wire::AT_RISK_BYTES) is reported as being at risk in other SDKs.
    pub max_member_bytes: Option<usize>,
    /// The keys that are sent before all others and therefore stay longest, in this order.
    pub keep_first: &'static [&'static str],
    /// The only keys that are carried; every key unless set.
    pub allow: Option<&'static [&'static str]>,
    /// Keys that are not carried, even where `allow` names them.
    pub deny: &'static [&'static str],
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl Limits {
    /// 64 members, 8192 bytes, any key.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_members: 64,
            max_bytes: 8192,
            max_member_bytes: None,
            keep_first: &[],
            allow: None,
            deny: &[],
        }
    }

    /// Carries at most so many members.
    #[must_use]
    pub const fn max_members(mut self, members: usize) -> Self {
        self.max_members = members;
        self
    }

    /// Carries at most so many bytes, counted on the encoded header with its commas.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Refuses members longer than so many bytes, counted as they are on the wire: key, value and metadata.
    #[must_use]
    pub const fn max_member_bytes(mut self, bytes: usize) -> Self {
        self.max_member_bytes = Some(bytes);
        self
    }

    /// Sends these keys before all others, so that they are the last to be left out.
    ///
    /// On the way in it has no effect on the `baggage` header: of that the leading members that fit are kept.
    #[must_use]
    pub const fn keep_first(mut self, keys: &'static [&'static str]) -> Self {
        self.keep_first = keys;
        self
    }

    /// Carries these keys only. Keys are compared as they are, in upper and lower case.
    #[must_use]
    pub const fn allow(mut self, keys: &'static [&'static str]) -> Self {
        self.allow = Some(keys);
        self
    }

    /// Does not carry these keys, even where [`allow`](Self::allow) names them.
    #[must_use]
    pub const fn deny(mut self, keys: &'static [&'static str]) -> Self {
        self.deny = keys;
        self
    }

    /// Whether a member of this key may be carried at all.
    ///
    /// # Errors
    ///
    /// [`Reason::Denied`] and [`Reason::NotAllowed`].
    #[inline]
    pub fn check_key(&self, key: &str) -> Result<(), Reason> {
        if self.deny.contains(&key) {
            return Err(Reason::Denied);
        }
        match self.allow {
            Some(allow) if !allow.contains(&key) => Err(Reason::NotAllowed),
            _ => Ok(()),
        }
    }

    /// Whether a member of this many bytes may be carried at all.
    ///
    /// # Errors
    ///
    /// [`Reason::MemberTooLong`].
    #[inline]
    pub fn check_member_len(&self, bytes: usize) -> Result<(), Reason> {
        match self.max_member_bytes {
            Some(most) if bytes > most => Err(Reason::MemberTooLong),
            _ => Ok(()),
        }
    }

    /// Whether no member is left out but for want of room.
    pub(crate) const fn admit_every_key(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty() && self.max_member_bytes.is_none()
    }

    pub(crate) const fn have_room(&self, size: Size) -> bool {
        size.members <= self.max_members && size.bytes <= self.max_bytes
    }

    /// Whether the member may be carried behind those that are kept already.
    pub(crate) fn check(&self, member: &Member<'_>, mut kept: Size) -> Result<(), Reason> {
        self.check_key(member.key)?;
        self.check_member_len(member.wire_len)?;
        kept.add(member.wire_len);
        match kept {
            _ if self.have_room(kept) => Ok(()),
            Size { members, .. } if members > self.max_members => Err(Reason::TooManyMembers),
            _ => Err(Reason::TooManyBytes),
        }
    }

    /// Whether every member may be carried: one pass, without sorting or allocating.
    ///
    /// ```
    /// use opentelemetry::{KeyValue, baggage::Baggage};
    /// use otel_baggage_limits::Limits;
    ///
    /// let baggage = Baggage::from([KeyValue::new("a", "1"), KeyValue::new("b", "2")]);
    /// assert!(Limits::new().max_bytes("a=1,b=2".len()).admits(&baggage));
    /// assert!(!Limits::new().max_bytes("a=1,b=2".len() - 1).admits(&baggage));
    /// ```
    #[must_use]
    pub fn admits(&self, baggage: &Baggage) -> bool {
        self.admit_all(baggage).is_some()
    }

    /// The report of a baggage of which every member may be carried.
    pub(crate) fn admit_all(&self, baggage: &Baggage) -> Option<Report> {
        let mut report = Report::default();
        for (key, (value, metadata)) in baggage {
            let bytes = Cost::of(key.as_str(), value.as_str(), metadata.as_str()).len();
            self.check_key(key.as_str()).and(self.check_member_len(bytes)).ok()?;
            report.keep(bytes);
        }
        report.measured = report.kept;
        self.have_room(report.kept).then_some(report)
    }

    /// Chooses the members to send.
    ///
    /// The keys of [`keep_first`](Self::keep_first) come first, in their order, then all others in the order of
    /// their bytes. A member that does not fit any more is left out, and a shorter one behind it may still go, so
    /// that as much as possible is carried; never a part of one. The same baggage gives the same selection.
    ///
    /// ```
    /// use opentelemetry::{KeyValue, baggage::Baggage};
    /// use otel_baggage_limits::{Limits, Reason};
    ///
    /// let baggage = Baggage::from([
    ///     KeyValue::new("a", "1"),
    ///     KeyValue::new("b", "a value that is too long"),
    ///     KeyValue::new("tenant", "acme"),
    /// ]);
    /// let selection = Limits::new().max_bytes(20).keep_first(&["tenant"]).select(&baggage);
    /// assert_eq!(selection.members().map(|member| member.key).collect::<Vec<_>>(), ["tenant", "a"]);
    /// assert_eq!(selection.left_out().collect::<Vec<_>>(), [("b", Reason::TooManyBytes)]);
    /// ```
    #[must_use]
    pub fn select<'a>(&self, baggage: &'a Baggage) -> Selection<'a> {
        let mut selection = Selection::new();
        selection.choose(baggage, self, Cost::of);
        selection
    }

    /// Writes the header of [`select`](Self::select), without handing out the selection.
    ///
    /// ```
    /// use opentelemetry::{KeyValue, baggage::Baggage};
    /// use otel_baggage_limits::Limits;
    ///
    /// let baggage = Baggage::from([KeyValue::new("user", "Amélie"), KeyValue::new("tenant", "acme")]);
    /// let (header, report) = Limits::new().encode(&baggage);
    /// assert_eq!(header, "tenant=acme,user=Am%C3%A9lie");
    /// assert!(report.is_complete());
    /// ```
    #[must_use]
    pub fn encode(&self, baggage: &Baggage) -> (String, Report) {
        let mut selection = Selection::new();
        selection.choose(baggage, self, Cost::of);
        (selection.header(), selection.report())
    }
}
