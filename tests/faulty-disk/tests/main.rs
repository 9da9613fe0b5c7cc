//! Failures of disk and memory at each call of SQLite: acknowledgements, rows and records always agree.

mod changes;
mod records;

use faulty_disk::Failure;

/// Number of runs with many threads, unless `FAULT_RUNS` in the environment sets another.
const RUNS: u64 = 64;

const FAILURES: [Failure; 4] = [Failure::DiskFull, Failure::InputOutput, Failure::NoMemory, Failure::Allocation];

/// The failure of a run.
struct Fault {
    failure: Failure,
    /// The number of the call that fails.
    number: u64,
    /// Whether all later calls fail too.
    lasts: bool,
}

/// Returns the faults of all runs: each kind, for one call and for all later ones, at the first calls and at others up to `calls_max`.
fn faults(calls_max: u64) -> impl Iterator<Item = Fault> {
    let runs = std::env::var("FAULT_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number of runs"));
    (0..runs).map(move |run| {
        let step = run / 8;
        // A prime spreads the numbers.
        let number = if step % 2 == 0 { step / 2 } else { step * 7919 % calls_max };
        Fault {
            failure: FAILURES[usize::try_from(run % 4).expect("the number is small")],
            number: number + 1,
            lasts: run / 4 % 2 == 1,
        }
    })
}
