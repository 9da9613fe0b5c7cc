//! Copying the entries of one pack as they are stored.
//!
//! **Invariant:** an entry copied here needs no entry written later: the base of a delta is copied before it,
//! or the client has it. The other selected objects are moved to the plan.

use std::{
    io::{self, Write},
    ops::Range,
    sync::Arc,
};

use gix::{
    ObjectId,
    hash::oid,
    odb::pack::data::{Entry, entry::Header},
};

use super::{
    Style, Written,
    copy::Buffer,
    head::{offset_delta_head, ref_delta_head},
    output::Output,
};
use crate::{
    Error,
    bits::Bits,
    cache_memory::Cached,
    entry_order::EntryOrder,
    pack::Pack,
    selection::{ReusedEntries, Selection},
};

/// The chosen entries of one pack.
pub(super) struct Reuse<'s> {
    reused: &'s ReusedEntries,
    entry_order: Arc<Cached<EntryOrder>>,
    /// The ranks of the entries that are copied.
    copied: Bits,
    /// The ranks of the selected entries that are not copied, in ascending order.
    moved: Vec<u32>,
}

impl<'s> Reuse<'s> {
    /// Decides which of the selected entries can be copied; `None` if none were selected.
    pub(super) fn new(selection: &'s Selection, style: Style) -> Result<Option<Self>, Error> {
        let Some(reused) = &selection.reused else { return Ok(None) };
        let entry_order = reused.pack.entry_order();
        let entries = entry_order.by_offset.len();
        if reused.bases.len() != entries {
            return Err(Error::Decode("the bases of a pack's deltas are not those of the pack".into()));
        }
        let mut reuse = Self { reused, entry_order, copied: Bits::new(entries), moved: Vec::new() };
        for rank in reused.chosen.iter() {
            if reuse.can_be_copied(rank, selection, style) {
                reuse.copied.set(rank);
            } else {
                reuse.moved.push(rank);
            }
        }
        Ok(Some(reuse))
    }

    fn can_be_copied(&self, rank: u32, selection: &Selection, style: Style) -> bool {
        let base = self.reused.bases[rank as usize];
        if base == ReusedEntries::WHOLE || self.copied.get(base) {
            return true;
        }
        let known = || selection.places.get(&self.id(base)) == Some(&Selection::KNOWN);
        style.thin && !self.reused.chosen.get(base) && known()
    }

    /// The number of entries that are copied.
    pub(super) fn count(&self) -> usize {
        self.copied.count()
    }

    /// Returns the chosen objects that are not copied.
    pub(super) fn moved(&self) -> impl Iterator<Item = ObjectId> {
        self.moved.iter().map(|rank| self.id(*rank))
    }

    /// Finds a selected object: `Ok` with its rank if it is copied, `Err` with its place among the moved ones.
    pub(super) fn find(&self, id: &oid) -> Option<Result<u32, usize>> {
        let rank = self.reused.pack.rank(id)?;
        if self.copied.get(rank) {
            return Some(Ok(rank));
        }
        self.moved.binary_search(&rank).ok().map(Err)
    }

    fn id(&self, rank: u32) -> ObjectId {
        self.reused.pack.id_at(rank)
    }

    fn span(&self, rank: u32) -> Range<u64> {
        let all = &self.entry_order.by_offset;
        let end = all.get(rank as usize + 1).map_or(self.reused.pack.data.pack_end() as u64, |(offset, _)| *offset);
        all[rank as usize].0..end
    }

    /// Returns whether the pack to send is exactly this one.
    pub(super) fn is_whole_pack(&self, selection: &Selection, style: Style) -> io::Result<bool> {
        Ok(selection.objects.is_empty()
            && !style.index
            && self.count() == self.reused.bases.len()
            && (style.offsets || !self.has_offset_deltas()?))
    }

