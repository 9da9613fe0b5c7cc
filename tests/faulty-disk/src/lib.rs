//! A disk and a memory that fail SQLite where a test orders it: at the n-th write, or the n-th allocation, of the process.
//!
//! **Invariant:** nothing fails unless a test has ordered it, and one test at a time can.

mod file_system;
mod memory;

use std::sync::Once;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

/// What fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Writes: the disk is full.
    DiskFull,
    /// Writes, syncs, truncations and the growth of the shared index: the disk is broken.
    InputOutput,
    /// The same calls: the system has no memory for them.
    NoMemory,
    /// SQLite's own allocations.
    Allocation,
}

/// How many calls go well yet; 0 means that nothing was ordered.
static LEFT: AtomicU64 = AtomicU64::new(0);

/// What fails then: the number of a [`Failure`], and 128 more if all calls after it fail too.
static KIND: AtomicU8 = AtomicU8::new(0);

/// How many calls have failed since the order.
static FAILED: AtomicU64 = AtomicU64::new(0);

const LASTS: u8 = 128;

/// The turn of tests that order failures.
static TURN: Mutex<()> = Mutex::new(());

/// The right to order failures; what was ordered is lifted at its end.
pub struct Faults {
    _turn: MutexGuard<'static, ()>,
}

impl Faults {
    /// Puts itself between SQLite and the system, and waits until no other test orders failures.
    ///
    /// This must come before the process's first use of SQLite.
    pub fn install() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            memory::install();
            file_system::install();
        });
        Self { _turn: TURN.lock() }
    }

    /// Orders that the call of this number from now on fails, counted from 1, or that it and all after it do.
    pub fn order(&self, failure: Failure, number: u64, lasts: bool) {
        self.lift();
        KIND.store(failure as u8 | if lasts { LASTS } else { 0 }, Ordering::SeqCst);
        FAILED.store(0, Ordering::SeqCst);
        LEFT.store(number, Ordering::SeqCst);
    }

    /// Lets everything go well again; returns how many calls have failed.
    pub fn lift(&self) -> u64 {
        LEFT.store(0, Ordering::SeqCst);
        FAILED.load(Ordering::SeqCst)
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.lift();
    }
}

/// Counts a call of a kind, and tells what it fails with, if it is to fail.
fn due(concerns: impl Fn(Failure) -> bool) -> Option<Failure> {
    if LEFT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let kind = KIND.load(Ordering::SeqCst);
    let failures = [Failure::DiskFull, Failure::InputOutput, Failure::NoMemory, Failure::Allocation];
    let failure = failures[usize::from(kind & !LASTS)];
    if !concerns(failure) {
        return None;
    }
    let count = |left: u64| match left {
        0 => None,
        1 if kind & LASTS != 0 => Some(1),
        left => Some(left - 1),
    };
    if LEFT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, count) != Ok(1) {
        return None;
    }
    FAILED.fetch_add(1, Ordering::SeqCst);
    Some(failure)
}
