//! The CodeCommit service: its operations by resource, and the reference transactions through which all references change.
//!
//! **Invariant:** nothing here knows HTTP, signatures or events, and references change in `ref_transaction` only.

#![warn(unreachable_pub)]

mod ancestry_cache;
mod approval;
mod approval_rule;
mod approval_rule_template;
pub mod archive;
mod authorship;
mod branch;
mod column;
mod comment;
mod commit;
mod encryption_key;
mod event_bridge;
mod exception;
pub mod export;
mod file;
pub mod lfs;
mod maintenance;
mod merge;
mod mode;
pub mod moving;
mod name;
mod objects;
pub mod objects_id;
mod operations;
mod page;
mod path;
mod pull_request;
mod push;
mod ref_cache;
mod ref_edit;
mod ref_query;
mod ref_transaction;
mod reference;
pub mod repository;
mod request_token;
mod schema;
pub mod settings;
mod shared_objects;
mod slots;
mod specifier;
mod tag;
mod tree;
pub mod trigger;
mod wake;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use aws::permission::RESOURCE_TAG;
use aws::{Call, Operation, TaggedResource};
use git::{CacheMemory, Cached, Interrupt};
use store::{Store, Transaction};

use crate::archive::Archives;
pub use crate::event_bridge::{BusPosition, StoredBusEvent};
pub use crate::exception::Exception;
use crate::file::FileHistoryCache;
use crate::lfs::LfsStorage;
pub use crate::maintenance::{Growth, Maintenance};
use crate::name::RepositoryName;
use crate::objects::Objects;
pub use crate::pull_request::PastPullRequest;
pub use crate::push::{CommandResults, PreparedPush};
use crate::ref_cache::{RefCache, RefSnapshot};
pub use crate::ref_edit::ChangedReference;
use crate::repository::Repository;
pub use crate::settings::Settings;
use crate::shared_objects::{FolderStorage, SharedObjects, Storage};
use crate::trigger::delivery::TriggerSender;
pub use crate::wake::Wake;

/// Name of the service on the wire: the part of `X-Amz-Target` before the operation.
pub const TARGET_PREFIX: &str = "CodeCommit_20150413";

/// `eventSource` in the records of its calls.
pub const EVENT_SOURCE: &str = "codecommit.amazonaws.com";

/// `apiVersion` in the records of its API calls.
pub const API_VERSION: &str = "2015-04-13";

/// The service.
pub struct CodeCommit {
    store: Arc<Store>,
    objects: Arc<Objects>,
    lfs: LfsStorage,
    ref_cache: RefCache,
    file_histories: FileHistoryCache,
    /// Memory that all caches share.
    memory: CacheMemory,
    maintenance: Arc<dyn Maintenance>,
    trigger_sender: Arc<dyn TriggerSender>,
    archives: Arc<dyn Archives>,
    settings: Settings,
}

/// Second half of a writing handler, which runs inside the transaction.
type Change<O> = aws::operation::Change<Transaction, O, Exception>;

/// Creates the tables of the service, or changes those of an older version.
pub fn migrate(store: &Store) -> Result<(), store::Error> {
    store.migrate("codecommit", schema::STEPS)
}

impl CodeCommit {
    /// Opens the service over a store and the folder of the repositories' objects, or of their copies on this node.
    ///
    /// Removes what is left of deleted repositories, and of uploads of large files, whose folder is beside that of the objects. `git` holds the capabilities that are advertised to Git clients.
    pub fn open(
        store: Arc<Store>,
        folder: PathBuf,
        maintenance: Arc<dyn Maintenance>,
        trigger_sender: Arc<dyn TriggerSender>,
        archives: Arc<dyn Archives>,
        git: git::Options,
        settings: Settings,
    ) -> io::Result<Self> {
        migrate(&store).map_err(io::Error::other)?;
        let owned = store.read(repository::all_ids).map_err(io::Error::other)?;
        let deleted = store.read(repository::deleted_ids).map_err(io::Error::other)?;
        let data = folder.parent().unwrap_or(&folder);
        let storage = settings.shared.as_ref().map(|shared| shared_objects::open_storage(shared, data)).transpose()?;
        if store.is_remote() {
            // Without a storage that is shared, the objects are in one of the folders there.
            let own = || Ok(Arc::new(FolderStorage::open(data)?) as Arc<dyn Storage>);
            objects_id::tie(&store, &storage.clone().map_or_else(own, Ok::<_, io::Error>)?, data)?;
        }
        let memory = CacheMemory::new(settings.cache_bytes);
        let lfs = LfsStorage::open(folder.clone(), storage.clone(), settings.sync)?;
        let shared = storage.map(|storage| SharedObjects::new(Arc::clone(&store), storage));
        let objects = Arc::new(Objects::open(folder, shared, &owned, &deleted, &memory)?);
        if !deleted.is_empty() {
            store.write(repository::forget_deleted).map_err(io::Error::other)?;
        }
        Ok(Self {
            store,
            objects,
            lfs,
            ref_cache: RefCache::new(&memory, git),
            file_histories: FileHistoryCache::new(&memory),
            memory,
            maintenance,
            trigger_sender,
            archives,
            settings,
        })
    }

