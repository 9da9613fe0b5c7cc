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
    /// Opens the folder and removes what belongs to no repository.
    pub(crate) fn open(folder: PathBuf, owned: &[String]) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        let owned: HashSet<&str> = owned.iter().map(String::as_str).collect();
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| owned.contains(name)) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(Self { folder, open: Mutex::default() })
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

    /// Removes a repository's objects; whoever still reads them is not disturbed.
    pub(crate) fn remove(&self, id: &str) {
        self.open.lock().expect("no holder of this lock panics").forget(id);
        let removed = self.folder.join(format!("{REMOVED_PREFIX}{id}"));
        if fs::rename(self.folder.join(id), &removed).is_err() {
            // It never had objects. Were it another failure, the next start removes the folder.
            return;
        }
        // Nobody who waits for this commit must wait for a large folder too.
        std::thread::spawn(move || {
            if let Err(error) = fs::remove_dir_all(&removed) {
                tracing::warn!(%error, folder = %removed.display(), "a deleted repository's objects stay until the next start");
            }
        });
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
    fn a_repository_in_use_is_open_once_and_idle_ones_are_closed() {
        let folder = tempfile::tempdir().expect("there is room");
        let objects = Objects::open(folder.path().join("repositories"), &[]).expect("a new folder");
        let used = objects.get("used").expect("it is made");
        let idle = Arc::downgrade(&objects.get("idle").expect("it is made"));
        for number in 0..OPEN_MAX {
            objects.get(&number.to_string()).expect("it is made");
        }
        assert!(Arc::ptr_eq(&used, &objects.get("used").expect("it is open")));
        assert_eq!(idle.strong_count(), 0);
    }
}
