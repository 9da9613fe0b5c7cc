//! Failures of disk and memory for SQLite: a test makes the n-th write or the n-th allocation of the process fail.
//!
//! **Invariant:** nothing fails without a test that requires it, and one test at a time can.

mod file_system;
mod memory;

use std::sync::Once;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use parking_lot::{Mutex, MutexGuard};

/// The calls that fail, and their error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Writes fail because the disk is full.
    DiskFull,
    /// Writes, syncs, truncations and extensions of the shared index fail with input/output errors.
    InputOutput,
    /// The same calls fail because the system has no memory.
    NoMemory,
    /// Allocations of SQLite fail.
    Allocation,
}

/// The number of calls until the failure; 0 means that none is set.
static LEFT: AtomicU64 = AtomicU64::new(0);

/// The number of the [`Failure`], plus [`LASTS`] if all later calls fail too.
static KIND: AtomicU8 = AtomicU8::new(0);

/// The number of failed calls since a failure was set.
static FAILED: AtomicU64 = AtomicU64::new(0);

const LASTS: u8 = 128;

/// Held by the test that injects failures.
static TURN: Mutex<()> = Mutex::new(());

/// The right to inject failures; dropping it removes them.
pub struct Faults {
    _turn: MutexGuard<'static, ()>,
}

impl Faults {
    /// Installs the file system and the allocator, and waits until no other test injects failures.
    ///
    /// Must run before the first use of SQLite in the process.
    pub fn install() -> Self {
        static INSTALLED: Once = Once::new();
        INSTALLED.call_once(|| {
            memory::install();
            file_system::install();
        });
        Self { _turn: TURN.lock() }
    }

    /// Makes the call with this number from now on fail, counted from 1; with `lasts` all later calls too.
    pub fn inject(&self, failure: Failure, number: u64, lasts: bool) {
        self.remove();
        KIND.store(failure as u8 | if lasts { LASTS } else { 0 }, Ordering::SeqCst);
        FAILED.store(0, Ordering::SeqCst);
        LEFT.store(number, Ordering::SeqCst);
    }

    /// Removes the failure; returns the number of calls that failed.
    pub fn remove(&self) -> u64 {
        LEFT.store(0, Ordering::SeqCst);
        FAILED.load(Ordering::SeqCst)
    }
}

impl Drop for Faults {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Counts a call; returns its failure if it must fail. `applies` returns whether a failure is for calls of this kind.
fn take_failure(applies: impl Fn(Failure) -> bool) -> Option<Failure> {
    if LEFT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let kind = KIND.load(Ordering::SeqCst);
    let failures = [Failure::DiskFull, Failure::InputOutput, Failure::NoMemory, Failure::Allocation];
    let failure = failures[usize::from(kind & !LASTS)];
    if !applies(failure) {
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
