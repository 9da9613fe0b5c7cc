//! Writing a pack of objects that the repository has.
//!
//! Entries are copied as they are stored; only their headers change. A delta is copied if its base is in the new
//! pack too, or if the client has it and accepts thin packs. For the other objects new deltas are searched.
//!
//! **Invariant:** a base is written before the deltas on it, so no chain of deltas leads back to itself.

mod copy;
mod head;
mod output;
mod plan;
mod reuse;
mod search;
#[cfg(test)]
mod tests;

use std::{
    fs::File,
    io::{self, Write},
    sync::Arc,
};

use gix::ObjectId;

use crate::{delta, pack::Pack, pack_index::Indexed, reader::Reader, selection::Selection};
use copy::Buffer;
pub(crate) use head::entry_head;
use head::{offset_delta_head, ref_delta_head};
use output::{Compressor, Output};
use plan::{Form, Plan};
use reuse::Reuse;

/// The form of a pack to write.
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Bases may be objects outside the pack.
    pub(crate) thin: bool,
    /// Deltas may be `OFS_DELTA` entries.
    pub(crate) offsets: bool,
    /// New deltas are searched.
    pub(crate) search: bool,
    /// The pack is stored: its objects come in the order of the selection, commits and tags first, and the entries
    /// of its index are returned.
    pub(crate) index: bool,
    /// The number of threads of the search for deltas; 0 means one.
    pub(crate) threads: usize,
}

/// A pack that was written.
pub(crate) struct Written {
    /// The hash that ends the pack.
    pub(crate) checksum: ObjectId,
    /// The objects by their ids, if [`Style::index`] asks for them.
    pub(crate) objects: Vec<Indexed>,
}

/// Finds the pack that holds exactly the objects of a selection in an acceptable form, if its file is open.
pub(crate) fn whole_pack(selection: &Selection, style: Style) -> io::Result<Option<(Arc<Pack>, Arc<File>)>> {
    let Some(reused) = selection.reused.as_ref().filter(|_| selection.is_whole_pack()) else { return Ok(None) };
    let Some(file) = reused.pack.file() else { return Ok(None) };
    let Some(reuse) = Reuse::new(selection, style)? else { return Ok(None) };
    Ok(reuse.is_whole_pack(selection, style)?.then(|| (Arc::clone(&reused.pack), Arc::clone(file))))
}

/// Writes the objects of a selection as a pack.
pub(crate) fn write(
    reader: &mut Reader,
    selection: &Selection,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<Written> {
    let reuse = Reuse::new(selection, style)?;
    if let Some(reuse) = &reuse
        && reuse.is_whole_pack(selection, style)?
    {
        return reuse.stream(output);
    }
    let mut plan = Plan::make(reader, selection, reuse.as_ref(), style)?;
    if style.search {
        search::run(reader, selection, reuse.as_ref(), style, &mut plan)?;
    }
    plan.put_bases_first();
    let count = plan.entries.len() + reuse.as_ref().map_or(0, Reuse::count);
    let mut output = Output::begin(output, count, style.index)?;
    let mut buffer = Buffer::default();
    let reused_places = match &reuse {
        Some(reuse) => reuse.write(style, &mut buffer, &mut output)?,
        None => Vec::new(),
    };
    let places = if style.offsets { vec![0; plan.entries.len()] } else { Vec::new() };
    let compressor = Compressor::new();
    Writer { reader, selection, plan, places, reused_places, buffer, compressor, output }.finish()
}

/// Writer of the entries that are not reused.
struct Writer<'w> {
    reader: &'w mut Reader,
    selection: &'w Selection,
    plan: Plan,
    /// The offsets of the written entries, by their places in the plan; empty without `OFS_DELTA`.
    places: Vec<u64>,
    /// The offsets of the reused entries, by their ranks.
    reused_places: Vec<u64>,
    buffer: Buffer,
    compressor: Compressor,
    output: Output<'w>,
}

