//! The `.mtimes` file of a cruft pack, as Git writes it: when each object was found to be unreachable.

use std::{
    fs,
    io::{self, Write},
    path::Path,
};

use gix::ObjectId;

use crate::pack::Pack;

/// The signature, the version, and the number of the hash: that of SHA-1.
const HEAD: &[u8; 12] = b"MTME\0\0\0\x01\0\0\0\x01";

/// The checksum of the pack, and that of the file.
const TAIL_BYTES: usize = 40;

/// Reads the times of a pack's objects in seconds since 1970, in the order of the index; `None` without such a file.
///
/// With a damaged file, the time of all objects is now, so they are kept.
pub(super) fn read(pack: &Pack) -> io::Result<Option<Vec<u32>>> {
    let bytes = match fs::read(pack.index.path().with_extension("mtimes")) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let count = pack.index.num_objects() as usize;
    let sound = bytes.len() == HEAD.len() + count * 4 + TAIL_BYTES && bytes.starts_with(HEAD);
    if !sound {
        return Ok(Some(vec![u32::MAX; count]));
    }
    let times = bytes[HEAD.len()..bytes.len() - TAIL_BYTES].chunks_exact(4);
    Ok(Some(times.map(|time| u32::from_be_bytes(time.try_into().expect("four bytes"))).collect()))
}

/// Writes the times of the objects of the pack that ends with `checksum`.
pub(super) fn write(path: &Path, times: impl Iterator<Item = u32>, checksum: &ObjectId) -> io::Result<()> {
    let mut bytes = HEAD.to_vec();
    bytes.extend(times.flat_map(u32::to_be_bytes));
    bytes.extend_from_slice(checksum.as_slice());
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&bytes);
    bytes.extend_from_slice(hasher.try_finalize().map_err(io::Error::other)?.as_slice());
    fs::File::create_new(path)?.write_all(&bytes)
}
