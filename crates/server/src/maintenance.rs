//! The upkeep of repositories, in the background and never in a request's way.
//!
//! **Invariant:** one worker does it all, so that it takes one processor at most, and it ends before the store is closed.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws::Clock;
use codecommit::CodeCommit;
use git::maintenance::{Outcome, Upkeep};
use parking_lot::{Mutex, MutexGuard};
use worker::{Stop, Waker, Work, Worker};

use crate::settings::Git;

/// How often repositories are looked at that hold unreachable objects, if these are not to go sooner.
const ROUND: Duration = Duration::from_hours(1);

/// How often they are looked at if they are to go at once.
const ROUND_MIN: Duration = Duration::from_secs(1);

/// How long a repository is left alone whose upkeep failed.
const RESPITE: Duration = Duration::from_mins(10);

/// Does the upkeep in the background; there is no worker where none is wanted.
pub(crate) struct Maintenance(Option<Worker>);

/// The ids of the repositories that changed.
pub(crate) struct Due {
    is_wanted: bool,
    ids: Mutex<BTreeSet<String>>,
    waker: Waker,
}

impl Maintenance {
    /// Starts the worker, if upkeep is wanted.
    pub(crate) fn start(
        codecommit: Arc<CodeCommit>,
        due: Arc<Due>,
        clock: Arc<dyn Clock>,
        settings: &Git,
    ) -> io::Result<Self> {
        if !due.is_wanted {
            return Ok(Self(None));
        }
        let waker = due.waker.clone();
        let upkeep = Upkeep {
            packs_max: settings.pack_limit,
            prune_age: settings.prune_age,
            // What has long been on the disk gives way to what is there, too.
            sync: true,
            stop: Arc::clone(waker.stop_flag().flag()),
            ..Upkeep::default()
        };
        let interval = settings.prune_age.clamp(ROUND_MIN, ROUND);
        let rounds = Rounds { codecommit, due, clock, upkeep, interval, looked: None, failed: HashMap::new() };
        Ok(Self(Some(Worker::start("maintenance", waker, rounds)?)))
    }

    /// Breaks off the upkeep that runs, and ends the worker.
    pub(crate) fn stop(&self) {
        if let Some(worker) = &self.0 {
            worker.stop();
        }
    }
}

impl codecommit::Maintenance for Due {
    fn wake(&self, repository_id: &str) {
        if self.is_wanted {
            self.ids().insert(repository_id.to_owned());
            self.waker.wake();
        }
    }
}

impl Due {
    /// Makes the list of repositories that changed, which stays empty if upkeep is not wanted.
    pub(crate) fn new(settings: &Git) -> Self {
        Self { is_wanted: settings.pack_limit > 0, ids: Mutex::default(), waker: Waker::default() }
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock()
    }
}

/// What the worker of maintenance does.
struct Rounds {
    codecommit: Arc<CodeCommit>,
    due: Arc<Due>,
    clock: Arc<dyn Clock>,
    upkeep: Upkeep,
    interval: Duration,
    /// When it was last looked for repositories with unreachable objects.
    looked: Option<Instant>,
    /// When upkeep last failed, by repository.
    failed: HashMap<String, Instant>,
}

impl Work for Rounds {
    fn round(&mut self, stop: &Stop) -> Result<Option<Duration>, worker::Error> {
        self.note_unreachable();
        while let Some(id) = self.next(stop) {
            if self.failed.get(&id).is_none_or(|failed| failed.elapsed() >= RESPITE) {
                self.keep_up(id, stop);
            }
        }
        Ok(Some(self.interval.saturating_sub(self.looked.map_or(Duration::ZERO, |looked| looked.elapsed()))))
    }
}

impl Rounds {
    /// Notes the repositories with unreachable objects, if it is time for them.
    fn note_unreachable(&mut self) {
        if self.looked.is_some_and(|looked| looked.elapsed() < self.interval) {
            return;
        }
        self.looked = Some(Instant::now());
        self.failed.retain(|_, failed| failed.elapsed() < RESPITE);
        let ids = self.codecommit.with_unreachable_objects();
        self.due.ids().extend(ids);
    }

    fn next(&self, stop: &Stop) -> Option<String> {
        if stop.is_set() { None } else { self.due.ids().pop_first() }
    }

    fn keep_up(&mut self, id: String, stop: &Stop) {
        let since_1970 = Duration::from_millis(u64::try_from(self.clock.now().millis()).unwrap_or(0));
        let now = SystemTime::UNIX_EPOCH + since_1970;
        let upkeep = Upkeep { now, ..self.upkeep.clone() };
        // Caught here, so that a repository that makes upkeep panic is left alone for a while, as after other failures.
        let done = catch_unwind(AssertUnwindSafe(|| self.codecommit.maintain(&id, &upkeep)));
        match done.unwrap_or_else(|_| Err(io::Error::other("it panicked"))) {
            Ok(outcome) if outcome == Outcome::default() => {}
            Ok(outcome) => tracing::debug!(repository_id = id, ?outcome, "upkeep"),
            Err(_) if stop.is_set() => {}
            Err(error) => {
                tracing::warn!(repository_id = id, %error, "upkeep failed; the repository stays as it was");
                self.failed.insert(id, Instant::now());
            }
        }
    }
}