    /// Lists the operations.
    pub fn operations() -> &'static [Operation<Self, Transaction>] {
        &operations::TABLE
    }

    /// Finds an operation by its name.
    pub fn operation(name: &str) -> Option<&'static Operation<Self, Transaction>> {
        operations::TABLE.iter().find(|operation| operation.name == name)
    }

    /// Lists the repositories of the call's account and region that have or had tags.
    pub fn tagged(&self, call: &Call) -> Result<Vec<TaggedResource>, store::Error> {
        self.store.read(|transaction| tag::tagged(transaction, call))
    }

    /// Returns the keys with values that the simulated tag policy does not allow.
    pub fn noncompliant_tags(&self, tags: &BTreeMap<String, String>) -> Vec<String> {
        self.settings.simulate.noncompliant(tags)
    }

    /// Finds the repository of a Git request.
    pub fn repository(&self, call: &Call, name: &str) -> Result<Repository, Exception> {
        self.find(call, &RepositoryName::parse(Some(name.to_owned()))?)
    }

    /// Returns the references of a repository.
    pub fn references(&self, repository: &Repository) -> Result<Arc<git::References>, Exception> {
        Ok(Arc::clone(&self.snapshot(repository)?.references))
    }

    /// Returns the reference advertisement of a repository, and the references that it has.
    pub fn advertise(
        &self,
        repository: &Repository,
        service: git::Service,
        version: git::Version,
    ) -> Result<(Arc<Vec<u8>>, Arc<git::References>), Exception> {
        let snapshot = self.snapshot(repository)?;
        Ok((self.ref_cache.advertise(&snapshot, service, version), Arc::clone(&snapshot.references)))
    }

    /// Opens the objects of a repository, creating their folder if it has none yet.
    ///
    /// Work on them is interrupted if the call's client disconnects or the server stops.
    pub fn objects(&self, call: &Call, repository: &Repository) -> Result<Arc<git::Repository>, Exception> {
        let exists =
            || Ok::<_, Exception>(self.store.read(|transaction| repository::exists(transaction, &repository.id))?);
        let objects = self.objects.get(&repository.id, exists)?;
        let objects = objects.ok_or_else(|| Exception::RepositoryDoesNotExist { name: repository.name.clone() })?;
        objects.follow(repository.packs_version)?;
        Ok(Arc::new(objects.interrupted_by(Interrupt::on(call.interrupts.iter().cloned()))))
    }

    /// Opens the objects of a repository for long work, which is interrupted at the time limit of merges.
    fn bounded_objects(&self, call: &Call, repository: &Repository) -> Result<Arc<git::Repository>, Exception> {
        let objects = self.objects(call, repository)?;
        let interrupt = objects.interrupt().or_after(self.settings.merge.time);
        Ok(Arc::new(objects.interrupted_by(interrupt)))
    }

    /// Releases cache memory and closes repositories that were not used since the last call.
    pub fn release_idle(&self) {
        self.objects.close_idle();
        self.memory.release_idle();
    }

    /// Deletes all data.
    pub fn reset(&self) -> Result<(), Exception> {
        let objects = Arc::clone(&self.objects);
        self.store.write(move |transaction| {
            let ids = repository::all_ids(transaction)?;
            transaction.execute(
                "INSERT INTO deletions (repository_id) SELECT id FROM repositories WHERE true ON CONFLICT DO NOTHING",
                &[],
            )?;
            if objects.shared().is_some() {
                ids.iter().try_for_each(|id| shared_objects::retire(transaction, id))?;
            }
            transaction.execute("DELETE FROM repositories", &[])?;
            transaction.execute("DELETE FROM approval_rule_templates", &[])?;
            transaction.execute("DELETE FROM places", &[])?;
            transaction.execute("DELETE FROM trigger_deliveries", &[])?;
            transaction.after_commit(move || objects.remove(ids));
            Ok::<_, Exception>(())
        })?;
        self.forget_absent()
    }

    /// Forgets the deleted repositories without a folder, so that a repository with the id of one of them can be created.
    fn forget_absent(&self) -> Result<(), Exception> {
        let deleted = self.store.read(repository::deleted_ids)?;
        let absent: Vec<_> = deleted.into_iter().filter(|id| !self.objects.has_folder(id)).collect();
        Ok(self.store.write(move |transaction| repository::forget(transaction, &absent))?)
    }

    /// Waits until no call uses a deleted repository; returns whether that is so in time.
    ///
    /// Until then, no repository with the id of a deleted one can be created.
    pub fn wait_for_removals(&self, timeout: Duration) -> bool {
        self.objects.wait_for_removals(timeout) && self.forget_absent().is_ok()
    }

    /// Returns whether there are repositories or approval rule templates, in any account and region.
    pub fn has_data(&self) -> Result<bool, store::Error> {
        self.store.read(|transaction| {
            let sql = "SELECT EXISTS (SELECT 1 FROM repositories) OR EXISTS (SELECT 1 FROM approval_rule_templates)";
            Ok(transaction.query_one(sql, &[], |row| row.integer(0))? == Some(1))
        })
    }

    fn snapshot(&self, repository: &Repository) -> Result<Arc<Cached<RefSnapshot>>, Exception> {
        self.ref_cache.get(repository, || self.store.read(|transaction| ref_query::snapshot(transaction, repository)))
    }

    /// Finds a repository of the call's account and region whose encryption key can be used.
    fn find(&self, call: &Call, name: &RepositoryName) -> Result<Repository, Exception> {
        let row = |transaction: &Transaction| repository::get_row(transaction, call, name);
        // Policies about tags take a second statement.
        let repository = if call.mentions(RESOURCE_TAG) { self.store.read(row) } else { self.store.read_once(row) }?;
        self.settings.simulate.check_key(call, &repository.kms_key_id)?;
        Ok(repository)
    }
}
