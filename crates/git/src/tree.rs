//! Looking up and changing files in trees.

use std::{cell::RefCell, collections::BTreeMap};

use bstr::{BStr, BString, ByteSlice};
use gix::{
    ObjectId,
    hash::oid,
    objs::{self, Find, tree::EntryKind},
};

use crate::{
    Error, Kind, Object,
    object_links::{TreeEntries, TreeEntry},
    reader::Reader,
};

/// The type of a tree entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A file: `100644`.
    File,
    /// An executable file: `100755`.
    Executable,
    /// A symbolic link, with the path of its target as content: `120000`.
    Symlink,
    /// A tree: `040000`.
    Tree,
    /// A commit of another repository: `160000`.
    Submodule,
}

impl Mode {
    /// Interprets the bits of a mode; unusual ones are files, as in Git.
    pub(crate) fn of(bits: u32) -> Self {
        match bits & 0o170_000 {
            0o040_000 => Self::Tree,
            0o120_000 => Self::Symlink,
            0o160_000 => Self::Submodule,
            _ if bits & 0o100 != 0 => Self::Executable,
            _ => Self::File,
        }
    }

    /// Returns the mode in octal with six digits, as Git shows it.
    pub fn octal(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Symlink => "120000",
            Self::Tree => "040000",
            Self::Submodule => "160000",
        }
    }

    /// Tells whether the object is a blob.
    pub fn is_blob(self) -> bool {
        !matches!(self, Self::Tree | Self::Submodule)
    }

    fn kind(self) -> EntryKind {
        match self {
            Self::File => EntryKind::Blob,
            Self::Executable => EntryKind::BlobExecutable,
            Self::Symlink => EntryKind::Link,
            Self::Tree => EntryKind::Tree,
            Self::Submodule => EntryKind::Commit,
        }
    }
}

/// One version of a file, link or submodule: its mode and object.
pub type FileVersion = (Mode, ObjectId);

/// An entry of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its type.
    pub mode: Mode,
    /// Its name in the tree.
    pub name: BString,
    /// The id of its object.
    pub id: ObjectId,
}

impl Entry {
    pub(crate) fn of(entry: &TreeEntry<'_>) -> Self {
        Self { mode: Mode::of(entry.mode), name: entry.name.into(), id: entry.id.to_owned() }
    }
}

fn parsed<T>(tree: &oid, entry: Result<T, &'static str>) -> Result<T, Error> {
    entry.map_err(|reason| Error::Malformed { id: tree.to_owned(), reason })
}

/// The new version of the file at each path; `None` removes the file.
pub type Edits = BTreeMap<BString, Option<(Mode, ObjectId)>>;

impl Reader {
    /// Lists the entries of a tree, in order.
    pub fn tree(&mut self, id: &oid) -> Result<Vec<Entry>, Error> {
        let mut data = Vec::new();
        self.expect(id, Kind::Tree, &mut data)?;
        TreeEntries::new(&data).map(|entry| Ok(Entry::of(&parsed(id, entry)?))).collect()
    }

    /// Finds the entry at a path below a tree; `a/b` is `b` in the tree `a`. The empty path has no entry.
    pub fn entry(&mut self, tree: &oid, path: &BStr) -> Result<Option<Entry>, Error> {
        let names = path.split_str(b"/").count();
        let mut entries = self.entries_along(tree, path)?;
        Ok(if entries.len() == names { entries.pop() } else { None })
    }

    /// Finds the entries along a path below a tree, one for each name of the path, up to the first missing one.
    pub fn entries_along(&mut self, tree: &oid, path: &BStr) -> Result<Vec<Entry>, Error> {
        let mut tree = tree.to_owned();
        let mut entries = Vec::new();
        for name in path.split_str(b"/") {
            let Some(entry) = self.child(&tree, name.into())? else { break };
            let Entry { mode, id, .. } = entry;
            entries.push(entry);
            if mode != Mode::Tree {
                break;
            }
            tree = id;
        }
        Ok(entries)
    }

    /// Finds the entry with a name in a tree.
    pub(crate) fn child(&mut self, tree: &oid, name: &BStr) -> Result<Option<Entry>, Error> {
        let mut data = Vec::new();
        self.expect(tree, Kind::Tree, &mut data)?;
        for entry in TreeEntries::new(&data) {
            let entry = parsed(tree, entry)?;
            if entry.name == name {
                return Ok(Some(Entry::of(&entry)));
            }
        }
        Ok(None)
    }

