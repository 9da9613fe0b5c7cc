//! The upkeep of repositories, in the background and never in a request's way.
//!
//! **Invariant:** one thread does it all, so that it takes one processor at most, and it ends before the store is closed.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use codecommit::CodeCommit;
use git::maintenance::{Outcome, Upkeep};

use crate::settings::Git;

/// The thread that does the upkeep; ended by drop.
pub(crate) struct Maintenance {
    /// The ids of repositories that changed; `None` if nothing is to be done, or nothing more.
    changed: Option<Sender<String>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Maintenance {
    /// Starts the thread, if upkeep is wanted.
    pub(crate) fn start(codecommit: Arc<CodeCommit>, settings: &Git, sync: bool) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        if settings.pack_limit == 0 {
            return Ok(Self { changed: None, stop, thread: None });
        }
        let upkeep = Upkeep {
            packs_max: settings.pack_limit,
            prune_age: settings.prune_age,
            sync,
            stop: Arc::clone(&stop),
            ..Upkeep::default()
        };
        let (changed, ids) = channel();
        let thread = std::thread::Builder::new().name("maintenance".to_owned());
        let thread = thread.spawn(move || run(&codecommit, &ids, &upkeep))?;
        Ok(Self { changed: Some(changed), stop, thread: Some(thread) })
    }

    /// Notes that a repository got objects.
    pub(crate) fn note(&self, repository_id: &str) {
        if let Some(changed) = &self.changed {
            // Without the thread the repository stays as it is, which is no harm.
            let _ = changed.send(repository_id.to_owned());
        }
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.changed = None;
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(codecommit: &CodeCommit, ids: &Receiver<String>, upkeep: &Upkeep) {
    while let Ok(id) = ids.recv() {
        let due: BTreeSet<String> = std::iter::once(id).chain(ids.try_iter()).collect();
        for id in due {
            if upkeep.stop.load(Ordering::Relaxed) {
                return;
            }
            let upkeep = Upkeep { now: std::time::SystemTime::now(), ..upkeep.clone() };
            match codecommit.maintain(&id, &upkeep) {
                Ok(outcome) if outcome == Outcome::default() => {}
                Ok(outcome) => tracing::debug!(repository_id = id, ?outcome, "upkeep"),
                Err(error) => {
                    tracing::warn!(repository_id = id, %error, "upkeep failed; the repository stays as it was");
                }
            }
        }
    }
}
