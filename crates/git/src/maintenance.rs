//! Maintenance of a repository: few packs, no loose objects, and unreachable objects removed after some time.
//!
//! Each push adds a pack, and each pack makes lookups slower and fetches larger. When there are many packs, the small ones
//! are combined into one; when these are most of the repository, all reachable objects are rewritten as one *tight*
//! pack. Unreachable objects are in one *cruft* pack, with the time when each was found to be unreachable, and are
//! removed when that is long ago. A change of references that can make objects unreachable is marked, so that
//! maintenance searches for them even if nothing else is due. Packs with a `.keep` or `.promisor` file, and packs of
//! alternates, are not touched.
//!
//! **Invariant:** a pack is removed only when each of its objects is in another pack that was checked and is in place.
//! The one exception is the last step, which replaces a cruft pack by a smaller one while the repository is not in use
//! and no newer object refers to a removed one. So a repository is fully connected after a crash at any point.

mod bake;
#[cfg(test)]
mod crash;
mod inventory;
mod moving;
mod mtimes;
mod prune;
mod remove;
mod unreachable;
mod unreachable_mark;

use std::{
    fs, io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use gix::ObjectId;

use crate::{
    Repository, commit_graph,
    enumerate::{self, Demand},
    history::History,
};
use inventory::{Inventory, Plan};

/// Thresholds and options of the maintenance of a repository.
#[derive(Debug, Clone)]
pub struct MaintenanceOptions {
    /// The number of packs that needs no maintenance.
    pub packs_max: usize,
    /// The number of loose objects that needs no maintenance.
    pub loose_max: usize,
    /// Time for which unreachable objects are kept after maintenance found them.
    pub prune_age: Duration,
    /// Whether a new pack is flushed to the disk before the packs that it replaces are removed.
    pub sync: bool,
    /// The number of threads to use.
    pub threads: usize,
    /// The present time, for ages; without it, nothing is old.
    pub now: SystemTime,
    /// Interrupts running maintenance, which then fails with [`io::ErrorKind::Interrupted`] and loses nothing.
    pub stop: Arc<AtomicBool>,
}

impl Default for MaintenanceOptions {
    fn default() -> Self {
        Self {
            packs_max: 16,
            loose_max: 256,
            prune_age: Duration::from_hours(14 * 24),
            sync: false,
            threads: 1,
            now: SystemTime::UNIX_EPOCH,
            stop: Arc::default(),
        }
    }
}

impl MaintenanceOptions {
    /// Returns the time in seconds since 1970.
    fn seconds(&self) -> u32 {
        seconds(self.now)
    }

    /// Fails if maintenance is interrupted.
    fn go_on(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// Returns whether objects found to be unreachable at `found` (seconds since 1970) may be removed.
    fn is_expired(&self, found: u32) -> bool {
        u64::from(self.seconds()).saturating_sub(u64::from(found)) >= self.prune_age.as_secs()
    }
}

fn seconds(time: SystemTime) -> u32 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

/// Returns whether the repository in a folder may have unreachable objects; costs a listing of the folder.
///
/// Such a repository needs maintenance from time to time even if it does not change.
pub fn has_unreachable(path: &Path) -> bool {
    let objects = path.join("objects");
    let packs = fs::read_dir(objects.join("pack"));
    let is_cruft =
        |entry: io::Result<fs::DirEntry>| entry.is_ok_and(|entry| entry.path().extension() == Some("mtimes".as_ref()));
    unreachable_mark::read(&objects).is_some() || packs.is_ok_and(|mut packs| packs.any(is_cruft))
}

/// Result of maintenance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The largest kind of work that was done.
    pub work: Work,
    /// The number of removed packs.
    pub removed: usize,
    /// The number of removed objects.
    pub dropped: usize,
    /// Whether removable objects were left, because the repository was in use or a new object refers to them.
    pub postponed: bool,
}

/// Kinds of maintenance work, the smallest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Nothing was due, or another thread is doing it.
    #[default]
    Nothing,
    /// The commit graph of the largest pack was written.
    GraphWritten,
    /// Small packs and loose objects were combined into one pack.
    RolledUp,
    /// All reachable objects were written as one tight pack.
    Repacked,
}

/// Lists the targets of all references.
pub type Tips<'t> = dyn FnMut() -> io::Result<Vec<ObjectId>> + 't;

impl Repository {
    /// Returns whether [`Repository::maintain`] would do anything; costs a listing of the folders.
    pub fn needs_maintenance(&self, maintenance: &MaintenanceOptions) -> io::Result<bool> {
        self.refresh()?;
        Ok(commit_graph::is_due(&self.state().packs) || Inventory::take(self)?.plan(maintenance) != Plan::Nothing)
    }

    /// Marks that objects may have become unreachable: a reference was deleted, or moved to a commit that does not descend
    /// from the old one.
    pub fn mark_unreachable(&self, now: SystemTime) -> io::Result<()> {
        unreachable_mark::note(self.objects(), seconds(now))
    }

