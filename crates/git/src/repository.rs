//! The objects of one repository, in Git's own layout.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use gix::{ObjectId, hash::oid, odb::loose};

use crate::{Error, Kind, Object, pack::Pack, reader::Reader, staging};

/// The objects of one repository; cheap to clone, shared by threads.
///
/// **Invariant:** the list of packs only grows; readers keep the packs that they began with.
#[derive(Clone)]
pub struct Repository(Arc<Shared>);

struct Shared {
    objects: PathBuf,
    packs: RwLock<Arc<[Arc<Pack>]>>,
    loose: Arc<[loose::Store]>,
}

/// Without a repository format that knows extensions, Git would ignore that the objects are precious.
const CONFIG: &str = "[core]\n\trepositoryformatversion = 1\n\tfilemode = true\n\tbare = true\n\
                      [extensions]\n\tpreciousObjects = true\n";

impl Repository {
    /// Opens the repository in the folder `path`, and lays it out first if it is not there.
    ///
    /// Removes what a killed process left of its pushes.
    pub fn open_or_create(path: &Path) -> io::Result<Self> {
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
        let repository = Self::open(path)?;
        staging::sweep(&repository.0.objects)?;
        Ok(repository)
    }

    /// Opens the repository in the folder `path`; [`io::ErrorKind::NotFound`] if there is none.
    pub fn open(path: &Path) -> io::Result<Self> {
        let objects = fs::canonicalize(path.join("objects"))?;
        let alternates = gix::odb::alternate::resolve(objects.clone(), Path::new("/")).map_err(io::Error::other)?;
        let folders: Vec<_> = std::iter::once(objects.clone()).chain(alternates).collect();
        let mut packs = Vec::new();
        for folder in &folders {
            packs.extend(packs_in(&folder.join("pack"))?);
        }
        let loose = folders.into_iter().map(|folder| loose::Store::at(folder, gix::hash::Kind::Sha1)).collect();
        Ok(Self(Arc::new(Shared { objects, packs: RwLock::new(packs.into()), loose })))
    }

    /// Tells an object's kind; nothing if there is no such object.
    pub fn kind(&self, id: &oid) -> Result<Option<Kind>, Error> {
        self.reader().kind(id)
    }

    /// Reads an object; nothing if there is no such object.
    pub fn find(&self, id: &oid) -> Result<Option<Object>, Error> {
        let mut data = Vec::new();
        Ok(self.reader().read(id, &mut data)?.map(|kind| Object { kind, data }))
    }

    /// Follows annotated tags, and tags of tags, to what they name; gives any other object as it is.
    pub fn peel(&self, id: &oid) -> Result<ObjectId, Error> {
        self.reader().peel(id).map(|(id, _)| id)
    }

    /// Makes a reader of the objects that are there now.
    pub(crate) fn reader(&self) -> Reader {
        let packs = Arc::clone(&self.0.packs.read().unwrap_or_else(PoisonError::into_inner));
        Reader::new(packs, Arc::clone(&self.0.loose))
    }

    /// Gives the folder that holds the objects.
    pub(crate) fn objects(&self) -> &Path {
        &self.0.objects
    }

    /// Shows a pack that was put into the folder to readers to come.
    pub(crate) fn publish(&self, index_path: &Path) -> io::Result<()> {
        let pack = Arc::new(Pack::open(index_path)?);
        let mut packs = self.0.packs.write().unwrap_or_else(PoisonError::into_inner);
        if packs.iter().all(|known| known.data.path() != pack.data.path()) {
            *packs = std::iter::once(pack).chain(packs.iter().cloned()).collect();
        }
        Ok(())
    }
}

/// Opens all packs of a folder, the newest first.
fn packs_in(folder: &Path) -> io::Result<Vec<Arc<Pack>>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "idx") && path.with_extension("pack").exists() {
            paths.push((fs::metadata(&path)?.modified()?, path));
        }
    }
    paths.sort_unstable_by(|one, other| other.cmp(one));
    paths.iter().map(|(_, path)| Pack::open(path).map(Arc::new)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_laid_out_once() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("r");
        assert_eq!(Repository::open(&path).err().expect("no repository yet").kind(), io::ErrorKind::NotFound);
        let repository = Repository::open_or_create(&path).expect("a new repository");
        fs::write(path.join("HEAD"), "ref: refs/heads/other\n").expect("a writable folder");
        Repository::open_or_create(&path).expect("the same repository");
        assert_eq!(fs::read(path.join("HEAD")).expect("a head"), b"ref: refs/heads/other\n");
        let id = ObjectId::empty_tree(gix::hash::Kind::Sha1);
        assert_eq!(repository.kind(&id).expect("readable"), None);
        assert_eq!(repository.find(&id).expect("readable"), None);
        assert!(matches!(repository.peel(&id), Err(Error::Missing(_))));
    }
}
