//! Delivery: events become log files, by time and by size.
//!
//! **Invariant:** a file's path and range are in the store before the file is written, and a file is counted as written only
//! afterwards; a crash in between makes the same file again, so every event is in exactly one file.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use aws::Clock;
use store::{Error, Store, Transaction};

use crate::{Settings, log_file};

/// How many events are put into files at a time, which bounds the memory that a long backlog takes.
const EVENTS_PER_ROUND: i64 = 20_000;

pub(crate) struct Delivery {
    shared: Arc<Shared>,
    bytes_waiting: AtomicU64,
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    store: Arc<Store>,
    settings: Settings,
    clock: Arc<dyn Clock>,
    /// One delivery runs at a time.
    turn: Mutex<()>,
}

/// The range of one place's events that goes into one file; `seq` values, both included.
struct Range {
    path: String,
    account: String,
    region: String,
    first_seq: i64,
    last_seq: i64,
    bytes: u64,
}

impl Delivery {
    pub(crate) fn start(store: Arc<Store>, settings: Settings, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let shared = Arc::new(Shared { store, settings, clock, turn: Mutex::default() });
        let (wake, woken) = sync_channel(1);
        let worker = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("trail-delivery".to_owned()).spawn(move || worker.run(&woken))?;
        Ok(Self { shared, bytes_waiting: AtomicU64::new(0), wake: Some(wake), thread: Some(thread) })
    }

    /// Notes that a record waits; a full file's worth of them is delivered at once.
    pub(crate) fn count(&self, bytes: u64) {
        let before = self.bytes_waiting.fetch_add(bytes, Ordering::Relaxed);
        if before + bytes >= self.shared.settings.log_bytes {
            self.bytes_waiting.store(0, Ordering::Relaxed);
            if let Some(wake) = &self.wake {
                // A worker that was woken already delivers these too.
                let _ = wake.try_send(());
            }
        }
    }

    pub(crate) fn deliver(&self) -> io::Result<()> {
        self.shared.deliver()
    }

    /// Forgets all events and removes all log files.
    pub(crate) fn reset(&self, also: impl FnOnce(&Transaction) + Send + 'static) -> io::Result<()> {
        let _turn = self.shared.turn.lock().expect("no holder of this lock panics");
        self.shared
            .store
            .write(|transaction| {
                for statement in ["DELETE FROM events", "DELETE FROM log_files", "UPDATE delivery SET last_seq = 0"] {
                    transaction.execute(statement, &[])?;
                }
                also(transaction);
                Ok(())
            })
            .and_then(|done| done)
            .map_err(|error: Error| io::Error::other(error))?;
        match std::fs::remove_dir_all(self.shared.settings.folder.join("AWSLogs")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Drop for Delivery {
    /// Delivers what waits and ends the thread.
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been reported by the panic hook.
            drop(thread.join());
        }
    }
}

impl Shared {
    fn run(&self, woken: &Receiver<()>) {
        loop {
            let closing = woken.recv_timeout(self.settings.log_interval) == Err(RecvTimeoutError::Disconnected);
            if let Err(error) = self.deliver() {
                tracing::error!(%error, "log files cannot be delivered; they are tried again");
            }
            if closing {
                return;
            }
        }
    }

    fn deliver(&self) -> io::Result<()> {
        let _turn = self.turn.lock().expect("no holder of this lock panics");
        loop {
            self.write_files()?;
            if !self.plan_files().map_err(io::Error::other)? {
                return Ok(());
            }
        }
    }

    /// Gives each event that has none yet a file; returns whether there was any.
    fn plan_files(&self) -> Result<bool, Error> {
        let waiting = self.store.read(|transaction| {
            transaction.query(
                "SELECT seq, account, region, OCTET_LENGTH(record) FROM events WHERE seq > (SELECT last_seq FROM delivery) \
                 ORDER BY seq LIMIT ?1",
                &[EVENTS_PER_ROUND.into()],
                |row| Ok((row.integer(0)?, row.text(1)?, row.text(2)?, row.integer(3)?)),
            )
        })?;
        let Some(last_seq) = waiting.last().map(|(seq, ..)| *seq) else { return Ok(false) };
        let mut ranges: Vec<Range> = Vec::new();
        let mut open: BTreeMap<(String, String), usize> = BTreeMap::new();
        for (seq, account, region, bytes) in waiting {
            let place = (account, region);
            let bytes = u64::try_from(bytes).unwrap_or(0);
            match open.get(&place).map(|index| &mut ranges[*index]) {
                Some(range) if range.bytes + bytes <= self.settings.log_bytes => {
                    range.last_seq = seq;
                    range.bytes += bytes;
                }
                _ => {
                    let (account, region) = place.clone();
                    let path = log_file::path(&account, &region, self.clock.now(), &*self.clock);
                    open.insert(place, ranges.len());
                    ranges.push(Range { path, account, region, first_seq: seq, last_seq: seq, bytes });
                }
            }
        }
        self.store.write(move |transaction| {
            for range in &ranges {
                transaction.execute(
                    "INSERT INTO log_files (path, account, region, first_seq, last_seq, written) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                    &[
                        (&range.path).into(),
                        (&range.account).into(),
                        (&range.region).into(),
                        range.first_seq.into(),
                        range.last_seq.into(),
                    ],
                )?;
            }
            transaction.execute("UPDATE delivery SET last_seq = ?1", &[last_seq.into()])?;
            Ok(true)
        })?
    }

    /// Writes the files that are planned, those of before a crash first.
    fn write_files(&self) -> io::Result<()> {
        let planned = self
            .store
            .read(|transaction| {
                transaction.query(
                    "SELECT path, account, region, first_seq, last_seq FROM log_files WHERE written = 0 ORDER BY first_seq",
                    &[],
                    |row| {
                        let [path, account, region] = [row.text(0)?, row.text(1)?, row.text(2)?];
                        Ok(Range { path, account, region, first_seq: row.integer(3)?, last_seq: row.integer(4)?, bytes: 0 })
                    },
                )
            })
            .map_err(|error: Error| io::Error::other(error))?;
        for range in planned {
            let records = self.records(&range).map_err(io::Error::other)?;
            log_file::write(&self.settings.folder, &range.path, &records, self.settings.sync)?;
            self.store
                .write(move |transaction| {
                    transaction.execute("UPDATE log_files SET written = 1 WHERE path = ?1", &[(&range.path).into()])
                })
                .and_then(|written| written)
                .map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn records(&self, range: &Range) -> Result<Vec<String>, Error> {
        self.store.read(|transaction| {
            transaction.query(
                "SELECT record FROM events WHERE seq BETWEEN ?3 AND ?4 AND account = ?1 AND region = ?2 ORDER BY seq",
                &[(&range.account).into(), (&range.region).into(), range.first_seq.into(), range.last_seq.into()],
                |row| row.text(0),
            )
        })
    }
}
