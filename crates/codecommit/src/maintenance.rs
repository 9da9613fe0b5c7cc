//! Maintenance of repositories, and the writers whose new objects make it necessary.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws::Call;
use git::maintenance::{MaintenanceOptions, Outcome};
use git::{Fsck, FsckError, Interrupt, Object, ObjectId, ObjectsInUse};

use crate::repository::Repository;
use crate::{CodeCommit, Exception, ref_query};

/// Background maintenance of repositories.
pub trait Maintenance: Send + Sync {
    /// Announces that a repository may have new objects, so that maintenance may be due.
    fn wake(&self, repository_id: &str);
}

/// Wakes the maintenance of a repository when it is dropped, at the end of a call that added objects.
pub struct Growth {
    repository_id: String,
    maintenance: Arc<dyn Maintenance>,
    has_grown: AtomicBool,
}

/// Writer of objects of one repository. While it lives, no object of the repository is pruned.
///
/// It must be opened before the objects that the new ones name are looked up. [`Writer::keep_until_committed`] hands it to the
/// transaction that makes the new objects reachable.
pub(crate) struct Writer {
    objects: Arc<git::Repository>,
    in_use: ObjectsInUse,
    sync: bool,
    fsck: Fsck,
    growth: Growth,
}

impl CodeCommit {
    /// Announces the new objects of a push to maintenance when the result is dropped.
    pub fn growth(&self, repository: &Repository) -> Growth {
        self.growth_if(repository, true)
    }

    fn growth_if(&self, repository: &Repository, has_grown: bool) -> Growth {
        Growth {
            repository_id: repository.id.clone(),
            maintenance: Arc::clone(&self.maintenance),
            has_grown: has_grown.into(),
        }
    }

    /// Opens a writer for the objects of a repository.
    pub(crate) fn writer(&self, call: &Call, repository: &Repository) -> Result<Writer, Exception> {
        self.objects(call, repository).map(|objects| self.writer_of(objects, repository))
    }

    /// Opens a writer for a call that is interrupted at the time limit of merges.
    pub(crate) fn bounded_writer(&self, call: &Call, repository: &Repository) -> Result<Writer, Exception> {
        self.bounded_objects(call, repository).map(|objects| self.writer_of(objects, repository))
    }

    fn writer_of(&self, objects: Arc<git::Repository>, repository: &Repository) -> Writer {
        let in_use = objects.use_objects();
        let (sync, fsck) = (self.settings.sync, self.settings.fsck.clone());
        Writer { objects, in_use, sync, fsck, growth: self.growth_if(repository, false) }
    }

    /// Runs the maintenance of a repository's objects that is due; they stay usable meanwhile.
    pub fn maintain(&self, repository_id: &str, maintenance: &MaintenanceOptions) -> io::Result<Outcome> {
        let Some(objects) = self.objects.existing(repository_id)? else { return Ok(Outcome::default()) };
        let objects = objects.interrupted_by(Interrupt::on([Arc::clone(&maintenance.stop)]));
        let mut tips = || {
            self.store
                .read(|transaction| ref_query::reachability_roots(transaction, repository_id))
                .map_err(io::Error::other)
        };
        let outcome = objects.maintain(&mut tips, maintenance)?;
        objects.write_graph()?;
        Ok(outcome)
    }

    /// Lists the ids of repositories that may hold unreachable objects and so need maintenance from time to time.
    pub fn repositories_to_prune(&self) -> Vec<String> {
        self.objects.repositories_to_prune()
    }
}

impl Writer {
    pub(crate) fn objects(&self) -> &Arc<git::Repository> {
        &self.objects
    }

    /// Adds objects; those that a push could not bring are refused, as Git clients would not accept them.
    pub(crate) fn add(&self, objects: &[Object]) -> Result<Vec<ObjectId>, Exception> {
        self.fsck.check_new(objects, &mut self.objects.reader()).map_err(|unsound| match unsound {
            FsckError::Fault(fault) => Exception::UnsoundObject { fault },
            FsckError::Unreadable(error) => error.into(),
        })?;
        self.growth.has_grown.store(true, Ordering::Relaxed);
        Ok(self.objects.add(objects, &self.in_use, self.sync)?)
    }

    /// Prevents pruning until the transaction is committed or rolled back.
    pub(crate) fn keep_until_committed(self, transaction: &store::Transaction) {
        transaction.after_commit(move || drop(self));
    }
}

impl Drop for Growth {
    fn drop(&mut self) {
        if *self.has_grown.get_mut() {
            self.maintenance.wake(&self.repository_id);
        }
    }
}
