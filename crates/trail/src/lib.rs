//! The audit trail: records of calls, the trail directory, log files, digests and event history.
//!
//! **Invariant:** every operation runs through [`Trail::call`] or [`Trail::transact`], which record it, and its record is in
//! `events.ndjson` before its reply is sent.

#![warn(unreachable_pub)]

pub mod archive_keys;
pub mod bus_event;
mod cursor;
mod delivery;
mod destination;
mod digest;
mod event;
mod events_file;
mod exception;
pub mod export;
mod faults;
mod files;
mod history;
mod import;
mod kms;
mod list_public_keys;
mod location;
mod log_file;
mod notification;
mod operations;
mod public_key;
mod record;
mod recorder;
mod recording;
mod reference_changes;
mod reset;
mod retention;
mod schema;
mod service;
pub mod sign_in;
mod signing_key;
pub mod terminal;
mod trails;
pub mod verify;
pub mod view;

use std::collections::HashSet;
use std::fmt::Display;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws::operation::Reply;
use aws::{Access, Call, Clock, Denial, Failure, Fault, Operation, Region, Step, Timestamp, permission};
use bucket::Buckets;
use cluster::Cluster;
use parking_lot::RwLock;
use serde_json::Value;
use store::{Store, Transaction};
use worker::Worker;

pub use crate::cursor::{RecordPage, StoredRecord};
use crate::delivery::Delivery;
pub use crate::destination::BUCKET_POLICY;
use crate::destination::Destinations;
use crate::digest::Digests;
pub use crate::event::{Event, EventType};
use crate::events_file::Events;
pub use crate::exception::Exception;
pub use crate::files::{Coverage, DigestFile, LogFile, LogFilePage};
pub use crate::history::{Dimension, HeatRow, LookupSettings, Person, Selection, Series, Timeline};
use crate::history::{History, Indexer};
pub use crate::import::PastRecord;
pub use crate::location::EventLocation;
pub use crate::notification::{Notification, Notifications, Notified, Notifier};
use crate::record::RecordForm;
pub use crate::record::{ConsoleEvents, EventVersion};
use crate::recorder::Recorder;
pub use crate::recording::Recording;
pub use crate::reference_changes::ReferenceChange;
pub use crate::retention::Retention;
pub use crate::service::{CloudTrail, TopicCheck};
use crate::signing_key::{KeyStore, SigningKey};
use crate::trails::DefaultTrails;

/// Prefixes of an operation's name in `X-Amz-Target`; the short form is accepted too.
pub const TARGET_PREFIXES: [&str; 2] =
    ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"];

/// AWS CloudTrail, as a service whose calls are recorded.
pub const SOURCE: Source = Source { event_source: "cloudtrail.amazonaws.com", api_version: Some("2013-11-01") };

/// The role of the node that delivers log files, removes old ones, and appends to `events.ndjson`.
pub const DELIVERY: &str = "delivery";

/// The role of the node that creates digests and their keys.
pub const DIGESTS: &str = "digests";

/// Settings of the trail.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The trail directory.
    pub folder: PathBuf,
    /// The home region of the default trail of each account.
    pub home_region: Region,
    /// The version of the records.
    pub event_version: EventVersion,
    /// The form of the records of console calls; `None` is the form that belongs to the version.
    pub console_events: Option<ConsoleEvents>,
    /// Maximum time from an event to its log file.
    pub log_interval: Duration,
    /// The size of a full log file: bytes of records before compression.
    pub log_bytes: u64,
    /// Time between digests.
    pub digest_interval: Duration,
    /// The file of the private key that signs digests; `None` generates keys and keeps them in the store.
    pub signing_key: Option<PathBuf>,
    /// Time for which a generated key signs before it is replaced.
    pub key_rotation: Duration,
    /// Maximum ages of files and events.
    pub retention: Retention,
    /// Whether a trail's bucket must exist and have a policy that lets CloudTrail write.
    pub strict_buckets: bool,
    /// Whether files are flushed to the disk before they count as written.
    pub sync: bool,
    /// Whether the calls to AWS KMS that services make for their callers are recorded.
    pub kms_events: bool,
}

