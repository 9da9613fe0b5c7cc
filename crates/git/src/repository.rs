//! The objects of one repository, in Git's own layout.
//!
//! Packs and loose objects of the own folder and of those that it borrows from are read; what Git may keep beside
//! them (`.rev`, `.bitmap`, `multi-pack-index`, `commit-graph`) is not needed. What other processes change is noticed
//! by looking at the folders' times: when [`Repository::refresh`] is called, and when an object is not found.

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
    gc_lock::{GcLock, ObjectsInUse},
    interrupt::Interrupt,
    staging::Staging,
    warm::Warm,
};
pub(crate) use state::State;

/// The objects of one repository; cheap to clone, shared by threads.
///
/// **Invariant:** all of them for one folder in a process share what is known of it, so a [`ObjectsInUse`] holds for all.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
    interrupt: Interrupt,
}

struct Shared {
    objects: PathBuf,
    state: RwLock<Arc<State>>,
    /// Held while the folders are read, so that an older reading never follows a newer one.
    reading: Mutex<()>,
    gc_lock: Arc<GcLock>,
    upkeep: Mutex<()>,
    /// What is done when nobody uses the repository any more.
    on_close: Mutex<Option<Box<dyn FnOnce() + Send>>>,
    /// The packs that had lost their indices, and whether they got them again.
    orphans: Mutex<Vec<(PathBuf, Result<(), String>)>>,
    /// Decoded objects, and the memory of all caches.
    warm: Arc<Warm>,
}

/// The open repositories of this process by their folders of objects.
static OPEN: LazyLock<Mutex<HashMap<PathBuf, Weak<Shared>>>> = LazyLock::new(Mutex::default);

fn open() -> MutexGuard<'static, HashMap<PathBuf, Weak<Shared>>> {
    OPEN.lock()
}

