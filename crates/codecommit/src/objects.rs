//! Folder with the objects of all repositories, `ID/objects` for each; with several nodes, each has a folder with copies.
//!
//! **Invariant:** a repository is open at most once, however many calls use it. Its folder is created with its first object, so that
//! creating a repository costs no file. The folder of a deleted repository stays complete while a call uses it; then it is removed
//! and never created again.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use git::CacheMemory;
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::shared_objects::SharedObjects;

/// Prefix to which the folder of a deleted repository is renamed at once; its removal takes longer.
const REMOVED_PREFIX: &str = "removed-";

/// The number of the next removed folder.
static REMOVALS: AtomicU64 = AtomicU64::new(0);

/// Maximum number of open repositories that are not in use.
const OPEN_MAX: usize = 64;

/// Object folders of the repositories.
pub(crate) struct Objects {
    folder: PathBuf,
    /// What the folder has copies of, if several nodes share the objects.
    shared: Option<SharedObjects>,
    /// Memory of the open repositories' caches.
    memory: CacheMemory,
    open: Mutex<OpenRepositories>,
    /// Notified when a deleted repository is no longer in use.
    removed: Condvar,
}

#[derive(Default)]
struct OpenRepositories {
    by_id: HashMap<String, Weak<git::Repository>>,
    /// Recently used ones, the latest at the end.
    recent: VecDeque<Recent>,
    /// Ids of deleted repositories that are still in use.
    deleted: HashSet<String>,
}

struct Recent {
    id: String,
    repository: Arc<git::Repository>,
    /// Whether it was not used since the last call of [`Objects::close_idle`].
    is_idle: bool,
}

impl Objects {
    /// Opens the folder and removes what is left of deleted repositories.
    ///
    /// Other entries that are not in `owned` stay: the database may not be the one that belongs to the folder. But copies are removed.
    pub(crate) fn open(
        folder: PathBuf,
        shared: Option<SharedObjects>,
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
            let is_owned = owned.contains(&*name);
            if name.starts_with(REMOVED_PREFIX) || deleted.contains(&*name) || (shared.is_some() && !is_owned) {
                fs::remove_dir_all(entry.path()).map_err(named)?;
            } else if !is_owned {
                let path = entry.path();
                tracing::warn!(path = %path.display(), "found an entry that belongs to no repository of the database; leaving it in place");
            }
        }
        Ok(Self { folder, shared, memory: memory.clone(), open: Mutex::default(), removed: Condvar::new() })
    }

    /// Returns what several nodes share.
    pub(crate) fn shared(&self) -> Option<&SharedObjects> {
        self.shared.as_ref()
    }

    /// Lists the ids of repositories with a folder.
    pub(crate) fn folders(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.filter(|name| !name.starts_with(REMOVED_PREFIX)).collect()
    }

    /// Lists the ids of repositories that may hold unreachable objects.
    pub(crate) fn repositories_to_prune(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let found = entries.filter(|entry| git::maintenance::has_unreachable(&entry.path()));
        found.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Opens a repository's objects, creating their folder if there is none; returns `None` if the repository was deleted.
    ///
    /// `exists` returns whether the repository is in the database. It is called while no folder can be removed, so that none is
    /// created for a repository that is being deleted.
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
            open.mark_used(id, &repository);
            return Ok(Some(repository));
        }
        let path = self.folder.join(id);
        // Another node may have deleted the repository.
        if (self.shared.is_some() || !path.is_dir()) && !exists()? {
            return Ok(None);
        }
        let repository = Arc::new(match &self.shared {
            None => git::Repository::open_or_create_with(&path, &self.memory)?,
            Some(shared) => git::Repository::open_or_create_copy(&path, &self.memory, Arc::new(shared.packs_of(id)))?,
        });
        for pack in repository.reindexed_packs() {
            tracing::warn!(path = %pack.display(), "wrote the missing index of a pack again");
        }
        for (index, reason) in repository.unusable_packs() {
            tracing::warn!(path = %index.display(), reason, "cannot use a pack; its objects are missing");
        }
        open.mark_used(id, &repository);
        Ok(Some(repository))
    }

    /// Closes the repositories that were not used since the last call.
    pub(crate) fn close_idle(&self) {
        let mut open = self.lock();
        let (idle, used): (VecDeque<_>, _) =
            std::mem::take(&mut open.recent).into_iter().partition(|recent| recent.is_idle);
        open.recent = used;
        for recent in &mut open.recent {
            recent.is_idle = true;
        }
        drop(open);
        // Unmapping packs takes a while, so the lock is not held.
        drop(idle);
        let mut open = self.lock();
        open.by_id.retain(|_, repository| repository.strong_count() > 0);
    }

    /// Removes the objects of deleted repositories, each as soon as it is no longer in use.
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
            // This may be the last use of the repository; then dropping it calls `remove_closed`, which takes the lock.
            drop(closed);
        }
        remove_folders(unused);
    }

    /// Removes the objects of a deleted repository that is no longer in use.
    fn remove_closed(&self, id: &str) {
        let mut open = self.lock();
        let path = self.set_aside(id);
        open.deleted.remove(id);
        self.removed.notify_all();
        drop(open);
        remove_folders(path.into_iter().collect());
    }

    /// Returns whether a repository has a folder.
    pub(crate) fn has_folder(&self, id: &str) -> bool {
        self.folder.join(id).exists()
    }

    /// Waits until no deleted repository is in use; returns whether that is so in time.
    pub(crate) fn wait_for_removals(&self, timeout: Duration) -> bool {
        let mut open = self.lock();
        let waited = self.removed.wait_while_for(&mut open, |open| !open.deleted.is_empty(), timeout);
        !waited.timed_out()
    }

    /// Renames a folder before its removal. The caller holds the lock, so that the repository is not opened meanwhile.
    fn set_aside(&self, id: &str) -> Option<PathBuf> {
        // An earlier folder of the same id may still be there.
        let number = REMOVALS.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(format!("{REMOVED_PREFIX}{number}-{id}"));
        // Renaming fails if the repository never had objects. After any other failure, the next start removes the folder.
        fs::rename(self.folder.join(id), &path).is_ok().then_some(path)
    }

    fn lock(&self) -> MutexGuard<'_, OpenRepositories> {
        self.open.lock()
    }
}

