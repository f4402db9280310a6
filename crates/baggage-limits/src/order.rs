//! The order in which members are carried. It is sorted in one place, since a sort is kilobytes of code for each type.

use crate::Limits;
use smallvec::{SmallVec, smallvec};

/// A key, ready to be put in order: see [`Limits::order`].
#[derive(Clone, Copy, Debug)]
pub struct SortKey<'a> {
    key: &'a str,
    beginning: u128,
}

impl<'a> From<&'a str> for SortKey<'a> {
    #[inline]
    fn from(key: &'a str) -> Self {
        Self { key, beginning: beginning(key.as_bytes()) }
    }
}

/// The places of members in the order in which they are carried: see [`Limits::order`].
#[derive(Clone, Debug)]
pub struct Order(SmallVec<[Place; 64]>);

impl Limits {
    /// Members with these keys in the order of [`keep_first`](Self::keep_first), the others behind them in the order of
    /// the bytes of their keys, and those of one key as they come. At most the first 65,536 are in it.
    ///
    /// ```
    /// use otel_baggage_limits::Limits;
    ///
    /// let limits = Limits::new().keep_first(&["tenant"]);
    /// let order = limits.order(&["page", "cart", "tenant", "cart"].map(Into::into));
    /// assert_eq!(order.iter().collect::<Vec<_>>(), [2, 1, 3, 0]);
    /// ```
    #[must_use]
    #[inline]
    pub fn order(&self, keys: &[SortKey<'_>]) -> Order {
        let mut order = Order::of(keys.len());
        if keys.len() > 1 {
            sort(&mut order.0, keys, keys, 0);
        }
        if !self.keep_first.is_empty() {
            self.put_first(&mut order.0, keys);
        }
        order
    }

    /// The same, but with the others as they come.
    ///
    /// ```
    /// use otel_baggage_limits::Limits;
    ///
    /// let limits = Limits::new().keep_first(&["tenant"]);
    /// let order = limits.order_received(&["page", "cart", "tenant"].map(Into::into));
    /// assert_eq!(order.iter().collect::<Vec<_>>(), [2, 0, 1]);
    /// ```
    #[must_use]
    pub fn order_received(&self, keys: &[SortKey<'_>]) -> Order {
        let mut order = Order::of(keys.len());
        if !self.keep_first.is_empty() {
            self.put_first(&mut order.0, keys);
        }
        order
    }

    #[cold]
    fn put_first(&self, places: &mut [Place], keys: &[SortKey<'_>]) {
        let before: Vec<Place> = places.to_vec();
        for (place, at) in places.iter_mut().zip(0..) {
            let rank = self.rank(keys.get(place.index()).map_or("", |it| it.key));
            *place = Place::new((rank as u64).min(u64::MAX >> 16) << 16, at);
        }
        sort_places(places);
        for place in places {
            *place = before.get(place.index()).copied().unwrap_or(*place);
        }
    }
}

/// The one sort of all.
fn sort_places(places: &mut [Place]) {
    places.sort_unstable();
}

impl Order {
    /// As they come.
    #[inline]
    fn of(members: usize) -> Self {
        let mut order = Self(smallvec![Place(0); members.min(1 << 16)]);
        for (place, at) in order.0.iter_mut().zip(0..) {
            *place = Place(at);
        }
        order
    }

    /// The places, each an index into what the order was made of.
    #[must_use]
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = usize> {
        self.0.iter().map(|place| place.index())
    }

    /// Leaves only the places for which `keep` says so.
    ///
    /// ```
    /// use otel_baggage_limits::Limits;
    ///
    /// let mut order = Limits::new().order(&["b", "c", "a"].map(Into::into));
    /// order.retain(|place| place != 0);
    /// assert_eq!(order.iter().collect::<Vec<_>>(), [2, 1]);
    /// ```
    pub fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        self.0.retain(|place| keep(place.index()));
    }
}

/// An index, below a number of 48 bits by which it is sorted.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Place(u64);

impl Place {
    /// Of the number the lower bits are cut.
    const fn new(number: u64, index: u64) -> Self {
        Self(number & !0xffff | index & 0xffff)
    }

    #[inline]
    const fn index(self) -> usize {
        (self.0 & 0xffff) as usize
    }

    const fn has_number_of(self, other: Self) -> bool {
        self.0 >> 16 == other.0 >> 16
    }
}

/// Sorts places by what their keys have from byte `from` on. `run` has the keys from there, in the order of the places.
fn sort(places: &mut [Place], run: &[SortKey<'_>], keys: &[SortKey<'_>], from: usize) {
    let first = run.first().map_or(0, |key| key.beginning);
    // Behind what all have in common, six bytes nearly always tell them apart.
    let common = run.iter().fold(0, |different, key| different | key.beginning ^ first).leading_zeros();
    for (place, key) in places.iter_mut().zip(run) {
        let number = key.beginning.checked_shl(common).unwrap_or_default() >> 64;
        *place = Place::new(number as u64, place.0);
    }
    sort_places(places);
    let seen = from + (common as usize + 48).min(128) / 8;
    for alike in places.chunk_by_mut(|one, other| one.has_number_of(*other)) {
        if alike.len() > 1 {
            sort_rest(alike, keys, seen);
        }
    }
}

/// Keys that are alike up to byte `from`. What they go on to have in common is passed over here, so that each call has fewer.
#[cold]
fn sort_rest(places: &mut [Place], keys: &[SortKey<'_>], mut from: usize) {
    let mut run: Vec<SortKey<'_>> =
        places.iter().filter_map(|place| keys.get(place.index()).copied()).collect();
    while run.iter().any(|it| it.key.len() > from) {
        for it in &mut run {
            it.beginning = beginning(it.key.as_bytes().get(from..).unwrap_or_default());
        }
        if !run.iter().all(|it| run.first().is_some_and(|first| first.beginning == it.beginning)) {
            return sort(places, &run, keys, from);
        }
        from += 16;
    }
}

/// The first 16 bytes as a number that sorts as they do.
#[inline]
fn beginning(key: &[u8]) -> u128 {
    let key = key.get(..16).unwrap_or(key);
    let missing = 8 * (16 - key.len());
    match (key.first_chunk(), key.last_chunk()) {
        (Some(first), Some(last)) => {
            let [first, last] = [first, last].map(|bytes| u128::from(u64::from_be_bytes(*bytes)));
            first << 64 | last << missing
        }
        _ => key.iter().rev().fold(0, |beginning, &byte| beginning >> 8 | u128::from(byte) << 120),
    }
}

#[cfg(test)]
mod tests {
    use super::SortKey;
    use crate::Limits;
    use proptest::prelude::*;

    proptest! {
        /// Keys that begin alike for more and for less than a number holds.
        #[test]
        fn the_order_is_that_of_the_standard_library(
            keys in prop::collection::vec("(session\\.identifier\\.|session\\.|)[a-c]{0,2}(zzzzzz|zzzzzzzz|)[ab~]{0,9}", 0..80)
        ) {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            let of: Vec<_> = keys.iter().map(|key| SortKey::from(*key)).collect();
            let limits = Limits::new().keep_first(&["session.a*", "b", "*a"]);
            let mut expected: Vec<usize> = (0..keys.len()).collect();
            expected.sort_by_key(|at| keys[*at]);
            prop_assert_eq!(Limits::new().order(&of).iter().collect::<Vec<_>>(), expected.clone());
            expected.sort_by_key(|at| limits.rank(keys[*at]));
            prop_assert_eq!(limits.order(&of).iter().collect::<Vec<_>>(), expected.clone());
            expected.sort_unstable();
            prop_assert_eq!(Limits::new().order_received(&of).iter().collect::<Vec<_>>(), expected.clone());
            expected.sort_by_key(|at| limits.rank(keys[*at]));
            prop_assert_eq!(limits.order_received(&of).iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn more_members_than_places_are_cut() {
        for (members, places) in [(65_535, 65_535), (65_536, 65_536), (65_537, 65_536)] {
            let order = Limits::new().order(&vec!["key".into(); members]);
            assert!(order.iter().eq(0..places));
        }
    }
}
