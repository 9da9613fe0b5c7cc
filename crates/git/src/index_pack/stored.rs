//! Reads entries of the stored pack again, without mapping it into memory.

use std::{fs::File, io, path::Path};

use gix::zlib::{Decompress, FlushDecompress, Status};

use super::{PackEntry, PackError};

/// The size of one read from an entry, in bytes.
const INPUT_BYTES: usize = 32 << 10;

/// The file that holds a pack.
pub(super) struct Stored {
    file: File,
}

impl Stored {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)? })
    }
}

/// Inflates entries one after the other.
pub(super) struct EntryReader<'s> {
    stored: &'s Stored,
    state: Decompress,
    input: Box<[u8]>,
}

impl<'s> EntryReader<'s> {
    pub(super) fn new(stored: &'s Stored) -> Self {
        Self { stored, state: Decompress::new(), input: vec![0; INPUT_BYTES].into() }
    }

    /// Fills `out` with the inflated bytes of an entry, which ends before `end` in the file and was inflated before.
    pub(super) fn inflate(&mut self, entry: &PackEntry, end: u64, out: &mut Vec<u8>) -> Result<(), PackError> {
        let corrupt = || PackError::new("the pack is corrupt: an entry cannot be inflated");
        out.clear();
        out.resize(usize::try_from(entry.size).map_err(|_| corrupt())?, 0);
        self.state.reset();
        let mut offset = entry.offset + u64::from(entry.head_bytes);
        let mut filled = 0;
        loop {
            let bytes = self.input.len().min(usize::try_from(end - offset).unwrap_or(usize::MAX));
            read_exact_at(&self.stored.file, &mut self.input[..bytes], offset)?;
            offset += bytes as u64;
            let mut input = &self.input[..bytes];
            loop {
                let (consumed, produced) = (self.state.total_in(), self.state.total_out());
                let status =
                    self.state.decompress(input, &mut out[filled..], FlushDecompress::None).map_err(|_| corrupt())?;
                input =
                    &input[usize::try_from(self.state.total_in() - consumed).expect("at most the size of a buffer")..];
                let produced =
                    usize::try_from(self.state.total_out() - produced).expect("at most the size of a buffer");
                filled += produced;
                match status {
                    Status::StreamEnd if filled == out.len() => return Ok(()),
                    Status::StreamEnd => return Err(corrupt()),
                    _ if input.is_empty() => break,
                    _ if produced == 0 && self.state.total_in() == consumed => return Err(corrupt()),
                    _ => {}
                }
            }
            if bytes == 0 {
                return Err(corrupt());
            }
        }
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
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
