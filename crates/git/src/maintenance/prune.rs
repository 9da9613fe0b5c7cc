//! Dropping what was unreachable for long.
//!
//! **Invariant:** what goes is in one pack, and goes with the one file that is its index; so it goes as a whole, and
//! nothing stays that names it.

use std::{io, sync::Arc, thread, time::Duration};

use gix::{ObjectId, hashtable::HashSet, odb::loose};

use super::{
    MaintenanceOptions, Tips,
    inventory::ids,
    remove,
    unreachable::{self, Times},
};
use crate::{Repository, gc_lock::PruneGuard, pack::Pack, reader::Reader};

/// How often it is tried to be alone, and the time between.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(2);

/// What is known when objects are dropped.
pub(super) struct Prune<'p> {
    pub(super) repository: &'p Repository,
    /// The packs that name nothing that goes: all but what came meanwhile.
    pub(super) known: Vec<Arc<Pack>>,
    pub(super) maintenance: &'p MaintenanceOptions,
}

impl Prune<'_> {
    /// Replaces `cruft` by a pack of the objects that are `kept`; returns the number of dropped objects, and whether
    /// that is left to the next time.
    pub(super) fn run(
        mut self,
        reader: &mut Reader,
        cruft: &Arc<Pack>,
        kept: &Times,
        tips: &mut Tips<'_>,
    ) -> io::Result<(usize, bool)> {
        let going: HashSet<_> = ids(cruft).filter(|id| !kept.contains_key(id)).collect();
        if going.is_empty() {
            return Ok((0, false));
        }
        let rest = unreachable::bake(self.repository, reader, kept, self.maintenance)?;
        self.known.extend([Some(cruft), rest.as_ref()].into_iter().flatten().cloned());
        if self.swap(reader, cruft, &going, tips)? {
            return Ok((going.len(), false));
        }
        let surplus: Vec<_> = rest.iter().collect();
        remove::packs_of(self.repository, &surplus)?;
        Ok((0, true))
    }

    /// Removes `cruft` with what is `going`; returns `false` if that cannot be now.
    fn swap(
        &self,
        reader: &mut Reader,
        cruft: &Arc<Pack>,
        going: &HashSet<ObjectId>,
        tips: &mut Tips<'_>,
    ) -> io::Result<bool> {
        let mut seen = HashSet::default();
        // Most of what is new is looked at before anybody has to wait for it.
        if self.news_name(going, &mut seen, reader)? {
            return Ok(false);
        }
        let Some(_alone) = self.alone() else { return Ok(false) };
        if tips()?.iter().any(|tip| going.contains(tip)) || self.news_name(going, &mut seen, reader)? {
            return Ok(false);
        }
        remove::forget(&self.repository.objects().join("info"), "commit-graph")?;
        remove::packs_of(self.repository, &[cruft])?;
        Ok(true)
    }

    /// Waits for a moment in which nobody holds the repository; not for long.
    fn alone(&self) -> Option<PruneGuard> {
        for _ in 0..TRIES {
            if let Some(alone) = self.repository.gc_lock().try_prune() {
                return Some(alone);
            }
            thread::sleep(PAUSE);
        }
        None
    }

    /// Returns whether an object that is new, and that was not `seen` before, names one that is `going`.
    fn news_name(
        &self,
        going: &HashSet<ObjectId>,
        seen: &mut HashSet<ObjectId>,
        reader: &mut Reader,
    ) -> io::Result<bool> {
        self.repository.refresh()?;
        let state = self.repository.state();
        let packs = state.packs.iter().filter(|pack| self.known.iter().all(|known| known.data.id != pack.data.id));
        let loose = loose::Store::at(self.repository.objects(), gix::hash::Kind::Sha1);
        let loose = loose.iter().collect::<Result<Vec<_>, _>>().map_err(io::Error::other)?;
        let (mut buffer, mut found) = (Vec::new(), false);
        for id in packs.flat_map(|pack| ids(pack)).chain(loose) {
            if !seen.contains(&id) {
                unreachable::named(reader, &id, &mut buffer, &mut |named| found |= going.contains(&named))?;
                if found {
                    return Ok(true);
                }
                seen.insert(id);
            }
        }
        Ok(false)
    }
}
