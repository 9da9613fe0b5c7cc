//! Packs of some objects of a received pack.
//!
//! Whole objects are copied unchanged; deltas are written as whole objects, because their bases may be left out.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
};

use flate2::{Compression, write::ZlibEncoder};
use gix::{ObjectId, hash::hasher, hashtable::HashSet};

use super::{PackError, Staged, receive};
use crate::{Error, Fsck, Limits, Options, Repository, pack_writer::entry_head};

impl Staged {
    /// Makes a pack of the objects `chosen`, and checks it like a pushed one.
    pub(crate) fn excerpt(
        &self,
        repository: &Repository,
        chosen: &HashSet<ObjectId>,
        options: &Options,
        shallow: &HashSet<ObjectId>,
    ) -> Result<Self, PackError> {
        let path = self.staging.path().join("excerpt");
        let mut file = File::options().read(true).write(true).create_new(true).open(path)?;
        self.write_excerpt(&mut file, chosen)?;
        file.rewind()?;
        // The received pack was within the limits; whole objects take more space than its deltas.
        let limits = Limits { pack_bytes: u64::MAX, expansion_bytes: u64::MAX, ..options.limits };
        let fsck = Fsck::off();
        receive(repository, &mut file, &Options { limits, fsck, ..options.clone() }, shallow)
    }

    fn write_excerpt(&self, file: &mut File, chosen: &HashSet<ObjectId>) -> Result<(), PackError> {
        let mut content = self.content()?;
        let mut offsets: Vec<_> = self.objects.iter().map(|(object, _)| object.offset).collect();
        offsets.sort_unstable();
        let mut output = Hashing { output: BufWriter::new(file), hasher: hasher(gix::hash::Kind::Sha1) };
        output.write_all(b"PACK\0\0\0\x02")?;
        let count = u32::try_from(chosen.len()).expect("a pack counts its objects in 32 bits");
        output.write_all(&count.to_be_bytes())?;
        let mut objects: Vec<_> = chosen.iter().filter_map(|id| self.find(id)).collect();
        objects.sort_unstable_by_key(|(object, _)| object.offset);
        let mut data = Vec::new();
        for (object, kind) in objects {
            let entry = content.data.entry(object.offset).map_err(|error| Error::decode(&error))?;
            if entry.header.is_delta() {
                content.read(&object.id, &mut data)?;
                let mut encoder = ZlibEncoder::new(entry_head(*kind, data.len() as u64), Compression::default());
                encoder.write_all(&data)?;
                output.write_all(&encoder.finish()?)?;
            } else {
                let next = offsets.partition_point(|offset| *offset <= object.offset);
                let end = offsets.get(next).copied().unwrap_or(content.data.pack_end() as u64);
                let bytes = content.data.entry_slice(object.offset..end);
                output.write_all(bytes.ok_or_else(|| PackError::new("the pack is corrupt: an entry has no end"))?)?;
            }
        }
        let digest = output.hasher.try_finalize().map_err(|error| PackError::new(error.to_string()))?;
        output.output.write_all(digest.as_slice())?;
        Ok(output.output.flush()?)
    }
}

/// A writer that hashes the written bytes.
struct Hashing<W> {
    output: W,
    hasher: gix::hash::Hasher,
}

impl<W: Write> Hashing<W> {
    fn write_all(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.hasher.update(bytes);
        self.output.write_all(bytes)
    }
}
