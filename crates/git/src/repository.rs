//! The objects of one repository, in Git's own layout.
//!
//! Packs and loose objects are read from the repository's own folder and its alternates; Git's other files (`.rev`,
//! `.bitmap`, `multi-pack-index`, `commit-graph`) are not needed. Changes by other processes are detected by the modification
//! times of the folders: when [`Repository::refresh`] is called, and when an object is not found. A repository can also be the copy of
//! packs that several nodes share ([`crate::SharedPacks`]).

mod copy;
mod folders;
mod state;

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, Weak},
};

use gix::ObjectId;
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::{
    cache_memory::CacheMemory,
    decode_cache::DecodeCaches,
    gc_lock::{GcLock, ObjectsInUse},
    interrupt::Interrupt,
    shared_packs::SharedPacks,
    staging::Staging,
};
use copy::Copy;
pub(crate) use state::State;

/// The objects of one repository; cheap to clone, shared by threads.
///
/// **Invariant:** all values for one folder in a process share their state, so that an [`ObjectsInUse`] applies to all.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
    interrupt: Interrupt,
}

struct Shared {
    objects: PathBuf,
    /// Set if other nodes share the packs.
    copy: Option<Copy>,
    state: RwLock<Arc<State>>,
    /// Locked while the folders are read, so that a newer state is never replaced by an older one.
    reading: Mutex<()>,
    gc_lock: Arc<GcLock>,
    maintenance: Mutex<()>,
    /// Runs when the last user of the repository is gone.
    on_close: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// The packs that had lost their indices, with the results of recreating these.
    orphans: Mutex<Vec<(PathBuf, Result<(), String>)>>,
    /// The decoded objects, and the memory of all caches.
    decode_caches: Arc<DecodeCaches>,
}

/// The open repositories of this process by their object folders.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Shared>>>> = LazyLock::new(Mutex::default);

fn open() -> MutexGuard<'static, HashMap<PathBuf, Weak<Shared>>> {
    OPEN.lock()
}

