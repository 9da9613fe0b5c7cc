//! Writing a pack of objects that the repository has.
//!
//! Entries are copied as they are stored; only their heads change. A delta is copied if its base is in the
//! pack too, or if the client has it and takes thin packs; otherwise the object is written whole.
//!
//! **Invariant:** a base is written before the deltas on it, so no chain of deltas leads back to itself.

mod plan;
mod window;

use std::{
    io::{self, Write},
    sync::Arc,
};

use flate2::{Compression, write::ZlibEncoder};
use gix::{ObjectId, hash::Hasher, hash::hasher};

use crate::{
    Kind,
    enumerate::{Chosen, Selection},
    pack::Pack,
    reader::Reader,
};
use plan::{Form, Plan, Planned};
use window::Window;

/// How a client wants its pack.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Style {
    /// Bases may be objects that are not in the pack.
    pub(crate) thin: bool,
    /// Bases may be given by their place in the pack.
    pub(crate) offsets: bool,
}

/// Writes the objects of a selection as a pack.
///
/// A search for new deltas would come between the plan and the writing, for the objects that are written whole.
pub(crate) fn write(
    reader: &mut Reader,
    selection: &Selection,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let plan = Plan::make(reader, selection, style)?;
    let count = u32::try_from(plan.entries.len()).map_err(io::Error::other)?;
    let mut writer = Writer {
        output,
        hasher: hasher(gix::hash::Kind::Sha1),
        offset: 0,
        places: if style.offsets { vec![0; plan.entries.len()] } else { Vec::new() },
        window: Window::default(),
    };
    let mut head = *b"PACK\0\0\0\x02\0\0\0\0";
    head[8..].copy_from_slice(&count.to_be_bytes());
    writer.put(&head)?;
    for place in &plan.order {
        let planned = plan.entries[*place as usize];
        if style.offsets {
            writer.places[*place as usize] = writer.offset;
        }
        let packs = Arc::clone(reader.packs());
        match planned.form {
            Form::Encoded => writer.encode(reader, &selection.objects[*place as usize])?,
            _ => writer.copy(&packs[planned.pack as usize], &planned)?,
        }
    }
    writer.finish()
}

/// Encodes the head of an entry that holds a whole object of `size` bytes.
pub(crate) fn entry_head(kind: Kind, size: u64) -> Vec<u8> {
    let number = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    type_and_size(number, size)
}

const OFS_DELTA: u8 = 6;
const REF_DELTA: u8 = 7;

fn type_and_size(number: u8, size: u64) -> Vec<u8> {
    let low = |bits: u64, mask: u8| bits.to_le_bytes()[0] & mask;
    let mut head = vec![number << 4 | low(size, 15)];
    let mut rest = size >> 4;
    while rest != 0 {
        *head.last_mut().expect("there is a first byte") |= 0x80;
        head.push(low(rest, 0x7f));
        rest >>= 7;
    }
    head
}

/// Encodes the distance to a base that lies before its delta.
fn distance(bytes: u64) -> Vec<u8> {
    let mut digits = vec![bytes.to_le_bytes()[0] & 0x7f];
    let mut rest = bytes >> 7;
    while rest != 0 {
        rest -= 1;
        digits.push(0x80 | rest.to_le_bytes()[0] & 0x7f);
        rest >>= 7;
    }
    digits.reverse();
    digits
}

struct Writer<'w> {
    output: &'w mut dyn Write,
    hasher: Hasher,
    offset: u64,
    /// Where the written entries start, by their places in the selection; empty if that is of no use.
    places: Vec<u64>,
    window: Window,
}

impl Writer<'_> {
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.offset += bytes.len() as u64;
        self.output.write_all(bytes)
    }

    fn encode(&mut self, reader: &mut Reader, chosen: &Chosen) -> io::Result<()> {
        let mut data = Vec::new();
        reader.expect(&chosen.id, chosen.kind, &mut data)?;
        self.put(&entry_head(chosen.kind, data.len() as u64))?;
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&data)?;
        drop(data);
        self.put(&encoder.finish()?)
    }

    fn copy(&mut self, pack: &Arc<Pack>, planned: &Planned) -> io::Result<()> {
        let (_, end) = pack.span(planned.offset)?;
        let entry = pack.entry(planned.offset)?;
        let mut start = entry.data_offset;
        let by_id = |id: &ObjectId| {
            let mut head = type_and_size(REF_DELTA, entry.decompressed_size);
            head.extend_from_slice(id.as_slice());
            head
        };
        match planned.form {
            Form::Encoded | Form::Whole => start = planned.offset,
            Form::OnKnown => self.put(&by_id(&plan::base_id(pack, &entry)?))?,
            Form::OnSent(base) => match self.places.get(base as usize) {
                Some(place) => {
                    let mut head = type_and_size(OFS_DELTA, entry.decompressed_size);
                    head.extend(distance(self.offset - place));
                    self.put(&head)?;
                }
                None => self.put(&by_id(&plan::base_id(pack, &entry)?))?,
            },
        }
        while start < end {
            let bytes = self.window.get(pack, start, end)?;
            self.hasher.update(bytes);
            self.output.write_all(bytes)?;
            self.offset += bytes.len() as u64;
            start += bytes.len() as u64;
        }
        Ok(())
    }

    fn finish(self) -> io::Result<()> {
        let digest = self.hasher.try_finalize().map_err(io::Error::other)?;
        self.output.write_all(digest.as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix::odb::pack::data::entry::Header;

    #[test]
    fn heads_are_as_gitoxide_writes_them() {
        for size in [0, 1, 15, 16, 2047, 2048, 1 << 20, 1 << 40] {
            let mut expected = Vec::new();
            Header::Tree.write_to(size, &mut expected).expect("a vector takes all");
            assert_eq!(entry_head(Kind::Tree, size), expected, "{size}");
        }
        for bytes in [1, 127, 128, 16_511, 16_512, 1 << 31, 1 << 40] {
            let mut expected = Vec::new();
            Header::OfsDelta { base_distance: bytes }.write_to(9, &mut expected).expect("a vector takes all");
            assert_eq!(distance(bytes), expected[1..], "{bytes}");
        }
    }
}
