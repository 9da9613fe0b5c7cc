//! Removal of large files that no file of their repository names, as a part of the maintenance of repositories.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws::Clock;
use codecommit::lfs::LfsPruned;
use codecommit::{CodeCommit, Exception};
use git::Interrupt;
use worker::Stop;

/// Longest time between two looks at a repository: each reads the small files of all its history.
const INTERVAL_MAX: Duration = Duration::from_hours(24);

/// The repositories with large files.
pub(crate) struct LargeFiles {
    codecommit: Arc<CodeCommit>,
    clock: Arc<dyn Clock>,
    prune_age: Duration,
    /// Times of the last looks, by repository.
    looks: HashMap<String, Instant>,
}

impl LargeFiles {
    /// Creates the work; objects that were not used for `prune_age` are removed.
    pub(crate) fn new(codecommit: Arc<CodeCommit>, clock: Arc<dyn Clock>, prune_age: Duration) -> Self {
        Self { codecommit, clock, prune_age, looks: HashMap::new() }
    }

    /// Looks at the repositories that are due.
    pub(crate) fn prune(&mut self, stop: &Stop) {
        let interval = self.prune_age.min(INTERVAL_MAX);
        self.looks.retain(|_, last| last.elapsed() < interval);
        let ids = self.codecommit.repositories_with_lfs().unwrap_or_else(|error| {
            tracing::warn!(%error, "cannot list the repositories with large files; will retry");
            Vec::new()
        });
        for id in ids {
            if stop.is_set() {
                return;
            }
            if self.looks.contains_key(&id) {
                continue;
            }
            match self.prune_repository(&id, stop) {
                Ok(pruned) if pruned == LfsPruned::default() => {}
                Ok(pruned) => tracing::debug!(repository_id = id, ?pruned, "removed unused large files"),
                Err(_) if stop.is_set() => return,
                Err(error) => {
                    tracing::warn!(repository_id = id, %error, "cannot remove unused large files; will retry");
                }
            }
            self.looks.insert(id, Instant::now());
        }
    }

    fn prune_repository(&self, id: &str, stop: &Stop) -> Result<LfsPruned, Exception> {
        let unused_since = self.clock.now().saturating_sub(self.prune_age);
        self.codecommit.prune_lfs(id, unused_since, Interrupt::on([Arc::clone(stop.flag())]))
    }
}