/// The trail of all accounts and regions.
pub struct Trail {
    store: Arc<Store>,
    recorder: Arc<Recorder>,
    events_worker: Worker,
    destinations: Destinations,
    keys: Arc<KeyStore>,
    digests: Digests,
    cluster: Cluster,
}

/// A function that is called after each commit of records.
pub type RecordListener = Box<dyn Fn() + Send + Sync>;

/// A service whose calls are recorded.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// `eventSource`, such as `codecommit.amazonaws.com`.
    pub event_source: &'static str,
    /// `apiVersion`, such as `2015-04-13`; not every service has one.
    pub api_version: Option<&'static str>,
}

/// Creates the tables of trails, or changes those of an older version.
pub fn migrate(store: &Store) -> Result<(), store::Error> {
    store.migrate_with_contracts("trail", schema::STEPS, schema::CONTRACTS)
}

impl Trail {
    /// Opens the trail and repairs its files from the store. Of several nodes, those with the roles [`DELIVERY`] and [`DIGESTS`] work in the
    /// background.
    pub fn open(
        store: Arc<Store>,
        settings: Settings,
        buckets: Arc<Buckets>,
        clock: Arc<dyn Clock>,
        notifier: Arc<dyn Notifier>,
        cluster: &Cluster,
    ) -> io::Result<Self> {
        migrate(&store).map_err(io::Error::other)?;
        std::fs::create_dir_all(&settings.folder).map_err(|error| with_path(&settings.folder, &error))?;
        let events = Events::open(&settings.folder, &store, cluster)?;
        let events_worker = events.start()?;
        let (version, kms_events) = (settings.event_version, settings.kms_events);
        let console = settings.console_events.unwrap_or_else(|| ConsoleEvents::default_for(version));
        let form = RecordForm { version, console };
        let keys = Arc::new(KeyStore::new(Arc::clone(&store), signing_key(&settings)?, settings.key_rotation));
        let default_trails = DefaultTrails::open(&store, settings.home_region.clone(), buckets.primary_name())
            .map_err(io::Error::other)?;
        let strict = settings.strict_buckets;
        let destinations = Destinations { store: Arc::clone(&store), buckets, strict };
        let (clock_of_digests, interval) = (Arc::clone(&clock), settings.digest_interval);
        let digests = Digests::start(Arc::clone(&keys), destinations.clone(), clock_of_digests, interval, cluster)?;
        let delivery = Delivery::start(settings, destinations.clone(), clock, notifier, cluster)?;
        let history = History::open(Arc::clone(&store)).map_err(io::Error::other)?;
        let indexer = Indexer::start(Arc::new(history))?;
        let (default_trails, accounts) = (Arc::new(default_trails), RwLock::default());
        let listener = OnceLock::new();
        let recorder = Recorder { events, default_trails, accounts, delivery, indexer, form, kms_events, listener };
        let (recorder, cluster) = (Arc::new(recorder), cluster.clone());
        Ok(Self { store, recorder, events_worker, destinations, keys, digests, cluster })
    }

    /// Reads records after a cursor, at most `limit`, and fewer if they are large; the first cursor is empty.
    ///
    /// After a reset, it starts again with the first record.
    pub fn records_after(&self, cursor: &str, limit: u32) -> Result<RecordPage, store::Error> {
        self.store.read(|transaction| cursor::records_after(transaction, cursor, limit))
    }

    /// Returns the cursor before the last records; with a count of 0 it is the one of the newest record.
    pub fn cursor_before_last(&self, count: u32) -> Result<String, store::Error> {
        self.store.read(|transaction| cursor::before_last(transaction, count))
    }

    /// Returns a cursor before which no record has a time since the given one.
    pub fn cursor_before(&self, time: Timestamp) -> Result<String, store::Error> {
        self.store.read(|transaction| cursor::before(transaction, time))
    }

    /// Sets the function that is called after each commit of records; it must return at once. Only the first one counts.
    pub fn set_record_listener(&self, listener: RecordListener) {
        let _ = self.recorder.listener.set(listener);
    }

