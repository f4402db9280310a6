//! What a row may cost.

/// What a row may cost at most, in instructions, and how many more allocations it may take than the floor.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "built by the table of rows")]
pub struct Targets {
    /// The SDK's cost is at least this many times ours, without what seeing doubled headers costs: the SDK does
    /// not see them.
    pub sdk: Option<Target>,
    /// Our cost is at most this many times the floor's.
    pub floor: Option<Target>,
    /// So many instructions more than the SDK's column are allowed.
    pub above_sdk: Option<u64>,
    /// Allocations more than the floor's.
    pub more_allocations: usize,
}

/// A ratio that was asked for, and the one that is held where that was not reached; `RECORD.md` says why.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::exhaustive_structs, reason = "built by the table of rows")]
pub struct Target {
    /// What was asked for.
    pub asked: f64,
    /// What the gate holds, in a build without link-time optimisation.
    pub held: f64,
}

impl From<f64> for Target {
    fn from(ratio: f64) -> Self {
        Self { asked: ratio, held: ratio }
    }
}

impl Target {
    /// The least ratio that is held in this build.
    pub(crate) fn least(self) -> f64 {
        self.held / if has_link_time_optimisation() { 1.15 } else { 1.0 }
    }

    /// The greatest ratio that is held in this build.
    pub(crate) fn most(self) -> f64 {
        self.held * if has_link_time_optimisation() { 1.15 } else { 1.0 }
    }
}

/// How many times the SDK's cost a hostile header within the limits may cost.
pub(crate) fn hostile() -> f64 {
    if has_link_time_optimisation() { 2.1 } else { 1.5 }
}

/// Whether this is a build of the profile `lto`. The gates are those of a build without: with it the SDK and the floor gain
/// what ours have from `#[inline]` already, so that the ratios shrink.
fn has_link_time_optimisation() -> bool {
    let program = std::env::current_exe().unwrap_or_default();
    program.parent().is_some_and(|folder| folder.ends_with("lto"))
}

impl Targets {
    pub(crate) fn sdk(self, ratio: impl Into<Target>) -> Self {
        Self { sdk: Some(ratio.into()), ..self }
    }

    pub(crate) fn floor(self, ratio: impl Into<Target>) -> Self {
        Self { floor: Some(ratio.into()), ..self }
    }

    pub(crate) const fn above_sdk(self, instructions: u64) -> Self {
        Self { above_sdk: Some(instructions), ..self }
    }

    pub(crate) const fn more_allocations(self, count: usize) -> Self {
        Self { more_allocations: count, ..self }
    }
}

/// No target but the floor's allocations.
pub(crate) const SHOWN: Targets = Targets { sdk: None, floor: None, above_sdk: None, more_allocations: 0 };

/// A target of which so much is held.
pub(crate) const fn held(held: f64, asked: f64) -> Target {
    Target { asked, held }
}
