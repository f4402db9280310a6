//! Nanoseconds, for a ratio from one run: other programs on the machine move them.

use crate::Task;
use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

const BATCHES: usize = 40;
const BATCH: Duration = Duration::from_micros(500);

/// One call in the fastest of some short batches, which is the one that nobody disturbed.
pub fn nanoseconds(task: &mut Task) -> f64 {
    let calls = calls_of_a_batch(task);
    (0..BATCHES).map(|_| per_call(time(calls, task), calls)).fold(f64::MAX, f64::min)
}

/// The processor time of one call of two threads that call at the same time, each its own task; the median, since in
/// the fastest batch they may not have met. A thread that had to wait for a core takes no longer.
pub fn nanoseconds_in_two_threads(make: &(dyn Fn() -> Task + Sync)) -> f64 {
    let calls = calls_of_a_batch(&mut make()) * 16;
    median((0..BATCHES).map(|_| per_call(time_in_two_threads(calls, make), calls)))
}

/// How much processor time the slower of two threads takes for `calls` calls.
pub fn time_in_two_threads(calls: u64, make: &(dyn Fn() -> Task + Sync)) -> Duration {
    let start = Barrier::new(2);
    let work = || {
        let mut task = make();
        start.wait();
        let before = thread_time();
        (0..calls).for_each(|_| task());
        thread_time().saturating_sub(before)
    };
    thread::scope(|scope| {
        let other = scope.spawn(work);
        work().max(other.join().expect("the task does not panic"))
    })
}

/// The processor time that this thread has taken.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_nanos(time.tv_nsec.unsigned_abs())
}

fn time(calls: u64, task: &mut Task) -> Duration {
    let start = Instant::now();
    for _ in 0..calls {
        task();
    }
    start.elapsed()
}

fn calls_of_a_batch(task: &mut Task) -> u64 {
    let mut calls = 1;
    while time(calls, task) < BATCH && calls < 1 << 24 {
        calls *= 2;
    }
    calls
}

#[allow(clippy::cast_precision_loss, reason = "the calls of a batch are far below 2^52")]
fn per_call(time: Duration, calls: u64) -> f64 {
    time.as_secs_f64() * 1e9 / calls as f64
}

fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}
