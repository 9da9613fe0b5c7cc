//! The planning of log files: each event that has none yet gets a file of each trail that takes it.

use std::collections::HashMap;

use serde_json::Value;
use store::{Error, Transaction};

use super::{Cut, Shared};
use crate::log_file;
use crate::trails::span::{self, Span};

/// How many events are read at a time.
const EVENTS_PER_READ: i64 = 20_000;

/// After how many files a plan ends, which bounds how much is planned and not yet written.
const FILES_PER_PLAN: usize = 1_000;

/// How many random names of a log file are tried, if there are files of such names.
const KEYS_TRIED: usize = 100;

/// A file that is to be written: what its span takes of a region's events between two places of the history, both included.
struct Planned {
    span: usize,
    region: String,
    first_seq: i64,
    last_seq: i64,
    bytes: u64,
}

/// The files of one plan.
struct Plan<'a> {
    spans: &'a [Span],
    by_account: HashMap<&'a str, Vec<usize>>,
    bytes_max: u64,
    cut: Cut,
    files: Vec<Planned>,
    /// The file that takes further events, by span and region.
    open: HashMap<(usize, String), usize>,
    /// The last event that was looked at.
    last_seq: i64,
    /// The files that take no further events if only full ones are planned, and the last event that was looked at for them.
    full: (usize, i64),
    /// The bytes of the events since then.
    bytes: u64,
}

/// What is planned: the files, the last event that they cover, and what is left.
struct Planning {
    files: Vec<Planned>,
    last_seq: i64,
    /// The bytes of the events that are left; `None` if the plan ended before the last event.
    bytes_left: Option<u64>,
}

/// Returns the place of the newest event in the history.
pub(super) fn newest(transaction: &Transaction) -> Result<i64, Error> {
    let newest = transaction.query_one("SELECT MAX(seq) FROM events", &[], |row| row.optional_integer(0))?;
    Ok(newest.flatten().unwrap_or(0))
}

/// Plans files for the events up to a place of the history; returns the bytes of those that are left, or `None` if there are so many
/// that they take another plan.
///
/// The events are read once, whatever the number of trails.
pub(super) fn next(shared: &Shared, until: i64, cut: Cut) -> Result<Option<u64>, Error> {
    let (planned, spans, planning) = shared.store.read(|transaction| {
        let planned = transaction.query_one("SELECT last_seq FROM delivery", &[], |row| row.integer(0))?;
        let planned = planned.ok_or(Error::Damaged("how far delivery has come is not there"))?;
        let query =
            format!("SELECT {} FROM trail_spans WHERE last_seq IS NULL OR last_seq > ?1 ORDER BY id", span::COLUMNS);
        let spans = transaction.query(&query, &[planned.into()], Span::of)?;
        let planning = Plan::new(&spans, shared.settings.log_bytes, cut, planned).events_until(transaction, until)?;
        Ok::<_, Error>((planned, spans, planning))
    })?;
    let Planning { files, last_seq, bytes_left } = planning;
    let keyed: Vec<(String, Planned)> =
        files.into_iter().map(|file| (free_key(shared, &spans[file.span], &file.region), file)).collect();
    if last_seq > planned {
        shared.store.write(move |transaction| insert(transaction, &spans, &keyed, planned, last_seq))?;
    }
    Ok(bytes_left)
}

/// Keeps a plan, and that delivery has come so far; both or nothing.
fn insert(
    transaction: &Transaction,
    spans: &[Span],
    files: &[(String, Planned)],
    planned: i64,
    last_seq: i64,
) -> Result<(), Error> {
    for (key, file) in files {
        let span = &spans[file.span];
        transaction.execute(
            "INSERT INTO log_files (trail, span, account, region, bucket, key, first_seq, last_seq) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &[
                span.trail.into(),
                span.id.into(),
                (&span.account).into(),
                (&file.region).into(),
                (&span.bucket).into(),
                key.into(),
                file.first_seq.into(),
                file.last_seq.into(),
            ],
        )?;
    }
    let statement = "UPDATE delivery SET last_seq = ?1 WHERE last_seq = ?2";
    match transaction.execute(statement, &[last_seq.into(), planned.into()])? {
        1 => Ok(()),
        _ => Err(Error::Damaged("delivery has come further while it was planned")),
    }
}

