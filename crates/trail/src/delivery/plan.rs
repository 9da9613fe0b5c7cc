//! The planning of log files: each event that has none yet gets a file of each trail that takes it.

use std::collections::HashMap;

use serde_json::Value;
use store::{Error, Transaction};

use super::Shared;
use crate::log_file;
use crate::trails::span::{self, Span};

/// How many events are put into files at a time, which bounds how much is planned and not yet written.
const EVENTS_PER_ROUND: i64 = 20_000;

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

/// The files of one round.
struct Plan<'a> {
    spans: &'a [Span],
    by_account: HashMap<&'a str, Vec<usize>>,
    bytes_max: u64,
    files: Vec<Planned>,
    /// The file that takes further events, by span and region.
    open: HashMap<(usize, String), usize>,
}

/// Plans the next files; returns whether there was any event without one.
///
/// The events are read once, whatever the number of trails.
pub(super) fn next(shared: &Shared) -> Result<bool, Error> {
    let planned = shared.store.read(|transaction| {
        let planned = transaction.query_one("SELECT last_seq FROM delivery", &[], |row| row.integer(0))?;
        let planned = planned.ok_or(Error::Damaged("how far delivery has come is not there"))?;
        let query =
            format!("SELECT {} FROM trail_spans WHERE last_seq IS NULL OR last_seq > ?1 ORDER BY id", span::COLUMNS);
        let spans = transaction.query(&query, &[planned.into()], Span::of)?;
        let (files, last_seq) = Plan::new(&spans, shared.settings.log_bytes).events_after(transaction, planned)?;
        Ok::<_, Error>(last_seq.map(|last_seq| (spans, files, last_seq)))
    })?;
    let Some((spans, files, last_seq)) = planned else { return Ok(false) };
    let keyed: Vec<(String, Planned)> =
        files.into_iter().map(|file| (free_key(shared, &spans[file.span], &file.region), file)).collect();
    shared.store.write(move |transaction| {
        for (key, file) in &keyed {
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
        transaction.execute("UPDATE delivery SET last_seq = ?1", &[last_seq.into()])?;
        Ok(true)
    })
}

/// Returns the key of a new log file, which no other server took that delivered to the same bucket.
fn free_key(shared: &Shared, span: &Span, region: &str) -> String {
    let key = || log_file::key(span.prefix.as_deref(), &span.account, region, shared.clock.now(), &*shared.clock);
    let mut keys = std::iter::repeat_with(key).take(KEYS_TRIED);
    keys.find(|new| !shared.buckets.has(&span.bucket, new)).unwrap_or_else(key)
}

impl<'a> Plan<'a> {
    fn new(spans: &'a [Span], bytes_max: u64) -> Self {
        let mut by_account = HashMap::<_, Vec<_>>::new();
        for (index, span) in spans.iter().enumerate() {
            by_account.entry(span.account.as_str()).or_default().push(index);
        }
        Self { spans, by_account, bytes_max, files: Vec::new(), open: HashMap::new() }
    }

    /// Takes what follows an event, and returns the files and the last event that was looked at.
    fn events_after(mut self, transaction: &Transaction, seq: i64) -> Result<(Vec<Planned>, Option<i64>), Error> {
        // A record is read only where one must be looked into.
        let record = if self.spans.iter().any(Span::is_choosy) { "record" } else { "NULL" };
        let query = format!(
            "SELECT seq, account, region, OCTET_LENGTH(record), is_data, {record} FROM events WHERE seq > ?1 ORDER BY seq LIMIT ?2"
        );
        let mut last_seq = None;
        transaction.query(&query, &[seq.into(), EVENTS_PER_ROUND.into()], |row| {
            let seq = row.integer(0)?;
            last_seq = Some(seq);
            let bytes = u64::try_from(row.integer(3)?).unwrap_or(0);
            let is_data = row.integer(4)? == 1;
            self.take(seq, (&row.text(1)?, &row.text(2)?), is_data, bytes, || row.text(5))
        })?;
        Ok((self.files, last_seq))
    }

    fn take(
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
