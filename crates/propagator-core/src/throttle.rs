//! How often one rule may be told of.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    time::Duration,
};

/// How many events of one rule are let through in any [`WINDOW`].
pub const BURST: usize = 5;
/// The stretch of time in which [`BURST`] events of one rule are let through, wherever it begins.
pub const WINDOW: Duration = Duration::from_secs(60);

static ENABLED: AtomicBool = AtomicBool::new(true);

/// Switches the throttles of this process off or on again, for the tests of a service that count events.
///
/// A service in production leaves them on: without them a peer decides how much is logged.
///
/// ```
/// use otel_propagator_core::diagnostics::{self, BURST, admit};
///
/// diagnostics::set_throttled(false);
/// assert!((0..10 * BURST).all(|_| admit(&["house.event", "rule"]).is_some()));
/// ```
pub fn set_throttled(throttled: bool) {
    ENABLED.store(throttled, Relaxed);
}

/// Asks for one event. `Some` lets it through and says how many of this rule were kept back since the last one;
/// `None` keeps it back.
///
/// The parts name the rule together: the event, the header, the rule. They must come from a list that the program
/// bounds, never from a peer: there is a place for 256 rules, and all others share one throttle. It takes no lock.
///
/// ```
/// use otel_propagator_core::diagnostics::{BURST, admit};
///
/// let rule = ["house.rejected", "x-house", "no digit"];
/// assert!((0..BURST).all(|_| admit(&rule) == Some(0)));
/// assert_eq!(admit(&rule), None);
/// assert_eq!(admit(&["house.rejected", "x-house", "another rule"]), Some(0));
/// ```
#[must_use]
pub fn admit(rule: &[&str]) -> Option<u32> {
    if !ENABLED.load(Relaxed) {
        return Some(0);
    }
    throttle(rule).admit_at(clock::now())
}

/// The throttle of a rule. Rules are told apart by 32 bits of their hash.
fn throttle(rule: &[&str]) -> &'static Throttle {
    static PLACES: [Place; 256] =
        [const { Place { rule: AtomicU32::new(0), throttle: Throttle::new() } }; 256];
    static SHARED: Throttle = Throttle::new();
    let hash = hash(rule);
    let (before, from) = PLACES.split_at(hash as usize % PLACES.len());
    let place = from.iter().chain(before).find(|place| place.is_of(hash));
    place.map_or(&SHARED, |place| &place.throttle)
}

/// A throttle, and the rule that it is of once there is one.
struct Place {
    rule: AtomicU32,
    throttle: Throttle,
}

impl Place {
    /// Whether the place is of this rule, which takes it if it is free.
    fn is_of(&self, rule: u32) -> bool {
        self.rule.load(Relaxed) == rule
            || match self.rule.compare_exchange(0, rule, Relaxed, Relaxed) {
                Ok(_) => true,
                Err(of) => of == rule,
            }
    }
}

/// FNV-1a; never 0, which is no rule.
fn hash(rule: &[&str]) -> u32 {
    let bytes = rule.iter().flat_map(|part| part.bytes().chain([0xff]));
    bytes.fold(0x811c_9dc5, |hash: u32, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)).max(1)
}

/// Lets [`BURST`] events through in any [`WINDOW`] and counts the rest.
#[derive(Debug)]
struct Throttle {
    /// When the last ones were let through, by the [clock]; 0 for never.
    admitted: [AtomicU32; BURST],
    suppressed: AtomicU32,
}

/// A window in ticks of the [clock], and one more, since an event may have come at the end of its tick.
const WINDOW_TICKS: u32 = 601;

impl Throttle {
    const fn new() -> Self {
        Self { admitted: [const { AtomicU32::new(0) }; BURST], suppressed: AtomicU32::new(0) }
    }

    fn admit_at(&self, now: u32) -> Option<u32> {
        let is_free = |at: u32| at == 0 || now.saturating_sub(at) >= WINDOW_TICKS;
        let admitted = self.admitted.iter().any(|admitted| {
            let at = admitted.load(Relaxed);
            is_free(at) && admitted.compare_exchange(at, now, Relaxed, Relaxed).is_ok()
        });
        if admitted {
            return Some(self.suppressed.swap(0, Relaxed));
        }
        let _ = self.suppressed.fetch_update(Relaxed, Relaxed, |count| count.checked_add(1));
        None
    }
}

#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod clock {
    use std::{
        sync::LazyLock,
        time::{Duration, Instant},
    };

    /// A tenth of a second: an `AtomicU32` of them, which every target has, lasts for 13 years.
    pub(super) const TICK: Duration = Duration::from_millis(100);

    /// The ticks since the first call, from 1 on.
    pub(super) fn now() -> u32 {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        ticks(START.elapsed())
    }

    pub(super) fn ticks(elapsed: Duration) -> u32 {
        let ticks = elapsed.as_millis() / TICK.as_millis();
        u32::try_from(ticks).map_or(u32::MAX, |ticks| ticks.saturating_add(1))
    }
}

/// `Instant::now` panics where there is no clock. Time stands still then: each rule has one burst.
#[cfg(all(target_family = "wasm", target_os = "unknown"))]
mod clock {
    pub(super) const fn now() -> u32 {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_so_many_ticks() {
        assert_eq!(clock::TICK * (WINDOW_TICKS - 1), WINDOW);
        assert_eq!([clock::ticks(Duration::ZERO), clock::ticks(WINDOW)], [1, WINDOW_TICKS]);
        assert_eq!(clock::ticks(Duration::MAX), u32::MAX);
    }

    #[test]
    fn the_clock_goes() {
        let before = clock::now();
        while clock::now() == before {
            std::thread::sleep(clock::TICK / 10);
        }
    }

    fn flood(throttle: &Throttle, at: u32) -> Vec<u32> {
        (0..1000).filter_map(|_| throttle.admit_at(at)).collect()
    }

    #[test]
    fn a_flood_costs_one_burst_a_window_and_is_counted() {
        let throttle = Throttle::new();
        assert_eq!(flood(&throttle, 1), [0; BURST]);
        assert_eq!(flood(&throttle, WINDOW_TICKS), [0; 0]);
        assert_eq!(flood(&throttle, 1 + WINDOW_TICKS), [1995, 0, 0, 0, 0]);
    }

    #[test]
    fn no_window_has_more_than_a_burst_wherever_it_begins() {
        let throttle = Throttle::new();
        let admitted: Vec<u32> =
            (1..10 * WINDOW_TICKS).filter(|&at| throttle.admit_at(at).is_some()).collect();
        assert_eq!(admitted.len(), 10 * BURST);
        for events in admitted.windows(BURST + 1) {
            assert!(events[BURST] - events[0] >= WINDOW_TICKS, "{events:?}");
        }
    }

    #[test]
    fn several_threads_share_one_burst() {
        let throttle = Throttle::new();
        let admitted: usize = std::thread::scope(|scope| {
            let threads = [(); 4]
                .map(|()| scope.spawn(|| (0..1000).filter(|_| throttle.admit_at(1).is_some()).count()));
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, BURST);
        assert_eq!(throttle.admit_at(1 + WINDOW_TICKS), Some(3995));
    }

    #[test]
    fn rules_without_a_place_of_their_own_share_one() {
        let names: Vec<String> = (0..1000).map(|rule| format!("rule {rule}")).collect();
        let admitted = names.iter().filter(|name| admit(&["of many", name]).is_some()).count();
        assert!((200..=256 + BURST).contains(&admitted), "{admitted}");
    }
}
