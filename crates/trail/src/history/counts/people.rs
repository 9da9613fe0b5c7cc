//! Summaries of the events of each user.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use aws::Timestamp;
use store::{Error, Transaction};

use super::{Names, Selection, scan};
use crate::history::attributes::Attribute;
use crate::history::columns::Entry;

/// 2⁶⁴ divided by the golden ratio, which spreads successive numbers.
const GOLDEN_RATIO: u64 = 0x9e37_79b9_7f4a_7c15;

/// A user and its events in a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The user, as event history names it; empty for services and other callers without a name.
    pub user: String,
    /// The time of the first event.
    pub first: Timestamp,
    /// The time of the last event.
    pub last: Timestamp,
    /// The number of events.
    pub events: u64,
    /// The number of calls that may change something.
    pub writes: u64,
    /// The number of failed calls.
    pub failures: u64,
    /// The number of pushes, failed ones included: GitPush with data.
    pub pushes: u64,
    /// The number of clones and fetches, failed ones included: GitPull with data.
    pub pulls: u64,
    /// The number of distinct repositories.
    pub repositories: usize,
}

/// The distinct pairs of the ids of a user and a repository.
type Pairs = HashSet<(u32, u32), BuildHasherDefault<PairHasher>>;

/// A hash of one multiplication for each id: the server assigns the ids, so nobody can choose them to collide.
#[derive(Default)]
struct PairHasher(u64);

impl Hasher for PairHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, id: u32) {
        self.0 = (self.0.rotate_left(32) ^ u64::from(id)).wrapping_mul(GOLDEN_RATIO);
    }
}

/// The summary of a user while entries are read; times are seconds since the epoch.
#[derive(Clone, Default)]
struct Summary {
    first: u32,
    last: u32,
    events: u64,
    writes: u64,
    failures: u64,
    pushes: u64,
    pulls: u64,
    repositories: usize,
}

impl Summary {
    fn add(&mut self, entry: &Entry) {
        self.first = if self.events == 0 { entry.time } else { self.first.min(entry.time) };
        self.last = self.last.max(entry.time);
        self.events += 1;
        self.writes += u64::from(!entry.is_read_only);
        self.failures += u64::from(entry.is_failed);
    }

    fn to_person(&self, user: &str) -> Person {
        let time = |seconds: u32| Timestamp::from_millis(i64::from(seconds) * 1_000);
        Person {
            user: user.to_owned(),
            first: time(self.first),
            last: time(self.last),
            events: self.events,
            writes: self.writes,
            failures: self.failures,
            pushes: self.pushes,
            pulls: self.pulls,
            repositories: self.repositories,
        }
    }
}

pub(super) fn count(transaction: &Transaction, account: &str, selection: &Selection<'_>) -> Result<Vec<Person>, Error> {
    let users = Names::read(transaction, account, selection, Attribute::Username)?;
    let events = Names::read(transaction, account, selection, Attribute::EventName)?;
    let number = |name: &str| (1..events.len()).find(|number| events.name(*number) == name);
    let (push, pull) = (number("GitPush"), number("GitPull"));
    let mut summaries = vec![Summary::default(); users.len()];
    let mut pairs = Pairs::default();
    scan(transaction, account, selection, |entry| {
        let summary = &mut summaries[users.number(entry.user)];
        summary.add(&entry);
        if entry.repository != 0 {
            pairs.insert((entry.user, entry.repository));
        }
        if entry.has_data {
            let name = Some(events.number(entry.name));
            summary.pushes += u64::from(name == push);
            summary.pulls += u64::from(name == pull);
        }
    })?;
    for (user, _) in pairs {
        summaries[users.number(user)].repositories += 1;
    }
    let mut people: Vec<Person> = summaries
        .iter()
        .enumerate()
        .filter(|(_, summary)| summary.events > 0)
        .map(|(number, summary)| summary.to_person(users.name(number)))
        .collect();
    people.sort_by(|one, other| one.user.cmp(&other.user));
    Ok(people)
}
