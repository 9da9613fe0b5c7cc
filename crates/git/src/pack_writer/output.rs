//! The pack that is being written.

use std::io::{self, Write};

use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use gix::{
    ObjectId,
    hash::{Hasher, hasher},
};

use super::Written;
use crate::pack_index::Indexed;

/// Output that counts and hashes the bytes.
pub(super) struct Output<'w> {
    sink: &'w mut dyn Write,
    hasher: Hasher,
    offset: u64,
    /// The entries so far, if an index is to be made of them.
    entries: Option<Vec<Indexed>>,
    /// The checksum of the last one of them so far.
    crc: Crc,
}

impl<'w> Output<'w> {
    /// Begins a pack of `objects` objects.
    pub(super) fn begin(sink: &'w mut dyn Write, objects: usize, index: bool) -> io::Result<Self> {
        let count = u32::try_from(objects).map_err(io::Error::other)?;
        let entries = index.then(|| Vec::with_capacity(objects));
        let mut output = Self { sink, hasher: hasher(gix::hash::Kind::Sha1), offset: 0, entries, crc: Crc::new() };
        let mut head = *b"PACK\0\0\0\x02\0\0\0\0";
        head[8..].copy_from_slice(&count.to_be_bytes());
        output.put(&head)?;
        Ok(output)
    }

    /// The offset of the next byte.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Returns whether [`Output::entry`] must be called for each entry.
    pub(super) fn indexes(&self) -> bool {
        self.entries.is_some()
    }

    /// Announces the entry that the next byte begins.
    pub(super) fn entry(&mut self, id: ObjectId) {
        self.end_entry();
        if let Some(entries) = &mut self.entries {
            entries.push(Indexed { id, crc: 0, offset: self.offset });
        }
    }

    pub(super) fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        if self.entries.is_some() {
            self.crc.update(bytes);
        }
        self.offset += bytes.len() as u64;
        self.sink.write_all(bytes)
    }

    /// Ends the pack with its checksum.
    pub(super) fn finish(mut self) -> io::Result<Written> {
        self.end_entry();
        let checksum = self.hasher.try_finalize().map_err(io::Error::other)?;
        self.sink.write_all(checksum.as_slice())?;
        let mut objects = self.entries.unwrap_or_default();
        objects.sort_unstable_by_key(|object| object.id);
        Ok(Written { checksum, objects })
    }

    fn end_entry(&mut self) {
        if let Some(last) = self.entries.as_mut().and_then(|entries| entries.last_mut()) {
            last.crc = self.crc.sum();
        }
        self.crc.reset();
    }
}

/// A reusable compressor.
pub(super) struct Compressor(Compress);

impl Compressor {
    pub(super) fn new() -> Self {
        Self(Compress::new(Compression::default(), true))
    }

    pub(super) fn run(&mut self, data: &[u8]) -> io::Result<Vec<u8>> {
        self.0.reset();
        let mut bytes = Vec::with_capacity(data.len() / 2 + 64);
        loop {
            let done = usize::try_from(self.0.total_in()).map_err(io::Error::other)?;
            match self.0.compress_vec(&data[done..], &mut bytes, FlushCompress::Finish)? {
                Status::StreamEnd => return Ok(bytes),
                Status::Ok | Status::BufError => bytes.reserve(bytes.len() + 64),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_is_all_there() {
        let mut compressor = Compressor::new();
        let noise: Vec<_> =
            (0..30_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        for data in [&b""[..], b"short", &vec![0; 100_000], &noise] {
            let bytes = compressor.run(data).expect("memory takes all");
            let mut read = Vec::new();
            let mut decoder = flate2::read::ZlibDecoder::new(&*bytes);
            io::Read::read_to_end(&mut decoder, &mut read).expect("a sound stream");
            assert_eq!(read, data);
        }
    }
}
