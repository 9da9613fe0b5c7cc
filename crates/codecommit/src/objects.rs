//! The folder in which repositories keep their objects, `ID/objects` for each.
//!
//! **Invariant:** a repository is open once at most, however many use it. A repository's folder is made when it gets its first object,
//! so that creating one costs no file. The folder of a deleted repository stays whole while somebody uses it, is removed after that,
//! and is never made again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

use git::CacheMemory;
use parking_lot::{Mutex, MutexGuard};

/// What is to be removed is first renamed to this, so that it is out of the way at once.
const REMOVED_PREFIX: &str = "removed-";

/// How many repositories stay open that nobody uses at the moment.
const OPEN_MAX: usize = 64;

pub(crate) struct Objects {
    folder: PathBuf,
    /// What is kept of the open ones.
    memory: CacheMemory,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_id: HashMap<String, Weak<git::Repository>>,
    /// Those that were used last, the last one at the end.
    recent: VecDeque<Recent>,
    /// The ids of deleted repositories that somebody still uses.
    deleted: HashSet<String>,
}

struct Recent {
    id: String,
    repository: Arc<git::Repository>,
    /// Whether it was not used since idle ones were closed.
    is_idle: bool,
}

impl Objects {
    /// Opens the folder and removes what is left of repositories that were deleted.
    ///
    /// What else is there and is not `owned` is left alone: a folder may meet another database than its own.
    pub(crate) fn open(
        folder: PathBuf,
        owned: &[String],
        deleted: &[String],
        memory: &CacheMemory,
    ) -> io::Result<Self> {
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", folder.display()));
        fs::create_dir_all(&folder).map_err(named)?;
        let [owned, deleted] = [owned, deleted].map(|ids| ids.iter().map(String::as_str).collect::<HashSet<_>>());
        for entry in fs::read_dir(&folder).map_err(named)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(REMOVED_PREFIX) || deleted.contains(&*name) {
                fs::remove_dir_all(entry.path()).map_err(named)?;
            } else if !owned.contains(&*name) {
                let path = entry.path();
                tracing::warn!(path = %path.display(), "this belongs to no repository of the database; it is left alone");
            }
        }
        Ok(Self { folder, memory: memory.clone(), open: Mutex::default() })
    }

    /// Lists the ids of repositories that may hold unreachable objects.
    pub(crate) fn with_unreachable(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let found = entries.filter(|entry| git::maintenance::has_unreachable(&entry.path()));
        found.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Opens a repository's objects, making their folder if it is not there; `None` if the repository was deleted.
    ///
    /// `exists` tells whether it is in the database. It is asked while no folder can be removed, so that none is made for a
    /// repository that is being deleted.
    pub(crate) fn get<E: From<io::Error>>(
        &self,
        id: &str,
        exists: impl FnOnce() -> Result<bool, E>,
    ) -> Result<Option<Arc<git::Repository>>, E> {
        let mut open = self.lock();
        if open.deleted.contains(id) {
            return Ok(None);
        }
        if let Some(repository) = open.by_id.get(id).and_then(Weak::upgrade) {
            open.used(id, &repository);
            return Ok(Some(repository));
        }
        let path = self.folder.join(id);
        if !path.is_dir() && !exists()? {
            return Ok(None);
        }
        let repository = Arc::new(git::Repository::open_or_create_with(&path, &self.memory)?);
        for pack in repository.reindexed_packs() {
            tracing::warn!(pack = %pack.display(), "a pack had lost its index, which was made again");
        }
        for (index, reason) in repository.unusable_packs() {
            tracing::warn!(pack = %index.display(), reason, "a pack cannot be used; its objects are missing");
        }
        open.used(id, &repository);
        Ok(Some(repository))
    }

    /// Closes the repositories that were not used since this was called last, as soon as nobody uses them.
    pub(crate) fn close_idle(&self) {
        let mut open = self.lock();
        let (idle, used): (VecDeque<_>, _) =
            std::mem::take(&mut open.recent).into_iter().partition(|recent| recent.is_idle);
        open.recent = used;
        for recent in &mut open.recent {
            recent.is_idle = true;
        }
        drop(open);
        // Unmapping packs takes a while.
        drop(idle);
        let mut open = self.lock();
        open.by_id.retain(|_, repository| repository.strong_count() > 0);
    }

    /// Opens a repository's objects, if it has a folder for them.
    pub(crate) fn existing(&self, id: &str) -> io::Result<Option<Arc<git::Repository>>> {
        self.get(id, || Ok(false))
    }

    /// Removes the objects of deleted repositories, each once nobody uses it any more.
    pub(crate) fn remove(self: &Arc<Self>, ids: Vec<String>) {
        let mut unused = Vec::new();
        for id in ids {
            let mut open = self.lock();
            let closed = open.forget(&id);
            if let Some(repository) = git::Repository::opened(&self.folder.join(&id)) {
                open.deleted.insert(id.clone());
                drop(open);
                let objects = Arc::clone(self);
                repository.on_close(move || objects.remove_closed(&id));
            } else {
                unused.extend(self.set_aside(&id));
            }
            // The last one to use it may be this one, and then its folder is set aside, which takes the lock.
            drop(closed);
        }
        remove_folders(unused);
    }

    /// Removes the objects of a deleted repository that nobody uses any more.
    fn remove_closed(&self, id: &str) {
        let mut open = self.lock();
        let path = self.set_aside(id);
        open.deleted.remove(id);
        drop(open);
        remove_folders(path.into_iter().collect());
    }

    /// Renames a folder that is to be removed; the lock is held, so that nobody opens it meanwhile.
    fn set_aside(&self, id: &str) -> Option<PathBuf> {
        let path = self.folder.join(format!("{REMOVED_PREFIX}{id}"));
        // Otherwise it never had objects. Were it another failure, the next start removes the folder.
        fs::rename(self.folder.join(id), &path).is_ok().then_some(path)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock()
    }
}

