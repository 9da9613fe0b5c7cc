//! What happened: records of calls, the trail directory, log files.
//!
//! **Invariant:** an operation runs through [`Trail::call`] or [`Trail::transact`], so there is no way to run one that is not
//! recorded, and its record is in `events.ndjson` before its reply is sent.

#![warn(unreachable_pub)]

pub mod archive_keys;
mod delivery;
mod digest;
mod event;
mod events_file;
mod exception;
mod history;
mod kms;
mod list_public_keys;
mod log_file;
mod notification;
mod operations;
mod public_key;
mod record;
mod reset;
mod retention;
mod schema;
mod service;
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
use std::sync::Arc;
use std::time::Duration;

use aws::operation::Reply;
use aws::{Access, Call, Clock, Failure, Operation, Region, Step};
use bucket::Buckets;
use parking_lot::RwLock;
use serde_json::Value;
use store::{Store, Transaction};
use worker::Worker;

use crate::delivery::Delivery;
use crate::digest::Digests;
pub use crate::event::Event;
use crate::events_file::EventsFile;
pub use crate::exception::Exception;
use crate::history::History;
use crate::history::Indexer;
pub use crate::history::LookupSettings;
pub use crate::notification::{Notification, Notifications, Notified, Notifier};
pub use crate::record::EventVersion;
pub use crate::retention::Retention;
pub use crate::service::CloudTrail;
use crate::signing_key::{KeyRing, SigningKey};
use crate::trails::BuiltIn;

/// What comes before an operation's name in `X-Amz-Target`; the short form is heard, too.
pub const TARGET_PREFIXES: [&str; 2] =
    ["com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101", "CloudTrail_20131101"];

/// CloudTrail itself, as a service whose calls are recorded.
pub const SOURCE: Source = Source { event_source: "cloudtrail.amazonaws.com", api_version: Some("2013-11-01") };

/// How a trail is kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The trail directory.
    pub folder: PathBuf,
    /// The home region of the trail that an account has from the start.
    pub home_region: Region,
    /// Which shape records have.
    pub event_version: EventVersion,
    /// How long events wait at most before a log file is written.
    pub log_interval: Duration,
    /// How many bytes of records, before compression, make a log file full.
    pub log_bytes: u64,
    /// How long it is from one digest to the next.
    pub digest_interval: Duration,
    /// The file of the private key that digests are signed with; `None` makes keys and keeps them in the store.
    pub signing_key: Option<PathBuf>,
    /// How long a key of the store signs before another one is made.
    pub key_rotation: Duration,
    /// What is removed when it is old.
    pub retention: Retention,
    /// Whether files are brought to the disk itself before they count as written.
    pub sync: bool,
    /// Whether the calls to AWS KMS are recorded that services make for their callers.
    pub kms_events: bool,
}

/// The trail of all accounts and regions.
pub struct Trail {
    store: Arc<Store>,
    events: Arc<EventsFile>,
    events_retry: Worker,
    built_in: Arc<BuiltIn>,
    buckets: Arc<Buckets>,
    keys: Arc<KeyRing>,
    digests: Digests,
    delivery: Delivery,
    indexer: Indexer,
    event_version: EventVersion,
    kms_events: bool,
    accounts: Arc<RwLock<HashSet<String>>>,
}

/// A service whose calls are recorded.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// `eventSource`, such as `codecommit.amazonaws.com`.
    pub event_source: &'static str,
    /// `apiVersion`, such as `2015-04-13`; not every service has one.
    pub api_version: Option<&'static str>,
}