impl Repository {
    /// Opens the repository in the folder `path`; [`io::ErrorKind::NotFound`] if there is none.
    ///
    /// A pack that cannot be used is left out; see [`Repository::unusable_packs`].
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::open_with(path, &CacheMemory::default())
    }

    /// As [`Repository::open`], with the memory of its caches; one that is open already stays with its own.
    pub(crate) fn open_with(path: &Path, memory: &CacheMemory) -> io::Result<Self> {
        let objects = fs::canonicalize(path.join("objects"))?;
        let known = Self::known(&open(), &objects);
        if let Some(repository) = known {
            repository.refresh()?;
            return Ok(repository);
        }
        let repository = Self::of(Arc::new(Shared {
            state: RwLock::new(Arc::new(State::read(&objects, None, memory)?)),
            objects,
            reading: Mutex::default(),
            gc_lock: Arc::default(),
            upkeep: Mutex::default(),
            on_close: Mutex::default(),
            orphans: Mutex::default(),
            warm: Arc::new(Warm::new(memory)),
        }));
        let mut open = open();
        // Somebody else may have opened it meanwhile.
        let known = Self::known(&open, repository.objects());
        if known.is_none() {
            open.insert(repository.shared.objects.clone(), Arc::downgrade(&repository.shared));
        }
        drop(open);
        Ok(known.unwrap_or(repository))
    }

    /// Gives the repository in the folder `path` if somebody in this process has it open.
    pub fn opened(path: &Path) -> Option<Self> {
        let objects = fs::canonicalize(path.join("objects")).ok()?;
        Self::known(&open(), &objects)
    }

    /// Runs an action once nobody in this process has the repository open any more, on the thread that had it last.
    pub fn on_close(&self, action: impl FnOnce() + Send + 'static) {
        *self.shared.on_close.lock() = Some(Box::new(action));
    }

    fn known(open: &HashMap<PathBuf, Weak<Shared>>, objects: &Path) -> Option<Self> {
        open.get(objects)?.upgrade().map(Self::of)
    }

    fn of(shared: Arc<Shared>) -> Self {
        Self { shared, interrupt: Interrupt::default() }
    }

    /// Gives the same repository for work that ends early when `interrupt` says so.
    #[must_use]
    pub fn interrupted_by(&self, interrupt: Interrupt) -> Self {
        Self { shared: Arc::clone(&self.shared), interrupt }
    }

    /// Tells when the work on this repository is to end.
    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Notices what other processes changed; tells whether there is anything new. Requests that run are not disturbed.
    ///
    /// Costs a few calls of the file system if nothing changed.
    pub fn refresh(&self) -> io::Result<bool> {
        let state = self.state();
        if state.is_current() { Ok(false) } else { self.read_again(&state) }
    }

    /// Notices what other processes changed, but for a change so soon after another one that it does not show.
    pub(crate) fn refresh_if_changed(&self) -> io::Result<bool> {
        let state = self.state();
        if state.looks_current() { Ok(false) } else { self.read_again(&state) }
    }

    /// Lists the packs that cannot be used, by the paths of their indices, with the reasons.
    pub fn unusable_packs(&self) -> Vec<(PathBuf, String)> {
        let orphans = self.lock_orphans();
        let lost =
            orphans.iter().filter_map(|(pack, outcome)| Some((pack.with_extension("idx"), outcome.clone().err()?)));
        let lost = lost.map(|(index, reason)| (index, format!("it is lost, and cannot be made again: {reason}")));
        self.state().unusable.iter().cloned().chain(lost).collect()
    }

    /// Lists the packs that had lost their indices when the repository was opened, and got them again.
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

    /// Keeps all objects in place until the hold is dropped.
    ///
    /// Whoever makes references point at objects takes it before looking whether they are there, and drops it when
    /// the references have moved.
    pub fn use_objects(&self) -> ObjectsInUse {
        self.shared.gc_lock.use_objects()
    }

    /// Gives the folder that holds the objects.
    pub(crate) fn objects(&self) -> &Path {
        &self.shared.objects
    }

    /// Gives the packs and folders as they were read last.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.shared.state.read())
    }

    /// Gives the decoded objects that are kept.
    pub(crate) fn warm(&self) -> &Arc<Warm> {
        &self.shared.warm
    }

    pub(crate) fn gc_lock(&self) -> &Arc<GcLock> {
        &self.shared.gc_lock
    }

    /// Gives the lock of whoever does the upkeep.
    pub(crate) fn upkeep_lock(&self) -> &Mutex<()> {
        &self.shared.upkeep
    }

    /// Moves a finished pack into the repository and shows it to readers; `sync` makes that last a power cut.
    pub(crate) fn install(&self, staging: &Staging, checksum: &ObjectId, sync: bool) -> io::Result<()> {
        staging.install(&self.shared.objects, checksum, sync, |index| {
            self.read_again(&self.state())?;
            let state = self.state();
            if state.packs.iter().any(|pack| pack.index.path() == index) {
                return Ok(());
            }
            let reason = state.unusable.iter().find(|(path, _)| path == index).map(|(_, reason)| reason.clone());
            Err(io::Error::other(reason.unwrap_or_else(|| "the pack is gone".to_owned())))
        })
    }

    /// Reads the folders again, unless somebody did since `seen`; tells whether the packs changed.
    pub(crate) fn read_again(&self, seen: &Arc<State>) -> io::Result<bool> {
        let _reading = self.shared.reading.lock();
        let now = self.state();
        let mut read = State::read(&self.shared.objects, Some(&now), self.shared.warm.memory())?;
        let same = now.packs.len() == read.packs.len()
            && now.packs.iter().zip(read.packs.iter()).all(|(one, other)| Arc::ptr_eq(one, other))
            && now.loose.len() == read.loose.len();
        if same {
            // Readers see by this that there is nothing for them.
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
    fn the_action_on_closing_runs_once_the_last_user_is_gone() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let (sender, closed) = std::sync::mpsc::channel();
        repository.on_close(move || sender.send(()).expect("the test listens"));
        let reader = repository.reader();
        drop(repository);
        assert!(closed.try_recv().is_err(), "a reader uses it");
        let again = Repository::opened(folder.path()).expect("it is open");
        drop(reader);
        assert!(closed.try_recv().is_err(), "it was opened again");
        drop(again);
        assert!(closed.try_recv().is_ok());
        assert!(Repository::opened(folder.path()).is_none());
    }
}
