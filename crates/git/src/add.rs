//! Adding the objects that an API call creates.
//!
//! The objects of one call become one pack, however few they are. If they have to last a power cut, that is twice as
//! fast as writing the five objects of a small commit one by one: two files are flushed and not five. If not, loose
//! objects would be written faster, in less than a millisecond either way on an idle machine; but a loose object is a
//! file to open for each lookup, and one commit's objects would appear one after the other. Maintenance rolls such packs up.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use flate2::{Compression, Crc, write::ZlibEncoder};
use gix::{ObjectId, hash::hasher, hashtable::HashMap};

use crate::{
    Error, Kind, Object, ObjectsInUse, Repository, object_links,
    pack_index::{self, Indexed},
    pack_writer::entry_head,
    reader::{Location, Reader},
    staging::Staging,
};

impl Repository {
    /// Adds objects and returns their ids in the same order; with `sync`, they survive a power cut.
    ///
    /// All objects that they refer to must exist, or be among them in any order; otherwise nothing is added and the error is
    /// [`Error::Missing`]. `_in_use` must belong to this repository. The caller takes it before it looks up the first object
    /// that the new ones refer to, and keeps it until a reference leads to them.
    pub fn add(&self, objects: &[Object], _in_use: &ObjectsInUse, sync: bool) -> Result<Vec<ObjectId>, Error> {
        let ids = objects.iter().map(Object::id).collect::<Result<Vec<_>, _>>()?;
        let mut reader = self.reader();
        check(&mut reader, objects, &ids)?;
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for (id, object) in ids.iter().zip(objects) {
            if seen.insert(id) && matches!(reader.locate(id), None | Some(Location::Innate)) {
                new.push((*id, object));
            }
        }
        if !new.is_empty() {
            let staging = Staging::create(self.objects())?;
            let checksum = write(staging.path(), &new)?;
            self.install(&staging, &checksum, sync)?;
        }
        Ok(ids)
    }
}

/// Checks that all objects referred to exist and have the expected kind.
fn check(reader: &mut Reader, objects: &[Object], ids: &[ObjectId]) -> Result<(), Error> {
    let added: HashMap<_, _> = ids.iter().copied().zip(objects.iter().map(|object| object.kind)).collect();
    let mut named = HashMap::<ObjectId, Kind>::default();
    for (id, object) in ids.iter().zip(objects) {
        let malformed = |reason| Error::Malformed { id: *id, reason };
        let mut conflict = false;
        object_links::visit(object.kind, &object.data, &mut |id, kind| {
            conflict |= *named.entry(id.to_owned()).or_insert(kind) != kind;
        })
        .map_err(malformed)?;
        if conflict {
            return Err(malformed("it refers to one object as two different kinds"));
        }
    }
    for (id, kind) in named {
        match added.get(&id).copied().or(reader.kind(&id)?) {
            Some(found) if found == kind => {}
            Some(_) => return Err(Error::other_kind(&id)),
            None => return Err(reader.missing(&id)),
        }
    }
    Ok(())
}

/// Writes a pack and its index into a folder; returns the checksum.
fn write(folder: &Path, objects: &[(ObjectId, &Object)]) -> io::Result<ObjectId> {
    let mut hasher = hasher(gix::hash::Kind::Sha1);
    let mut output = BufWriter::new(File::create_new(folder.join("pack"))?);
    let mut head = *b"PACK\0\0\0\x02\0\0\0\0";
    head[8..].copy_from_slice(&u32::try_from(objects.len()).map_err(io::Error::other)?.to_be_bytes());
    hasher.update(&head);
    output.write_all(&head)?;
    let mut offset = head.len() as u64;
    let mut indexed = Vec::with_capacity(objects.len());
    for (id, object) in objects {
        let head = entry_head(object.kind, object.data.len() as u64);
        let mut encoder = ZlibEncoder::new(head, Compression::default());
        encoder.write_all(&object.data)?;
        let bytes = encoder.finish()?;
        let mut crc = Crc::new();
        crc.update(&bytes);
        hasher.update(&bytes);
        output.write_all(&bytes)?;
        indexed.push(Indexed { id: *id, crc: crc.sum(), offset });
        offset += bytes.len() as u64;
    }
    let checksum = hasher.try_finalize().map_err(io::Error::other)?;
    output.write_all(checksum.as_slice())?;
    output.flush()?;
    indexed.sort_unstable_by_key(|object| object.id);
    let mut index = BufWriter::new(File::create_new(folder.join("idx"))?);
    pack_index::write(&mut index, &indexed, &checksum)?;
    index.flush()?;
    Ok(checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(kind: Kind, data: &[u8]) -> Object {
        Object { kind, data: data.to_vec() }
    }

    #[test]
    fn objects_are_added_once_and_only_if_their_references_exist() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let in_use = repository.use_objects();
        let blob = object(Kind::Blob, b"content");
        let id = gix::objs::compute_hash(gix::hash::Kind::Sha1, Kind::Blob, b"content").expect("a hash");
        let tree = object(Kind::Tree, &[b"100644 file\0", id.as_slice()].concat());
        let missing = repository.add(std::slice::from_ref(&tree), &in_use, false);
        assert!(matches!(missing, Err(Error::Missing { id: named, .. }) if named == id));
        let subtree = object(Kind::Tree, &[b"40000 folder\0", id.as_slice()].concat());
        assert!(repository.add(&[subtree, blob.clone()], &in_use, false).is_err());
        assert!(repository.add(&[object(Kind::Commit, b"tree 1\n")], &in_use, false).is_err());
        assert_eq!(repository.state().packs.len(), 0);

        let all = [tree, blob.clone(), blob];
        let ids = repository.add(&all, &in_use, true).expect("a fully connected set");
        assert_eq!((ids.len(), ids[1]), (3, id));
        assert_eq!(repository.find(&ids[0]).expect("readable").expect("there").data, all[0].data);
        assert_eq!(repository.add(&all, &in_use, false).expect("the same"), ids);
        assert_eq!(repository.state().packs.len(), 1);

        // Every repository can read the empty tree; adding it stores it in a pack for other programs.
        let empty = object(Kind::Tree, b"");
        repository.add(&[empty], &in_use, false).expect("the empty tree");
        assert_eq!(repository.state().packs.len(), 2);
    }
}
