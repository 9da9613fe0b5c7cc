//! Random calls, deliveries and restarts: the log files together always equal the history.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tests::{World, read_log_files};

use crate::lookup_events::{Lookup, PLACES, call};

/// A step of a random test.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A user in an account and region calls one of a few operations several times.
    Call { place: usize, user: usize, operation: usize, times: usize },
    /// Delivers the waiting events.
    Flush,
    /// Restarts the server.
    Restart,
}

const OPERATIONS: [(&str, &str); 4] = [
    ("CreateRepository", "MyDemoRepo"),
    ("GetRepository", "None"),
    ("DeleteRepository", "MyDemoRepo"),
    ("LookupEvents", ""),
];

fn act() -> impl Strategy<Value = Act> {
    let call = (0..PLACES.len(), 0..2_usize, 0..OPERATIONS.len(), 1..8_usize);
    let call = call.prop_map(|(place, user, operation, times)| Act::Call { place, user, operation, times });
    prop_oneof![6 => call, 2 => Just(Act::Flush), 1 => Just(Act::Restart)]
}

fn perform(world: &mut World, act: Act) {
    match act {
        Act::Call { place, user, operation, times } => {
            let (operation, name) = OPERATIONS[operation];
            let input = if name.is_empty() { json!({}) } else { json!({ "repositoryName": name }) };
            for _ in 0..times {
                call(world, place, user, operation, &input);
            }
        }
        Act::Flush => assert_eq!(world.send("POST", "/_local/flush", &[], b"").status, 200),
        Act::Restart => world.restart(),
    }
}

fn sorted(records: &[Value]) -> Vec<String> {
    let mut lines: Vec<_> = records.iter().map(Value::to_string).collect();
    lines.sort();
    lines
}

#[test]
fn log_files_together_equal_the_history_after_random_steps() {
    let config = ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() };
    let sequences = (vec(act(), 1..20), select(vec![1_u64, 3_000, 5 << 20]));
    let outcome = TestRunner::new(config).run(&sequences, |(acts, log_bytes)| {
        let mut world = World::with(|settings| {
            settings.log_interval = Duration::from_hours(1);
            settings.log_bytes = log_bytes;
        });
        for act in acts {
            perform(&mut world, act);
        }
        perform(&mut world, Act::Flush);
        let records = world.events();
        prop_assert_eq!(sorted(&read_log_files(&world.trail_folder())), sorted(&records));
        for place in 0..PLACES.len() {
            let lookup = Lookup { place, ..Lookup::default() };
            let (found, expected) = (lookup.found(&world), lookup.expected(&records));
            prop_assert_eq!(sorted(&found), sorted(&expected));
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failed| panic!("{failed}"));
}
