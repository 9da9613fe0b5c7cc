//! Summaries of the events of each user.

use std::collections::HashSet;

use aws::Timestamp;
use store::{Error, Transaction};

use super::{Names, Selection, scan};
use crate::history::attributes::Attribute;
use crate::history::columns::Entry;

/// Number of repositories of a user that are compared one by one, which is faster than a hash.
const FEW: usize = 32;

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

/// The repositories of a user.
#[derive(Clone, Default)]
struct Repositories {
    few: Vec<u32>,
    others: HashSet<u32>,
}

impl Repositories {
    fn add(&mut self, repository: u32) {
        if repository == 0 || self.few.contains(&repository) {
            return;
        }
        if self.few.len() < FEW {
            self.few.push(repository);
        } else {
            self.others.insert(repository);
        }
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
    repositories: Repositories,
}

impl Summary {
    fn add(&mut self, entry: &Entry) {
        self.first = if self.events == 0 { entry.time } else { self.first.min(entry.time) };
        self.last = self.last.max(entry.time);
        self.events += 1;
        self.writes += u64::from(!entry.is_read_only);
        self.failures += u64::from(entry.is_failed);
        self.repositories.add(entry.repository);
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
            repositories: self.repositories.few.len() + self.repositories.others.len(),
        }
    }
}

pub(super) fn count(transaction: &Transaction, account: &str, selection: &Selection<'_>) -> Result<Vec<Person>, Error> {
    let users = Names::read(transaction, account, selection, Attribute::Username)?;
    let events = Names::read(transaction, account, selection, Attribute::EventName)?;
    let number = |name: &str| (1..events.len()).find(|number| events.name(*number) == name);
    let (push, pull) = (number("GitPush"), number("GitPull"));
    let mut summaries = vec![Summary::default(); users.len()];
    scan(transaction, account, selection, |entry| {
        let summary = &mut summaries[users.number(entry.user)];
        summary.add(&entry);
        if entry.has_data {
            let name = Some(events.number(entry.name));
            summary.pushes += u64::from(name == push);
            summary.pulls += u64::from(name == pull);
        }
    })?;
    let mut people: Vec<Person> = summaries
        .iter()
        .enumerate()
        .filter(|(_, summary)| summary.events > 0)
        .map(|(number, summary)| summary.to_person(users.name(number)))
        .collect();
    people.sort_by(|one, other| one.user.cmp(&other.user));
    Ok(people)
}