    /// Sets the accounts in which even a failed Git request creates the default trail.
    ///
    /// In other accounts only an API call or a successful Git request creates it, so that URLs with random accounts create no trails.
    pub fn set_accounts(&self, accounts: HashSet<String>) {
        *self.recorder.accounts.write() = accounts;
    }

    /// Runs an operation and records it, whether it succeeds, fails or panics; blocks the thread until the record is committed.
    pub fn call<S>(
        &self,
        source: Source,
        operation: &Operation<S, Transaction>,
        service: &S,
        call: &Arc<Call>,
        body: Result<&[u8], Failure>,
    ) -> Result<Reply, Failure> {
        self.begin(source, operation, service, call, body).wait()?
    }

    /// Runs an operation's first half; what is returned commits the second half together with the record.
    ///
    /// A failure to read the body, such as one that is too large, is passed as `Err` and recorded as the operation's failure.
    pub fn begin<S>(
        &self,
        source: Source,
        operation: &Operation<S, Transaction>,
        service: &S,
        call: &Arc<Call>,
        body: Result<&[u8], Failure>,
    ) -> Recording<Result<Reply, Failure>> {
        let mut event = Event::new(operation.name, source.event_source);
        event.api_version = source.api_version;
        event.read_only = operation.access == Access::Read;
        event.kms_actions = operation.kms_actions;
        call.set_action(permission::action(source.event_source, operation.name));
        if let Err(error) =
            self.recorder.default_trails.ensure_default_trail(&self.store, call.account.as_str(), call.time)
        {
            return Recording::failed(unrecorded(&error));
        }
        let step = body.and_then(|body| operation.decode(body)).and_then(|mut decoded| {
            event.request_parameters = decoded.request_parameters.take();
            faults::begin(call, operation.name, &event.request_parameters)?;
            catch_panic(|| decoded.run(service, call))
        });
        event.add_request_parameters(call.added_request_parameters());
        if let Some(bearer) = call.bearer() {
            event.account = Some(bearer.account_id.clone());
            event.caller = Some(bearer.clone());
        }
        let (is_json, decided) = (operation.is_json, Arc::clone(call));
        self.submit(Arc::clone(call), move |transaction| {
            let result = match step {
                Ok(Step::Answered(reply)) => Ok(reply),
                Ok(Step::Change(change)) => transaction
                    .savepoint(|| {
                        let reply = catch_panic(|| change(transaction));
                        reply.and_then(|reply| faults::check(&decided, reply)).map_err(SavepointError)
                    })
                    .map_err(|SavepointError(failure)| failure),
                Err(failure) => Err(failure),
            };
            let result = result.map_err(|failure| match decided.deny_everywhere() {
                Some(denial) if is_json => denial.json(),
                _ => failure,
            });
            let result = match faults::decide(&decided, &result) {
                None => result,
                Some(Fault::Failure(failure)) => Err(failure),
                Some(Fault::NeverArrived) => return (Err(Failure::internal()), None),
            };
            match &result {
                Ok(reply) => event.response_elements = reply.response_elements.clone(),
                Err(failure) => {
                    if decided.has_policies() && failure.error_code() == Denial::CODE {
                        // As on AWS, the record of a denied call does not show its input.
                        event.request_parameters = NOTHING;
                    }
                    event.failure = Some(failure.clone());
                }
            }
            (result, Some(event))
        })
    }

