//! Locations of an event: the log files that have it, and the digests that cover these.

use aws::{Call, Facts, Failure, Region};
use store::{Error, Transaction};

use crate::files::{self, LogFile};
use crate::trails::period::{self, TrailPeriod};
use crate::trails::validate;
use crate::{Exception, Trail, history};

/// The permission for an event and its locations.
const ACTION: &str = "cloudtrail:LookupEvents";

/// The location of an event in the log files of one trail that selects it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLocation {
    /// The name of the trail.
    pub trail: String,
    /// The ARN of the trail.
    pub trail_arn: String,
    /// Whether the trail was deleted since.
    pub is_deleted: bool,
    /// The bucket of the trail at the time of the event.
    pub bucket: String,
    /// The log file; `None` if the event is not in one yet.
    pub file: Option<LogFile>,
    /// The position of the event in the file, from 1; `None` without a file, and if earlier events of the file are no longer stored.
    pub position: Option<u64>,
}

/// An event of the store.
struct StoredEvent {
    seq: i64,
    region: String,
    is_data: bool,
    record: String,
}

impl Trail {
    /// Finds the record of an event of the call's account, in any region; the record of the call is not written.
    ///
    /// Data events are found too, which `LookupEvents` does not have. Needs the permission `cloudtrail:LookupEvents`.
    pub fn find_record(&self, call: &Call, event_id: &str) -> Result<Option<String>, Failure> {
        let found = self.with_event(call, event_id, |_, event| Ok(event.record));
        Ok(found?)
    }

    /// Finds the locations of an event of the call's account: one for each trail that selects it, deleted ones included.
    ///
    /// The record of the call is not written. An event that is not stored has none. Needs the permission `cloudtrail:LookupEvents`.
    pub fn locations(&self, call: &Call, event_id: &str) -> Result<Vec<EventLocation>, Failure> {
        let found = self.with_event(call, event_id, |transaction, event| locations(transaction, call, &event));
        Ok(found?.unwrap_or_default())
    }

    fn with_event<R>(
        &self,
        call: &Call,
        event_id: &str,
        read: impl FnOnce(&Transaction, StoredEvent) -> Result<R, Error>,
    ) -> Result<Option<R>, Exception> {
        call.allow_action(ACTION, "*", &Facts::default())?;
        self.history().catch_up()?;
        self.store.read(|transaction| {
            let event = find(transaction, call.account.as_str(), event_id)?;
            Ok(event.map(|event| read(transaction, event)).transpose()?)
        })
    }
}

fn find(transaction: &Transaction, account: &str, event_id: &str) -> Result<Option<StoredEvent>, Error> {
    for seq in history::seqs_of_id(transaction, event_id)? {
        let event = transaction.query_one(
            "SELECT seq, region, is_data, record FROM events WHERE seq = ?1 AND event_id = ?2 AND account = ?3",
            &[seq.into(), event_id.into(), account.into()],
            |row| {
                let is_data = row.integer(2)? == 1;
                Ok(StoredEvent { seq: row.integer(0)?, region: row.text(1)?, is_data, record: row.text(3)? })
            },
        )?;
        if event.is_some() {
            return Ok(event);
        }
    }
    Ok(None)
}

fn locations(transaction: &Transaction, call: &Call, event: &StoredEvent) -> Result<Vec<EventLocation>, Error> {
    let account = call.account.as_str();
    let query = format!(
        "SELECT {} FROM trail_spans WHERE account = ?1 AND first_seq <= ?2 AND (last_seq IS NULL OR last_seq >= ?2) ORDER BY trail",
        period::COLUMNS
    );
    let periods = transaction.query(&query, &[account.into(), event.seq.into()], TrailPeriod::of)?;
    let mut locations = Vec::new();
    for period in periods {
        if period.covers(event.seq, &event.region)
            && period.selects_line(&event.region, event.is_data, &event.record)?
        {
            locations.extend(location(transaction, call, event, &period)?);
        }
    }
    Ok(locations)
}

/// Returns the location of an event in the files of a trail; `None` if the trail's row is gone.
fn location(
    transaction: &Transaction,
    call: &Call,
    event: &StoredEvent,
    period: &TrailPeriod,
) -> Result<Option<EventLocation>, Error> {
    let trail = transaction.query_one(
        "SELECT name, home_region, deleted IS NOT NULL FROM trails WHERE id = ?1",
        &[period.trail.into()],
        |row| Ok((row.text(0)?, row.text(1)?, row.integer(2)? == 1)),
    )?;
    let Some((trail, home_region, is_deleted)) = trail else { return Ok(None) };
    let home_region: Region =
        home_region.parse().map_err(|_| Error::Damaged("the home region of a trail is not valid"))?;
    // The files of a trail and region have no `seq` in common, so the first one that ends after the event has it or none has.
    let query = format!(
        "SELECT {}, first_seq FROM log_files LEFT JOIN digests ON digests.id = log_files.digest \
         WHERE log_files.trail = ?1 AND log_files.account = ?2 AND log_files.region = ?3 AND last_seq >= ?4 ORDER BY last_seq LIMIT 1",
        files::COLUMNS
    );
    let (account, region) = (call.account.as_str(), event.region.as_str());
    let values = [period.trail.into(), account.into(), region.into(), event.seq.into()];
    let file = transaction.query_one(&query, &values, |row| Ok((LogFile::of(row)?, row.integer(14)?)))?;
    let file = file.filter(|(_, first_seq)| *first_seq <= event.seq);
    let position = match &file {
        Some((_, first_seq)) => position(transaction, (account, region), period, (*first_seq, event.seq))?,
        None => None,
    };
    Ok(Some(EventLocation {
        trail_arn: validate::arn(home_region, call.account.clone(), &trail).to_string(),
        trail,
        is_deleted,
        bucket: period.bucket.clone(),
        file: file.map(|(file, _)| file),
        position,
    }))
}

/// Returns the number of a file's events up to and including one; `None` if its first event is no longer stored.
fn position(
    transaction: &Transaction,
    scope: (&str, &str),
    period: &TrailPeriod,
    (first_seq, seq): (i64, i64),
) -> Result<Option<u64>, Error> {
    let first =
        transaction.query_one("SELECT seq FROM events WHERE seq = ?1", &[first_seq.into()], |row| row.integer(0))?;
    if first.is_none() {
        return Ok(None);
    }
    Ok(Some(period.count_selected(transaction, scope, first_seq..=seq)?))
}
