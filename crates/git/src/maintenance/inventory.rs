//! Lists the packs and loose objects of a repository, and decides which maintenance is due.

use std::{io, sync::Arc};

use gix::{ObjectId, odb::loose};

use super::{MaintenanceOptions, mtimes, unreachable_mark};
use crate::{Repository, pack::Pack};

/// A pack is not combined with others if it is this many times larger than all smaller packs together.
const FACTOR: u64 = 2;

/// The objects of a repository by where they are.
pub(super) struct Inventory {
    /// The packs of the repository that may be replaced, the smallest first.
    pub(super) plain: Vec<Arc<Pack>>,
    /// The cruft packs, with the times at which their objects were found to be unreachable, in the order of the index.
    pub(super) cruft: Vec<(Arc<Pack>, Vec<u32>)>,
    /// The packs that must not be replaced.
    pub(super) foreign: Vec<Arc<Pack>>,
    /// The foreign packs in the repository's own folder.
    pub(super) kept: Vec<Arc<Pack>>,
    /// The loose objects of the repository's own folder.
    pub(super) loose: Vec<ObjectId>,
    /// The marked time at which objects last became unreachable, in seconds since 1970.
    pub(super) marked_unreachable: Option<u32>,
}

/// The maintenance that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Nothing,
    /// Combine that many of the smallest packs, and all loose objects.
    RollUp(usize),
    Repack,
}

impl Inventory {
    /// Lists the files of a repository.
    pub(super) fn take(repository: &Repository) -> io::Result<Self> {
        let folder = repository.objects().join("pack");
        let marked_unreachable = unreachable_mark::of(repository)?;
        let (plain, cruft, foreign, kept, loose) = <(_, _, _, _, Vec<_>)>::default();
        let mut inventory = Self { plain, cruft, foreign, kept, loose, marked_unreachable };
        for pack in repository.state().packs.iter().cloned() {
            let path = pack.index.path();
            if path.parent() != Some(&folder) {
                inventory.foreign.push(pack);
            } else if ["keep", "promisor"].iter().any(|extension| path.with_extension(extension).exists()) {
                inventory.kept.push(Arc::clone(&pack));
                inventory.foreign.push(pack);
            } else if let Some(times) = mtimes::read(&pack)? {
                inventory.cruft.push((pack, times));
            } else {
                inventory.plain.push(pack);
            }
        }
        inventory.plain.sort_by_key(|pack| pack.data.data_len());
        let store = loose::Store::at(repository.objects(), gix::hash::Kind::Sha1);
        inventory.loose = store.iter().collect::<Result<_, _>>().map_err(io::Error::other)?;
        Ok(inventory)
    }

    /// Returns the packs that may be replaced.
    pub(super) fn own(&self) -> impl Iterator<Item = &Arc<Pack>> {
        self.plain.iter().chain(self.cruft.iter().map(|(pack, _)| pack))
    }

    /// Decides which maintenance is due.
    pub(super) fn plan(&self, maintenance: &MaintenanceOptions) -> Plan {
        let expired = |times: &Vec<u32>| times.iter().any(|time| maintenance.is_expired(*time));
        if self.marked_unreachable.is_some_and(|time| maintenance.is_expired(time)) {
            return Plan::Repack;
        }
        if self.cruft.len() > 1 || self.cruft.iter().any(|(_, times)| expired(times)) {
            return Plan::Repack;
        }
        if self.plain.len() <= maintenance.packs_max && self.loose.len() <= maintenance.loose_max {
            return Plan::Nothing;
        }
        let sizes: Vec<_> = self.plain.iter().map(|pack| pack.data.data_len() as u64).collect();
        match light(&sizes) {
            all if all == sizes.len() => Plan::Repack,
            0 | 1 if self.loose.len() <= maintenance.loose_max => Plan::Repack,
            some => Plan::RollUp(some),
        }
    }
}

/// Counts the small packs: those after which sizes do not grow geometrically. So an object is rewritten only about once
/// each time the repository doubles.
fn light(sizes: &[u64]) -> usize {
    let mut sum = 0;
    let mut light = 0;
    for (at, size) in sizes.iter().enumerate() {
        if *size < sum * FACTOR {
            light = at + 1;
        }
        sum += size;
    }
    light
}

/// Lists the objects of a pack.
pub(super) fn ids(pack: &Pack) -> impl Iterator<Item = ObjectId> {
    (0..pack.index.num_objects()).map(|position| pack.index.oid_at_index(position).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_are_light_until_their_sizes_grow_fast() {
        assert_eq!(light(&[]), 0);
        assert_eq!(light(&[5]), 0);
        assert_eq!(light(&[1, 2, 6, 18]), 0);
        assert_eq!(light(&[1, 1, 1, 1, 100]), 4);
        assert_eq!(light(&[1, 1, 40, 100]), 2);
        assert_eq!(light(&[1, 1, 1, 100, 150]), 5);
        assert_eq!(light(&[3, 3, 3]), 3);
    }
}
