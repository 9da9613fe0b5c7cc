//! The patterns of a sparse filter, read from a blob of the repository.

use bstr::{BStr, ByteSlice};
use gix::ObjectId;

use crate::{
    Error, Kind, ProtocolError, References,
    filter::sparse::Patterns,
    object_links::{self, TreeEntries},
    reader::Reader,
};

/// The maximum size of a pattern file, in bytes.
const PATTERN_BYTES_MAX: u64 = 1 << 20;

/// Reads the patterns from the blob with the given id, reference, or `reference:path`.
pub(super) fn patterns(reader: &mut Reader, references: &References, name: &BStr) -> Result<Patterns, ProtocolError> {
    let unknown = || ProtocolError::new(format!("unable to access sparse blob in '{name}'"));
    let id = resolve(reader, references, name)?.ok_or_else(unknown)?;
    match reader.header(&id)? {
        Some((Kind::Blob, bytes)) if bytes <= PATTERN_BYTES_MAX => {
            let mut text = Vec::new();
            reader.expect(&id, Kind::Blob, &mut text)?;
            Ok(Patterns::parse(&text))
        }
        None => Err(unknown()),
        Some(_) => Err(ProtocolError::new(format!("unable to parse sparse filter data in {id}"))),
    }
}

fn resolve(reader: &mut Reader, references: &References, name: &BStr) -> Result<Option<ObjectId>, Error> {
    let (base, path) = match name.split_once_str(b":") {
        Some((base, path)) => (base.as_bstr(), Some(path)),
        None => (name, None),
    };
    let id = match ObjectId::from_hex(base) {
        Ok(id) => Some(id),
        Err(_) => references.meanings(base).next(),
    };
    match (id, path) {
        (Some(id), Some(path)) if reader.locate(&id).is_some() => descend(reader, &id, path),
        (_, Some(_)) => Ok(None),
        (id, None) => Ok(id),
    }
}

/// Finds the object at a path below a commit or a tree.
fn descend(reader: &mut Reader, id: &ObjectId, path: &[u8]) -> Result<Option<ObjectId>, Error> {
    let (mut id, kind) = reader.peel(id)?;
    let mut data = Vec::new();
    if kind == Kind::Commit {
        reader.expect(&id, Kind::Commit, &mut data)?;
        id = object_links::CommitHead::parse(&data).map_err(|reason| Error::Malformed { id, reason })?.tree;
    }
    for part in path.split(|byte| *byte == b'/') {
        if reader.read(&id, &mut data)? != Some(Kind::Tree) {
            return Ok(None);
        }
        let found = TreeEntries::new(&data).filter_map(Result::ok).find(|entry| entry.name == part);
        match found {
            Some(entry) => id = entry.id.to_owned(),
            None => return Ok(None),
        }
    }
    Ok(Some(id))
}
