//! Request bodies on their way in: a client that stalls costs little memory, however much it has sent.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use aws::Failure;
use bytes::{Bytes, BytesMut};

/// How much of a body is held in memory; more is kept in a file until all of it is there.
const MEMORY_BYTES_MAX: usize = 256 << 10;

/// A body as far as it was received.
#[derive(Default)]
pub(crate) struct Spool {
    /// The folder for the file.
    folder: PathBuf,
    memory: BytesMut,
    /// A file without a name, which goes with the process.
    file: Option<File>,
}

impl Spool {
    /// Begins an empty body; a large one is kept in a file in `folder`.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, memory: BytesMut::new(), file: None }
    }

    /// Adds what was received.
    pub(crate) fn add(&mut self, data: &[u8]) -> io::Result<()> {
        if self.file.is_none() && self.memory.len() + data.len() > MEMORY_BYTES_MAX {
            let mut file = tempfile::tempfile_in(&self.folder)?;
            file.write_all(&std::mem::take(&mut self.memory))?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(data)?,
            None => self.memory.extend_from_slice(data),
        }
        Ok(())
    }

    /// Gives the body; reading it from the file blocks.
    pub(crate) fn into_bytes(self) -> Result<Bytes, Failure> {
        self.read().map_err(|error| {
            tracing::error!(%error, "a request's body cannot be read from its file in the data folder");
            Failure::internal()
        })
    }

    fn read(self) -> io::Result<Bytes> {
        let Some(mut file) = self.file else { return Ok(self.memory.freeze()) };
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
    fn a_large_body_is_in_a_file_and_a_small_one_in_memory() {
        let folder = tempfile::tempdir().expect("there is room");
        let piece = vec![b'x'; 100 << 10];
        for (pieces, in_file) in [(1, false), (2, false), (3, true), (30, true)] {
            let mut spool = Spool::new(folder.path().to_owned());
            for _ in 0..pieces {
                spool.add(&piece).expect("there is room");
            }
            assert_eq!(spool.file.is_some(), in_file, "{pieces}");
            assert!(spool.memory.len() <= MEMORY_BYTES_MAX && spool.file.is_none() || spool.memory.is_empty());
            assert_eq!(spool.into_bytes().expect("it is read"), piece.repeat(pieces));
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0, "the files have no names");
    }
}
