//! The bytes of an incoming pack: stored, hashed and counted while they are parsed.

use std::{
    fs::File,
    io::{self, Read, Write},
};

use flate2::Crc;
use gix::{
    ObjectId,
    hash::{Hasher, hasher},
};

use super::PackError;

const BUFFER_BYTES: usize = 256 << 10;

/// An input whose consumed bytes are written to a file and hashed.
pub(super) struct PackSource<'a> {
    input: &'a mut dyn Read,
    output: File,
    buffer: Box<[u8]>,
    /// The position in the buffer up to which bytes are stored and hashed.
    settled: usize,
    position: usize,
    end: usize,
    /// The number of stored bytes.
    stored: u64,
    hasher: Hasher,
    crc: Crc,
    crc_from: usize,
    /// The maximum size of the pack, in bytes.
    bytes_max: u64,
}

impl<'a> PackSource<'a> {
    pub(super) fn new(input: &'a mut dyn Read, output: File, bytes_max: u64) -> Self {
        Self {
            input,
            output,
            buffer: vec![0; BUFFER_BYTES].into(),
            settled: 0,
            position: 0,
            end: 0,
            stored: 0,
            hasher: hasher(gix::hash::Kind::Sha1),
            crc: Crc::new(),
            crc_from: 0,
            bytes_max,
        }
    }

    /// Returns the next bytes, at least one, without consuming them.
    pub(super) fn peek(&mut self) -> Result<&[u8], PackError> {
        if self.position == self.end {
            self.settle()?;
            (self.settled, self.position, self.crc_from) = (0, 0, 0);
            self.end = loop {
                match self.input.read(&mut self.buffer) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Ok(0) => return Err(PackError::new("the pack is truncated")),
                    Ok(bytes) => break bytes,
                    Err(error) => return Err(PackError::new(format!("the pack is truncated: {error}"))),
                }
            };
        }
        Ok(&self.buffer[self.position..self.end])
    }

    /// Consumes bytes returned by [`PackSource::peek`].
    pub(super) fn advance(&mut self, bytes: usize) {
        self.position += bytes;
        debug_assert!(self.position <= self.end, "more bytes are consumed than were returned");
    }

    /// Consumes one byte.
    pub(super) fn byte(&mut self) -> Result<u8, PackError> {
        let byte = self.peek()?[0];
        self.advance(1);
        Ok(byte)
    }

    /// Consumes as many bytes as `out` holds.
    pub(super) fn exact(&mut self, out: &mut [u8]) -> Result<(), PackError> {
        let mut filled = 0;
        while filled < out.len() {
            let available = self.peek()?;
            let taken = available.len().min(out.len() - filled);
            out[filled..filled + taken].copy_from_slice(&available[..taken]);
            self.advance(taken);
            filled += taken;
        }
        Ok(())
    }

    /// Returns the number of consumed bytes.
    pub(super) fn offset(&self) -> u64 {
        self.stored + (self.position - self.settled) as u64
    }

    /// Starts the checksum of an entry.
    pub(super) fn start_entry(&mut self) {
        self.crc.reset();
        self.crc_from = self.position;
    }

    /// Returns the checksum of the entry that ends here.
    pub(super) fn end_entry(&mut self) -> u32 {
        self.crc.update(&self.buffer[self.crc_from..self.position]);
        self.crc_from = self.position;
        self.crc.sum()
    }

    /// Checks the hash at the end of the pack, and returns it.
    pub(super) fn finish(mut self) -> Result<ObjectId, PackError> {
        self.settle()?;
        let digest = self.hasher.clone().try_finalize().map_err(|error| PackError::new(error.to_string()))?;
        let mut trailer = [0; 20];
        self.exact(&mut trailer)?;
        self.settle()?;
        if digest.as_slice() == trailer {
            Ok(digest)
        } else {
            Err(PackError::new("the pack is corrupt: its checksum does not match"))
        }
    }

    fn settle(&mut self) -> Result<(), PackError> {
        let fresh = &self.buffer[self.settled..self.position];
        if self.stored + fresh.len() as u64 > self.bytes_max {
            return Err(PackError::new("pack exceeds maximum allowed size"));
        }
        self.output.write_all(fresh)?;
        self.hasher.update(fresh);
        self.stored += fresh.len() as u64;
        self.settled = self.position;
        self.crc.update(&self.buffer[self.crc_from..self.position]);
        self.crc_from = self.position;
        Ok(())
    }
}
