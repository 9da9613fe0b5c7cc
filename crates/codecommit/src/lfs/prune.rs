//! Removal of large files that no file of the repository names.
//!
//! An object is removed if no pointer to it is among the repository's Git objects, reachable or not, and no client has sent it, or
//! asked whether it must, for the age at which Git objects are pruned.

use std::collections::HashSet;

use aws::Timestamp;
use git::Interrupt;

use crate::lfs::pointer::POINTER_BYTES_MAX;
use crate::lfs::row::ObjectRow;
use crate::lfs::{LfsObject, LfsObjectId, Pointer, row};
use crate::{CodeCommit, Exception};

/// What a removal of unused large files did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LfsPruned {
    /// Removed objects.
    pub objects: usize,
    /// Their size in bytes.
    pub bytes: u64,
    /// Removed files that belonged to no object, because their upload failed at its end.
    pub files: usize,
}

impl CodeCommit {
    /// Lists the repositories that have large files.
    pub fn repositories_with_lfs(&self) -> Result<Vec<String>, Exception> {
        Ok(self.store.read(row::repositories)?)
    }

    /// Removes the large files of a repository that were not used since a time and that no pointer names.
    pub fn prune_lfs(
        &self,
        repository_id: &str,
        unused_since: Timestamp,
        interrupt: Interrupt,
    ) -> Result<LfsPruned, Exception> {
        let unused = self.store.read(|transaction| row::unused_since(transaction, repository_id, unused_since))?;
        let named = if unused.is_empty() { HashSet::new() } else { self.named_lfs_objects(repository_id, interrupt)? };
        let mut pruned = LfsPruned::default();
        for object in unused.into_iter().filter(|object| !named.contains(&object.id)) {
            if self.remove_unused_lfs(repository_id, object, unused_since)? {
                pruned.objects += 1;
                pruned.bytes += object.bytes;
            }
        }
        pruned.files = self.remove_stray_lfs(repository_id)?;
        Ok(pruned)
    }

    /// Returns the objects that pointers in the repository's Git objects name.
    fn named_lfs_objects(&self, repository_id: &str, interrupt: Interrupt) -> Result<HashSet<LfsObjectId>, Exception> {
        let mut named = HashSet::new();
        if let Some(objects) = self.existing_objects(repository_id)? {
            objects.interrupted_by(interrupt).small_blobs(POINTER_BYTES_MAX as u64, &mut |content| {
                named.extend(Pointer::parse(content).map(|pointer| pointer.object.id));
            })?;
        }
        Ok(named)
    }

    /// Removes an object, unless it was used meanwhile.
    fn remove_unused_lfs(&self, repository_id: &str, object: LfsObject, time: Timestamp) -> Result<bool, Exception> {
        let (id, object_id) = (repository_id.to_owned(), object.id);
        let removed = self.store.write(move |transaction| row::remove_unused(transaction, &id, &object, time))?;
        match &removed {
            Some(ObjectRow { file: Some(file), .. }) => self.lfs.remove(repository_id, file)?,
            Some(ObjectRow { file: None, .. }) => drop(self.remove_own_lfs(repository_id, object_id)?),
            None => {}
        }
        Ok(removed.is_some())
    }

    /// Removes files without a row, which a failure or a kill at the end of an upload or a removal leaves; returns their number.
    ///
    /// Those in the storage that several nodes share go with the packs there.
    fn remove_stray_lfs(&self, repository_id: &str) -> Result<usize, Exception> {
        let files = self.lfs.own().map_or(Ok(Vec::new()), |own| own.list(repository_id))?;
        let rows = self.store.read(|transaction| row::all(transaction, repository_id))?;
        let known: HashSet<LfsObjectId> = rows.into_iter().map(|object| object.id).collect();
        let mut removed = 0;
        for id in files.into_iter().filter(|id| !known.contains(id)) {
            removed += usize::from(self.remove_own_lfs(repository_id, id)?);
        }
        Ok(removed)
    }

    /// Removes a file of the only node, unless it belongs to an object, which an upload may have added meanwhile; returns whether it was
    /// removed.
    fn remove_own_lfs(&self, repository_id: &str, id: LfsObjectId) -> Result<bool, Exception> {
        let Some(own) = self.lfs.own() else { return Ok(false) };
        let (repository_id, remove) = (repository_id.to_owned(), own.removal(repository_id, &id));
        self.store.write(move |transaction| {
            let is_unused = row::find(transaction, &repository_id, &id)?.is_none();
            if is_unused {
                remove()?;
            }
            Ok(is_unused)
        })
    }
}
