//! Opens a repository that only this process uses, and creates it if it does not exist.

mod reindex;

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Repository, cache_memory::CacheMemory, shared_packs::SharedPacks, staging};
use reindex::reindex;

/// Git ignores `preciousObjects` in repository formats without extensions.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n\
                      [extensions]\n\tpreciousObjects = true\n";

impl Repository {
    /// Opens the repository in the folder `path`; creates it if it does not exist.
    ///
    /// No other process may use the folder: the remains of interrupted pushes and maintenance are removed. The index of a
    /// pack that has lost it is recreated; see [`Repository::reindexed_packs`].
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
        Self::open_or_create_with(path, &CacheMemory::default())
    }

    /// As [`Repository::open_or_create`], with the memory of the repository's caches.
    pub fn open_or_create_with(path: &Path, memory: &CacheMemory) -> io::Result<Self> {
        let (repository, orphans) = Self::open_swept(path, memory, None)?;
        for pack in orphans {
            let outcome = reindex(&repository, &pack);
            repository.note_orphan(pack, outcome);
        }
        Ok(repository)
    }

    /// Opens the copy of a repository whose packs several nodes share; creates its folder if it does not exist.
    ///
    /// [`Repository::follow`] brings it up to date.
    pub fn open_or_create_copy(path: &Path, memory: &CacheMemory, packs: Arc<dyn SharedPacks>) -> io::Result<Self> {
        // A pack that has lost its index is fetched again, or is not in the list.
        Ok(Self::open_swept(path, memory, Some(packs))?.0)
    }

    /// Opens the repository and removes the remains of interrupted work; returns the packs that have lost their indices, too.
    fn open_swept(
        path: &Path,
        memory: &CacheMemory,
        packs: Option<Arc<dyn SharedPacks>>,
    ) -> io::Result<(Self, Vec<PathBuf>)> {
        for folder in ["objects/pack", "objects/info", "refs/heads", "refs/tags"] {
            fs::create_dir_all(path.join(folder))?;
        }
        for (name, content) in [("HEAD", "ref: refs/heads/main\n"), ("config", CONFIG)] {
            match fs::File::create_new(path.join(name)) {
                Ok(mut file) => io::Write::write_all(&mut file, content.as_bytes())?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        if let Some(repository) = Self::opened(path) {
            // Another user may be receiving a push, so nothing is removed.
            if packs.is_none() {
                repository.refresh()?;
            }
            return Ok((repository, Vec::new()));
        }
        let orphans = staging::sweep(&fs::canonicalize(path.join("objects"))?)?;
        Ok((Self::open_with(path, memory, packs)?, orphans))
    }
}

#[cfg(test)]
mod tests {
    use gix::ObjectId;

    use super::*;
    use crate::{Error, staging::Staging};

    #[test]
    fn an_existing_repository_is_not_changed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r");
        assert_eq!(Repository::open(&path).err().expect("no repository yet").kind(), io::ErrorKind::NotFound);
        let repository = Repository::open_or_create(&path).expect("a new repository");
        fs::write(path.join("HEAD"), "ref: refs/heads/other\n").expect("a writable folder");
        Repository::open_or_create(&path).expect("the same repository");
        assert_eq!(fs::read(path.join("HEAD")).expect("a head"), b"ref: refs/heads/other\n");
        let id = ObjectId::from_bytes_or_panic(&[7; 20]);
        assert_eq!(repository.kind(&id).expect("readable"), None);
        assert_eq!(repository.find(&id).expect("readable"), None);
        let missing = repository.peel(&id).expect_err("there is no such object");
        let named = fs::canonicalize(&path).expect("a folder");
        assert!(matches!(&missing, Error::Missing { repository, .. } if *repository == named), "{missing}");
        assert!(missing.to_string().ends_with(&named.display().to_string()), "{missing}");
    }

    #[test]
    fn opening_again_does_not_remove_a_running_push() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let staging = Staging::create(repository.objects()).expect("a writable folder");
        Repository::open_or_create(folder.path()).expect("the same repository");
        assert!(staging.path().is_dir());
    }
}
