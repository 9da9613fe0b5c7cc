//! Unreachable objects.

use std::{fs, io, sync::Arc};

use gix::{ObjectId, hashtable::HashMap};

use super::{
    MaintenanceOptions, bake,
    inventory::{self, Inventory},
    mtimes, seconds,
};
use crate::{Error, Kind, Repository, object_links, pack::Pack, reader::Reader};

/// Objects with the times at which they were found to be unreachable, in seconds since 1970.
pub(super) type Times = HashMap<ObjectId, u32>;

/// Lists the objects that are not in `reachable`.
///
/// The time of an object outside of cruft packs is now; but if the last change of references that made objects unreachable
/// is long ago, an object in a pack older than that change has the time of the change.
pub(super) fn find(
    inventory: &Inventory,
    reachable: &[Arc<Pack>],
    maintenance: &MaintenanceOptions,
) -> io::Result<Times> {
    let now = maintenance.seconds();
    let marked_unreachable = inventory.marked_unreachable.filter(|time| maintenance.is_expired(*time));
    let mut fresh: Vec<_> = inventory.loose.iter().map(|id| (*id, now)).collect();
    for pack in &inventory.plain {
        let time = match marked_unreachable {
            Some(time) => time.max(seconds(fs::metadata(pack.data.path())?.modified()?)).min(now),
            None => now,
        };
        fresh.extend(inventory::ids(pack).map(|id| (id, time)));
    }
    let aged = inventory
        .cruft
        .iter()
        .flat_map(|(pack, times)| inventory::ids(pack).zip(times.iter().map(|time| (*time).min(now))));
    let mut found = Times::default();
    for (id, time) in fresh.into_iter().chain(aged) {
        if !reachable.iter().any(|pack| pack.position(&id).is_some()) {
            let known = found.entry(id).or_insert(time);
            *known = time.max(*known);
        }
    }
    Ok(found)
}

/// Writes objects as a cruft pack and moves it into the repository; `None` if there are no objects.
pub(super) fn bake(
    repository: &Repository,
    reader: &mut Reader,
    times: &Times,
    maintenance: &MaintenanceOptions,
) -> io::Result<Option<Arc<Pack>>> {
    let mut ids: Vec<_> = times.keys().copied().collect();
    ids.sort_unstable();
    let selection = bake::selection(reader, ids.iter().copied())?;
    let Some(baked) = bake::bake(repository, reader, selection, maintenance)? else { return Ok(None) };
    mtimes::write(&baked.beside("mtimes"), ids.iter().map(|id| times[id]), &baked.checksum)?;
    baked.install(repository, maintenance).map(Some)
}

/// Finds the unreachable objects to keep: the young ones, and all objects reachable from them, which become as young. So
/// the kept objects are fully connected.
pub(super) fn keep(
    reader: &mut Reader,
    inventory: &Inventory,
    tight: Option<&Arc<Pack>>,
    unreachable: &Times,
    maintenance: &MaintenanceOptions,
) -> Result<Times, Error> {
    let mut walk = Walk { reader, unreachable, kept: Times::default(), stack: Vec::new(), buffer: Vec::new() };
    // Objects of packs that are not touched stay, so everything reachable from them has to stay too.
    for pack in &inventory.kept {
        for id in inventory::ids(pack).filter(|id| tight.is_none_or(|tight| tight.position(id).is_none())) {
            walk.follow(&id)?;
            walk.drain(maintenance.seconds())?;
        }
    }
    let mut young: Vec<_> = unreachable.iter().filter(|(_, time)| !maintenance.is_expired(**time)).collect();
    young.sort_unstable_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    for (id, time) in young {
        walk.stack.push(*id);
        walk.drain(*time)?;
    }
    Ok(walk.kept)
}

struct Walk<'w> {
    reader: &'w mut Reader,
    unreachable: &'w Times,
    kept: Times,
    stack: Vec<ObjectId>,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn drain(&mut self, time: u32) -> Result<(), Error> {
        while let Some(id) = self.stack.pop() {
            if self.unreachable.contains_key(&id) && !self.kept.contains_key(&id) {
                self.kept.insert(id, time);
                self.follow(&id)?;
            }
        }
        Ok(())
    }

    fn follow(&mut self, id: &ObjectId) -> Result<(), Error> {
        let stack = &mut self.stack;
        named(self.reader, id, &mut self.buffer, &mut |id| stack.push(id))
    }
}

/// Visits the objects that an object refers to; of a malformed object, those that can be read.
pub(super) fn named(
    reader: &mut Reader,
    id: &ObjectId,
    buffer: &mut Vec<u8>,
    visit: &mut dyn FnMut(ObjectId),
) -> Result<(), Error> {
    let Some(kind) = reader.kind(id)?.filter(|kind| *kind != Kind::Blob) else { return Ok(()) };
    if reader.read(id, buffer)?.is_some() {
        let _as_far_as_it_goes = object_links::visit(kind, buffer, &mut |id, _| visit(id.to_owned()));
    }
    Ok(())
}
