//! Disk and memory fail SQLite at each call in turn: what was acknowledged, what is kept, and what is recorded agree.

mod changes;
mod records;

use faulty_disk::Failure;

/// How many runs with many threads there are; `FAULT_RUNS` in the environment says otherwise.
const RUNS: u64 = 64;

const FAILURES: [Failure; 4] = [Failure::DiskFull, Failure::InputOutput, Failure::NoMemory, Failure::Allocation];

/// What fails in which run.
struct Order {
    failure: Failure,
    /// The number of the call that fails.
    number: u64,
    /// Whether all after it fail too.
    lasts: bool,
}

/// The orders of all runs: each kind, for one call and from that call on, at the first calls and at others up to a number.
fn orders(calls_max: u64) -> impl Iterator<Item = Order> {
    let runs = std::env::var("FAULT_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number of runs"));
    (0..runs).map(move |run| {
        let place = run / 8;
        // A prime spreads the places.
        let number = if place % 2 == 0 { place / 2 } else { place * 7919 % calls_max };
        Order {
            failure: FAILURES[usize::try_from(run % 4).expect("the number is small")],
            number: number + 1,
            lasts: run / 4 % 2 == 1,
        }
    })
}
