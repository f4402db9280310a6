//! The limits.

use crate::Reason;
use core::mem;
use otel_propagator_core::{diagnostics::Direction, keys::Keys};

/// What baggage may travel.
///
/// W3C obliges everyone to carry 64 members and 8192 bytes, counted on the encoded header, commas and all. Both ways 64
/// members are carried unless [`max_members`](Self::max_members) is set. Unless [`max_bytes`](Self::max_bytes) is set,
/// 8192 bytes are read and **4096 are sent**: a header of 8192 bytes is refused by most servers as they are installed.
/// nginx, Apache, Varnish and gunicorn take no line over 8 KiB, name included; Tomcat, Jetty, Netty and gRPC no head over
/// 8 KiB, all other headers included. [`Limits::W3C`] sends all that W3C obliges to.
/// <https://www.w3.org/TR/baggage/#limits>
///
/// ```
/// use otel_baggage_limits::Limits;
///
/// const LIMITS: Limits = Limits::new().max_bytes(2048).keep_first(&["tenant"]).deny(&["user.*"]);
///
/// assert_eq!(LIMITS.max_members, 64);
/// assert_eq!(LIMITS.max_bytes, Some(2048));
/// ```
///
/// Keys are patterns, as [`Keys`] describes them. Lists that are known only at run time are owned:
///
/// ```
/// use otel_baggage_limits::{Keys, Limits, Reason};
///
/// let from_configuration = vec!["tenant".to_owned(), "route.*".to_owned()];
/// let limits = Limits::new().allow_keys(from_configuration);
/// assert_eq!(limits.check("route.region", 20), Ok(()));
/// assert_eq!(limits.check("user", 20), Err(Reason::NotAllowed));
/// ```
///
/// OpenTelemetry's `Baggage` itself refuses the 65th member and the 8193rd byte (keys, values and metadata, not
/// escaped), so a higher limit has no effect beyond that.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Limits {
    /// The most members that are carried; 64 unless set.
    pub max_members: usize,
    /// The most bytes of a header, all lines together. Unless set, 8192 of a received one and 4096 of one that is sent.
    pub max_bytes: Option<usize>,
    /// The most bytes of one member. Unless set, a member is carried whatever its length, and one longer than
    /// [`AT_RISK_BYTES`](crate::AT_RISK_BYTES) is reported as being at risk in other SDKs.
    pub max_member_bytes: Option<usize>,
    /// The keys that are chosen before all others and therefore stay longest, in this order.
    pub keep_first: Keys,
    /// The only keys that are carried; every key unless set.
    pub allow: Option<Keys>,
    /// Keys that are not carried, even where `allow` names them.
    pub deny: Keys,
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

impl Limits {
    /// What W3C obliges everyone to carry, sent too: 64 members and 8192 bytes.
    ///
    /// ```
    /// use otel_baggage_limits::Limits;
    ///
    /// assert_eq!(Limits::W3C, Limits::new().max_bytes(8192));
    /// ```
    pub const W3C: Self = Self::new().max_bytes(8192);

