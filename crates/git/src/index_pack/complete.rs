//! Completion of thin packs: adds the missing bases.

use std::{
    fs::OpenOptions,
    io::{BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use flate2::{Compression, Crc, write::ZlibEncoder};
use gix::{ObjectId, hash::hasher};

use super::{PackEntry, PackError, resolve::Base};
use crate::{pack_writer::entry_head, reader::Reader};

/// The length of the hash at the end of a pack.
const TRAILER_BYTES: i64 = 20;

/// Appends `bases` to the pack at `path` as whole objects; returns the new checksum.
pub(super) fn complete(
    path: &Path,
    entries: &mut Vec<PackEntry>,
    bases: &[Base],
    reader: &mut Reader,
) -> Result<ObjectId, PackError> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut offset = file.seek(SeekFrom::End(-TRAILER_BYTES))?;
    let mut output = BufWriter::new(&mut file);
    let mut data = Vec::new();
    for base in bases {
        reader.expect(&base.id, base.kind, &mut data)?;
        let head = entry_head(base.kind, data.len() as u64);
        let mut encoder = ZlibEncoder::new(head.clone(), Compression::default());
        encoder.write_all(&data)?;
        let bytes = encoder.finish()?;
        output.write_all(&bytes)?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        entries.push(PackEntry {
            offset,
            size: data.len() as u64,
            id: base.id,
            crc: crc.sum(),
            head_bytes: u8::try_from(head.len()).expect("an entry header has at most 10 bytes"),
            kind: Some(base.kind),
        });
        offset += bytes.len() as u64;
    }
    output.flush()?;
    drop(output);

    let count = u32::try_from(entries.len()).map_err(|_| PackError::new("the pack has too many objects"))?;
    file.seek(SeekFrom::Start(8))?;
    file.write_all(&count.to_be_bytes())?;
    file.rewind()?;
    let mut hasher = hasher(gix::hash::Kind::Sha1);
    let mut buffer = vec![0; 256 << 10];
    let mut rest = (&mut file).take(offset);
    loop {
        match rest.read(&mut buffer)? {
            0 => break,
            bytes => hasher.update(&buffer[..bytes]),
        }
    }
    let checksum = hasher.try_finalize().map_err(|error| PackError::new(error.to_string()))?;
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(checksum.as_slice())?;
    file.set_len(offset + 20)?;
    Ok(checksum)
}
