//! Writing new objects into a pack in a temporary file.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use git::{Kind, Object, ObjectId};
use sha1::{Digest, Sha1};

/// The first bytes of a pack of version 2; the number of objects follows in four bytes.
const SIGNATURE: &[u8; 8] = b"PACK\0\0\0\x02";

/// A pack that is being written; each object is written once.
pub(super) struct PackFile {
    output: BufWriter<File>,
    written: HashSet<ObjectId>,
}

impl PackFile {
    /// Creates a pack in a temporary file in the folder `scratch`.
    pub(super) fn create(scratch: &Path) -> io::Result<Self> {
        let mut output = BufWriter::new(tempfile::tempfile_in(scratch)?);
        output.write_all(SIGNATURE)?;
        output.write_all(&[0; 4])?;
        Ok(Self { output, written: HashSet::new() })
    }

    /// Adds an object, and returns its id.
    pub(super) fn add(&mut self, object: &Object) -> io::Result<ObjectId> {
        let id = object.id().map_err(io::Error::other)?;
        if self.written.insert(id) {
            self.output.write_all(&entry_head(object.kind, object.data.len()))?;
            let mut encoder = ZlibEncoder::new(&mut self.output, Compression::fast());
            encoder.write_all(&object.data)?;
            encoder.finish()?;
        }
        Ok(id)
    }

    /// Completes the pack, and returns its file at the beginning.
    pub(super) fn finish(self) -> io::Result<File> {
        let count = u32::try_from(self.written.len()).map_err(io::Error::other)?;
        let mut file = self.output.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(SIGNATURE.len() as u64))?;
        file.write_all(&count.to_be_bytes())?;
        file.rewind()?;
        let mut hasher = Sha1::new();
        let mut input = BufReader::new(&mut file);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let bytes = input.read(&mut buffer)?;
            if bytes == 0 {
                break;
            }
            hasher.update(&buffer[..bytes]);
        }
        file.seek(SeekFrom::End(0))?;
        file.write_all(&hasher.finalize())?;
        file.rewind()?;
        Ok(file)
    }
}

/// Writes the head of an entry: its kind, and the size of the object in groups of seven bits after the first four.
fn entry_head(kind: Kind, size: usize) -> Vec<u8> {
    let kind = match kind {
        Kind::Commit => 1,
        Kind::Tree => 2,
        Kind::Blob => 3,
        Kind::Tag => 4,
    };
    let mut rest = size >> 4;
    let low = |bits: usize| u8::try_from(bits).expect("the bits are masked");
    let mut head = vec![kind << 4 | low(size & 15)];
    while rest > 0 {
        *head.last_mut().expect("the head has a byte") |= 0x80;
        head.push(low(rest & 127));
        rest >>= 7;
    }
    head
}
