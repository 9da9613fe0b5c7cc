//! The folder in which repositories keep their objects, `ID/objects` for each.
//!
//! **Invariant:** a repository is open once at most, however many use it. A repository's folder is made when it gets its first object, so that creating one costs no file.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};

/// What is to be removed is first renamed to this, so that it is out of the way at once.
const REMOVED_PREFIX: &str = "removed-";

/// How many repositories stay open that nobody uses at the moment.
const OPEN_MAX: usize = 64;

pub(crate) struct Objects {
    folder: PathBuf,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    by_id: HashMap<String, Weak<git::Repository>>,
    /// Those that were used last, the last one at the end.
    recent: VecDeque<(String, Arc<git::Repository>)>,
}

impl Objects {
    /// Opens the folder and removes what is left of repositories that were deleted.
    ///
    /// What else is there and is not `owned` is left alone: a folder may meet another database than its own.
    pub(crate) fn open(folder: PathBuf, owned: &[String], deleted: &[String]) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let [owned, deleted] = [owned, deleted].map(|ids| ids.iter().map(String::as_str).collect::<HashSet<_>>());
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(REMOVED_PREFIX) || deleted.contains(&*name) {
                fs::remove_dir_all(entry.path())?;
            } else if !owned.contains(&*name) {
                let path = entry.path();
                tracing::warn!(path = %path.display(), "this belongs to no repository of the database; it is left alone");
            }
        }
        Ok(Self { folder, open: Mutex::default() })
    }

    /// Lists the ids of repositories that may hold unreachable objects.
    pub(crate) fn with_unreachable(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let found = entries.filter(|entry| git::maintenance::has_unreachable(&entry.path()));
        found.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// Opens a repository's objects, making their folder if it is not there.
    pub(crate) fn get(&self, id: &str) -> io::Result<Arc<git::Repository>> {
        let mut open = self.open.lock().expect("no holder of this lock panics");
        let repository = match open.by_id.get(id).and_then(Weak::upgrade) {
            Some(repository) => repository,
            None => Arc::new(git::Repository::open_or_create(&self.folder.join(id))?),
        };
        open.used(id, &repository);
        Ok(repository)
    }

    /// Opens a repository's objects, if it has a folder for them.
    pub(crate) fn existing(&self, id: &str) -> io::Result<Option<Arc<git::Repository>>> {
        if self.folder.join(id).is_dir() { self.get(id).map(Some) } else { Ok(None) }
    }

    /// Removes the objects of repositories; whoever still reads them is not disturbed.
    pub(crate) fn remove(&self, ids: Vec<String>) {
        let mut removed = Vec::new();
        for id in ids {
            self.open.lock().expect("no holder of this lock panics").forget(&id);
            let path = self.folder.join(format!("{REMOVED_PREFIX}{id}"));
            // Otherwise it never had objects. Were it another failure, the next start removes the folder.
            if fs::rename(self.folder.join(id), &path).is_ok() {
                removed.push(path);
            }
        }
        if removed.is_empty() {
            return;
        }
        // Nobody who waits for this commit must wait for large folders too.
        let spawned = std::thread::Builder::new().name("remover".to_owned()).spawn(move || {
            for path in removed {
                if let Err(error) = fs::remove_dir_all(&path) {
                    tracing::warn!(%error, path = %path.display(), "a deleted repository's objects stay until the next start");
                }
            }
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "deleted repositories' objects stay until the next start");
        }
    }
}

impl Open {
    fn used(&mut self, id: &str, repository: &Arc<git::Repository>) {
        if self.recent.back().is_some_and(|(last, _)| last == id) {
            return;
        }
        self.by_id.insert(id.to_owned(), Arc::downgrade(repository));
        self.recent.retain(|(known, _)| known != id);
        self.recent.push_back((id.to_owned(), Arc::clone(repository)));
        if self.recent.len() > OPEN_MAX {
            self.recent.pop_front();
            self.by_id.retain(|_, repository| repository.strong_count() > 0);
        }
    }

    fn forget(&mut self, id: &str) {
        self.by_id.remove(id);
        self.recent.retain(|(known, _)| known != id);
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
        Objects::open(folder.path().to_owned(), &["kept".to_owned()], &["deleted".to_owned()]).expect("a folder");
        let names = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("readable").file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, ["a file", "kept", "of another"]);
    }

    #[test]
    fn a_repository_in_use_is_open_once_and_idle_ones_are_closed() {
        let folder = tempfile::tempdir().expect("there is room");
        let objects = Objects::open(folder.path().join("repositories"), &[], &[]).expect("a new folder");
        let used = objects.get("used").expect("it is made");
        let idle = Arc::downgrade(&objects.get("idle").expect("it is made"));
        for number in 0..OPEN_MAX {
            objects.get(&number.to_string()).expect("it is made");
        }
        assert!(Arc::ptr_eq(&used, &objects.get("used").expect("it is open")));
        assert_eq!(idle.strong_count(), 0);
    }
}
