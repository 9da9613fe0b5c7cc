//! Maintenance of repositories, and the writers whose new objects make it necessary.

use std::collections::HashSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws::{Call, Timestamp};
use git::maintenance::{MaintenanceOptions, Outcome};
use git::{Fsck, FsckError, Interrupt, Object, ObjectId, ObjectsInUse};

use store::Transaction;

use crate::repository::{self, Repository};
use crate::shared_objects::{self, SharedObjects};
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
        let Some(objects) = self.existing_objects(repository_id)? else { return Ok(Outcome::default()) };
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

    /// Writes the commit graph of a repository's copy on this node, if it is due; another node does the other maintenance.
    pub fn maintain_copy(&self, repository_id: &str) -> io::Result<()> {
        match self.existing_objects(repository_id)? {
            Some(objects) => objects.write_graph().map(drop),
            None => Ok(()),
        }
    }

    /// Lists the ids of repositories that may hold unreachable objects and so need maintenance from time to time.
    pub fn repositories_to_prune(&self) -> io::Result<Vec<String>> {
        if !self.has_shared_objects() {
            return Ok(self.objects.repositories_to_prune());
        }
        self.store.read(shared_objects::repositories_to_prune).map_err(io::Error::other)
    }

    /// Lists the ids of repositories for which maintenance is due because of pushes to any node; none if one node has all repositories.
    pub fn repositories_to_maintain(&self, packs_max: usize) -> io::Result<Vec<String>> {
        if !self.has_shared_objects() {
            return Ok(Vec::new());
        }
        let list = |transaction: &_| shared_objects::repositories_to_maintain(transaction, packs_max);
        self.store.read(list).map_err(io::Error::other)
    }

    /// Removes the files that several nodes share and that none needs any more.
    pub fn remove_gone_objects(&self) -> io::Result<()> {
        self.objects.shared().map_or(Ok(()), SharedObjects::remove_gone)
    }

    /// Returns whether several nodes share the objects of repositories.
    pub fn has_shared_objects(&self) -> bool {
        self.objects.shared().is_some()
    }

    /// Removes all copies, because another node has removed all data; those in use go when they are no longer used.
    pub fn remove_copies(&self) {
        if self.has_shared_objects() {
            self.objects.remove(self.objects.folders());
        }
    }

    /// Removes the copies of repositories that other nodes have deleted.
    pub fn remove_deleted_copies(&self) -> io::Result<()> {
        if self.has_shared_objects() {
            // A repository can be created after the list of all was read, but then its folder is not in the list of folders.
            let folders = self.objects.folders();
            let ids = self.repository_ids()?;
            self.objects.remove(folders.into_iter().filter(|id| !ids.contains(id)).collect());
        }
        Ok(())
    }

    fn repository_ids(&self) -> io::Result<HashSet<String>> {
        let ids = self.store.read(repository::all_ids).map_err(io::Error::other)?;
        Ok(ids.into_iter().collect())
    }

    /// Opens the objects of a repository for work that no call has asked for; `None` if it has none, or does not exist.
    pub(crate) fn existing_objects(&self, repository_id: &str) -> io::Result<Option<Arc<git::Repository>>> {
        let is_shared = self.has_shared_objects();
        let exists = || {
            let exists = |transaction: &_| repository::exists(transaction, repository_id);
            if is_shared { self.store.read(exists).map_err(io::Error::other) } else { Ok(false) }
        };
        let Some(objects) = self.objects.get(repository_id, exists)? else { return Ok(None) };
        if is_shared {
            objects.refresh()?;
        }
        Ok(Some(objects))
    }
}

/// Notes that objects of a repository may have become unreachable.
pub(crate) fn mark_unreachable(
    transaction: &Transaction,
    objects: &Arc<git::Repository>,
    repository_id: &str,
    now: Timestamp,
) -> Result<(), store::Error> {
    if objects.is_copy() {
        return shared_objects::mark_unreachable(transaction, repository_id, now.millis() / 1_000);
    }
    let (objects, now) = (Arc::clone(objects), now.to_system_time());
    // If the note cannot be written, the objects are only pruned later.
    transaction.after_commit(move || drop(objects.mark_unreachable(now)));
    Ok(())
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
    pub(crate) fn keep_until_committed(self, transaction: &Transaction) {
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
