//! Background maintenance of repositories.
//!
//! With several nodes, one does it for all, by a role; the others only write the commit graphs of their copies.
//!
//! **Invariant:** one worker of a node does all of it, so that it takes one processor at most; it ends before the store is closed.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::Clock;
use cluster::Role;
use codecommit::CodeCommit;
use git::maintenance::{MaintenanceOptions, Outcome};
use parking_lot::{Mutex, MutexGuard};
use worker::{Stop, Waker, Work, Worker};

use crate::clock::system_time;
use crate::large_files::LargeFiles;
use crate::settings::Git;

/// Longest time between searches for repositories with unreachable objects.
const SEARCH_INTERVAL_MAX: Duration = Duration::from_hours(1);

/// Shortest time between searches, for objects that are pruned at once.
const SEARCH_INTERVAL_MIN: Duration = Duration::from_secs(1);

/// Time between two looks for repositories to which other nodes have added packs.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// Time until a repository whose maintenance failed is maintained again.
const RETRY_DELAY: Duration = Duration::from_mins(10);

/// The worker of maintenance; `None` if the settings turn maintenance off.
pub(crate) struct Maintenance(Option<Worker>);

/// The ids of the repositories that need maintenance.
pub(crate) struct MaintenanceQueue {
    is_enabled: bool,
    ids: Mutex<BTreeSet<String>>,
    waker: Waker,
}

impl Maintenance {
    /// Starts the worker, unless the settings turn maintenance off.
    pub(crate) fn start(
        codecommit: Arc<CodeCommit>,
        queue: Arc<MaintenanceQueue>,
        clock: Arc<dyn Clock>,
        settings: &Git,
        role: Role,
    ) -> io::Result<Self> {
        if !queue.is_enabled {
            return Ok(Self(None));
        }
        let waker = queue.waker.clone();
        let options = MaintenanceOptions {
            packs_max: settings.pack_limit,
            prune_age: settings.prune_age,
            // Objects that have long been on the disk are replaced by these.
            sync: true,
            stop: Arc::clone(waker.stop_flag().flag()),
            ..MaintenanceOptions::default()
        };
        let interval = settings.prune_age.clamp(SEARCH_INTERVAL_MIN, SEARCH_INTERVAL_MAX);
        let work = MaintenanceWork {
            large_files: LargeFiles::new(Arc::clone(&codecommit), Arc::clone(&clock), settings.prune_age),
            codecommit,
            queue,
            clock,
            options,
            interval,
            last_search: None,
            failed: HashMap::new(),
            role,
        };
        Ok(Self(Some(Worker::start("maintenance", waker, work)?)))
    }

    /// Interrupts running maintenance, and ends the worker.
    pub(crate) fn stop(&self) {
        if let Some(worker) = &self.0 {
            worker.stop();
        }
    }
}

impl codecommit::Maintenance for MaintenanceQueue {
    fn wake(&self, repository_id: &str) {
        if self.is_enabled {
            self.ids().insert(repository_id.to_owned());
            self.waker.wake();
        }
    }
}

impl MaintenanceQueue {
    /// Creates the queue, which stays empty if the settings turn maintenance off.
    pub(crate) fn new(settings: &Git) -> Self {
        Self { is_enabled: settings.pack_limit > 0, ids: Mutex::default(), waker: Waker::default() }
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock()
    }
}

struct MaintenanceWork {
    codecommit: Arc<CodeCommit>,
    queue: Arc<MaintenanceQueue>,
    clock: Arc<dyn Clock>,
    options: MaintenanceOptions,
    /// Time between searches for repositories with unreachable objects.
    interval: Duration,
    last_search: Option<Instant>,
    /// Times of the last failures, by repository.
    failed: HashMap<String, Instant>,
    /// Removal of large files.
    large_files: LargeFiles,
    /// The role of the node that does the maintenance for all.
    role: Role,
}

impl Work for MaintenanceWork {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        let has_role = self.role.is_held();
        let is_search_due = self.last_search.is_none_or(|last_search| last_search.elapsed() >= self.interval);
        if is_search_due {
            self.last_search = Some(Instant::now());
            self.failed.retain(|_, failed| failed.elapsed() < RETRY_DELAY);
            self.search(has_role);
        }
        if has_role {
            self.enqueue(self.codecommit.repositories_to_maintain(self.options.packs_max));
        }
        while let Some(id) = self.next(stop) {
            if self.failed.get(&id).is_none_or(|failed| failed.elapsed() >= RETRY_DELAY) {
                self.maintain(id, stop, has_role);
            }
        }
        if is_search_due && has_role {
            self.large_files.prune(stop);
        }
        let since_search = self.last_search.map_or(Duration::ZERO, |last_search| last_search.elapsed());
        let wait = self.interval.saturating_sub(since_search);
        Ok(Some(if self.codecommit.has_shared_objects() { wait.min(LOOK_INTERVAL) } else { wait }))
    }
}

impl MaintenanceWork {
    /// Queues the repositories with unreachable objects, and removes what no node needs any more.
    fn search(&self, has_role: bool) {
        if has_role {
            self.enqueue(self.codecommit.repositories_to_prune());
            report("remove files that no node needs", self.codecommit.remove_gone_objects());
        }
        report("remove the copies of deleted repositories", self.codecommit.remove_deleted_copies());
    }

    fn enqueue(&self, ids: io::Result<Vec<String>>) {
        match ids {
            Ok(ids) => self.queue.ids().extend(ids),
            Err(error) => tracing::warn!(%error, "cannot list the repositories that need maintenance; will retry"),
        }
    }

    fn next(&self, stop: &Stop) -> Option<String> {
        if stop.is_set() { None } else { self.queue.ids().pop_first() }
    }

    fn maintain(&mut self, id: String, stop: &Stop, has_role: bool) {
        let options = MaintenanceOptions { now: system_time(&*self.clock), ..self.options.clone() };
        // A panic is caught here, so that it delays the next maintenance of this repository as other failures do.
        let result = catch_unwind(AssertUnwindSafe(|| {
            if has_role {
                return self.codecommit.maintain(&id, &options);
            }
            self.codecommit.maintain_copy(&id)?;
            Ok(Outcome::default())
        }));
        match result.unwrap_or_else(|_| Err(io::Error::other("maintenance panicked"))) {
            Ok(outcome) if outcome == Outcome::default() => {}
            Ok(outcome) => tracing::debug!(repository_id = id, ?outcome, "maintained a repository"),
            Err(_) if stop.is_set() => {}
            Err(error) => {
                tracing::warn!(repository_id = id, %error, "cannot maintain a repository; it stays as it was");
                self.failed.insert(id, Instant::now());
            }
        }
    }
}

/// Logs that work failed which the next search tries again.
fn report(action: &str, result: io::Result<()>) {
    if let Err(error) = result {
        tracing::warn!(%error, "cannot {action}; will retry");
    }
}
