//! The folder in which repositories keep their objects, `ID/objects` for each.
//!
//! **Invariant:** a repository's folder is made when it gets its first object, so that creating one costs no file.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Mutex;

/// What is to be removed is first renamed to this, so that it is out of the way at once.
const REMOVED_PREFIX: &str = "removed-";

pub(crate) struct Objects {
    folder: PathBuf,
    open: Mutex<HashMap<String, git::Repository>>,
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
    pub(crate) fn get(&self, id: &str) -> io::Result<git::Repository> {
        let mut open = self.open.lock().expect("no holder of this lock panics");
        if let Some(repository) = open.get(id) {
            return Ok(repository.clone());
        }
        let repository = git::Repository::open_or_create(&self.folder.join(id))?;
        open.insert(id.to_owned(), repository.clone());
        Ok(repository)
    }

    /// Removes a repository's objects; whoever still reads them is not disturbed.
    pub(crate) fn remove(&self, id: &str) {
        self.open.lock().expect("no holder of this lock panics").remove(id);
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