impl Trail {
    /// Opens the trail, and first brings its files to where the store says they should be.
    pub fn open(
        store: Arc<Store>,
        settings: Settings,
        buckets: Arc<Buckets>,
        clock: Arc<dyn Clock>,
        notifier: Arc<dyn Notifier>,
    ) -> io::Result<Self> {
        store.migrate("trail", schema::STEPS).map_err(io::Error::other)?;
        std::fs::create_dir_all(&settings.folder).map_err(|error| named(&settings.folder, &error))?;
        let events = Arc::new(EventsFile::open(&settings.folder, &store)?);
        let events_retry = events_file::retry::start(&events)?;
        let (event_version, kms_events) = (settings.event_version, settings.kms_events);
        let keys = Arc::new(KeyRing::new(Arc::clone(&store), signing_key(&settings)?, settings.key_rotation));
        let built_in =
            BuiltIn::open(&store, settings.home_region.clone(), buckets.primary_name()).map_err(io::Error::other)?;
        let digests = Digests::start(
            Arc::clone(&store),
            Arc::clone(&keys),
            Arc::clone(&buckets),
            Arc::clone(&clock),
            settings.digest_interval,
        )?;
        let delivery = Delivery::start(Arc::clone(&store), settings, Arc::clone(&buckets), clock, notifier)?;
        let history = History::open(Arc::clone(&store)).map_err(io::Error::other)?;
        let indexer = Indexer::start(Arc::new(history))?;
        Ok(Self {
            store,
            events,
            events_retry,
            built_in: Arc::new(built_in),
            buckets,
            keys,
            digests,
            delivery,
            indexer,
            event_version,
            kms_events,
            accounts: Arc::default(),
        })
    }

    /// Reads the records after a cursor, one per line, and returns with them the cursor of the last; the first cursor is empty.
    ///
    /// After a reset it begins again.
    pub fn records_after(&self, cursor: &str, limit: u32) -> Result<(String, String), store::Error> {
        self.store.read(|transaction| schema::records_after(transaction, cursor, limit))
    }

    /// Names the accounts in which a failed Git request already creates the default trail.
    ///
    /// In any other account only an API call or a successful Git request does, so that URLs that name accounts at random leave no trails.
    pub fn set_accounts(&self, accounts: HashSet<String>) {
        *self.accounts.write() = accounts;
    }

    /// Runs an operation and records it, whether it succeeds, fails or panics.
    ///
    /// A failure of the body itself (too large, say) is passed as `Err` and recorded as the operation's.
    pub fn call<S>(
        &self,
        source: Source,
        operation: &Operation<S, Transaction>,
        service: &S,
        call: &Arc<Call>,
        body: Result<&[u8], Failure>,
    ) -> Result<Reply, Failure> {
        let mut event = Event::new(operation.name, source.event_source);
        event.api_version = source.api_version;
        event.read_only = operation.access == Access::Read;
        event.kms_actions = operation.kms_actions;
        self.built_in.meet(&self.store, call.account.as_str(), call.time).map_err(|error| unrecorded(&error))?;
        let step = body.and_then(|body| operation.decode(body)).and_then(|mut decoded| {
            event.request_parameters = decoded.request_parameters.take();
            guarded(|| decoded.run(service, call))
        });
        event.is_requested_with(call.told());
        if let Some(bearer) = call.bearer() {
            event.account = Some(bearer.account_id.clone());
            event.caller = Some(bearer.clone());
        }
        self.transact(Arc::clone(call), move |transaction| {
            let result = match step {
                Ok(Step::Answered(reply)) => Ok(reply),
                Ok(Step::Change(change)) => {
                    transaction.savepoint(|| guarded(|| change(transaction)).map_err(Refusal)).map_err(|Refusal(it)| it)
                }
                Err(failure) => Err(failure),
            };
            match &result {
                Ok(reply) => event.response_elements = reply.response_elements.clone(),
                Err(failure) => event.failure = Some(failure.clone()),
            }
            (result, event)
        })?
    }

