//! Removes objects that have been unreachable for long.
//!
//! **Invariant:** the removed objects are in one pack and disappear with its index, which is one file. So they are removed
//! all at once, and no remaining object refers to them.

use std::{io, sync::Arc, thread, time::Duration};

use gix::{ObjectId, hashtable::HashSet, odb::loose};

use super::{
    MaintenanceOptions, Tips,
    inventory::ids,
    remove,
    unreachable::{self, Times},
};
use crate::{Repository, gc_lock::PruneGuard, pack::Pack, reader::Reader};

/// Attempts to get the repository while it is not in use, and the time between them.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(2);

/// The state in which objects are removed.
pub(super) struct Prune<'p> {
    pub(super) repository: &'p Repository,
    /// The packs whose objects refer to no removed object: all but the new ones.
    pub(super) known: Vec<Arc<Pack>>,
    pub(super) maintenance: &'p MaintenanceOptions,
}

impl Prune<'_> {
    /// Replaces `cruft` by a pack of the `kept` objects; returns the number of removed objects, and whether removable
    /// objects were left.
    pub(super) fn run(
        mut self,
        reader: &mut Reader,
        cruft: &Arc<Pack>,
        kept: &Times,
        tips: &mut Tips<'_>,
    ) -> io::Result<(usize, bool)> {
        let going: Arc<HashSet<_>> = Arc::new(ids(cruft).filter(|id| !kept.contains_key(id)).collect());
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

    /// Removes `cruft` with the objects in `going`; returns `false` if that is not possible now.
    fn swap(
        &self,
        reader: &mut Reader,
        cruft: &Arc<Pack>,
        going: &Arc<HashSet<ObjectId>>,
        tips: &mut Tips<'_>,
    ) -> io::Result<bool> {
        let mut seen = HashSet::default();
        // Most new objects are checked before requests have to wait.
        if self.news_name(going, &mut seen, reader)? {
            return Ok(false);
        }
        let Some(_alone) = self.alone() else { return Ok(false) };
        self.repository.refresh()?;
        let version = self.repository.followed_version();
        if tips()?.iter().any(|tip| going.contains(tip)) || self.news_name(going, &mut seen, reader)? {
            return Ok(false);
        }
        remove::forget(&self.repository.objects().join("info"), "commit-graph")?;
        let (checksum, going) = (cruft.index.pack_checksum(), Arc::clone(going));
        remove::unlisted(self.repository, &[cruft], |shared| {
            // The packs of this version refer to none of these objects; other nodes may have added more.
            let Some(version) = version else { return Ok(None) };
            shared.prune(&checksum, version, Box::new(move |id| going.contains(id)))
        })
    }

    /// Waits a short time for the repository to be not in use.
    fn alone(&self) -> Option<PruneGuard> {
        for _ in 0..TRIES {
            if let Some(alone) = self.repository.gc_lock().try_prune() {
                return Some(alone);
            }
            thread::sleep(PAUSE);
        }
        None
    }

    /// Returns whether a new object that is not in `seen` refers to one in `going`.
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