impl Repository {
    /// Opens the repository in the folder `path`; [`io::ErrorKind::NotFound`] if it does not exist.
    ///
    /// Unusable packs are left out; see [`Repository::unusable_packs`].
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, &CacheMemory::default(), None)
    }

    /// As [`Repository::open`], with the memory of its caches, and with the packs of which it is a copy; an open repository keeps its own.
    pub(crate) fn open_with(
        path: &Path,
        memory: &CacheMemory,
        packs: Option<Arc<dyn SharedPacks>>,
    ) -> io::Result<Self> {
        let objects = fs::canonicalize(path.join("objects"))?;
        let known = Self::known(&open(), &objects);
        if let Some(repository) = known {
            repository.refresh()?;
            return Ok(repository);
        }
        let repository = Self::of(Arc::new(Shared {
            state: RwLock::new(Arc::new(State::read(&objects, None, memory)?)),
            objects,
            copy: packs.map(Copy::new),
            reading: Mutex::default(),
            gc_lock: Arc::default(),
            maintenance: Mutex::default(),
            on_close: Mutex::default(),
            orphans: Mutex::default(),
            decode_caches: Arc::new(DecodeCaches::new(memory)),
        }));
        let mut open = open();
        // Another thread may have opened it meanwhile.
        let known = Self::known(&open, repository.objects());
        if known.is_none() {
            open.insert(repository.shared.objects.clone(), Arc::downgrade(&repository.shared));
        }
        drop(open);
        Ok(known.unwrap_or(repository))
    }

    /// Returns the repository in the folder `path` if it is open in this process.
    pub fn opened(path: &Path) -> Option<Self> {
        let objects = fs::canonicalize(path.join("objects")).ok()?;
        Self::known(&open(), &objects)
    }

    /// Sets an action that runs when the last user in this process drops the repository, on that user's thread.
    pub fn on_close(&self, action: impl FnOnce() + Send + 'static) {
        *self.shared.on_close.lock() = Some(Box::new(action));
    }

    fn known(open: &HashMap<PathBuf, Weak<Shared>>, objects: &Path) -> Option<Self> {
        open.get(objects)?.upgrade().map(Self::of)
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self { shared, interrupt: Interrupt::default() }
    }

    /// Returns the same repository with an interrupt for its work.
    #[must_use]
    pub fn interrupted_by(&self, interrupt: Interrupt) -> Self {
        Self { shared: Arc::clone(&self.shared), interrupt }
    }

    /// Returns the interrupt of work on this repository.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Detects changes by other processes; returns whether there are any. Running requests are not affected.
    ///
    /// Costs a few file system calls if nothing has changed; a copy also reads its list of packs.
    pub fn refresh(&self) -> io::Result<bool> {
        let state = self.state();
        self.follow_list()?;
        if state.is_current() { Ok(false) } else { self.read_again(&state) }
    }

    /// As [`Repository::refresh`], but misses a change that follows another one so soon that it does not show.
    pub(crate) fn refresh_if_changed(&self) -> io::Result<bool> {
        let state = self.state();
        if state.looks_current() { Ok(false) } else { self.read_again(&state) }
    }

    /// Lists the unusable packs by the paths of their indices, with the reasons.
    pub fn unusable_packs(&self) -> Vec<(PathBuf, String)> {
        let orphans = self.lock_orphans();
        let lost =
            orphans.iter().filter_map(|(pack, outcome)| Some((pack.with_extension("idx"), outcome.clone().err()?)));
        let lost = lost.map(|(index, reason)| (index, format!("it is lost, and cannot be made again: {reason}")));
        self.state().unusable.iter().cloned().chain(lost).collect()
    }

    /// Lists the packs whose lost indices were recreated when the repository was opened.
    pub fn reindexed_packs(&self) -> Vec<PathBuf> {
        self.lock_orphans().iter().filter(|(_, outcome)| outcome.is_ok()).map(|(pack, _)| pack.clone()).collect()
    }

    /// Notes a pack that had lost its index, and whether it got it again.
    pub(crate) fn note_orphan(&self, pack: PathBuf, outcome: Result<(), String>) {
        self.lock_orphans().push((pack, outcome));
    }

    fn lock_orphans(&self) -> MutexGuard<'_, Vec<(PathBuf, Result<(), String>)>> {
        self.shared.orphans.lock()
    }

    /// Prevents the removal of objects until the result is dropped.
    ///
    /// A writer calls this before it checks that the targets of references exist, and drops the result after the
    /// references have moved.
    pub fn use_objects(&self) -> ObjectsInUse {
        self.shared.gc_lock.use_objects()
    }

    /// Returns the object folder.
    pub(crate) fn objects(&self) -> &Path {
        &self.shared.objects
    }

    /// Returns the packs and folders as they were last read.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.shared.state.read())
    }

    /// Returns the cache of decoded objects.
    pub(crate) fn decode_caches(&self) -> &Arc<DecodeCaches> {
        &self.shared.decode_caches
    }

    pub(crate) fn gc_lock(&self) -> &Arc<GcLock> {
        &self.shared.gc_lock
    }

    /// Returns the lock that maintenance holds.
    pub(crate) fn maintenance_lock(&self) -> &Mutex<()> {
        &self.shared.maintenance
    }

    /// Moves a finished pack into the folder, visible to readers.
    fn install_here(&self, staging: &Staging, checksum: &ObjectId, sync: bool) -> io::Result<()> {
        staging.install(&self.shared.objects, checksum, sync, |index| {
            self.read_again(&self.state())?;
            let state = self.state();
            if state.packs.iter().any(|pack| pack.index.path() == index) {
                return Ok(());
            }
            let reason = state.unusable.iter().find(|(path, _)| path == index).map(|(_, reason)| reason.clone());
            Err(io::Error::other(reason.unwrap_or_else(|| "the pack was removed".to_owned())))
        })
    }

    /// Reads the folders again, unless another thread has since `seen`; returns whether the packs changed.
    pub(crate) fn read_again(&self, seen: &Arc<State>) -> io::Result<bool> {
        let _reading = self.shared.reading.lock();
        let now = self.state();
        let mut read = State::read(&self.shared.objects, Some(&now), self.shared.decode_caches.memory())?;
        let same = now.packs.len() == read.packs.len()
            && now.packs.iter().zip(read.packs.iter()).all(|(one, other)| Arc::ptr_eq(one, other))
            && now.loose.len() == read.loose.len();
        if same {
            // Readers compare the pointers to detect changes.
            read.packs = Arc::clone(&now.packs);
        }
        *self.shared.state.write() = Arc::new(read);
        Ok(!same || !Arc::ptr_eq(&now, seen))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut open = open();
        if open.get(&self.objects).is_some_and(|known| known.strong_count() == 0) {
            open.remove(&self.objects);
        }
        drop(open);
        let action = self.on_close.get_mut().take();
        if let Some(action) = action {
            action();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_on_closing_runs_when_the_last_user_is_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let (sender, closed) = std::sync::mpsc::channel();
        repository.on_close(move || sender.send(()).expect("the test listens"));
        let reader = repository.reader();
        drop(repository);
        assert!(closed.try_recv().is_err(), "a reader still uses the repository");
        let again = Repository::opened(folder.path()).expect("the repository is open");
        drop(reader);
        assert!(closed.try_recv().is_err(), "another user has opened it");
        drop(again);
        assert!(closed.try_recv().is_ok());
        assert!(Repository::opened(folder.path()).is_none());
    }
}
