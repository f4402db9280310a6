//! Counts what a piece of code asks of the allocator.
//!
//! A program that counts declares `#[global_allocator] static ALLOCATOR: Counting = Counting;`. Nothing is
//! counted outside [`count`], where an allocation costs one load and one branch more than without it.
#![allow(unsafe_code, reason = "an allocator cannot be written without it")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
};

/// The system's allocator, counted.
#[derive(Clone, Copy, Debug)]
pub struct Counting;

/// What was asked of the allocator.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usage {
    /// Calls of `malloc`.
    pub allocations: usize,
    /// Calls of `realloc`.
    pub reallocations: usize,
    /// The most bytes that were held at one time, beyond what was held before.
    pub peak: usize,
}

static COUNTING: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
static REALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// Bytes held, counted from [`ORIGIN`] so that freeing what was allocated before cannot go below zero.
static HELD: AtomicUsize = AtomicUsize::new(ORIGIN);
static PEAK: AtomicUsize = AtomicUsize::new(ORIGIN);

const ORIGIN: usize = usize::MAX / 2;

/// Runs `task` and tells what it asked of the allocator. One caller at a time: every thread is counted.
pub fn count(task: impl FnOnce()) -> Usage {
    for (counter, value) in [(&ALLOCATIONS, 0), (&REALLOCATIONS, 0), (&HELD, ORIGIN), (&PEAK, ORIGIN)] {
        counter.store(value, Relaxed);
    }
    COUNTING.store(true, Relaxed);
    task();
    COUNTING.store(false, Relaxed);
    Usage {
        allocations: ALLOCATIONS.load(Relaxed),
        reallocations: REALLOCATIONS.load(Relaxed),
        peak: PEAK.load(Relaxed) - ORIGIN,
    }
}

fn grow(bytes: usize) {
    let held = HELD.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(held, Relaxed);
}

// SAFETY: every call goes to `System` unchanged; the counters do not touch the memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            ALLOCATIONS.fetch_add(1, Relaxed);
            grow(layout.size());
        }
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            ALLOCATIONS.fetch_add(1, Relaxed);
            grow(layout.size());
        }
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if COUNTING.load(Relaxed) {
            HELD.fetch_sub(layout.size(), Relaxed);
        }
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if COUNTING.load(Relaxed) {
            REALLOCATIONS.fetch_add(1, Relaxed);
            // The old block is held until the new one has been filled.
            grow(new_size);
            HELD.fetch_sub(layout.size(), Relaxed);
        }
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}
