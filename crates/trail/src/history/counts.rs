//! Counts of events for the timeline, the heat map and the list of people of the console, from the columns of the index.
//!
//! **Invariant:** no record is read, and the memory for the result is bounded, however many users and events there are.

mod names;
mod people;
mod timeline;

use aws::{Call, Facts, Failure, Timestamp};
use store::{Error, Transaction};

use self::names::Names;
pub use self::people::Person;
pub use self::timeline::{Dimension, HeatRow, Series, Timeline};
use super::attributes::Attribute;
use super::columns::{self, Entry};
use super::index::{self, Key};
use crate::{Exception, Trail};

/// The permission that counts need; it is that of the events which are counted.
const ACTION: &str = "cloudtrail:LookupEvents";

/// The events to count: management events of the call's account.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'a> {
    /// Only events of this region; `None` for all regions.
    pub region: Option<&'a str>,
    /// The first second.
    pub from: Timestamp,
    /// The last second.
    pub until: Timestamp,
    /// Only events of this user, as event history names it.
    pub user: Option<&'a str>,
    /// Only events with this name, such as `GitPush`.
    pub name: Option<&'a str>,
    /// Only events that concern this repository first.
    pub repository: Option<&'a str>,
    /// Only failed calls, or only others.
    pub failed: Option<bool>,
    /// Only calls that may change something.
    pub writes_only: bool,
}

impl Selection<'_> {
    /// Returns the first and last second.
    fn range(&self) -> (u32, u32) {
        (columns::seconds(self.from.millis()), columns::seconds(self.until.millis()))
    }
}

impl Trail {
    /// Counts events by time, and by user, event name or outcome; the record of the call is not written.
    ///
    /// There are at most `buckets_max` buckets, and never more than 1,440: their length is the shortest round one that suffices, from a
    /// minute on. There are at most `series_max` series, those with the most events, the largest first; the last one sums all others if
    /// there are more. Needs the permission `cloudtrail:LookupEvents`.
    pub fn timeline(
        &self,
        call: &Call,
        selection: &Selection<'_>,
        dimension: Dimension,
        buckets_max: usize,
        series_max: usize,
    ) -> Result<Timeline, Failure> {
        self.count(call, |transaction| {
            timeline::count(transaction, call.account.as_str(), selection, dimension, buckets_max, series_max)
        })
    }

    /// Counts events by user and hour of the day in UTC, for at most `users_max` users: those with the most events, the largest first.
    ///
    /// The record of the call is not written. Needs the permission `cloudtrail:LookupEvents`.
    pub fn heat_map(&self, call: &Call, selection: &Selection<'_>, users_max: usize) -> Result<Vec<HeatRow>, Failure> {
        self.count(call, |transaction| timeline::count_hours(transaction, call.account.as_str(), selection, users_max))
    }

    /// Summarizes the events of each user, in the order of their names; the record of the call is not written.
    ///
    /// Needs the permission `cloudtrail:LookupEvents`.
    pub fn people(&self, call: &Call, selection: &Selection<'_>) -> Result<Vec<Person>, Failure> {
        self.count(call, |transaction| people::count(transaction, call.account.as_str(), selection))
    }

    fn count<R>(&self, call: &Call, query: impl FnOnce(&Transaction) -> Result<R, Error>) -> Result<R, Failure> {
        let counted = || {
            call.allow_action(ACTION, "*", &Facts::default())?;
            self.history().catch_up()?;
            Ok::<_, Exception>(self.store.read(query)?)
        };
        counted().map_err(Failure::from)
    }
}

/// The filters of a selection in a region, as ids.
struct EntryFilter {
    user: Option<u32>,
    name: Option<u32>,
    repository: Option<u32>,
    failed: Option<bool>,
    writes_only: bool,
}

impl EntryFilter {
    /// Finds the ids of a selection's values in a region; `None` if there is no event with one of them.
    fn of(
        transaction: &Transaction,
        (account, region): (&str, &str),
        selection: &Selection<'_>,
    ) -> Result<Option<Self>, Error> {
        let id = |attribute, value: Option<&str>| {
            let Some(value) = value else { return Ok(Some(None)) };
            let (account, region, value) = (account.to_owned(), region.to_owned(), value.to_owned());
            let found = index::value_id(transaction, &Key { account, region, attribute, value })?;
            found.map(columns::id).transpose().map(|id| id.map(Some))
        };
        let user = id(Attribute::Username, selection.user)?;
        let name = id(Attribute::EventName, selection.name)?;
        let repository = id(Attribute::ResourceName, selection.repository)?;
        let (Some(user), Some(name), Some(repository)) = (user, name, repository) else { return Ok(None) };
        let Selection { failed, writes_only, .. } = *selection;
        Ok(Some(Self { user, name, repository, failed, writes_only }))
    }

    fn admits(&self, entry: &Entry) -> bool {
        self.user.is_none_or(|user| user == entry.user)
            && self.name.is_none_or(|name| name == entry.name)
            && self.repository.is_none_or(|repository| repository == entry.repository)
            && self.failed.is_none_or(|failed| failed == entry.is_failed)
            && !(self.writes_only && entry.is_read_only)
    }
}

/// Lists the regions of a selection.
fn regions(transaction: &Transaction, account: &str, selection: &Selection<'_>) -> Result<Vec<String>, Error> {
    match selection.region {
        Some(region) => Ok(vec![region.to_owned()]),
        None => columns::regions(transaction, account),
    }
}

/// Calls a function with each entry of a selection.
fn scan(
    transaction: &Transaction,
    account: &str,
    selection: &Selection<'_>,
    mut each: impl FnMut(Entry),
) -> Result<(), Error> {
    for region in regions(transaction, account, selection)? {
        let scope = (account, region.as_str());
        let Some(filter) = EntryFilter::of(transaction, scope, selection)? else { continue };
        columns::scan(transaction, scope, selection.range(), |entry| {
            if filter.admits(&entry) {
                each(entry);
            }
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