/// Removes folders on a thread of its own: nobody who waits for a commit must wait for large folders too.
fn remove_folders(folders: Vec<PathBuf>) {
    if folders.is_empty() {
        return;
    }
    let spawned = std::thread::Builder::new().name("remover".to_owned()).spawn(move || {
        for path in folders {
            if let Err(error) = fs::remove_dir_all(&path) {
                tracing::warn!(%error, path = %path.display(), "a deleted repository's objects stay until the next start");
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "deleted repositories' objects stay until the next start");
    }
}

impl Open {
    fn used(&mut self, id: &str, repository: &Arc<git::Repository>) {
        if let Some(last) = self.recent.back_mut().filter(|last| last.id == id) {
            last.is_idle = false;
            return;
        }
        self.by_id.insert(id.to_owned(), Arc::downgrade(repository));
        self.recent.retain(|known| known.id != id);
        self.recent.push_back(Recent { id: id.to_owned(), repository: Arc::clone(repository), is_idle: false });
        if self.recent.len() > OPEN_MAX {
            self.recent.pop_front();
            self.by_id.retain(|_, repository| repository.strong_count() > 0);
        }
    }

    /// Forgets a repository, and gives what kept it open.
    fn forget(&mut self, id: &str) -> Option<Arc<git::Repository>> {
        self.by_id.remove(id);
        let recent = self.recent.iter().position(|known| known.id == id);
        recent.and_then(|number| self.recent.remove(number)).map(|recent| recent.repository)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_deleted_is_removed() {
        let folder = tempfile::tempdir().expect("there is room");
        for name in ["kept", "deleted", "removed-earlier", "of another"] {
            fs::create_dir_all(folder.path().join(name).join("objects")).expect("a new folder");
        }
        fs::write(folder.path().join("a file"), "").expect("a writable folder");
        Objects::open(folder.path().to_owned(), &["kept".to_owned()], &["deleted".to_owned()], &CacheMemory::default())
            .expect("a folder");
        let names = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("readable").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["a file", "kept", "of another"]);
    }

    fn open(folder: &std::path::Path) -> Objects {
        Objects::open(folder.to_owned(), &[], &[], &CacheMemory::default()).expect("a new folder")
    }

    /// The repository with this id, which is in the database.
    fn get(objects: &Objects, id: &str) -> Arc<git::Repository> {
        objects.get::<io::Error>(id, || Ok(true)).expect("it is made").expect("it is not deleted")
    }

    #[test]
    fn a_repository_in_use_is_open_once_and_idle_ones_are_closed() {
        let folder = tempfile::tempdir().expect("there is room");
        let objects = open(&folder.path().join("repositories"));
        let used = get(&objects, "used");
        let idle = Arc::downgrade(&get(&objects, "idle"));
        for number in 0..OPEN_MAX {
            get(&objects, &number.to_string());
        }
        assert!(Arc::ptr_eq(&used, &get(&objects, "used")));
        assert_eq!(idle.strong_count(), 0);
    }

    #[test]
    fn a_deleted_repository_is_whole_for_who_uses_it_and_gone_after_that() {
        let folder = tempfile::tempdir().expect("there is room");
        let objects = Arc::new(open(folder.path()));
        let used = get(&objects, "used");
        let hold = used.use_objects();
        objects.remove(vec!["used".to_owned()]);
        let blob = git::Object { kind: git::Kind::Blob, data: b"content".to_vec() };
        let ids = used.add(&[blob], &hold, false).expect("the folder is there");
        assert_eq!(used.kind(&ids[0]).expect("it is readable"), Some(git::Kind::Blob));
        assert!(objects.get::<io::Error>("used", || Ok(true)).expect("it is asked").is_none(), "nobody else gets it");
        assert!(objects.existing("used").expect("it is asked").is_none());
        drop(hold);
        drop(used);
        let begun = std::time::Instant::now();
        while fs::read_dir(folder.path()).expect("a folder").next().is_some() {
            assert!(begun.elapsed().as_secs() < 60, "the folder stays");
            std::thread::yield_now();
        }
    }

    #[test]
    fn no_folder_is_made_for_what_is_not_in_the_database() {
        let folder = tempfile::tempdir().expect("there is room");
        let objects = open(folder.path());
        assert!(objects.get::<io::Error>("deleted", || Ok(false)).expect("it is asked").is_none());
        assert!(fs::read_dir(folder.path()).expect("a folder").next().is_none());
    }

    #[test]
    fn what_is_not_used_for_a_while_is_closed() {
        let folder = tempfile::tempdir().expect("there is room");
        let objects = open(folder.path());
        let (idle, used) = (Arc::downgrade(&get(&objects, "idle")), Arc::downgrade(&get(&objects, "used")));
        objects.close_idle();
        assert_eq!((idle.strong_count(), used.strong_count()), (1, 1));
        drop(get(&objects, "used"));
        objects.close_idle();
        assert_eq!((idle.strong_count(), used.strong_count()), (0, 1));
        objects.close_idle();
        assert_eq!(used.strong_count(), 0);
        assert!(objects.lock().by_id.is_empty());
    }
}