    /// Changes a tree, or creates one if `tree` is `None`; returns the id of the new tree and the trees to add.
    ///
    /// A new file replaces the entry at its path, and files in the place of its parent folders. Empty trees are removed.
    /// Nothing is added to the repository.
    pub fn edit(&mut self, tree: Option<&oid>, edits: &Edits) -> Result<(ObjectId, Vec<Object>), Error> {
        let mut data = Vec::new();
        let root = match tree {
            Some(id) => {
                self.expect(id, Kind::Tree, &mut data)?;
                let parsed = objs::TreeRef::from_bytes(&data, gix::hash::Kind::Sha1);
                parsed.map_err(|error| Error::decode(&error))?.into()
            }
            None => objs::Tree::empty(),
        };
        let source = ObjectSource(RefCell::new(self));
        let mut editor = objs::tree::Editor::new(root, &source, gix::hash::Kind::Sha1);
        // Removals first, to make room for new files.
        let (removed, put): (Vec<_>, Vec<_>) = edits.iter().partition(|(_, new)| new.is_none());
        for (path, new) in removed.into_iter().chain(put) {
            let names = path.split_str(b"/").map(BStr::new);
            let edited = match new {
                Some((mode, id)) => editor.upsert(names, mode.kind(), *id),
                None => editor.remove(names),
            };
            edited.map(drop).map_err(|error| Error::decode(&error))?;
        }
        let mut objects = Vec::new();
        let id = editor.write(|tree| {
            let mut data = Vec::new();
            objs::WriteTo::write_to(tree, &mut data)?;
            let id = objs::compute_hash(gix::hash::Kind::Sha1, Kind::Tree, &data).map_err(std::io::Error::other)?;
            objects.push(Object { kind: Kind::Tree, data });
            Ok::<_, std::io::Error>(id)
        })?;
        Ok((id, objects))
    }

    /// Changes a tree as [`Reader::edit`] does, and adds the new objects to this reader only; returns the id of the new tree.
    pub fn imagine_edited(&mut self, tree: &oid, edits: &Edits) -> Result<ObjectId, Error> {
        let (tree, objects) = self.edit(Some(tree), edits)?;
        for object in objects {
            self.imagine(object)?;
        }
        Ok(tree)
    }
}

/// A reader behind gitoxide's trait for finding objects.
struct ObjectSource<'r>(RefCell<&'r mut Reader>);

impl Find for ObjectSource<'_> {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<objs::Data<'a>>> {
        let kind = self.0.borrow_mut().read(id, buffer).map_err(gix::Error::from_error)?;
        Ok(kind.map(|kind| objs::Data { kind, object_hash: gix::hash::Kind::Sha1, data: buffer }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Repository;

    #[test]
    fn files_are_added_and_removed_with_their_folders() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let repository = Repository::open_or_create(folder.path()).expect("a new repository");
        let in_use = repository.use_objects();
        let blob = Object { kind: Kind::Blob, data: b"content".to_vec() };
        let id = repository.add(&[blob], &in_use, false).expect("a fully connected set")[0];
        let edit = |tree: Option<&oid>, edits: &[(&str, Option<Mode>)]| {
            let edits = edits.iter().map(|(path, mode)| ((*path).into(), mode.map(|mode| (mode, id)))).collect();
            let (tree, objects) = repository.reader().edit(tree, &edits).expect("an edited tree");
            repository.add(&objects, &in_use, false).expect("a fully connected set");
            tree
        };
        let first =
            edit(None, &[("a/b/c", Some(Mode::File)), ("a.txt", Some(Mode::Executable)), ("z", Some(Mode::Symlink))]);
        let mut reader = repository.reader();
        let names = |reader: &mut Reader, tree: &oid| {
            let entries = reader.tree(tree).expect("a tree").into_iter();
            entries.map(|entry| format!("{} {}", entry.mode.octal(), entry.name)).collect::<Vec<_>>()
        };
        assert_eq!(names(&mut reader, &first), ["100755 a.txt", "040000 a", "120000 z"]);
        let found = |reader: &mut Reader, tree: &oid, path: &str| {
            reader.entry(tree, path.into()).expect("readable").map(|entry| entry.mode)
        };
        assert_eq!(found(&mut reader, &first, "a/b/c"), Some(Mode::File));
        assert_eq!(found(&mut reader, &first, "a/b"), Some(Mode::Tree));
        for path in ["", "a/b/c/d", "a/x", "a/b/"] {
            assert_eq!(found(&mut reader, &first, path), None, "{path}");
        }
        // The folder is removed with its last file, and a file takes its place.
        let second = edit(Some(&first), &[("a/b/c", None), ("a", Some(Mode::File))]);
        assert_eq!(names(&mut repository.reader(), &second), ["100644 a", "100755 a.txt", "120000 z"]);
        let empty = edit(Some(&second), &[("a", None), ("a.txt", None), ("z", None)]);
        assert_eq!(empty, ObjectId::empty_tree(gix::hash::Kind::Sha1));
    }
}