    /// Writes the pack's file unchanged.
    pub(super) fn stream(&self, output: &mut dyn Write) -> io::Result<Written> {
        let pack = &self.reused.pack;
        let end = pack.data.data_len() as u64;
        let mut buffer = vec![0; usize::try_from(end.min(512 << 10)).map_err(io::Error::other)?];
        let mut start = 0;
        while start < end {
            let bytes = usize::try_from(end - start).map_or(buffer.len(), |rest| rest.min(buffer.len()));
            pack.read_at(&mut buffer[..bytes], start)?;
            output.write_all(&buffer[..bytes])?;
            start += bytes as u64;
        }
        Ok(Written { checksum: pack.data.checksum(), objects: Vec::new() })
    }

    /// Copies the entries; returns their offsets by rank, if `OFS_DELTA` is allowed.
    ///
    /// Adjacent entries whose headers stay are copied at once.
    pub(super) fn write(&self, style: Style, buffer: &mut Buffer, output: &mut Output<'_>) -> io::Result<Vec<u64>> {
        let pack = &self.reused.pack;
        let heads_change = self.has_offset_deltas()?;
        let mut places = if style.offsets { vec![0; self.reused.bases.len()] } else { Vec::new() };
        let mut heads = Buffer::default();
        let mut run = 0..0;
        for rank in self.copied.iter() {
            let mut span = self.span(rank);
            if output.indexes() {
                buffer.copy(pack, std::mem::replace(&mut run, 0..0), output)?;
                output.entry(self.id(rank));
            }
            let start = output.offset() + (run.end - run.start);
            if let Some(place) = places.get_mut(rank as usize) {
                *place = start;
            }
            if heads_change && let Some((head, data)) = self.new_head(rank, start, &places, &mut heads)? {
                buffer.copy(pack, std::mem::replace(&mut run, 0..0), output)?;
                output.put(&head)?;
                span.start = data;
            }
            if run.end == span.start {
                run.end = span.end;
            } else {
                buffer.copy(pack, std::mem::replace(&mut run, span), output)?;
            }
        }
        buffer.copy(pack, run, output)?;
        Ok(places)
    }

    /// Creates a new header for a delta that will start at `start`, if it needs one; returns also where its data begins.
    fn new_head(
        &self,
        rank: u32,
        start: u64,
        places: &[u64],
        buffer: &mut Buffer,
    ) -> io::Result<Option<(Vec<u8>, u64)>> {
        let base = self.reused.bases[rank as usize];
        if base == ReusedEntries::WHOLE {
            return Ok(None);
        }
        let entry = head_of(&self.reused.pack, &self.span(rank), buffer)?;
        let Header::OfsDelta { base_distance } = entry.header else { return Ok(None) };
        let head = match places.get(base as usize) {
            Some(place) if self.copied.get(base) => {
                if start - place == base_distance {
                    return Ok(None);
                }
                offset_delta_head(start - place, entry.decompressed_size)
            }
            _ => ref_delta_head(&self.id(base), entry.decompressed_size),
        };
        Ok(Some((head, entry.data_offset)))
    }

    /// Returns whether the pack has `OFS_DELTA` entries.
    fn has_offset_deltas(&self) -> io::Result<bool> {
        let pack = &self.reused.pack;
        if let Some(known) = pack.offset_deltas.get() {
            return Ok(*known);
        }
        let mut buffer = Buffer::default();
        let mut found = false;
        for (rank, base) in (0..).zip(self.reused.bases.iter()) {
            if *base != ReusedEntries::WHOLE {
                let entry = head_of(pack, &self.span(rank), &mut buffer)?;
                if matches!(entry.header, Header::OfsDelta { .. }) {
                    found = true;
                    break;
                }
            }
        }
        Ok(*pack.offset_deltas.get_or_init(|| found))
    }
}

fn head_of(pack: &Arc<Pack>, span: &Range<u64>, buffer: &mut Buffer) -> io::Result<Entry> {
    let bytes = buffer.head(pack, span)?;
    Entry::from_bytes(bytes, span.start, gix::hash::Kind::Sha1).map_err(io::Error::other)
}
