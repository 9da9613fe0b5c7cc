//! Reads the objects of a staged pack.

use gix::{
    hash::oid,
    odb::pack::{
        cache::lru::MemoryCappedHashmap,
        data::{self, decode::entry::ResolvedBase as EntryBase, decode::header::ResolvedBase as HeaderBase},
    },
    zlib::Inflate,
};

use super::Staged;
use crate::{Error, Kind};

/// The size of the cache of decoded bases, in bytes.
const CACHE_BYTES: usize = 16 << 20;

/// The objects of a staged pack, which has all bases.
pub(crate) struct Content<'s> {
    staged: &'s Staged,
    pub(super) data: data::File,
    inflate: Inflate,
    cache: MemoryCappedHashmap,
}

impl<'s> Content<'s> {
    pub(super) fn open(staged: &'s Staged) -> Result<Self, Error> {
        let path = staged.staging.path().join("pack");
        let data = data::File::at(path, gix::hash::Kind::Sha1).map_err(|error| Error::decode(&error))?;
        Ok(Self { staged, data, inflate: Inflate::default(), cache: MemoryCappedHashmap::new(CACHE_BYTES) })
    }

    /// Returns the kind of an object and its size in bytes, if the pack has it.
    pub(crate) fn header(&mut self, id: &oid) -> Result<Option<(Kind, u64)>, Error> {
        let entry = entry_of(self.staged, &self.data, id).map_err(|error| Error::decode(&error))?;
        let Some(entry) = entry else { return Ok(None) };
        let resolve = |base: &oid| Ok(entry_of(self.staged, &self.data, base)?.map(HeaderBase::InPack));
        let outcome = self.data.decode_header(entry, &mut self.inflate, &resolve);
        outcome.map(|outcome| Some((outcome.kind, outcome.object_size))).map_err(|error| Error::decode(&error))
    }

    /// Reads an object into `buffer`, if the pack has it.
    pub(crate) fn read(&mut self, id: &oid, buffer: &mut Vec<u8>) -> Result<Option<Kind>, Error> {
        let entry = entry_of(self.staged, &self.data, id).map_err(|error| Error::decode(&error))?;
        let Some(entry) = entry else { return Ok(None) };
        let resolve = |base: &oid, _: &mut Vec<u8>| Ok(entry_of(self.staged, &self.data, base)?.map(EntryBase::InPack));
        let outcome = self.data.decode_entry(entry, buffer, &mut self.inflate, &resolve, &mut self.cache);
        outcome.map(|outcome| Some(outcome.kind)).map_err(|error| Error::decode(&error))
    }
}

fn entry_of(staged: &Staged, data: &data::File, id: &oid) -> gix::Result<Option<data::Entry>> {
    staged.find(id).map(|(object, _)| data.entry(object.offset)).transpose()
}