    /// Commits a change and the records of its call together, or neither; blocks the thread until they are committed.
    ///
    /// If a record cannot be stored, the change is rolled back and the call fails.
    ///
    /// A call that concerns resources of another account leaves a copy of its record in that account.
    pub fn transact<R: Send + 'static>(
        &self,
        call: Arc<Call>,
        change: impl FnOnce(&Transaction) -> (R, Event) + Send + 'static,
    ) -> Result<R, Failure> {
        let change = move |transaction: &Transaction| {
            let (result, event) = change(transaction);
            (result, Some(event))
        };
        self.submit(call, change).wait()
    }

    /// Does the same as [`Trail::transact`] for a task, which awaits the commit; a call that never arrived has no event.
    fn submit<R: Send + 'static>(
        &self,
        call: Arc<Call>,
        change: impl FnOnce(&Transaction) -> (R, Option<Event>) + Send + 'static,
    ) -> Recording<R> {
        if let Err(error) = self.recorder.events.check() {
            tracing::error!(%error, "refused a call: its record cannot be appended to events.ndjson");
            return Recording::failed(rolled_back("the file of records, events.ndjson, cannot be written"));
        }
        let recorder = Arc::clone(&self.recorder);
        Recording::of(self.store.submit(move |transaction| {
            let (result, event) = change(transaction);
            let Some(event) = event else { return Ok(result) };
            if event.failure.is_none() && call.is_undecided() {
                tracing::error!(event = event.name, source = event.source, "a call succeeded without a permission");
                return Err(store::Error::Refused("it requested no permission"));
            }
            recorder.record(transaction, &call, event)?;
            Ok(result)
        }))
    }

    /// Records a call that changes nothing.
    pub fn record(&self, call: &Arc<Call>, event: Event) -> Result<(), Failure> {
        self.transact(Arc::clone(call), move |_transaction| ((), event))
    }

    /// Returns the event history, for lookups.
    pub(crate) fn history(&self) -> Arc<History> {
        Arc::clone(self.recorder.indexer.history())
    }

    /// Stops the background work: first digests, then delivery, which writes the last log files, then the index.
    pub fn stop(&self) {
        self.digests.stop();
        self.recorder.delivery.stop();
        self.recorder.indexer.stop();
        self.events_worker.stop();
    }

    /// Writes log files of everything recorded so far.
    pub fn flush(&self) -> io::Result<()> {
        self.recorder.delivery.deliver()
    }

    /// Writes log files of everything recorded so far, and the digests that cover them, even before they are due.
    pub fn digest(&self) -> io::Result<()> {
        // A failure of one bucket does not delay the digests of the others.
        let delivered = self.recorder.delivery.deliver();
        self.digests.create().map_err(io::Error::other)?;
        delivered
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads the signing key of the settings, if there is one.
fn signing_key(settings: &Settings) -> io::Result<Option<SigningKey>> {
    let Some(path) = &settings.signing_key else { return Ok(None) };
    let failed = |reason: &dyn Display| {
        io::Error::other(format!("cannot use the signing key '{}' (--signing-key): {reason}", path.display()))
    };
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    SigningKey::parse(&bytes).map(Some).map_err(|reason| failed(&reason))
}

/// The failure of a change, as the error type of the store's savepoints.
struct SavepointError(Failure);

impl From<store::Error> for SavepointError {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "a statement of a call failed in the store");
        Self(Failure::internal())
    }
}

fn unrecorded(error: &store::Error) -> Failure {
    if error.is_unknown() {
        tracing::error!(%error, "it is unknown whether a call was committed");
        let message =
            format!("It is unknown whether the call was committed: {}. The server's log has details.", error.summary());
        return Failure { message, ..Failure::internal() };
    }
    tracing::error!(%error, "cannot record a call; it was rolled back");
    rolled_back(error.summary())
}

/// The failure of a call that could not be recorded.
fn rolled_back(reason: &str) -> Failure {
    let message = format!("The call was rolled back because {reason}. The server's log has details.");
    Failure { message, ..Failure::internal() }
}

/// Adds the path to a system error.
fn with_path(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Runs a part of a handler; a panic becomes an internal failure.
fn catch_panic<R>(part: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|_panic| Err(Failure::internal()))
}

/// The lock file of the server that uses a trail directory.
pub const LOCK: &str = ".metadata/lock";

/// The files at the root of a trail directory that are no objects of its bucket; see [`bucket::FolderOptions::reserved`].
pub const RESERVED_NAMES: &[&str] = &["events.ndjson", NOTIFICATIONS_LOG];

/// The log of the notifications of trails in a trail directory.
pub const NOTIFICATIONS_LOG: &str = "notifications.ndjson";

/// The path of `events.ndjson` in a trail directory.
pub fn events_path(folder: &Path) -> PathBuf {
    folder.join("events.ndjson")
}

/// The value of a missing member: left out of a record, or `null` if the record always has the member.
const NOTHING: Value = Value::Null;

#[cfg(test)]
mod tests;
