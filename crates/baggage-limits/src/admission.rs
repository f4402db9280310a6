//! Which members are carried.

use crate::{Limits, Reason, Report, Size};
use otel_propagator_core::diagnostics::Direction;

/// Decides, member after member, what a header carries, and counts what was decided.
///
/// Whoever reads or writes baggage measures its members and asks; the limits are applied here and nowhere else. A member
/// that does not fit is left out as a whole, and a shorter one after it may still be carried.
///
/// ```
/// use otel_baggage_limits::{Admission, Direction, Limits, Reason};
///
/// let limits = Limits::new().max_bytes("a=1,ccc=3".len());
/// let mut admission = Admission::new("baggage", Direction::Out, &limits);
/// let carried = [("a", "a=1"), ("bbbb", "bbbb=2"), ("ccc", "ccc=3")].map(|(key, text)| {
///     admission.measure(text.len());
///     admission.admit(key, text.len())
/// });
/// assert_eq!(carried, [true, false, true]);
///
/// let report = admission.report();
/// assert_eq!((report.measured.members, report.measured.bytes), (3, "a=1,bbbb=2,ccc=3".len()));
/// assert_eq!((report.kept.members, report.kept.bytes), (2, "a=1,ccc=3".len()));
/// assert_eq!(report.left_out(Reason::TooManyBytes), 1);
/// ```
#[derive(Clone, Debug)]
pub struct Admission<'a> {
    limits: &'a Limits,
    max_bytes: usize,
    report: Report,
    /// Of those measured.
    at_risk: usize,
}

impl<'a> Admission<'a> {
    /// Nothing is measured and nothing carried yet.
    #[must_use]
    pub const fn new(header: &'static str, direction: Direction, limits: &'a Limits) -> Self {
        let max_bytes = limits.most_bytes(direction);
        Self { limits, max_bytes, report: Report::new(header, direction), at_risk: 0 }
    }

    /// There is a member of so many bytes, whatever is decided about it.
    #[inline]
    pub const fn measure(&mut self, bytes: usize) {
        self.report.measured = self.report.measured.with(bytes);
        self.at_risk += (bytes > crate::AT_RISK_BYTES) as usize;
    }

    /// There are so many members, which take so many bytes with the commas between them; of them so many
    /// [are at risk](crate::AT_RISK_BYTES).
    ///
    /// ```
    /// use otel_baggage_limits::{Admission, Direction, Limits};
    ///
    /// let limits = Limits::new().max_members(2);
    /// let mut admission = Admission::new("baggage", Direction::Out, &limits);
    /// admission.measure_all(2, "a=1,b=2".len(), 0);
    /// assert!(admission.all_fit() && admission.admit_all());
    /// assert_eq!(admission.report().kept.members, 2);
    /// ```
    #[inline]
    pub const fn measure_all(&mut self, members: usize, bytes: usize, at_risk: usize) {
        self.report.measured = Size { members, bytes };
        self.at_risk = at_risk;
    }

    /// Carries all that was measured, if the limits ask nothing of single members and there is room for all.
    #[inline]
    pub fn admit_all(&mut self) -> bool {
        let all = self.limits.look_at_room_alone() && self.all_fit();
        if all {
            (self.report.kept, self.report.at_risk) = (self.report.measured, self.at_risk);
        }
        all
    }

    /// Whether there is room for all that was measured.
    #[must_use]
    pub const fn all_fit(&self) -> bool {
        self.fits(self.report.measured).is_ok()
    }

    /// Whether one more member of this key and so many bytes is carried.
    pub fn admit(&mut self, key: &str, bytes: usize) -> bool {
        match self.limits.check(key, bytes).and_then(|()| self.room(bytes)) {
            Ok(()) => self.keep(bytes),
            Err(reason) => {
                self.report.leave_out(reason);
                return false;
            }
        }
        true
    }

    /// Whether there is room for one more member of so many bytes.
    ///
    /// ```
    /// use otel_baggage_limits::{Admission, Direction, Limits, Reason};
    ///
    /// let limits = Limits::new().max_bytes("a=1,b=2".len());
    /// let mut admission = Admission::new("baggage", Direction::In, &limits);
    /// for text in ["a=1", "b=2"] {
    ///     admission.measure(text.len());
    ///     assert_eq!(admission.room(text.len()), Ok(()));
    ///     admission.keep(text.len());
    /// }
    /// assert_eq!(admission.room(0), Err(Reason::TooManyBytes), "a comma is one byte");
    /// ```
    ///
    /// # Errors
    ///
    /// [`Reason::TooManyMembers`] and [`Reason::TooManyBytes`].
    #[inline]
    pub const fn room(&self, bytes: usize) -> Result<(), Reason> {
        self.fits(self.report.kept.with(bytes))
    }

    /// Whether a header may have this size. This alone says what `max_members` and `max_bytes` mean.
    #[inline]
    const fn fits(&self, size: Size) -> Result<(), Reason> {
        if size.members > self.limits.max_members {
            Err(Reason::TooManyMembers)
        } else if size.bytes > self.max_bytes {
            Err(Reason::TooManyBytes)
        } else {
            Ok(())
        }
    }

    /// Carries a member of so many bytes, for which [`room`](Self::room) was found.
    #[inline]
    pub const fn keep(&mut self, bytes: usize) {
        self.report.kept = self.report.kept.with(bytes);
        self.report.at_risk += (bytes > crate::AT_RISK_BYTES) as usize;
    }

    /// Does not carry a member, for a reason that the caller found.
    ///
    /// ```
    /// use otel_baggage_limits::{Admission, Direction, Limits, Reason};
    ///
    /// let limits = Limits::new();
    /// let mut admission = Admission::new("baggage", Direction::In, &limits);
    /// admission.measure("no sign".len());
    /// admission.leave_out(Reason::NoEqualsSign);
    /// let report = admission.received("no sign".len()).report();
    /// assert_eq!((report.measured.bytes, report.kept.members), (7, 0));
    /// ```
    #[cold]
    pub fn leave_out(&mut self, reason: Reason) {
        self.report.leave_out(reason);
    }

    /// A member of so many bytes, carried so far, makes room.
    ///
    /// ```
    /// use otel_baggage_limits::{Admission, Direction, Limits, Reason};
    ///
    /// let limits = Limits::new().max_members(1);
    /// let mut admission = Admission::new("baggage", Direction::In, &limits);
    /// assert!(admission.admit("a", "a=1".len()));
    /// admission.take_back("a=1".len(), Reason::Superseded); // `a=2` came after it
    /// assert!(admission.admit("a", "a=2".len()));
    /// assert_eq!(admission.report().left_out(Reason::Superseded), 1);
    /// ```
    #[cold]
    pub fn take_back(&mut self, bytes: usize, reason: Reason) {
        self.report.kept = self.report.kept.without(bytes);
        self.report.at_risk -= usize::from(bytes > crate::AT_RISK_BYTES);
        self.report.leave_out(reason);
    }

    /// The received header had so many bytes, all lines joined.
    #[must_use]
    pub const fn received(mut self, bytes: usize) -> Self {
        self.report.measured.bytes = bytes;
        self
    }

    /// What was decided.
    #[must_use]
    pub const fn report(&self) -> Report {
        self.report
    }
}
