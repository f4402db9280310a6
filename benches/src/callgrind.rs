//! Counts instructions with valgrind's callgrind: the same build gives the same number, on a busy machine too.
//!
//! A program runs itself under callgrind; the child hands its tasks to [`run`], and callgrind writes one file
//! for each time that `measured` returns.

use crate::Task;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// How often most tasks are called, first to warm up and then to be measured. Their contexts differ in the order
/// of their baggage, and the result is the average.
pub const CALLS: u64 = 16;

/// The environment variable that says how often the program is run, once unless it is set. Each run has other addresses and
/// other maps, and some operations have two modes; the median of the runs counts.
const RUNS: &str = "RUNS";

/// The environment variable by which the child knows what it is.
const WATCHED: &str = "BENCHES_UNDER_CALLGRIND";

/// A task to be measured.
#[allow(missing_debug_implementations, reason = "a task is a closure")]
pub struct Measured {
    task: Task,
    warm_up: u64,
    calls: u64,
}

impl Measured {
    /// Over so many calls, after as many to warm up.
    #[must_use]
    pub fn over(calls: u64, task: Task) -> Self {
        Self { task, warm_up: calls, calls }
    }

    /// One call, the first: for what takes a hundred million instructions.
    #[must_use]
    pub fn cold(task: Task) -> Self {
        Self { task, warm_up: 0, calls: 1 }
    }
}

/// Whether this process is the child that [`count`] started.
#[must_use]
pub fn is_watched() -> bool {
    env::var_os(WATCHED).is_some()
}

/// Runs this program again under callgrind and gives the instructions of one call of each task, in their order.
/// The child has to pass its tasks to [`run`] where [`is_watched`] tells it so.
///
/// # Errors
///
/// One line that says what is missing where valgrind is not installed, or what it complained about.
pub fn count() -> Result<Vec<u64>, String> {
    let times = env::var(RUNS).ok().and_then(|runs| runs.parse().ok()).unwrap_or(1);
    let runs: Vec<Vec<u64>> = (0..times).map(|_| count_once()).collect::<Result<_, _>>()?;
    let tasks = runs.iter().map(Vec::len).min().unwrap_or_default();
    let median = |task: usize| {
        let mut costs: Vec<u64> = runs.iter().map(|run| run[task]).collect();
        costs.sort_unstable();
        costs[costs.len() / 2]
    };
    Ok((0..tasks).map(median).collect())
}

fn count_once() -> Result<Vec<u64>, String> {
    let directory = Scratch::new()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--collect-atstart=no", "--combine-dumps=no", "--dump-instr=no"])
        .args([format!("--toggle-collect={MEASURED}"), format!("--dump-after={MEASURED}")])
        .arg(format!("--callgrind-out-file={}", directory.0.join("out").display()))
        .arg(env::current_exe().map_err(|error| error.to_string())?)
        .args(env::args_os().skip(1))
        .env(WATCHED, "1")
        .stdin(Stdio::null())
        .output()
        .map_err(
            |_| "valgrind is missing: install it to count instructions (Debian: apt-get install valgrind)",
        )?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("valgrind failed: {}", complaint.trim().replace('\n', " | ")));
    }
    let calls = String::from_utf8_lossy(&output.stdout).into_owned();
    let calls = calls.lines().filter_map(|line| line.parse::<u64>().ok());
    let per_call: Vec<u64> =
        totals(&directory.0)?.iter().zip(calls).map(|(total, calls)| total / calls).collect();
    let (empty, tasks) = per_call.split_first().ok_or("callgrind measured nothing")?;
    Ok(tasks.iter().map(|cost| cost.saturating_sub(*empty)).collect())
}

/// Runs each task for callgrind and prints over how many calls; the first is one that does nothing.
pub fn run(tasks: impl Iterator<Item = Measured>) {
    let nothing = Measured::over(CALLS, Box::new(|| ()));
    for Measured { mut task, warm_up, calls } in std::iter::once(nothing).chain(tasks) {
        println!("{calls}");
        repeat(&mut task, warm_up);
        measured(&mut task, calls);
    }
}

fn repeat(task: &mut Task, calls: u64) {
    (0..calls).for_each(|_| task());
}

/// The name by which callgrind knows the function below.
const MEASURED: &str = "benches::callgrind::measured";

/// What callgrind looks at.
#[inline(never)]
fn measured(task: &mut Task, calls: u64) {
    repeat(task, calls);
}

/// The instructions of each dump, in the order in which they were written: `out.1`, `out.2`, …
fn totals(directory: &Path) -> Result<Vec<u64>, String> {
    (1..)
        .map(|number| directory.join(format!("out.{number}")))
        .map_while(|file| fs::read_to_string(file).ok())
        .filter(|dump| dump.contains("Trigger: --dump-after"))
        .map(|dump| {
            let line = dump.lines().find_map(|line| line.strip_prefix("totals: "));
            line.and_then(|total| total.trim().parse().ok()).ok_or_else(|| "a dump without totals".to_owned())
        })
        .collect()
}

/// A directory of its own that is deleted in the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, String> {
        let path = env::temp_dir().join(format!("propagator-benches-{}", std::process::id()));
        fs::create_dir_all(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
