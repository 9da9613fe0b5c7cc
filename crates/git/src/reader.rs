//! Reading objects, from packs and from loose files.

use std::sync::Arc;

use gix::{
    ObjectId,
    hash::oid,
    odb::{
        loose,
        pack::{
            cache::lru::MemoryCappedHashmap,
            data::{Entry, decode::entry::ResolvedBase as EntryBase, decode::header::ResolvedBase as HeaderBase},
        },
    },
    zlib::Inflate,
};

use crate::{Error, Kind, pack::Pack};

/// The memory that decoded objects are kept in to resolve deltas, in bytes.
const CACHE_BYTES: usize = 32 << 20;

/// Where an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Location {
    /// In a pack of [`Reader::packs`], at a position of its index.
    Packed { pack: usize, position: u32 },
    /// In a file of its own.
    Loose,
}

/// Reads the objects that a repository had when the reader was made, and newer loose ones.
pub(crate) struct Reader {
    packs: Arc<[Arc<Pack>]>,
    loose: Arc<[loose::Store]>,
    /// The numbers of the packs, the one that was hit last first.
    order: Vec<usize>,
    inflate: Inflate,
    cache: MemoryCappedHashmap,
}

impl Reader {
    pub(crate) fn new(packs: Arc<[Arc<Pack>]>, loose: Arc<[loose::Store]>) -> Self {
        let order = (0..packs.len()).collect();
        let cache = MemoryCappedHashmap::new(CACHE_BYTES);
        Self { packs, loose, order, inflate: Inflate::default(), cache }
    }

    /// Gives the packs that locations refer to.
    pub(crate) fn packs(&self) -> &Arc<[Arc<Pack>]> {
        &self.packs
    }

    /// Finds an object.
    pub(crate) fn locate(&mut self, id: &oid) -> Option<Location> {
        for rank in 0..self.order.len() {
            let pack = self.order[rank];
            if let Some(position) = self.packs[pack].position(id) {
                self.order[..=rank].rotate_right(1);
                return Some(Location::Packed { pack, position });
            }
        }
        self.loose.iter().any(|store| store.contains(id)).then_some(Location::Loose)
    }

    /// Tells an object's kind, if the object is there.
    pub(crate) fn kind(&mut self, id: &oid) -> Result<Option<Kind>, Error> {
        match self.locate(id) {
            None => Ok(None),
            Some(Location::Loose) => {
                for store in self.loose.iter() {
                    if let Some((_, kind)) = store.try_header(id).map_err(|error| Error::decode(&error))? {
                        return Ok(Some(kind));
                    }
                }
                Ok(None)
            }
            Some(Location::Packed { pack, position }) => {
                let pack = &self.packs[pack];
                let entry = pack.entry(pack.index.pack_offset_at_index(position))?;
                let resolve = |base: &oid| Ok(base_in(pack, base)?.map(HeaderBase::InPack));
                pack.data
                    .decode_header(entry, &mut self.inflate, &resolve)
                    .map(|outcome| Some(outcome.kind))
                    .map_err(|error| Error::decode(&error))
            }
        }
    }

    /// Reads an object's content into `buffer`, if the object is there.
    pub(crate) fn read(&mut self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Error> {
        match self.locate(id) {
            None => Ok(None),
            Some(Location::Loose) => {
                for store in self.loose.iter() {
                    if let Some(object) = store.try_find(id, buffer).map_err(|error| Error::decode(&error))? {
                        return Ok(Some(object.kind));
                    }
                }
                Ok(None)
            }
            Some(Location::Packed { pack, position }) => {
                let pack = &self.packs[pack];
                let entry = pack.entry(pack.index.pack_offset_at_index(position))?;
                let resolve = |base: &oid, _: &mut Vec<u8>| Ok(base_in(pack, base)?.map(EntryBase::InPack));
                pack.data
                    .decode_entry(entry, buffer, &mut self.inflate, &resolve, &mut self.cache)
                    .map(|outcome| Some(outcome.kind))
                    .map_err(|error| Error::decode(&error))
            }
        }
    }

    /// Reads an object that has to be there, and of `kind`.
    pub(crate) fn expect(&mut self, id: &oid, kind: Kind, buffer: &mut Vec<u8>) -> Result<(), Error> {
        match self.read(id, buffer)? {
            Some(found) if found == kind => Ok(()),
            Some(_) => Err(Error::Malformed { id: id.to_owned(), reason: "it is of another kind" }),
            None => Err(Error::Missing(id.to_owned())),
        }
    }

    /// Follows annotated tags to what they name.
    pub(crate) fn peel(&mut self, id: &oid) -> Result<(ObjectId, Kind), Error> {
        let mut id = id.to_owned();
        let mut buffer = Vec::new();
        loop {
            let kind = self.kind(&id)?.ok_or(Error::Missing(id))?;
            if kind != Kind::Tag {
                return Ok((id, kind));
            }
            self.expect(&id, kind, &mut buffer)?;
            (id, _) = crate::links::tag_target(&buffer).map_err(|reason| Error::Malformed { id, reason })?;
        }
    }
}

fn base_in(pack: &Pack, base: &oid) -> gix::Result<Option<Entry>> {
    pack.position(base).map(|position| pack.data.entry(pack.index.pack_offset_at_index(position))).transpose()
}
