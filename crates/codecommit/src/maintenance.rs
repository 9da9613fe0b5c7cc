//! When repositories need maintenance: whoever adds objects says so.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws::Call;
use git::maintenance::{Outcome, Upkeep};
use git::{Fsck, Interrupt, Object, ObjectId, ObjectsInUse, Unsound};

use crate::repository::Repository;
use crate::{CodeCommit, Exception, push};

/// Maintains repositories in the background; how is not the service's business.
pub trait Maintenance: Send + Sync {
    /// Hears that a repository may have got objects, so that maintenance may be due.
    fn wake(&self, repository_id: &str);
}

/// Wakes the maintenance of a repository when it is dropped: when a call that added objects is over.
pub struct Growth {
    repository_id: String,
    maintenance: Arc<dyn Maintenance>,
    has_grown: AtomicBool,
}

/// The objects of a repository for a call that adds some: none goes while it lives.
///
/// It is made before anything is looked up that the new objects name, and goes into the transaction that makes a reference
/// lead to them, with [`Writer::keep_until_committed`].
pub(crate) struct Writer {
    objects: Arc<git::Repository>,
    hold: ObjectsInUse,
    sync: bool,
    fsck: Fsck,
    growth: Growth,
}

impl CodeCommit {
    /// Says that a push may add objects to a repository for as long as the result lives.
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

    /// Opens the objects of a repository for a call that adds some.
    pub(crate) fn writer(&self, call: &Call, repository: &Repository) -> Result<Writer, Exception> {
        self.objects(call, repository).map(|objects| self.writer_of(objects, repository))
    }

    /// Opens the objects of a repository for a call that adds some, and that ends when a merge would be given up.
    pub(crate) fn bounded_writer(&self, call: &Call, repository: &Repository) -> Result<Writer, Exception> {
        self.bounded_objects(call, repository).map(|objects| self.writer_of(objects, repository))
    }

    fn writer_of(&self, objects: Arc<git::Repository>, repository: &Repository) -> Writer {
        let hold = objects.use_objects();
        let (sync, fsck) = (self.settings.sync, self.settings.fsck.clone());
        Writer { objects, hold, sync, fsck, growth: self.growth_if(repository, false) }
    }

    /// Does the maintenance of a repository's objects that is due, while others use them.
    pub fn maintain(&self, repository_id: &str, upkeep: &Upkeep) -> io::Result<Outcome> {
        let Some(objects) = self.objects.existing(repository_id)? else { return Ok(Outcome::default()) };
        let objects = objects.interrupted_by(Interrupt::on([Arc::clone(&upkeep.stop)]));
        let mut tips =
            || self.store.read(|transaction| push::targets(transaction, repository_id)).map_err(io::Error::other);
        let outcome = objects.maintain(&mut tips, upkeep)?;
        objects.chart()?;
        Ok(outcome)
    }

    /// Lists the ids of repositories that may hold objects which no reference leads to, and need maintenance from time to time.
    pub fn with_unreachable_objects(&self) -> Vec<String> {
        self.objects.with_unreachable()
    }
}

impl Writer {
    pub(crate) fn objects(&self) -> &Arc<git::Repository> {
        &self.objects
    }

    /// Adds objects; those that no push could bring are refused, as Git's own clients would not take them.
    pub(crate) fn add(&self, objects: &[Object]) -> Result<Vec<ObjectId>, Exception> {
        self.fsck.check_new(objects, &mut self.objects.reader()).map_err(|unsound| match unsound {
            Unsound::Fault(fault) => Exception::UnsoundObject { fault },
            Unsound::Unreadable(error) => error.into(),
        })?;
        self.growth.has_grown.store(true, Ordering::Relaxed);
        Ok(self.objects.add(objects, &self.hold, self.sync)?)
    }

    /// Keeps all objects in place until the transaction is committed or rolled back.
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
