//! Buffers for request bodies: a stalled client costs little memory, however much it has sent.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use aws::Failure;
use bytes::Bytes;
use tempfile::{SpooledData, SpooledTempFile};

/// Bytes of a body that are held in memory; a larger body moves to an unnamed file.
const MEMORY_BYTES_MAX: usize = 256 << 10;

/// A body as far as it was received.
pub(crate) struct Spool(SpooledTempFile);

impl Spool {
    /// Creates an empty buffer; a large body moves to an unnamed file in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self(SpooledTempFile::new_in(MEMORY_BYTES_MAX, folder))
    }

    /// Appends received bytes.
    pub(crate) fn append(&mut self, data: &[u8]) -> io::Result<()> {
        self.0.write_all(data)
    }

    /// Returns the body; reading it from the file blocks.
    pub(crate) fn into_bytes(self) -> Result<Bytes, Failure> {
        self.read().map_err(|error| {
            tracing::error!(%error, "cannot read a request's body from its file in the data directory");
            Failure::internal()
        })
    }

    fn read(self) -> io::Result<Bytes> {
        let mut file = match self.0.into_inner() {
            SpooledData::InMemory(body) => return Ok(body.into_inner().into()),
            SpooledData::OnDisk(file) => file,
        };
        let mut bytes = Vec::with_capacity(usize::try_from(file.stream_position()?).unwrap_or(0));
        file.seek(SeekFrom::Start(0))?;
        file.read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_body_is_in_an_unnamed_file_and_a_small_one_in_memory() {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        let piece = vec![b'x'; 100 << 10];
        for (pieces, in_file) in [(1, false), (2, false), (3, true), (30, true)] {
            let mut spool = Spool::new(folder.path());
            for _ in 0..pieces {
                spool.append(&piece).expect("the folder is writable");
            }
            assert_eq!(spool.0.is_rolled(), in_file, "{pieces}");
            assert_eq!(spool.into_bytes().expect("the file is readable"), piece.repeat(pieces));
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder exists").count(), 0, "the files have no names");
    }
}
