//! The CodeCommit service: its operations by resource, and the one door through which references move.
//!
//! **Invariant:** nothing here knows HTTP, signatures or events, and no reference moves but through [`push`].

#![warn(unreachable_pub)]

mod approval;
mod approval_rule;
mod approval_rule_template;
pub mod archive;
mod authorship;
pub mod branch;
mod comment;
mod commit;
mod encryption_key;
pub mod exception;
mod file;
mod maintenance;
mod merge;
mod mode;
mod name;
mod objects;
mod operations;
mod page;
mod path;
mod pull_request;
pub mod push;
mod ref_updates;
mod reference;
mod relations;
pub mod repository;
mod request_token;
mod schema;
pub mod settings;
mod slots;
mod snapshots;
mod specifier;
mod tag;
mod tree;
pub mod trigger;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use aws::{Call, Operation, TaggedResource};
use git::{CacheMemory, Cached, Interrupt};
use store::{Store, Transaction};

use crate::archive::Archives;
pub use crate::exception::Exception;
use crate::file::Histories;
pub use crate::maintenance::{Growth, Maintenance};
use crate::objects::Objects;
pub use crate::ref_updates::{Answers, RefUpdates};
pub use crate::settings::Settings;
use crate::snapshots::{Snapshot, Snapshots};
use crate::trigger::delivery::Courier;

/// The wire's name of the service: the part of `X-Amz-Target` before the operation.
pub const TARGET_PREFIX: &str = "CodeCommit_20150413";

/// `eventSource` in records of its calls.
pub const EVENT_SOURCE: &str = "codecommit.amazonaws.com";

/// `apiVersion` in records of its API calls.
pub const API_VERSION: &str = "2015-04-13";

/// The service.
pub struct CodeCommit {
    store: Arc<Store>,
    objects: Arc<Objects>,
    snapshots: Snapshots,
    histories: Histories,
    /// The memory of all caches.
    memory: CacheMemory,
    maintenance: Arc<dyn Maintenance>,
    courier: Arc<dyn Courier>,
    archives: Arc<dyn Archives>,
    settings: Settings,
}

/// What a writing handler leaves to be done inside the transaction.
type Change<O> = aws::operation::Change<Transaction, O, Exception>;

impl CodeCommit {
    /// Opens the service over a store and the folder of the repositories' objects.
    ///
    /// What is left of repositories that were deleted is removed. Git clients are told what `git` offers.
    pub fn open(
        store: Arc<Store>,
        folder: PathBuf,
        maintenance: Arc<dyn Maintenance>,
        courier: Arc<dyn Courier>,
        archives: Arc<dyn Archives>,
        git: git::Options,
        settings: Settings,
    ) -> io::Result<Self> {
        store.migrate("codecommit", schema::STEPS).map_err(io::Error::other)?;
        let owned = store.read(repository::all_ids).map_err(io::Error::other)?;
        let deleted = store.read(repository::deleted_ids).map_err(io::Error::other)?;
        let memory = CacheMemory::new(settings.cache_bytes);
        let objects = Arc::new(Objects::open(folder, &owned, &deleted, &memory)?);
        if !deleted.is_empty() {
            store.write(repository::forget_deleted).map_err(io::Error::other)?;
        }
        Ok(Self {
            store,
            objects,
            snapshots: Snapshots::new(&memory, git),
            histories: Histories::new(&memory),
            memory,
            maintenance,
            courier,
            archives,
            settings,
        })
    }

    /// Finds an operation by its name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::TABLE.iter().find(|operation| operation.name == name)
    }

    /// Lists the repositories of the call's account and region that have tags or once had some.
    pub fn tagged(&self, call: &Call) -> Result<Vec<TaggedResource>, store::Error> {
        self.store.read(|transaction| tag::tagged(transaction, call))
    }

    /// Tells which keys have values that the simulated tag policy does not allow.
    pub fn noncompliant_tags(&self, tags: &BTreeMap<String, String>) -> Vec<String> {
        self.settings.simulate.noncompliant(tags)
    }

    /// Finds the repository that a Git request is about.
    pub fn repository(&self, call: &Call, name: &str) -> Result<repository::Repository, Exception> {
        self.find(call, &name::RepositoryName::parse(Some(name.to_owned()))?)
    }

    /// Takes a snapshot of a repository's references.
    pub fn references(&self, repository: &repository::Repository) -> Result<Arc<git::References>, Exception> {
        Ok(Arc::clone(&self.snapshot(repository)?.references))
    }

    /// Tells what clients are told first of a repository.
    pub fn advertise(
        &self,
        repository: &repository::Repository,
        service: git::Service,
        version: git::Version,
    ) -> Result<Arc<Vec<u8>>, Exception> {
        Ok(self.snapshots.advertise(&*self.snapshot(repository)?, service, version))
    }

    /// Opens the objects of a repository; an empty repository has none on disk yet, and then their folder is made.
    ///
    /// Work on them ends early if the call's client is gone, or if the server stops.
    pub fn objects(&self, call: &Call, repository: &repository::Repository) -> Result<Arc<git::Repository>, Exception> {
        let exists =
            || Ok::<_, Exception>(self.store.read(|transaction| repository::exists(transaction, &repository.id))?);
        let objects = self.objects.get(&repository.id, exists)?;
        let objects = objects.ok_or_else(|| Exception::RepositoryDoesNotExist { name: repository.name.clone() })?;
        Ok(Arc::new(objects.interrupted_by(Interrupt::on(call.interrupts.iter().cloned()))))
    }

    /// Opens the objects of a repository for work that can take long, and that ends when a merge would be given up.
    fn bounded_objects(
        &self,
        call: &Call,
        repository: &repository::Repository,
    ) -> Result<Arc<git::Repository>, Exception> {
        let objects = self.objects(call, repository)?;
        let interrupt = objects.interrupt().or_after(self.settings.merge.time);
        Ok(Arc::new(objects.interrupted_by(interrupt)))
    }

    /// Releases the memory, and closes the repositories, that were not used since this was called last.
    pub fn release_idle(&self) {
        self.objects.close_idle();
        self.memory.release_idle();
    }

    /// Forgets everything.
    pub fn reset(&self) -> Result<(), Exception> {
        let objects = Arc::clone(&self.objects);
        self.store.write(move |transaction| {
            let ids = repository::all_ids(transaction)?;
            transaction.execute("INSERT INTO deletions (repository_id) SELECT id FROM repositories", &[])?;
            transaction.execute("DELETE FROM repositories", &[])?;
            transaction.execute("DELETE FROM approval_rule_templates", &[])?;
            transaction.execute("DELETE FROM places", &[])?;
            transaction.execute("DELETE FROM trigger_deliveries", &[])?;
            transaction.after_commit(move || objects.remove(ids));
            Ok(())
        })
    }

    fn snapshot(&self, repository: &repository::Repository) -> Result<Arc<Cached<Snapshot>>, Exception> {
        self.snapshots.get(repository, || self.store.read(|transaction| push::references(transaction, repository)))
    }

    /// Finds a repository of the call's account and region whose encryption key can be used.
    fn find(&self, call: &Call, name: &name::RepositoryName) -> Result<repository::Repository, Exception> {
        let repository = self.store.read(|transaction| repository::get_row(transaction, call, name))?;
        self.settings.simulate.check_key(call, &repository.kms_key_id)?;
        Ok(repository)
    }
}
