//! One pack: its index and its data, mapped into memory.

use std::{
    fs::File,
    io,
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use gix::{
    ObjectId,
    hash::oid,
    odb::pack::{data, index},
};

use crate::{
    Error,
    cache_memory::{CacheMemory, Cached, Slot},
    commit_graph,
    entry_order::EntryOrder,
};

/// An open pack. It stays readable after its files are removed.
pub(crate) struct Pack {
    pub(crate) index: index::File,
    pub(crate) data: data::File,
    /// The open data file of a large pack, to copy from without mapping all of it into the process. Small packs have none,
    /// so that the limit of open files does not bound the number of packs.
    file: Option<Arc<File>>,
    entry_order: Slot<EntryOrder>,
    /// Whether the pack has `OFS_DELTA` entries; computed by the pack writer on first use.
    pub(crate) offset_deltas: OnceLock<bool>,
    pub(crate) graph: commit_graph::Place,
}

/// The size in bytes from which a data file is kept open.
const LARGE: u64 = 1 << 20;

/// The length of a pack's header, in bytes.
const HEAD_BYTES: u64 = 12;

/// The number of the next pack; gitoxide's caches tell packs apart by it.
static NEXT: AtomicU32 = AtomicU32::new(1);

impl Pack {
    /// Opens the pack whose index is at `index_path`.
    ///
    /// Its entry order and its graph are cached in `memory`.
    pub(crate) fn open(index_path: &Path, memory: &CacheMemory) -> io::Result<Self> {
        let data_path = index_path.with_extension("pack");
        let file = File::open(&data_path)?;
        let file = (file.metadata()?.len() >= LARGE).then(|| Arc::new(file));
        // The error of gitoxide for a file that cannot be opened does not say whether it exists.
        drop(File::open(index_path)?);
        let index = index::File::at(index_path, gix::hash::Kind::Sha1).map_err(io::Error::other)?;
        let mut data = data::File::at(&data_path, gix::hash::Kind::Sha1).map_err(io::Error::other)?;
        data.id = NEXT.fetch_add(1, Ordering::Relaxed);
        let unsound = |reason| Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        if data.num_objects() != index.num_objects() {
            return unsound("a pack and its index differ in their size");
        }
        if data.checksum() != index.pack_checksum() {
            return unsound("a pack does not end as its index says");
        }
        Ok(Self {
            index,
            data,
            file,
            entry_order: Slot::new(memory),
            offset_deltas: OnceLock::new(),
            graph: commit_graph::Place::new(memory),
        })
    }

    /// Finds an object's position in the index.
    pub(crate) fn position(&self, id: &oid) -> Option<u32> {
        self.index.lookup(id)
    }

    /// Reads the head of the entry at `offset`.
    pub(crate) fn entry(&self, offset: u64) -> Result<data::Entry, Error> {
        if !(HEAD_BYTES..self.data.pack_end() as u64).contains(&offset) {
            return Err(Error::Decode(format!("no entry of the pack starts at {offset}")));
        }
        self.data.entry(offset).map_err(|error| Error::decode(&error))
    }

    /// Reads the head of an object's entry, if the object is in the pack.
    pub(crate) fn entry_of(&self, id: &oid) -> Result<Option<data::Entry>, Error> {
        self.position(id).map(|position| self.entry(self.index.pack_offset_at_index(position))).transpose()
    }

    /// Returns the memory that caches the entry order and the graph of the pack.
    pub(crate) fn memory(&self) -> &CacheMemory {
        self.entry_order.memory()
    }

    /// Returns the data file of a large pack, to send parts of it.
    pub(crate) fn file(&self) -> Option<&Arc<File>> {
        self.file.as_ref()
    }

    /// Returns the order of the entries. Hold it while you look up many entries: it may be evicted and built again.
    pub(crate) fn entry_order(&self) -> Arc<Cached<EntryOrder>> {
        let make = || Some(EntryOrder::of(&self.index));
        self.entry_order.get_or_make(make).expect("the order is computed without a failure")
    }

    /// Returns whether the order of the entries is cached at the moment.
    pub(crate) fn has_entry_order(&self) -> bool {
        !self.entry_order.is_empty()
    }

    /// Finds the rank of an object's entry: its place in the order of the offsets.
    pub(crate) fn rank(&self, id: &oid) -> Option<u32> {
        self.position(id).map(|position| self.entry_order().rank(position))
    }

    /// Returns the id of the object whose entry has the rank.
    pub(crate) fn id_at(&self, rank: u32) -> ObjectId {
        let (_, position) = self.entry_order().by_offset[rank as usize];
        self.index.oid_at_index(position).to_owned()
    }

    /// Finds the entry at `offset`: its position in the index, and where it ends.
    pub(crate) fn span(&self, offset: u64) -> Result<(u32, u64), Error> {
        let entry_order = self.entry_order();
        let all = &entry_order.by_offset;
        let rank = all
            .binary_search_by_key(&offset, |(offset, _)| *offset)
            .map_err(|_| Error::Decode(format!("no entry of the pack starts at {offset}")))?;
        let end = all.get(rank + 1).map_or(self.data.pack_end() as u64, |(offset, _)| *offset);
        Ok((all[rank].1, end))
    }

    /// Fills `buffer` with the bytes of the data file from `offset` on.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        if let Some(file) = &self.file {
            return read_exact_at(file, buffer, offset);
        }
        let bytes = self.data.entry_slice(offset..offset + buffer.len() as u64);
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Fills `buffer` with the bytes of a file from `offset` on.
#[cfg(unix)]
pub(crate) fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Fills `buffer` with the bytes of a file from `offset` on.
#[cfg(windows)]
pub(crate) fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !buffer.is_empty() {
        let bytes = std::os::windows::fs::FileExt::seek_read(file, buffer, offset)?;
        if bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer = &mut buffer[bytes..];
        offset += bytes as u64;
    }
    Ok(())
}
