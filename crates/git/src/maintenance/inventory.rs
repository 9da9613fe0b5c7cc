//! What there is to keep up, and what is to be done.

use std::{io, sync::Arc};

use gix::{ObjectId, odb::loose};

use super::{MaintenanceOptions, mtimes, unreachable_mark};
use crate::{Repository, pack::Pack};

/// How many times heavier than all lighter packs together a pack has to be to be left alone.
const FACTOR: u64 = 2;

/// The objects of a repository by where they are.
pub(super) struct Inventory {
    /// The packs of the repository that may be replaced, the lightest first.
    pub(super) plain: Vec<Arc<Pack>>,
    /// The packs of objects that were found to be unreachable, with the times when, by the positions of the index.
    pub(super) cruft: Vec<(Arc<Pack>, Vec<u32>)>,
    /// The packs that are not ours to replace.
    pub(super) foreign: Vec<Arc<Pack>>,
    /// Those of the foreign packs that are in the repository's own folder.
    pub(super) kept: Vec<Arc<Pack>>,
    /// The loose objects of the repository's own folder.
    pub(super) loose: Vec<ObjectId>,
    /// When objects last became unreachable, in seconds since 1970, if that was marked.
    pub(super) marked_unreachable: Option<u32>,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Nothing,
    /// Replace that many of the lightest packs, and all loose objects.
    RollUp(usize),
    Repack,
}

impl Inventory {
    /// Lists what is there.
    pub(super) fn take(repository: &Repository) -> io::Result<Self> {
        let folder = repository.objects().join("pack");
        let marked_unreachable = unreachable_mark::read(repository.objects());
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

    /// Decides what is to be done.
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

/// Counts the packs that are light: those which, and above which, the sizes do not grow fast. Each object is so
/// written anew only as often as the repository doubles.
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