/// Removes folders on a thread of their own, so that no commit waits for large folders.
fn remove_folders(folders: Vec<PathBuf>) {
    if folders.is_empty() {
        return;
    }
    let spawned = std::thread::Builder::new().name("remover".to_owned()).spawn(move || {
        for path in folders {
            // A restore of a snapshot may remove the folder, too.
            if let Err(error) = fs::remove_dir_all(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "cannot remove the objects of a deleted repository; will retry at the next start");
            }
        }
    });
    if let Err(error) = spawned {
        tracing::warn!(%error, "cannot remove the objects of deleted repositories; will retry at the next start");
    }
}

impl OpenRepositories {
    /// Marks a repository as used, and closes the least recently used one above the limit.
    fn mark_used(&mut self, id: &str, repository: &Arc<git::Repository>) {
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

    /// Removes a repository, and returns the reference that kept it open.
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
    fn only_deleted_repositories_are_removed() {
        let folder = tempfile::tempdir().expect("the disk has space");
        for name in ["kept", "deleted", "removed-earlier", "of another"] {
            fs::create_dir_all(folder.path().join(name).join("objects")).expect("the folder is new");
        }
        fs::write(folder.path().join("a file"), "").expect("the folder is writable");
        Objects::open(
            folder.path().to_owned(),
            None,
            &["kept".to_owned()],
            &["deleted".to_owned()],
            &CacheMemory::default(),
        )
        .expect("the folder is readable");
        let names = fs::read_dir(folder.path())
            .expect("the folder is readable")
            .map(|entry| entry.expect("the folder is readable").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["a file", "kept", "of another"]);
    }

    fn open(folder: &std::path::Path) -> Objects {
        Objects::open(folder.to_owned(), None, &[], &[], &CacheMemory::default()).expect("the folder is new")
    }

    /// Opens the repository with this id, which is in the database.
    fn get(objects: &Objects, id: &str) -> Arc<git::Repository> {
        objects
            .get::<io::Error>(id, || Ok(true))
            .expect("the folder is writable")
            .expect("the repository is not deleted")
    }

    #[test]
    fn a_repository_in_use_is_open_once_and_idle_ones_are_closed() {
        let folder = tempfile::tempdir().expect("the disk has space");
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
    fn a_deleted_repository_stays_complete_while_it_is_in_use() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let objects = Arc::new(open(folder.path()));
        let used = get(&objects, "used");
        let hold = used.use_objects();
        objects.remove(vec!["used".to_owned()]);
        let blob = git::Object { kind: git::Kind::Blob, data: b"content".to_vec() };
        let ids = used.add(&[blob], &hold, false).expect("the folder exists");
        assert_eq!(used.kind(&ids[0]).expect("the object is readable"), Some(git::Kind::Blob));
        assert!(
            objects.get::<io::Error>("used", || Ok(true)).expect("the lookup succeeds").is_none(),
            "it cannot be opened again"
        );
        drop(hold);
        drop(used);
        let begun = std::time::Instant::now();
        while fs::read_dir(folder.path()).expect("the folder is readable").next().is_some() {
            assert!(begun.elapsed().as_secs() < 60, "the folder stays");
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    #[test]
    fn no_folder_is_created_for_a_repository_that_is_not_in_the_database() {
        let folder = tempfile::tempdir().expect("the disk has space");
        let objects = open(folder.path());
        assert!(objects.get::<io::Error>("deleted", || Ok(false)).expect("the lookup succeeds").is_none());
        assert!(fs::read_dir(folder.path()).expect("the folder is readable").next().is_none());
    }

    #[test]
    fn idle_repositories_are_closed() {
        let folder = tempfile::tempdir().expect("the disk has space");
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