/// Returns the key of a new log file, which no other server took that delivered to the same bucket.
fn free_key(shared: &Shared, span: &Span, region: &str) -> String {
    let key = || log_file::key(span.prefix.as_deref(), &span.account, region, shared.clock.now(), &*shared.clock);
    let mut keys = std::iter::repeat_with(key).take(KEYS_TRIED);
    keys.find(|new| !shared.buckets.has(&span.bucket, new)).unwrap_or_else(key)
}

impl<'a> Plan<'a> {
    /// Begins a plan for the events after a place of the history.
    fn new(spans: &'a [Span], bytes_max: u64, cut: Cut, planned: i64) -> Self {
        let mut by_account = HashMap::<_, Vec<_>>::new();
        for (index, span) in spans.iter().enumerate() {
            by_account.entry(span.account.as_str()).or_default().push(index);
        }
        Self {
            spans,
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

    /// Takes the events up to a place of the history, as far as one plan goes.
    fn events_until(mut self, transaction: &Transaction, until: i64) -> Result<Planning, Error> {
        // A record is read only where one must be looked into.
        let record = if self.spans.iter().any(Span::is_choosy) { "record" } else { "NULL" };
        let query = format!(
            "SELECT seq, account, region, OCTET_LENGTH(record), is_data, {record} FROM events \
             WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3"
        );
        let is_complete = loop {
            let values = [self.last_seq.into(), until.into(), EVENTS_PER_READ.into()];
            let read = transaction.query(&query, &values, |row| {
                let bytes = u64::try_from(row.integer(3)?).unwrap_or(0);
                let is_data = row.integer(4)? == 1;
                self.take(row.integer(0)?, (&row.text(1)?, &row.text(2)?), is_data, bytes, || row.text(5))
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

    fn take(
        &mut self,
        seq: i64,
        place: (&str, &str),
        is_data: bool,
        bytes: u64,
        record: impl Fn() -> Result<String, Error>,
    ) -> Result<(), Error> {
        if self.bytes > 0 && self.bytes.saturating_add(bytes) > self.bytes_max {
            self.close_files();
        }
        self.put(seq, place, is_data, bytes, record)?;
        self.last_seq = seq;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes >= self.bytes_max {
            self.close_files();
        }
        Ok(())
    }

    /// Ends all files where the events since the last end fill one, if only full ones are planned.
    ///
    /// How far delivery has come is one place of the history, so the files of all trails and regions end there together.
    fn close_files(&mut self) {
        if self.cut == Cut::FullFiles {
            self.open.clear();
            self.full = (self.files.len(), self.last_seq);
        }
        self.bytes = 0;
    }

    /// Puts an event into the files of the spans that take it.
    fn put(
        &mut self,
        seq: i64,
        (account, region): (&str, &str),
        is_data: bool,
        bytes: u64,
        record: impl Fn() -> Result<String, Error>,
    ) -> Result<(), Error> {
        let mut parsed = None;
        for &index in self.by_account.get(account).into_iter().flatten() {
            let span = &self.spans[index];
            if !span.covers(seq, region) || is_data && !span.is_choosy() {
                continue;
            }
            if span.is_choosy() {
                if parsed.is_none() {
                    parsed = Some(parse(&record()?)?);
                }
                if !parsed.as_ref().is_some_and(|record| span.picks(region, is_data, record)) {
                    continue;
                }
            }
            let place = (index, region.to_owned());
            match self.open.get(&place).map(|file| &mut self.files[*file]) {
                Some(file) if file.bytes + bytes <= self.bytes_max => {
                    file.last_seq = seq;
                    file.bytes += bytes;
                }
                _ => {
                    self.open.insert(place, self.files.len());
                    let region = region.to_owned();
                    self.files.push(Planned { span: index, region, first_seq: seq, last_seq: seq, bytes });
                }
            }
        }
        Ok(())
    }
}

/// Reads a record of the store.
pub(super) fn parse(record: &str) -> Result<Value, Error> {
    serde_json::from_str(record).map_err(|_| Error::Damaged("a record is not JSON"))
}