impl Writer<'_> {
    fn finish(mut self) -> io::Result<Written> {
        for place in std::mem::take(&mut self.plan.order) {
            let id = self.plan.object(self.selection, place).id;
            self.output.entry(id);
            if let Some(start) = self.places.get_mut(place as usize) {
                *start = self.output.offset();
            }
            match self.plan.entries[place as usize].form {
                Form::Encoded => self.encode(place)?,
                Form::NewOnSent(base) => self.new_delta(place, &self.plan.object(self.selection, base).id.clone())?,
                Form::NewOnKnown(base) => self.new_delta(place, &self.selection.bases[base as usize].id)?,
                Form::Whole | Form::OnKnown | Form::OnSent(_) | Form::OnReused(_) => self.copy(place)?,
            }
        }
        self.output.finish()
    }

    /// Writes an object whole.
    fn encode(&mut self, place: u32) -> io::Result<()> {
        if let Some(ready) = self.plan.ready.remove(&place)
            && let Some(body) = ready.body
        {
            let kind = self.plan.object(self.selection, place).kind;
            self.output.put(&entry_head(kind, ready.size))?;
            return self.output.put(&body);
        }
        let object = self.plan.object(self.selection, place);
        let mut data = Vec::new();
        self.reader.expect(&object.id, object.kind, &mut data)?;
        self.output.put(&entry_head(object.kind, data.len() as u64))?;
        let body = self.compressor.run(&data)?;
        drop(data);
        self.output.put(&body)
    }

    /// Writes a delta that was found, on the object `base`.
    fn new_delta(&mut self, place: u32, base: &ObjectId) -> io::Result<()> {
        let ready = self.plan.ready.remove(&place).expect("a delta that was found has a size");
        let body = match ready.body {
            Some(body) => body.into(),
            None => self.make_again(place, base, ready.size)?,
        };
        let head = match self.base_start(place) {
            Some(start) => offset_delta_head(self.output.offset() - start, ready.size),
            None => ref_delta_head(base, ready.size),
        };
        self.output.put(&head)?;
        self.output.put(&body)
    }

    /// Encodes and compresses again a delta of `size` bytes that the search did not keep.
    fn make_again(&mut self, place: u32, base: &ObjectId, size: u64) -> io::Result<Vec<u8>> {
        let object = *self.plan.object(self.selection, place);
        let (mut from, mut to) = (Vec::new(), Vec::new());
        self.reader.expect(base, object.kind, &mut from)?;
        self.reader.expect(&object.id, object.kind, &mut to)?;
        let limit = usize::try_from(size).map_err(io::Error::other)?;
        let delta = delta::Index::new(&from).encode(&from, &to, limit);
        self.compressor.run(&delta.expect("the same objects have the same delta again"))
    }

    /// Copies an entry, with a new header if it is a delta.
    fn copy(&mut self, place: u32) -> io::Result<()> {
        let planned = self.plan.entries[place as usize];
        let pack = Arc::clone(&self.reader.packs()[planned.pack as usize]);
        let mut start = planned.offset;
        if planned.form != Form::Whole {
            let entry = pack.entry(planned.offset)?;
            start = entry.data_offset;
            let size = entry.decompressed_size;
            let head = if let Some(start) = self.base_start(place) {
                offset_delta_head(self.output.offset() - start, size)
            } else {
                let base = self.plan.base_id(self.selection, place);
                ref_delta_head(&base.expect("a delta that is copied has a base"), size)
            };
            self.output.put(&head)?;
        }
        self.buffer.copy(&pack, start..planned.end, &mut self.output)
    }

    /// Returns the offset of a delta's base in the new pack, if the delta may be an `OFS_DELTA` entry.
    fn base_start(&self, place: u32) -> Option<u64> {
        match self.plan.entries[place as usize].form {
            Form::OnSent(base) | Form::NewOnSent(base) => self.places.get(base as usize).copied(),
            Form::OnReused(base) => self.reused_places.get(base as usize).copied(),
            Form::Encoded | Form::Whole | Form::OnKnown | Form::NewOnKnown(_) => None,
        }
    }
}
