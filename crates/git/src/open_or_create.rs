//! Opening a repository that is this process's own, laid out first if it is not there.

mod reindex;

use std::{fs, io, path::Path};

use crate::{Repository, cache_memory::CacheMemory, staging};
use reindex::reindex;

/// Without a repository format that knows extensions, Git would ignore that the objects are precious.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n\
                      [extensions]\n\tpreciousObjects = true\n";

impl Repository {
    /// Opens the repository in the folder `path`, and lays it out first if it is not there.
    ///
    /// The folder is this process's alone: what a killed one left of its pushes and of its upkeep is removed. A pack that
    /// has lost its index gets it again; see [`Repository::reindexed_packs`].
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
        Self::open_or_create_with(path, &CacheMemory::default())
    }

    /// As [`Repository::open_or_create`]; what is found out about the repository is kept in `memory`.
    pub fn open_or_create_with(path: &Path, memory: &CacheMemory) -> io::Result<Self> {
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
            // Another user of it may be receiving a push, so nothing is swept.
            repository.refresh()?;
            return Ok(repository);
        }
        let orphans = staging::sweep(&fs::canonicalize(path.join("objects"))?)?;
        let repository = Self::open_with(path, memory)?;
        for pack in orphans {
            let outcome = reindex(&repository, &pack);
            repository.note_orphan(pack, outcome);
        }
        Ok(repository)
    }
}

#[cfg(test)]
mod tests {
    use gix::ObjectId;

    use super::*;
    use crate::{Error, staging::Staging};

    #[test]
    fn a_repository_is_laid_out_once() {
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
    fn opening_again_leaves_what_is_being_pushed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let staging = Staging::create(repository.objects()).expect("a writable folder");
        Repository::open_or_create(folder.path()).expect("the same repository");
        assert!(staging.path().is_dir());
    }
}