    /// Runs a change together with the records of the call that it belongs to: all are kept, or none.
    ///
    /// If a record cannot be kept, the change is rolled back and the call fails.
    ///
    /// A call about what another account owns leaves a copy of its record there, too.
    pub fn transact<R: Send + 'static>(
        &self,
        call: Arc<Call>,
        change: impl FnOnce(&Transaction) -> (R, Event) + Send + 'static,
    ) -> Result<R, Failure> {
        let (events, event_version) = (Arc::clone(&self.events), self.event_version);
        let (built_in, accounts) = (Arc::clone(&self.built_in), Arc::clone(&self.accounts));
        let kms_events = self.kms_events;
        self.events.check().map_err(|error| {
            tracing::error!(%error, "a call was refused: its record could not be appended to events.ndjson");
            not_happened("the file of records, events.ndjson, cannot be written")
        })?;
        let recorded = self.store.write(move |transaction| {
            let (result, mut event) = change(transaction);
            if kms_events {
                event.further.extend(kms::events(&call, &event));
            }
            let mut bytes = 0;
            let records = event.records(&call);
            let count = records.len();
            for event in records {
                let account = record::account(&event, &call).as_str();
                let is_known = || accounts.read().contains(account);
                if event.failure.is_none() || is_known() {
                    built_in.meet_within(transaction, account, call.time)?;
                }
                let line = record::line(&event, &call, event_version);
                bytes += line.len() as u64;
                schema::insert(transaction, &call, &event, &line)?;
                let events = Arc::clone(&events);
                transaction.after_commit(move || events.append(&line));
            }
            Ok::<_, store::Error>((result, bytes, count))
        });
        match recorded {
            Ok((result, bytes, count)) => {
                self.delivery.count(bytes);
                self.indexer.count(count);
                Ok(result)
            }
            Err(error) => Err(unrecorded(&error)),
        }
    }

    /// Records a call that changes nothing.
    pub fn record(&self, call: &Arc<Call>, event: Event) -> Result<(), Failure> {
        self.transact(Arc::clone(call), move |_transaction| ((), event))
    }

    /// Returns the event history, for lookups.
    pub(crate) fn history(&self) -> Arc<History> {
        Arc::clone(self.indexer.history())
    }

    /// Stops the background work: digests, then delivery, which first writes log files of what waits, then the index.
    pub fn stop(&self) {
        self.digests.stop();
        self.delivery.stop();
        self.indexer.stop();
        self.events_retry.stop();
    }

    /// Writes log files of all that was recorded so far.
    pub fn flush(&self) -> io::Result<()> {
        self.delivery.deliver()
    }

    /// Writes log files of all that was recorded so far, and the digests that cover them, due or not.
    pub fn digest(&self) -> io::Result<()> {
        // A bucket that cannot be written keeps the others' digests waiting for nothing.
        let delivered = self.delivery.deliver();
        self.digests.make().map_err(io::Error::other)?;
        delivered
    }
}

impl Drop for Trail {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads the key that is given, if there is one.
fn signing_key(settings: &Settings) -> io::Result<Option<SigningKey>> {
    let Some(path) = &settings.signing_key else { return Ok(None) };
    let failed = |what: &dyn Display| io::Error::other(format!("the signing key {}: {what}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| failed(&error))?;
    SigningKey::parse(&bytes).map(Some).map_err(|problem| failed(&problem))
}

/// A failure as the store's savepoints want it.
struct Refusal(Failure);

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        tracing::error!(%error, "the store failed inside a call");
        Self(Failure::internal())
    }
}

fn unrecorded(error: &store::Error) -> Failure {
    tracing::error!(%error, "a call could not be recorded, so it was rolled back");
    not_happened(error.summary())
}

/// The failure of a call that was not recorded.
fn not_happened(reason: &str) -> Failure {
    let message = format!("The call was rolled back because {reason}. The server's log says more.");
    Failure { message, ..Failure::internal() }
}

/// An error of the system with the path that it is about.
fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Runs a handler's part; a panic is our fault and fails the call.
fn guarded<R>(part: impl FnOnce() -> Result<R, Failure>) -> Result<R, Failure> {
    catch_unwind(AssertUnwindSafe(part)).unwrap_or_else(|_panic| Err(Failure::internal()))
}

/// The file in a trail directory that the server locks which uses it.
pub const LOCK: &str = ".metadata/lock";

/// The files at the root of a trail directory that are no objects of its bucket; see [`bucket::FolderOptions::reserved`].
pub const RESERVED_NAMES: &[&str] = &["events.ndjson", "notifications.ndjson"];

/// The path of `events.ndjson` in a trail directory.
pub fn events_path(folder: &Path) -> PathBuf {
    folder.join("events.ndjson")
}

/// The value that leaves a member out of a record, or stands for "nothing" where the member is always there.
const NOTHING: Value = Value::Null;

#[cfg(test)]
mod tests;
