//! The output of a response: bytes, and parts of files that are read only when the client takes them.

use std::{
    fs::File,
    io::{self, Write},
    ops::Range,
    sync::Arc,
};

use crate::{frames::Frames, pack::read_exact_at, pktline};

/// The size of one read from a file, in bytes; frames are a little smaller.
const PIECE_BYTES: u64 = 64 << 10;

/// The bytes before the payload of a frame.
const HEAD_BYTES: usize = 5;

/// Takes the bytes of a response.
pub trait Output: Write {
    /// Appends a part of a file, which must not change any more, to the bytes written so far.
    fn part(&mut self, part: FilePart) -> io::Result<()>;
}

/// A part of a file that is sent unchanged, in frames if the client requests side bands.
pub struct FilePart {
    file: Arc<File>,
    range: Range<u64>,
    frames: Frames,
}

impl FilePart {
    /// Creates a part that is sent without frames.
    pub fn new(file: Arc<File>, range: Range<u64>) -> Self {
        Self::framed(file, range, Frames::None)
    }

    pub(crate) fn framed(file: Arc<File>, range: Range<u64>, frames: Frames) -> Self {
        Self { file, range, frames }
    }

    /// Extends this part by another one that follows it in the same file; returns any other part.
    pub fn join(&mut self, next: Self) -> Result<(), Self> {
        let follows = Arc::ptr_eq(&self.file, &next.file) && self.range.end == next.range.start;
        if !follows || self.frames != Frames::None || next.frames != Frames::None {
            return Err(next);
        }
        self.range.end = next.range.end;
        Ok(())
    }

    /// Returns whether this is a part of `file`.
    pub fn is_in(&self, file: &Arc<File>) -> bool {
        Arc::ptr_eq(&self.file, file)
    }

    /// Reads the next bytes to send, about 64 KB; `None` at the end.
    pub fn read_next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.range.is_empty() {
            return Ok(None);
        }
        let payload = self.frames.payload_bytes();
        let bytes_max = match self.frames {
            Frames::None => PIECE_BYTES,
            Frames::Large => payload as u64,
            Frames::Small => PIECE_BYTES / payload as u64 * payload as u64,
        };
        let bytes = usize::try_from(bytes_max.min(self.range.end - self.range.start)).map_err(io::Error::other)?;
        let mut piece = Vec::new();
        if self.frames == Frames::None {
            piece.resize(bytes, 0);
            read_exact_at(&self.file, &mut piece, self.range.start)?;
        } else {
            piece.reserve_exact(bytes + bytes.div_ceil(payload) * HEAD_BYTES);
            let mut start = self.range.start;
            let end = start + bytes as u64;
            while start < end {
                let bytes = usize::try_from(end - start).map_or(payload, |rest| rest.min(payload));
                piece.extend_from_slice(&pktline::length(bytes + 1));
                piece.push(1);
                let at = piece.len();
                piece.resize(at + bytes, 0);
                read_exact_at(&self.file, &mut piece[at..], start)?;
                start += bytes as u64;
            }
        }
        self.range.start += bytes as u64;
        Ok(Some(piece))
    }
}

/// An [`Output`] over a plain writer: copies parts of files.
pub struct CopyOutput<'w>(pub &'w mut dyn Write);

impl Write for CopyOutput<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Output for CopyOutput<'_> {
    fn part(&mut self, mut part: FilePart) -> io::Result<()> {
        while let Some(piece) = part.read_next()? {
            self.0.write_all(&piece)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sideband::SideBand;

    #[test]
    fn a_part_of_a_file_is_framed_as_bytes_are() {
        let bytes: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[1]).collect();
        let mut file = tempfile::tempfile().expect("a temporary file");
        file.write_all(&bytes).expect("a writable file");
        let file = Arc::new(file);
        for frames in [Frames::None, Frames::Small, Frames::Large] {
            let (mut written, mut copied) = (Vec::new(), Vec::new());
            {
                let mut output = CopyOutput(&mut written);
                let mut band = SideBand::new(&mut output, frames);
                band.write_all(b"before").expect("a vector takes all");
                band.flush().expect("a vector takes all");
                band.write_all(&bytes[10..]).expect("a vector takes all");
                band.finish().expect("a vector takes all");
            }
            {
                let mut output = CopyOutput(&mut copied);
                let mut band = SideBand::new(&mut output, frames);
                band.write_all(b"before").expect("a vector takes all");
                band.part(&file, 10..bytes.len() as u64).expect("a vector takes all");
                band.finish().expect("a vector takes all");
            }
            assert!(written == copied, "{frames:?}");
        }
    }
}
