//! Plans log files: assigns each new event to one file of each trail that selects it.

use std::collections::HashMap;

use cluster::DATA;
use store::{Error, Transaction};

use super::{Cut, DeliveryState};
use crate::log_file;
use crate::trails::period::{self, TrailPeriod, parse};

/// Events that are read at a time.
const EVENTS_PER_READ: i64 = 20_000;

/// Files after which a plan ends, which bounds how many are planned and not yet written.
const FILES_PER_PLAN: usize = 1_000;

/// Random names of a log file that are tried until one is free.
const KEYS_TRIED: usize = 100;

/// A file to be written: the events of one region that a period selects, from `first_seq` to `last_seq` inclusive.
struct PlannedFile {
    period: usize,
    region: String,
    first_seq: i64,
    last_seq: i64,
    bytes: u64,
}

/// A plan while it is built.
struct Plan<'a> {
    periods: &'a [TrailPeriod],
    by_account: HashMap<&'a str, Vec<usize>>,
    bytes_max: u64,
    cut: Cut,
    files: Vec<PlannedFile>,
    /// The file that accepts further events, by period and region.
    open: HashMap<(usize, String), usize>,
    /// The `seq` of the last event that was read.
    last_seq: i64,
    /// The number of closed files if only full ones are planned, and the `seq` of the last event in them.
    full: (usize, i64),
    /// The size of the events since then.
    bytes: u64,
}

/// The result of a plan.
struct Planning {
    files: Vec<PlannedFile>,
    /// The `seq` of the last event that the files cover.
    last_seq: i64,
    /// The size of the remaining events; `None` if the plan ended before the last event.
    bytes_left: Option<u64>,
}

/// Returns the `seq` of the newest event; 0 if there is none.
pub(super) fn newest(transaction: &Transaction) -> Result<i64, Error> {
    let newest = transaction.query_one("SELECT MAX(seq) FROM events", &[], |row| row.optional_integer(0))?;
    Ok(newest.flatten().unwrap_or(0))
}

/// Returns the size of the records for which no file is planned.
pub(super) fn bytes_waiting(transaction: &Transaction) -> Result<i64, Error> {
    let query = "SELECT CAST(COALESCE(SUM(OCTET_LENGTH(record)), 0) AS BIGINT) FROM events \
                 WHERE seq > (SELECT last_seq FROM delivery)";
    Ok(transaction.query_one(query, &[], |row| row.integer(0))?.unwrap_or(0))
}

/// Plans files for the events up to a `seq`; returns the size of the remaining events, or `None` if there are so many that they need
/// another plan.
///
/// Each event is read once, for all trails. If another node has planned or removed them meanwhile, the plan is begun anew.
pub(super) fn next(shared: &DeliveryState, until: i64, cut: Cut) -> Result<Option<u64>, Error> {
    loop {
        if let Some(bytes_left) = try_next(shared, until, cut)? {
            return Ok(bytes_left);
        }
    }
}

/// Does the same once; returns `None` if another node was faster.
#[expect(clippy::option_option, reason = "whether there is a plan, and whether it is the last one")]
fn try_next(shared: &DeliveryState, until: i64, cut: Cut) -> Result<Option<Option<u64>>, Error> {
    let (planned, periods, planning, resets) = shared.store.read(|transaction| {
        let resets = shared.cluster.announced(transaction, DATA)?;
        let planned = transaction.query_one("SELECT last_seq FROM delivery", &[], |row| row.integer(0))?;
        let planned = planned.ok_or(Error::Damaged("the table delivery is empty"))?;
        let query =
            format!("SELECT {} FROM trail_spans WHERE last_seq IS NULL OR last_seq > ?1 ORDER BY id", period::COLUMNS);
        let periods = transaction.query(&query, &[planned.into()], TrailPeriod::of)?;
        let planning =
            Plan::new(&periods, shared.settings.log_bytes, cut, planned).add_events_until(transaction, until)?;
        Ok::<_, Error>((planned, periods, planning, resets))
    })?;
    let Planning { files, last_seq, bytes_left } = planning;
    let keyed: Vec<(String, PlannedFile)> =
        files.into_iter().map(|file| (free_key(shared, &periods[file.period], &file.region), file)).collect();
    if last_seq > planned {
        let cluster = shared.cluster.clone();
        let is_stored = shared.store.write(move |transaction| {
            // After a reset the `seq` may be the same, but not the events.
            let is_current = cluster.announced(transaction, DATA)? == resets;
            Ok::<_, Error>(is_current && insert(transaction, &periods, &keyed, planned, last_seq)?)
        })?;
        if !is_stored {
            return Ok(None);
        }
    }
    Ok(Some(bytes_left))
}

/// Stores a plan and its last `seq`; returns false, and stores neither, if something else was planned since it was begun.
fn insert(
    transaction: &Transaction,
    periods: &[TrailPeriod],
    files: &[(String, PlannedFile)],
    planned: i64,
    last_seq: i64,
) -> Result<bool, Error> {
    let statement = "UPDATE delivery SET last_seq = ?1 WHERE last_seq = ?2";
    if transaction.execute(statement, &[last_seq.into(), planned.into()])? == 0 {
        return Ok(false);
    }
    for (key, file) in files {
        let period = &periods[file.period];
        transaction.execute(
            "INSERT INTO log_files (trail, span, account, region, bucket, key, first_seq, last_seq) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                period.trail.into(),
                period.id.into(),
                (&period.account).into(),
                (&file.region).into(),
                (&period.bucket).into(),
                key.into(),
                file.first_seq.into(),
                file.last_seq.into(),
            ],
        )?;
    }
    Ok(true)
}

