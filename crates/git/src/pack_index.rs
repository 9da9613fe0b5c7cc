//! Writing the index of a pack, version 2.

use std::io::{self, Write};

use gix::ObjectId;

/// What an index tells of one object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indexed {
    pub(crate) id: ObjectId,
    pub(crate) crc: u32,
    pub(crate) offset: u64,
}

/// Offsets from here on are kept in a table of their own.
const LARGE: u64 = 1 << 31;

/// Writes the index of the pack that ends with `checksum`; `objects` are sorted by their ids.
pub(crate) fn write(output: &mut dyn Write, objects: &[Indexed], checksum: &ObjectId) -> io::Result<()> {
    let mut output = Hashing { output, hasher: gix::hash::hasher(gix::hash::Kind::Sha1) };
    output.write_all(b"\xfftOc\0\0\0\x02")?;
    let mut ids = objects.iter().map(|object| object.id.as_slice()[0]).peekable();
    let mut count = 0_u32;
    for byte in 0..=u8::MAX {
        while ids.next_if(|first| *first == byte).is_some() {
            count += 1;
        }
        output.write_all(&count.to_be_bytes())?;
    }
    for object in objects {
        output.write_all(object.id.as_slice())?;
    }
    for object in objects {
        output.write_all(&object.crc.to_be_bytes())?;
    }
    let mut large = Vec::new();
    for object in objects {
        let offset = u32::try_from(object.offset).ok().filter(|offset| u64::from(*offset) < LARGE);
        let offset = offset.unwrap_or_else(|| {
            large.push(object.offset);
            0x8000_0000 | u32::try_from(large.len() - 1).expect("a pack counts its objects in 32 bits")
        });
        output.write_all(&offset.to_be_bytes())?;
    }
    for offset in large {
        output.write_all(&offset.to_be_bytes())?;
    }
    output.write_all(checksum.as_slice())?;
    let digest = output.hasher.try_finalize().map_err(io::Error::other)?;
    output.output.write_all(digest.as_slice())
}

struct Hashing<'w> {
    output: &'w mut dyn Write,
    hasher: gix::hash::Hasher,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gitoxide_reads_what_is_written() {
        let id = |byte: u8| ObjectId::from_bytes_or_panic(&[byte; 20]);
        let objects: Vec<_> = [(0, 12), (7, LARGE - 1), (7, LARGE), (255, 1 << 40)]
            .into_iter()
            .enumerate()
            .map(|(crc, (byte, offset))| Indexed { id: id(byte), crc: u32::try_from(crc).expect("small"), offset })
            .collect();
        let mut bytes = Vec::new();
        write(&mut bytes, &objects, &id(9)).expect("a vector takes all");
        let file = gix::odb::pack::index::File::from_data(bytes, "x.idx".into(), gix::hash::Kind::Sha1)
            .expect("a sound index");
        let read: Vec<_> = file.iter().map(|entry| (entry.oid, entry.crc32, entry.pack_offset)).collect();
        let written: Vec<_> = objects.iter().map(|object| (object.id, Some(object.crc), object.offset)).collect();
        assert_eq!(read, written);
        assert_eq!(file.pack_checksum(), id(9));
    }
}