    /// Does the maintenance that is due, while requests are served.
    ///
    /// `tips` is called again before objects are removed. If it fails, or an object cannot be read, nothing is lost.
    pub fn maintain(&self, tips: &mut Tips<'_>, maintenance: &MaintenanceOptions) -> io::Result<Outcome> {
        self.work(tips, maintenance, |inventory| inventory.plan(maintenance))
    }

    /// Writes all reachable objects as one tight pack, even if no maintenance is due.
    pub fn repack(&self, tips: &mut Tips<'_>, maintenance: &MaintenanceOptions) -> io::Result<Outcome> {
        self.work(tips, maintenance, |_| Plan::Repack)
    }

    fn work(
        &self,
        tips: &mut Tips<'_>,
        maintenance: &MaintenanceOptions,
        plan: impl FnOnce(&Inventory) -> Plan,
    ) -> io::Result<Outcome> {
        let Some(_one_at_a_time) = self.maintenance_lock().try_lock() else { return Ok(Outcome::default()) };
        // The caches of this reader are freed when the work is done.
        let repository = &self.interrupted_by(self.interrupt().or_on(Arc::clone(&maintenance.stop)));
        repository.refresh()?;
        let inventory = Inventory::take(repository)?;
        let mut outcome = match plan(&inventory) {
            Plan::Nothing => Outcome::default(),
            Plan::RollUp(light) => repository.roll_up(&inventory, light, maintenance)?,
            Plan::Repack => repository.repack_all(&inventory, tips, maintenance)?,
        };
        if commit_graph::is_due(&repository.state().packs) {
            repository.write_graph()?;
            outcome.work = outcome.work.max(Work::GraphWritten);
        }
        Ok(outcome)
    }

    /// Combines the `light` smallest packs and all loose objects into one pack.
    fn roll_up(&self, inventory: &Inventory, light: usize, maintenance: &MaintenanceOptions) -> io::Result<Outcome> {
        let mut reader = self.reader();
        let (light, heavy) = inventory.plain.split_at(light);
        let stay = || heavy.iter().chain(&inventory.foreign);
        let packed = light.iter().flat_map(|pack| inventory::ids(pack));
        let objects = packed.chain(inventory.loose.iter().copied());
        let objects = objects.filter(|id| !stay().any(|pack| pack.position(id).is_some()));
        let selection = bake::selection(&mut reader, objects)?;
        let rolled = bake::bake(self, &mut reader, selection, maintenance)?;
        let rolled = rolled.map(|baked| baked.install(self, maintenance)).transpose()?;
        let staying: Vec<_> = stay().chain(&rolled).cloned().collect();
        let removed = remove::replaced(self, light, &inventory.loose, &staying)?;
        Ok(Outcome { work: Work::RolledUp, removed, ..Outcome::default() })
    }

    /// Writes one tight pack, and one cruft pack if there are unreachable objects; then removes old objects from the cruft pack.
    fn repack_all(
        &self,
        inventory: &Inventory,
        tips: &mut Tips<'_>,
        maintenance: &MaintenanceOptions,
    ) -> io::Result<Outcome> {
        let wants = tips()?;
        let mut reader = self.reader();
        let demand = Demand { wants, ..Demand::default() };
        let mut selection = enumerate::select(&mut reader, &mut History::default(), &demand)?;
        if !inventory.foreign.is_empty() {
            let own = selection.ids().filter(|id| !inventory.foreign.iter().any(|pack| pack.position(id).is_some()));
            selection = bake::selection(&mut reader, own.collect::<Vec<_>>())?;
        }
        let tight = bake::bake(self, &mut reader, selection, maintenance)?;
        let tight = tight.map(|baked| baked.install(self, maintenance)).transpose()?;

        let mut staying: Vec<_> = tight.iter().chain(&inventory.foreign).cloned().collect();
        let mut unreachable = unreachable::find(inventory, &staying, maintenance)?;
        let kept = unreachable::keep(&mut reader, inventory, tight.as_ref(), &unreachable, maintenance)?;
        unreachable.extend(kept.iter().map(|(id, time)| (*id, *time)));
        let cruft = unreachable::bake(self, &mut reader, &unreachable, maintenance)?;
        staying.extend(cruft.iter().cloned());
        let victims: Vec<_> = inventory.own().cloned().collect();
        let mut removed = remove::replaced(self, &victims, &inventory.loose, &staying)?;

        let mut outcome = Outcome { work: Work::Repacked, ..Outcome::default() };
        if let Some(cruft) = cruft {
            let prune = prune::Prune { repository: self, known: staying, maintenance };
            let (dropped, postponed) = prune.run(&mut reader, &cruft, &kept, tips)?;
            (outcome.dropped, outcome.postponed) = (dropped, postponed);
            removed += usize::from(dropped > 0);
        }
        if let Some(time) = inventory.marked_unreachable {
            unreachable_mark::forget(self, time)?;
        }
        Ok(Outcome { removed, ..outcome })
    }
}
