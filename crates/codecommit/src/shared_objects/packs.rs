//! The shared packs of one repository.

use std::io;
use std::path::Path;

use git::{NewPack, ObjectId, PackList, SharedPacks};
use store::{Error, Transaction};

use super::{EXTENSIONS, PACK_PREFIX, SharedObjects, row};
use crate::ref_query;

/// The packs of one repository, for its copy on this node.
pub(crate) struct RepositoryPacks {
    shared: SharedObjects,
    repository_id: String,
}

impl RepositoryPacks {
    pub(super) fn new(shared: SharedObjects, repository_id: String) -> Self {
        Self { shared, repository_id }
    }

    fn write<R: Send + 'static>(
        &self,
        change: impl FnOnce(&Transaction, &str) -> Result<R, Error> + Send + 'static,
    ) -> io::Result<R> {
        let id = self.repository_id.clone();
        self.shared.store.write(move |transaction| change(transaction, &id)).map_err(io::Error::other)
    }

    /// Returns the version of the list, or an error if the repository was deleted meanwhile.
    fn existing<T>(&self, version: Option<T>) -> io::Result<T> {
        let deleted = || io::Error::other(format!("the repository with the id {} was deleted", self.repository_id));
        version.ok_or_else(deleted)
    }
}

impl SharedPacks for RepositoryPacks {
    fn list(&self) -> io::Result<PackList> {
        let list = self.shared.store.read(|transaction| row::list(transaction, &self.repository_id));
        self.existing(list.map_err(io::Error::other)?)
    }

    fn add(&self, pack: &NewPack<'_>) -> io::Result<i64> {
        let row = row::PackRow {
            repository_id: self.repository_id.clone(),
            // The same pack can be stored, removed and stored again.
            file: format!("{PACK_PREFIX}{}-{}", pack.checksum, uuid::Uuid::new_v4().simple()),
        };
        let mut bytes = 0;
        for extension in EXTENSIONS {
            let file = pack.folder.join(extension);
            if let Ok(metadata) = file.metadata() {
                bytes += metadata.len();
                self.shared.storage.put(&row.key(extension), &file, pack.sync)?;
            }
        }
        let (checksum, is_cruft) = (pack.checksum, pack.is_cruft());
        self.existing(self.write(move |transaction, _| row::add(transaction, &row, &checksum, is_cruft, bytes))?)
    }

    fn fetch(&self, checksum: &ObjectId, folder: &Path) -> io::Result<()> {
        let found = self.shared.store.read(|transaction| row::find(transaction, &self.repository_id, checksum));
        let (row, is_cruft) = found.map_err(io::Error::other)?.ok_or(io::ErrorKind::NotFound)?;
        for extension in EXTENSIONS.iter().filter(|extension| is_cruft || **extension != "mtimes") {
            self.shared.storage.fetch(&row.key(extension), &folder.join(extension))?;
        }
        Ok(())
    }

    fn remove(&self, checksums: &[ObjectId]) -> io::Result<i64> {
        let checksums = checksums.to_vec();
        self.existing(self.write(move |transaction, id| row::remove(transaction, id, &checksums))?)
    }

    fn prune(
        &self,
        checksum: &ObjectId,
        version: i64,
        is_going: Box<dyn Fn(&ObjectId) -> bool + Send>,
    ) -> io::Result<Option<i64>> {
        let checksum = *checksum;
        self.write(move |transaction, id| {
            if row::version(transaction, id)? != Some(version)
                || ref_query::reachability_roots(transaction, id)?.iter().any(is_going)
            {
                return Ok(None);
            }
            transaction.note("UPDATE repositories SET prunes = prunes + 1 WHERE id = ?1", &[id.into()])?;
            row::remove(transaction, id, &[checksum])
        })
    }

    fn forget_unreachable(&self, since: u32) -> io::Result<()> {
        self.write(move |transaction, id| {
            transaction.note(
                "UPDATE repositories SET unreachable_since = NULL WHERE id = ?1 AND unreachable_since <= ?2",
                &[id.into(), i64::from(since).into()],
            )
        })
    }
}