/// Returns the key of a new log file; it is free, even if another server delivers to the same folder.
fn free_key(shared: &DeliveryState, period: &TrailPeriod, region: &str) -> String {
    let key = || log_file::key(period.prefix.as_deref(), &period.account, region, shared.clock.now(), &*shared.clock);
    let mut keys = std::iter::repeat_with(key).take(KEYS_TRIED);
    keys.find(|new| !shared.buckets.has(&period.bucket, new)).unwrap_or_else(key)
}

impl<'a> Plan<'a> {
    /// Begins a plan for the events after the `seq` `planned`.
    fn new(periods: &'a [TrailPeriod], bytes_max: u64, cut: Cut, planned: i64) -> Self {
        let mut by_account = HashMap::<_, Vec<_>>::new();
        for (index, period) in periods.iter().enumerate() {
            by_account.entry(period.account.as_str()).or_default().push(index);
        }
        Self {
            periods,
            by_account,
            bytes_max,
            cut,
            files: Vec::new(),
            open: HashMap::new(),
            last_seq: planned,
            full: (0, planned),
            bytes: 0,
        }
    }

    /// Adds the events up to a `seq`, until the plan is full.
    fn add_events_until(mut self, transaction: &Transaction, until: i64) -> Result<Planning, Error> {
        // Records are read only if a period needs them.
        let record = if self.periods.iter().any(TrailPeriod::needs_record) { "record" } else { "NULL" };
        let query = format!(
            "SELECT seq, account, region, OCTET_LENGTH(record), is_data, {record} FROM events \
             WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3"
        );
        let is_complete = loop {
            let values = [self.last_seq.into(), until.into(), EVENTS_PER_READ.into()];
            let read = transaction.query(&query, &values, |row| {
                let bytes = u64::try_from(row.integer(3)?).unwrap_or(0);
                let is_data = row.integer(4)? == 1;
                self.add(row.integer(0)?, (&row.text(1)?, &row.text(2)?), is_data, bytes, || row.text(5))
            })?;
            if read.is_empty() {
                break true;
            }
            let planned = if self.cut == Cut::FullFiles { self.full.0 } else { self.files.len() };
            if planned >= FILES_PER_PLAN {
                break false;
            }
        };
        let (mut files, mut last_seq, mut bytes_left) = (self.files, self.last_seq, 0);
        if self.cut == Cut::FullFiles {
            files.truncate(self.full.0);
            (last_seq, bytes_left) = (self.full.1, self.bytes);
        }
        Ok(Planning { files, last_seq, bytes_left: is_complete.then_some(bytes_left) })
    }

    /// Adds an event to the plan.
    fn add(
        &mut self,
        seq: i64,
        scope: (&str, &str),
        is_data: bool,
        bytes: u64,
        record: impl Fn() -> Result<String, Error>,
    ) -> Result<(), Error> {
        if self.bytes > 0 && self.bytes.saturating_add(bytes) > self.bytes_max {
            self.close_files();
        }
        self.assign(seq, scope, is_data, bytes, record)?;
        self.last_seq = seq;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= self.bytes_max {
            self.close_files();
        }
        Ok(())
    }

    /// Closes all files, once the events since the last close fill one, if only full files are planned.
    ///
    /// The progress of delivery is one `seq` for all, so the files of all trails and regions end at the same event.
    fn close_files(&mut self) {
        if self.cut == Cut::FullFiles {
            self.open.clear();
            self.full = (self.files.len(), self.last_seq);
        }
        self.bytes = 0;
    }

    /// Assigns an event to a file of each period that selects it.
    fn assign(
        &mut self,
        seq: i64,
        (account, region): (&str, &str),
        is_data: bool,
        bytes: u64,
        record: impl Fn() -> Result<String, Error>,
    ) -> Result<(), Error> {
        let mut parsed = None;
        for &index in self.by_account.get(account).into_iter().flatten() {
            let period = &self.periods[index];
            if !period.covers(seq, region) || is_data && !period.needs_record() {
                continue;
            }
            if period.needs_record() {
                if parsed.is_none() {
                    parsed = Some(parse(&record()?)?);
                }
                if !parsed.as_ref().is_some_and(|record| period.selects(region, is_data, record)) {
                    continue;
                }
            }
            let key = (index, region.to_owned());
            match self.open.get(&key).map(|file| &mut self.files[*file]) {
                Some(file) if file.bytes + bytes <= self.bytes_max => {
                    file.last_seq = seq;
                    file.bytes += bytes;
                }
                _ => {
                    self.open.insert(key, self.files.len());
                    let region = region.to_owned();
                    self.files.push(PlannedFile { period: index, region, first_seq: seq, last_seq: seq, bytes });
                }
            }
        }
        Ok(())
    }
}
