//! Maintenance: few packs, no loose objects, and nothing kept for ever that no reference leads to.
//!
//! A push leaves a pack, and every pack makes lookups slower and answers larger. When there are many, the light ones
//! are rolled up into one; when that would be about all there is, everything that the references lead to is written
//! anew as one *tight* pack. What they do not lead to is kept in one *cruft* pack, which notes for each object when it
//! was found to be unreachable, and is dropped from there when that is long ago. That a reference let go of objects is
//! noted, so that they are looked for in time where there is nothing else to do. Packs with a `.keep` or a `.promisor`
//! beside them, and those of folders that the repository borrows from, are left alone.
//!
//! **Invariant:** a pack is removed only when each of its objects is in another one that was checked and is in place;
//! but for the last step, in which one cruft pack gives way to a smaller one, while nobody holds the repository and
//! nothing that came meanwhile names what goes. So a repository is closed after a crash at any point.

mod bake;
#[cfg(test)]
mod crash;
mod inventory;
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
    /// The number of packs that is left alone.
    pub packs_max: usize,
    /// The number of loose objects that is left alone.
    pub loose_max: usize,
    /// How long objects stay after maintenance found that no reference leads to them.
    pub prune_age: Duration,
    /// Whether what replaces packs is flushed to the disk before they are removed.
    pub sync: bool,
    /// The number of threads to use.
    pub threads: usize,
    /// The time that ages are counted to; where nobody sets it, nothing is old.
    pub now: SystemTime,
    /// Once it is set, maintenance that runs gives up soon with [`io::ErrorKind::Interrupted`]; nothing is lost by that.
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

    /// Fails if maintenance is to give up.
    fn go_on(&self) -> io::Result<()> {
        if self.stop.load(Ordering::Relaxed) { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// Returns whether what was found to be unreachable at `found` (seconds since 1970) may go.
    fn is_expired(&self, found: u32) -> bool {
        u64::from(self.seconds()).saturating_sub(u64::from(found)) >= self.prune_age.as_secs()
    }
}

fn seconds(time: SystemTime) -> u32 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

/// Returns whether a repository, given by its folder, may hold objects that no reference leads to; costs a listing.
///
/// Such a repository needs maintenance from time to time even if nothing happens to it.
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
    /// The heaviest kind of work that was done.
    pub work: Work,
    /// The number of packs that were removed.
    pub removed: usize,
    /// The number of objects that were dropped.
    pub dropped: usize,
    /// Whether objects that may go are left to the next time, because somebody held the repository, or named them.
    pub postponed: bool,
}

/// Kinds of maintenance work, the lightest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Nothing was due, or another thread is doing it.
    #[default]
    Nothing,
    /// The commit graph of the largest pack was written.
    GraphWritten,
    /// Light packs and loose objects became one pack.
    RolledUp,
    /// Everything became one tight pack.
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

    /// Does the maintenance that is due, beside requests that run and requests that come.
    ///
    /// `tips` is asked again before anything is dropped. If it fails, or if something cannot be read, nothing is lost.
    pub fn maintain(&self, tips: &mut Tips<'_>, maintenance: &MaintenanceOptions) -> io::Result<Outcome> {
        self.work(tips, maintenance, |inventory| inventory.plan(maintenance))
    }

    /// Writes everything that the references lead to as one tight pack, due or not.
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
        // All that is read for it ends with it.
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

    /// Makes the `light` lightest packs and all loose objects one pack.
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

    /// Makes everything one tight pack, and one cruft pack if need be; then drops what is old from that one.
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
            unreachable_mark::forget(self.objects(), time)?;
        }
        Ok(Outcome { removed, ..outcome })
    }
}