    /// 64 members of any key; 8192 bytes are read and 4096 sent.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_members: 64,
            max_bytes: None,
            max_member_bytes: None,
            keep_first: Keys::NONE,
            allow: None,
            deny: Keys::NONE,
        }
    }

    /// Carries at most so many members.
    #[must_use]
    pub const fn max_members(mut self, members: usize) -> Self {
        self.max_members = members;
        self
    }

    /// Carries at most so many bytes both ways, counted on the encoded header with its commas.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// Refuses members longer than so many bytes, counted as they are on the wire: key, value and metadata.
    ///
    /// ```
    /// use otel_baggage_limits::{Limits, Reason};
    ///
    /// let limits = Limits::new().max_member_bytes("cart=3".len());
    /// assert_eq!(limits.check("cart", "cart=3".len()), Ok(()));
    /// assert_eq!(limits.check("cart", "cart=33".len()), Err(Reason::MemberTooLong));
    /// ```
    #[must_use]
    pub const fn max_member_bytes(mut self, bytes: usize) -> Self {
        self.max_member_bytes = Some(bytes);
        self
    }

    /// Chooses these keys before all others, so that they are the last to be left out.
    #[must_use]
    pub const fn keep_first(mut self, keys: &'static [&'static str]) -> Self {
        put(&mut self.keep_first, Keys::of(keys));
        self
    }

    /// Carries these keys only. Keys are compared as they are, in upper and lower case.
    ///
    /// ```
    /// use otel_baggage_limits::{Limits, Reason};
    ///
    /// let limits = Limits::new().allow(&["tenant", "route.*"]).deny(&["route.secret"]);
    /// assert_eq!(limits.check("route.region", 10), Ok(()));
    /// assert_eq!(limits.check("Tenant", 10), Err(Reason::NotAllowed));
    /// assert_eq!(limits.check("route.secret", 10), Err(Reason::Denied));
    /// ```
    #[must_use]
    pub const fn allow(mut self, keys: &'static [&'static str]) -> Self {
        put(&mut self.allow, Some(Keys::of(keys)));
        self
    }

    /// Does not carry these keys, even where [`allow`](Self::allow) names them.
    #[must_use]
    pub const fn deny(mut self, keys: &'static [&'static str]) -> Self {
        put(&mut self.deny, Keys::of(keys));
        self
    }

    /// [`keep_first`](Self::keep_first) with a list that is known only at run time.
    ///
    /// ```
    /// use otel_baggage_limits::Limits;
    ///
    /// let limits = Limits::new().keep_keys_first(vec!["tenant".to_owned(), "route.*".to_owned()]);
    /// assert_eq!([limits.rank("tenant"), limits.rank("route.region")], [0, 1]);
    /// assert_eq!(limits.rank("cart"), usize::MAX, "it goes before the others go");
    /// ```
    #[must_use]
    pub fn keep_keys_first(self, keys: impl Into<Keys>) -> Self {
        Self { keep_first: keys.into(), ..self }
    }

    /// [`allow`](Self::allow) with a list that is known only at run time.
    #[must_use]
    pub fn allow_keys(self, keys: impl Into<Keys>) -> Self {
        Self { allow: Some(keys.into()), ..self }
    }

    /// [`deny`](Self::deny) with a list that is known only at run time.
    ///
    /// ```
    /// use otel_baggage_limits::{Limits, Reason};
    ///
    /// let limits = Limits::new().deny_keys(vec!["user.*".to_owned()]);
    /// assert_eq!(limits.check("user.email", 10), Err(Reason::Denied));
    /// ```
    #[must_use]
    pub fn deny_keys(self, keys: impl Into<Keys>) -> Self {
        Self { deny: keys.into(), ..self }
    }

    /// The most bytes of a header that goes this way.
    ///
    /// ```
    /// use otel_baggage_limits::{Direction, Limits};
    ///
    /// let bytes = |limits: Limits| [Direction::In, Direction::Out].map(|way| limits.most_bytes(way));
    /// assert_eq!(bytes(Limits::new()), [8192, 4096]);
    /// assert_eq!(bytes(Limits::W3C), [8192, 8192]);
    /// ```
    #[must_use]
    pub const fn most_bytes(&self, direction: Direction) -> usize {
        match (self.max_bytes, direction) {
            (Some(bytes), _) => bytes,
            (None, Direction::In) => 8192,
            (None, Direction::Out) => 4096,
        }
    }

    /// Whether a member of this key and of this many bytes may be carried at all.
    ///
    /// ```
    /// use otel_baggage_limits::{Limits, Reason};
    ///
    /// let limits = Limits::new().deny(&["user"]).max_member_bytes(6);
    /// assert_eq!(limits.check("cart", "cart=3".len()), Ok(()));
    /// assert_eq!(limits.check("user", "user=amy".len()), Err(Reason::Denied));
    /// ```
    ///
    /// # Errors
    ///
    /// [`Reason::Denied`], [`Reason::NotAllowed`] and [`Reason::MemberTooLong`].
    #[inline]
    pub fn check(&self, key: &str, bytes: usize) -> Result<(), Reason> {
        if self.deny.contains(key) {
            return Err(Reason::Denied);
        }
        if self.allow.as_ref().is_some_and(|allow| !allow.contains(key)) {
            return Err(Reason::NotAllowed);
        }
        if self.max_member_bytes.is_some_and(|most| bytes > most) {
            return Err(Reason::MemberTooLong);
        }
        Ok(())
    }

    /// Where the key stands in [`keep_first`](Self::keep_first); the keys that it does not name come last.
    #[must_use]
    pub fn rank(&self, key: &str) -> usize {
        self.keep_first.position(key).unwrap_or(usize::MAX)
    }

    /// Whether members are left out for want of room alone, whatever their keys and lengths are.
    pub(crate) fn look_at_room_alone(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty() && self.max_member_bytes.is_none()
    }
}

/// Nothing can be dropped in a constant. What is not dropped here is a list of the program's text, which owns nothing,
/// unless one that is owned was set before.
const fn put<T>(place: &mut T, value: T) {
    mem::forget(mem::replace(place, value));
}
