//! The upkeep of repositories, in the background and never in a request's way.
//!
//! **Invariant:** one thread does it all, so that it takes one processor at most, and it ends before the store is closed.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use codecommit::CodeCommit;
use git::maintenance::{Outcome, Upkeep};

use crate::settings::Git;

/// How often repositories are looked at that hold unreachable objects, if these are not to go sooner.
const ROUND: Duration = Duration::from_hours(1);

/// How long a repository is left alone whose upkeep failed.
const RESPITE: Duration = Duration::from_mins(10);

/// The thread that does the upkeep; ended by drop.
pub(crate) struct Maintenance {
    due: Arc<Due>,
    thread: Option<JoinHandle<()>>,
}

/// The repositories that changed, by their ids.
#[derive(Default)]
pub(crate) struct Due {
    is_wanted: bool,
    ids: Mutex<BTreeSet<String>>,
    noted: Condvar,
    stop: Arc<AtomicBool>,
}

impl Maintenance {
    /// Starts the thread, if upkeep is wanted.
    pub(crate) fn start(codecommit: Arc<CodeCommit>, due: Arc<Due>, settings: &Git) -> io::Result<Self> {
        if !due.is_wanted {
            return Ok(Self { due, thread: None });
        }
        let upkeep = Upkeep {
            packs_max: settings.pack_limit,
            prune_age: settings.prune_age,
            // What has long been on the disk gives way to what is there, too.
            sync: true,
            stop: Arc::clone(&due.stop),
            ..Upkeep::default()
        };
        let round = ROUND.min(settings.prune_age);
        let thread = std::thread::Builder::new().name("maintenance".to_owned());
        let work = Work { codecommit, due: Arc::clone(&due), upkeep, failed: HashMap::new() };
        let thread = thread.spawn(move || work.run(round))?;
        Ok(Self { due, thread: Some(thread) })
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        {
            // Under the lock, so that the thread does not go to sleep just now.
            let _ids = self.due.ids();
            self.due.stop.store(true, Ordering::Relaxed);
        }
        self.due.noted.notify_one();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

impl codecommit::Maintenance for Due {
    fn wake(&self, repository_id: &str) {
        if self.is_wanted {
            self.ids().insert(repository_id.to_owned());
            self.noted.notify_one();
        }
    }
}

impl Due {
    /// Makes the list of repositories that changed, which stays empty if upkeep is not wanted.
    pub(crate) fn new(settings: &Git) -> Self {
        Self { is_wanted: settings.pack_limit > 0, ..Self::default() }
    }

    fn ids(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Waits until there is something to do, or it is time for a round.
    fn wait(&self, until: Instant) -> BTreeSet<String> {
        let ids = self.ids();
        let patience = until.saturating_duration_since(Instant::now());
        let idle = |ids: &mut BTreeSet<String>| ids.is_empty() && !self.is_stopped();
        let waited = self.noted.wait_timeout_while(ids, patience, idle);
        let (mut ids, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut ids)
    }
}

struct Work {
    codecommit: Arc<CodeCommit>,
    due: Arc<Due>,
    upkeep: Upkeep,
    /// When upkeep last failed, by repository.
    failed: HashMap<String, Instant>,
}

impl Work {
    fn run(mut self, round: Duration) {
        let mut next_round = Instant::now();
        while !self.due.is_stopped() {
            let mut ids = self.due.wait(next_round);
            if Instant::now() >= next_round {
                next_round = Instant::now() + round;
                ids.extend(self.codecommit.with_unreachable_objects());
                self.failed.retain(|_, failed| failed.elapsed() < RESPITE);
            }
            for id in ids {
                if self.due.is_stopped() {
                    return;
                }
                if self.failed.get(&id).is_none_or(|failed| failed.elapsed() >= RESPITE) {
                    self.keep_up(id);
                }
            }
        }
    }

    fn keep_up(&mut self, id: String) {
        let upkeep = Upkeep { now: SystemTime::now(), ..self.upkeep.clone() };
        let done = catch_unwind(AssertUnwindSafe(|| self.codecommit.maintain(&id, &upkeep)));
        match done.unwrap_or_else(|_| Err(io::Error::other("it panicked"))) {
            Ok(outcome) if outcome == Outcome::default() => {}
            Ok(outcome) => tracing::debug!(repository_id = id, ?outcome, "upkeep"),
            Err(_) if self.due.is_stopped() => {}
            Err(error) => {
                tracing::warn!(repository_id = id, %error, "upkeep failed; the repository stays as it was");
                self.failed.insert(id, Instant::now());
            }
        }
    }
}
